// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Proposal, Terms} from "../../src/types/Proposal.sol";
import {State} from "../../src/types/VaultTypes.sol";
import {Test} from "forge-std/Test.sol";

/// @notice The word of a proposal against a twin that keeps every field apart and every vote in a place of its own.
contract ProposalTwinTest is Test {
    uint256 private constant SIGNERS = 32;
    uint256 private constant STEPS = 40;

    struct Twin {
        bool[SIGNERS] votes;
        bool[SIGNERS] revoked;
        uint256[SIGNERS + 1] reachedAt; // since when there were that many votes without a break
        uint256 epoch;
        uint256 quorumAt;
        uint256 votedAt;
        uint256 expiresAt;
        uint256 delay;
        uint256 required;
        uint256 tier;
        bool vetoable;
        bool instant;
        bool proposed;
        bool executed;
        bool cancelled;
    }

    /// @dev The world that a proposal lives in.
    struct World {
        uint256 time;
        uint256 epoch;
        uint256 signers;
    }

    function testFuzz_machine_matchesTwin(uint256 seed, uint256 start, uint256 delay, uint256 required) external pure {
        World memory w = World(bound(start, 1, 1 << 34), 1 + seed % 3, 1 + (seed >> 8) % SIGNERS);
        Twin memory twin;
        Proposal p;
        for (uint256 i = 0; i < (seed >> 48) % 3; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            p = _revoke(p, twin, w, seed % w.signers);
            if (seed % 5 == 0) ++w.epoch;
            _assertSame(p, twin, w, seed);
        }
        twin.required = bound(required, 0, w.signers);
        twin.delay = bound(delay, 0, (seed >> 16) % 2 == 0 ? 5 : type(uint32).max);
        twin.expiresAt = w.time + 1 + (seed >> 24) % 120;
        twin.tier = (seed >> 32) % 256;
        (twin.vetoable, twin.instant, twin.proposed) = ((seed >> 40) % 2 == 0, (seed >> 44) % 2 == 0, true);
        Terms memory t = Terms(twin.required, twin.delay, 0);
        p = p.open(twin.tier, t, twin.expiresAt, twin.vetoable, twin.instant);
        _assertSame(p, twin, w, seed);
        for (uint256 i = 0; i < STEPS; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            p = _step(p, twin, w, seed);
            _assertSame(p, twin, w, seed);
        }
    }

    function test_machine_zeroWordWasNeverProposed() external pure {
        Proposal none = Proposal.wrap(0);
        assertState(none.stateAt(0, Terms(0, 0, 0), 0), State.None);
        assertState(none.stateAt(1, Terms(2, 3, 4), type(uint40).max), State.None);
        assertFalse(none.isOpen(0));
        assertFalse(none.isOpen(1));
        assertState(none.revoke(1, 31).stateAt(1, Terms(0, 0, 0), 1), State.None);
        assertFalse(none.revoke(1, 31).isOpen(0));
    }

    /// @dev The widest value of each field, all at once.
    function test_machine_fieldsHoldTheirWidestValues() external pure {
        uint256 epoch = type(uint24).max;
        uint256 time = (1 << 36) - 1;
        Terms memory widest = Terms(32, type(uint32).max, 0);
        Proposal p;
        for (uint256 i = 0; i < SIGNERS; ++i) {
            p = p.revoke(epoch, i);
        }
        p = p.open(255, widest, type(uint40).max, true, true);
        for (uint256 i = 0; i < SIGNERS; ++i) {
            assertEq(p.quorumAt(), 0);
            p = p.vote(epoch, i, time);
            assertTrue(p.hasRevoked(epoch, i));
        }
        assertEq(p.voteCount(epoch), 32);
        assertEq(p.epoch(), epoch);
        assertEq(p.quorumAt(), time);
        assertEq(p.votedAt(), time);
        assertEq(p.expiresAt(), type(uint40).max);
        assertEq(p.required(), 32);
        assertEq(p.delay(), type(uint32).max);
        assertEq(p.tier(), 255);
        assertTrue(p.vetoable());
        assertTrue(p.instant());
        assertTrue(p.isOpen(time));
        assertState(p.stateAt(epoch, Terms(0, 0, 0), time + p.delay() - 1), State.Queued);
        assertState(p.stateAt(epoch, Terms(0, 0, 0), time + p.delay()), State.Ready);
    }

    /// @dev No sequence of steps leads to such a word; should one ever, the votes decide and not the clock.
    function test_machine_clockWithoutTheStoredVotesIsNotEnough() external pure {
        Proposal p = Proposal.wrap(0).open(1, Terms(2, 0, 0), 1000, true, false).vote(1, 0, 100);
        Proposal running = Proposal.wrap(Proposal.unwrap(p) | (100 << 88));
        assertEq(running.quorumAt(), 100);
        assertState(running.stateAt(1, Terms(0, 0, 0), 200), State.Proposed);
        assertState(p.vote(1, 1, 100).stateAt(1, Terms(0, 0, 0), 200), State.Ready);
    }

    // ── When the clock starts ────────────────────────────────────────────────────────────────────────────────────

    /// @dev If more is asked for than when proposed, the vote that fulfils it starts the clock, not the first quorum.
    function test_machine_clockStartsWithTheVoteThatSuffices() external pure {
        Proposal p = Proposal.wrap(0).open(1, Terms(1, 10, 0), 10_000, true, false).vote(1, 0, 100);
        Terms memory harder = Terms(2, 10, 200);
        assertState(p.stateAt(1, harder, 1000), State.Proposed);
        p = p.vote(1, 1, 1000);
        assertState(p.stateAt(1, harder, 1009), State.Queued);
        assertState(p.stateAt(1, harder, 1010), State.Ready);
        assertEq(p.quorumAt(), 100, "of the stored one vote");
        assertState(p.stateAt(1, Terms(1, 10, 200), 110), State.Ready);
    }

    /// @dev Votes that were there before more was asked for: from the change on.
    function test_machine_clockStartsWithTheChangeIfTheVotesWereThere() external pure {
        Proposal p = Proposal.wrap(0).open(1, Terms(1, 10, 0), 10_000, true, false).vote(1, 0, 100).vote(1, 1, 150);
        Terms memory harder = Terms(2, 10, 200);
        assertState(p.stateAt(1, harder, 209), State.Queued);
        assertState(p.stateAt(1, harder, 210), State.Ready);
        harder.changedAt = 120;
        assertState(p.stateAt(1, harder, 159), State.Queued);
        assertState(p.stateAt(1, harder, 160), State.Ready);
    }

    /// @dev The word has no room for the time of each vote: one that is not needed puts the clock back too.
    function test_machine_laterVotePutsTheClockBackIfMoreIsAskedFor() external pure {
        Proposal p = Proposal.wrap(0).open(1, Terms(1, 10, 0), 10_000, true, false).vote(1, 0, 100).vote(1, 1, 150);
        p = p.vote(1, 2, 500);
        assertState(p.stateAt(1, Terms(2, 10, 0), 509), State.Queued);
        assertState(p.stateAt(1, Terms(2, 10, 0), 510), State.Ready);
        assertState(p.stateAt(1, Terms(1, 10, 0), 110), State.Ready);
    }

    // ── One step of the world or of the machine ──────────────────────────────────────────────────────────────────

    function _step(Proposal p, Twin memory twin, World memory w, uint256 seed) private pure returns (Proposal) {
        uint256 kind = seed % 16;
        uint256 signer = (seed >> 8) % w.signers;
        bool voted = twin.epoch == w.epoch && twin.votes[signer];
        if (kind < 3) {
            w.time += (seed >> 16) % 12;
        } else if (kind == 3) {
            ++w.epoch;
        } else if (kind == 4 && (seed >> 16) % 4 == 0) {
            twin.executed = true;
            return p.executed();
        } else if (kind == 5 && (seed >> 16) % 4 == 0) {
            twin.cancelled = true;
            return p.cancelled();
        } else if (kind == 6) {
            _startTwin(twin, w.time);
            return p.startClock(w.time);
        } else if (voted ? kind < 10 : kind == 7) {
            return _revoke(p, twin, w, signer);
        } else if (!voted) {
            _voteTwin(twin, w, signer);
            return p.vote(w.epoch, signer, w.time);
        }
        return p;
    }

    function _revoke(Proposal p, Twin memory twin, World memory w, uint256 signer) private pure returns (Proposal) {
        _enterTwin(twin, w);
        (twin.votes[signer], twin.revoked[signer]) = (false, true);
        if (_count(twin) < twin.required) twin.quorumAt = 0;
        return p.revoke(w.epoch, signer);
    }

    function _voteTwin(Twin memory twin, World memory w, uint256 signer) private pure {
        _enterTwin(twin, w);
        twin.votes[signer] = true;
        twin.votedAt = w.time;
        twin.reachedAt[_count(twin)] = w.time;
        _startTwin(twin, w.time);
    }

    /// @dev The first word of a new signer set drops what the old one said.
    function _enterTwin(Twin memory twin, World memory w) private pure {
        if (twin.epoch == w.epoch) return;
        bool[SIGNERS] memory none;
        twin.votes = none;
        bool[SIGNERS] memory nobody;
        twin.revoked = nobody;
        if (twin.required != 0) twin.quorumAt = 0;
        twin.epoch = w.epoch;
    }

    function _startTwin(Twin memory twin, uint256 time) private pure {
        if (twin.quorumAt == 0 && _count(twin) >= twin.required) twin.quorumAt = time;
    }

    function _count(Twin memory twin) private pure returns (uint256 count) {
        for (uint256 i = 0; i < SIGNERS; ++i) {
            if (twin.votes[i]) ++count;
        }
    }

    /// @dev The state as the interface tells it, under what the policy asks for today.
    function _stateOfTwin(Twin memory twin, World memory w, Terms memory t) private pure returns (State) {
        if (!twin.proposed) return State.None;
        if (twin.executed) return State.Executed;
        if (twin.cancelled) return State.Cancelled;
        if (w.time >= twin.expiresAt) return State.Expired;
        uint256 votes = twin.epoch == w.epoch ? _count(twin) : 0;
        if (twin.quorumAt == 0 || votes < twin.required || votes < t.required) return State.Proposed;
        uint256 start = twin.quorumAt;
        if (t.required > twin.required) {
            start = start > twin.votedAt ? start : twin.votedAt;
            start = start > t.changedAt ? start : t.changedAt;
        }
        bool waited = w.time >= start + twin.delay && w.time >= start + t.delay;
        return waited ? State.Ready : State.Queued;
    }

    /// @dev What is ready has had the votes that are asked for now, all of them, for as long as the delay.
    function _assertWaited(Twin memory twin, World memory w, Terms memory t) private pure {
        uint256 need = t.required > twin.required ? t.required : twin.required;
        uint256 wait = t.delay > twin.delay ? t.delay : twin.delay;
        assertGe(w.time, twin.reachedAt[need] + wait, "delay after the votes that count");
        if (t.required > twin.required) assertGe(w.time, t.changedAt + wait, "delay after the change");
    }

    function _assertSame(Proposal p, Twin memory twin, World memory w, uint256 seed) private pure {
        assertEq(p.required(), twin.required, "required");
        assertEq(p.delay(), twin.delay, "delay");
        assertEq(p.epoch(), twin.epoch, "epoch");
        assertEq(p.quorumAt(), twin.quorumAt, "quorumAt");
        assertEq(p.votedAt(), twin.votedAt, "votedAt");
        assertEq(p.expiresAt(), twin.expiresAt, "expiresAt");
        assertEq(p.tier(), twin.tier, "tier");
        assertEq(p.vetoable(), twin.vetoable, "vetoable");
        assertEq(p.instant(), twin.instant, "instant");
        bool open = twin.proposed && !twin.executed && !twin.cancelled && w.time < twin.expiresAt;
        assertEq(p.isOpen(w.time), open, "open");
        bool current = twin.epoch == w.epoch;
        assertEq(p.voteCount(w.epoch), current ? _count(twin) : 0, "votes");
        for (uint256 i = 0; i < SIGNERS; ++i) {
            assertEq(p.hasVote(w.epoch, i), current && twin.votes[i], "vote");
            assertEq(p.hasRevoked(w.epoch, i), current && twin.revoked[i], "revoked");
        }
        // The policy of today asks for less, the same, or more, since any time up to now.
        Terms memory t;
        t.required = (seed >> 64) % 3 == 0 ? 0 : (seed >> 72) % (w.signers + 1);
        t.delay = (seed >> 128) % 8;
        t.changedAt = w.time - (seed >> 136) % 20 % (w.time + 1);
        State state = p.stateAt(w.epoch, t, w.time);
        assertState(state, _stateOfTwin(twin, w, t));
        if (state == State.Ready) _assertWaited(twin, w, t);
    }

    function assertState(State actual, State expected) private pure {
        assertEq(uint8(actual), uint8(expected), "state");
    }
}
