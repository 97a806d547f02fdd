// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {TokenCall} from "../../src/libraries/TokenCall.sol";
import {Batch} from "../../src/types/VaultTypes.sol";
import {FalseToken} from "../mocks/FalseToken.sol";
import {Boomerang, HookToken} from "../mocks/HookToken.sol";
import {ReentrantToken} from "../mocks/ReentrantToken.sol";
import {SkimToken} from "../mocks/SkimToken.sol";
import {TetherHostile} from "../mocks/TetherHostile.sol";
import {TronToken} from "../mocks/TronToken.sol";
import {ByExecute, ByPay, ByPayBySig, ReleaseTest} from "./ReleaseTest.sol";

/// @notice What `pay`, `payBySig` and `execute` do alike when the token refuses, lies or takes a fee.
abstract contract ReleaseTokenTest is ReleaseTest {
    // ── The token refuses some ───────────────────────────────────────────────────────────────────────────────────

    function test_release_reportsFailedAndPaysTheRest() external {
        HookToken token = _useHookToken();
        bytes memory packed = payments(3, 2 * UNIT, 1);
        (Batch memory b, bytes32 id) = prepare(254, packed);
        _refuse(token, recipientAt(1, 1));

        _expectFailed(id, 255, 0);
        expectPaid(b, packed, 5, 4 * UNIT);
        assertEq(release(b, packed), 5);
        assertPaidMask(b, 5);
        assertEq(charged(), 4 * UNIT, "the failed one is not charged");
        assertEq(token.balanceOf(address(vault)), FUNDS - 4 * UNIT);
        assertEq(token.balanceOf(recipientAt(1, 1)), 0);
    }

    function test_release_paysFailedOnceTheTokenTakesThem() external {
        HookToken token = _useHookToken();
        bytes memory packed = payments(3, 2 * UNIT, 1);
        (Batch memory b,) = prepare(254, packed);
        _refuse(token, recipientAt(1, 2));
        release(b, packed);
        vm.etch(recipientAt(1, 2), hex"00"); // now takes calls
        expectPaid(b, packed, 4, 2 * UNIT);
        assertEq(release(b, packed), 4);
        assertPaidMask(b, 7);
        assertEq(token.balanceOf(recipientAt(1, 0)), 2 * UNIT, "paid once");
        assertEq(token.balanceOf(recipientAt(1, 2)), 2 * UNIT);
    }

    /// @dev Failed payments hold cap while the others are tried, and give it back.
    function test_release_RevertWhen_FailingPaymentsDoNotFitTheCap() external {
        HookToken token = _useHookToken();
        uint256 count = row().cap / row().maxUnknown;
        bytes memory packed = payments(count + 1, row().maxUnknown, 1);
        (Batch memory b,) = prepare(1, packed);
        _refuse(token, recipientAt(1, 0));
        expectCapExceeded(row().cap + row().maxUnknown, row().cap);
        release(b, packed);
    }

    function test_release_RevertWhen_NothingPaid() external {
        HookToken token = _useHookToken();
        bytes memory packed = payments(2, UNIT, 1);
        (Batch memory b, bytes32 id) = prepare(1, packed);
        _refuse(token, recipientAt(1, 0));
        _refuse(token, recipientAt(1, 1));
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNothingPaid.selector, id, bytes32(0)));
        release(b, packed);
        assertPaidMask(b, 0);
        assertEq(charged(), 0);
    }

    /// @dev Four bytes of the token's answer, padded; and the first 32 of 36.
    function test_release_RevertWhen_NothingPaid_quotesTheToken() external {
        TronToken token = new TronToken();
        useToken(token);
        bytes memory packed = payments(2, UNIT, 1);
        (Batch memory b, bytes32 id) = prepare(1, packed);
        bytes4 nothingPaid = IVault.VaultNothingPaid.selector;
        token.setPaused(true);
        bytes32 quote = bytes32(TronToken.TronTokenPaused.selector);
        assertReverts(keeper, releasing(b, packed), abi.encodeWithSelector(nothingPaid, id, quote));

        token.setPaused(false);
        token.setBlackListed(address(vault), true);
        quote = bytes32(abi.encodeWithSelector(TronToken.TronTokenBlackListed.selector, address(vault)));
        assertTrue(quote << 32 != 0);
        assertReverts(keeper, releasing(b, packed), abi.encodeWithSelector(nothingPaid, id, quote));

        token.setBlackListed(address(vault), false);
        assertEq(release(b, packed), 3);
    }

    function test_release_reportQuotesTheToken() external {
        ReentrantToken token = new ReentrantToken();
        useToken(token);
        bytes memory packed = payments(2, UNIT, 1);
        (Batch memory b, bytes32 id) = prepare(1, packed);
        token.setCall(address(this), abi.encodeCall(this.refuseSecond, ()), true);
        _expectFailed(id, 2, bytes32(abi.encodeWithSelector(Refused.selector, type(uint256).max)));
        expectPaid(b, packed, 1, UNIT);
        assertEq(release(b, packed), 1);
    }

    error Refused(uint256 reason);

    function refuseSecond() external view {
        if (usdt.balanceOf(recipientAt(1, 0)) != 0) revert Refused(type(uint256).max);
    }

    // ── The token lies ───────────────────────────────────────────────────────────────────────────────────────────

    /// @dev On Tron the money moves and the answer is false.
    function test_release_paysWhen_TokenAnswersFalse() external {
        useToken(new TronToken());
        bytes memory packed = payments(2, UNIT, 1);
        (Batch memory b,) = prepare(1, packed);
        assertEq(release(b, packed), 3);
        assertEq(usdt.balanceOf(recipientAt(1, 0)), UNIT);
        assertEq(usdt.balanceOf(recipientAt(1, 1)), UNIT);
    }

    function test_release_RevertWhen_TokenMovesNothingWithoutReverting() external {
        FalseToken token = new FalseToken();
        useToken(token);
        bytes memory packed = payments(2, UNIT, 1);
        (Batch memory b,) = prepare(1, packed);
        token.setRefuses(recipientAt(1, 1), true);
        _expectMismatch(FUNDS - 2 * UNIT, FUNDS - UNIT);
        release(b, packed);
        token.setRefuses(recipientAt(1, 1), false);
        assertEq(release(b, packed), 3);
    }

    function test_release_RevertWhen_TokenTakesAnotherSum() external {
        SkimToken token = new SkimToken();
        useToken(token);
        bytes memory packed = payments(2, UNIT, 1);
        (Batch memory b,) = prepare(1, packed);
        SkimToken.Skim[3] memory modes = [SkimToken.Skim.More, SkimToken.Skim.FeeOnTop, SkimToken.Skim.Less];
        for (uint256 i = 0; i < 3; ++i) {
            token.setSkim(modes[i], 1);
            _expectMismatch(
                FUNDS - 2 * UNIT, modes[i] == SkimToken.Skim.Less ? FUNDS - 2 * UNIT + 2 : FUNDS - 2 * UNIT - 2
            );
            release(b, packed);
        }
        token.setSkim(SkimToken.Skim.None, 1);
        assertEq(release(b, packed), 3);
    }

    function test_release_RevertWhen_RecipientSendsBack() external {
        HookToken token = _useHookToken();
        Boomerang boomerang = new Boomerang(token);
        bytes memory packed = bytes.concat(payment(payee, UNIT, 1), payment(address(boomerang), UNIT, 2));
        (Batch memory b,) = prepare(1, packed);
        boomerang.setKeeps(UNIT - 1);
        _expectMismatch(FUNDS - 2 * UNIT, FUNDS - 2 * UNIT + 1);
        release(b, packed);
        boomerang.setKeeps(UNIT);
        assertEq(release(b, packed), 3);
    }

    function test_release_RevertWhen_TokenIsReplacedByAHostileOne() external {
        bytes memory packed = payments(2, UNIT, 1);
        (Batch memory b, bytes32 id) = prepare(1, packed);
        TetherHostile hostile = new TetherHostile(usdt, makeAddr("thief"));
        usdt.deprecate(address(hostile));
        hostile.setAttack(TetherHostile.Attack.Nothing);
        _expectMismatch(FUNDS - 2 * UNIT, FUNDS);
        release(b, packed);
        hostile.setAttack(TetherHostile.Attack.Everything);
        _expectMismatch(FUNDS - 2 * UNIT, 0);
        release(b, packed);
        hostile.setAttack(TetherHostile.Attack.Refuse);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNothingPaid.selector, id, bytes32(0)));
        release(b, packed);
        assertPaidMask(b, 0);
        assertEq(charged(), 0);
    }

    function test_release_RevertWhen_BalanceUnreadable() external {
        bytes memory packed = payments(2, UNIT, 1);
        (Batch memory b,) = prepare(1, packed);
        usdt.deprecate(makeAddr("no contract"));
        vm.expectRevert(abi.encodeWithSelector(TokenCall.TokenBalanceUnreadable.selector, address(usdt)));
        release(b, packed);
    }

    // ── The token takes a fee ────────────────────────────────────────────────────────────────────────────────────

    function test_release_losesExactlyTheAmountWhen_FeeTaken() external {
        usdt.setParams(10, 5); // 0.1 %, at most 5 USDT
        bytes memory packed = bytes.concat(payment(payee, 500 * USDT, 1), payment(known, 7000 * USDT, 2));
        (Batch memory b,) = prepare(1, packed);
        uint256 ownerHad = usdt.balanceOf(address(this));
        assertEq(release(b, packed), 3);
        assertEq(usdt.balanceOf(address(vault)), FUNDS - 7500 * USDT);
        assertEq(usdt.balanceOf(payee), 500 * USDT - USDT / 2);
        assertEq(usdt.balanceOf(known), 6995 * USDT);
        assertEq(usdt.balanceOf(address(this)) - ownerHad, 5 * USDT + USDT / 2);
        assertEq(charged(), 7500 * USDT);
    }

    function test_release_paysWhen_FeeGoesElsewhere() external {
        SkimToken token = new SkimToken();
        useToken(token);
        bytes memory packed = payments(2, UNIT, 1);
        (Batch memory b,) = prepare(1, packed);
        token.setSkim(SkimToken.Skim.FeeInside, 3);
        assertEq(release(b, packed), 3);
        assertEq(token.balanceOf(address(vault)), FUNDS - 2 * UNIT);
        assertEq(token.balanceOf(recipientAt(1, 1)), UNIT - 3);
    }

    // ── Effects come before the token ────────────────────────────────────────────────────────────────────────────

    function test_release_tokenFindsNumbersAndCapTaken() external {
        ReentrantToken token = new ReentrantToken();
        useToken(token);
        bytes memory packed = payments(2, UNIT, 1);
        (Batch memory b,) = prepare(77, packed);
        bytes memory ask = abi.encodeCall(IVault.paidMask, (77, 2));
        token.setCall(address(vault), ask, true);
        release(b, packed);
        assertEq(token.lastReturn(), abi.encode(3));

        (b,) = prepare(79, packed);
        token.setCall(address(vault), abi.encodeCall(IVault.headroom, (tierIndex())), true);
        release(b, packed);
        assertEq(token.lastReturn(), abi.encode(row().cap - 4 * UNIT));
    }

    function _useHookToken() private returns (HookToken token) {
        token = new HookToken();
        useToken(token);
    }

    /// @dev The token calls a recipient that has no code, and reverts.
    function _refuse(HookToken token, address recipient) private {
        vm.prank(recipient);
        token.register();
    }

    function _expectFailed(bytes32 id, uint64 number, bytes32 returned) private {
        vm.expectEmit(address(vault));
        emit IVault.PaymentFailed(id, number, returned);
    }

    function _expectMismatch(uint256 expected, uint256 actual) private {
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultBalanceMismatch.selector, expected, actual));
    }
}

contract PayTokenTest is ReleaseTokenTest, ByPay {}

contract PayBySigTokenTest is ReleaseTokenTest, ByPayBySig {}

contract ExecuteTokenTest is ReleaseTokenTest, ByExecute {}
