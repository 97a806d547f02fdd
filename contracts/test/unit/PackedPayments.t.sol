// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PackedPayments} from "../../src/libraries/PackedPayments.sol";
import {Test} from "forge-std/Test.sol";

contract PackedPaymentsTest is Test {
    using PackedPayments for bytes;

    // ── The library behind external calls, so that payments are calldata ─────────────────────────────────────────

    function item(bytes calldata payments, uint256 i) external pure returns (address recipient, uint256 amount) {
        return payments.item(i);
    }

    function sliced(bytes calldata payments, uint256 i) external pure returns (address recipient, uint256 amount) {
        bytes calldata one = payments[48 * i:48 * i + 48];
        return (address(bytes20(one[:20])), uint96(bytes12(one[20:32])));
    }

    function isCount(bytes calldata payments, uint256 count) external pure returns (bool) {
        return payments.isCount(count);
    }

    function hash(bytes calldata payments, bytes calldata after_) external pure returns (bytes32, bytes32) {
        return (payments.hash(), after_.hash());
    }

    // ── Tests ────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_item_fieldByField() external view {
        bytes memory packed = bytes.concat(
            abi.encodePacked(address(0x1111111111111111111111111111111111111111), uint96(0x22), type(uint128).max),
            abi.encodePacked(address(type(uint160).max), uint96(0), uint128(0)),
            abi.encodePacked(address(0), type(uint96).max, type(uint128).max)
        );
        assertItem(packed, 0, 0x1111111111111111111111111111111111111111, 0x22);
        assertItem(packed, 1, address(type(uint160).max), 0);
        assertItem(packed, 2, address(0), type(uint96).max);
    }

    function testFuzz_item_isSlicing(bytes memory noise, uint256 count, uint256 i) external view {
        count = bound(count, 1, 256);
        i = bound(i, 0, count - 1);
        bytes memory packed = new bytes(48 * count);
        for (uint256 k = 0; k < 48; ++k) {
            packed[48 * i + k] = noise.length == 0 ? bytes1(0xab) : noise[k % noise.length];
        }
        (address recipient, uint256 amount) = this.item(packed, i);
        (address expected, uint256 expectedAmount) = this.sliced(packed, i);
        assertEq(recipient, expected);
        assertEq(amount, expectedAmount);
    }

    function test_isCount_oneTo256() external view {
        assertFalse(this.isCount("", 0));
        assertTrue(this.isCount(new bytes(48), 1));
        assertTrue(this.isCount(new bytes(48 * 256), 256));
        assertFalse(this.isCount(new bytes(48 * 257), 257));
        assertFalse(this.isCount(new bytes(47), 1));
        assertFalse(this.isCount(new bytes(49), 1));
        assertFalse(this.isCount(new bytes(48), 0));
        assertFalse(this.isCount(new bytes(48), 2));
        assertFalse(this.isCount(new bytes(48), (uint256(1) << 252) + 1), "48 times this wraps round to 48");
        assertFalse(this.isCount("", type(uint256).max));
    }

    function testFuzz_isCount_isLengthAndRange(uint256 length, uint256 count) external view {
        length = bound(length, 0, 48 * 300);
        if (length % 2 == 0) length -= length % 48;
        if (count % 2 == 0) count = length / 48;
        bool expected = count >= 1 && count <= 256 && length == 48 * count;
        assertEq(this.isCount(new bytes(length), count), expected);
    }

    function testFuzz_hash_isKeccak(bytes memory payments, bytes memory after_) external view {
        (bytes32 first, bytes32 second) = this.hash(payments, after_);
        assertEq(first, keccak256(payments));
        assertEq(second, keccak256(after_));
    }

    function assertItem(bytes memory packed, uint256 i, address expected, uint256 expectedAmount) private view {
        (address recipient, uint256 amount) = this.item(packed, i);
        assertEq(recipient, expected);
        assertEq(amount, expectedAmount);
    }
}
