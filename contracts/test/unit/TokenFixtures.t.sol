// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DoubleEntryToken, SecondEntry} from "../mocks/DoubleEntry.sol";
import {FalseToken} from "../mocks/FalseToken.sol";
import {GasBurnerToken} from "../mocks/GasBurnerToken.sol";
import {Boomerang, HookToken} from "../mocks/HookToken.sol";
import {ITetherLike} from "../mocks/ITetherLike.sol";
import {ReentrantToken} from "../mocks/ReentrantToken.sol";
import {SkimToken} from "../mocks/SkimToken.sol";
import {ITestToken} from "../mocks/TestToken.sol";
import {TetherHostile} from "../mocks/TetherHostile.sol";
import {TetherUpgraded} from "../mocks/TetherUpgraded.sol";
import {Tokens} from "../mocks/Tokens.sol";
import {TronToken} from "../mocks/TronToken.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Test} from "forge-std/Test.sol";

abstract contract FixtureTest is Test {
    address internal immutable ALICE = makeAddr("alice");
    address internal immutable BOB = makeAddr("bob");

    /// @dev A raw `transfer` by `from`: what a caller sees that assumes nothing about the answer.
    function _transfer(address token, address from, address to, uint256 value)
        internal
        returns (bool success, bytes memory returned)
    {
        vm.prank(from);
        (success, returned) = token.call(abi.encodeCall(IERC20.transfer, (to, value)));
    }

    /// @dev The same with `given` gas for the call, and what it cost the caller.
    function _transferWithGas(address token, address from, address to, uint256 value, uint256 given)
        internal
        returns (bool success, bytes memory returned, uint256 spent)
    {
        bytes memory data = abi.encodeCall(IERC20.transfer, (to, value));
        vm.prank(from);
        spent = gasleft();
        (success, returned) = token.call{gas: given}(data);
        spent -= gasleft();
    }

    function _assertMoves(address token, address from, address to, uint256 value) internal {
        (bool success,) = _transfer(token, from, to, value);
        assertTrue(success, "transfer failed");
    }

    function _assertReverts(address token, address from, address to, uint256 value) internal {
        (bool success,) = _transfer(token, from, to, value);
        assertFalse(success, "transfer succeeded");
    }
}

contract TetherFixtureTest is FixtureTest {
    uint256 private constant FUNDS = 1_000_000e6;
    uint256 private constant VALUE = 1234.56789e6;

    ITetherLike private token;
    address private holder;

    function setUp() public {
        holder = makeAddr("holder");
        token = Tokens.deployTether();
        Tokens.give(token, ALICE, FUNDS);
        Tokens.give(token, holder, 1e6);
    }

    function test_tether_deploy_ownedByTheTest() external {
        assertEq(token.decimals(), 6);
        assertEq(token.totalSupply(), FUNDS + 1e6);
        token.issue(5e6);
        token.redeem(2e6);
        assertEq(token.balanceOf(address(this)), 3e6);
        vm.prank(ALICE);
        vm.expectRevert();
        token.issue(1);
    }

    function test_tether_transfer_returnsNothing() external {
        (bool success, bytes memory returned) = _transfer(address(token), ALICE, BOB, VALUE);
        assertTrue(success);
        assertEq(returned.length, 0);
        assertEq(token.balanceOf(BOB), VALUE);
        assertEq(token.balanceOf(ALICE), FUNDS - VALUE);
    }

    function test_tether_transferFrom_returnsNothing() external {
        vm.prank(ALICE);
        token.approve(address(this), VALUE);
        (bool success, bytes memory returned) =
            address(token).call(abi.encodeCall(IERC20.transferFrom, (ALICE, BOB, VALUE)));
        assertTrue(success);
        assertEq(returned.length, 0);
        assertEq(token.balanceOf(BOB), VALUE);
        assertEq(token.allowance(ALICE, address(this)), 0);
    }

    function test_tether_approve_RevertWhen_ChangedWithoutZero() external {
        token.approve(BOB, 1);
        vm.expectRevert();
        token.approve(BOB, 2);
        token.approve(BOB, 0);
        token.approve(BOB, 2);
        assertEq(token.allowance(address(this), BOB), 2);
    }

    function test_tether_transfer_RevertWhen_Paused() external {
        token.pause();
        _assertReverts(address(token), ALICE, BOB, VALUE);
        token.unpause();
        _assertMoves(address(token), ALICE, BOB, VALUE);
    }

    function test_tether_transfer_RevertWhen_SenderBlackListed() external {
        token.addBlackList(ALICE);
        _assertReverts(address(token), ALICE, BOB, VALUE);
        token.removeBlackList(ALICE);
        _assertMoves(address(token), ALICE, BOB, VALUE);
    }

    function test_tether_transfer_paysBlackListedRecipient() external {
        token.addBlackList(BOB);
        _assertMoves(address(token), ALICE, BOB, VALUE);
        assertEq(token.balanceOf(BOB), VALUE);
        _assertReverts(address(token), BOB, ALICE, VALUE);
    }

    function test_tether_destroyBlackFunds_wipesBalance() external {
        vm.expectRevert();
        token.destroyBlackFunds(ALICE);
        token.addBlackList(ALICE);
        token.destroyBlackFunds(ALICE);
        assertEq(token.balanceOf(ALICE), 0);
        assertEq(token.totalSupply(), 1e6);
    }

    function test_tether_fee_takenFromTheValue() external {
        token.setParams(10, 49); // 0.1 %, at most 49 USDT
        _assertMoves(address(token), ALICE, BOB, 1000e6);
        assertEq(token.balanceOf(ALICE), FUNDS - 1000e6);
        assertEq(token.balanceOf(BOB), 999e6);
        assertEq(token.balanceOf(address(this)), 1e6);
    }

    function test_tether_fee_stopsAtMaximum() external {
        token.setParams(19, 49);
        _assertMoves(address(token), ALICE, BOB, 100_000e6); // 19 basis points would be 190 USDT
        assertEq(token.balanceOf(BOB), 100_000e6 - 49e6);
    }

    function test_tether_setParams_RevertWhen_BeyondItsLimits() external {
        vm.expectRevert();
        token.setParams(20, 49);
        vm.expectRevert();
        token.setParams(19, 50);
    }

    function test_tether_transfer_RevertWhen_CalldataShort() external {
        bytes memory whole = abi.encodeCall(IERC20.transfer, (address(0x100), 0));
        bytes memory short = new bytes(whole.length - 1);
        for (uint256 i; i < short.length; ++i) {
            short[i] = whole[i];
        }
        vm.startPrank(ALICE);
        (bool acceptsWhole,) = address(token).call(whole);
        (bool acceptsShort,) = address(token).call(short);
        assertTrue(acceptsWhole);
        assertFalse(acceptsShort);
    }

    function test_tether_transfer_acceptsZeroAddressAndItself() external {
        _assertMoves(address(token), ALICE, address(0), VALUE);
        _assertMoves(address(token), ALICE, address(token), VALUE);
        assertEq(token.balanceOf(address(0)), VALUE);
        assertEq(token.balanceOf(address(token)), VALUE);
    }

    function test_tether_transfer_toSelfChangesNothing() external {
        _assertMoves(address(token), ALICE, ALICE, VALUE);
        assertEq(token.balanceOf(ALICE), FUNDS);
    }

    function test_tether_transfer_burnsAllGasWhen_FundsShort() external {
        (bool success, bytes memory returned, uint256 spent) = _transferWithGas(address(token), BOB, ALICE, 1, 500_000);
        assertFalse(success);
        assertEq(returned.length, 0);
        assertGe(spent, 500_000);
    }

    function test_tether_deprecate_forwardsToHonestSuccessor() external {
        token.deprecate(address(new TetherUpgraded(token)));
        _assertMoves(address(token), ALICE, BOB, VALUE);
        assertEq(token.balanceOf(BOB), VALUE);
        assertEq(token.balanceOf(ALICE), FUNDS - VALUE);
        assertEq(token.balances(ALICE), FUNDS, "the old ledger stands still");
        assertEq(token.totalSupply(), FUNDS + 1e6);

        vm.prank(ALICE);
        token.approve(address(this), VALUE);
        token.transferFrom(ALICE, BOB, VALUE);
        assertEq(token.balanceOf(BOB), 2 * VALUE);
        assertEq(token.allowance(ALICE, address(this)), 0);
        _assertReverts(address(token), BOB, ALICE, 2 * VALUE + 1);
    }

    function test_tether_successor_RevertWhen_CallerIsNotTheToken() external {
        TetherUpgraded successor = new TetherUpgraded(token);
        vm.expectRevert(abi.encodeWithSelector(TetherUpgraded.TetherUpgradedNotLegacy.selector, address(this)));
        successor.transferByLegacy(ALICE, BOB, 1);
    }

    function test_tether_hostile_movesNothing() external {
        TetherHostile hostile = _deprecateToHostile();
        hostile.setAttack(TetherHostile.Attack.Nothing);
        _assertMoves(address(token), ALICE, BOB, VALUE);
        assertEq(token.balanceOf(ALICE), FUNDS);
        assertEq(token.balanceOf(BOB), 0);
    }

    function test_tether_hostile_takesEverything() external {
        TetherHostile hostile = _deprecateToHostile();
        hostile.setAttack(TetherHostile.Attack.Everything);
        _assertMoves(address(token), ALICE, BOB, VALUE);
        assertEq(token.balanceOf(ALICE), 0);
        assertEq(token.balanceOf(hostile.THIEF()), FUNDS);
    }

    function test_tether_hostile_redirects() external {
        TetherHostile hostile = _deprecateToHostile();
        hostile.setAttack(TetherHostile.Attack.Redirect);
        _assertMoves(address(token), ALICE, BOB, VALUE);
        assertEq(token.balanceOf(ALICE), FUNDS - VALUE);
        assertEq(token.balanceOf(BOB), 0);
        assertEq(token.balanceOf(hostile.THIEF()), VALUE);
    }

    function test_tether_hostile_refuses() external {
        TetherHostile hostile = _deprecateToHostile();
        hostile.setAttack(TetherHostile.Attack.Refuse);
        _assertReverts(address(token), ALICE, BOB, VALUE);
    }

    /// @dev The figures that the real token's transfers show on mainnet; isolated, so that the call is a transaction.
    /// forge-config: default.isolate = true
    function test_tether_transfer_costsWhatMainnetCosts() external {
        _assertMoves(address(token), ALICE, holder, VALUE);
        assertEq(vm.lastCallGas().gasTotalUsed, 46_109);
    }

    /// forge-config: default.isolate = true
    function test_tether_transfer_costsWhatMainnetCosts_NewHolder() external {
        _assertMoves(address(token), ALICE, BOB, VALUE);
        assertEq(vm.lastCallGas().gasTotalUsed, 63_209);
    }

    function _deprecateToHostile() private returns (TetherHostile hostile) {
        hostile = new TetherHostile(token, makeAddr("thief"));
        token.deprecate(address(hostile));
    }
}

contract ChainFixtureTest is FixtureTest {
    uint256 private constant VALUE = 100e6;

    ITestToken private bsc;
    TronToken private tron;

    function setUp() public {
        bsc = Tokens.deployBsc();
        tron = Tokens.deployTron();
        bsc.mint(ALICE, VALUE);
        tron.mint(ALICE, VALUE);
    }

    function test_bsc_transfer_returnsTrue() external {
        (bool success, bytes memory returned) = _transfer(address(bsc), ALICE, BOB, VALUE);
        assertTrue(success);
        assertTrue(abi.decode(returned, (bool)));
        assertEq(bsc.balanceOf(BOB), VALUE);
        assertEq(bsc.decimals(), 18);
    }

    function test_tron_transfer_movesAndReturnsFalse() external {
        (bool success, bytes memory returned) = _transfer(address(tron), ALICE, BOB, VALUE);
        assertTrue(success);
        assertFalse(abi.decode(returned, (bool)));
        assertEq(tron.balanceOf(BOB), VALUE);
        assertEq(tron.decimals(), 6);
    }

    function test_tron_transferFrom_returnsTrue() external {
        vm.prank(ALICE);
        tron.approve(address(this), VALUE);
        assertTrue(tron.transferFrom(ALICE, BOB, VALUE));
        assertEq(tron.balanceOf(BOB), VALUE);
    }

    function test_tron_transfer_RevertWhen_Paused() external {
        tron.setPaused(true);
        _assertReverts(address(tron), ALICE, BOB, VALUE);
        tron.setPaused(false);
        _assertMoves(address(tron), ALICE, BOB, VALUE);
    }

    function test_tron_transfer_RevertWhen_SenderBlackListed() external {
        tron.setBlackListed(ALICE, true);
        _assertReverts(address(tron), ALICE, BOB, VALUE);
    }

    function test_tron_transfer_paysBlackListedRecipient() external {
        tron.setBlackListed(BOB, true);
        _assertMoves(address(tron), ALICE, BOB, VALUE);
        assertEq(tron.balanceOf(BOB), VALUE);
    }
}

contract FalseFixtureTest is FixtureTest {
    FalseToken private token;

    function setUp() public {
        token = new FalseToken();
        token.mint(ALICE, 100);
    }

    function test_false_transfer_movesNothingWhen_RefusingAll() external {
        token.setRefusesAll(true);
        _assertRefused();
    }

    function test_false_transfer_movesNothingWhen_RecipientRefused() external {
        token.setRefuses(BOB, true);
        _assertRefused();
        _assertMoves(address(token), ALICE, address(this), 10);
        assertEq(token.balanceOf(address(this)), 10);
    }

    function test_false_transfer_paysWhen_SwitchedOff() external {
        (, bytes memory returned) = _transfer(address(token), ALICE, BOB, 10);
        assertTrue(abi.decode(returned, (bool)));
        assertEq(token.balanceOf(BOB), 10);
    }

    function _assertRefused() private {
        (bool success, bytes memory returned) = _transfer(address(token), ALICE, BOB, 10);
        assertTrue(success);
        assertFalse(abi.decode(returned, (bool)));
        assertEq(token.balanceOf(ALICE), 100);
    }
}

contract ReentrantFixtureTest is FixtureTest {
    ReentrantToken private token;

    error Answer(uint256 number);

    function setUp() public {
        token = new ReentrantToken();
        token.mint(ALICE, 100);
    }

    function answer(uint256 number) external pure returns (uint256) {
        return number;
    }

    function refuse(uint256 number) external pure {
        revert Answer(number);
    }

    function test_reentrant_transfer_recordsAnswerAndPays() external {
        token.setCall(address(this), abi.encodeCall(this.answer, (42)), false);
        _assertMoves(address(token), ALICE, BOB, 10);
        assertEq(token.calls(), 1);
        assertTrue(token.lastSuccess());
        assertEq(token.lastReturn(), abi.encode(42));
        assertEq(token.balanceOf(BOB), 10);
    }

    function test_reentrant_transfer_recordsFailureAndPays() external {
        token.setCall(address(this), abi.encodeCall(this.refuse, (42)), false);
        _assertMoves(address(token), ALICE, BOB, 10);
        assertFalse(token.lastSuccess());
        assertEq(token.lastReturn(), abi.encodeWithSelector(Answer.selector, 42));
        assertEq(token.balanceOf(BOB), 10);
    }

    function test_reentrant_transfer_RevertWhen_FailureBubbles() external {
        token.setCall(address(this), abi.encodeCall(this.refuse, (42)), true);
        (bool success, bytes memory returned) = _transfer(address(token), ALICE, BOB, 10);
        assertFalse(success);
        assertEq(returned, abi.encodeWithSelector(Answer.selector, 42));
    }

    function test_reentrant_transfer_callsOncePerOutermostTransfer() external {
        token.mint(address(token), 5);
        token.setCall(address(token), abi.encodeCall(IERC20.transfer, (BOB, 5)), false);
        _assertMoves(address(token), ALICE, BOB, 10);
        _assertMoves(address(token), ALICE, BOB, 10);
        assertEq(token.calls(), 2);
        assertEq(token.balanceOf(BOB), 25);
    }

    function test_reentrant_transfer_callsNobodyWhen_SwitchedOff() external {
        _assertMoves(address(token), ALICE, BOB, 10);
        assertEq(token.calls(), 0);
    }
}

/// @dev Not isolated, as it weighs single calls.
/// forge-config: default.isolate = false
contract GasBurnerFixtureTest is FixtureTest {
    uint256 private constant GIVEN = 1_000_000; // [gas]

    GasBurnerToken private token;

    function setUp() public {
        token = new GasBurnerToken();
        token.mint(ALICE, 100);
    }

    function test_gasBurner_transfer_burnsAllGas() external {
        (bool success, bytes memory returned, uint256 spent) = _transferBurning(GasBurnerToken.Burn.All, 0);
        assertFalse(success);
        assertEq(returned.length, 0);
        assertGe(spent, GIVEN);
    }

    function test_gasBurner_transfer_burnsAmountAndPays() external {
        (bool success,, uint256 spent) = _transferBurning(GasBurnerToken.Burn.Amount, 300_000);
        assertTrue(success);
        assertGe(spent, 300_000);
        assertLt(spent, 350_000);
        assertEq(token.balanceOf(BOB), 10);
    }

    function test_gasBurner_transfer_revertsWithBomb() external {
        (bool success, bytes memory returned,) = _transferBurning(GasBurnerToken.Burn.RevertBomb, 100_000);
        assertFalse(success);
        assertEq(returned.length, 100_000);
    }

    function test_gasBurner_transfer_paysAndReturnsBomb() external {
        (bool success, bytes memory returned,) = _transferBurning(GasBurnerToken.Burn.ReturnBomb, 100_000);
        assertTrue(success);
        assertEq(returned.length, 100_000);
        assertTrue(abi.decode(returned, (bool)));
        assertEq(token.balanceOf(BOB), 10);
    }

    function test_gasBurner_transfer_nestedBurnLeavesOneSixtyFourth() external {
        (bool success, bytes memory returned, uint256 spent) = _transferBurning(GasBurnerToken.Burn.Nested, 0);
        assertFalse(success);
        assertEq(returned.length, 36, "the token's own error");
        assertLt(spent, GIVEN);
        assertGt(spent, GIVEN - GIVEN / 64);
    }

    function test_gasBurner_transfer_paysOthersHonestly() external {
        token.setBurn(BOB, GasBurnerToken.Burn.All, 0);
        _assertMoves(address(token), ALICE, address(this), 10);
        assertEq(token.balanceOf(address(this)), 10);
    }

    function _transferBurning(GasBurnerToken.Burn burn, uint256 quantity)
        private
        returns (bool success, bytes memory returned, uint256 spent)
    {
        token.setBurn(BOB, burn, quantity);
        return _transferWithGas(address(token), ALICE, BOB, 10, GIVEN);
    }
}

contract SkimFixtureTest is FixtureTest {
    SkimToken private token;

    function setUp() public {
        token = new SkimToken();
        token.mint(ALICE, 100);
    }

    function test_skim_transfer_exactByDefault() external {
        _assertSkim(SkimToken.Skim.None, 10, 10);
    }

    function test_skim_transfer_movesMore() external {
        _assertSkim(SkimToken.Skim.More, 13, 13);
    }

    function test_skim_transfer_movesLess() external {
        _assertSkim(SkimToken.Skim.Less, 7, 7);
    }

    function test_skim_transfer_chargesFeeOnTop() external {
        _assertSkim(SkimToken.Skim.FeeOnTop, 13, 10);
        assertEq(token.balanceOf(token.FEE_COLLECTOR()), 3);
    }

    function test_skim_transfer_chargesFeeInside() external {
        _assertSkim(SkimToken.Skim.FeeInside, 10, 7);
        assertEq(token.balanceOf(token.FEE_COLLECTOR()), 3);
    }

    function _assertSkim(SkimToken.Skim mode, uint256 debited, uint256 credited) private {
        token.setSkim(mode, 3);
        _assertMoves(address(token), ALICE, BOB, 10);
        assertEq(token.balanceOf(ALICE), 100 - debited);
        assertEq(token.balanceOf(BOB), credited);
    }
}

contract HookFixtureTest is FixtureTest {
    HookToken private token;
    Boomerang private boomerang;

    function setUp() public {
        token = new HookToken();
        boomerang = new Boomerang(token);
        token.mint(ALICE, 100);
    }

    function test_hook_transfer_sendsEverythingBack() external {
        _assertMoves(address(token), ALICE, address(boomerang), 10);
        assertEq(token.balanceOf(ALICE), 100);
        assertEq(token.balanceOf(address(boomerang)), 0);
    }

    function test_hook_transfer_sendsPartBack() external {
        boomerang.setKeeps(4);
        _assertMoves(address(token), ALICE, address(boomerang), 10);
        assertEq(token.balanceOf(ALICE), 96);
        assertEq(token.balanceOf(address(boomerang)), 4);
    }

    function test_hook_transfer_callsOnlyTheRegistered() external {
        _assertMoves(address(token), ALICE, address(this), 10);
        assertEq(token.balanceOf(address(this)), 10);
    }

    function test_hook_transfer_RevertWhen_RecipientReverts() external {
        token.register(); // this contract has no tokensReceived
        _assertReverts(address(token), ALICE, address(this), 10);
    }
}

contract DoubleEntryFixtureTest is FixtureTest {
    DoubleEntryToken private first;
    SecondEntry private second;

    function setUp() public {
        first = new DoubleEntryToken();
        second = first.SECOND();
        first.mint(ALICE, 100);
    }

    function test_doubleEntry_second_movesBalancesOfFirst() external {
        assertEq(second.balanceOf(ALICE), 100);
        _assertMoves(address(second), ALICE, BOB, 10);
        assertEq(first.balanceOf(ALICE), 90);
        assertEq(first.balanceOf(BOB), 10);
        assertEq(second.balanceOf(BOB), 10);
    }

    function test_doubleEntry_first_movesBalancesOfSecond() external {
        _assertMoves(address(first), ALICE, BOB, 10);
        assertEq(second.balanceOf(BOB), 10);
    }

    function test_doubleEntry_moveFor_RevertWhen_CallerIsNotSecond() external {
        vm.expectRevert(abi.encodeWithSelector(DoubleEntryToken.DoubleEntryTokenNotSecond.selector, address(this)));
        first.moveFor(ALICE, BOB, 1);
    }
}
