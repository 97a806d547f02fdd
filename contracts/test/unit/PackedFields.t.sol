// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bits} from "../../src/libraries/Bits.sol";
import {Policy} from "../../src/libraries/Policy.sol";
import {RollingCap} from "../../src/libraries/RollingCap.sol";
import {Hot} from "../../src/types/Hot.sol";
import {Member} from "../../src/types/Member.sol";
import {OrderHead, OrderHeadFields} from "../../src/types/OrderHead.sol";
import {PackedTier, PackedTierFields} from "../../src/types/PackedTier.sol";
import {Proposal, Terms} from "../../src/types/Proposal.sol";
import {Role, State} from "../../src/types/VaultTypes.sol";
import {Test} from "forge-std/Test.sol";

/// @notice Each field of a packed word is read where the layout says it is, and writing it leaves the others alone.
contract PackedFieldsTest is Test {
    using Bits for uint256;

    // ── Order ────────────────────────────────────────────────────────────────────────────────────────────────────

    function testFuzz_orderHead_packs(uint64 first, uint40 expiry, uint8 tier) external pure {
        OrderHead head = OrderHeadFields.pack(first, expiry, tier);
        assertEq(OrderHead.unwrap(head), bytes14(bytes.concat(bytes8(first), bytes5(expiry), bytes1(tier))));
        assertEq(head.firstNumber(), first);
        assertEq(head.expiresAt(), expiry);
        assertEq(head.tier(), tier);
    }

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
        assertEq(p.epoch(), field(word, 64, 24));
        assertEq(p.quorumAt(), field(word, 88, 36));
        assertEq(p.votedAt(), field(word, 124, 36));
        assertEq(p.expiresAt(), field(word, 160, 40));
        assertEq(p.delay(), field(word, 200, 32));
        assertEq(p.required(), field(word, 232, 8));
        assertEq(p.tier(), field(word, 240, 8));
        assertEq(p.isChange(), field(word, 240, 8) == 255);
        assertEq(p.vetoable(), field(word, 248, 1) == 1);
        assertEq(p.instant(), field(word, 249, 1) == 1);
    }

    /// @dev What was said of the id before it was proposed stays.
    function testFuzz_proposal_opens(uint88 said, uint8 tier, Terms memory t, uint40 expiry, bool mayVeto, bool atOnce)
        external
        pure
    {
        (t.required, t.delay) = (t.required % 2 ** 8, t.delay % 2 ** 32);
        Proposal p = Proposal.wrap(said).open(tier, t, expiry, mayVeto, atOnce);
        assertEq(p.required(), t.required);
        assertEq(p.delay(), t.delay);
        assertEq(p.tier(), tier);
        assertEq(p.expiresAt(), expiry);
        assertEq(p.vetoable(), mayVeto);
        assertEq(p.instant(), atOnce);
        assertEq(field(Proposal.unwrap(p), 0, 88), said);
        assertEq(field(Proposal.unwrap(p), 88, 72), 0, "no clock");
        assertEq(Proposal.unwrap(p) >> 250, 0, "not ended");
    }

    function testFuzz_proposal_ends(uint256 word) external pure {
        assertWritten(word, Proposal.unwrap(Proposal.wrap(word).executed()), 250, 1, 1);
        assertWritten(word, Proposal.unwrap(Proposal.wrap(word).cancelled()), 251, 1, 1);
    }

    /// @dev A vote writes votes, epoch and times; taking it back, votes, who revoked, epoch and clock.
    function testFuzz_proposal_votesTouchNothingElse(uint256 word, uint24 epoch, uint256 index, uint256 time)
        external
        pure
    {
        (index, time) = (bound(index, 0, 31), time % 2 ** 36);
        Proposal voted = Proposal.wrap(word).vote(epoch, index, time);
        assertEq(Proposal.unwrap(voted) >> 160, word >> 160);
        assertEq(voted.epoch(), epoch);
        assertEq(voted.votedAt(), time);
        assertTrue(voted.hasVote(epoch, index));
        bool same = field(word, 64, 24) == epoch;
        uint256 kept = same ? field(word, 0, 32) : 0;
        uint256 revoked = same ? field(word, 32, 32) : 0;
        assertEq(field(Proposal.unwrap(voted), 0, 32), kept | 1 << index);
        assertEq(field(Proposal.unwrap(voted), 32, 32), revoked);

        Proposal back = voted.revoke(epoch, index);
        assertEq(Proposal.unwrap(back) >> 124, Proposal.unwrap(voted) >> 124);
        assertEq(back.epoch(), epoch);
        assertFalse(back.hasVote(epoch, index));
        assertTrue(back.hasRevoked(epoch, index));
        assertEq(field(Proposal.unwrap(back), 0, 32), kept & ~(1 << index));
        assertEq(field(Proposal.unwrap(back), 32, 32), revoked | 1 << index);
    }

    function testFuzz_proposal_votesAreOfThatEpoch(uint32 votes, uint32 revoked, uint24 epoch, uint24 other)
        external
        pure
    {
        Proposal p = Proposal.wrap(uint256(votes) | uint256(revoked) << 32 | uint256(epoch) << 64);
        uint256 count;
        for (uint256 i = 0; i < 32; ++i) {
            count += (votes >> i) & 1;
            assertEq(p.hasVote(epoch, i), (votes >> i) & 1 == 1);
            assertEq(p.hasRevoked(epoch, i), (revoked >> i) & 1 == 1);
            if (other != epoch) assertFalse(p.hasVote(other, i) || p.hasRevoked(other, i));
        }
        assertEq(p.voteCount(epoch), count);
        if (other != epoch) assertEq(p.voteCount(other), 0);
    }

    /// @dev Approvals and delay are each the larger of stored and asked for, even if a clock ran with too few votes.
    function test_proposal_stateNeedsLargerOfStoredAndCurrent() external pure {
        Proposal p = Proposal.wrap(0).open(1, Terms(2, 1 hours, 0), 10 days, true, false);
        p = p.vote(1, 0, 1 days).vote(1, 5, 1 days);
        assertState(p.stateAt(1, Terms(0, 0, 0), 1 days + 1 hours - 1), State.Queued);
        assertState(p.stateAt(1, Terms(0, 0, 0), 1 days + 1 hours), State.Ready);
        assertState(p.stateAt(1, Terms(2, 2 hours, 0), 1 days + 2 hours - 1), State.Queued);
        assertState(p.stateAt(1, Terms(2, 2 hours, 0), 1 days + 2 hours), State.Ready);
        assertState(p.stateAt(1, Terms(3, 0, 0), 1 days + 1 hours), State.Proposed);
        Proposal oneVote = Proposal.wrap(Proposal.unwrap(p) & ~uint256(1));
        assertEq(oneVote.quorumAt(), 1 days);
        assertState(oneVote.stateAt(1, Terms(0, 0, 0), 1 days + 1 hours), State.Proposed);
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
