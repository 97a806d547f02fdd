// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RollingCap} from "../../src/libraries/RollingCap.sol";
import {Test} from "forge-std/Test.sol";

contract RollingCapTest is Test {
    using RollingCap for uint256;

    uint256 private constant BUCKET = 4 hours;
    uint256 private constant LANE = 2 ** 33; // values of a lane
    uint256 private constant LANES_BITS = 231;
    uint256 private constant START = 1_800_000_000; // the first second of a bucket
    uint256 private constant OPERATIONS = 60;

    // ── Against a log of every charge ────────────────────────────────────────────────────────────────────────────

    /// @dev Charges at random times, the clock now and then stepping back; a charge then counts as made at the latest
    /// time seen. Whatever was charged in the 24 hours that end now, both ends included, is at most the cap, is all in
    /// the window, and nothing older than 28 hours is.
    function testFuzz_attack1_rollingCap_agreesWithLog(uint256 seed) external pure {
        uint256[] memory times = new uint256[](OPERATIONS);
        uint256[] memory amounts = new uint256[](OPERATIONS);
        uint256 cap = random(seed, 1) % 2 == 0 ? RollingCap.MAX_CAP : 1 + random(seed, 2) % 1000;
        uint256 time = START + random(seed, 3) % BUCKET;
        uint256 latest = time;
        uint256 window = uint256(0).roll(time);
        for (uint256 i = 0; i < OPERATIONS; ++i) {
            uint256 dice = random(seed, 100 + i);
            time = step(time, dice);
            if (time > latest) latest = time;
            window = window.roll(time);

            uint256 day = sumFrom(times, amounts, i, latest - 24 hours);
            assertGe(window.used(), day, "released within 24 h");
            assertLe(window.used(), sumFrom(times, amounts, i, latest - 28 hours + 1), "held for 28 h");

            uint256 room = window.headroom(cap);
            amounts[i] = dice % 3 == 0 ? room : (dice >> 128) % (room + 1);
            times[i] = latest;
            window = window.add(amounts[i]);
            assertLe(day + amounts[i], cap, "more than the cap in 24 h");
            assertEq(window.used(), sumOfLanes(window), "lanes");
        }
    }

    /// @dev The span of 24 hours is closed: what leaves at its first second counts against its last.
    function test_attack2_rollingCap_chargeCountsThrough24Hours() external pure {
        for (uint256 offset = 0; offset < BUCKET; offset += 1 hours - 1) {
            uint256 time = START + offset;
            uint256 window = uint256(0).roll(time).add(10);
            assertEq(window.roll(time + 24 hours).used(), 10);
            assertEq(window.roll(START + 28 hours - 1).used(), 10);
            assertEq(window.roll(START + 28 hours).used(), 0);
        }
    }

    // ── Rolling ──────────────────────────────────────────────────────────────────────────────────────────────────

    function test_roll_shiftsALaneABucket() external pure {
        uint256 window = windowOf(START, [uint256(1), 2, 3, 4, 5, 6, 7]);
        assertEq(window.roll(START), window);
        assertEq(window.roll(START + BUCKET - 1), window);
        assertEq(window.roll(START + BUCKET), windowOf(START + BUCKET, [uint256(0), 1, 2, 3, 4, 5, 6]));
        assertEq(window.roll(START + 2 * BUCKET - 1), windowOf(START + BUCKET, [uint256(0), 1, 2, 3, 4, 5, 6]));
        assertEq(window.roll(START + 2 * BUCKET), windowOf(START + 2 * BUCKET, [uint256(0), 0, 1, 2, 3, 4, 5]));
        assertEq(window.roll(START + 6 * BUCKET), windowOf(START + 6 * BUCKET, [uint256(0), 0, 0, 0, 0, 0, 1]));
        assertEq(window.roll(START + 7 * BUCKET), windowOf(START + 7 * BUCKET, [uint256(0), 0, 0, 0, 0, 0, 0]));
        assertEq(window.roll(START + 8 * BUCKET), windowOf(START + 8 * BUCKET, [uint256(0), 0, 0, 0, 0, 0, 0]));
        assertEq(window.roll(2 * START), windowOf(2 * START, [uint256(0), 0, 0, 0, 0, 0, 0]));
    }

    function test_attack42_roll_clockThatStepsBackCountsAsNewest() external pure {
        uint256 window = windowOf(START, [uint256(1), 2, 3, 4, 5, 6, 7]);
        assertEq(window.roll(START - 1), window);
        assertEq(window.roll(START - 30 days), window);
        assertEq(window.roll(0), window);
        uint256 later = window.roll(START - 1).add(1).roll(START + 6 * BUCKET);
        assertEq(later, windowOf(START + 6 * BUCKET, [uint256(0), 0, 0, 0, 0, 0, 2]));
    }

    function testFuzz_roll_inStepsIsInOne(uint256[7] memory raw, uint256 first, uint256 second) external pure {
        uint256 window = windowOf(START, fitting(raw));
        first = START + bound(first, 0, 40 hours);
        second = first + bound(second, 0, 40 hours);
        assertEq(window.roll(first).roll(second), window.roll(second));
    }

    function test_roll_bucketIndexHasRoom() external pure {
        uint256 last = 2 ** 25 * BUCKET - 1;
        uint256 window = uint256(0).roll(last).add(RollingCap.MAX_CAP);
        assertEq(window >> LANES_BITS, 2 ** 25 - 1);
        assertEq(window.used(), RollingCap.MAX_CAP);
        assertGt(last, 2 ** 38, "beyond any time that the vault stores");
    }

    // ── Lanes ────────────────────────────────────────────────────────────────────────────────────────────────────

    function testFuzz_used_isSumOfLanes(uint256[7] memory raw, uint256 time) external pure {
        uint256[7] memory lanes = fitting(raw);
        uint256 sum;
        for (uint256 i = 0; i < 7; ++i) {
            sum += lanes[i];
        }
        assertEq(windowOf(bound(time, 0, 2 ** 25 * BUCKET - 1), lanes).used(), sum);
    }

    function test_used_atTheLargestSum() external pure {
        uint256 most = RollingCap.MAX_CAP;
        assertEq(most, LANE - 2);
        for (uint256 i = 0; i < 7; ++i) {
            uint256[7] memory lanes;
            lanes[i] = most;
            assertEq(windowOf(START, lanes).used(), most);
            lanes[(i + 1) % 7] = most - 1;
            lanes[i] = 1;
            assertEq(windowOf(START, lanes).used(), most);
        }
    }

    function testFuzz_attack51_add_touchesNewestLaneOnly(uint256[7] memory raw, uint256 amount) external pure {
        uint256 window = windowOf(START, fitting(raw));
        amount = bound(amount, 0, window.headroom(RollingCap.MAX_CAP));
        uint256 next = window.add(amount);
        assertEq(next / LANE, window / LANE);
        assertEq(next % LANE, window % LANE + amount);
        assertEq(next.used(), window.used() + amount);
    }

    function test_attack51_add_fullLanesDoNotCarry() external pure {
        uint256 window = uint256(0).roll(START).add(RollingCap.MAX_CAP);
        assertEq(window, windowOf(START, [LANE - 2, 0, 0, 0, 0, 0, 0]));
        assertEq(window.headroom(RollingCap.MAX_CAP), 0);
        for (uint256 i = 1; i < 7; ++i) {
            assertEq(window.roll(START + i * BUCKET).used(), RollingCap.MAX_CAP);
        }
    }

    function test_headroom_neverBelowZero() external pure {
        uint256 window = windowOf(START, [uint256(10), 20, 0, 0, 0, 0, 5]);
        assertEq(window.headroom(36), 1);
        assertEq(window.headroom(35), 0);
        assertEq(window.headroom(34), 0);
        assertEq(window.headroom(0), 0);
    }

    // ── When it fits ─────────────────────────────────────────────────────────────────────────────────────────────

    function test_fitsAt_laneByLane() external pure {
        uint256 window = windowOf(START, [uint256(1), 2, 3, 4, 5, 6, 7]); // 28
        assertEq(window.fitsAt(START + 5, 2, 30), START + 5);
        assertEq(window.fitsAt(START + 5, 3, 30), START + BUCKET);
        assertEq(window.fitsAt(START + 5, 9, 30), START + BUCKET);
        assertEq(window.fitsAt(START + 5, 10, 30), START + 2 * BUCKET);
        assertEq(window.fitsAt(START + 5, 29, 30), START + 6 * BUCKET);
        assertEq(window.fitsAt(START + 5, 30, 30), START + 7 * BUCKET);
        assertEq(window.fitsAt(START + 5, 31, 30), 0);
        assertEq(window.fitsAt(START + 6 * BUCKET, 30, 30), START + 7 * BUCKET);
        assertEq(window.fitsAt(START + 9 * BUCKET + 1, 30, 30), START + 9 * BUCKET + 1);
    }

    function testFuzz_fitsAt_isFirstSecond(uint256[7] memory raw, uint256 wait, uint256 amount, uint256 cap)
        external
        pure
    {
        uint256 window = windowOf(START, fitting(raw));
        uint256 time = START + bound(wait, 0, 40 hours);
        cap = bound(cap, 0, RollingCap.MAX_CAP);
        amount = bound(amount, 0, RollingCap.MAX_CAP);
        uint256 first = window.fitsAt(time, amount, cap);
        assertEq(first == 0, amount > cap);
        if (first == 0) return;
        assertGe(window.roll(first).headroom(cap), amount);
        assertGe(first, time);
        if (first > time) assertLt(window.roll(first - 1).headroom(cap), amount);
    }

    // ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    function random(uint256 seed, uint256 i) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, i)));
    }

    /// @dev The next time: a little or a lot later, at an edge of a bucket or of a day, or back by up to a day.
    function step(uint256 time, uint256 dice) private pure returns (uint256) {
        uint256 kind = (dice >> 64) % 8;
        if (kind == 0) return time;
        if (kind == 1) return time + (dice >> 96) % 1 hours;
        if (kind == 2) return time + (dice >> 96) % 9 hours;
        if (kind == 3) return (time / BUCKET + 1) * BUCKET - (dice >> 96) % 2;
        if (kind == 4) return time + 24 hours - 1 + (dice >> 96) % 3;
        if (kind == 5) return time + 28 hours - 1 + (dice >> 96) % 3;
        if (kind == 6) return time - (dice >> 96) % 1 days;
        return time + 6 * BUCKET;
    }

    /// @dev What the first `count` charges made at `since` or later add up to.
    function sumFrom(uint256[] memory times, uint256[] memory amounts, uint256 count, uint256 since)
        private
        pure
        returns (uint256 sum)
    {
        for (uint256 i = 0; i < count; ++i) {
            if (times[i] >= since) sum += amounts[i];
        }
    }

    function sumOfLanes(uint256 window) private pure returns (uint256 sum) {
        for (uint256 i = 0; i < 7; ++i) {
            sum += (window >> (33 * i)) % LANE;
        }
    }

    /// @dev The window whose newest bucket holds `time`, lane 0 first.
    function windowOf(uint256 time, uint256[7] memory lanes) private pure returns (uint256 window) {
        window = (time / BUCKET) << LANES_BITS;
        for (uint256 i = 0; i < 7; ++i) {
            window += lanes[i] << (33 * i);
        }
    }

    /// @dev Lanes that sum to at most the largest cap.
    function fitting(uint256[7] memory raw) private pure returns (uint256[7] memory lanes) {
        uint256 left = RollingCap.MAX_CAP;
        for (uint256 i = 0; i < 7; ++i) {
            uint256 lane = raw[i] % 5 == 0 ? left : raw[i] % (left + 1);
            lanes[i] = raw[i] % 7 == 0 ? 0 : lane;
            left -= lanes[i];
        }
    }
}
