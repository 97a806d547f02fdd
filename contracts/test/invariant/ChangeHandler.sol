// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Policy} from "../../src/libraries/Policy.sol";
import {
    ChangeKind,
    GuardiansChange,
    RecipientsChange,
    Role,
    RoleChange,
    SignersChange,
    Standing,
    State,
    SuccessorChange,
    SweepChange,
    Tier,
    TiersChange,
    TightenChange,
    UnfreezeChange
} from "../../src/types/VaultTypes.sol";
import {GhostVotes} from "./GhostVotes.sol";
import {PaymentHandler} from "./PaymentHandler.sol";

/// @notice Policy changes of every kind: most can take effect, some come too late to, some break a rule.
abstract contract ChangeHandler is PaymentHandler {
    uint256 private constant TOP_APPROVALS = 3; // the smallest signer set can give them
    uint256 private constant MAX_DELAY = MAX_LIFE - 7 days - SETTLE;
    uint64 private _nonce;

    // ── Actions ──────────────────────────────────────────────────────────────────────────────────────────────────

    function proposeChange(uint256 seed) external step {
        _proposeChange(seed, ChangeKind(_roll(seed, "change", uint256(type(ChangeKind).max) + 1)));
    }

    /// @notice The changes that move the most.
    function proposeTiersOrSigners(uint256 seed) external step {
        _proposeChange(seed, [ChangeKind.Signers, ChangeKind.Tiers, ChangeKind.Tighten][_roll(seed, "change", 3)]);
    }

    function executeChange(uint256 seed) external step {
        bytes32 id = _pick(seed, true, State.Ready);
        if (id != 0) _executeChange(seed, id);
    }

    // ── Calls ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev A change as it is proposed now, by nobody yet.
    function _newChange(uint256 seed, ChangeKind kind) internal returns (GhostVotes.Item memory item) {
        item.expiresAt = time + ghost.policyDelay() + SETTLE;
        item.expiresAt = _oneIn(16, seed, "odd life")
            ? item.expiresAt - 1
            : item.expiresAt + _roll(seed, "life", time + MAX_LIFE - item.expiresAt + 1);
        item.content = _encode(seed, kind, uint40(item.expiresAt));
        bytes32 old = _pick(seed, true, State.Expired);
        if (old != 0 && _oneIn(16, seed, "twice")) item = ghost.itemOf(old);
        else item.kind = kind;
        item.isChange = true;
        item.id = vault.hashChange(item.kind, item.content);
        item.instant = _onlyTightens(item);
        (item.required, item.delay) = (ghost.threshold(), item.instant ? 0 : ghost.policyDelay());
    }

    /// @dev Why a change cannot be proposed, whoever does it.
    function _predictNewChange(GhostVotes.Item memory item) internal view returns (bytes memory reason) {
        reason = _predictRules(item);
        uint256 least = item.instant ? 1 : item.delay + SETTLE;
        if (reason.length == 0) reason = _predictOpen(item.id, item.expiresAt, least);
    }

    function _proposeChange(uint256 seed, ChangeKind kind) internal returns (bytes32) {
        GhostVotes.Item memory item = _newChange(seed, kind);
        item.proposedBy = _mostly(seed, Role.Proposer, true);
        bytes memory reason = _predictNewChange(item);
        if (reason.length == 0) reason = _predictProposer(item.proposedBy);
        bool enacts = item.instant && item.required == 1 && ghost.isSigner(item.proposedBy);
        if (reason.length == 0 && enacts) reason = _predictTighten(item);
        (bool done,) = _call(item.proposedBy, abi.encodeCall(IVault.proposeChange, (item.kind, item.content)), reason);
        if (!done) return item.id;
        ghost.open(item, time);
        _settle(item.id);
        return item.id;
    }

    /// @dev After a vote: what only tightens takes effect with its quorum.
    function _settle(bytes32 id) internal {
        GhostVotes.Item memory item = ghost.itemOf(id);
        if (!item.instant || !ghost.isRunning(id)) return;
        ghost.enact(id, time);
        if (item.kind == ChangeKind.Tighten) {
            ghost.tightenTiers(abi.decode(item.content, (TightenChange)).tiers, time);
        } else if (item.kind == ChangeKind.Recipients) {
            RecipientsChange memory c = abi.decode(item.content, (RecipientsChange));
            for (uint256 i = 0; i < c.recipients.length; ++i) {
                if (_isStricter(c.standing, ghost.standing(c.recipients[i]))) {
                    ghost.setStanding(c.recipients[i], c.standing);
                }
            }
        } else {
            RoleChange memory c = abi.decode(item.content, (RoleChange));
            if (c.until < ghost.until(c.account, c.role)) ghost.setRole(c.account, c.role, c.until);
        }
    }

    function _onlyTightens(GhostVotes.Item memory item) private view returns (bool) {
        if (item.kind == ChangeKind.Tighten) return true;
        if (item.kind == ChangeKind.Recipients) {
            RecipientsChange memory c = abi.decode(item.content, (RecipientsChange));
            return _isStricter(c.standing, c.oldStanding);
        }
        if (item.kind != ChangeKind.Role) return false;
        RoleChange memory r = abi.decode(item.content, (RoleChange));
        return r.until < r.oldUntil;
    }

    /// @dev Known is paid the most, unknown less, blocked nothing.
    function _isStricter(Standing a, Standing b) private pure returns (bool) {
        uint256[3] memory rank = [uint256(1), 0, 2];
        return rank[uint256(a)] > rank[uint256(b)];
    }

    function _executeChange(uint256 seed, bytes32 id) internal {
        GhostVotes.Item memory item = ghost.itemOf(id);
        address caller = _mostly(seed, Role.Keeper, true);
        bytes memory reason = _predictReady(caller, id);
        if (reason.length == 0) reason = _predictEnact(item);
        (bool done,) = _call(caller, abi.encodeCall(IVault.executeChange, (item.kind, item.content)), reason);
        if (!done) return;
        ghost.enact(id, time);
        _enact(item);
    }

    function _enact(GhostVotes.Item memory item) private {
        if (item.kind == ChangeKind.Signers) {
            SignersChange memory c = abi.decode(item.content, (SignersChange));
            ghost.setSigners(c.signers, c.threshold);
        } else if (item.kind == ChangeKind.Tiers) {
            TiersChange memory c = abi.decode(item.content, (TiersChange));
            ghost.setTiers(c.tiers, c.policyDelay, time);
        } else if (item.kind == ChangeKind.Recipients) {
            RecipientsChange memory c = abi.decode(item.content, (RecipientsChange));
            for (uint256 i = 0; i < c.recipients.length; ++i) {
                ghost.setStanding(c.recipients[i], c.standing);
            }
        } else if (item.kind == ChangeKind.Role) {
            RoleChange memory c = abi.decode(item.content, (RoleChange));
            ghost.setRole(c.account, c.role, c.until);
        } else if (item.kind == ChangeKind.Guardians) {
            GuardiansChange memory c = abi.decode(item.content, (GuardiansChange));
            ghost.setGuardians(c.guardians, c.until);
        } else if (item.kind == ChangeKind.Unfreeze) {
            ghost.unfreeze();
        } else if (item.kind == ChangeKind.Successor) {
            ghost.setSuccessor(abi.decode(item.content, (SuccessorChange)).successor);
        }
    }

    // ── Predictions: why a change can never take effect ──────────────────────────────────────────────────────────

    function _predictRules(GhostVotes.Item memory item) private view returns (bytes memory reason) {
        uint256 earliest = time + ghost.policyDelay();
        if (item.kind == ChangeKind.Signers) {
            SignersChange memory c = abi.decode(item.content, (SignersChange));
            return _range(Policy.Field.Threshold, 0, c.threshold, 1, c.signers.length);
        } else if (item.kind == ChangeKind.Tiers) {
            TiersChange memory c = abi.decode(item.content, (TiersChange));
            reason = _predictTiers(c.tiers, c.policyDelay);
            if (reason.length == 0) reason = _predictFresh(c);
        } else if (item.kind == ChangeKind.Recipients) {
            RecipientsChange memory c = abi.decode(item.content, (RecipientsChange));
            for (uint256 i = 0; i < c.recipients.length && reason.length == 0; ++i) {
                reason = _predictAddress(c.recipients[i]);
            }
        } else if (item.kind == ChangeKind.Role) {
            RoleChange memory c = abi.decode(item.content, (RoleChange));
            if (c.role == Role.Guardian) return abi.encodeWithSelector(IVault.VaultRoleNotGrantable.selector, c.role);
            if (!item.instant) return _predictUntil(c.until, earliest, item.expiresAt);
        } else if (item.kind == ChangeKind.Guardians) {
            return _predictUntil(abi.decode(item.content, (GuardiansChange)).until, earliest, item.expiresAt);
        } else if (item.kind == ChangeKind.Unfreeze) {
            return _predictUnfreeze(abi.decode(item.content, (UnfreezeChange)).haltedUntil, earliest);
        } else if (item.kind == ChangeKind.Sweep) {
            address swept = abi.decode(item.content, (SweepChange)).token;
            if (swept == address(token)) return abi.encodeWithSelector(IVault.VaultSweepOfToken.selector, swept);
        } else if (item.kind == ChangeKind.Tighten) {
            reason = _predictTiers(abi.decode(item.content, (TightenChange)).tiers, ghost.policyDelay());
            if (reason.length == 0) reason = _predictTighten(item);
        }
    }

    function _predictAddress(address account) private view returns (bytes memory reason) {
        if (account == address(0) || account == address(vault) || account == address(token)) {
            reason = abi.encodeWithSelector(IVault.VaultAddressInvalid.selector, account);
        }
    }

    function _predictUntil(uint256 until, uint256 earliest, uint256 latest) private pure returns (bytes memory) {
        return _range(Policy.Field.GrantUntil, 0, until, earliest + 1, latest + 400 days);
    }

    function _predictUnfreeze(uint256 stated, uint256 earliest) private view returns (bytes memory reason) {
        uint256 actual = ghost.haltedUntil();
        if (stated != actual || earliest >= actual) {
            reason = abi.encodeWithSelector(IVault.VaultUnfreezeStale.selector, stated, actual);
        }
    }

    /// @dev The first rule that tiers break by themselves. Limits are whole units.
    function _predictTiers(Tier[] memory rows, uint256 delay) private pure returns (bytes memory reason) {
        reason = _range(Policy.Field.PolicyDelay, 0, delay, 1 days, MAX_DELAY);
        Tier memory below;
        uint256 sum;
        for (uint256 k = 0; k < rows.length && reason.length == 0; ++k) {
            reason = _predictRow(rows[k], below, k);
            sum += rows[k].cap;
            below = rows[k];
        }
        if (reason.length == 0) reason = _range(Policy.Field.CapSum, 0, sum, UNIT, CEILING);
    }

    function _predictRow(Tier memory row, Tier memory below, uint256 k) private pure returns (bytes memory reason) {
        reason = _range(Policy.Field.Cap, k, row.cap, UNIT, CEILING);
        if (reason.length != 0) return reason;
        reason = _range(Policy.Field.MaxKnown, k, row.maxKnown, k == 0 ? UNIT : below.maxKnown, row.cap);
        if (reason.length != 0) return reason;
        reason = _range(Policy.Field.MaxUnknown, k, row.maxUnknown, below.maxUnknown, row.maxKnown);
        if (reason.length != 0) return reason;
        reason = _range(Policy.Field.Approvals, k, row.approvals, below.approvals, 32);
        if (reason.length == 0) reason = _range(Policy.Field.Delay, k, row.delay, below.delay, MAX_DELAY);
    }

    // ── Predictions: why a change does not take effect now ───────────────────────────────────────────────────────

    function _predictEnact(GhostVotes.Item memory item) private view returns (bytes memory reason) {
        if (item.kind == ChangeKind.Signers) {
            SignersChange memory c = abi.decode(item.content, (SignersChange));
            return _predictQuorum(ghost.tiers(), c.signers.length, c.threshold);
        } else if (item.kind == ChangeKind.Tiers) {
            TiersChange memory c = abi.decode(item.content, (TiersChange));
            reason = _predictFresh(c);
            if (reason.length == 0) reason = _predictQuorum(c.tiers, ghost.signers().length, ghost.threshold());
            uint256 settledAt = ghost.settledAt();
            if (reason.length != 0 || time >= settledAt) return reason;
            return abi.encodeWithSelector(IVault.VaultTiersCoolingDown.selector, settledAt);
        } else if (item.kind == ChangeKind.Recipients) {
            return _predictRecipients(abi.decode(item.content, (RecipientsChange)));
        } else if (item.kind == ChangeKind.Role) {
            return _predictRole(abi.decode(item.content, (RoleChange)));
        } else if (item.kind == ChangeKind.Unfreeze) {
            return _predictUnfreeze(abi.decode(item.content, (UnfreezeChange)).haltedUntil, time);
        } else if (item.kind == ChangeKind.Sweep) {
            return _predictSweep(abi.decode(item.content, (SweepChange)).token);
        }
    }

    /// @dev What stops a change that only tightens: signers too few for it.
    function _predictTighten(GhostVotes.Item memory item) internal view returns (bytes memory reason) {
        if (item.kind != ChangeKind.Tighten) return "";
        Tier[] memory stated = abi.decode(item.content, (TightenChange)).tiers;
        return _predictQuorum(ghost.strictest(stated), ghost.signers().length, ghost.threshold());
    }

    /// @dev Whether the tiers are still those that the change starts from.
    function _predictFresh(TiersChange memory c) private view returns (bytes memory reason) {
        uint256 actual = ghost.termsChangedAt();
        if (c.oldTermsChangedAt != actual) {
            reason = abi.encodeWithSelector(IVault.VaultTiersStale.selector, c.oldTermsChangedAt, actual);
        }
    }

    /// @dev The first tier whose approvals the signers cannot give, or that asks for fewer than a change.
    function _predictQuorum(Tier[] memory rows, uint256 signers, uint256 threshold)
        private
        pure
        returns (bytes memory reason)
    {
        for (uint256 k = 0; k < rows.length && reason.length == 0; ++k) {
            uint256 least = k == rows.length - 1 ? threshold : 0;
            reason = _range(Policy.Field.Approvals, k, rows[k].approvals, least, signers);
        }
    }

    function _range(Policy.Field field, uint256 index, uint256 value, uint256 least, uint256 most)
        private
        pure
        returns (bytes memory)
    {
        if (value >= least && value <= most) return "";
        return abi.encodeWithSelector(Policy.PolicyOutOfRange.selector, field, index, value, least, most);
    }

    function _predictRecipients(RecipientsChange memory c) private view returns (bytes memory) {
        for (uint256 i = 0; i < c.recipients.length; ++i) {
            address recipient = c.recipients[i];
            Standing actual = ghost.standing(recipient);
            if (actual != c.oldStanding) {
                return abi.encodeWithSelector(IVault.VaultStandingStale.selector, recipient, c.oldStanding, actual);
            }
        }
        return "";
    }

    function _predictRole(RoleChange memory c) private view returns (bytes memory reason) {
        uint256 actual = ghost.until(c.account, c.role);
        if (actual != c.oldUntil) {
            reason = abi.encodeWithSelector(IVault.VaultRoleStale.selector, c.account, c.role, c.oldUntil, actual);
        }
    }

    function _predictSweep(address swept) private view returns (bytes memory reason) {
        if (time < ghost.haltedUntil()) {
            return abi.encodeWithSelector(IVault.VaultFrozen.selector, ghost.haltedUntil());
        }
        (address heir, uint256 amount) = (ghost.successor(), stray.balanceOf(address(vault)));
        if (heir == address(0) || amount == 0) {
            reason = abi.encodeWithSelector(IVault.VaultSweepFailed.selector, swept, heir, amount);
        }
    }

    // ── Making changes ───────────────────────────────────────────────────────────────────────────────────────────

    function _encode(uint256 seed, ChangeKind kind, uint40 expiresAt) private returns (bytes memory) {
        uint64 nonce = ++_nonce;
        if (kind == ChangeKind.Signers) return abi.encode(_signersChange(seed, nonce, expiresAt));
        if (kind == ChangeKind.Tiers) return abi.encode(_tiersChange(seed, nonce, expiresAt));
        if (kind == ChangeKind.Recipients) return abi.encode(_recipientsChange(seed, nonce, expiresAt));
        if (kind == ChangeKind.Role) return abi.encode(_roleChange(seed, nonce, expiresAt));
        if (kind == ChangeKind.Guardians) {
            address[] memory next = _slice(_people, _roll(seed, "first", 11), 1 + _roll(seed, "guardians", 3));
            return abi.encode(GuardiansChange(next, _end(seed), nonce, expiresAt));
        }
        if (kind == ChangeKind.Unfreeze) {
            uint256 halted = ghost.haltedUntil() + (_oneIn(8, seed, "stale") ? 1 : 0);
            return abi.encode(UnfreezeChange(uint40(halted), nonce, expiresAt));
        }
        if (kind == ChangeKind.Successor) {
            address next = _oneIn(4, seed, "none") ? address(0) : address(uint160(0x5CCE5500 + _roll(seed, "heir", 3)));
            return abi.encode(SuccessorChange(next, nonce, expiresAt));
        }
        if (kind == ChangeKind.Tighten) return abi.encode(_tightenChange(seed, nonce, expiresAt));
        return abi.encode(SweepChange(_oneIn(4, seed, "own token") ? address(token) : address(stray), nonce, expiresAt));
    }

    /// @dev Three to six of the people, so that some stay, some leave and some come back.
    function _signersChange(uint256 seed, uint64 nonce, uint40 expiresAt) private view returns (SignersChange memory) {
        address[] memory next = _slice(_people, _roll(seed, "first", 11), TOP_APPROVALS + _roll(seed, "signers", 4));
        uint256 threshold = 1 + _roll(seed, "threshold", TOP_APPROVALS);
        if (_oneIn(5, seed, "no threshold")) threshold = _oneIn(2, seed, "none") ? 0 : next.length + 1;
        return SignersChange(next, uint8(threshold), nonce, expiresAt);
    }

    /// @dev One to four rows, each no stricter than the next; the last asks for three approvals.
    function _tiersChange(uint256 seed, uint64 nonce, uint40 expiresAt) private view returns (TiersChange memory c) {
        c.tiers = new Tier[](_oneIn(8, seed, "one tier") ? 1 : 2 + _roll(seed, "tiers", 3));
        Tier memory row;
        for (uint256 k = 0; k < c.tiers.length; ++k) {
            uint256 own = uint256(keccak256(abi.encode(seed, k)));
            row.maxKnown += uint128((1 + _roll(own, "known", 5_000_000)) * UNIT);
            uint128 least = row.maxUnknown;
            row.maxUnknown = uint128(_roll(own, "unknown", (row.maxKnown - least) / UNIT + 1) * UNIT) + least;
            row.cap = row.maxKnown + uint128(_roll(own, "cap", 5_000_000) * UNIT); // at most 250,000 USDT
            if (k > 0 || _oneIn(4, own, "not automatic")) {
                row.approvals += uint8(_roll(own, "approvals", TOP_APPROVALS - row.approvals + 1));
                if (!_oneIn(2, own, "no delay")) row.delay += uint32(_roll(own, "delay", 20 hours));
            }
            if (k == c.tiers.length - 1) row.approvals = uint8(TOP_APPROVALS);
            c.tiers[k] = Tier(row.maxKnown, row.maxUnknown, row.cap, row.approvals, row.delay);
        }
        (c.policyDelay, c.nonce, c.expiresAt) =
        (uint32(1 days + (_oneIn(2, seed, "least delay") ? 0 : _roll(seed, "delay", 2 days))), nonce, expiresAt);
        c.oldTermsChangedAt = uint40(ghost.termsChangedAt()) - (_oneIn(8, seed, "stale") ? 1 : 0);
        _spoilPolicy(seed, c);
    }

    /// @dev Today's tiers with lower caps and limits, now and then more approvals or a longer delay, and what would loosen.
    function _tightenChange(uint256 seed, uint64 nonce, uint40 expiresAt)
        private
        view
        returns (TightenChange memory c)
    {
        (c.tiers, c.nonce, c.expiresAt) = (ghost.tiers(), nonce, expiresAt);
        if (_oneIn(8, seed, "other count")) c.tiers = _tiersChange(seed, nonce, expiresAt).tiers;
        for (uint256 k = 0; k < c.tiers.length; ++k) {
            Tier memory row = c.tiers[k];
            if (_oneIn(2, seed, "cap") && row.cap > row.maxKnown) {
                row.cap -= uint128((row.cap - row.maxKnown) / UNIT / 2 * UNIT);
            }
            if (_oneIn(4, seed, "unknown") && k == 0) row.maxUnknown = 0;
            if (_oneIn(4, seed, "delays") || _oneIn(8, seed, k == 0 ? "delay" : "delay above")) row.delay += 600;
            if (_oneIn(4, seed, "looser") && k == 0) (row.delay, row.approvals) = (0, 0);
        }
        Tier memory top = c.tiers[c.tiers.length - 1];
        if (_oneIn(6, seed, "approvals")) ++top.approvals;
    }

    /// @dev Breaks one rule of nearly every second policy; oftenest, a lower tier waits longer than the top one.
    function _spoilPolicy(uint256 seed, TiersChange memory c) private pure {
        uint256 rule = _roll(seed, "rule", 24);
        uint256 last = c.tiers.length - 1;
        Tier memory top = c.tiers[last];
        if (rule == 0) top.approvals = 200;
        else if (rule == 1) top.approvals = 0;
        else if (rule == 2) top.delay = uint32(_oneIn(2, seed, "a life") ? MAX_LIFE : MAX_DELAY + 1);
        else if (rule == 3 || rule > 20) c.tiers[0].delay = top.delay + 1;
        else if (rule == 4) c.tiers[0].maxKnown = top.cap + uint128(UNIT);
        else if (rule == 5) top.maxUnknown = top.maxKnown + uint128(UNIT);
        else if (rule == 6) top.cap = uint128(CEILING);
        else if (rule == 7) c.policyDelay = 1 days - 1;
    }

    function _recipientsChange(uint256 seed, uint64 nonce, uint40 expiresAt)
        private
        view
        returns (RecipientsChange memory c)
    {
        // Of the first six; the three that can never be known come last.
        uint256 first = _roll(seed, "first", _oneIn(4, seed, "never") ? _payees.length : 6);
        c.recipients = _slice(_payees, first, 1);
        c.oldStanding = _oneIn(8, seed, "stale") ? Standing(_roll(seed, "old", 3)) : ghost.standing(_payees[first]);
        c.standing = _oneIn(3, seed, "any") ? Standing(_roll(seed, "new", 3)) : Standing.Known;
        if (_oneIn(3, seed, "two") && first < 5 && ghost.standing(_payees[first + 1]) == c.oldStanding) {
            c.recipients = _slice(_payees, first, 2);
        }
        (c.nonce, c.expiresAt) = (nonce, expiresAt);
    }

    function _roleChange(uint256 seed, uint64 nonce, uint40 expiresAt) private view returns (RoleChange memory c) {
        (c.account, c.role) = (_anyone(seed), Role(_roll(seed, "role", 2)));
        if (_oneIn(16, seed, "guardian")) c.role = Role.Guardian;
        c.oldUntil = uint40(ghost.until(c.account, c.role)) + (_oneIn(8, seed, "stale") ? 1 : 0);
        c.until = _oneIn(4, seed, "take") ? 0 : _end(seed);
        (c.nonce, c.expiresAt) = (nonce, expiresAt);
    }

    /// @dev Past every proposal's life and within the longest grant.
    function _end(uint256 seed) private view returns (uint40) {
        return uint40(time + MAX_LIFE + 1 + _roll(seed, "end", 300 days));
    }
}
