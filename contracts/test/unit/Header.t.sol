// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, State} from "../../src/types/VaultTypes.sol";
import {PaymentTest} from "./PaymentTest.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @notice A header must describe its payments: what `pay` and `propose` check alike.
abstract contract HeaderTest is PaymentTest {
    function tierIndex() internal pure virtual returns (uint8);

    /// @notice First number that the verb may not use.
    function numbersEnd() internal pure virtual returns (uint256);

    /// @notice Who may send, and the call.
    function sender() internal view virtual returns (address);
    function sending(Batch memory b, bytes memory packed) internal pure virtual returns (bytes memory);

    function assertAccepted(Batch memory b) internal view virtual;

    // ── Count ────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_header_acceptsOnePayment() external {
        _assertCountAccepted(1);
    }

    function test_header_accepts256Payments() external {
        _assertCountAccepted(256);
    }

    function test_header_RevertWhen_Empty() external {
        _assertCountRefused(header(tierIndex(), 1, ""), "");
    }

    function test_header_RevertWhen_257Payments() external {
        bytes memory packed = payments(257, UNIT, 1);
        _assertCountRefused(header(tierIndex(), 1, packed), packed);
    }

    function test_header_RevertWhen_CountIsNotThatOfThePayments() external {
        bytes memory packed = payments(3, UNIT, 1);
        Batch memory b = header(tierIndex(), 1, packed);
        uint16[5] memory wrong = [0, 2, 4, 256, type(uint16).max];
        for (uint256 i = 0; i < wrong.length; ++i) {
            b.count = wrong[i];
            _assertCountRefused(b, packed);
        }
    }

    function test_header_RevertWhen_PaymentsAreAByteOff() external {
        bytes memory packed = payments(2, UNIT, 1);
        Batch memory b = header(tierIndex(), 1, packed);
        _assertCountRefused(b, bytes.concat(packed, hex"00"));
        assembly ("memory-safe") {
            mstore(packed, sub(mload(packed), 1))
        }
        _assertCountRefused(b, packed);
    }

    // ── Numbers ──────────────────────────────────────────────────────────────────────────────────────────────────

    function test_header_acceptsTheLastNumbers() external {
        _assertNumberAccepted(numbersEnd() - 1, 1);
        _assertNumberAccepted(numbersEnd() - 257, 256);
    }

    function test_header_acceptsNumberZero() external {
        _assertNumberAccepted(0, 2);
    }

    function test_header_RevertWhen_NumbersRunPastTheEnd() external {
        _assertNumberRefused(numbersEnd() - 1, 2);
        _assertNumberRefused(numbersEnd() - 255, 256);
        _assertNumberRefused(type(uint64).max, 2);
    }

    // ── Recipient ────────────────────────────────────────────────────────────────────────────────────────────────

    function test_header_RevertWhen_RecipientIsNotTheSolePayee() external {
        bytes memory packed = payment(payee, UNIT, 1);
        Batch memory b = header(tierIndex(), 1, packed);
        address[2] memory wrong = [address(0), known];
        for (uint256 i = 0; i < wrong.length; ++i) {
            b.recipient = wrong[i];
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultRecipientMismatch.selector, wrong[i], payee));
            send(b, packed);
        }
    }

    function test_header_RevertWhen_RecipientNamedAmongSeveral() external {
        bytes memory packed = bytes.concat(payment(payee, UNIT, 1), payment(payee, UNIT, 2));
        Batch memory b = header(tierIndex(), 1, packed);
        b.recipient = payee;
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultRecipientMismatch.selector, payee, address(0)));
        send(b, packed);
    }

    // ── Hash and total ───────────────────────────────────────────────────────────────────────────────────────────

    /// @dev Recipients, amounts and refs: the hash commits to all of them.
    function testFuzz_header_RevertWhen_OneBitOfThePaymentsDiffers(uint256 bit) external {
        bytes memory packed = payments(3, UNIT, 1);
        Batch memory b = header(tierIndex(), 1, packed);
        bit = bound(bit, 0, packed.length * 8 - 1);
        packed[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        vm.expectRevert(
            abi.encodeWithSelector(IVault.VaultPaymentsHashMismatch.selector, b.paymentsHash, keccak256(packed))
        );
        send(b, packed);
    }

    function test_header_RevertWhen_TotalIsABaseUnitOff() external {
        bytes memory packed = payments(3, UNIT, 1);
        Batch memory b = header(tierIndex(), 1, packed);
        uint128[3] memory wrong = [3 * UNIT - 1, 3 * UNIT + 1, 0];
        for (uint256 i = 0; i < wrong.length; ++i) {
            b.total = wrong[i];
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultTotalMismatch.selector, wrong[i], 3 * UNIT));
            send(b, packed);
        }
    }

    /// @dev The total is that of the header's payments, whether or not they fit the tier.
    function test_header_RevertWhen_TotalLeavesOutWhatDoesNotFit() external {
        bytes memory packed = bytes.concat(payment(payee, UNIT, 1), payment(address(0), 5 * UNIT, 2));
        Batch memory b = header(tierIndex(), 1, packed);
        b.total = UNIT;
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTotalMismatch.selector, UNIT, 6 * UNIT));
        send(b, packed);
    }

    // ── Encoding ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev A field is never cut down to its type: what is hashed is what is paid.
    function test_header_RevertWhen_FieldIsWiderThanItsType() external {
        bytes memory packed = payment(payee, UNIT, 1);
        bytes memory call = sending(header(tierIndex(), 1, packed), packed);
        for (uint256 field = 0; field < 6; ++field) {
            call[4 + 32 * field] = 0x01;
            assertReverts(sender(), call, "");
            call[4 + 32 * field] = 0x00;
        }
    }

    function send(Batch memory b, bytes memory packed) internal {
        bytes memory call = sending(b, packed);
        vm.prank(sender());
        Address.functionCall(address(vault), call);
    }

    function _assertCountAccepted(uint256 count) private {
        bytes memory packed = payments(count, UNIT, 1);
        Batch memory b = header(tierIndex(), 1, packed);
        send(b, packed);
        assertAccepted(b);
    }

    function _assertCountRefused(Batch memory b, bytes memory packed) private {
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultCountInvalid.selector, b.count, packed.length));
        send(b, packed);
    }

    function _assertNumberAccepted(uint256 first, uint256 count) private {
        bytes memory packed = payments(count, UNIT, first);
        Batch memory b = header(tierIndex(), uint64(first), packed);
        send(b, packed);
        assertAccepted(b);
    }

    function _assertNumberRefused(uint256 first, uint256 count) private {
        bytes memory packed = payments(count, UNIT, 1);
        Batch memory b = header(tierIndex(), uint64(first), packed);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNumberOutOfRange.selector, first, count, numbersEnd()));
        send(b, packed);
    }
}

contract PayHeaderTest is HeaderTest {
    function tierIndex() internal pure override returns (uint8) {
        return 0;
    }

    function numbersEnd() internal pure override returns (uint256) {
        return 1 << 63;
    }

    function sender() internal view override returns (address) {
        return keeper;
    }

    function sending(Batch memory b, bytes memory packed) internal pure override returns (bytes memory) {
        return abi.encodeCall(IVault.pay, (orderOf(b), packed));
    }

    function assertAccepted(Batch memory b) internal view override {
        assertEq(vault.paidMask(b.firstNumber, b.count), type(uint256).max >> (256 - b.count));
    }

    /// @dev The upper half is for proposals: a stolen keeper's key cannot use it up.
    function test_pay_RevertWhen_NumberBelongsToProposals() external {
        bytes memory packed = payment(payee, UNIT, 1);
        Batch memory b = header(0, 1 << 63, packed);
        vm.expectRevert(
            abi.encodeWithSelector(IVault.VaultNumberOutOfRange.selector, uint256(1) << 63, 1, uint256(1) << 63)
        );
        send(b, packed);
    }
}

contract ProposeHeaderTest is HeaderTest {
    function tierIndex() internal pure override returns (uint8) {
        return 1;
    }

    function numbersEnd() internal pure override returns (uint256) {
        return 1 << 64;
    }

    function sender() internal view override returns (address) {
        return proposer;
    }

    function sending(Batch memory b, bytes memory packed) internal pure override returns (bytes memory) {
        return abi.encodeCall(IVault.propose, (orderOf(b), packed));
    }

    function assertAccepted(Batch memory b) internal view override {
        assertState(vault.hashBatch(b), State.Proposed);
    }

    /// @dev Both halves of the numbers, in one batch too.
    function test_propose_takesNumbersOfBothHalves() external {
        bytes memory packed = payments(2, UNIT, 1);
        Batch memory b = header(1, (1 << 63) - 1, packed);
        send(b, packed);
        assertAccepted(b);
    }
}
