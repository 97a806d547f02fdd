// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Standing, Tier} from "../types/VaultTypes.sol";
import {RollingCap} from "./RollingCap.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Policy
/// @notice Which release policies a vault accepts. Every rule serves one end: within an accepted policy, every payment
/// up to the top tier's limits can be proposed afresh, approved by a quorum and executed in time.
library Policy {
    /// @notice Most tiers of a policy.
    uint256 internal constant MAX_TIERS = 4;
    /// @notice Most signers of a vault: a vote is a bit of 32.
    uint256 internal constant MAX_SIGNERS = 32;
    /// @notice Most guardians, and most recipients in one change.
    uint256 internal constant MAX_GUARDIANS = 16;
    uint256 internal constant MAX_RECIPIENTS = 200;
    /// @notice Longest life of a proposal. [seconds]
    uint256 internal constant MAX_LIFE = 30 days;
    /// @notice How long what was accepted can be paid, once all that time removes is out of its way. [seconds]
    uint256 internal constant PAYABLE = 1 hours;
    /// @notice Life that must be left once the delay is over: by then every charge that can stand in a batch's way
    /// has left the window, and there is time to pay. [seconds]
    uint256 internal constant SETTLE = RollingCap.RELEASE + PAYABLE;
    /// @notice Least time that the policy leaves for gathering votes. [seconds]
    uint256 internal constant VOTING = 7 days;
    /// @notice Longest delay of a tier or of policy changes: votes, delay and settling fit a proposal's life. [seconds]
    uint256 internal constant MAX_DELAY = MAX_LIFE - VOTING - SETTLE;
    /// @notice Longest time a role can be granted for. [seconds]
    uint256 internal constant MAX_GRANT = 400 days;
    /// @notice Least value of the immutable floor under the policy delay. [seconds]
    uint256 internal constant MIN_POLICY_DELAY = 1 days;
    /// @notice How much longer than the policy delay a freeze lasts: time to act while it holds. [seconds]
    uint256 internal constant FREEZE_MARGIN = 2 days;

    /// @notice A field of the policy breaks a rule: `value` lies outside `least..most`.
    error PolicyOutOfRange(Field field, uint256 index, uint256 value, uint256 least, uint256 most);
    /// @notice A limit of a tier is not a whole number of units. [base units]
    error PolicyNotMultipleOfUnit(Field field, uint256 index, uint256 value, uint256 unit);

    /// @notice The fields that the errors name.
    enum Field {
        Unit,
        HardCeiling,
        PolicyDelayFloor,
        PolicyDelay,
        SignerCount,
        Epoch,
        Threshold,
        TierCount,
        MaxKnown,
        MaxUnknown,
        Cap,
        CapSum,
        Approvals,
        Delay,
        GuardianCount,
        GrantUntil,
        RecipientCount
    }

    /// @notice Reverts with the first rule of the bounds that is broken. Bounds never change afterwards.
    function checkBounds(uint256 unit, uint256 hardCeiling, uint256 policyDelayFloor) internal pure {
        inRange(Field.Unit, 0, unit, 1, type(uint96).max);
        inRange(Field.HardCeiling, 0, hardCeiling, unit, unit * RollingCap.MAX_CAP);
        _isMultiple(Field.HardCeiling, 0, hardCeiling, unit);
        inRange(Field.PolicyDelayFloor, 0, policyDelayFloor, MIN_POLICY_DELAY, MAX_DELAY);
    }

    /// @notice Reverts with the first rule that a signer set breaks by itself.
    function checkSigners(uint256 signerCount, uint256 threshold) internal pure {
        inRange(Field.SignerCount, 0, signerCount, 1, MAX_SIGNERS);
        inRange(Field.Threshold, 0, threshold, 1, signerCount);
    }

    /// @notice Reverts with the first rule that tiers and policy delay break by themselves.
    function checkTiers(
        Tier[] memory tiers,
        uint256 policyDelay,
        uint256 unit,
        uint256 hardCeiling,
        uint256 policyDelayFloor
    ) internal pure {
        inRange(Field.PolicyDelay, 0, policyDelay, policyDelayFloor, MAX_DELAY);
        inRange(Field.TierCount, 0, tiers.length, 1, MAX_TIERS);
        Tier memory below; // all zero: the first tier's lower bounds
        uint256 capSum;
        for (uint256 k = 0; k < tiers.length; ++k) {
            Tier memory tier = tiers[k];
            _isMultiple(Field.MaxKnown, k, tier.maxKnown, unit);
            _isMultiple(Field.MaxUnknown, k, tier.maxUnknown, unit);
            _isMultiple(Field.Cap, k, tier.cap, unit);
            inRange(Field.Cap, k, tier.cap, unit, hardCeiling);
            inRange(Field.MaxKnown, k, tier.maxKnown, Math.max(unit, below.maxKnown), tier.cap);
            inRange(Field.MaxUnknown, k, tier.maxUnknown, below.maxUnknown, tier.maxKnown);
            inRange(Field.Approvals, k, tier.approvals, below.approvals, MAX_SIGNERS);
            inRange(Field.Delay, k, tier.delay, below.delay, MAX_DELAY);
            capSum += tier.cap;
            below = tier;
        }
        inRange(Field.CapSum, 0, capSum, unit, hardCeiling);
    }

    /// @notice Reverts unless the signers can give the approvals that each tier asks for, and the top tier asks for no fewer
    /// than a policy change.
    function checkQuorum(Tier[] memory tiers, uint256 signerCount, uint256 threshold) internal pure {
        for (uint256 k = 0; k < tiers.length; ++k) {
            inRange(Field.Approvals, k, tiers[k].approvals, k + 1 == tiers.length ? threshold : 0, signerCount);
        }
    }

    // ── Tightening ───────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice A row after a tightening: of each field the stricter of what is and what is stated. An automatic row stays
    /// automatic: with approvals or a delay signers could pay, where only the keeper can.
    /// @dev What two accepted policies come to row by row is accepted too: the smaller, and the larger, of two sequences that
    /// never fall never falls, and automatic rows come first.
    function stricter(Tier memory row, Tier memory stated) internal pure returns (Tier memory next) {
        next.maxKnown = uint128(Math.min(row.maxKnown, stated.maxKnown));
        next.maxUnknown = uint128(Math.min(row.maxUnknown, stated.maxUnknown));
        next.cap = uint128(Math.min(row.cap, stated.cap));
        if (row.approvals == 0 && row.delay == 0) return next;
        next.approvals = uint8(Math.max(row.approvals, stated.approvals));
        next.delay = uint32(Math.max(row.delay, stated.delay));
    }

    /// @notice Whether a recipient of standing `a` may be paid less than one of standing `b`.
    function isStricter(Standing a, Standing b) internal pure returns (bool) {
        return a != b && (a == Standing.Blocked || b == Standing.Known);
    }

    // ── Ranges ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice Reverts unless `least ≤ value ≤ most`.
    function inRange(Field field, uint256 index, uint256 value, uint256 least, uint256 most) internal pure {
        if (value < least || value > most) revert PolicyOutOfRange(field, index, value, least, most);
    }

    function _isMultiple(Field field, uint256 index, uint256 value, uint256 unit) private pure {
        if (value % unit != 0) revert PolicyNotMultipleOfUnit(field, index, value, unit);
    }
}
