// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, Role, State} from "../../src/types/VaultTypes.sol";
import {HookToken} from "../mocks/HookToken.sol";
import {PaymentTest} from "./PaymentTest.sol";

/// @notice `execute`: keeper or signer, from ready to expiry, what was approved, as often as payments are open.
contract ExecuteTest is PaymentTest {
    bytes private packed = payments(4, 5 * UNIT, 1);

    // ── Who ──────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_execute_byKeeper() external {
        _assertExecutes(keeper);
    }

    function test_execute_bySigner() external {
        _assertExecutes(carol);
    }

    function test_execute_RevertWhen_CallerIsNeitherKeeperNorSigner() external {
        (Batch memory b,) = readyBatch(1, 100, packed);
        bytes memory call = abi.encodeCall(IVault.execute, (orderOf(b), packed, 0));
        assertOnly(addresses(keeper, alice), call, IVault.VaultNotExecutor.selector);
        assertEq(vault.paidMask(100, 4), 0);
    }

    function test_execute_RevertWhen_KeepersTimeIsOver() external {
        vm.warp(START + 365 days - 1 hours - 1);
        (Batch memory b,) = readyBatch(1, 100, packed);
        assertEq(clock(), START + 365 days - 1);
        assertEq(_execute(keeper, b, 14), 1);
        skip(1);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotExecutor.selector, keeper));
        _execute(keeper, b, 0);
        assertEq(_execute(alice, b, 0), 14);
    }

    function test_execute_RevertWhen_KeeperRevokedOrSignerRemoved() external {
        changeSigners(addresses(alice, bob, stranger), 2);
        Batch memory b = header(1, 100, packed);
        proposeAs(alice, b, packed);
        approveAs(bob, b);
        skip(1 hours);
        vm.prank(guardian);
        vault.revokeRole(keeper, Role.Keeper);
        address[2] memory former = [keeper, carol];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotExecutor.selector, former[i]));
            _execute(former[i], b, 0);
        }
        assertEq(_execute(stranger, b, 0), 15);
    }

    // ── When ─────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_execute_RevertWhen_NotYetReady() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = vault.hashBatch(b);
        _assertStateInvalid(b, id, State.None);
        proposeAs(alice, b, packed);
        skip(1 days);
        _assertStateInvalid(b, id, State.Proposed);
        approveAs(bob, b);
        _assertStateInvalid(b, id, State.Queued);
        skip(1 hours - 1);
        _assertStateInvalid(b, id, State.Queued);
        skip(1);
        assertEq(execute(b, packed), 15);
    }

    function test_execute_RevertWhen_Expired() external {
        (Batch memory b, bytes32 id) = readyBatch(1, 100, packed);
        vm.warp(b.expiresAt - 1);
        assertEq(_execute(keeper, b, 14), 1);
        vm.warp(b.expiresAt);
        _assertStateInvalid(b, id, State.Expired);
        assertEq(vault.paidMask(100, 4), 1);
    }

    function test_execute_RevertWhen_Executed() external {
        (Batch memory b, bytes32 id) = readyBatch(1, 100, packed);
        execute(b, packed);
        _assertStateInvalid(b, id, State.Executed);
        vm.warp(b.expiresAt);
        assertState(id, State.Executed);
    }

    function test_execute_RevertWhen_Cancelled() external {
        (Batch memory b, bytes32 id) = readyBatch(1, 100, packed);
        cancelAs(guardian, id);
        _assertStateInvalid(b, id, State.Cancelled);
    }

    // ── What ─────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_execute_RevertWhen_PaymentsAreNotTheApproved() external {
        (Batch memory b,) = readyBatch(1, 100, packed);
        bytes[3] memory other = [payments(4, 5 * UNIT, 2), payments(5, 5 * UNIT, 1), payments(1, 5 * UNIT, 1)];
        for (uint256 i = 0; i < 3; ++i) {
            Batch memory unknown = header(1, 100, other[i]);
            unknown.expiresAt = b.expiresAt;
            expectStateInvalid(vault.hashBatch(unknown), State.None);
            execute(b, other[i]);
        }
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultCountInvalid.selector, 0, 0));
        execute(b, "");
    }

    /// @dev A ready batch lends its approvals to no other header.
    function test_execute_RevertWhen_HeaderIsNotTheApproved() external {
        (Batch memory b,) = readyBatch(1, 100, packed);
        bytes memory other = payments(4, 6 * UNIT, 1);
        Batch[3] memory headers = [header(1, 100, other), header(2, 100, packed), header(1, 104, packed)];
        for (uint256 i = 0; i < 3; ++i) {
            headers[i].expiresAt = b.expiresAt;
            expectStateInvalid(vault.hashBatch(headers[i]), State.None);
            execute(headers[i], i == 0 ? other : packed);
        }
    }

    // ── Skipping ─────────────────────────────────────────────────────────────────────────────────────────────────

    function test_execute_skipsAndComesBack() external {
        (Batch memory b, bytes32 id) = readyBatch(1, 100, packed);
        _expectPaid(b, id, 5, 10 * UNIT);
        assertEq(_execute(keeper, b, 10), 5);
        assertState(id, State.Ready);
        assertEq(vault.paidMask(100, 4), 5);
        assertEq(vault.headroom(1), 500_000 * USDT - 10 * UNIT);

        _expectPaid(b, id, 10, 10 * UNIT);
        assertEq(_execute(bob, b, 5), 10);
        assertState(id, State.Executed);
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(usdt.balanceOf(recipientAt(1, i)), 5 * UNIT);
        }
    }

    /// @dev A skipped payment is left alone, so it is not reported though it would be refused.
    function test_execute_saysNothingOfTheSkipped() external {
        (Batch memory b, bytes32 id) = readyBatch(1, 100, packed);
        blockAs(guardian, recipientAt(1, 3));
        vm.recordLogs();
        assertEq(_execute(keeper, b, 8), 7);
        assertEvents(events(IVault.BatchExecuted.selector));
        assertState(id, State.Ready);
    }

    /// @notice What is skipped or paid costs no look at its recipient: a retry of one payment is not the price of all.
    function test_execute_readsNothingOfTheSkipped() external {
        bytes memory many = payments(100, 1000 * USDT, 1);
        (Batch memory b,) = readyBatch(1, 1 << 63, many);
        vm.record();
        vm.prank(keeper);
        assertEq(vault.execute(orderOf(b), many, type(uint256).max - 1), 1, "paid mask");
        (bytes32[] memory reads,) = vm.accesses(address(vault));
        assertLt(reads.length, 50, "slots read");
    }

    function test_execute_ignoresSkipBitsBeyondTheBatch() external {
        (Batch memory b, bytes32 id) = readyBatch(1, 100, packed);
        assertEq(_execute(keeper, b, ~uint256(15)), 15);
        assertState(id, State.Executed);
    }

    function test_execute_RevertWhen_EverythingSkipped() external {
        (Batch memory b, bytes32 id) = readyBatch(1, 100, packed);
        uint256[2] memory masks = [uint256(15), type(uint256).max];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultNothingToPay.selector, id));
            _execute(keeper, b, masks[i]);
        }
    }

    function test_execute_RevertWhen_EverythingOpenIsSkipped() external {
        (Batch memory b, bytes32 id) = readyBatch(1, 100, packed);
        _execute(keeper, b, 12);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNothingToPay.selector, id));
        _execute(keeper, b, 12);
    }

    function test_execute_skipMakesItFitTheCap() external {
        bytes memory large;
        for (uint256 i = 0; i < 6; ++i) {
            large = bytes.concat(large, payment(known, 100_000 * USDT, i));
        }
        (Batch memory b, bytes32 id) = readyBatch(1, 100, large);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultCapExceeded.selector, 1, 600_000 * USDT, 500_000 * USDT));
        execute(b, large);
        vm.prank(keeper);
        assertEq(vault.execute(orderOf(b), large, 1), 62);
        skip(SETTLE);
        assertEq(execute(b, large), 1);
        assertState(id, State.Executed);
    }

    // ── Paid elsewhere, refused, failed ──────────────────────────────────────────────────────────────────────────

    function test_execute_endsWhenTheRestIsPaidElsewhere() external {
        (Batch memory b, bytes32 id) = readyBatch(1, 100, packed);
        pay(101, payment(payee, UNIT, 1));
        _expectPaid(b, id, 13, 15 * UNIT);
        assertEq(execute(b, packed), 13);
        assertState(id, State.Executed);
        assertEq(usdt.balanceOf(recipientAt(1, 1)), 0);
    }

    /// @dev Nothing is left to pay, so nothing leaves, and neither skipping nor a freeze matters.
    function test_execute_endsWithoutPayingWhenAllIsPaidElsewhere() external {
        (Batch memory b, bytes32 id) = readyBatch(1, 100, packed);
        pay(100, payments(4, UNIT, 9));
        freezeAs(guardian);
        vm.recordLogs();
        _expectPaid(b, id, 0, 0);
        assertEq(_execute(keeper, b, type(uint256).max), 0);
        assertEvents(events(IVault.BatchExecuted.selector));
        assertState(id, State.Executed);
        assertEq(vault.headroom(1), 500_000 * USDT);
    }

    /// @dev Of two proposals for the same number the first paid wins.
    function test_execute_firstPaidWins() external {
        (Batch memory a,) = readyBatch(1, 100, packed);
        bytes memory other = payments(4, 7 * UNIT, 2);
        (Batch memory b, bytes32 id) = readyBatch(2, 100, other);
        execute(a, packed);
        assertEq(execute(b, other), 0);
        assertState(id, State.Executed);
        assertEq(usdt.balanceOf(recipientAt(2, 0)), 0);
    }

    function test_execute_staysReadyWhileAPaymentIsRefused() external {
        (Batch memory b, bytes32 id) = readyBatch(1, 100, packed);
        blockAs(guardian, recipientAt(1, 0));
        assertEq(execute(b, packed), 14);
        assertState(id, State.Ready);
        assertFalse(vault.isPaid(100));
    }

    function test_execute_staysReadyWhileAPaymentFails() external {
        HookToken token = new HookToken();
        useToken(token);
        (Batch memory b, bytes32 id) = readyBatch(1, 100, packed);
        vm.prank(recipientAt(1, 0));
        token.register();
        assertEq(execute(b, packed), 14);
        assertState(id, State.Ready);
        assertEq(vault.headroom(1), 500_000 * USDT - 15 * UNIT);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNothingPaid.selector, id, bytes32(0)));
        execute(b, packed);

        vm.etch(recipientAt(1, 0), hex"00");
        assertEq(execute(b, packed), 1);
        assertState(id, State.Executed);
        assertEq(token.balanceOf(address(vault)), FUNDS - 20 * UNIT);
    }

    function test_execute_paysTheUpperHalfOfTheNumbers() external {
        uint64 first = type(uint64).max - 3;
        (Batch memory b,) = readyBatch(1, first, packed);
        assertEq(execute(b, packed), 15);
        assertTrue(vault.isPaid(type(uint64).max));
        assertEq(vault.paidMask(first, 4), 15);
        assertFalse(vault.isPaid(0));
    }

    function _assertExecutes(address caller) private {
        (Batch memory b, bytes32 id) = readyBatch(1, 100, packed);
        vm.recordLogs();
        _expectPaid(b, id, 15, 20 * UNIT);
        assertEq(_execute(caller, b, 0), 15);
        assertEvents(events(IVault.BatchExecuted.selector));
        assertState(id, State.Executed);
        assertEq(usdt.balanceOf(address(vault)), FUNDS - 20 * UNIT);
    }

    function _assertStateInvalid(Batch memory b, bytes32 id, State state) private {
        expectStateInvalid(id, state);
        execute(b, packed);
    }

    function _execute(address caller, Batch memory b, uint256 skipMask) private returns (uint256) {
        vm.prank(caller);
        return vault.execute(orderOf(b), packed, skipMask);
    }

    function _expectPaid(Batch memory b, bytes32 id, uint256 mask, uint256 total) private {
        vm.expectEmit(address(vault));
        emit IVault.BatchExecuted(id, b.firstNumber, mask, total);
    }
}
