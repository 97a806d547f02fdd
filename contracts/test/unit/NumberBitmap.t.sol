// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {NumberBitmap} from "../../src/libraries/NumberBitmap.sol";
import {Test} from "forge-std/Test.sol";

contract NumberBitmapTest is Test {
    using NumberBitmap for mapping(uint256 => uint256);

    mapping(uint256 word => uint256 bits) private numbers;
    mapping(uint256 number => bool paid) private twin;

    function test_full_masksCount() external pure {
        assertEq(NumberBitmap.full(1), 1);
        assertEq(NumberBitmap.full(2), 3);
        assertEq(NumberBitmap.full(255), type(uint256).max >> 1);
        assertEq(NumberBitmap.full(256), type(uint256).max);
    }

    function test_set_oneNumber() external {
        numbers.set(1000, 1);
        assertEq(numbers[3], 1 << 232);
        assertEq(numbers.unpaid(1000, 1), 0);
        assertEq(numbers.unpaid(999, 3), 5);
    }

    function test_set_acrossWords() external {
        numbers.set(255, 7);
        assertEq(numbers[0], 1 << 255);
        assertEq(numbers[1], 3);
        assertEq(numbers[2], 0);
        assertEq(numbers.unpaid(254, 5), 17);
    }

    function test_set_wholeWords() external {
        numbers.set(256, type(uint256).max);
        assertEq(numbers[0], 0);
        assertEq(numbers[1], type(uint256).max);
        assertEq(numbers[2], 0);
        numbers.set(513, type(uint256).max);
        assertEq(numbers[2], type(uint256).max << 1);
        assertEq(numbers[3], 1);
    }

    function test_set_atTheLastNumbers() external {
        uint256 first = type(uint64).max - 255;
        numbers.set(first, type(uint256).max);
        assertEq(numbers[first >> 8], type(uint256).max);
        assertEq(numbers[(first >> 8) + 1], 0);
        assertEq(numbers.unpaid(first, 256), 0);
        assertEq(numbers.unpaid(first - 1, 256), 1);
    }

    function test_unset_leavesNeighbours() external {
        numbers.set(200, type(uint256).max);
        numbers.unset(255, 3);
        assertEq(numbers.unpaid(200, 256), 3 << 55);
        numbers.unset(200, type(uint256).max);
        assertEq(numbers[0], 0);
        assertEq(numbers[1], 0);
    }

    /// @dev Overlapping runs, set and partly taken back, agree with one flag per number, read anywhere
    /// around them.
    function testFuzz_bitmap_agreesWithTwin(uint256[3] memory firsts, uint256[3] memory masks, uint256 taken) external {
        uint256 base = bound(firsts[0], 0, type(uint64).max - 1024);
        for (uint256 i = 0; i < 3; ++i) {
            uint256 first = base + firsts[i] % 600;
            numbers.set(first, masks[i]);
            for (uint256 k = 0; k < 256; ++k) {
                if ((masks[i] >> k) & 1 == 1) twin[first + k] = true;
            }
        }
        uint256 last = base + firsts[2] % 600;
        taken &= masks[2];
        numbers.unset(last, taken);
        for (uint256 k = 0; k < 256; ++k) {
            if ((taken >> k) & 1 == 1) twin[last + k] = false;
        }
        uint256 from = base + taken % 900;
        uint256 unpaid = numbers.unpaid(from, 256);
        for (uint256 k = 0; k < 256; ++k) {
            assertEq((unpaid >> k) & 1 == 0, twin[from + k]);
        }
    }

    /// @dev A run is read the same, whatever its length.
    function testFuzz_unpaid_ofShorterRuns(uint256 first, uint256 count, uint256 mask) external {
        first = bound(first, 0, type(uint64).max - 512);
        count = bound(count, 1, 256);
        numbers.set(first, mask);
        assertEq(numbers.unpaid(first, count), ~mask & (type(uint256).max >> (256 - count)));
        if (count < 256) assertEq(numbers.unpaid(first + count, 256 - count), ~mask >> count);
    }
}
