// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title NumberBitmap
/// @notice Which payment numbers are paid: one bit each, 256 to a word. Bits are only ever set for good by a payment.
/// @dev A run of up to 256 consecutive numbers touches at most two words. Bit `i` of a mask is number `first + i`.
library NumberBitmap {
    /// @notice The mask of a run of `count` numbers, 1 to 256.
    function full(uint256 count) internal pure returns (uint256) {
        unchecked {
            return type(uint256).max >> (256 - count);
        }
    }

    /// @notice Unpaid numbers among `first .. first + count - 1`.
    function unpaid(mapping(uint256 word => uint256 bits) storage numbers, uint256 first, uint256 count)
        internal
        view
        returns (uint256)
    {
        unchecked {
            (uint256 word, uint256 shift) = (first >> 8, first & 0xff);
            uint256 paid = numbers[word] >> shift;
            if (shift + count > 256) paid |= numbers[word + 1] << (256 - shift);
            return ~paid & full(count);
        }
    }

    /// @notice Sets the bits of `mask`, the others stay.
    function set(mapping(uint256 word => uint256 bits) storage numbers, uint256 first, uint256 mask) internal {
        unchecked {
            (uint256 word, uint256 shift) = (first >> 8, first & 0xff);
            if (mask << shift != 0) numbers[word] |= mask << shift;
            uint256 high = (mask >> 1) >> (255 - shift); // by 256 - shift, which may be 256
            if (high != 0) numbers[word + 1] |= high;
        }
    }

    /// @notice Clears the bits of `mask`: only for payments that this very call marked and that then failed.
    function unset(mapping(uint256 word => uint256 bits) storage numbers, uint256 first, uint256 mask) internal {
        unchecked {
            (uint256 word, uint256 shift) = (first >> 8, first & 0xff);
            numbers[word] &= ~(mask << shift);
            uint256 high = (mask >> 1) >> (255 - shift);
            if (high != 0) numbers[word + 1] &= ~high;
        }
    }
}
