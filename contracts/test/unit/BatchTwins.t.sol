// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {BatchLog} from "../../src/libraries/BatchLog.sol";
import {PackedPayments} from "../../src/libraries/PackedPayments.sol";
import {TypedData} from "../../src/libraries/TypedData.sol";
import {Batch, Order, Standing} from "../../src/types/VaultTypes.sol";
import {Test} from "forge-std/Test.sol";

/// @notice What is written in assembly for the sake of gas does what its plain twin does.
contract BatchTwinsTest is Test {
    using PackedPayments for bytes;

    mapping(address recipient => Standing) private _standings;

    // ── The libraries behind external calls, so that payments are calldata ───────────────────────────────────────

    function fitting(bytes calldata payments, uint256 tries, uint256 limits)
        external
        view
        returns (uint256, uint256, uint256)
    {
        return payments.fitting(tries, limits, _standings);
    }

    function plainFitting(bytes calldata payments, uint256 tries, uint128 maxUnknown, uint128 maxKnown)
        external
        view
        returns (uint256 fits, uint256 sum, uint256 total)
    {
        for (uint256 i = 0; i < payments.length / 48; ++i) {
            (address recipient, uint256 amount) = payments.item(i);
            total += amount;
            if ((tries >> i) & 1 == 0) continue;
            Standing standing = _standings[recipient];
            uint256 limit = standing == Standing.Unknown ? maxUnknown : standing == Standing.Known ? maxKnown : 0;
            if (amount == 0 || amount > limit) continue;
            fits |= 1 << i;
            sum += amount;
        }
    }

    function hash(Order calldata order, bytes calldata payments, uint256 total) external pure returns (bytes32) {
        return TypedData.hash(order, payments, total);
    }

    function hash(Batch calldata batch) external pure returns (bytes32) {
        return TypedData.hash(batch);
    }

    function logPaid(bytes32 id, Order calldata order, uint256 paidMask, bytes calldata payments) external {
        BatchLog.paid(id, order, paidMask, payments);
    }

    function logProposed(bytes32 id, address proposer, Order calldata order, bytes calldata payments) external {
        BatchLog.proposed(id, proposer, order, payments);
    }

    // ── Tests ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev Few recipients and amounts around the limits, so that each case comes up.
    function testFuzz_fitting_isItsPlainTwin(uint256 seed, uint8 size, uint256 tries, uint128 maxUnknown, uint128 more)
        external
    {
        uint256 count = bound(size, 1, 256);
        maxUnknown = uint128(bound(maxUnknown, 0, type(uint96).max));
        uint128 maxKnown = maxUnknown + uint128(bound(more, 0, type(uint96).max));
        (_standings[address(1)], _standings[address(2)]) = (Standing.Known, Standing.Blocked);
        bytes memory packed;
        for (uint256 i = 0; i < count; ++i) {
            uint256 draw = uint256(keccak256(abi.encode(seed, i)));
            uint256[4] memory amounts = [uint256(0), maxUnknown, maxKnown, draw >> 8];
            uint96 amount = uint96(amounts[(draw >> 2) % 4] + (draw >> 4) % 2);
            packed = bytes.concat(packed, abi.encodePacked(address(uint160(draw % 3)), amount, uint128(draw)));
        }
        (uint256 fits, uint256 sum, uint256 total) =
            this.fitting(packed, tries, uint256(maxUnknown) | uint256(maxKnown) << 128);
        (uint256 plainFits, uint256 plainSum, uint256 plainTotal) =
            this.plainFitting(packed, tries, maxUnknown, maxKnown);
        assertEq(fits, plainFits, "fits");
        assertEq(sum, plainSum, "sum");
        assertEq(total, plainTotal, "total");
    }

    function test_fitting_takesTheLargestLimits() external {
        _standings[address(1)] = Standing.Known;
        bytes memory packed = bytes.concat(
            abi.encodePacked(address(1), type(uint96).max, uint128(0)),
            abi.encodePacked(address(3), type(uint96).max, uint128(0))
        );
        (uint256 fits,,) = this.fitting(packed, 3, type(uint256).max);
        assertEq(fits, 3);
        (fits,,) = this.fitting(packed, 3, uint256(type(uint96).max) << 128);
        assertEq(fits, 1);
        (fits,,) = this.fitting(packed, 3, uint256(type(uint96).max));
        assertEq(fits, 2);
    }

    function testFuzz_hash_ofOrderIsThatOfItsHeader(Order calldata order, uint8 size, bytes32 noise) external view {
        uint256 count = bound(size, 1, 256);
        bytes memory packed;
        uint256 total;
        for (uint256 i = 0; i < count; ++i) {
            bytes32 draw = keccak256(abi.encode(noise, i));
            packed = bytes.concat(packed, draw, bytes16(keccak256(abi.encode(draw))));
            total += uint96(uint256(draw));
        }
        Batch memory b;
        (b.firstNumber, b.tier, b.expiresAt, b.context) =
        (uint64(order.head.firstNumber()), uint8(order.head.tier()), uint40(order.head.expiresAt()), order.context);
        (b.count, b.total, b.paymentsHash) = (uint16(count), uint128(total), keccak256(packed));
        if (count == 1) b.recipient = address(bytes20(packed));
        assertEq(this.hash(order, packed, total), this.hash(b));
    }

    function testFuzz_log_isThatOfTheCompiler(
        bytes32 id,
        address proposer,
        Order calldata order,
        uint256 paidMask,
        bytes calldata payments
    ) external {
        vm.expectEmit();
        emit IVault.BatchPaid(id, order, paidMask, payments);
        this.logPaid(id, order, paidMask, payments);
        vm.expectEmit();
        emit IVault.BatchProposed(id, proposer, order, payments);
        this.logProposed(id, proposer, order, payments);
    }
}
