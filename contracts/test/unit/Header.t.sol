// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, State} from "../../src/types/VaultTypes.sol";
import {PaymentTest} from "./PaymentTest.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// @notice The header that payments and order come to: what `pay` and `propose` check alike.
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

    // ── What is derived ──────────────────────────────────────────────────────────────────────────────────────────

    /// @dev Count, total, sole recipient and hash follow from the payments: what is sent has the id of its header.
    function testFuzz_header_isDerived(uint256 count, uint256 salt, uint64 first, uint40 life, bytes32 context)
        external
    {
        bytes memory packed = payments(bound(count, 1, 256), UNIT, salt >> 1);
        Batch memory b = header(tierIndex(), uint64(bound(first, 0, numbersEnd() - 256)), packed);
        b.expiresAt = uint40(bound(life, clock() + SETTLE + 1 hours, clock() + MAX_LIFE));
        b.context = context;
        send(b, packed);
        assertAccepted(b);
    }

    /// @dev Of several payments none is the sole payee, though all are to one.
    function test_header_namesNobodyAmongSeveral() external {
        bytes memory packed = bytes.concat(payment(payee, UNIT, 1), payment(payee, UNIT, 2));
        Batch memory b = header(tierIndex(), 1, packed);
        assertEq(b.recipient, address(0));
        send(b, packed);
        assertAccepted(b);
    }

    // ── Encoding ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev What lies beyond the head's 14 bytes is never cut off: what is logged is what is hashed.
    function test_header_RevertWhen_HeadIsWiderThanItsType() external {
        bytes memory packed = payment(payee, UNIT, 1);
        bytes memory call = sending(header(tierIndex(), 1, packed), packed);
        for (uint256 i = 14; i < 32; ++i) {
            call[4 + 32 + i] = 0x01; // behind the selector and the context
            assertReverts(sender(), call, "");
            call[4 + 32 + i] = 0x00;
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
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultCountInvalid.selector, packed.length / 48, packed.length));
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

    /// @dev The id in the event is that of the derived header.
    function test_pay_logsTheIdOfTheHeader() external {
        bytes[2] memory lists = [payment(payee, UNIT, 1), payments(3, UNIT, 1)];
        for (uint64 i = 0; i < 2; ++i) {
            Batch memory b = header(0, 10 * i, lists[i]);
            bytes32 id = vault.hashBatch(b);
            vm.expectEmit(address(vault));
            emit IVault.BatchPaid(id, orderOf(b), type(uint256).max >> (256 - b.count), lists[i]);
            send(b, lists[i]);
        }
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
