// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Batch, ChangeKind, State} from "../../src/types/VaultTypes.sol";
import {GhostPolicy} from "./GhostPolicy.sol";

/// @notice Proposals as plain records: who voted in which signer set, and when the clock started.
abstract contract GhostVotes is GhostPolicy {
    /// @notice A proposal and all that decides its state.
    struct Item {
        bytes32 id;
        address proposedBy;
        bool isChange;
        ChangeKind kind; // of a change
        Batch batch; // of a batch
        bytes content; // packed payments, or the change's encoding
        uint256 required;
        uint256 delay;
        uint256 expiresAt;
        uint256 era; // signer set of the voters
        address[] voters;
        uint256 clock; // when the votes asked for when proposed were there; 0 if they are not
        uint256 votedAt; // when the last vote came
        bool instant; // takes effect with its quorum
        bool executed;
        bool cancelled;
    }

    /// @notice A policy change that took effect.
    struct Enacted {
        ChangeKind kind;
        uint256 time;
        uint256 readyAt;
        uint256 expiresAt;
        uint256 votes;
        uint256 required;
        bool instant;
        uint256 waited; // since the votes were there. [seconds]
    }

    bytes32[] private _ids;
    mapping(bytes32 id => Item) private _items;
    Enacted[] private _enacted;
    mapping(bytes32 id => mapping(uint256 era => mapping(address signer => bool))) private _revoked;
    /// @notice The state that the vault last gave, and how often it moved as it must not.
    mapping(bytes32 id => State) public lastState;
    uint256 public badTransitions;

    // ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice Opens a proposal; a signer's own is also its vote.
    function open(Item calldata item, uint256 time) external {
        Item storage p = _items[item.id];
        (p.id, p.proposedBy, p.isChange, p.kind) = (item.id, item.proposedBy, item.isChange, item.kind);
        (p.batch, p.content, p.instant) = (item.batch, item.content, item.instant);
        (p.required, p.delay, p.expiresAt) = (item.required, item.delay, item.expiresAt);
        _ids.push(item.id);
        if (isSigner(item.proposedBy)) vote(item.id, item.proposedBy, time);
        else if (p.required == 0) p.clock = time;
    }

    function vote(bytes32 id, address signer, uint256 time) public {
        Item storage p = _items[id];
        _enter(p);
        p.voters.push(signer);
        p.votedAt = time;
        if (p.clock == 0 && p.voters.length >= p.required) p.clock = time;
    }

    /// @notice Takes a vote back if there is one; signatures of this signer set count no more.
    function unvote(bytes32 id, address signer) external {
        _revoked[id][era][signer] = true;
        Item storage p = _items[id];
        if (p.id == 0) return;
        _enter(p);
        for (uint256 i = 0; i < p.voters.length; ++i) {
            if (p.voters[i] != signer) continue;
            p.voters[i] = p.voters[p.voters.length - 1];
            p.voters.pop();
        }
        if (p.voters.length < p.required) p.clock = 0;
    }

    /// @dev What an earlier signer set said is dropped.
    function _enter(Item storage p) private {
        if (p.era == era) return;
        delete p.voters;
        if (p.required != 0) p.clock = 0;
        p.era = era;
    }

    function cancel(bytes32 id) external {
        _items[id].cancelled = true;
    }

    function execute(bytes32 id) external {
        _items[id].executed = true;
    }

    /// @notice Remembers an executed change; called before it alters anything.
    function enact(bytes32 id, uint256 time) external {
        Item storage p = _items[id];
        (uint256 required,) = terms(id);
        _enacted.push(Enacted(p.kind, time, readyAt(id), p.expiresAt, votes(id), required, p.instant, time - p.clock));
        p.executed = true;
    }

    /// @notice Compares the state that the vault gives with the one it gave before.
    function observe(bytes32 id, State next) external {
        State last = lastState[id];
        if (last != next && !_mayFollow(last, next, _items[id].instant)) ++badTransitions;
        lastState[id] = next;
    }

    /// @dev A lost vote, a new signer set or a stricter policy leads back; a final state leads nowhere. What only tightens is
    /// executed with its quorum.
    function _mayFollow(State last, State next, bool instant) private pure returns (bool) {
        if (last >= State.Executed) return false;
        if (instant) return next != State.None && next != State.Queued && next != State.Ready;
        if (last == State.None) return next >= State.Proposed && next <= State.Ready;
        return next != State.None && (next != State.Executed || last == State.Ready);
    }

    // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice Votes of today's signers.
    function votes(bytes32 id) public view returns (uint256) {
        Item storage p = _items[id];
        return p.era == era ? p.voters.length : 0;
    }

    function hasVote(bytes32 id, address signer) external view returns (bool) {
        Item storage p = _items[id];
        if (p.era != era) return false;
        for (uint256 i = 0; i < p.voters.length; ++i) {
            if (p.voters[i] == signer) return true;
        }
        return false;
    }

    function hasRevoked(bytes32 id, address signer) external view returns (bool) {
        return _revoked[id][era][signer];
    }

    /// @notice Whether only time is missing. A new signer set stops the clock, unless no votes are asked for.
    function isRunning(bytes32 id) public view returns (bool) {
        Item storage p = _items[id];
        (uint256 required,) = terms(id);
        return p.clock != 0 && (p.era == era || p.required == 0) && votes(id) >= required;
    }

    /// @notice Approvals and delay that execution needs: the larger of then and now.
    function terms(bytes32 id) public view returns (uint256 required, uint256 delay) {
        Item storage p = _items[id];
        (required, delay) = (threshold, p.instant ? 0 : policyDelay);
        if (!p.isChange) (required, delay) = (tier(p.batch.tier).approvals, tier(p.batch.tier).delay);
        if (p.required > required) required = p.required;
        if (p.delay > delay) delay = p.delay;
    }

    function stateOf(bytes32 id, uint256 time) external view returns (State) {
        Item storage p = _items[id];
        if (p.id == 0) return State.None;
        if (p.executed) return State.Executed;
        if (p.cancelled) return State.Cancelled;
        if (time >= p.expiresAt) return State.Expired;
        if (!isRunning(id)) return State.Proposed;
        return time < readyAt(id) ? State.Queued : State.Ready;
    }

    function isOpen(bytes32 id, uint256 time) external view returns (bool) {
        Item storage p = _items[id];
        return time < p.expiresAt && !p.executed && !p.cancelled;
    }

    function isChange(bytes32 id) external view returns (bool) {
        return _items[id].isChange;
    }

    function isVetoable(bytes32 id) external view returns (bool) {
        Item storage p = _items[id];
        if (!p.isChange) return true;
        return !p.instant && p.kind != ChangeKind.Guardians && p.kind != ChangeKind.Unfreeze;
    }

    /// @notice When the clock has run out; 0 if it is not running. If more is asked for than was when it was proposed, it runs
    /// from no earlier than that and than the last vote. What a change needs rises only with a new signer set, which drops
    /// votes.
    function readyAt(bytes32 id) public view returns (uint256) {
        if (!isRunning(id)) return 0;
        Item storage p = _items[id];
        (uint256 required, uint256 delay) = terms(id);
        uint256 start = p.clock;
        if (required > p.required) {
            if (p.votedAt > start) start = p.votedAt;
            if (!p.isChange && termsChangedAt > start) start = termsChangedAt;
        }
        return start + delay;
    }

    function itemOf(bytes32 id) external view returns (Item memory) {
        return _items[id];
    }

    function ids() external view returns (bytes32[] memory) {
        return _ids;
    }

    function enacted() external view returns (Enacted[] memory) {
        return _enacted;
    }
}
