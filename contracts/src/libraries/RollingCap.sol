// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title RollingCap
/// @notice A strict rolling 24-hour sum in one word.
/// @dev A window is `newest bucket index (25 bits) | 7 lanes of 33 bits`, lane 0 (lowest) holding what was charged in
/// the newest 4-hour bucket. A charge leaves when its bucket is 7 buckets old: more than 24 h and at most 28 h later,
/// so every closed 24-hour span lies inside the lanes. The lanes of a window never sum to more than a cap that fits
/// 33 bits, so a lane cannot carry into its neighbour.
library RollingCap {
    /// @notice Length of a bucket. [seconds]
    uint256 internal constant BUCKET = 4 hours;
    /// @notice Longest time a charge stays in the window. [seconds]
    uint256 internal constant RELEASE = LANES * BUCKET;
    /// @notice Largest cap, and largest sum of all caps. [units]
    uint256 internal constant MAX_CAP = LANE_MASK - 1;

    uint256 private constant LANES = 7;
    uint256 private constant LANE_BITS = 33;
    uint256 private constant LANE_MASK = (1 << LANE_BITS) - 1;
    uint256 private constant LANES_BITS = LANES * LANE_BITS;
    uint256 private constant LANES_MASK = (1 << LANES_BITS) - 1;

    /// @notice The window at `time`: lanes shifted by the buckets that began since, the oldest dropped.
    /// @dev A clock that steps back counts as the newest bucket.
    function roll(uint256 window, uint256 time) internal pure returns (uint256) {
        unchecked {
            uint256 newest = window >> LANES_BITS;
            uint256 bucket = time / BUCKET;
            if (bucket <= newest) return window;
            uint256 elapsed = bucket - newest;
            uint256 lanes = elapsed < LANES ? (window << (elapsed * LANE_BITS)) & LANES_MASK : 0;
            return (bucket << LANES_BITS) | lanes;
        }
    }

    /// @notice Sum of the lanes. [units]
    /// @dev 2^33 leaves 1 when divided by 2^33 − 1, so lanes leave their sum, which is at most MAX_CAP < 2^33 − 1.
    /// A test holds this equal to adding lane by lane.
    function used(uint256 window) internal pure returns (uint256) {
        return (window & LANES_MASK) % LANE_MASK;
    }

    /// @notice What may still be charged to a rolled window under `cap`. [units]
    function headroom(uint256 rolled, uint256 cap) internal pure returns (uint256) {
        uint256 sum = used(rolled);
        unchecked {
            return sum < cap ? cap - sum : 0;
        }
    }

    /// @notice Adds `amount` to the newest lane of a rolled window. The caller has checked `amount` against headroom.
    function add(uint256 rolled, uint256 amount) internal pure returns (uint256) {
        unchecked {
            return rolled + amount; // sum ≤ MAX_CAP: lane 0 cannot carry
        }
    }

    /// @notice First second, not before `time`, at which `amount` fits under `cap` if nothing else is charged;
    /// 0 if it never does.
    function fitsAt(uint256 window, uint256 time, uint256 amount, uint256 cap) internal pure returns (uint256) {
        if (amount > cap) return 0;
        uint256 rolled = roll(window, time);
        uint256 newest = rolled >> LANES_BITS;
        for (uint256 elapsed = 0; elapsed < LANES; ++elapsed) {
            uint256 then = elapsed == 0 ? time : (newest + elapsed) * BUCKET;
            if (amount <= headroom(roll(rolled, then), cap)) return then;
        }
        return (newest + LANES) * BUCKET;
    }
}
