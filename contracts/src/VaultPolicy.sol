// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "./interfaces/IVault.sol";
import {Policy} from "./libraries/Policy.sol";
import {TokenCall} from "./libraries/TokenCall.sol";
import {Hot} from "./types/Hot.sol";
import {Member} from "./types/Member.sol";
import {PackedTier, PackedTierFields} from "./types/PackedTier.sol";
import {Configuration, Role, Standing, Tier} from "./types/VaultTypes.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title VaultPolicy
/// @notice Who may do what in a vault and how much may leave: the state that policy changes alter, and its views.
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
    /// @dev Tiers 1 to 3; tier 0 lives in `hot`.
    mapping(uint256 tier => PackedTier) private _tiers;
    /// @inheritdoc IVault
    mapping(address account => Member) public member;
    /// @inheritdoc IVault
    mapping(address recipient => Standing) public standingOf;
    address[] private _signers;
    address[] private _guardians;

    constructor(Configuration memory c) {
        if (c.token.code.length == 0) revert VaultTokenInvalid(c.token);
        c.token.balanceOf(address(this)); // reverts if the balance cannot be read, for then nothing could ever be paid
        Policy.checkBounds(c.unit, c.hardCeiling, c.policyDelayFloor);
        (token, unit, hardCeiling, policyDelayFloor) = (c.token, c.unit, c.hardCeiling, c.policyDelayFloor);
        emit VaultCreated(c.token, c.unit, c.hardCeiling, c.policyDelayFloor);

        Policy.check(c.tiers, c.signers.length, c.threshold, c.policyDelay, c.unit, c.hardCeiling, c.policyDelayFloor);
        _writeSigners(c.signers, c.threshold);
        _writeTiers(c.tiers, c.policyDelay);
        _setGuardians(c.guardians, c.guardiansUntil);
        for (uint256 i = 0; i < c.grants.length; ++i) {
            _checkUntil(i, c.grants[i].until);
            _setRole(c.grants[i].account, c.grants[i].role, 0, c.grants[i].until);
        }
        // Never paid, and never anything else: `_setStanding` takes none of the three.
        (standingOf[address(0)], standingOf[address(this)], standingOf[token]) =
        (Standing.Blocked, Standing.Blocked, Standing.Blocked);
        for (uint256 i = 0; i < c.known.length; ++i) {
            _setStanding(c.known[i], Standing.Unknown, Standing.Known);
        }
        if (c.successor != address(0)) _setSuccessor(c.successor);
    }

    // ── Changing the policy: each checks, writes, and emits old and new ──────────────────────────────────────────

    function _setSigners(address[] memory next, uint8 nextThreshold) internal {
        _check(_allTiers(), next.length, nextThreshold, policyDelay);
        _writeSigners(next, nextThreshold);
    }

    /// @dev While old charges are in the windows each cap is the smaller of old and new, and tiers cannot change again:
    /// otherwise moving a cap between tiers, or back and forth, would let more through in a day than either policy.
    function _setTiers(Tier[] memory next, uint32 nextDelay) internal {
        uint256 settledAt = hot.settledAt();
        if (block.timestamp < settledAt) revert VaultTiersCoolingDown(settledAt);
        _check(next, _signers.length, threshold, nextDelay);
        _writeTiers(next, nextDelay);
        hot = hot.withTiersChangedAt(block.timestamp);
    }

    function _setGuardians(address[] memory next, uint256 until) internal {
        Policy.inRange(Policy.Field.GuardianCount, 0, next.length, 1, Policy.MAX_GUARDIANS);
        address[] memory old = _guardians;
        for (uint256 i = 0; i < old.length; ++i) {
            _moveRole(old[i], Role.Guardian, 0);
        }
        _checkUntil(0, until);
        for (uint256 i = 0; i < next.length; ++i) {
            if (_moveRole(next[i], Role.Guardian, until) != 0) revert VaultAddressInvalid(next[i]); // listed twice
        }
        _guardians = next;
    }

    function _setRole(address account, Role role, uint256 oldUntil, uint256 until) internal {
        if (role == Role.Guardian) revert VaultRoleNotGrantable(role);
        uint256 actual = _moveRole(account, role, until);
        if (actual != oldUntil) revert VaultRoleStale(account, role, oldUntil, actual);
    }

    function _setStanding(address recipient, Standing oldStanding, Standing standing) internal {
        _checkAddress(recipient);
        Standing actual = standingOf[recipient];
        if (actual != oldStanding) revert VaultStandingStale(recipient, oldStanding, actual);
        standingOf[recipient] = standing;
        emit RecipientSet(recipient, actual, standing);
    }

    function _setSuccessor(address next) internal {
        if (next != address(0)) _checkAddress(next);
        emit SuccessorSet(successor, next);
        successor = next;
    }

    /// @dev Grants a role until a time, or takes it (0).
    function _moveRole(address account, Role role, uint256 until) internal returns (uint256 old) {
        _checkAddress(account);
        if (until != 0) _checkUntil(0, until);
        Member m = member[account];
        old = m.until(role);
        member[account] = m.withUntil(role, until);
        emit RoleSet(account, role, old, until);
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
            _checkAddress(next[i]);
            Member m = member[next[i]];
            if (m.isSigner()) revert VaultAddressInvalid(next[i]); // listed twice
            member[next[i]] = m.withSigner(epoch, i);
        }
        emit SignersSet(epoch, old, next, threshold, nextThreshold);
        _signers = next;
        threshold = nextThreshold;
    }

    function _writeTiers(Tier[] memory next, uint32 nextDelay) private {
        uint256 oldCount = tierCount;
        for (uint256 k = 0; k < next.length || k < oldCount; ++k) {
            Tier memory was;
            Tier memory row; // all zero beyond the last
            if (k < oldCount) was = tier(k);
            if (k < next.length) row = next[k];
            PackedTier t =
                PackedTierFields.pack(row.maxKnown / unit, row.maxUnknown / unit, row.cap / unit, was.cap / unit);
            t = t.withTerms(row.approvals, row.delay);
            if (k == 0) hot = hot.withFirstTier(t);
            else _tiers[k] = t;
            emit TierSet(k, was, row);
        }
        emit PolicyDelaySet(policyDelay, nextDelay);
        tierCount = next.length.toUint8();
        policyDelay = nextDelay;
    }

    function _check(Tier[] memory tiers, uint256 signerCount, uint256 nextThreshold, uint256 delay) private view {
        Policy.check(tiers, signerCount, nextThreshold, delay, unit, hardCeiling, policyDelayFloor);
    }

    /// @dev `index` is that of the grant.
    function _checkUntil(uint256 index, uint256 until) private view {
        uint256 time = block.timestamp;
        Policy.inRange(Policy.Field.GrantUntil, index, until, time + 1, time + Policy.MAX_GRANT);
    }

    function _checkAddress(address account) private view {
        if (account == address(0) || account == address(this) || account == token) revert VaultAddressInvalid(account);
    }

    function _allTiers() private view returns (Tier[] memory all) {
        all = new Tier[](tierCount);
        for (uint256 k = 0; k < all.length; ++k) {
            all[k] = tier(k);
        }
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
