// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {TokenCall} from "../../src/libraries/TokenCall.sol";
import {ChangeKind, Configuration, Role, State} from "../../src/types/VaultTypes.sol";
import {Deploy} from "../Deploy.sol";
import {PolicyTest} from "../PolicyTest.sol";
import {DoubleEntryToken, SecondEntry} from "../mocks/DoubleEntry.sol";
import {FalseToken} from "../mocks/FalseToken.sol";
import {ITetherLike} from "../mocks/ITetherLike.sol";
import {ReentrantToken} from "../mocks/ReentrantToken.sol";
import {ShareToken} from "../mocks/ShareToken.sol";
import {SkimToken} from "../mocks/SkimToken.sol";
import {Tokens} from "../mocks/Tokens.sol";

contract SweepTest is PolicyTest {
    ChangeKind private constant SWEEP = ChangeKind.Sweep;
    uint256 private constant HELD = 123_456_789;

    address private heir = makeAddr("successor");
    FalseToken private other;

    function setUp() public override {
        super.setUp();
        other = new FalseToken();
        other.mint(address(vault), HELD);
    }

    function configuration() internal override returns (Configuration memory c) {
        c = super.configuration();
        c.successor = heir;
    }

    function test_sweep_sendsEverythingToTheSuccessor() external {
        uint256 balance = usdt.balanceOf(address(vault));
        bytes memory change = sweepChange(address(other));
        bytes32 id = readyChange(SWEEP, change);
        vm.expectEmit(address(vault));
        emit IVault.ChangeExecuted(id, SWEEP);
        vm.expectEmit(address(vault));
        emit IVault.Swept(address(other), heir, HELD, 0);
        executeChange(SWEEP, change);
        assertEq(other.balanceOf(heir), HELD);
        assertEq(other.balanceOf(address(vault)), 0);
        assertEq(usdt.balanceOf(address(vault)), balance);
        assertEq(vault.headroom(0), 100_000 * USDT, "no cap is charged");
    }

    function test_sweep_tokenThatReturnsNothing() external {
        ITetherLike tether = Tokens.deployTether();
        Tokens.give(tether, address(vault), HELD);
        enact(SWEEP, sweepChange(address(tether)));
        assertEq(tether.balanceOf(heir), HELD);
    }

    function test_sweep_tokenThatChargesAFee() external {
        SkimToken skim = skimToken(SkimToken.Skim.FeeInside);
        bytes memory change = sweepChange(address(skim));
        readyChange(SWEEP, change);
        vm.expectEmit(address(vault));
        emit IVault.Swept(address(skim), heir, HELD - 1, 0);
        executeChange(SWEEP, change);
        assertEq(skim.balanceOf(heir), HELD - 1);
    }

    /// @dev Its balances are shares of a pool: a transfer of everything leaves something behind, which is told.
    function test_sweep_tokenThatKeepsAUnit() external {
        ShareToken shares = new ShareToken();
        shares.setPool(10);
        shares.mintShares(address(vault), 3);
        shares.mintShares(stranger, 4);
        assertEq(shares.balanceOf(address(vault)), 4);
        bytes memory change = sweepChange(address(shares));
        readyChange(SWEEP, change);
        vm.expectEmit(address(vault));
        emit IVault.Swept(address(shares), heir, 2, 1);
        executeChange(SWEEP, change);
        assertEq(shares.balanceOf(heir), 2);
        assertEq(shares.balanceOf(address(vault)), 1);
    }

    /// @dev Judged by what the successor has more, not by what it has.
    function test_sweep_toASuccessorThatHoldsSome() external {
        other.mint(heir, 5);
        bytes memory change = sweepChange(address(other));
        readyChange(SWEEP, change);
        vm.expectEmit(address(vault));
        emit IVault.Swept(address(other), heir, HELD, 0);
        executeChange(SWEEP, change);
        assertEq(other.balanceOf(heir), HELD + 5);
    }

    function test_sweep_amountIsThatOfTheMoment() external {
        bytes memory change = sweepChange(address(other));
        readyChange(SWEEP, change);
        other.mint(address(vault), 1);
        executeChange(SWEEP, change);
        assertEq(other.balanceOf(heir), HELD + 1);
    }

    function test_sweep_eachTakesAChangeOfItsOwn() external {
        bytes memory change = sweepChange(address(other));
        bytes32 id = enact(SWEEP, change);
        other.mint(address(vault), 1);
        vm.expectRevert(stateInvalid(id, State.Executed));
        executeChange(SWEEP, change);
        enact(SWEEP, sweepChange(address(other)));
        assertEq(other.balanceOf(heir), HELD + 1);
    }

    // ── The vault's own token ────────────────────────────────────────────────────────────────────────────────────

    function test_sweep_RevertWhen_OwnToken() external {
        bytes memory reason = abi.encodeWithSelector(IVault.VaultSweepOfToken.selector, address(usdt));
        proposalReverts(SWEEP, sweepChange(address(usdt)), reason);
    }

    function test_attack50_sweep_RevertWhen_SecondAddressOfOwnToken() external {
        DoubleEntryToken first = new DoubleEntryToken();
        vaultOf(address(first));
        first.mint(address(vault), HELD);
        bytes memory reason = abi.encodeWithSelector(IVault.VaultBalanceMismatch.selector, HELD, 0);
        enactReverts(SWEEP, sweepChange(address(first.SECOND())), reason);
        assertEq(first.balanceOf(address(vault)), HELD);
        assertEq(first.balanceOf(heir), 0);
    }

    function test_attack50_sweep_RevertWhen_FirstAddressOfOwnToken() external {
        DoubleEntryToken first = new DoubleEntryToken();
        SecondEntry second = first.SECOND();
        vaultOf(address(second));
        first.mint(address(vault), HELD);
        bytes memory reason = abi.encodeWithSelector(IVault.VaultBalanceMismatch.selector, HELD, 0);
        enactReverts(SWEEP, sweepChange(address(first)), reason);
        assertEq(second.balanceOf(address(vault)), HELD);
    }

    // ── No effect ────────────────────────────────────────────────────────────────────────────────────────────────

    function test_sweep_RevertWhen_NoSuccessor() external {
        enact(ChangeKind.Successor, successorChange(address(0)));
        enactReverts(SWEEP, sweepChange(address(other)), failed(address(other), address(0), HELD));
        assertEq(other.balanceOf(address(vault)), HELD);
    }

    function test_sweep_RevertWhen_NothingHeld() external {
        FalseToken empty = new FalseToken();
        enactReverts(SWEEP, sweepChange(address(empty)), failed(address(empty), heir, 0));
    }

    function test_sweep_RevertWhen_TokenAnswersFalse() external {
        other.setRefuses(heir, true);
        bytes memory change = sweepChange(address(other));
        enactReverts(SWEEP, change, failed(address(other), heir, HELD));
        other.setRefuses(heir, false);
        executeChange(SWEEP, change);
        assertEq(other.balanceOf(heir), HELD);
    }

    function test_sweep_RevertWhen_TokenReverts() external {
        ITetherLike tether = Tokens.deployTether();
        Tokens.give(tether, address(vault), HELD);
        tether.pause();
        enactReverts(SWEEP, sweepChange(address(tether)), failed(address(tether), heir, HELD));
        assertEq(tether.balanceOf(address(vault)), HELD);
    }

    /// @dev What the token takes may all go elsewhere: then nothing arrived.
    function test_sweep_RevertWhen_NothingArrives() external {
        SkimToken skim = skimToken(SkimToken.Skim.FeeInside);
        skim.setSkim(SkimToken.Skim.FeeInside, HELD);
        bytes memory change = sweepChange(address(skim));
        enactReverts(SWEEP, change, failed(address(skim), heir, HELD));
        assertEq(skim.balanceOf(address(vault)), HELD);
        skim.setSkim(SkimToken.Skim.FeeInside, HELD - 1);
        executeChange(SWEEP, change);
        assertEq(skim.balanceOf(heir), 1, "one unit is enough");
    }

    function test_sweep_RevertWhen_NoContract() external {
        bytes memory reason = abi.encodeWithSelector(TokenCall.TokenBalanceUnreadable.selector, stranger);
        enactReverts(SWEEP, sweepChange(stranger), reason);
    }

    // ── A hostile token ──────────────────────────────────────────────────────────────────────────────────────────

    function test_attack24_sweep_cannotBeEnteredAgain() external {
        ReentrantToken reentrant = new ReentrantToken();
        reentrant.mint(address(vault), HELD);
        enact(ChangeKind.Role, roleChange(address(reentrant), Role.Keeper, 0, START + 100 days));
        bytes memory second = sweepChange(address(other));
        readyChange(SWEEP, second);
        reentrant.setCall(address(vault), abi.encodeCall(vault.executeChange, (SWEEP, second)), false);
        enact(SWEEP, sweepChange(address(reentrant)));
        assertEq(reentrant.calls(), 1);
        assertFalse(reentrant.lastSuccess());
        assertEq(reentrant.lastReturn(), abi.encodeWithSelector(IVault.VaultLocked.selector));
        assertEq(other.balanceOf(address(vault)), HELD);
        assertEq(reentrant.balanceOf(heir), HELD);
    }

    // ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    function vaultOf(address token) private {
        Configuration memory c = configuration();
        c.token = token;
        vault = Deploy.twin(c);
    }

    function skimToken(SkimToken.Skim mode) private returns (SkimToken skim) {
        skim = new SkimToken();
        skim.mint(address(vault), HELD);
        skim.setSkim(mode, 1);
    }

    function failed(address token, address to, uint256 balance) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IVault.VaultSweepFailed.selector, token, to, balance);
    }
}
