// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, ChangeKind, RecipientsChange, Refusal, Standing, State} from "../../src/types/VaultTypes.sol";
import {DeprecatedToken} from "../mocks/DearSuccessor.sol";
import {GasBurnerToken} from "../mocks/GasBurnerToken.sol";
import {ModeToken} from "../mocks/ModeToken.sol";
import {ProxyFrame, SlotToken} from "../mocks/SlotToken.sol";
import {ITestToken} from "../mocks/TestToken.sol";
import {AttackTest} from "./AttackTest.sol";

/// @notice Batches made to be paid twice, to be paid to nobody, or to stop others from being paid.
contract PaymentAttacks is AttackTest {
    /// @notice Empty and oversized batches: 1 to 256 payments, and as many bytes as they say.
    function test_attack27_emptyAndOversizedBatch() external {
        Batch memory b = header(0, 0, "");
        bytes[4] memory wrong = [bytes(""), payments(257, 1, 1), new bytes(47), new bytes(49)];
        uint16[4] memory counts = [uint16(0), 257, 0, 1];
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(keeper);
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultCountInvalid.selector, counts[i], wrong[i].length));
            vault.pay(orderOf(b), wrong[i]);
        }
        assertEq(pay(0, payments(256, 1, 1)), type(uint256).max, "the largest batch");
    }

    /// @notice Duplicates in a batch: equal payments have numbers of their own, and each is paid once.
    function test_attack27_duplicates() external {
        bytes memory packed = repeated(payee, 3, 100 * USDT);
        assertEq(pay(5, packed), 7, "paid mask");
        assertEq(usdt.balanceOf(payee), 300 * USDT, "paid");
        expectPayRevert(5, packed, _nothingToPay(5, packed));
        // A batch that overlaps it pays the one number that is new.
        assertEq(pay(6, packed), 4, "paid mask of the overlap");
        assertEq(usdt.balanceOf(payee), 400 * USDT, "paid in all");
    }

    function _nothingToPay(uint64 firstNumber, bytes memory packed) private view returns (bytes memory) {
        bytes32 id = vault.hashBatch(header(0, firstNumber, packed));
        return abi.encodeWithSelector(IVault.VaultNothingToPay.selector, id);
    }

    /// @notice A poisoned payment: whatever is wrong with one, the others are paid.
    function test_attack27_poisonedPayment() external {
        ModeToken token = new ModeToken();
        useToken(token);
        token.setRefuses(stranger, true);
        bytes memory packed = bytes.concat(
            payment(stranger, 100 * USDT, 0), // the token refuses
            payment(address(token), 100 * USDT, 1), // blocked
            payment(payee, 1001 * USDT, 2), // above the limit
            payment(payee, 0, 3), // nothing
            payment(payee, 500 * USDT, 4)
        );
        assertEq(pay(0, packed), 1 << 4, "paid mask");
        assertEq(token.balanceOf(payee), 500 * USDT, "paid");
        assertEq(vault.paidMask(0, 5), 1 << 4, "numbers");
    }

    /// @notice A gas-starved tail: a recipient that burns all gas stops its batch, and is left out of the next.
    function test_attack27_gasStarvedTail() external {
        GasBurnerToken token = new GasBurnerToken();
        useToken(token);
        token.setBurn(stranger, GasBurnerToken.Burn.All, 0);
        bytes memory packed = bytes.concat(payments(2, 1000 * USDT, 1), payment(stranger, 1000 * USDT, 2));
        (Batch memory b, bytes32 id) = readyBatch(1, UPPER, packed);
        vm.prank(keeper);
        (bool done,) = address(vault).call{gas: 5_000_000}(abi.encodeCall(IVault.execute, (orderOf(b), packed, 0)));
        assertFalse(done, "paid with a burner in the batch");
        assertEq(vault.paidMask(UPPER, 3), 0, "nothing is marked");
        vm.prank(keeper);
        assertEq(vault.execute{gas: 5_000_000}(orderOf(b), packed, 4), 3, "paid without the burner");
        assertState(id, State.Ready);
    }

    /// @notice Low gas to mark items failed: at every gas limit a batch is paid whole or not at all.
    function test_attack28_lowGas() external {
        GasBurnerToken token = new GasBurnerToken();
        useToken(token);
        // Greedy enough that the 64th part which a call leaves behind could finish the batch.
        token.setBurn(stranger, GasBurnerToken.Burn.Amount, 3_000_000);
        bytes memory packed = bytes.concat(payment(payee, 1000 * USDT, 0), payment(stranger, 1000 * USDT, 1));
        bytes memory data = abi.encodeCall(IVault.pay, (orderOf(header(0, 0, packed)), packed));
        (uint256 blamed, uint256 whole) = (0, 0);
        for (uint256 limit = 100_000; limit < 4_000_000; limit += 20_000) {
            uint256 state = vm.snapshotState();
            vm.prank(keeper);
            (bool done, bytes memory returned) = address(vault).call{gas: limit}(data);
            uint256 mask = vault.paidMask(0, 2);
            vm.revertToState(state);
            assertEq(mask, done ? 3 : 0, "paid in part");
            if (done) ++whole;
            else if (bytes4(returned) == IVault.VaultGasTooLow.selector) ++blamed;
        }
        assertGt(whole, 0, "never paid");
        assertGt(blamed, 0, "never short of gas");
    }

    /// @notice Low gas with tokens that create slots behind a frame: a failure is believed only if a million gas was there.
    function test_attack28_lowGasBehindAFrame() external {
        for (uint256 slots = 0; slots <= 4; ++slots) {
            ITestToken token = ITestToken(address(new ProxyFrame(address(new SlotToken()))));
            SlotToken(address(token)).setSlots(slots);
            useToken(token);
            _expectWholeAtAnyGas(payments(2, 1000 * USDT, slots));
        }
    }

    /// @notice The same with a token whose issuer deprecated it to a successor with dear transfers.
    function test_attack28_lowGasDearSuccessor() external {
        DeprecatedToken token = new DeprecatedToken();
        useToken(ITestToken(address(token)));
        _expectWholeAtAnyGas(payments(2, 1000 * USDT, 9));
    }

    function _expectWholeAtAnyGas(bytes memory packed) private {
        bytes memory data = abi.encodeCall(IVault.pay, (orderOf(header(0, 0, packed)), packed));
        (uint256 blamed, uint256 whole) = (0, 0);
        for (uint256 limit = 60_000; limit <= 2_000_000; limit += 5000) {
            uint256 state = vm.snapshotState();
            vm.prank(keeper);
            (bool done, bytes memory returned) = address(vault).call{gas: limit}(data);
            uint256 mask = vault.paidMask(0, 2);
            vm.revertToState(state);
            assertEq(mask, done ? 3 : 0, "paid in part");
            assertNotEq(bytes4(returned), IVault.VaultNothingPaid.selector, "blamed on the token");
            if (done) ++whole;
            else if (bytes4(returned) == IVault.VaultGasTooLow.selector) ++blamed;
        }
        assertGt(whole, 0, "never paid");
        assertGt(blamed, 0, "never short of gas");
    }

    /// @notice Double pay through retry: the number decides, whatever header or verb carries it.
    function test_attack29_doublePayThroughRetry() external {
        bytes memory packed = payment(payee, 900 * USDT, 7);
        (Batch memory one, bytes32 first) = readyBatch(1, 77, packed);
        Batch memory two = header(1, 77, packed);
        two.context = "again";
        bytes32 second = proposeAndApprove(two, packed, 2);
        skip(1 hours);
        assertEq(pay(77, packed), 1, "paid mask");
        expectPayRevert(77, packed, _nothingToPay(77, packed));
        assertEq(execute(one, packed), 0, "paid mask of the first retry");
        assertEq(execute(two, packed), 0, "paid mask of the second retry");
        assertState(first, State.Executed);
        expectExecuteRevert(two, packed, stateInvalid(second, State.Executed));
        assertEq(usdt.balanceOf(payee), 900 * USDT, "paid in all");
        assertEq(vault.headroom(1), 500_000 * USDT, "a retry charges nothing");
    }

    /// @notice Recipient blocked after approval: not paid, though everything else was in order.
    function test_attack30_recipientBlockedAfterApproval() external {
        bytes memory packed = bytes.concat(payment(payee, 20_000 * USDT, 0), payment(known, 50_000 * USDT, 1));
        (Batch memory b, bytes32 id) = readyBatch(1, UPPER, packed);
        vm.prank(guardian);
        vault.blockRecipient(payee);
        vm.expectEmit(address(vault));
        emit IVault.PaymentRefused(id, UPPER, Refusal.BlockedRecipient);
        assertEq(execute(b, packed), 2, "paid mask");
        assertEq(usdt.balanceOf(payee), 0, "loot");
        expectExecuteRevert(
            b,
            packed,
            abi.encodeWithSelector(
                IVault.VaultPaymentRefused.selector, 0, payee, 20_000 * USDT, 0, Refusal.BlockedRecipient
            )
        );
    }

    /// @notice Recipient on the token's blacklist after approval: the others are paid, and it can be tried again.
    function test_attack30_tokenRefusesRecipientAfterApproval() external {
        ModeToken token = new ModeToken();
        useToken(token);
        bytes memory packed = bytes.concat(payment(payee, 20_000 * USDT, 0), payment(known, 50_000 * USDT, 1));
        (Batch memory b, bytes32 id) = readyBatch(1, UPPER, packed);
        token.setRefuses(payee, true);
        vm.expectEmit(address(vault));
        emit IVault.PaymentFailed(id, UPPER, ModeToken.ModeTokenRefused.selector);
        assertEq(execute(b, packed), 2, "paid mask");
        assertEq(vault.headroom(1), 450_000 * USDT, "headroom");
        assertState(id, State.Ready);
        token.setRefuses(payee, false);
        assertEq(execute(b, packed), 1, "paid mask of the retry");
        assertState(id, State.Executed);
        assertEq(token.balanceOf(payee), 20_000 * USDT, "paid once");
    }

    /// @notice Payments to zero, the vault or the token: blocked from birth, and no quorum can make them known.
    function test_attack33_paymentsToNowhere() external {
        address[] memory nowhere = addresses(address(0), address(vault), address(usdt));
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory packed = payment(nowhere[i], 1, 0);
            bytes memory refused = abi.encodeWithSelector(
                IVault.VaultPaymentRefused.selector, 0, nowhere[i], 1, 0, Refusal.BlockedRecipient
            );
            expectPayRevert(0, packed, refused);
            Batch memory b = header(2, UPPER, packed);
            vm.prank(alice);
            vm.expectRevert(refused);
            vault.propose(orderOf(b), packed);
            bytes memory change = abi.encode(
                RecipientsChange(addresses(nowhere[i]), Standing.Blocked, Standing.Known, nonce(), expiry())
            );
            expectProposalRevert(
                ChangeKind.Recipients, change, abi.encodeWithSelector(IVault.VaultAddressInvalid.selector, nowhere[i])
            );
        }
    }

    /// @notice A keeper burning the numbers of pending proposals: the upper half is out of its reach.
    function test_attack48_burningNumbers() external {
        bytes memory packed = payment(known, 50_000 * USDT, 0);
        (Batch memory b, bytes32 id) = readyBatch(1, UPPER, packed);
        bytes memory dust = payments(1, 1, 1);
        expectPayRevert(UPPER, dust, abi.encodeWithSelector(IVault.VaultNumberOutOfRange.selector, UPPER, 1, UPPER));
        dust = payments(2, 1, 1);
        expectPayRevert(
            UPPER - 1, dust, abi.encodeWithSelector(IVault.VaultNumberOutOfRange.selector, UPPER - 1, 2, UPPER)
        );
        assertEq(pay(UPPER - 2, dust), 3, "the last numbers that are the keeper's");
        assertEq(execute(b, packed), 1, "paid mask");
        assertState(id, State.Executed);
    }

    /// @notice A stale automatic transaction mined late: it dies with its header.
    function test_attack49_staleTransaction() external {
        bytes memory packed = payment(payee, 1000 * USDT, 0);
        Batch memory b = header(0, 0, packed);
        vm.warp(b.expiresAt);
        vm.prank(keeper);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultExpired.selector, b.expiresAt, b.expiresAt));
        vault.pay(orderOf(b), packed);
        vm.warp(b.expiresAt - 1);
        vm.prank(keeper);
        assertEq(vault.pay(orderOf(b), packed), 1, "paid mask");
    }
}
