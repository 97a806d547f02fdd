// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Bits
/// @notice Fields of a packed word. The vault's small records are one word each, read and written once per call.
library Bits {
    /// @notice The field of `width` bits that starts at bit `start`.
    function get(uint256 word, uint256 start, uint256 width) internal pure returns (uint256) {
        unchecked {
            return (word >> start) & ((1 << width) - 1);
        }
    }

    /// @notice The word with that field replaced. Values are range-checked where they enter the vault.
    function set(uint256 word, uint256 start, uint256 width, uint256 value) internal pure returns (uint256) {
        unchecked {
            uint256 mask = (1 << width) - 1;
            return (word & ~(mask << start)) | ((value & mask) << start);
        }
    }
}
