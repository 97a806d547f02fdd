// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {NumberBitmap} from "../../src/libraries/NumberBitmap.sol";
import {Proof} from "./Proof.sol";

/// @title NumberBitmapProofs
/// @notice Each bit by itself: what a run of numbers does to the number `first + i`, and to one outside the run.
contract NumberBitmapProofs is Proof {
    using NumberBitmap for mapping(uint256 => uint256);

    uint256 private constant WORD = 7_031_250; // of the first number
    mapping(uint256 word => uint256 bits) private numbers;

    /// @notice `set` marks exactly the numbers of the mask.
    /// @custom:bounds any mask and earlier bits; first numbers at place 0, 1, 127, 128, 254 and 255 of a word
    function check_set_marksTheMask(uint256[4] calldata words, uint256 mask, uint256 place, uint256 i) external {
        uint256 first = _store(words, place);
        numbers.set(first, mask);
        _assertBits(words, first, i, mask, 0);
    }

    /// @notice `unset` clears exactly the numbers of the mask.
    /// @custom:bounds any mask and earlier bits; first numbers at place 0, 1, 127, 128, 254 and 255 of a word
    function check_unset_clearsTheMask(uint256[4] calldata words, uint256 mask, uint256 place, uint256 i) external {
        uint256 first = _store(words, place);
        numbers.unset(first, mask);
        _assertBits(words, first, i, 0, mask);
    }

    /// @notice `unpaid` tells of each number of the run whether it is unset, and nothing of others.
    /// @custom:bounds any earlier bits; runs of 1 to 256; first numbers at place 0, 1, 127, 128, 254 and 255 of a word
    function check_unpaid_isWhatIsNotSet(uint256[4] calldata words, uint256 count, uint256 place, uint256 i) external {
        uint256 first = _store(words, place);
        assume(count - 1 < 256 && i < 256);
        uint256 unpaid = numbers.unpaid(first, count);
        bool expected = i < count && !_wasSet(words, (first & 0xff) + 256 + i);
        assert(((unpaid >> i) & 1 == 1) == expected);
    }

    /// @dev Stores four words, of which the second holds the first number.
    function _store(uint256[4] calldata words, uint256 place) private returns (uint256 first) {
        for (uint256 k = 0; k < 4; ++k) {
            numbers[WORD - 1 + k] = words[k];
        }
        return WORD * 256 + [uint256(0), 1, 127, 128, 254, 255][split(place, 6)];
    }

    /// @dev Bit `i` of the four words is set if it was or is of `marked`, unless it is of `cleared`.
    function _assertBits(uint256[4] calldata words, uint256 first, uint256 i, uint256 marked, uint256 cleared)
        private
        view
    {
        assume(i < 1024);
        uint256 start = (first & 0xff) + 256;
        bool expected = _wasSet(words, i);
        if (i >= start && i < start + 256) {
            if ((marked >> (i - start)) & 1 == 1) expected = true;
            if ((cleared >> (i - start)) & 1 == 1) expected = false;
        }
        uint256 word = numbers[WORD - 1 + split(i >> 8, 4)];
        assert(((word >> (i & 0xff)) & 1 == 1) == expected);
    }

    function _wasSet(uint256[4] calldata words, uint256 i) private pure returns (bool) {
        return (words[split(i >> 8, 4)] >> (i & 0xff)) & 1 == 1;
    }
}
