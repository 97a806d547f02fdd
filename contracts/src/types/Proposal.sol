// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bits} from "../libraries/Bits.sol";
import {State} from "./VaultTypes.sol";

/// @notice One proposal, in one word; zero if nothing was ever said of its id:
///
///     bits 0   votes      32   bit per signer index, meaningful in `epoch` only
///          32  revoked    32   signers whose signatures count no more, likewise
///          64  epoch      24   signer set that `votes`, `revoked` and `quorumAt` belong to
///          88  quorumAt   36   when the votes asked for when proposed were there; 0 if they are not
///          124 votedAt    36   when the last vote came
///          160 expiresAt  40   first second at which it is dead; 0 if not proposed
///          200 delay      32   the tier's or the policy's when proposed, seconds
///          232 required    8   the approvals asked for when proposed
///          240 tier        8   tier of a batch, or CHANGE
///          248 vetoable    1   whether a guardian may cancel it
///          249 instant     1   whether it takes effect with its quorum: a change that only tightens
///          250 executed    1
///          251 cancelled   1
type Proposal is uint256;

using Proposals for Proposal global;

/// @notice What the policy asks of a proposal now, beside what it asked when the proposal was made: of each the larger holds.
/// @param required Approvals.
/// @param delay From quorum to execution. [seconds]
/// @param changedAt When what is asked last changed; 0 if it cannot change under a proposal.
struct Terms {
    uint256 required;
    uint256 delay;
    uint256 changedAt;
}

/// @notice The approval machine: votes, quorum, clock and state of a proposal, derived from its word.
///
///     None → Proposed ⇄ Queued → Ready → Executed
///            Proposed, Queued, Ready → Cancelled or Expired
library Proposals {
    using Bits for uint256;

    /// @notice `tier` of a policy change.
    uint256 internal constant CHANGE = type(uint8).max;

    // ── Fields ───────────────────────────────────────────────────────────────────────────────────────────────────

    function epoch(Proposal p) internal pure returns (uint256) {
        return Proposal.unwrap(p).get(64, 24);
    }

    function quorumAt(Proposal p) internal pure returns (uint256) {
        return Proposal.unwrap(p).get(88, 36);
    }

    function votedAt(Proposal p) internal pure returns (uint256) {
        return Proposal.unwrap(p).get(124, 36);
    }

    function expiresAt(Proposal p) internal pure returns (uint256) {
        return Proposal.unwrap(p).get(160, 40);
    }

    /// @notice Delay asked for when proposed. [seconds]
    function delay(Proposal p) internal pure returns (uint256) {
        return Proposal.unwrap(p).get(200, 32);
    }

    /// @notice Approvals asked for when proposed.
    function required(Proposal p) internal pure returns (uint256) {
        return Proposal.unwrap(p).get(232, 8);
    }

    function tier(Proposal p) internal pure returns (uint256) {
        return Proposal.unwrap(p).get(240, 8);
    }

    function isChange(Proposal p) internal pure returns (bool) {
        return p.tier() == CHANGE;
    }

    function vetoable(Proposal p) internal pure returns (bool) {
        return Proposal.unwrap(p).get(248, 1) == 1;
    }

    function instant(Proposal p) internal pure returns (bool) {
        return Proposal.unwrap(p).get(249, 1) == 1;
    }

    /// @notice The proposal, executed.
    function executed(Proposal p) internal pure returns (Proposal) {
        return Proposal.wrap(Proposal.unwrap(p).set(250, 1, 1));
    }

    /// @notice The proposal, cancelled.
    function cancelled(Proposal p) internal pure returns (Proposal) {
        return Proposal.wrap(Proposal.unwrap(p).set(251, 1, 1));
    }

    // ── Votes ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice The word of a proposal that is made now: `p` holds at most who revoked beforehand.
    /// @param expiry First dead second.
    /// @param mayVeto Whether a guardian may cancel it.
    /// @param atOnce Whether it takes effect with its quorum.
    function open(Proposal p, uint256 tierOrChange, Terms memory t, uint256 expiry, bool mayVeto, bool atOnce)
        internal
        pure
        returns (Proposal)
    {
        uint256 word = Proposal.unwrap(p).set(160, 40, expiry);
        word = word.set(200, 32, t.delay);
        word = word.set(232, 8, t.required);
        word = word.set(240, 8, tierOrChange);
        word = word.set(248, 1, mayVeto ? 1 : 0);
        return Proposal.wrap(word.set(249, 1, atOnce ? 1 : 0));
    }

    /// @notice Whether it was proposed and has not ended at `time`.
    function isOpen(Proposal p, uint256 time) internal pure returns (bool) {
        return time < p.expiresAt() && Proposal.unwrap(p).get(250, 2) == 0;
    }

    /// @notice Votes that count in a signer epoch.
    function voteCount(Proposal p, uint256 current) internal pure returns (uint256 count) {
        if (p.epoch() != current) return 0;
        unchecked {
            for (uint256 left = Proposal.unwrap(p).get(0, 32); left != 0; left &= left - 1) {
                ++count;
            }
        }
    }

    /// @notice Whether the signer with that index in epoch `current` has a vote that counts.
    function hasVote(Proposal p, uint256 current, uint256 index) internal pure returns (bool) {
        return p.epoch() == current && Proposal.unwrap(p).get(index, 1) == 1;
    }

    /// @notice Whether that signer's signatures count no more.
    function hasRevoked(Proposal p, uint256 current, uint256 index) internal pure returns (bool) {
        return p.epoch() == current && Proposal.unwrap(p).get(32 + index, 1) == 1;
    }

    /// @notice The proposal in epoch `current`: what signers of an earlier one said is dropped, and the clock with their votes.
    function inEpoch(Proposal p, uint256 current) internal pure returns (Proposal) {
        if (p.epoch() == current) return p;
        uint256 word = Proposal.unwrap(p).set(0, 64, 0).set(64, 24, current);
        return Proposal.wrap(p.required() == 0 ? word : word.set(88, 36, 0));
    }

    /// @notice The proposal after a vote of epoch `current` at `time`.
    function vote(Proposal p, uint256 current, uint256 index, uint256 time) internal pure returns (Proposal) {
        uint256 word = Proposal.unwrap(p.inEpoch(current)).set(index, 1, 1).set(124, 36, time);
        return Proposal.wrap(word).startClock(time);
    }

    /// @notice The proposal after a signer of epoch `current` took its vote back, if it has one, and its signatures for good.
    function revoke(Proposal p, uint256 current, uint256 index) internal pure returns (Proposal next) {
        next = Proposal.wrap(Proposal.unwrap(p.inEpoch(current)).set(index, 1, 0).set(32 + index, 1, 1));
        if (next.voteCount(current) < next.required()) next = Proposal.wrap(Proposal.unwrap(next).set(88, 36, 0));
    }

    /// @notice The proposal with its clock started at `time`, if it has the votes asked for when proposed and does not run yet.
    function startClock(Proposal p, uint256 time) internal pure returns (Proposal) {
        if (p.quorumAt() != 0 || p.voteCount(p.epoch()) < p.required()) return p;
        return Proposal.wrap(Proposal.unwrap(p).set(88, 36, time));
    }

    // ── State ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice Approvals and delay [seconds] that execution needs: of each the larger of stored and asked for now.
    function needs(Proposal p, Terms memory t) internal pure returns (uint256 approvals, uint256 wait) {
        (approvals, wait) = (p.required(), p.delay());
        if (t.required > approvals) approvals = t.required;
        if (t.delay > wait) wait = t.delay;
    }

    /// @notice Whether the votes of epoch `current` suffice, so that only time is missing.
    function isRunning(Proposal p, uint256 current, Terms memory t) internal pure returns (bool) {
        (uint256 approvals,) = p.needs(t);
        return p.quorumAt() != 0 && p.voteCount(current) >= approvals;
    }

    /// @notice When the delay is over, if the proposal runs.
    /// @dev The delay runs from the vote that fulfils what execution asks for. That is the quorum's, unless more is asked for
    /// since; then no earlier than that and than the last vote, for the word does not hold the time of each.
    function readyAt(Proposal p, Terms memory t) internal pure returns (uint256) {
        (, uint256 wait) = p.needs(t);
        uint256 start = p.quorumAt();
        if (t.required > p.required()) {
            if (p.votedAt() > start) start = p.votedAt();
            if (t.changedAt > start) start = t.changedAt;
        }
        unchecked {
            return start + wait; // 40 and 32 bits
        }
    }

    /// @notice State at `time`, in signer epoch `current`.
    function stateAt(Proposal p, uint256 current, Terms memory t, uint256 time) internal pure returns (State) {
        if (p.expiresAt() == 0) return State.None;
        if (Proposal.unwrap(p).get(250, 1) == 1) return State.Executed;
        if (Proposal.unwrap(p).get(251, 1) == 1) return State.Cancelled;
        if (time >= p.expiresAt()) return State.Expired;
        if (!p.isRunning(current, t)) return State.Proposed;
        return time < p.readyAt(t) ? State.Queued : State.Ready;
    }
}
