// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bits} from "../libraries/Bits.sol";
import {State} from "./VaultTypes.sol";

/// @notice One proposal, in one word; zero if never proposed:
///
///     bits 0   votes      32   bit per signer index, meaningful in `epoch` only
///          32  epoch      24   signer set that `votes` and `quorumAt` belong to
///          56  quorumAt   36   when `required` votes were reached; 0 if they are not
///          92  expiresAt  40   first second at which it is dead
///          132 delay      32   the tier's or the policy's when proposed, seconds
///          164 required    8   the approvals asked for when proposed
///          172 tier        8   tier of a batch, or CHANGE
///          180 vetoable    1   whether a guardian may cancel it
///          181 executed    1
///          182 cancelled   1
type Proposal is uint256;

using Proposals for Proposal global;

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
        return Proposal.unwrap(p).get(32, 24);
    }

    function quorumAt(Proposal p) internal pure returns (uint256) {
        return Proposal.unwrap(p).get(56, 36);
    }

    function expiresAt(Proposal p) internal pure returns (uint256) {
        return Proposal.unwrap(p).get(92, 40);
    }

    /// @notice Approvals and delay [seconds] asked for when proposed.
    function terms(Proposal p) internal pure returns (uint256 required, uint256 delay) {
        return (Proposal.unwrap(p).get(164, 8), Proposal.unwrap(p).get(132, 32));
    }

    function tier(Proposal p) internal pure returns (uint256) {
        return Proposal.unwrap(p).get(172, 8);
    }

    function vetoable(Proposal p) internal pure returns (bool) {
        return Proposal.unwrap(p).get(180, 1) == 1;
    }

    /// @notice The proposal, executed.
    function executed(Proposal p) internal pure returns (Proposal) {
        return Proposal.wrap(Proposal.unwrap(p).set(181, 1, 1));
    }

    /// @notice The proposal, cancelled.
    function cancelled(Proposal p) internal pure returns (Proposal) {
        return Proposal.wrap(Proposal.unwrap(p).set(182, 1, 1));
    }

    // ── Machine ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice A new proposal without votes. `expiry` is its first dead second, `delay` is in seconds.
    function create(uint256 tierOrChange, uint256 required, uint256 delay, uint256 expiry, bool mayVeto)
        internal
        pure
        returns (Proposal)
    {
        uint256 word = uint256(0).set(92, 40, expiry).set(132, 32, delay).set(164, 8, required);
        return Proposal.wrap(word.set(172, 8, tierOrChange).set(180, 1, mayVeto ? 1 : 0));
    }

    /// @notice Whether it was proposed and has not ended at `time`.
    function isOpen(Proposal p, uint256 time) internal pure returns (bool) {
        return time < p.expiresAt() && Proposal.unwrap(p).get(181, 2) == 0;
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

    /// @notice Whether the clock runs in epoch `current`: that of an earlier one has stopped, unless it needed no votes.
    function isRunning(Proposal p, uint256 current) internal pure returns (bool) {
        (uint256 required,) = p.terms();
        return p.quorumAt() != 0 && (p.epoch() == current || required == 0);
    }

    /// @notice The proposal after a vote of epoch `current`, which drops votes and clock of an earlier one.
    /// The vote that reaches the stored `required` starts the clock at `time`.
    function vote(Proposal p, uint256 current, uint256 index, uint256 time) internal pure returns (Proposal) {
        uint256 word = Proposal.unwrap(p);
        if (p.epoch() != current) {
            if (!p.isRunning(current)) word = word.set(56, 36, 0);
            word = word.set(0, 32, 0).set(32, 24, current);
        }
        return Proposal.wrap(word.set(index, 1, 1)).startClock(time);
    }

    /// @notice The proposal without a vote it has. Falling below the stored `required` stops the clock.
    function unvote(Proposal p, uint256 index) internal pure returns (Proposal) {
        uint256 word = Proposal.unwrap(p).set(index, 1, 0);
        (uint256 required,) = p.terms();
        bool short = Proposal.wrap(word).voteCount(p.epoch()) < required;
        return Proposal.wrap(short ? word.set(56, 36, 0) : word);
    }

    /// @notice The proposal with its clock started at `time`, if it has the votes and does not run yet.
    function startClock(Proposal p, uint256 time) internal pure returns (Proposal) {
        (uint256 required,) = p.terms();
        if (p.quorumAt() != 0 || p.voteCount(p.epoch()) < required) return p;
        return Proposal.wrap(Proposal.unwrap(p).set(56, 36, time));
    }

    /// @notice State at `time`, in signer epoch `current`, while the policy asks for `required` approvals and `delay`
    /// [seconds]. Execution needs the larger of stored and asked for, of each.
    function stateAt(Proposal p, uint256 current, uint256 required, uint256 delay, uint256 time)
        internal
        pure
        returns (State)
    {
        if (p.expiresAt() == 0) return State.None;
        if (Proposal.unwrap(p).get(181, 1) == 1) return State.Executed;
        if (Proposal.unwrap(p).get(182, 1) == 1) return State.Cancelled;
        if (time >= p.expiresAt()) return State.Expired;
        (uint256 storedRequired, uint256 storedDelay) = p.terms();
        if (storedRequired > required) required = storedRequired;
        if (storedDelay > delay) delay = storedDelay;
        if (!p.isRunning(current) || p.voteCount(current) < required) return State.Proposed;
        unchecked {
            return time < p.quorumAt() + delay ? State.Queued : State.Ready;
        }
    }
}
