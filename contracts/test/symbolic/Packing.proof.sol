// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PackedPayments} from "../../src/libraries/PackedPayments.sol";
import {Hot} from "../../src/types/Hot.sol";
import {Member} from "../../src/types/Member.sol";
import {PackedTier, PackedTierFields} from "../../src/types/PackedTier.sol";
import {Proposal, Terms} from "../../src/types/Proposal.sol";
import {Role} from "../../src/types/VaultTypes.sol";
import {Proof} from "./Proof.sol";

/// @title PackingProofs
/// @notice What is written to a field is read from it, and no other field changes.
contract PackingProofs is Proof {
    using PackedPayments for bytes;

    // ── Fields ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice The fields of `Hot` lie apart, and fill the word.
    function check_hot_fieldsLieApart(uint256 word, uint256 halted, uint256 changed, uint256 epoch, uint256 tier)
        external
        pure
    {
        assume(halted < 2 ** 36 && changed < 2 ** 36 && epoch < 2 ** 24 && tier < 2 ** 160);
        Hot h = Hot.wrap(word).withHaltedUntil(halted).withTiersChangedAt(changed).withEpoch(epoch);
        h = h.withFirstTier(PackedTier.wrap(tier));
        assert(h.haltedUntil() == halted && h.epoch() == epoch && PackedTier.unwrap(h.firstTier()) == tier);
        assert(h.settledAt() == (changed == 0 ? 0 : changed + 28 hours));
        assert(Hot.unwrap(h) == halted | (changed << 36) | (epoch << 72) | (tier << 96));
    }

    /// @notice The fields of `Member` lie apart, for every role.
    function check_member_fieldsLieApart(
        uint256 word,
        uint256[3] calldata until,
        uint256 again,
        uint24 epoch,
        uint8 index
    ) external pure {
        Member m = Member.wrap(word);
        for (uint256 i = 0; i < 3; ++i) {
            assume(until[i] < 2 ** 40);
            m = m.withUntil(Role(i), until[i]);
        }
        assume(again < 2 ** 40);
        m = m.withFreezeAgainAt(again).withSigner(epoch, index);
        for (uint256 i = 0; i < 3; ++i) {
            assert(m.until(Role(i)) == until[i]);
        }
        assert(m.freezeAgainAt() == again && m.signerEpoch() == epoch && m.signerIndex() == index);
        assert(m.isSigner() == (epoch != 0));
        assert(Member.unwrap(m) >> 192 == word >> 192);
    }

    /// @notice A row of the policy gives back what it was made of.
    function check_tier_fieldsLieApart(uint256[4] calldata limits, uint256 approvals, uint256 delay) external pure {
        for (uint256 i = 0; i < 4; ++i) {
            assume(limits[i] < 2 ** 33);
        }
        assume(approvals < 2 ** 6 && delay < 2 ** 22);
        PackedTier t = PackedTierFields.pack(limits[0], limits[1], limits[2], limits[3]).withTerms(approvals, delay);
        assert(t.maxKnown() == limits[0] && t.maxUnknown() == limits[1]);
        assert(t.cap() == limits[2] && t.capBefore() == limits[3]);
        (uint256 required, uint256 wait) = t.terms();
        assert(required == approvals && wait == delay);
        assert(t.exists() == (limits[2] != 0));
        assert(t.isAutomatic() == (limits[2] != 0 && approvals == 0 && delay == 0));
        assert(PackedTier.unwrap(t) < 2 ** 160);
    }

    /// @notice A proposal gives back what it was opened with, and keeps who revoked beforehand.
    function check_proposal_fieldsLieApart(
        uint256 word,
        uint8 tier,
        uint8 required,
        uint32 delay,
        uint40 expiry,
        bool mayVeto,
        bool atOnce
    ) external pure {
        assume(word < 2 ** 160);
        Proposal p = Proposal.wrap(word).open(tier, Terms(required, delay, 0), expiry, mayVeto, atOnce);
        assert(p.tier() == tier && p.isChange() == (tier == 255) && p.required() == required && p.delay() == delay);
        assert(p.expiresAt() == expiry && p.vetoable() == mayVeto && p.instant() == atOnce);
        assert(Proposal.unwrap(p) << 96 == word << 96 && Proposal.unwrap(p) >> 250 == 0);
        assert(p.epoch() == (word >> 64) & (2 ** 24 - 1) && p.quorumAt() == (word >> 88) & (2 ** 36 - 1));
        assert(p.votedAt() == (word >> 124) & (2 ** 36 - 1));
    }

    // ── Payments ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice Recipient and amount of each payment are bytes 0 to 19 and 20 to 31 of its 48.
    /// @custom:bounds any bytes of batches of 1 to 4 payments
    function check_payments_item(bytes32[6] calldata content, uint256 count, uint256 i) external view {
        bytes memory all = abi.encodePacked(content);
        count = split(count, 5);
        i = split(i, 4);
        if (i >= count) return;
        bytes memory payments = new bytes(count * 48);
        for (uint256 k = 0; k < payments.length; ++k) {
            payments[k] = all[k];
        }
        (address recipient, uint256 amount) = this.item(payments, i);
        (address known, uint256 knownAmount) = this.sliced(payments, i);
        assert(recipient == known && amount == knownAmount && amount < 2 ** 96);
        assert(this.isCount(payments, count));
        assert(this.hash(payments) == keccak256(payments));
    }

    /// @notice A length is a count of payments only if it is 1 to 256 times 48 bytes.
    /// @custom:bounds any count; lengths of 0, 47, 48, 49, 96, 12,240, 12,288 and 12,336 bytes
    function check_payments_isCount(uint256 count, uint256 choice) external view {
        uint256 length = [uint256(0), 47, 48, 49, 96, 12_240, 12_288, 12_336][split(choice, 8)];
        bool expected = count >= 1 && count <= 256 && length == count * 48;
        assert(this.isCount(new bytes(length), count) == expected);
    }

    function item(bytes calldata payments, uint256 i) external pure returns (address, uint256) {
        return payments.item(i);
    }

    function isCount(bytes calldata payments, uint256 count) external pure returns (bool) {
        return payments.isCount(count);
    }

    function hash(bytes calldata payments) external pure returns (bytes32) {
        return payments.hash();
    }

    function sliced(bytes calldata payments, uint256 i) external pure returns (address, uint256) {
        bytes calldata payment = payments[48 * i:48 * i + 48];
        return (address(bytes20(payment[0:20])), uint96(bytes12(payment[20:32])));
    }
}
