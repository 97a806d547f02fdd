// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title PackedPayments
/// @notice Payments as they travel in calldata and logs: 48 bytes each, 20 recipient, 12 amount, 16 ref.
library PackedPayments {
    /// @notice Bytes of one packed payment.
    uint256 internal constant SIZE = 48;

    /// @notice Recipient and amount [base units] of payment `i`. The caller has checked that `i` lies within `payments`.
    /// @dev Slicing calldata in Solidity checks bounds four times a payment; a test holds this equal to that.
    function item(bytes calldata payments, uint256 i) internal pure returns (address recipient, uint256 amount) {
        assembly ("memory-safe") {
            let start := add(payments.offset, mul(i, 48))
            recipient := shr(96, calldataload(start))
            amount := shr(160, calldataload(add(start, 20)))
        }
    }

    /// @notice Whether `payments` are `count` payments, 1 to 256.
    function isCount(bytes calldata payments, uint256 count) internal pure returns (bool) {
        unchecked {
            return count - 1 < 256 && payments.length == count * SIZE; // 0 - 1 is not below 256
        }
    }

    /// @notice Hash that a header commits to.
    /// @dev `keccak256(payments)` without allocating a copy.
    function hash(bytes calldata payments) internal pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, payments.offset, payments.length)
            digest := keccak256(free, payments.length)
        }
    }
}
