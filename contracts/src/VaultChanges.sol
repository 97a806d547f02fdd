// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VaultProposals} from "./VaultProposals.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Changes} from "./libraries/Changes.sol";
import {Policy} from "./libraries/Policy.sol";
import {TokenCall} from "./libraries/TokenCall.sol";
import {Member} from "./types/Member.sol";
import {Proposal, Proposals, Terms} from "./types/Proposal.sol";
import {
    ChangeKind,
    GuardiansChange,
    RecipientsChange,
    Role,
    RoleChange,
    SignersChange,
    Standing,
    SuccessorChange,
    SweepChange,
    UnfreezeChange,
    Vote
} from "./types/VaultTypes.sol";

/// @title VaultChanges
/// @notice How a vault's policy changes: slowly what loosens, at once what only tightens.
abstract contract VaultChanges is VaultProposals {
    using TokenCall for address;

    // ── Proposed changes ─────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IVault
    function proposeChange(ChangeKind kind, bytes calldata change) external whenUnlocked returns (bytes32) {
        (Subject memory s, Proposal p) = _propose(kind, change);
        emit ChangeProposed(s.id, msg.sender, kind, change);
        _settle(s.id, kind, change, _openAsCaller(s.id, p));
        return s.id;
    }

    /// @inheritdoc IVault
    function proposeChangeBySig(ChangeKind kind, bytes calldata change, Vote[] calldata votes)
        external
        whenUnlocked
        returns (bytes32)
    {
        (Subject memory s, Proposal p) = _propose(kind, change);
        if (votes.length == 0) revert VaultVotesMissing();
        emit ChangeProposed(s.id, votes[0].signer, kind, change);
        _settle(s.id, kind, change, _approveBySig(s, p, votes, true));
        return s.id;
    }

    /// @inheritdoc IVault
    function approveChange(ChangeKind kind, bytes calldata change) external whenUnlocked {
        (Subject memory s,) = _subjectOf(kind, change);
        _settle(s.id, kind, change, _approve(s.id));
    }

    /// @inheritdoc IVault
    function approveChangeBySig(ChangeKind kind, bytes calldata change, Vote[] calldata votes) external whenUnlocked {
        (Subject memory s,) = _subjectOf(kind, change);
        _settle(s.id, kind, change, _approveBySig(s, _pending(s.id), votes, false));
    }

    /// @inheritdoc IVault
    function executeChange(ChangeKind kind, bytes calldata change) external lock {
        _requireExecutor();
        (Subject memory s,) = _subjectOf(kind, change);
        Proposal p = _proposals[s.id];
        _requireReady(s.id, p, hot.epoch(), _terms(p));
        _proposals[s.id] = p.executed();
        emit ChangeExecuted(s.id, kind);
        _enact(kind, change, false);
    }

    function _propose(ChangeKind kind, bytes calldata change) private view returns (Subject memory s, Proposal p) {
        uint256 expiresAt;
        (s, expiresAt) = _subjectOf(kind, change);
        Terms memory t = Terms(threshold, policyDelay, 0);
        bool instant = _rules.checkChange(kind, change);
        if (instant) t.delay = 0;
        // With a veto, a guardian that has one vote of a tightening could end it before the others arrive.
        bool vetoable = !instant && kind != ChangeKind.Guardians && kind != ChangeKind.Unfreeze;
        p = _create(s.id, Proposals.CHANGE, t, expiresAt, vetoable, instant);
    }

    /// @dev Stores a change after its votes. One that only tightens takes effect with its quorum: where all votes come in
    /// one call, nobody can order something between its proposal and its effect.
    function _settle(bytes32 id, ChangeKind kind, bytes calldata change, Proposal p) private {
        bool takesEffect = p.instant() && p.isRunning(hot.epoch(), _terms(p));
        _proposals[id] = takesEffect ? p.executed() : p;
        if (!takesEffect) return;
        emit ChangeExecuted(id, kind);
        _enact(kind, change, true);
    }

    function _subjectOf(ChangeKind kind, bytes calldata change)
        private
        view
        returns (Subject memory s, uint256 expiresAt)
    {
        (s.structHash, s.approval, expiresAt) = _rules.identify(kind, change);
        s.id = _hashTypedDataV4(s.structHash);
    }

    /// @dev Puts a change into effect. If it only tightens: of each field the stricter of what is and what it states.
    function _enact(ChangeKind kind, bytes calldata change, bool tightens) private {
        if (kind == ChangeKind.Signers) {
            SignersChange calldata c = Changes.asSigners(change);
            _setSigners(c.signers, c.threshold);
        } else if (kind == ChangeKind.Tiers) {
            _setTiers(change);
        } else if (kind == ChangeKind.Recipients) {
            _setStandings(Changes.asRecipients(change), tightens);
        } else if (kind == ChangeKind.Role) {
            RoleChange calldata c = Changes.asRole(change);
            if (tightens) _setStricterRole(c.account, c.role, c.until);
            else _setRole(c.account, c.role, c.oldUntil, c.until);
        } else if (kind == ChangeKind.Guardians) {
            GuardiansChange calldata c = Changes.asGuardians(change);
            _setGuardians(c.guardians, c.until);
        } else if (kind == ChangeKind.Unfreeze) {
            _unfreeze(Changes.asUnfreeze(change).haltedUntil);
        } else if (kind == ChangeKind.Successor) {
            _setSuccessor(Changes.asSuccessor(change).successor);
        } else if (kind == ChangeKind.Sweep) {
            _sweep(Changes.asSweep(change).token);
        } else {
            _tightenTiers(change);
        }
    }

    function _setStandings(RecipientsChange calldata c, bool tightens) private {
        for (uint256 i = 0; i < c.recipients.length; ++i) {
            if (tightens) _setStricterStanding(c.recipients[i], c.standing);
            else _setStanding(c.recipients[i], c.oldStanding, c.standing);
        }
    }

    function _unfreeze(uint256 stated) private {
        uint256 actual = hot.haltedUntil();
        if (stated != actual || block.timestamp >= actual) revert VaultUnfreezeStale(stated, actual);
        hot = hot.withHaltedUntil(0);
        emit Unfrozen(actual);
    }

    /// @dev Judged by what arrives: a token may keep a fee, or a unit of what it cannot divide. The vault's own token must not
    /// move: a second address of it would let a sweep past the caps.
    function _sweep(address other) private {
        _requireNotFrozen(hot);
        address heir = successor;
        uint256 balance = token.balanceOf(address(this));
        uint256 amount = other.balanceOf(address(this));
        if (heir == address(0) || amount == 0) revert VaultSweepFailed(other, heir, amount);
        uint256 before = other.balanceOf(heir);
        bool sent = other.tryTransfer(heir, amount);
        uint256 after_ = other.balanceOf(heir);
        if (!sent || after_ <= before) revert VaultSweepFailed(other, heir, amount);
        emit Swept(other, heir, after_ - before, other.balanceOf(address(this)));
        uint256 left = token.balanceOf(address(this));
        if (left != balance) revert VaultBalanceMismatch(balance, left);
    }

    // ── Instant tightening ───────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IVault
    function freeze() external whenUnlocked returns (uint256 until) {
        Member caller = member[msg.sender];
        if (!caller.isSigner() && block.timestamp >= caller.until(Role.Guardian)) revert VaultNotFreezer(msg.sender);
        uint256 againAt = caller.freezeAgainAt();
        if (block.timestamp < againAt) revert VaultFreezeCoolingDown(msg.sender, againAt);
        uint256 length = policyDelay + Policy.FREEZE_MARGIN;
        uint256 old = hot.haltedUntil();
        until = block.timestamp + length;
        againAt = until + length;
        if (until < old) until = old;
        member[msg.sender] = caller.withFreezeAgainAt(againAt);
        hot = hot.withHaltedUntil(until);
        emit Frozen(msg.sender, old, until, againAt);
    }

    /// @inheritdoc IVault
    function blockRecipient(address recipient) external whenUnlocked {
        _requireGuardian();
        Standing old = standingOf[recipient];
        if (old == Standing.Blocked) revert VaultStandingStale(recipient, Standing.Unknown, old);
        _setStanding(recipient, old, Standing.Blocked);
    }

    /// @inheritdoc IVault
    function revokeRole(address account, Role role) external whenUnlocked {
        _requireGuardian();
        if (role == Role.Guardian) revert VaultRoleNotRevocable(role);
        if (block.timestamp >= member[account].until(role)) revert VaultRoleNotHeld(account, role);
        _setStricterRole(account, role, 0);
    }
}
