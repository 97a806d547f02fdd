// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VaultPolicy} from "./VaultPolicy.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Policy} from "./libraries/Policy.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {TypedData} from "./libraries/TypedData.sol";
import {Member} from "./types/Member.sol";
import {PackedTier} from "./types/PackedTier.sol";
import {Proposal, Terms} from "./types/Proposal.sol";
import {Batch, ChangeKind, Role, State, Vote} from "./types/VaultTypes.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title VaultProposals
/// @notice The approval machine that batches and policy changes share: ids, votes, clock, veto, state.
abstract contract VaultProposals is VaultPolicy, EIP712 {
    /// @inheritdoc IVault
    string public constant VERSION = "1";

    mapping(bytes32 id => Proposal) internal _proposals;

    uint256 private transient _locked;

    /// @dev What signers vote on.
    /// @param structHash EIP-712 hash of the batch or the change.
    /// @param approval EIP-712 type of a signed vote for it.
    struct Subject {
        bytes32 id;
        bytes32 structHash;
        bytes32 approval;
    }

    /// @dev For every mutator: none can be entered while a token is called.
    modifier whenUnlocked() {
        _requireUnlocked();
        _;
    }

    /// @dev For mutators that call a token.
    modifier lock() {
        _requireUnlocked();
        _locked = 1;
        _;
        _locked = 0;
    }

    constructor() EIP712("Tidelock Vault", VERSION) {}

    function _requireUnlocked() private view {
        if (_locked != 0) revert VaultLocked();
    }

    // ── Steps ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IVault
    function revoke(bytes32 id) external whenUnlocked {
        Member caller = _signer(msg.sender);
        (uint256 epoch, uint256 index) = (caller.signerEpoch(), caller.signerIndex());
        Proposal p = _proposals[id];
        if (p.expiresAt() != 0) _requireOpen(id, p);
        if (p.hasRevoked(epoch, index) && !p.hasVote(epoch, index)) revert VaultNotApproved(id, msg.sender);
        Proposal next = p.revoke(epoch, index);
        _proposals[id] = next;
        emit Revoked(id, msg.sender);
        if (p.expiresAt() == 0) return;
        Terms memory t = _terms(p);
        if (p.isRunning(epoch, t) && !next.isRunning(epoch, t)) emit Unqueued(id);
    }

    /// @inheritdoc IVault
    function cancel(bytes32 id) external whenUnlocked {
        _requireGuardian();
        Proposal p = _pending(id);
        if (!p.vetoable()) revert VaultNotVetoable(id);
        _proposals[id] = p.cancelled();
        emit Cancelled(id, msg.sender);
    }

    /// @dev The word of a new proposal, without votes, or with whoever revoked beforehand.
    function _create(bytes32 id, uint256 tierOrChange, Terms memory t, uint256 expiresAt, bool vetoable, bool instant)
        internal
        view
        returns (Proposal p)
    {
        p = _proposals[id];
        if (p.expiresAt() != 0) revert VaultAlreadyProposed(id, stateOf(id));
        p = p.open(tierOrChange, t, expiresAt, vetoable, instant);
        _checkLife(p, t);
    }

    /// @dev Opens a proposal for the caller, a proposer, or a signer that votes by it.
    function _openAsCaller(bytes32 id, Proposal p) internal returns (Proposal) {
        Member caller = member[msg.sender];
        if (caller.isSigner()) return _vote(id, p, msg.sender, caller, true);
        if (block.timestamp >= caller.until(Role.Proposer)) revert VaultNotProposer(msg.sender);
        p = p.startClock(block.timestamp);
        if (p.quorumAt() != 0) emit Queued(id, msg.sender);
        return p;
    }

    /// @dev The vote of a signer that calls.
    function _approve(bytes32 id) internal returns (Proposal p) {
        Member caller = _signer(msg.sender);
        p = _pending(id);
        if (p.hasVote(caller.signerEpoch(), caller.signerIndex())) revert VaultAlreadyApproved(id, msg.sender);
        return _vote(id, p, msg.sender, caller, false);
    }

    /// @dev Votes that somebody brings. Those that count already are passed over, so that nobody can make the others fail by
    /// bringing one of them first.
    /// @param proposing Whether the first vote is what the proposal is made by.
    function _approveBySig(Subject memory s, Proposal p, Vote[] calldata votes, bool proposing)
        internal
        returns (Proposal next)
    {
        if (votes.length == 0) revert VaultVotesMissing();
        next = p;
        for (uint256 i = 0; i < votes.length; ++i) {
            Vote calldata v = votes[i];
            address signer = v.signer;
            Member m = _signer(signer);
            if (next.hasVote(m.signerEpoch(), m.signerIndex())) continue;
            _checkVote(s, next, signer, m, v.signature);
            next = _vote(s.id, next, signer, m, proposing && i == 0);
        }
        if (Proposal.unwrap(next) == Proposal.unwrap(p)) revert VaultAlreadyApproved(s.id, votes[0].signer);
    }

    /// @dev Reverts unless the signature is its signer's, for this signer set, and not revoked.
    function _checkVote(Subject memory s, Proposal p, address signer, Member m, bytes calldata signature)
        internal
        view
    {
        uint256 epoch = m.signerEpoch();
        if (p.hasRevoked(epoch, m.signerIndex())) revert VaultVoteRevoked(s.id, signer);
        bytes32 digest = _hashTypedDataV4(TypedData.hashVote(s.approval, signer, epoch, s.structHash));
        if (!Signatures.isValid(signer, digest, signature)) revert VaultSignatureInvalid(signer);
    }

    /// @dev The proposal after one more vote, which is logged; by itself only if it does not start the clock and is not what
    /// the proposal is made by.
    function _vote(bytes32 id, Proposal p, address signer, Member m, bool proposing) private returns (Proposal next) {
        uint256 epoch = m.signerEpoch();
        next = p.vote(epoch, m.signerIndex(), block.timestamp);
        // Short of what was asked for when proposed it is short of what is asked for now.
        if (next.quorumAt() != 0) {
            Terms memory t = _terms(next);
            if (next.isRunning(epoch, t) && !p.isRunning(epoch, t)) {
                _checkLife(next, t);
                emit Queued(id, signer);
                return next;
            }
        }
        if (!proposing) emit Approved(id, signer);
    }

    // ── Checks ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev Delay and settling must fit the life that is left when the clock starts. What takes effect at once needs neither.
    function _checkLife(Proposal p, Terms memory t) private view {
        (, uint256 delay) = p.needs(t);
        unchecked {
            // Times and delays have 40 bits.
            uint256 earliest = block.timestamp + (p.instant() ? 1 : delay + Policy.SETTLE);
            _checkExpiry(p.expiresAt(), earliest);
        }
    }

    function _checkExpiry(uint256 expiresAt, uint256 earliest) internal view {
        uint256 latest = block.timestamp + Policy.MAX_LIFE;
        if (expiresAt < earliest || expiresAt > latest) revert VaultExpiryOutOfRange(expiresAt, earliest, latest);
    }

    /// @dev Loads a proposal that has not ended.
    function _pending(bytes32 id) internal view returns (Proposal p) {
        p = _proposals[id];
        _requireOpen(id, p);
    }

    function _requireOpen(bytes32 id, Proposal p) private view {
        if (!p.isOpen(block.timestamp)) revert VaultStateInvalid(id, stateOf(id));
    }

    /// @dev Loads a batch that is ready, under a tier that is loaded already.
    function _ready(bytes32 id, uint256 epoch, PackedTier t) internal view returns (Proposal p) {
        p = _proposals[id];
        _requireReady(id, p, epoch, _batchTerms(p, t));
    }

    function _requireReady(bytes32 id, Proposal p, uint256 epoch, Terms memory t) internal view {
        State state = p.stateAt(epoch, t, block.timestamp);
        if (state != State.Ready) revert VaultStateInvalid(id, state);
    }

    function _requireExecutor() internal view {
        Member caller = member[msg.sender];
        if (!caller.isSigner() && block.timestamp >= caller.until(Role.Keeper)) revert VaultNotExecutor(msg.sender);
    }

    function _requireGuardian() internal view {
        if (block.timestamp >= member[msg.sender].until(Role.Guardian)) revert VaultNotGuardian(msg.sender);
    }

    function _signer(address account) internal view returns (Member m) {
        m = member[account];
        if (!m.isSigner()) revert VaultNotSigner(account);
    }

    // ── Terms ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev What the policy asks of a proposal now.
    function _terms(Proposal p) internal view returns (Terms memory) {
        if (p.isChange()) return Terms(threshold, p.instant() ? 0 : policyDelay, 0);
        return _batchTerms(p, packedTier(p.tier()));
    }

    /// @dev The time of the last change is loaded only where it matters.
    function _batchTerms(Proposal p, PackedTier t) private view returns (Terms memory) {
        (uint256 required, uint256 delay) = t.terms();
        return Terms(required, delay, required > p.required() ? termsChangedAt : 0);
    }

    // ── Ids and states ───────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IVault
    function hashBatch(Batch calldata batch) external view returns (bytes32) {
        return _hashTypedDataV4(TypedData.hash(batch));
    }

    /// @inheritdoc IVault
    function hashChange(ChangeKind kind, bytes calldata change) external view returns (bytes32) {
        (bytes32 structHash,,) = _rules.identify(kind, change);
        return _hashTypedDataV4(structHash);
    }

    /// @dev A batch as what signers vote on.
    function _subject(bytes32 structHash) internal view returns (Subject memory) {
        return Subject(_hashTypedDataV4(structHash), structHash, TypedData.BATCH_APPROVAL);
    }

    /// @inheritdoc IVault
    function stateOf(bytes32 id) public view returns (State) {
        Proposal p = _proposals[id];
        return p.stateAt(hot.epoch(), _terms(p), block.timestamp);
    }

    /// @inheritdoc IVault
    function proposal(bytes32 id) external view returns (Proposal) {
        return _proposals[id];
    }
}
