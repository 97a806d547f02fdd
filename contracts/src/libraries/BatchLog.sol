// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../interfaces/IVault.sol";
import {Order} from "../types/VaultTypes.sol";

/// @title BatchLog
/// @notice The two events that carry a batch.
/// @dev Plainly `emit BatchPaid(id, order, paidMask, payments)` and `emit BatchProposed(id, proposer, order, payments)`, to which
/// tests hold them; the compiler's encoding of what already lies encoded in calldata costs three times as much. The order's
/// fields are within their types: the id was derived from it.
library BatchLog {
    /// @notice Emits `IVault.BatchPaid`.
    function paid(bytes32 id, Order calldata order, uint256 paidMask, bytes calldata payments) internal {
        bytes32 topic = IVault.BatchPaid.selector;
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, order, 0x80)
            mstore(add(free, 0x80), paidMask)
            mstore(add(free, 0xa0), 0xc0) // where the payments begin
            mstore(add(free, 0xc0), payments.length)
            mstore(add(add(free, 0xe0), payments.length), 0) // padding
            calldatacopy(add(free, 0xe0), payments.offset, payments.length)
            log2(free, add(0xe0, and(add(payments.length, 31), not(31))), topic, id)
        }
    }

    /// @notice Emits `IVault.BatchProposed`.
    function proposed(bytes32 id, address proposer, Order calldata order, bytes calldata payments) internal {
        bytes32 topic = IVault.BatchProposed.selector;
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, order, 0x80)
            mstore(add(free, 0x80), 0xa0) // where the payments begin
            mstore(add(free, 0xa0), payments.length)
            mstore(add(add(free, 0xc0), payments.length), 0) // padding
            calldatacopy(add(free, 0xc0), payments.offset, payments.length)
            log3(free, add(0xc0, and(add(payments.length, 31), not(31))), topic, id, proposer)
        }
    }
}
