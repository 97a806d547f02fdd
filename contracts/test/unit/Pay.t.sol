// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, Refusal, Role, State, Tier} from "../../src/types/VaultTypes.sol";
import {PaymentTest} from "./PaymentTest.sol";

/// @notice `pay`: the keeper alone, automatic tiers alone, before the header's end, each number once.
contract PayTest is PaymentTest {
    // ── Who and when ─────────────────────────────────────────────────────────────────────────────────────────────

    function test_pay_RevertWhen_CallerIsNotKeeper() external {
        bytes memory packed = payment(payee, UNIT, 1);
        bytes memory call = abi.encodeCall(IVault.pay, (orderOf(header(0, 1, packed)), packed));
        assertOnly(addresses(keeper), call, IVault.VaultNotKeeper.selector);
        assertFalse(vault.isPaid(1));
    }

    function test_pay_RevertWhen_KeepersTimeIsOver() external {
        bytes memory packed = payment(payee, UNIT, 1);
        vm.warp(START + 365 days - 1);
        pay(1, packed);
        vm.warp(START + 365 days);
        Batch memory b = header(0, 2, packed);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotKeeper.selector, keeper));
        vm.prank(keeper);
        vault.pay(orderOf(b), packed);
    }

    function test_pay_RevertWhen_RoleRevoked() external {
        bytes memory packed = payment(payee, UNIT, 1);
        Batch memory b = header(0, 1, packed);
        vm.prank(guardian);
        vault.revokeRole(keeper, Role.Keeper);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotKeeper.selector, keeper));
        vm.prank(keeper);
        vault.pay(orderOf(b), packed);
    }

    function test_pay_RevertWhen_Expired() external {
        bytes memory packed = payment(payee, UNIT, 1);
        Batch memory b = header(0, 1, packed);
        vm.warp(b.expiresAt);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultExpired.selector, b.expiresAt, b.expiresAt));
        _pay(b, packed);
        vm.warp(b.expiresAt - 1);
        assertEq(_pay(b, packed), 1);
    }

    /// @dev Life is bounded for proposals, which wait for people; a keeper's batch may state any end.
    function test_pay_takesAnyEnd() external {
        bytes memory packed = payment(payee, UNIT, 1);
        Batch memory b = header(0, 1, packed);
        b.expiresAt = uint40(clock()) + 1;
        assertEq(_pay(b, packed), 1);
        b.firstNumber = 2;
        b.expiresAt = type(uint40).max;
        assertEq(_pay(b, packed), 1);
    }

    // ── Tiers ────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_pay_RevertWhen_TierIsNotAutomatic() external {
        bytes memory packed = payment(payee, UNIT, 1);
        uint8[5] memory tiers = [1, 2, 3, 4, 255];
        for (uint256 i = 0; i < tiers.length; ++i) {
            Batch memory b = header(tiers[i], 1, packed);
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierNotAutomatic.selector, tiers[i]));
            _pay(b, packed);
        }
    }

    function test_pay_RevertWhen_TierNeedsOnlyDelayOrOnlyApprovals() external {
        Tier[] memory t = standardTiers();
        (t[1].approvals, t[1].delay) = (0, 1);
        useTiers(t);
        bytes memory packed = payment(payee, UNIT, 1);
        Batch memory b = header(1, 1, packed);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierNotAutomatic.selector, 1));
        _pay(b, packed);

        (t[1].approvals, t[1].delay) = (1, 0);
        useTiers(t);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierNotAutomatic.selector, 1));
        _pay(b, packed);
    }

    function test_pay_paysUnderSecondAutomaticTier() external {
        Tier[] memory t = standardTiers();
        (t[1].approvals, t[1].delay) = (0, 0);
        useTiers(t);
        bytes memory packed = payment(payee, t[1].maxUnknown, 1);
        assertEq(_pay(header(1, 1, packed), packed), 1);
        assertEq(vault.headroom(0), t[0].cap);
        assertEq(vault.headroom(1), t[1].cap - t[1].maxUnknown);
        packed = payment(payee, t[1].maxUnknown + 1, 2);
        _expectRefused(0, payee, t[1].maxUnknown + 1, t[1].maxUnknown, Refusal.AboveLimit);
        _pay(header(1, 2, packed), packed);
    }

    // ── Limits ───────────────────────────────────────────────────────────────────────────────────────────────────

    function test_pay_paysUpToTheLimitOfEachStanding() external {
        assertEq(pay(1, payment(known, 10_000 * USDT, 1)), 1);
        assertEq(pay(2, payment(payee, 1000 * USDT, 1)), 1);
        assertEq(usdt.balanceOf(known), 10_000 * USDT);
        assertEq(usdt.balanceOf(payee), 1000 * USDT);
    }

    function test_pay_RevertWhen_AboveTheLimitByABaseUnit() external {
        _assertRefused(known, 10_000 * USDT + 1, 10_000 * USDT, Refusal.AboveLimit);
        _assertRefused(payee, 1000 * USDT + 1, 1000 * USDT, Refusal.AboveLimit);
        _assertRefused(payee, type(uint96).max, 1000 * USDT, Refusal.AboveLimit);
    }

    function test_pay_RevertWhen_AmountIsZero() external {
        _assertRefused(known, 0, 10_000 * USDT, Refusal.ZeroAmount);
        _assertRefused(payee, 0, 1000 * USDT, Refusal.ZeroAmount);
    }

    function test_pay_RevertWhen_RecipientIsNeverPaid() external {
        address[3] memory never = [address(0), address(vault), address(usdt)];
        for (uint256 i = 0; i < never.length; ++i) {
            _assertRefused(never[i], UNIT, 0, Refusal.BlockedRecipient);
        }
        _assertRefused(address(0), 0, 0, Refusal.BlockedRecipient);
    }

    function test_pay_reportsEachRefusal() external {
        bytes memory packed = bytes.concat(
            payment(payee, 1000 * USDT + 1, 1),
            payment(payee, 1000 * USDT, 2),
            payment(known, 0, 3),
            payment(address(vault), 1, 4)
        );
        Batch memory b = header(0, 90, packed);
        bytes32 id = vault.hashBatch(b);
        Refusal[4] memory refusals = [Refusal.AboveLimit, Refusal.None, Refusal.ZeroAmount, Refusal.BlockedRecipient];
        for (uint64 i = 0; i < 4; ++i) {
            if (refusals[i] == Refusal.None) continue;
            vm.expectEmit(address(vault));
            emit IVault.PaymentRefused(id, 90 + i, refusals[i]);
        }
        vm.expectEmit(address(vault));
        emit IVault.BatchPaid(id, orderOf(b), 2, packed);
        assertEq(_pay(b, packed), 2);
        assertEq(vault.headroom(0), 99_000 * USDT);
    }

    /// @dev With several refused, the error names the first.
    function test_pay_RevertWhen_AllRefused() external {
        bytes memory packed = bytes.concat(payment(known, 0, 1), payment(address(0), UNIT, 2));
        _expectRefused(0, known, 0, 10_000 * USDT, Refusal.ZeroAmount);
        _pay(header(0, 1, packed), packed);
    }

    // ── Numbers ──────────────────────────────────────────────────────────────────────────────────────────────────

    function test_pay_RevertWhen_AllPaid() external {
        bytes memory packed = payments(3, UNIT, 1);
        Batch memory b = header(0, 5, packed);
        bytes32 id = vault.hashBatch(b);
        _pay(b, packed);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNothingToPay.selector, id));
        _pay(b, packed);
        assertEq(vault.headroom(0), 100_000 * USDT - 3 * UNIT);
    }

    /// @dev Another header, another recipient: a paid number stays paid.
    function test_pay_RevertWhen_NumberIsPaid() external {
        pay(5, payment(payee, UNIT, 1));
        bytes memory packed = payment(known, UNIT, 2);
        Batch memory b = header(0, 5, packed);
        b.context = "another";
        bytes32 id = vault.hashBatch(b);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNothingToPay.selector, id));
        _pay(b, packed);
    }

    function test_pay_leavesNoProposalBehind() external {
        bytes memory packed = payment(payee, UNIT, 1);
        Batch memory b = header(0, 1, packed);
        _pay(b, packed);
        assertState(vault.hashBatch(b), State.None);
    }

    function test_paidMask_RevertWhen_CountOutOfRange() external {
        assertEq(vault.paidMask(7, 256), 0);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultCountInvalid.selector, 0, 0));
        vault.paidMask(7, 0);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultCountInvalid.selector, 257, 0));
        vault.paidMask(7, 257);
    }

    function test_isPaid_knowsEachNumber() external {
        pay(256, payments(2, UNIT, 1));
        assertFalse(vault.isPaid(255));
        assertTrue(vault.isPaid(256));
        assertTrue(vault.isPaid(257));
        assertFalse(vault.isPaid(258));
        assertFalse(vault.isPaid(0));
    }

    function _pay(Batch memory b, bytes memory packed) private returns (uint256) {
        vm.prank(keeper);
        return vault.pay(orderOf(b), packed);
    }

    function _assertRefused(address recipient, uint256 amount, uint256 limit, Refusal refusal) private {
        bytes memory packed = payment(recipient, amount, 1);
        _expectRefused(0, recipient, amount, limit, refusal);
        _pay(header(0, 3, packed), packed);
        assertFalse(vault.isPaid(3));
    }

    function _expectRefused(uint256 i, address recipient, uint256 amount, uint256 limit, Refusal refusal) private {
        vm.expectRevert(
            abi.encodeWithSelector(IVault.VaultPaymentRefused.selector, i, recipient, amount, limit, refusal)
        );
    }
}
