// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VaultChanges} from "./VaultChanges.sol";
import {VaultPolicy} from "./VaultPolicy.sol";
import {IVault} from "./interfaces/IVault.sol";
import {BatchLog} from "./libraries/BatchLog.sol";
import {NumberBitmap} from "./libraries/NumberBitmap.sol";
import {PackedPayments} from "./libraries/PackedPayments.sol";
import {RollingCap} from "./libraries/RollingCap.sol";
import {TokenCall} from "./libraries/TokenCall.sol";
import {TypedData} from "./libraries/TypedData.sol";
import {Hot} from "./types/Hot.sol";
import {Member} from "./types/Member.sol";
import {OrderHead} from "./types/OrderHead.sol";
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

    mapping(uint256 tier => Window) private _windows;
    mapping(uint256 word => uint256 bits) private _numbers;

    /// @dev The rolling window of a tier, in a struct so that its slot is found once.
    struct Window {
        uint256 lanes;
    }

    /// @notice Creates the vault. Reverts if the configuration breaks a rule of `Policy` or names an invalid address.
    constructor(Configuration memory configuration) VaultPolicy(configuration) {}

    // ── Payments ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IVault
    function pay(Order calldata order, bytes calldata payments) external lock returns (uint256 paid) {
        if (block.timestamp >= member[msg.sender].until(Role.Keeper)) revert VaultNotKeeper(msg.sender);
        (Hot h, OrderHead head) = (hot, order.head);
        uint256 index = head.tier();
        PackedTier t = _tierOf(h, index);
        if (!t.isAutomatic()) revert VaultTierNotAutomatic(index);
        (uint256 first, uint256 tries) = _open(head, payments, PROPOSAL_NUMBERS);
        (uint256 fits, uint256 sum, uint256 total) = _fit(payments, t, tries);
        bytes32 id = _hashTypedDataV4(TypedData.hash(order, payments, total));
        if (tries == 0) revert VaultNothingToPay(id);
        (paid,) = _release(id, index, first, payments, h, t, tries, fits, sum);
        BatchLog.paid(id, order, paid, payments);
    }

    /// @inheritdoc IVault
    function payBySig(Order calldata order, bytes calldata payments, Vote[] calldata votes)
        external
        lock
        returns (uint256 paid)
    {
        _requireExecutor();
        (Hot h, OrderHead head) = (hot, order.head);
        uint256 index = head.tier();
        PackedTier t = _tierOf(h, index);
        _requireApprovals(index, t);
        (uint256 required, uint256 delay) = t.terms();
        if (delay != 0) revert VaultTierDelayed(index, delay);
        _checkExpiry(head.expiresAt(), block.timestamp + 1);
        (uint256 first, uint256 tries) = _open(head, payments, NUMBERS_END);
        (uint256 fits, uint256 sum, uint256 total) = _fit(payments, t, tries);
        Subject memory s = _subject(TypedData.hash(order, payments, total));
        _checkQuorumBySig(s, required, votes);
        if (tries == 0) revert VaultNothingToPay(s.id);
        (paid,) = _release(s.id, index, first, payments, h, t, tries, fits, sum);
        BatchLog.paid(s.id, order, paid, payments);
    }

    /// @inheritdoc IVault
    function propose(Order calldata order, bytes calldata payments) external whenUnlocked returns (bytes32 id) {
        (Subject memory s, Proposal p) = _propose(order, payments);
        BatchLog.proposed(s.id, msg.sender, order, payments);
        _proposals[s.id] = _openAsCaller(s.id, p);
        return s.id;
    }

    /// @inheritdoc IVault
    function proposeBySig(Order calldata order, bytes calldata payments, Vote[] calldata votes)
        external
        whenUnlocked
        returns (bytes32 id)
    {
        (Subject memory s, Proposal p) = _propose(order, payments);
        if (votes.length == 0) revert VaultVotesMissing();
        BatchLog.proposed(s.id, votes[0].signer, order, payments);
        _proposals[s.id] = _approveBySig(s, p, votes, true);
        return s.id;
    }

    /// @inheritdoc IVault
    function approve(Batch calldata batch) external whenUnlocked {
        bytes32 id = _hashTypedDataV4(TypedData.hash(batch));
        _proposals[id] = _approve(id);
    }

    /// @inheritdoc IVault
    function approveBySig(Batch calldata batch, Vote[] calldata votes) external whenUnlocked {
        Subject memory s = _subject(TypedData.hash(batch));
        _proposals[s.id] = _approveBySig(s, _pending(s.id), votes, false);
    }

    /// @inheritdoc IVault
    function execute(Order calldata order, bytes calldata payments, uint256 skipMask)
        external
        lock
        returns (uint256 paid)
    {
        _requireExecutor();
        (Hot h, OrderHead head) = (hot, order.head);
        (uint256 index, uint256 first) = (head.tier(), head.firstNumber());
        PackedTier t = _tierOf(h, index);
        uint256 unpaid = _numbers.unpaid(first, _count(payments));
        uint256 tries = unpaid & ~skipMask;
        (uint256 fits, uint256 sum, uint256 total) = _fit(payments, t, tries);
        bytes32 id = _hashTypedDataV4(TypedData.hash(order, payments, total));
        Proposal p = _ready(id, h.epoch(), t);

        total = 0;
        if (tries != 0) (paid, total) = _release(id, index, first, payments, h, t, tries, fits, sum);
        else if (unpaid != 0) revert VaultNothingToPay(id);
        if (unpaid == paid) _proposals[id] = p.executed();
        emit BatchExecuted(id, first, paid, total);
    }

    // ── Reading a batch ──────────────────────────────────────────────────────────────────────────────────────────

    /// @dev Checks an order that was never proposed. Its unpaid payments, of which `first` is the first number, are to be tried.
    function _open(OrderHead head, bytes calldata payments, uint256 numbersEnd)
        private
        view
        returns (uint256 first, uint256 tries)
    {
        uint256 expiresAt = head.expiresAt();
        if (block.timestamp >= expiresAt) revert VaultExpired(expiresAt, block.timestamp);
        uint256 count = _count(payments);
        first = head.firstNumber();
        _checkNumbers(first, count, numbersEnd);
        tries = _numbers.unpaid(first, count);
    }

    /// @dev Those of the payments to try that fit the tier now with their sum, and the sum of all. [base units]
    function _fit(bytes calldata payments, PackedTier t, uint256 tries)
        private
        view
        returns (uint256 fits, uint256 sum, uint256 total)
    {
        return payments.fitting(tries, _limits(t), standingOf);
    }

    /// @dev The tier's limits, 128 bits for each standing: unknown, known, and none for blocked. [base units]
    function _limits(PackedTier t) private view returns (uint256) {
        unchecked {
            return t.maxUnknown() * unit | (t.maxKnown() * unit) << 128; // limits fit the ceiling, and so 128 bits
        }
    }

    /// @dev Largest payment to a recipient of that standing. [base units]
    function _limit(address recipient, uint256 limits) private view returns (uint256) {
        return (limits >> (128 * uint256(standingOf[recipient]))) & type(uint128).max;
    }

    function _count(bytes calldata payments) private pure returns (uint256 count) {
        count = payments.length / PackedPayments.SIZE;
        if (!payments.isCount(count)) revert VaultCountInvalid(count, payments.length);
    }

    function _checkNumbers(uint256 firstNumber, uint256 count, uint256 end) private pure {
        unchecked {
            // 64 bits and at most 256
            if (firstNumber + count > end) revert VaultNumberOutOfRange(firstNumber, count, end);
        }
    }

    function _requireApprovals(uint256 index, PackedTier t) private view {
        if (!t.exists()) revert VaultTierUnknown(index, tierCount);
        if (t.isAutomatic()) revert VaultTierAutomatic(index);
    }

    // ── Proposing ────────────────────────────────────────────────────────────────────────────────────────────────

    function _propose(Order calldata order, bytes calldata payments)
        private
        view
        returns (Subject memory s, Proposal p)
    {
        OrderHead head = order.head;
        PackedTier t = packedTier(head.tier());
        _requireApprovals(head.tier(), t);
        uint256 count = _count(payments);
        _checkNumbers(head.firstNumber(), count, NUMBERS_END);
        uint256 all = NumberBitmap.full(count);
        (uint256 fits,, uint256 total) = _fit(payments, t, all);
        if (fits != all) _revertRefused(payments, t, all & ~fits);
        s = _subject(TypedData.hash(order, payments, total));
        (uint256 required, uint256 delay) = t.terms();
        p = _create(s.id, head.tier(), Terms(required, delay, 0), head.expiresAt(), true, false);
    }

    /// @dev Reverts unless the votes are a quorum for what was never proposed; logs them.
    function _checkQuorumBySig(Subject memory s, uint256 required, Vote[] calldata votes) private {
        Proposal p = _proposals[s.id];
        if (p.expiresAt() != 0) revert VaultAlreadyProposed(s.id, stateOf(s.id));
        for (uint256 i = 0; i < votes.length; ++i) {
            Vote calldata v = votes[i];
            address signer = v.signer;
            Member m = _signer(signer);
            if (p.hasVote(m.signerEpoch(), m.signerIndex())) continue;
            _checkVote(s, p, signer, m, v.signature);
            p = p.vote(m.signerEpoch(), m.signerIndex(), block.timestamp);
            emit Approved(s.id, signer);
        }
        uint256 count = p.voteCount(p.epoch());
        if (count < required) revert VaultVotesShort(s.id, count, required);
    }

    // ── Releasing ────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev Pays the payments in `fits`, which sum to `sum` [base units]; the one way money leaves.
    /// @return paid Mask of what was paid.
    /// @return total Its sum. [base units]
    function _release(
        bytes32 id,
        uint256 index,
        uint256 first,
        bytes calldata payments,
        Hot h,
        PackedTier t,
        uint256 tries,
        uint256 fits,
        uint256 sum
    ) private returns (uint256 paid, uint256 total) {
        _requireNotFrozen(h);
        if (fits != tries) _reportRefused(id, first, payments, t, tries, fits);
        Window storage w = _windows[index];
        uint256 rolled = w.lanes.roll(block.timestamp);
        w.lanes = _charge(index, rolled, sum, _capOf(h, t));
        _numbers.set(first, fits);

        uint256 balance = token.balanceOf(address(this));
        if (sum > balance) revert VaultBalanceTooLow(sum, balance);
        (uint256 failed, uint256 failedSum) = _transferAll(id, first, payments, fits);
        unchecked {
            // What failed is part of the sum, and the sum of the balance.
            (paid, total) = (fits & ~failed, sum - failedSum);
            balance -= total;
        }
        if (failed != 0) {
            w.lanes = _charge(index, rolled, total, _capOf(h, t));
            _numbers.unset(first, failed);
        }
        uint256 left = token.balanceOf(address(this));
        if (left != balance) revert VaultBalanceMismatch(balance, left);
    }

    /// @dev Transfers each payment of the mask; those that the token refuses are reported and returned.
    function _transferAll(bytes32 id, uint256 firstNumber, bytes calldata payments, uint256 mask)
        private
        returns (uint256 failed, uint256 failedSum)
    {
        uint256 i = 0;
        for (uint256 left = mask; left != 0; left >>= 1) {
            if (left & 1 != 0) {
                (address recipient, uint256 amount) = payments.item(i);
                uint256 gasBefore = gasleft();
                if (!token.tryTransfer(recipient, amount)) {
                    bytes32 returned = TokenCall.returned();
                    _requireGas(i, gasBefore);
                    failed |= 1 << i;
                    failedSum += amount;
                    emit PaymentFailed(id, (firstNumber + i).toUint64(), returned);
                    if (failed == mask) revert VaultNothingPaid(id, returned);
                }
            }
            unchecked {
                ++i;
            }
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
        uint256 room = rolled.headroom(cap);
        unchecked {
            uint256 units = (sum + unit - 1) / unit; // 256 amounts of 96 bits, and 96 bits
            if (units > room) revert VaultCapExceeded(index, units * unit, room * unit);
            return rolled.add(units);
        }
    }

    // ── Refusals ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev Reports the payments that were to be tried but do not fit; reverts with the first if none fits.
    function _reportRefused(
        bytes32 id,
        uint256 firstNumber,
        bytes calldata payments,
        PackedTier t,
        uint256 tries,
        uint256 fits
    ) private {
        uint256 refused = tries & ~fits;
        if (fits == 0) _revertRefused(payments, t, refused);
        for (uint256 i = 0; i < 256; ++i) {
            if ((refused >> i) & 1 == 0) continue;
            (,,, Refusal refusal) = _refusal(payments, t, i);
            emit PaymentRefused(id, (firstNumber + i).toUint64(), refusal);
        }
    }

    function _revertRefused(bytes calldata payments, PackedTier t, uint256 refused) private view {
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
        return _windows[index].lanes.roll(block.timestamp).headroom(_capOf(hot, packedTier(index))) * unit;
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
        return _windows[index].lanes;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IVault).interfaceId || interfaceId == type(IERC165).interfaceId;
    }
}
