// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../interfaces/IVault.sol";
import {Order} from "../types/VaultTypes.sol";

/// @title BatchLog
/// @notice The two events that carry a batch.
/// @dev Plainly `emit BatchPaid(id, order, paidMask, payments)` and `emit BatchProposed(id, proposer, order, payments)`, to which
/// tests hold them; the compiler's encoding of what already lies encoded in calldata costs three times as much.
library BatchLog {
    /// @notice Emits `IVault.BatchPaid`.
    function paid(bytes32 id, Order calldata order, uint256 paidMask, bytes calldata payments) internal {
        bytes32 topic = IVault.BatchPaid.selector;
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, order, 0x40)
            mstore(add(free, 0x40), paidMask)
            mstore(add(free, 0x60), 0x80) // where the payments begin
            mstore(add(free, 0x80), payments.length)
            mstore(add(add(free, 0xa0), payments.length), 0) // padding
            calldatacopy(add(free, 0xa0), payments.offset, payments.length)
            log2(free, add(0xa0, and(add(payments.length, 31), not(31))), topic, id)
        }
    }

    /// @notice Emits `IVault.BatchProposed`.
    function proposed(bytes32 id, address proposer, Order calldata order, bytes calldata payments) internal {
        bytes32 topic = IVault.BatchProposed.selector;
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, order, 0x40)
            mstore(add(free, 0x40), 0x60) // where the payments begin
            mstore(add(free, 0x60), payments.length)
            mstore(add(add(free, 0x80), payments.length), 0) // padding
            calldatacopy(add(free, 0x80), payments.offset, payments.length)
            log3(free, add(0x80, and(add(payments.length, 31), not(31))), topic, id, proposer)
        }
    }
}
