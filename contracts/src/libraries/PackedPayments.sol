// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Standing} from "../types/VaultTypes.sol";

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

    /// @notice Of the payments in `tries` those that fit their recipient's limit with their sum, and the sum of all. [base units]
    /// @dev Plainly, for each payment `i`: `total += amount; if (tries has i && amount != 0 && amount <= limit) { fits += i;
    /// sum += amount; }`, where `limit` is the lower, the upper or no half of `limits` for a standing of 0, 1 or 2. A test holds
    /// it equal to that. The loop runs once a payment in every call that pays.
    /// @param limits Largest payment to a recipient of standing 1, and in the lower 128 bits of standing 0. [base units]
    /// @param standings Standing of each recipient.
    function fitting(
        bytes calldata payments,
        uint256 tries,
        uint256 limits,
        mapping(address recipient => Standing) storage standings
    ) internal view returns (uint256 fits, uint256 sum, uint256 total) {
        assembly ("memory-safe") {
            mstore(0x20, standings.slot)
            let end := add(payments.offset, payments.length)
            let bit := 1
            for { let cursor := payments.offset } lt(cursor, end) { cursor := add(cursor, 48) } {
                let amount := shr(160, calldataload(add(cursor, 20)))
                total := add(total, amount) // 256 amounts of 96 bits
                if and(tries, bit) {
                    mstore(0x00, shr(96, calldataload(cursor)))
                    let limit := shr(shl(7, and(sload(keccak256(0x00, 0x40)), 0xff)), limits)
                    // An amount of zero wraps to the largest, which no limit takes.
                    if lt(sub(amount, 1), and(limit, 0xffffffffffffffffffffffffffffffff)) {
                        fits := or(fits, bit)
                        sum := add(sum, amount)
                    }
                }
                bit := shl(1, bit)
            }
        }
    }
}
