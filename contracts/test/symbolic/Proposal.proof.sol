// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Proposal, Terms} from "../../src/types/Proposal.sol";
import {State} from "../../src/types/VaultTypes.sol";
import {Proof} from "./Proof.sol";

/// @title ProposalProofs
/// @notice Each step of the approval machine, from any word: what it changes, and from which state to which it leads.
contract ProposalProofs is Proof {
    uint256 private constant VOTERS = 8; // votes of later indexes are zero where votes are counted
    uint256 private constant RULED = ~uint256(0) << 160; // expiresAt and everything above it

    // ── Votes ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice Votes are counted each once, and those of another epoch not at all.
    /// @custom:bounds votes of 10 signers
    function check_count_isTheBitsOfThisEpoch(uint256 word, uint24 epoch) external pure {
        assume(word & 0xffffffff < 1 << 10);
        uint256 count = Proposal.wrap(word).voteCount(epoch);
        uint256 bits;
        for (uint256 i = 0; i < 10; ++i) {
            bits += (word >> i) & 1;
        }
        assert(count == (Proposal.wrap(word).epoch() == epoch ? bits : 0));
    }

    /// @notice After a vote the signer has one; others have theirs if they are of this epoch, and who revoked likewise.
    /// @custom:bounds votes of 8 signers
    function check_vote_isOneMore(uint256 word, uint24 epoch, uint256 index, uint256 other, uint256 time)
        external
        pure
    {
        Proposal p = Proposal.wrap(word);
        (index, time) = _bounded(p, index, time);
        assume(other < 32 && other != index && word & 0xffffffff < 1 << VOTERS);
        Proposal next = p.vote(epoch, index, time);
        assert(next.hasVote(epoch, index) && next.epoch() == epoch && next.votedAt() == time);
        assert(next.hasVote(epoch, other) == p.hasVote(epoch, other));
        assert(next.hasRevoked(epoch, other) == p.hasRevoked(epoch, other));
        assert(next.hasRevoked(epoch, index) == p.hasRevoked(epoch, index));
        assert((Proposal.unwrap(next) ^ word) & RULED == 0);
    }

    /// @notice After a revocation the signer has no vote and is marked; nothing else of others or of the terms changes.
    /// @custom:bounds votes of 8 signers
    function check_revoke_isOneLess(uint256 word, uint24 epoch, uint256 index, uint256 other) external pure {
        Proposal p = Proposal.wrap(word);
        (index,) = _bounded(p, index, 1);
        assume(other < 32 && other != index && word & 0xffffffff < 1 << VOTERS);
        Proposal next = p.revoke(epoch, index);
        assert(!next.hasVote(epoch, index) && next.hasRevoked(epoch, index) && next.epoch() == epoch);
        assert(next.hasVote(epoch, other) == p.hasVote(epoch, other));
        assert(next.hasRevoked(epoch, other) == p.hasRevoked(epoch, other));
        assert(next.votedAt() == p.votedAt());
        assert((Proposal.unwrap(next) ^ word) & RULED == 0);
    }

    /// @notice What signers of another epoch said counts for nothing, before and after somebody of this one votes.
    /// @custom:bounds a voter of index 0 to 7; any votes of the other epoch
    function check_rotation_dropsWhatWasSaid(uint256 word, uint24 epoch, uint256 index, uint256 time) external pure {
        Proposal p = Proposal.wrap(word);
        assume(p.epoch() != epoch);
        (index, time) = _bounded(p, index, time);
        assert(p.voteCount(epoch) == 0 && !p.hasVote(epoch, index) && !p.hasRevoked(epoch, index));
        Proposal next = p.vote(epoch, index, time);
        assert(next.voteCount(epoch) == 1);
        if (p.required() > 1) assert(next.quorumAt() == 0);
        if (p.required() == 1) assert(next.quorumAt() == time);
        if (p.required() == 0) assert(next.quorumAt() == (p.quorumAt() == 0 ? time : p.quorumAt()));
    }

    // ── Clock ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice The clock starts with the vote that reaches what was asked for, and is not started again by later ones.
    /// @custom:bounds votes of 8 signers, in this epoch
    function check_clock_startsWithQuorum(uint256 word, uint256 index, uint256 time) external pure {
        Proposal p = Proposal.wrap(word);
        (index, time) = _bounded(p, index, time);
        assume(word & 0xffffffff < 1 << VOTERS);
        Proposal next = p.vote(p.epoch(), index, time);
        bool reached = _count(next) >= p.required();
        assert(next.quorumAt() == (p.quorumAt() != 0 ? p.quorumAt() : reached ? time : 0));
    }

    /// @notice The clock stops with the revocation that falls short of what was asked for, and with no other.
    /// @custom:bounds votes of 8 signers, in this epoch
    function check_clock_stopsBelowQuorum(uint256 word, uint256 index) external pure {
        Proposal p = Proposal.wrap(word);
        (index,) = _bounded(p, index, 1);
        assume(word & 0xffffffff < 1 << VOTERS);
        Proposal next = p.revoke(p.epoch(), index);
        assert(next.quorumAt() == (_count(next) < p.required() ? 0 : p.quorumAt()));
    }

    // ── State ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice Ready means: not ended, the votes of this epoch suffice for what is and what was asked for, and the longer delay
    /// has passed since the vote that fulfilled both. Queued is the same but for the delay, Proposed the rest.
    /// @custom:bounds votes of 8 signers; times and delays of 40 bits
    function check_state_isWhatTheInterfaceSays(uint256 word, uint24 epoch, uint256[3] calldata asked, uint256 time)
        external
        pure
    {
        Proposal p = Proposal.wrap(word);
        assume(word & 0xffffffff < 1 << VOTERS);
        assume(asked[0] <= 32 && asked[1] < 2 ** 32 && asked[2] < 2 ** 40 && time < 2 ** 40);
        State state = p.stateAt(epoch, Terms(asked[0], asked[1], asked[2]), time);
        assert(state == _expected(p, epoch, asked, time));
        if (state == State.Ready) assert(p.isOpen(time));
        if (p.isOpen(time)) assert(state == State.Proposed || state == State.Queued || state == State.Ready);
    }

    /// @notice What has ended has ended, whatever is asked for and whoever signs; nothing is ready before it is proposed.
    function check_state_endsForGood(uint256 word, uint24 epoch, uint256[3] calldata asked, uint256 time, uint256 later)
        external
        pure
    {
        Proposal p = Proposal.wrap(word);
        Terms memory t = Terms(asked[0], asked[1], asked[2]);
        if (p.expiresAt() == 0) {
            assert(p.stateAt(epoch, t, time) == State.None && !p.isOpen(time));
            return;
        }
        assume(time >= p.expiresAt() && later >= time);
        State end = p.stateAt(epoch, t, time);
        assert(end == State.Executed || end == State.Cancelled || end == State.Expired);
        assert(p.stateAt(epoch, t, later) == end && !p.isOpen(later));
    }

    /// @notice Executed and cancelled are told at any time, and leave nothing open.
    function check_state_executedAndCancelled(uint256 word, uint24 epoch, uint256[3] calldata asked, uint256 time)
        external
        pure
    {
        Proposal p = Proposal.wrap(word);
        Terms memory t = Terms(asked[0], asked[1], asked[2]);
        assume(p.isOpen(time));
        assert(p.executed().stateAt(epoch, t, time) == State.Executed && !p.executed().isOpen(time));
        assert(p.cancelled().stateAt(epoch, t, time) == State.Cancelled && !p.cancelled().isOpen(time));
        assert((Proposal.unwrap(p.executed()) ^ word) == 1 << 250);
        assert((Proposal.unwrap(p.cancelled()) ^ word) == 1 << 251);
    }

    /// @notice A vote never takes from what runs, and a revocation never makes something run.
    /// @custom:bounds votes of 8 signers, in this epoch
    function check_transitions_ofVotes(uint256 word, uint256 index, uint256[3] calldata asked, uint256 time)
        external
        pure
    {
        Proposal p = Proposal.wrap(word);
        (index, time) = _bounded(p, index, time);
        assume(word & 0xffffffff < 1 << VOTERS && asked[0] <= 32);
        Terms memory t = Terms(asked[0], asked[1], asked[2]);
        uint256 epoch = p.epoch();
        if (p.isRunning(epoch, t)) assert(p.vote(epoch, index, time).isRunning(epoch, t));
        else assert(!p.revoke(epoch, index).isRunning(epoch, t));
    }

    // ── What is said again in other words ────────────────────────────────────────────────────────────────────────

    /// @dev An index of a signer and a time of the vault's future.
    function _bounded(Proposal p, uint256 index, uint256 time) private pure returns (uint256, uint256) {
        assume(time > 0 && time < 2 ** 36 && p.required() <= 32);
        return (split(index, VOTERS), time);
    }

    function _count(Proposal p) private pure returns (uint256 count) {
        for (uint256 i = 0; i < VOTERS; ++i) {
            count += (Proposal.unwrap(p) >> i) & 1;
        }
    }

    function _expected(Proposal p, uint256 epoch, uint256[3] calldata asked, uint256 time)
        private
        pure
        returns (State)
    {
        uint256 word = Proposal.unwrap(p);
        uint256 expiresAt = (word >> 160) & (2 ** 40 - 1);
        if (expiresAt == 0) return State.None;
        if ((word >> 250) & 1 == 1) return State.Executed;
        if ((word >> 251) & 1 == 1) return State.Cancelled;
        if (time >= expiresAt) return State.Expired;
        uint256 votes = (word >> 64) & (2 ** 24 - 1) == epoch ? _count(p) : 0;
        uint256 quorumAt = (word >> 88) & (2 ** 36 - 1);
        (uint256 stored, uint256 delay) = ((word >> 232) & 0xff, (word >> 200) & (2 ** 32 - 1));
        if (quorumAt == 0 || votes < stored || votes < asked[0]) return State.Proposed;
        if (time < quorumAt + delay || time < quorumAt + asked[1]) return State.Queued;
        if (asked[0] <= stored) return State.Ready;
        uint256 votedAt = (word >> 124) & (2 ** 36 - 1);
        uint256 since = votedAt > asked[2] ? votedAt : asked[2];
        return time < since + delay || time < since + asked[1] ? State.Queued : State.Ready;
    }
}
