// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, Tier} from "../../src/types/VaultTypes.sol";
import {PaymentTest} from "./PaymentTest.sol";

/// @notice Money leaves by `pay` and by `execute`: tests of what both do alike are written once, against this.
abstract contract ReleaseTest is PaymentTest {
    /// @notice The tier that batches are paid under.
    function tierIndex() internal pure virtual returns (uint8);

    /// @notice A batch that the keeper may pay now.
    function prepare(uint64 firstNumber, bytes memory packed) internal virtual returns (Batch memory b, bytes32 id);

    /// @notice The keeper's call that pays it.
    function releasing(Batch memory b, bytes memory packed) internal pure virtual returns (bytes memory);

    /// @notice The event of the verb when money left.
    function paidEvent() internal pure virtual returns (bytes32 selector);

    /// @notice Emits that event as the vault must.
    function emitPaid(bytes32 id, Batch memory b, bytes memory packed, uint256 mask, uint256 total) internal virtual;

    function release(Batch memory b, bytes memory packed) internal returns (uint256 paidMask) {
        bytes memory call = releasing(b, packed);
        vm.prank(keeper);
        (bool succeeded, bytes memory returned) = address(vault).call(call);
        if (!succeeded) {
            assembly ("memory-safe") {
                revert(add(returned, 0x20), mload(returned))
            }
        }
        return abi.decode(returned, (uint256));
    }

    function expectPaid(Batch memory b, bytes memory packed, uint256 mask, uint256 total) internal {
        bytes32 id = vault.hashBatch(b);
        vm.expectEmit(address(vault));
        emitPaid(id, b, packed, mask, total);
    }

    function expectCapExceeded(uint256 requested, uint256 headroom) internal {
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultCapExceeded.selector, tierIndex(), requested, headroom));
    }

    function row() internal view returns (Tier memory) {
        return vault.tier(tierIndex());
    }

    function assertPaidMask(Batch memory b, uint256 mask) internal view {
        assertEq(vault.paidMask(b.firstNumber, b.count), mask, "paid numbers");
    }

    /// @notice What was charged to the tier within the window, in base units.
    function charged() internal view returns (uint256) {
        return row().cap - vault.headroom(tierIndex());
    }
}

/// @notice Releases automatic batches by `pay`.
abstract contract ByPay is ReleaseTest {
    function tierIndex() internal pure override returns (uint8) {
        return 0;
    }

    function prepare(uint64 firstNumber, bytes memory packed) internal view override returns (Batch memory b, bytes32) {
        b = header(0, firstNumber, packed);
        return (b, vault.hashBatch(b));
    }

    function releasing(Batch memory b, bytes memory packed) internal pure override returns (bytes memory) {
        return abi.encodeCall(IVault.pay, (orderOf(b), packed));
    }

    function paidEvent() internal pure override returns (bytes32) {
        return IVault.BatchPaid.selector;
    }

    function emitPaid(bytes32 id, Batch memory b, bytes memory packed, uint256 mask, uint256) internal override {
        emit IVault.BatchPaid(id, orderOf(b), mask, packed);
    }
}

/// @notice Releases approved batches by `execute`.
abstract contract ByExecute is ReleaseTest {
    function tierIndex() internal pure override returns (uint8) {
        return 1;
    }

    function prepare(uint64 firstNumber, bytes memory packed) internal override returns (Batch memory, bytes32) {
        return readyBatch(1, firstNumber, packed);
    }

    function releasing(Batch memory b, bytes memory packed) internal pure override returns (bytes memory) {
        return abi.encodeCall(IVault.execute, (orderOf(b), packed, 0));
    }

    function paidEvent() internal pure override returns (bytes32) {
        return IVault.BatchExecuted.selector;
    }

    function emitPaid(bytes32 id, Batch memory b, bytes memory, uint256 mask, uint256 total) internal override {
        emit IVault.BatchExecuted(id, b.firstNumber, mask, total);
    }
}
