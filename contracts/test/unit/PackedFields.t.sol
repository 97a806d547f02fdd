// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bits} from "../../src/libraries/Bits.sol";
import {Policy} from "../../src/libraries/Policy.sol";
import {RollingCap} from "../../src/libraries/RollingCap.sol";
import {Hot} from "../../src/types/Hot.sol";
import {Member} from "../../src/types/Member.sol";
import {PackedTier, PackedTierFields} from "../../src/types/PackedTier.sol";
import {Proposal, Proposals} from "../../src/types/Proposal.sol";
import {Role, State} from "../../src/types/VaultTypes.sol";
import {Test} from "forge-std/Test.sol";

/// @notice Each field of a packed word is read where the layout says it is, and writing it leaves the others alone.
contract PackedFieldsTest is Test {
    using Bits for uint256;

    // ── Bits ─────────────────────────────────────────────────────────────────────────────────────────────────────

    function testFuzz_bits_setAndGet(uint256 word, uint256 start, uint256 width, uint256 value) external pure {
        start = bound(start, 0, 255);
        width = bound(width, 1, 256 - start > 255 ? 255 : 256 - start);
        assertWritten(word, word.set(start, width, value), start, width, value);
        assertEq(word.get(start, width), field(word, start, width));
    }

    // ── Hot ──────────────────────────────────────────────────────────────────────────────────────────────────────

    function testFuzz_hot_reads(uint256 word) external pure {
        Hot h = Hot.wrap(word);
        assertEq(h.haltedUntil(), field(word, 0, 36));
        uint256 changedAt = field(word, 36, 36);
        assertEq(h.settledAt(), changedAt == 0 ? 0 : changedAt + 28 hours);
        assertEq(h.epoch(), field(word, 72, 24));
        assertEq(PackedTier.unwrap(h.firstTier()), field(word, 96, 160));
    }

    function testFuzz_hot_writes(uint256 word, uint256 value) external pure {
        Hot h = Hot.wrap(word);
        assertWritten(word, Hot.unwrap(h.withHaltedUntil(value)), 0, 36, value);
        assertWritten(word, Hot.unwrap(h.withTiersChangedAt(value)), 36, 36, value);
        assertWritten(word, Hot.unwrap(h.withEpoch(value)), 72, 24, value);
        assertWritten(word, Hot.unwrap(h.withFirstTier(PackedTier.wrap(value))), 96, 160, value);
    }

    function test_hot_settledAtOnlyAfterAChange() external pure {
        Hot never = Hot.wrap(type(uint256).max).withTiersChangedAt(0);
        assertEq(never.settledAt(), 0);
        assertEq(never.withTiersChangedAt(1).settledAt(), 1 + 28 hours);
    }

    // ── Member ───────────────────────────────────────────────────────────────────────────────────────────────────

    function testFuzz_member_reads(uint256 word) external pure {
        Member m = Member.wrap(word);
        assertEq(m.until(Role.Keeper), field(word, 0, 40));
        assertEq(m.until(Role.Proposer), field(word, 40, 40));
        assertEq(m.until(Role.Guardian), field(word, 80, 40));
        assertEq(m.freezeAgainAt(), field(word, 120, 40));
        assertEq(m.signerEpoch(), field(word, 160, 24));
        assertEq(m.signerIndex(), field(word, 184, 8));
        assertEq(m.isSigner(), field(word, 160, 24) != 0);
    }

    function testFuzz_member_writes(uint256 word, uint256 value, uint256 index) external pure {
        Member m = Member.wrap(word);
        assertWritten(word, Member.unwrap(m.withUntil(Role.Keeper, value)), 0, 40, value);
        assertWritten(word, Member.unwrap(m.withUntil(Role.Proposer, value)), 40, 40, value);
        assertWritten(word, Member.unwrap(m.withUntil(Role.Guardian, value)), 80, 40, value);
        assertWritten(word, Member.unwrap(m.withFreezeAgainAt(value)), 120, 40, value);
        uint256 both = field(value, 0, 24) | field(index, 0, 8) << 24;
        assertWritten(word, Member.unwrap(m.withSigner(value, index)), 160, 32, both);
    }

    function test_member_isSignerByEpochAlone() external pure {
        assertFalse(Member.wrap(type(uint256).max).withSigner(0, 0).isSigner());
        assertTrue(Member.wrap(0).withSigner(1, 0).isSigner());
        assertFalse(Member.wrap(0).withSigner(0, 31).isSigner());
    }

    // ── PackedTier ───────────────────────────────────────────────────────────────────────────────────────────────

    function testFuzz_packedTier_reads(uint160 word) external pure {
        PackedTier t = PackedTier.wrap(word);
        assertEq(t.maxKnown(), field(word, 0, 33));
        assertEq(t.maxUnknown(), field(word, 33, 33));
        assertEq(t.cap(), field(word, 66, 33));
        assertEq(t.capBefore(), field(word, 99, 33));
        (uint256 approvals, uint256 delay) = t.terms();
        assertEq(approvals, field(word, 132, 6));
        assertEq(delay, field(word, 138, 22));
        assertEq(t.exists(), field(word, 66, 33) != 0);
        assertEq(t.isAutomatic(), t.exists() && approvals == 0 && delay == 0);
    }

    function testFuzz_packedTier_packs(uint256 known, uint256 unknown, uint256 cap, uint256 before) external pure {
        PackedTier t = PackedTierFields.pack(known, unknown, cap, before);
        assertEq(t.maxKnown(), field(known, 0, 33));
        assertEq(t.maxUnknown(), field(unknown, 0, 33));
        assertEq(t.cap(), field(cap, 0, 33));
        assertEq(t.capBefore(), field(before, 0, 33));
        assertEq(PackedTier.unwrap(t) >> 132, 0);
    }

    function testFuzz_packedTier_withTerms(uint256 word, uint256 approvals, uint256 delay) external pure {
        PackedTier t = PackedTier.wrap(word).withTerms(approvals, delay);
        uint256 both = field(approvals, 0, 6) | field(delay, 0, 22) << 6;
        assertWritten(word, PackedTier.unwrap(t), 132, 28, both);
    }

    function test_packedTier_isAutomaticOnlyWithoutTerms() external pure {
        PackedTier t = PackedTierFields.pack(1, 1, 1, 0);
        assertTrue(t.isAutomatic());
        assertFalse(t.withTerms(1, 0).isAutomatic());
        assertFalse(t.withTerms(0, 1).isAutomatic());
        assertFalse(PackedTier.wrap(0).isAutomatic(), "no tier at all");
        assertFalse(PackedTierFields.pack(0, 0, 0, 1).isAutomatic(), "a removed tier");
    }

    function test_packedTier_fitsEveryPolicy() external pure {
        uint256 most = RollingCap.MAX_CAP;
        PackedTier t = PackedTierFields.pack(most, most, most, most).withTerms(Policy.MAX_SIGNERS, Policy.MAX_DELAY);
        assertEq(t.maxKnown(), most);
        assertEq(t.maxUnknown(), most);
        assertEq(t.cap(), most);
        assertEq(t.capBefore(), most);
        (uint256 approvals, uint256 delay) = t.terms();
        assertEq(approvals, Policy.MAX_SIGNERS);
        assertEq(delay, Policy.MAX_DELAY);
        assertEq(PackedTier.unwrap(t) >> 160, 0, "fits the hot word");
    }

    // ── Proposal ─────────────────────────────────────────────────────────────────────────────────────────────────

    function testFuzz_proposal_reads(uint256 word) external pure {
        Proposal p = Proposal.wrap(word);
        assertEq(p.epoch(), field(word, 32, 24));
        assertEq(p.quorumAt(), field(word, 56, 36));
        assertEq(p.expiresAt(), field(word, 92, 40));
        (uint256 required, uint256 delay) = p.terms();
        assertEq(delay, field(word, 132, 32));
        assertEq(required, field(word, 164, 8));
        assertEq(p.tier(), field(word, 172, 8));
        assertEq(p.vetoable(), field(word, 180, 1) == 1);
    }

    function testFuzz_proposal_creates(uint8 tier, uint8 required, uint32 delay, uint40 expiry, bool mayVeto)
        external
        pure
    {
        Proposal p = Proposals.create(tier, required, delay, expiry, mayVeto);
        (uint256 storedRequired, uint256 storedDelay) = p.terms();
        assertEq(storedRequired, required);
        assertEq(storedDelay, delay);
        assertEq(p.tier(), tier);
        assertEq(p.expiresAt(), expiry);
        assertEq(p.vetoable(), mayVeto);
        assertEq(field(Proposal.unwrap(p), 0, 92), 0, "no votes, no clock");
        assertEq(Proposal.unwrap(p) >> 181, 0, "not ended");
    }

    function testFuzz_proposal_ends(uint256 word) external pure {
        assertWritten(word, Proposal.unwrap(Proposal.wrap(word).executed()), 181, 1, 1);
        assertWritten(word, Proposal.unwrap(Proposal.wrap(word).cancelled()), 182, 1, 1);
    }

    /// @dev A vote writes votes, epoch and clock; taking it back, votes and clock.
    function testFuzz_proposal_votesTouchNothingElse(uint256 word, uint24 epoch, uint256 index, uint256 time)
        external
        pure
    {
        index = bound(index, 0, 31);
        Proposal voted = Proposal.wrap(word).vote(epoch, index, time % 2 ** 36);
        assertEq(Proposal.unwrap(voted) >> 92, word >> 92);
        assertEq(voted.epoch(), epoch);
        assertTrue(voted.hasVote(epoch, index));
        uint256 kept = field(word, 32, 24) == epoch ? field(word, 0, 32) : 0;
        assertEq(field(Proposal.unwrap(voted), 0, 32), kept | 1 << index);

        Proposal unvoted = voted.unvote(index);
        assertEq(Proposal.unwrap(unvoted) >> 92, word >> 92);
        assertEq(unvoted.epoch(), epoch);
        assertEq(field(Proposal.unwrap(unvoted), 0, 32), kept & ~(1 << index));
    }

    function testFuzz_proposal_voteCountIsOfThatEpoch(uint32 votes, uint24 epoch, uint24 other) external pure {
        Proposal p = Proposal.wrap(uint256(votes) | uint256(epoch) << 32);
        uint256 count;
        for (uint256 i = 0; i < 32; ++i) {
            count += (votes >> i) & 1;
            assertEq(p.hasVote(epoch, i), (votes >> i) & 1 == 1);
            if (other != epoch) assertFalse(p.hasVote(other, i));
        }
        assertEq(p.voteCount(epoch), count);
        if (other != epoch) assertEq(p.voteCount(other), 0);
    }

    /// @dev Approvals and delay are each the larger of stored and asked for, even if a clock ran with too few votes.
    function test_proposal_stateNeedsLargerOfStoredAndCurrent() external pure {
        Proposal p = Proposals.create(1, 2, 1 hours, 10 days, true).vote(1, 0, 1 days).vote(1, 5, 1 days);
        assertState(p.stateAt(1, 0, 0, 1 days + 1 hours - 1), State.Queued);
        assertState(p.stateAt(1, 0, 0, 1 days + 1 hours), State.Ready);
        assertState(p.stateAt(1, 2, 2 hours, 1 days + 2 hours - 1), State.Queued);
        assertState(p.stateAt(1, 2, 2 hours, 1 days + 2 hours), State.Ready);
        assertState(p.stateAt(1, 3, 0, 1 days + 1 hours), State.Proposed);
        Proposal oneVote = Proposal.wrap(Proposal.unwrap(p) & ~uint256(1));
        assertEq(oneVote.quorumAt(), 1 days);
        assertState(oneVote.stateAt(1, 0, 0, 1 days + 1 hours), State.Proposed);
    }

    // ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev The field by division, not by shifts and masks.
    function field(uint256 word, uint256 start, uint256 width) private pure returns (uint256) {
        return (word / 2 ** start) % 2 ** width;
    }

    function assertState(State actual, State expected) private pure {
        assertEq(uint8(actual), uint8(expected), "state");
    }

    function assertWritten(uint256 before, uint256 next, uint256 start, uint256 width, uint256 value) private pure {
        assertEq(field(next, start, width), value % 2 ** width, "written");
        assertEq(next % 2 ** start, before % 2 ** start, "below");
        if (start + width < 256) assertEq(next >> (start + width), before >> (start + width), "above");
    }
}
