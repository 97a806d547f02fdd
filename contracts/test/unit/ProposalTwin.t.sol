// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Proposal, Proposals} from "../../src/types/Proposal.sol";
import {State} from "../../src/types/VaultTypes.sol";
import {Test} from "forge-std/Test.sol";

/// @notice The word of a proposal against a twin that keeps every field apart and every vote in a place of its own.
contract ProposalTwinTest is Test {
    uint256 private constant SIGNERS = 32;
    uint256 private constant STEPS = 40;

    struct Twin {
        bool[SIGNERS] votes;
        uint256 epoch;
        uint256 quorumAt;
        uint256 expiresAt;
        uint256 delay;
        uint256 required;
        uint256 tier;
        bool vetoable;
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
        twin.required = bound(required, 0, w.signers);
        twin.delay = bound(delay, 0, (seed >> 16) % 2 == 0 ? 5 : type(uint32).max);
        twin.expiresAt = w.time + 1 + (seed >> 24) % 120;
        twin.tier = (seed >> 32) % 256;
        twin.vetoable = (seed >> 40) % 2 == 0;
        Proposal p = Proposals.create(twin.tier, twin.required, twin.delay, twin.expiresAt, twin.vetoable);
        _assertSame(p, twin, w, seed);
        for (uint256 i = 0; i < STEPS; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            p = _step(p, twin, w, seed);
            _assertSame(p, twin, w, seed);
        }
    }

    function test_machine_zeroWordWasNeverProposed() external pure {
        Proposal none = Proposal.wrap(0);
        assertEq(uint8(none.stateAt(0, 0, 0, 0)), uint8(State.None));
        assertEq(uint8(none.stateAt(1, 2, 3, type(uint40).max)), uint8(State.None));
        assertFalse(none.isOpen(0));
        assertFalse(none.isOpen(1));
    }

    /// @dev The widest value of each field, all at once.
    function test_machine_fieldsHoldTheirWidestValues() external pure {
        uint256 epoch = type(uint24).max;
        uint256 time = (1 << 36) - 1;
        Proposal p = Proposals.create(255, 32, type(uint32).max, type(uint40).max, true);
        for (uint256 i = 0; i < SIGNERS; ++i) {
            assertEq(p.quorumAt(), 0);
            p = p.vote(epoch, i, time);
        }
        (uint256 required, uint256 delay) = p.terms();
        assertEq(p.voteCount(epoch), 32);
        assertEq(p.epoch(), epoch);
        assertEq(p.quorumAt(), time);
        assertEq(p.expiresAt(), type(uint40).max);
        assertEq(required, 32);
        assertEq(delay, type(uint32).max);
        assertEq(p.tier(), 255);
        assertTrue(p.vetoable());
        assertTrue(p.isOpen(time));
        assertEq(uint8(p.stateAt(epoch, 0, 0, time + delay - 1)), uint8(State.Queued));
        assertEq(uint8(p.stateAt(epoch, 0, 0, time + delay)), uint8(State.Ready));
    }

    /// @dev No sequence of steps leads to such a word; should one ever, the votes decide and not the clock.
    function test_machine_clockWithoutTheStoredVotesIsNotEnough() external pure {
        Proposal p = Proposals.create(1, 2, 0, 1000, true).vote(1, 0, 100);
        Proposal running = Proposal.wrap(Proposal.unwrap(p) | (100 << 56));
        assertEq(running.quorumAt(), 100);
        assertEq(uint8(running.stateAt(1, 0, 0, 200)), uint8(State.Proposed));
        assertEq(uint8(p.vote(1, 1, 100).stateAt(1, 0, 0, 200)), uint8(State.Ready));
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
        } else if (voted && kind < 10) {
            _unvoteTwin(twin, signer);
            return p.unvote(signer);
        } else if (!voted) {
            _voteTwin(twin, w, signer);
            return p.vote(w.epoch, signer, w.time);
        }
        return p;
    }

    function _voteTwin(Twin memory twin, World memory w, uint256 signer) private pure {
        if (twin.epoch != w.epoch) {
            bool[SIGNERS] memory none;
            twin.votes = none;
            if (twin.required != 0) twin.quorumAt = 0;
            twin.epoch = w.epoch;
        }
        twin.votes[signer] = true;
        _startTwin(twin, w.time);
    }

    function _unvoteTwin(Twin memory twin, uint256 signer) private pure {
        twin.votes[signer] = false;
        if (_count(twin) < twin.required) twin.quorumAt = 0;
    }

    function _startTwin(Twin memory twin, uint256 time) private pure {
        if (twin.quorumAt == 0 && _count(twin) >= twin.required) twin.quorumAt = time;
    }

    function _count(Twin memory twin) private pure returns (uint256 count) {
        for (uint256 i = 0; i < SIGNERS; ++i) {
            if (twin.votes[i]) ++count;
        }
    }

    /// @dev The state as the interface tells it, under a policy that asks for `required` and `delay` today.
    function _stateOfTwin(Twin memory twin, World memory w, uint256 required, uint256 delay)
        private
        pure
        returns (State)
    {
        if (twin.executed) return State.Executed;
        if (twin.cancelled) return State.Cancelled;
        if (w.time >= twin.expiresAt) return State.Expired;
        bool current = twin.epoch == w.epoch;
        bool running = twin.quorumAt != 0 && (current || twin.required == 0);
        uint256 votes = current ? _count(twin) : 0;
        if (!running || votes < twin.required || votes < required) return State.Proposed;
        bool waited = w.time >= twin.quorumAt + twin.delay && w.time >= twin.quorumAt + delay;
        return waited ? State.Ready : State.Queued;
    }

    function _assertSame(Proposal p, Twin memory twin, World memory w, uint256 seed) private pure {
        (uint256 required, uint256 delay) = p.terms();
        assertEq(required, twin.required, "required");
        assertEq(delay, twin.delay, "delay");
        assertEq(p.epoch(), twin.epoch, "epoch");
        assertEq(p.quorumAt(), twin.quorumAt, "quorumAt");
        assertEq(p.expiresAt(), twin.expiresAt, "expiresAt");
        assertEq(p.tier(), twin.tier, "tier");
        assertEq(p.vetoable(), twin.vetoable, "vetoable");
        assertEq(p.isOpen(w.time), !twin.executed && !twin.cancelled && w.time < twin.expiresAt, "open");
        bool current = twin.epoch == w.epoch;
        assertEq(p.voteCount(w.epoch), current ? _count(twin) : 0, "votes");
        for (uint256 i = 0; i < SIGNERS; ++i) {
            assertEq(p.hasVote(w.epoch, i), current && twin.votes[i], "vote");
        }
        // The policy of today asks for less, the same, or more.
        required = (seed >> 64) % 3 == 0 ? 0 : (seed >> 72) % (w.signers + 1);
        delay = (seed >> 128) % 8;
        State state = p.stateAt(w.epoch, required, delay, w.time);
        assertEq(uint8(state), uint8(_stateOfTwin(twin, w, required, delay)), "state");
    }
}
