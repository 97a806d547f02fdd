// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "./interfaces/IVault.sol";
import {PackedPayments} from "./libraries/PackedPayments.sol";
import {Policy} from "./libraries/Policy.sol";
import {RollingCap} from "./libraries/RollingCap.sol";
import {Hot} from "./types/Hot.sol";
import {Member} from "./types/Member.sol";
import {PackedTier} from "./types/PackedTier.sol";
import {Proposal, Terms} from "./types/Proposal.sol";
import {
    Batch,
    Blocker,
    ChangeKind,
    Explanation,
    GuardiansChange,
    Party,
    Preview,
    RecipientsChange,
    Refusal,
    Role,
    RoleChange,
    Standing,
    State,
    Tier,
    TiersChange,
    UnfreezeChange
} from "./types/VaultTypes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title VaultLens
/// @notice Answers questions about any vault: what may be paid, what a proposal waits for, how much may leave.
/// Holds nothing, may do nothing; kept apart so that the vault stays small. Amounts are base units, times seconds.
contract VaultLens {
    using PackedPayments for bytes;
    using RollingCap for uint256;
    using SafeCast for uint256;

    // ── What may be paid now ─────────────────────────────────────────────────────────────────────────────────────

    /// @notice What the policy says of each packed payment now. Says nothing of numbers, of the vault's balance or of a freeze.
    /// @param payments Packed payments, 48 bytes each, any number of them.
    function preview(IVault vault, bytes calldata payments) external view returns (Preview[] memory all) {
        if (payments.length % PackedPayments.SIZE != 0) revert IVault.VaultCountInvalid(0, payments.length);
        all = new Preview[](payments.length / PackedPayments.SIZE);
        Tier[] memory rows = tiers(vault);
        uint256[] memory rooms = new uint256[](rows.length);
        for (uint256 k = 0; k < rows.length; ++k) {
            rooms[k] = vault.headroom(k);
        }
        for (uint256 i = 0; i < all.length; ++i) {
            (address recipient, uint256 amount) = payments.item(i);
            all[i] = _preview(vault, rows, rooms, recipient, amount);
        }
    }

    /// @notice First second at which `total` fits the tier's cap if nothing else leaves; 0 if it never does.
    function fitsAt(IVault vault, uint256 tier, uint256 total) public view returns (uint256) {
        uint256 unit = vault.unit();
        uint256 units = Math.ceilDiv(total, unit);
        uint256 time = block.timestamp;
        uint256 window = vault.window(tier);
        uint256 settledAt = vault.hot().settledAt();
        uint256 first = window.fitsAt(time, units, capInForce(vault, tier) / unit);
        if (time >= settledAt || (first != 0 && first < settledAt)) return first;
        return window.fitsAt(settledAt, units, vault.packedTier(tier).cap());
    }

    /// @notice Cap in force: for 28 h after a change of tiers the smaller of old and new; 0 if there is no such tier.
    function capInForce(IVault vault, uint256 tier) public view returns (uint256) {
        PackedTier t = vault.packedTier(tier);
        bool settling = block.timestamp < vault.hot().settledAt();
        return (settling && t.capBefore() < t.cap() ? t.capBefore() : t.cap()) * vault.unit();
    }

    /// @notice Most that can leave in any 24 hours from now on.
    /// @return automatic With the keeper's key alone.
    /// @return policy Under today's policy, whoever approves.
    /// @return ceiling With every key stolen, whatever the policy is changed to.
    function maxLossPerDay(IVault vault) external view returns (uint256 automatic, uint256 policy, uint256 ceiling) {
        for (uint256 k = 0; k < vault.tierCount(); ++k) {
            PackedTier t = vault.packedTier(k);
            uint256 cap = t.cap() * vault.unit();
            if (t.isAutomatic()) automatic += cap;
            policy += cap;
        }
        ceiling = vault.hardCeiling();
    }

    // ── Proposals ────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice What a proposal waits for, as far as its id tells: `explainBatch` also looks at the cap, `explainChange` at
    /// what its kind of change waits for.
    function explain(IVault vault, bytes32 id) external view returns (Explanation memory) {
        return _inTime(_explain(vault, id));
    }

    /// @notice What a proposed batch waits for, the cap included, as if all of it were open.
    function explainBatch(IVault vault, Batch calldata batch) external view returns (Explanation memory e) {
        e = _explain(vault, vault.hashBatch(batch));
        if (e.earliest == 0) return e;
        uint256 fits = fitsAt(vault, batch.tier, batch.total);
        if (fits == 0) {
            (e.earliest, e.blocker) = (0, Blocker.Cap);
            return e;
        }
        return _inTime(_waitFor(e, fits, Blocker.Cap));
    }

    /// @notice What a proposed change waits for: also the freeze, if it is a sweep, and the 28 hours after a change of tiers,
    /// if it is another. `Stale` as long as what it changes is not as it states, which for tiers is for good, while a role or standing
    /// can come to be so again; or if the freeze that it ends, or the time that it grants, is over. Whether the signers can give
    /// the approvals that tiers ask for is not looked at.
    function explainChange(IVault vault, ChangeKind kind, bytes calldata change)
        external
        view
        returns (Explanation memory e)
    {
        bytes32 id = vault.hashChange(kind, change);
        e = _explain(vault, id);
        if (e.state == State.None || e.state >= State.Executed) return e;
        if (!vault.proposal(id).instant() && _isStale(vault, kind, change)) {
            (e.earliest, e.blocker) = (0, Blocker.Stale);
        }
        uint256 end = _endOf(kind, change);
        if (block.timestamp >= end) (e.earliest, e.blocker) = (0, Blocker.Stale);
        if (e.earliest >= end) e.earliest = 0;
        if (e.earliest == 0) return e;
        if (kind == ChangeKind.Sweep) e = _waitFor(e, vault.hot().haltedUntil(), Blocker.Frozen);
        if (kind == ChangeKind.Tiers) e = _waitFor(e, vault.hot().settledAt(), Blocker.TiersSettling);
        return _inTime(e);
    }

    /// @dev Whether the vault holds another value than the one that the change starts from.
    function _isStale(IVault vault, ChangeKind kind, bytes calldata change) private view returns (bool) {
        if (kind == ChangeKind.Tiers) {
            return abi.decode(change, (TiersChange)).oldTermsChangedAt != vault.termsChangedAt();
        }
        if (kind == ChangeKind.Role) {
            RoleChange memory c = abi.decode(change, (RoleChange));
            return c.oldUntil != vault.member(c.account).until(c.role);
        }
        if (kind == ChangeKind.Unfreeze) {
            return abi.decode(change, (UnfreezeChange)).haltedUntil != vault.hot().haltedUntil();
        }
        if (kind != ChangeKind.Recipients) return false;
        RecipientsChange memory r = abi.decode(change, (RecipientsChange));
        for (uint256 i = 0; i < r.recipients.length; ++i) {
            if (vault.standingOf(r.recipients[i]) != r.oldStanding) return true;
        }
        return false;
    }

    /// @dev First second at which nothing is left of what the change ends or grants. What only tightens has no such time.
    function _endOf(ChangeKind kind, bytes calldata change) private pure returns (uint256) {
        if (kind == ChangeKind.Unfreeze) return abi.decode(change, (UnfreezeChange)).haltedUntil;
        if (kind == ChangeKind.Guardians) return abi.decode(change, (GuardiansChange)).until;
        if (kind != ChangeKind.Role) return type(uint256).max;
        RoleChange memory c = abi.decode(change, (RoleChange));
        return c.until < c.oldUntil ? type(uint256).max : c.until;
    }

    /// @dev Not yet held against its end.
    function _explain(IVault vault, bytes32 id) private view returns (Explanation memory e) {
        Proposal p = vault.proposal(id);
        e.state = vault.stateOf(id);
        if (e.state == State.None) {
            e.blocker = Blocker.NotProposed;
            return e;
        }
        Terms memory t = _terms(vault, p);
        (uint256 required, uint256 delay) = p.needs(t);
        (e.required, e.delay) = (required.toUint8(), delay.toUint32());
        e.votes = p.voteCount(vault.hot().epoch()).toUint8();
        e.expiresAt = p.expiresAt().toUint40();

        if (e.state >= State.Executed) {
            e.blocker = Blocker.Final;
        } else if (!p.isChange() && !vault.packedTier(p.tier()).exists()) {
            e.blocker = Blocker.TierGone;
        } else if (e.state == State.Proposed) {
            e.blocker = Blocker.Votes;
        } else {
            e.quorumAt = p.quorumAt().toUint40();
            e.earliest = p.readyAt(t).toUint40();
            if (e.state == State.Queued) e.blocker = Blocker.Delay;
            if (!p.isChange()) e = _waitFor(e, vault.hot().haltedUntil(), Blocker.Frozen);
        }
    }

    /// @dev What the policy asks of a proposal now.
    function _terms(IVault vault, Proposal p) private view returns (Terms memory) {
        if (p.isChange()) return Terms(vault.threshold(), p.instant() ? 0 : vault.policyDelay(), 0);
        (uint256 required, uint256 delay) = vault.packedTier(p.tier()).terms();
        return Terms(required, delay, vault.termsChangedAt());
    }

    /// @dev One more thing that is gone at `time`. What lasts longest is what blocks, but a delay that runs is named first.
    function _waitFor(Explanation memory e, uint256 time, Blocker blocker) private view returns (Explanation memory) {
        if (time <= block.timestamp) return e;
        if (e.blocker == Blocker.None || (time > e.earliest && time >= e.expiresAt)) e.blocker = blocker;
        if (time > e.earliest) e.earliest = time.toUint40();
        return e;
    }

    /// @dev No time beyond the end: what blocks then is the reason why it is never executed.
    function _inTime(Explanation memory e) private pure returns (Explanation memory) {
        if (e.earliest >= e.expiresAt) e.earliest = 0;
        return e;
    }

    /// @notice Whether the signer's vote counts for `id` now.
    function hasApproved(IVault vault, bytes32 id, address signer) external view returns (bool) {
        Member m = vault.member(signer);
        return m.isSigner() && vault.proposal(id).hasVote(m.signerEpoch(), m.signerIndex());
    }

    // ── Policy ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice The release policy.
    function tiers(IVault vault) public view returns (Tier[] memory rows) {
        rows = new Tier[](vault.tierCount());
        for (uint256 k = 0; k < rows.length; ++k) {
            rows[k] = vault.tier(k);
        }
    }

    /// @notice Roles and voting right of an address.
    function party(IVault vault, address account) external view returns (Party memory p) {
        Member m = vault.member(account);
        p.keeperUntil = m.until(Role.Keeper).toUint40();
        p.proposerUntil = m.until(Role.Proposer).toUint40();
        p.guardianUntil = m.until(Role.Guardian).toUint40();
        p.freezeAgainAt = m.freezeAgainAt().toUint40();
        p.isSigner = m.isSigner();
    }

    /// @notice First second at which payments flow again; 0 or past if the vault is not frozen.
    function haltedUntil(IVault vault) external view returns (uint256) {
        return vault.hot().haltedUntil();
    }

    /// @notice How long a freeze lasts: the policy delay and two days.
    function freezeLength(IVault vault) external view returns (uint256) {
        return vault.policyDelay() + Policy.FREEZE_MARGIN;
    }

    /// @notice When the tiers may change again; caps are tightened until then. 0 if no ordinary change was made.
    function tiersSettledAt(IVault vault) external view returns (uint256) {
        return vault.hot().settledAt();
    }

    /// @notice Counts signer sets from 1.
    function epoch(IVault vault) external view returns (uint256) {
        return vault.hot().epoch();
    }

    function _preview(IVault vault, Tier[] memory rows, uint256[] memory rooms, address recipient, uint256 amount)
        private
        view
        returns (Preview memory p)
    {
        Standing standing = vault.standingOf(recipient);
        (p.tier, p.tierWithRoom) = (type(uint8).max, type(uint8).max);
        if (standing == Standing.Blocked) {
            p.refusal = Refusal.BlockedRecipient;
        } else if (amount == 0) {
            p.refusal = Refusal.ZeroAmount;
        } else {
            p.refusal = Refusal.AboveLimit;
            for (uint256 above = rows.length; above > 0; --above) {
                uint256 k = above - 1;
                uint256 limit = standing == Standing.Known ? rows[k].maxKnown : rows[k].maxUnknown;
                if (amount > limit) break; // limits never rise towards the lower tiers
                (p.refusal, p.tier) = (Refusal.None, k.toUint8());
                if (amount <= rooms[k]) p.tierWithRoom = p.tier;
            }
        }
    }
}
