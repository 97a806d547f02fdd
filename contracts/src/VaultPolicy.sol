// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VaultRules} from "./VaultRules.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Policy} from "./libraries/Policy.sol";
import {TokenCall} from "./libraries/TokenCall.sol";
import {Hot} from "./types/Hot.sol";
import {Member} from "./types/Member.sol";
import {PackedTier} from "./types/PackedTier.sol";
import {Configuration, Role, Standing, Tier} from "./types/VaultTypes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title VaultPolicy
/// @notice Who may do what in a vault and how much may leave: the state that policy changes alter, and its views.
/// @dev What values must be by themselves `VaultRules` has checked when they came in. `_set…` checks what only the state of now
/// can tell, writes, and emits old and new; `_write…` only writes and emits; `_require…` reads and reverts.
abstract contract VaultPolicy is IVault {
    using SafeCast for uint256;
    using TokenCall for address;

    /// @inheritdoc IVault
    address public immutable token;
    /// @inheritdoc IVault
    uint256 public immutable unit;
    /// @inheritdoc IVault
    uint256 public immutable hardCeiling;
    /// @inheritdoc IVault
    uint256 public immutable policyDelayFloor;

    /// @inheritdoc IVault
    Hot public hot;
    /// @inheritdoc IVault
    address public successor;
    /// @inheritdoc IVault
    uint8 public threshold;
    /// @inheritdoc IVault
    uint8 public tierCount;
    /// @inheritdoc IVault
    uint32 public policyDelay;
    /// @inheritdoc IVault
    uint40 public termsChangedAt;
    /// @dev Tiers 1 to 3; tier 0 lives in `hot`.
    mapping(uint256 tier => PackedTier) private _tiers;
    /// @inheritdoc IVault
    mapping(address account => Member) public member;
    /// @inheritdoc IVault
    mapping(address recipient => Standing) public standingOf;
    address[] private _signers;
    address[] private _guardians;
    VaultRules internal immutable _rules = new VaultRules();

    constructor(Configuration memory c) {
        if (c.token.code.length == 0) revert VaultTokenInvalid(c.token);
        c.token.balanceOf(address(this)); // reverts if the balance cannot be read, for then nothing could ever be paid
        PackedTier[] memory rows = _rules.checkConfiguration(c);
        (token, unit, hardCeiling, policyDelayFloor) = (c.token, c.unit, c.hardCeiling, c.policyDelayFloor);
        emit VaultCreated(c.token, c.unit, c.hardCeiling, c.policyDelayFloor);
        _writeTiers(rows, c.policyDelay);
        _writeSigners(c.signers, c.threshold);
        _setGuardians(c.guardians, c.guardiansUntil);
        for (uint256 i = 0; i < c.grants.length; ++i) {
            _setRole(c.grants[i].account, c.grants[i].role, 0, c.grants[i].until);
        }
        // Never paid, and never anything else: the rules take none of the three.
        (standingOf[address(0)], standingOf[address(this)], standingOf[token]) =
        (Standing.Blocked, Standing.Blocked, Standing.Blocked);
        for (uint256 i = 0; i < c.known.length; ++i) {
            _setStanding(c.known[i], Standing.Unknown, Standing.Known);
        }
        if (c.successor != address(0)) _setSuccessor(c.successor);
    }

    // ── Signers ──────────────────────────────────────────────────────────────────────────────────────────────────

    function _setSigners(address[] memory next, uint8 nextThreshold) internal {
        _rules.checkQuorum(next.length, nextThreshold);
        _writeSigners(next, nextThreshold);
    }

    function _writeSigners(address[] memory next, uint8 nextThreshold) private {
        address[] memory old = _signers;
        for (uint256 i = 0; i < old.length; ++i) {
            member[old[i]] = member[old[i]].withSigner(0, 0);
        }
        uint256 epoch = hot.epoch() + 1;
        Policy.inRange(Policy.Field.Epoch, 0, epoch, 1, type(uint24).max);
        hot = hot.withEpoch(epoch);
        for (uint256 i = 0; i < next.length; ++i) {
            member[next[i]] = member[next[i]].withSigner(epoch, i);
        }
        emit SignersSet(epoch, old, next, threshold, nextThreshold);
        _signers = next;
        threshold = nextThreshold;
    }

    // ── Tiers ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev While old charges are in the windows each cap is the smaller of old and new, and tiers cannot change again:
    /// otherwise moving a cap between tiers, or back and forth, would let more through in a day than either policy.
    function _setTiers(bytes calldata change) internal {
        (PackedTier[] memory next, uint32 nextDelay) = _rules.tiersAfter(change);
        uint256 settledAt = hot.settledAt();
        if (block.timestamp < settledAt) revert VaultTiersCoolingDown(settledAt);
        _writeTiers(next, nextDelay);
        hot = hot.withTiersChangedAt(block.timestamp);
    }

    /// @dev Lowering a cap lets nothing through that the caps before did not, so that nothing has to settle. What changes
    /// nothing is not written: open changes of tiers still start from what is.
    function _tightenTiers(bytes calldata change) internal {
        PackedTier[] memory next = _rules.tightenedTiers(change);
        if (next.length != 0) _writeTiers(next, policyDelay);
    }

    function _writeTiers(PackedTier[] memory next, uint32 nextDelay) private {
        (uint256 oldCount, uint256 count) = (tierCount, next.length);
        for (uint256 k = 0; k < count || k < oldCount; ++k) {
            Tier memory was = _unpack(packedTier(k));
            PackedTier t = k < count ? next[k] : PackedTier.wrap(0);
            if (k == 0) hot = hot.withFirstTier(t);
            else _tiers[k] = t;
            emit TierSet(k, was, _unpack(t));
        }
        if (policyDelay != nextDelay) emit PolicyDelaySet(policyDelay, nextDelay);
        // Later each time, also within a second: so it names one state of the tiers.
        uint256 changedAt = Math.max(block.timestamp, termsChangedAt + 1);
        (tierCount, policyDelay, termsChangedAt) = (count.toUint8(), nextDelay, changedAt.toUint40());
    }

    // ── Guardians and roles ──────────────────────────────────────────────────────────────────────────────────────

    function _setGuardians(address[] memory next, uint256 until) internal {
        _rules.checkUntil(until);
        address[] memory old = _guardians;
        for (uint256 i = 0; i < old.length; ++i) {
            _writeRole(old[i], Role.Guardian, 0);
        }
        for (uint256 i = 0; i < next.length; ++i) {
            _writeRole(next[i], Role.Guardian, until);
        }
        _guardians = next;
    }

    function _setRole(address account, Role role, uint256 oldUntil, uint256 until) internal {
        _rules.checkUntil(until);
        uint256 actual = member[account].until(role);
        if (actual != oldUntil) revert VaultRoleStale(account, role, oldUntil, actual);
        _writeRole(account, role, until);
    }

    /// @dev The earlier of the two ends.
    function _setStricterRole(address account, Role role, uint256 until) internal {
        if (until < member[account].until(role)) _writeRole(account, role, until);
    }

    function _writeRole(address account, Role role, uint256 until) private {
        Member m = member[account];
        emit RoleSet(account, role, m.until(role), until);
        member[account] = m.withUntil(role, until);
    }

    // ── Recipients and successor ─────────────────────────────────────────────────────────────────────────────────

    function _setStanding(address recipient, Standing oldStanding, Standing standing) internal {
        Standing actual = standingOf[recipient];
        if (actual != oldStanding) revert VaultStandingStale(recipient, oldStanding, actual);
        standingOf[recipient] = standing;
        emit RecipientSet(recipient, actual, standing);
    }

    /// @dev The stricter of the two standings.
    function _setStricterStanding(address recipient, Standing standing) internal {
        Standing actual = standingOf[recipient];
        if (Policy.isStricter(standing, actual)) _setStanding(recipient, actual, standing);
    }

    function _setSuccessor(address next) internal {
        emit SuccessorSet(successor, next);
        successor = next;
    }

    function _requireNotFrozen(Hot h) internal view {
        uint256 until = h.haltedUntil();
        if (block.timestamp < until) revert VaultFrozen(until);
    }

    // ── Reading the policy ───────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IVault
    function packedTier(uint256 index) public view returns (PackedTier) {
        return index == 0 ? hot.firstTier() : _tiers[index];
    }

    /// @dev The same for who has loaded `hot`.
    function _tierOf(Hot h, uint256 index) internal view returns (PackedTier) {
        return index == 0 ? h.firstTier() : _tiers[index];
    }

    /// @dev Cap in force. [units]
    function _capOf(Hot h, PackedTier t) internal view returns (uint256 cap) {
        cap = t.cap();
        if (block.timestamp < h.settledAt() && t.capBefore() < cap) cap = t.capBefore();
    }

    /// @inheritdoc IVault
    function tier(uint256 index) public view returns (Tier memory row) {
        PackedTier t = packedTier(index);
        if (!t.exists()) revert VaultTierUnknown(index, tierCount);
        return _unpack(t);
    }

    /// @dev A row in base units; all zero if there is none.
    function _unpack(PackedTier t) private view returns (Tier memory row) {
        (uint256 approvals, uint256 delay) = t.terms();
        (row.approvals, row.delay) = (approvals.toUint8(), delay.toUint32());
        row.maxKnown = (t.maxKnown() * unit).toUint128();
        row.maxUnknown = (t.maxUnknown() * unit).toUint128();
        row.cap = (t.cap() * unit).toUint128();
    }

    /// @inheritdoc IVault
    function signers() external view returns (address[] memory) {
        return _signers;
    }

    /// @inheritdoc IVault
    function guardians() external view returns (address[] memory) {
        return _guardians;
    }
}
