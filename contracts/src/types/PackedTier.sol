// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bits} from "../libraries/Bits.sol";

/// @notice A row of the release policy in 160 bits; zero if there is none:
///
///     bits 0   maxKnown    33   units
///          33  maxUnknown  33   units
///          66  cap         33   units
///          99  capBefore   33   the cap before the last change of tiers, units
///          132 approvals    6
///          138 delay       22   seconds
type PackedTier is uint256;

using PackedTierFields for PackedTier global;

/// @notice Fields of `PackedTier`.
library PackedTierFields {
    using Bits for uint256;

    /// @notice A row with these limits. [units]
    function pack(uint256 known, uint256 unknown, uint256 newCap, uint256 oldCap) internal pure returns (PackedTier) {
        uint256 limits = uint256(0).set(0, 33, known).set(33, 33, unknown);
        return PackedTier.wrap(limits.set(66, 33, newCap).set(99, 33, oldCap));
    }

    /// @notice The row with these terms. `delay` in seconds.
    function withTerms(PackedTier t, uint256 approvals, uint256 delay) internal pure returns (PackedTier) {
        return PackedTier.wrap(PackedTier.unwrap(t).set(132, 6, approvals).set(138, 22, delay));
    }

    function maxKnown(PackedTier t) internal pure returns (uint256) {
        return PackedTier.unwrap(t).get(0, 33);
    }

    function maxUnknown(PackedTier t) internal pure returns (uint256) {
        return PackedTier.unwrap(t).get(33, 33);
    }

    function cap(PackedTier t) internal pure returns (uint256) {
        return PackedTier.unwrap(t).get(66, 33);
    }

    function capBefore(PackedTier t) internal pure returns (uint256) {
        return PackedTier.unwrap(t).get(99, 33);
    }

    /// @notice Approvals and delay [seconds] that the tier asks for.
    function terms(PackedTier t) internal pure returns (uint256 required, uint256 delay) {
        return (PackedTier.unwrap(t).get(132, 6), PackedTier.unwrap(t).get(138, 22));
    }

    /// @notice No tier has a cap of zero.
    function exists(PackedTier t) internal pure returns (bool) {
        return t.cap() != 0;
    }

    /// @notice Needs neither approvals nor delay.
    function isAutomatic(PackedTier t) internal pure returns (bool) {
        return PackedTier.unwrap(t) >> 132 == 0 && t.exists();
    }
}
