// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VaultPolicy} from "./VaultPolicy.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Policy} from "./libraries/Policy.sol";
import {TypedData} from "./libraries/TypedData.sol";
import {Member} from "./types/Member.sol";
import {Proposal, Proposals} from "./types/Proposal.sol";
import {Batch, ChangeKind, Role, State} from "./types/VaultTypes.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title VaultProposals
/// @notice The approval machine that batches and policy changes share: ids, votes, clock, veto, state.
abstract contract VaultProposals is VaultPolicy, EIP712 {
    /// @inheritdoc IVault
    string public constant VERSION = "1";

    mapping(bytes32 id => Proposal) internal _proposals;
    /// @inheritdoc IVault
    mapping(bytes32 id => mapping(address signer => bool)) public hasRevoked;

    uint256 private transient _locked;

    /// @dev For every mutator: none can be entered while a token is called.
    modifier whenUnlocked() {
        if (_locked != 0) revert VaultLocked();
        _;
    }

    /// @dev For mutators that call a token.
    modifier lock() {
        if (_locked != 0) revert VaultLocked();
        _locked = 1;
        _;
        _locked = 0;
    }

    constructor() EIP712("Tidelock Vault", VERSION) {}

    // ── Steps ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IVault
    function revoke(bytes32 id) external whenUnlocked {
        Member caller = _signer();
        Proposal p = _pending(id);
        if (!p.hasVote(caller.signerEpoch(), caller.signerIndex())) revert VaultNotApproved(id, msg.sender);
        Proposal next = p.unvote(caller.signerIndex());
        _proposals[id] = next;
        hasRevoked[id][msg.sender] = true;
        emit Revoked(id, msg.sender);
        if (p.quorumAt() != 0 && next.quorumAt() == 0) emit Unqueued(id);
    }

    /// @inheritdoc IVault
    function cancel(bytes32 id) external whenUnlocked {
        _requireGuardian();
        Proposal p = _pending(id);
        if (!p.vetoable()) revert VaultNotVetoable(id);
        _proposals[id] = p.cancelled();
        emit Cancelled(id, msg.sender);
    }

    /// @dev Opens a proposal; a signer's is also approved by it.
    function _open(bytes32 id, Proposal p, uint256 delay) internal {
        Member caller = member[msg.sender];
        if (!caller.isSigner() && block.timestamp >= caller.until(Role.Proposer)) revert VaultNotProposer(msg.sender);
        if (Proposal.unwrap(_proposals[id]) != 0) revert VaultAlreadyProposed(id, stateOf(id));
        _checkLife(p.expiresAt(), delay);
        p = caller.isSigner()
            ? p.vote(caller.signerEpoch(), caller.signerIndex(), block.timestamp)
            : p.startClock(block.timestamp);
        _proposals[id] = p;
        if (p.quorumAt() != 0) emit Queued(id, msg.sender);
    }

    function _approve(bytes32 id) internal {
        Member caller = _signer();
        (uint256 epoch, uint256 index) = (caller.signerEpoch(), caller.signerIndex());
        Proposal p = _pending(id);
        if (p.hasVote(epoch, index)) revert VaultAlreadyApproved(id, msg.sender);
        Proposal next = p.vote(epoch, index, block.timestamp);
        _proposals[id] = next;
        if (p.isRunning(epoch) || next.quorumAt() == 0) {
            emit Approved(id, msg.sender);
            return;
        }
        // The clock starts: delay and settling must fit the life that is left.
        (, uint256 delay) = next.terms();
        _checkLife(next.expiresAt(), delay);
        emit Queued(id, msg.sender);
    }

    function _checkLife(uint256 expiresAt, uint256 delay) private view {
        unchecked {
            // Times and delays have 40 bits.
            uint256 earliest = block.timestamp + delay + Policy.SETTLE;
            uint256 latest = block.timestamp + Policy.MAX_LIFE;
            if (expiresAt < earliest || expiresAt > latest) revert VaultExpiryOutOfRange(expiresAt, earliest, latest);
        }
    }

    /// @dev Loads a proposal that has not ended.
    function _pending(bytes32 id) private view returns (Proposal p) {
        p = _proposals[id];
        if (!p.isOpen(block.timestamp)) revert VaultStateInvalid(id, stateOf(id));
    }

    /// @dev Loads a proposal that the caller may execute now.
    function _executable(bytes32 id, uint256 epoch, uint256 required, uint256 delay)
        internal
        view
        returns (Proposal p)
    {
        Member caller = member[msg.sender];
        if (!caller.isSigner() && block.timestamp >= caller.until(Role.Keeper)) revert VaultNotExecutor(msg.sender);
        p = _proposals[id];
        State state = p.stateAt(epoch, required, delay, block.timestamp);
        if (state != State.Ready) revert VaultStateInvalid(id, state);
    }

    function _signer() private view returns (Member caller) {
        caller = member[msg.sender];
        if (!caller.isSigner()) revert VaultNotSigner(msg.sender);
    }

    function _requireGuardian() internal view {
        if (block.timestamp >= member[msg.sender].until(Role.Guardian)) revert VaultNotGuardian(msg.sender);
    }

    // ── Ids and states ───────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IVault
    function hashBatch(Batch calldata batch) public view returns (bytes32) {
        return _hashTypedDataV4(TypedData.hash(batch));
    }

    /// @inheritdoc IVault
    function hashChange(ChangeKind kind, bytes calldata change) public view returns (bytes32 id) {
        (id,) = _hashChange(kind, change);
    }

    function _hashChange(ChangeKind kind, bytes calldata change) internal view returns (bytes32 id, uint256 expiresAt) {
        (id, expiresAt) = TypedData.hash(kind, change);
        id = _hashTypedDataV4(id);
    }

    /// @inheritdoc IVault
    function stateOf(bytes32 id) public view returns (State) {
        Proposal p = _proposals[id];
        (uint256 required, uint256 delay) = (threshold, policyDelay);
        if (p.tier() != Proposals.CHANGE) (required, delay) = packedTier(p.tier()).terms();
        return p.stateAt(hot.epoch(), required, delay, block.timestamp);
    }

    /// @inheritdoc IVault
    function proposal(bytes32 id) external view returns (Proposal) {
        return _proposals[id];
    }
}
