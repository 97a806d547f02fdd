// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bits} from "../libraries/Bits.sol";
import {RollingCap} from "../libraries/RollingCap.sol";
import {PackedTier} from "./PackedTier.sol";

/// @notice What payments need of the policy, in one word: an automatic payment in tier 0 reads nothing else of it.
///
///     bits 0   haltedUntil      36   frozen before this; 0 for never
///          36  tiersChangedAt   36   last ordinary change of tiers; 0 if none since creation
///          72  epoch            24   counts signer sets from 1
///          96  tier 0          160
type Hot is uint256;

using HotFields for Hot global;

/// @notice Fields of `Hot`.
library HotFields {
    using Bits for uint256;

    function haltedUntil(Hot h) internal pure returns (uint256) {
        return Hot.unwrap(h).get(0, 36);
    }

    function epoch(Hot h) internal pure returns (uint256) {
        return Hot.unwrap(h).get(72, 24);
    }

    function firstTier(Hot h) internal pure returns (PackedTier) {
        return PackedTier.wrap(Hot.unwrap(h) >> 96);
    }

    /// @notice When every charge made before the last ordinary change of tiers has left the windows; 0 if there was none.
    function settledAt(Hot h) internal pure returns (uint256) {
        uint256 changedAt = Hot.unwrap(h).get(36, 36);
        return changedAt == 0 ? 0 : changedAt + RollingCap.RELEASE;
    }

    function withHaltedUntil(Hot h, uint256 time) internal pure returns (Hot) {
        return Hot.wrap(Hot.unwrap(h).set(0, 36, time));
    }

    function withTiersChangedAt(Hot h, uint256 time) internal pure returns (Hot) {
        return Hot.wrap(Hot.unwrap(h).set(36, 36, time));
    }

    function withEpoch(Hot h, uint256 next) internal pure returns (Hot) {
        return Hot.wrap(Hot.unwrap(h).set(72, 24, next));
    }

    function withFirstTier(Hot h, PackedTier t) internal pure returns (Hot) {
        return Hot.wrap(Hot.unwrap(h).set(96, 160, PackedTier.unwrap(t)));
    }
}
