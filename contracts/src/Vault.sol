// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VaultChanges} from "./VaultChanges.sol";
import {VaultPolicy} from "./VaultPolicy.sol";
import {IVault} from "./interfaces/IVault.sol";
import {NumberBitmap} from "./libraries/NumberBitmap.sol";
import {PackedPayments} from "./libraries/PackedPayments.sol";
import {RollingCap} from "./libraries/RollingCap.sol";
import {TokenCall} from "./libraries/TokenCall.sol";
import {TypedData} from "./libraries/TypedData.sol";
import {Hot} from "./types/Hot.sol";
import {Member} from "./types/Member.sol";
import {PackedTier} from "./types/PackedTier.sol";
import {Proposal, Terms} from "./types/Proposal.sol";
import {Batch, Configuration, Order, Refusal, Role, Standing, Vote} from "./types/VaultTypes.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title Vault
/// @notice A timelocked multisig vault for one token: see IVault for what it promises and what it assumes.
/// @dev This contract is about payments; the ones below it about changes, proposals and policy. Every mutator has one shape: who
/// may, checks, effects, event. Payments are marked and charged before the token is called, under the lock; only what
/// the token's answers decide is written and logged after it.
///
/// Masks have bit `i` for payment `i` of the batch:
///
///     unpaid    its number is not paid
///     tries     is to be tried: unpaid, and not skipped
///     fits      of `tries`: within the tier's limit for its recipient
///     refused   of `tries`: the others; reported and left open
///     failed    of `fits`: refused by the token; reported and left open
///     paid      of `fits`: the others
contract Vault is VaultChanges {
    using NumberBitmap for mapping(uint256 => uint256);
    using PackedPayments for bytes;
    using RollingCap for uint256;
    using SafeCast for uint256;
    using TokenCall for address;

    /// @dev Numbers from here on are never paid automatically, so that a stolen keeper's key cannot use them up.
    uint256 private constant PROPOSAL_NUMBERS = 1 << 63;
    uint256 private constant NUMBERS_END = 1 << 64;
    /// @dev A failure is believed only if the transfer had this much gas to run on: enough for a token that creates eight
    /// slots at the dearest prices known (EIP-8037). [gas]
    uint256 private constant TRANSFER_GAS = 1_000_000;

    mapping(uint256 tier => uint256 window) private _windows;
    mapping(uint256 word => uint256 bits) private _numbers;

    /// @dev A batch as a call states it, with what the policy says of its payments now. Written by `_read` alone.
    /// @param sum Of the payments in `fits`. [base units]
    struct Reading {
        Batch batch;
        Subject subject;
        uint256 tries;
        uint256 fits;
        uint256 sum;
    }

    /// @notice Creates the vault. Reverts if the configuration breaks a rule of `Policy` or names an invalid address.
    constructor(Configuration memory configuration) VaultPolicy(configuration) {}

    // ── Payments ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IVault
    function pay(Order calldata order, bytes calldata payments) external lock returns (uint256 paid) {
        if (block.timestamp >= member[msg.sender].until(Role.Keeper)) revert VaultNotKeeper(msg.sender);
        Hot h = hot;
        PackedTier t = _tierOf(h, order.tier);
        if (!t.isAutomatic()) revert VaultTierNotAutomatic(order.tier);
        return _payAtOnce(order, payments, h, t, _readOpen(order, payments, t, PROPOSAL_NUMBERS));
    }

    /// @inheritdoc IVault
    function payBySig(Order calldata order, bytes calldata payments, Vote[] calldata votes)
        external
        lock
        returns (uint256 paid)
    {
        _requireExecutor();
        Hot h = hot;
        PackedTier t = _tierOf(h, order.tier);
        _requireApprovals(order.tier, t);
        (uint256 required, uint256 delay) = t.terms();
        if (delay != 0) revert VaultTierDelayed(order.tier, delay);
        _checkExpiry(order.expiresAt, block.timestamp + 1);
        Reading memory r = _readOpen(order, payments, t, NUMBERS_END);
        _checkQuorumBySig(r.subject, required, votes);
        return _payAtOnce(order, payments, h, t, r);
    }

    /// @inheritdoc IVault
    function propose(Order calldata order, bytes calldata payments) external whenUnlocked returns (bytes32 id) {
        (Reading memory r, Proposal p) = _propose(order, payments);
        id = r.subject.id;
        emit BatchProposed(id, msg.sender, order, payments);
        _proposals[id] = _open(id, p);
    }

    /// @inheritdoc IVault
    function proposeBySig(Order calldata order, bytes calldata payments, Vote[] calldata votes)
        external
        whenUnlocked
        returns (bytes32 id)
    {
        (Reading memory r, Proposal p) = _propose(order, payments);
        id = r.subject.id;
        if (votes.length == 0) revert VaultVotesMissing();
        emit BatchProposed(id, votes[0].signer, order, payments);
        _proposals[id] = _approveBySig(r.subject, p, votes, true);
    }

    /// @inheritdoc IVault
    function approve(Batch calldata batch) external whenUnlocked {
        bytes32 id = _hashTypedDataV4(TypedData.hash(batch));
        _proposals[id] = _approve(id);
    }

    /// @inheritdoc IVault
    function approveBySig(Batch calldata batch, Vote[] calldata votes) external whenUnlocked {
        Subject memory s = _subject(batch);
        _proposals[s.id] = _approveBySig(s, _pending(s.id), votes, false);
    }

    /// @inheritdoc IVault
    function execute(Order calldata order, bytes calldata payments, uint256 skipMask)
        external
        lock
        returns (uint256 paid)
    {
        _requireExecutor();
        Hot h = hot;
        PackedTier t = _tierOf(h, order.tier);
        uint256 unpaid = _numbers.unpaid(order.firstNumber, _count(payments));
        Reading memory r = _read(order, payments, t, unpaid & ~skipMask);
        bytes32 id = r.subject.id;
        (uint256 required, uint256 delay) = t.terms();
        Proposal p = _ready(id, h.epoch(), required, delay);

        uint256 total;
        if (r.tries != 0) (paid, total) = _release(payments, r, h, t);
        else if (unpaid != 0) revert VaultNothingToPay(id);
        if (unpaid == paid) _proposals[id] = p.executed();
        emit BatchExecuted(id, order.firstNumber, paid, total);
    }

    // ── Reading a batch ──────────────────────────────────────────────────────────────────────────────────────────

    /// @dev Derives the header, and with it the id, and finds the payments of `tries` that fit the tier now.
    function _read(Order calldata order, bytes calldata payments, PackedTier t, uint256 tries)
        private
        view
        returns (Reading memory r)
    {
        uint256 total;
        (r.fits, r.sum, total) = _fit(payments, t, tries);
        r.tries = tries;
        Batch memory b = r.batch;
        (b.firstNumber, b.tier, b.expiresAt, b.context) =
        (order.firstNumber, order.tier, order.expiresAt, order.context);
        unchecked {
            b.count = uint16(payments.length / PackedPayments.SIZE); // at most 256
            b.total = uint128(total); // at most 256 amounts of 96 bits
        }
        if (b.count == 1) (b.recipient,) = payments.item(0);
        b.paymentsHash = payments.hash();
        Subject memory s = r.subject;
        s.structHash = TypedData.hashMemory(b);
        (s.id, s.approval) = (_hashTypedDataV4(s.structHash), TypedData.BATCH_APPROVAL);
    }

    /// @dev The same of a new batch, of which all that is unpaid is tried.
    function _readOpen(Order calldata order, bytes calldata payments, PackedTier t, uint256 numbersEnd)
        private
        view
        returns (Reading memory)
    {
        if (block.timestamp >= order.expiresAt) revert VaultExpired(order.expiresAt, block.timestamp);
        uint256 count = _count(payments);
        _checkNumbers(order.firstNumber, count, numbersEnd);
        return _read(order, payments, t, _numbers.unpaid(order.firstNumber, count));
    }

    /// @dev Those of the payments to try that fit the tier now with their sum, and the sum of all. [base units]
    function _fit(bytes calldata payments, PackedTier t, uint256 tries)
        private
        view
        returns (uint256 fits, uint256 sum, uint256 total)
    {
        uint256 limits = _limits(t);
        unchecked {
            // Sums of at most 256 amounts of 96 bits.
            for (uint256 i = 0; i < payments.length / PackedPayments.SIZE; ++i) {
                (address recipient, uint256 amount) = payments.item(i);
                total += amount;
                // An amount of zero wraps to the largest, which no limit takes.
                if ((tries >> i) & 1 != 0 && amount - 1 < _limit(recipient, limits)) {
                    fits |= 1 << i;
                    sum += amount;
                }
            }
        }
    }

    /// @dev The tier's limits, 128 bits for each standing: unknown, known, and none for blocked. [base units]
    function _limits(PackedTier t) private view returns (uint256) {
        unchecked {
            return t.maxUnknown() * unit | (t.maxKnown() * unit) << 128; // limits fit the ceiling, and so 128 bits
        }
    }

    /// @dev Largest payment to a recipient of that standing. [base units]
    function _limit(address recipient, uint256 limits) private view returns (uint256) {
        return uint128(limits >> (128 * uint256(standingOf[recipient])));
    }

    function _count(bytes calldata payments) private pure returns (uint256 count) {
        count = payments.length / PackedPayments.SIZE;
        if (!payments.isCount(count)) revert VaultCountInvalid(count, payments.length);
    }

    function _checkNumbers(uint256 firstNumber, uint256 count, uint256 end) private pure {
        if (firstNumber + count > end) revert VaultNumberOutOfRange(firstNumber, count, end);
    }

    function _requireApprovals(uint256 index, PackedTier t) private view {
        if (!t.exists()) revert VaultTierUnknown(index, tierCount);
        if (t.isAutomatic()) revert VaultTierAutomatic(index);
    }

    // ── Proposing ────────────────────────────────────────────────────────────────────────────────────────────────

    function _propose(Order calldata order, bytes calldata payments)
        private
        view
        returns (Reading memory r, Proposal p)
    {
        PackedTier t = packedTier(order.tier);
        _requireApprovals(order.tier, t);
        uint256 count = _count(payments);
        _checkNumbers(order.firstNumber, count, NUMBERS_END);
        r = _read(order, payments, t, NumberBitmap.full(count));
        if (r.fits != r.tries) _revertRefused(payments, r, t);
        (uint256 required, uint256 delay) = t.terms();
        p = _create(r.subject.id, order.tier, Terms(required, delay, 0), order.expiresAt, true, false);
    }

    /// @dev Reverts unless the votes are a quorum for what was never proposed; logs them.
    function _checkQuorumBySig(Subject memory s, uint256 required, Vote[] calldata votes) private {
        Proposal p = _proposals[s.id];
        if (p.expiresAt() != 0) revert VaultAlreadyProposed(s.id, stateOf(s.id));
        for (uint256 i = 0; i < votes.length; ++i) {
            Member m = _signer(votes[i].signer);
            if (p.hasVote(m.signerEpoch(), m.signerIndex())) continue;
            _checkVote(s, p, votes[i], m);
            p = p.vote(m.signerEpoch(), m.signerIndex(), block.timestamp);
            emit Approved(s.id, votes[i].signer);
        }
        uint256 count = p.voteCount(p.epoch());
        if (count < required) revert VaultVotesShort(s.id, count, required);
    }

    // ── Releasing ────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev Pays what was never proposed.
    function _payAtOnce(Order calldata order, bytes calldata payments, Hot h, PackedTier t, Reading memory r)
        private
        returns (uint256 paid)
    {
        if (r.tries == 0) revert VaultNothingToPay(r.subject.id);
        (paid,) = _release(payments, r, h, t);
        emit BatchPaid(r.subject.id, order, paid, payments);
    }

    /// @dev Pays the payments that fit; the one way money leaves.
    /// @return paid Mask of what was paid.
    /// @return total Its sum. [base units]
    function _release(bytes calldata payments, Reading memory r, Hot h, PackedTier t)
        private
        returns (uint256 paid, uint256 total)
    {
        _requireNotFrozen(h);
        if (r.fits != r.tries) _reportRefused(payments, r, t);
        (uint256 index, uint256 firstNumber, uint256 cap) = (r.batch.tier, r.batch.firstNumber, _capOf(h, t));
        uint256 rolled = _windows[index].roll(block.timestamp);
        _windows[index] = _charge(index, rolled, r.sum, cap);
        _numbers.set(firstNumber, r.fits);

        uint256 balance = token.balanceOf(address(this));
        if (r.sum > balance) revert VaultBalanceTooLow(r.sum, balance);
        (uint256 failed, uint256 failedSum) = _transferAll(payments, r);
        (paid, total) = (r.fits & ~failed, r.sum - failedSum);
        if (failed != 0) {
            _windows[index] = _charge(index, rolled, total, cap);
            _numbers.unset(firstNumber, failed);
        }
        uint256 left = token.balanceOf(address(this));
        if (left != balance - total) revert VaultBalanceMismatch(balance - total, left);
    }

    /// @dev Transfers each payment that fits; those that the token refuses are reported and returned.
    function _transferAll(bytes calldata payments, Reading memory r)
        private
        returns (uint256 failed, uint256 failedSum)
    {
        uint256 fits = r.fits;
        for (uint256 i = 0; i < 256 && fits >> i != 0; ++i) {
            if ((fits >> i) & 1 == 0) continue;
            (address recipient, uint256 amount) = payments.item(i);
            uint256 gasBefore = gasleft();
            if (token.tryTransfer(recipient, amount)) continue;
            bytes32 returned = TokenCall.returned();
            _requireGas(i, gasBefore);
            failed |= 1 << i;
            failedSum += amount;
            emit PaymentFailed(r.subject.id, (r.batch.firstNumber + i).toUint64(), returned);
            if (failed == fits) revert VaultNothingPaid(r.subject.id, returned);
        }
    }

    /// @dev A failure is believed only if the transfer had enough gas to run on, whatever was left after it: a frame that fails
    /// can give gas back (EIP-8037). The call got 63/64 of the gas before it, so less than 1/63 left also means that it
    /// used up everything.
    function _requireGas(uint256 i, uint256 gasBefore) private view {
        uint256 gasAfter = gasleft();
        if (gasBefore < TRANSFER_GAS || gasAfter < gasBefore / 63) revert VaultGasTooLow(i, gasBefore, gasAfter);
    }

    /// @dev The window after charging `sum` [base units], rounded up to units.
    function _charge(uint256 index, uint256 rolled, uint256 sum, uint256 cap) private view returns (uint256) {
        uint256 units;
        unchecked {
            units = (sum + unit - 1) / unit; // 256 amounts of 96 bits, and 96 bits
        }
        uint256 room = rolled.headroom(cap);
        if (units > room) revert VaultCapExceeded(index, units * unit, room * unit);
        return rolled.add(units);
    }

    // ── Refusals ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev Reports the payments that were to be tried but do not fit; reverts with the first if none fits.
    function _reportRefused(bytes calldata payments, Reading memory r, PackedTier t) private {
        uint256 refused = r.tries & ~r.fits;
        if (r.fits == 0) _revertRefused(payments, r, t);
        for (uint256 i = 0; i < r.batch.count; ++i) {
            if ((refused >> i) & 1 == 0) continue;
            (,,, Refusal refusal) = _refusal(payments, t, i);
            emit PaymentRefused(r.subject.id, (r.batch.firstNumber + i).toUint64(), refusal);
        }
    }

    function _revertRefused(bytes calldata payments, Reading memory r, PackedTier t) private view {
        uint256 refused = r.tries & ~r.fits;
        uint256 i;
        while ((refused >> i) & 1 == 0) ++i;
        (address recipient, uint256 amount, uint256 limit, Refusal refusal) = _refusal(payments, t, i);
        revert VaultPaymentRefused(i, recipient, amount, limit, refusal);
    }

    function _refusal(bytes calldata payments, PackedTier t, uint256 i)
        private
        view
        returns (address recipient, uint256 amount, uint256 limit, Refusal refusal)
    {
        (recipient, amount) = payments.item(i);
        limit = _limit(recipient, _limits(t));
        bool blocked = standingOf[recipient] == Standing.Blocked;
        refusal = blocked ? Refusal.BlockedRecipient : amount == 0 ? Refusal.ZeroAmount : Refusal.AboveLimit;
    }

    // ── What may be paid now ─────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IVault
    function headroom(uint256 index) external view returns (uint256) {
        return _windows[index].roll(block.timestamp).headroom(_capOf(hot, packedTier(index))) * unit;
    }

    /// @inheritdoc IVault
    function isPaid(uint64 number) external view returns (bool) {
        return _numbers.unpaid(number, 1) == 0;
    }

    /// @inheritdoc IVault
    function paidMask(uint64 firstNumber, uint16 count) external view returns (uint256) {
        if (count == 0 || count > 256) revert VaultCountInvalid(count, 0);
        return ~_numbers.unpaid(firstNumber, count) & NumberBitmap.full(count);
    }

    /// @inheritdoc IVault
    function window(uint256 index) external view returns (uint256) {
        return _windows[index];
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IVault).interfaceId || interfaceId == type(IERC165).interfaceId;
    }
}
