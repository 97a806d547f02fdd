// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RollingCap} from "../../src/libraries/RollingCap.sol";
import {Proof} from "./Proof.sol";

/// @title RollingCapProofs
/// @notice One charge and one passage of time for any window; see audits/proofs.md for what follows from them.
contract RollingCapProofs is Proof {
    using RollingCap for uint256;

    uint256 private constant LANES = 7;
    uint256 private constant LANE = 1 << 33;
    uint256 private constant LANES_BITS = 231;

    // ── A step of a window ───────────────────────────────────────────────────────────────────────────────────────

    /// @notice A roll by `elapsed` buckets moves each lane up by as many, drops those that leave, and adds nothing.
    /// @custom:bounds any lanes; 0 to 8 buckets from bucket 0, 125,000 and 2^25 - 9; first and last second of a bucket
    function check_roll_movesLanes(uint256 lanes, uint256 start, uint256 elapsed, bool last) external pure {
        assume(lanes < 1 << LANES_BITS);
        elapsed = split(elapsed, 9);
        uint256 newest = [uint256(0), 125_000, (1 << 25) - 9][split(start, 3)];
        uint256 bucket = newest + elapsed;
        uint256 window = lanes | (newest << LANES_BITS);
        uint256 rolled = window.roll(bucket * 4 hours + (last ? 4 hours - 1 : 0));
        assert(rolled >> LANES_BITS == bucket);
        for (uint256 i = 0; i < LANES; ++i) {
            assert(lane(rolled, i) == (i < elapsed ? 0 : lane(window, i - elapsed)));
        }
    }

    /// @notice A clock that steps back changes nothing.
    /// @custom:bounds any window whose newest bucket is later; seconds 0, 1,800,000,000 and 1,800,014,399
    function check_roll_backChangesNothing(uint256 window, uint256 moment) external pure {
        uint256 time = [uint256(0), 1_800_000_000, 1_800_014_399][split(moment, 3)];
        assume(window >> LANES_BITS >= time / 4 hours);
        assert(window.roll(time) == window);
    }

    /// @notice A charge that fits the largest cap raises the newest lane by itself, and touches nothing else.
    function check_add_touchesNewestLane(uint256 window, uint256 amount) external pure {
        assume(amount <= RollingCap.MAX_CAP);
        assume(sumOf(window) + amount <= RollingCap.MAX_CAP);
        uint256 next = window.add(amount);
        assert(next >> 33 == window >> 33);
        assert(lane(next, 0) == lane(window, 0) + amount);
    }

    /// @notice The lanes of a window are a multiple of 2^33 - 1 and their sum, which `used` therefore leaves.
    /// @custom:bounds any lanes that sum to at most the largest cap
    function check_used_identity(uint256[7] calldata lanes, uint256 bucket) external pure {
        uint256 window;
        uint256 quotient;
        uint256 sum;
        for (uint256 i = 0; i < LANES; ++i) {
            assume(lanes[i] < LANE);
            window += lanes[i] << (33 * i);
            // 2^(33 i) - 1 = (2^33 - 1) (1 + 2^33 + ... + 2^(33 (i - 1)))
            quotient += lanes[i] * (((1 << (33 * i)) - 1) / (LANE - 1));
            sum += lanes[i];
        }
        assume(sum <= RollingCap.MAX_CAP);
        assume(bucket < 1 << 25);
        assert(sum < LANE - 1);
        assert(window == quotient * (LANE - 1) + sum);
        assert(((window + (bucket << LANES_BITS)) << 25) >> 25 == window);
    }

    /// @notice What a window has used is what its only charge was, in whichever lane that is.
    /// @custom:bounds any charge in any one lane
    function check_used_isTheOnlyLane(uint256 charge, uint256 i) external pure {
        assume(charge <= RollingCap.MAX_CAP);
        uint256 window = (125_000 << LANES_BITS) + (charge << (33 * split(i, LANES)));
        assert(window.used() == charge);
    }

    /// @notice What is left under a cap is the cap less what is used, and never less than nothing.
    function check_headroom_isWhatIsLeft(uint256 window, uint256 cap) external pure {
        uint256 used = window.used();
        assert(window.headroom(cap) == (used < cap ? cap - used : 0));
    }

    // ── Three charges ────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice Of three charges that the lanes had room for, no 24 hours hold more than the cap; and after 28 hours nothing of a
    /// charge is left. One that finds no room is the same as one of nothing.
    /// @custom:bounds any charges and cap; 0 to 7 buckets between one and the next; the first in its bucket's first or last second
    function check_outflow_ofThreeCharges(
        uint256[3] calldata charges,
        uint256 cap,
        uint256[2] calldata elapsed,
        bool last
    ) external pure {
        assume(cap <= RollingCap.MAX_CAP);
        uint256[3] memory times;
        times[0] = 1_800_000_000 + (last ? 4 hours - 1 : 0);
        times[1] = 1_800_000_000 + split(elapsed[0], 8) * 4 hours;
        times[2] = times[1] + split(elapsed[1], 8) * 4 hours;
        if (times[1] < times[0]) return;
        uint256 window;
        uint256 day;
        uint256 held;
        for (uint256 i = 0; i < 3; ++i) {
            assume(charges[i] <= RollingCap.MAX_CAP);
            window = window.roll(times[i]);
            assume(sumOf(window) + charges[i] <= cap);
            window = window.add(charges[i]);
            if (times[2] - times[i] <= 24 hours) day += charges[i];
            if (times[2] - times[i] < 28 hours) held += charges[i];
        }
        assert(day <= cap && sumOf(window) <= held);
    }

    /// @dev Lane `i`, 0 for the newest. [units]
    function lane(uint256 window, uint256 i) private pure returns (uint256) {
        return (window >> (33 * i)) & (LANE - 1);
    }

    function sumOf(uint256 window) private pure returns (uint256 sum) {
        for (uint256 i = 0; i < LANES; ++i) {
            sum += lane(window, i);
        }
    }
}
