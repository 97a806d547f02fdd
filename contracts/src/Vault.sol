// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VaultPolicy} from "./VaultPolicy.sol";
import {VaultProposals} from "./VaultProposals.sol";
import {IVault} from "./interfaces/IVault.sol";
import {NumberBitmap} from "./libraries/NumberBitmap.sol";
import {PackedPayments} from "./libraries/PackedPayments.sol";
import {Policy} from "./libraries/Policy.sol";
import {RollingCap} from "./libraries/RollingCap.sol";
import {TokenCall} from "./libraries/TokenCall.sol";
import {Hot} from "./types/Hot.sol";
import {Member} from "./types/Member.sol";
import {PackedTier} from "./types/PackedTier.sol";
import {Proposal, Proposals} from "./types/Proposal.sol";
import {
    Batch,
    ChangeKind,
    Configuration,
    GuardiansChange,
    RecipientsChange,
    Refusal,
    Role,
    RoleChange,
    SignersChange,
    Standing,
    State,
    SuccessorChange,
    SweepChange,
    TiersChange,
    UnfreezeChange
} from "./types/VaultTypes.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title Vault
/// @notice A timelocked multisig vault for one token: see IVault for what it promises and what it assumes.
/// @dev Every mutator has one shape: who may, checks, effects, event. Payments are marked and charged before the token is
/// called, under the lock; only what the token's answers decide is written and logged after it.
contract Vault is VaultProposals {
    using NumberBitmap for mapping(uint256 => uint256);
    using PackedPayments for bytes;
    using RollingCap for uint256;
    using SafeCast for uint256;
    using TokenCall for address;

    /// @dev Numbers from here on are never paid automatically, so that a stolen keeper's key cannot use them up.
    uint256 private constant PROPOSAL_NUMBERS = 1 << 63;
    uint256 private constant NUMBERS_END = 1 << 64;
    /// @dev A failure is believed only if the transfer had this much gas to run on. [gas]
    uint256 private constant TRANSFER_GAS = 200_000;

    mapping(uint256 tier => uint256 window) private _windows;
    mapping(uint256 word => uint256 bits) private _numbers;

    /// @notice Creates the vault. Reverts if the configuration breaks a rule of `Policy` or names an invalid address.
    constructor(Configuration memory configuration) VaultPolicy(configuration) {}

    // ── Payments ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IVault
    function pay(Batch calldata batch, bytes calldata payments) external lock returns (uint256 paid) {
        if (block.timestamp >= member[msg.sender].until(Role.Keeper)) revert VaultNotKeeper(msg.sender);
        if (block.timestamp >= batch.expiresAt) revert VaultExpired(batch.expiresAt, block.timestamp);
        Hot h = hot;
        Run memory run = _run(batch, _tierOf(h, batch.tier));
        if (!run.tier.isAutomatic()) revert VaultTierNotAutomatic(run.index);
        _checkHeader(batch, payments, run, PROPOSAL_NUMBERS);
        run.tries = _numbers.unpaid(run.firstNumber, run.count);
        if (run.tries == 0) revert VaultNothingToPay(run.id);

        (uint256 fits, uint256 sum) = _fit(payments, run);
        _checkTotal(batch, payments, run, fits, sum);
        uint256 total;
        (paid, total) = _release(payments, run, h, fits, sum);
        emit BatchPaid(run.id, run.index, run.firstNumber, paid, total, batch.expiresAt, batch.context, payments);
    }

    /// @inheritdoc IVault
    function propose(Batch calldata batch, bytes calldata payments) external whenUnlocked returns (bytes32 id) {
        Run memory run = _run(batch, packedTier(batch.tier));
        id = run.id;
        if (!run.tier.exists()) revert VaultTierUnknown(run.index, tierCount);
        if (run.tier.isAutomatic()) revert VaultTierAutomatic(run.index);
        _checkHeader(batch, payments, run, NUMBERS_END);
        run.tries = NumberBitmap.full(run.count);
        (uint256 fits, uint256 sum) = _fit(payments, run);
        _checkTotal(batch, payments, run, fits, sum);
        if (fits != run.tries) _revertRefused(payments, run, run.tries & ~fits);
        emit BatchProposed(id, msg.sender, batch, payments);
        (uint256 required, uint256 delay) = run.tier.terms();
        _open(id, Proposals.create(run.index, required, delay, batch.expiresAt, true), delay);
    }

    /// @inheritdoc IVault
    function approve(Batch calldata batch) external whenUnlocked {
        _approve(hashBatch(batch));
    }

    /// @inheritdoc IVault
    function execute(Batch calldata batch, bytes calldata payments, uint256 skipMask)
        external
        lock
        returns (uint256 paid)
    {
        Hot h = hot;
        Run memory run = _run(batch, _tierOf(h, batch.tier));
        (uint256 required, uint256 delay) = run.tier.terms();
        Proposal p = _executable(run.id, h.epoch(), required, delay);
        // The header is as proposed, and was checked then; the payments are what it commits to.
        _checkPaymentsHash(batch, payments);
        uint256 unpaid = _numbers.unpaid(run.firstNumber, run.count);
        run.tries = unpaid & ~skipMask;

        uint256 total;
        if (run.tries != 0) {
            (uint256 fits, uint256 sum) = _fit(payments, run);
            (paid, total) = _release(payments, run, h, fits, sum);
        } else if (unpaid != 0) {
            revert VaultNothingToPay(run.id);
        }
        if (unpaid == paid) _proposals[run.id] = p.executed();
        emit BatchExecuted(run.id, run.firstNumber, paid, total);
    }

    /// @dev What paying a batch needs again and again, loaded once.
    /// @param index Of the tier.
    /// @param tries Mask of the payments to try.
    struct Run {
        bytes32 id;
        uint256 firstNumber;
        uint256 count;
        uint256 index;
        PackedTier tier;
        uint256 tries;
    }

    function _run(Batch calldata batch, PackedTier t) private view returns (Run memory) {
        return Run(hashBatch(batch), batch.firstNumber, batch.count, batch.tier, t, 0);
    }

    /// @dev Pays the payments in `fits`, which sum to `sum` [base units]; the one way money leaves.
    function _release(bytes calldata payments, Run memory run, Hot h, uint256 fits, uint256 sum)
        private
        returns (uint256 paid, uint256 total)
    {
        _requireNotFrozen(h);
        if (fits != run.tries) _reportRefused(payments, run, fits);
        uint256 cap = _capOf(h, run.tier);
        uint256 rolled = _windows[run.index].roll(block.timestamp);
        _windows[run.index] = _charge(run.index, rolled, sum, cap);
        _numbers.set(run.firstNumber, fits);

        uint256 balance = token.balanceOf(address(this));
        if (sum > balance) revert VaultBalanceTooLow(sum, balance);
        (uint256 failed, uint256 failedSum) = _transferAll(payments, run, fits);
        (paid, total) = (fits & ~failed, sum - failedSum);
        if (failed != 0) {
            _windows[run.index] = _charge(run.index, rolled, total, cap);
            _numbers.unset(run.firstNumber, failed);
        }
        uint256 left = token.balanceOf(address(this));
        if (left != balance - total) revert VaultBalanceMismatch(balance - total, left);
    }

    /// @dev Those of the payments to try that fit the tier now, and their sum. [base units]
    function _fit(bytes calldata payments, Run memory run) private view returns (uint256 fits, uint256 sum) {
        (uint256 maxKnown, uint256 maxUnknown) = _limits(run.tier);
        (uint256 count, uint256 tries) = (run.count, run.tries);
        for (uint256 i = 0; i < count; ++i) {
            if ((tries >> i) & 1 == 0) continue;
            (address recipient, uint256 amount) = payments.item(i);
            if (amount == 0 || amount > _limit(recipient, maxKnown, maxUnknown)) continue;
            fits |= 1 << i;
            unchecked {
                sum += amount; // at most 256 amounts of 96 bits
            }
        }
    }

    /// @dev Limits of a tier. [base units]
    function _limits(PackedTier t) private view returns (uint256 maxKnown, uint256 maxUnknown) {
        unchecked {
            return (t.maxKnown() * unit, t.maxUnknown() * unit); // 33 bits by 96 bits
        }
    }

    /// @dev Largest payment to a recipient of that standing; none to a blocked one. [base units]
    function _limit(address recipient, uint256 maxKnown, uint256 maxUnknown) private view returns (uint256) {
        uint256 standing = uint256(standingOf[recipient]);
        if (standing == uint256(Standing.Unknown)) return maxUnknown;
        return standing == uint256(Standing.Known) ? maxKnown : 0;
    }

    /// @dev Transfers each payment of the mask; those that the token refuses are reported and returned.
    function _transferAll(bytes calldata payments, Run memory run, uint256 mask)
        private
        returns (uint256 failed, uint256 failedSum)
    {
        uint256 count = run.count;
        for (uint256 i = 0; i < count; ++i) {
            if ((mask >> i) & 1 == 0) continue;
            (address recipient, uint256 amount) = payments.item(i);
            uint256 gasBefore = gasleft();
            if (token.tryTransfer(recipient, amount)) continue;
            bytes32 returned = TokenCall.returned();
            _requireGas(i, gasBefore);
            failed |= 1 << i;
            failedSum += amount;
            emit PaymentFailed(run.id, (run.firstNumber + i).toUint64(), returned);
            if (failed == mask) revert VaultNothingPaid(run.id, returned);
        }
    }

    /// @dev A failure is believed only if the transfer had gas to run on. The call got 63/64 of the gas before it: less
    /// than 1/63 left means that it ran out.
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

    function _checkHeader(Batch calldata batch, bytes calldata payments, Run memory run, uint256 numbersEnd)
        private
        pure
    {
        if (!payments.isCount(run.count)) revert VaultCountInvalid(run.count, payments.length);
        if (run.firstNumber + run.count > numbersEnd) {
            revert VaultNumberOutOfRange(run.firstNumber, run.count, numbersEnd);
        }
        (address payee,) = payments.item(0);
        if (run.count != 1) payee = address(0);
        if (batch.recipient != payee) revert VaultRecipientMismatch(batch.recipient, payee);
        _checkPaymentsHash(batch, payments);
    }

    function _checkPaymentsHash(Batch calldata batch, bytes calldata payments) private pure {
        bytes32 actual = payments.hash();
        if (batch.paymentsHash != actual) revert VaultPaymentsHashMismatch(batch.paymentsHash, actual);
    }

    /// @dev `sum` is of `fits`, and the total if all fit. [base units]
    function _checkTotal(Batch calldata batch, bytes calldata payments, Run memory run, uint256 fits, uint256 sum)
        private
        pure
    {
        if (fits != NumberBitmap.full(run.count)) {
            sum = 0;
            for (uint256 i = 0; i < run.count; ++i) {
                (, uint256 amount) = payments.item(i);
                sum += amount;
            }
        }
        if (batch.total != sum) revert VaultTotalMismatch(batch.total, sum);
    }

    /// @dev Reports the payments that were to be tried but do not fit; reverts with the first if none fits.
    function _reportRefused(bytes calldata payments, Run memory run, uint256 fits) private {
        uint256 refused = run.tries & ~fits;
        if (fits == 0) _revertRefused(payments, run, refused);
        for (uint256 i = 0; i < run.count; ++i) {
            if ((refused >> i) & 1 == 0) continue;
            (,,, Refusal refusal) = _refusal(payments, run, i);
            emit PaymentRefused(run.id, (run.firstNumber + i).toUint64(), refusal);
        }
    }

    function _revertRefused(bytes calldata payments, Run memory run, uint256 refused) private view {
        uint256 i;
        while ((refused >> i) & 1 == 0) ++i;
        (address recipient, uint256 amount, uint256 limit, Refusal refusal) = _refusal(payments, run, i);
        revert VaultPaymentRefused(i, recipient, amount, limit, refusal);
    }

    function _refusal(bytes calldata payments, Run memory run, uint256 i)
        private
        view
        returns (address recipient, uint256 amount, uint256 limit, Refusal refusal)
    {
        (recipient, amount) = payments.item(i);
        (uint256 maxKnown, uint256 maxUnknown) = _limits(run.tier);
        limit = _limit(recipient, maxKnown, maxUnknown);
        bool blocked = standingOf[recipient] == Standing.Blocked;
        refusal = blocked ? Refusal.BlockedRecipient : amount == 0 ? Refusal.ZeroAmount : Refusal.AboveLimit;
    }

    // ── Policy changes ───────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IVault
    function proposeChange(ChangeKind kind, bytes calldata change) external whenUnlocked returns (bytes32 id) {
        uint256 expiresAt;
        (id, expiresAt) = _hashChange(kind, change);
        emit ChangeProposed(id, msg.sender, kind, change);
        bool vetoable = kind != ChangeKind.Guardians && kind != ChangeKind.Unfreeze;
        uint256 delay = policyDelay;
        _open(id, Proposals.create(Proposals.CHANGE, threshold, delay, expiresAt.toUint40(), vetoable), delay);
    }

    /// @inheritdoc IVault
    function approveChange(ChangeKind kind, bytes calldata change) external whenUnlocked {
        _approve(hashChange(kind, change));
    }

    /// @inheritdoc IVault
    function executeChange(ChangeKind kind, bytes calldata change) external lock {
        bytes32 id = hashChange(kind, change);
        _proposals[id] = _executable(id, hot.epoch(), threshold, policyDelay).executed();
        emit ChangeExecuted(id, kind);
        _enact(kind, change);
    }

    function _enact(ChangeKind kind, bytes calldata change) private {
        if (kind == ChangeKind.Signers) {
            SignersChange memory c = abi.decode(change, (SignersChange));
            _setSigners(c.signers, c.threshold);
        } else if (kind == ChangeKind.Tiers) {
            TiersChange memory c = abi.decode(change, (TiersChange));
            _setTiers(c.tiers, c.policyDelay);
        } else if (kind == ChangeKind.Recipients) {
            RecipientsChange memory c = abi.decode(change, (RecipientsChange));
            Policy.inRange(Policy.Field.RecipientCount, 0, c.recipients.length, 1, Policy.MAX_RECIPIENTS);
            for (uint256 i = 0; i < c.recipients.length; ++i) {
                _setStanding(c.recipients[i], c.oldStanding, c.standing);
            }
        } else if (kind == ChangeKind.Role) {
            RoleChange memory c = abi.decode(change, (RoleChange));
            _setRole(c.account, c.role, c.oldUntil, c.until);
        } else if (kind == ChangeKind.Guardians) {
            GuardiansChange memory c = abi.decode(change, (GuardiansChange));
            _setGuardians(c.guardians, c.until);
        } else if (kind == ChangeKind.Unfreeze) {
            _unfreeze(abi.decode(change, (UnfreezeChange)).haltedUntil);
        } else if (kind == ChangeKind.Successor) {
            _setSuccessor(abi.decode(change, (SuccessorChange)).successor);
        } else {
            _sweep(abi.decode(change, (SweepChange)).token);
        }
    }

    function _unfreeze(uint256 stated) private {
        uint256 actual = hot.haltedUntil();
        if (stated != actual || block.timestamp >= actual) revert VaultUnfreezeStale(stated, actual);
        hot = hot.withHaltedUntil(0);
        emit Unfrozen(actual);
    }

    /// @dev The vault's own token must not move: a second address of it would let a sweep past the caps.
    function _sweep(address other) private {
        _requireNotFrozen(hot);
        if (other == token) revert VaultSweepOfToken(other);
        address heir = successor;
        uint256 balance = token.balanceOf(address(this));
        uint256 amount = other.balanceOf(address(this));
        emit Swept(other, heir, amount);
        bool sent = heir != address(0) && amount != 0 && other.tryTransfer(heir, amount);
        if (!sent || other.balanceOf(address(this)) != 0) revert VaultSweepFailed(other, heir, amount);
        uint256 left = token.balanceOf(address(this));
        if (left != balance) revert VaultBalanceMismatch(balance, left);
    }

    // ── Instant tightening ───────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IVault
    function freeze() external whenUnlocked returns (uint256 until) {
        Member caller = member[msg.sender];
        if (!caller.isSigner() && block.timestamp >= caller.until(Role.Guardian)) revert VaultNotFreezer(msg.sender);
        uint256 againAt = caller.freezeAgainAt();
        if (block.timestamp < againAt) revert VaultFreezeCoolingDown(msg.sender, againAt);
        uint256 length = policyDelay + Policy.FREEZE_MARGIN;
        uint256 old = hot.haltedUntil();
        until = block.timestamp + length;
        againAt = until + length;
        if (until < old) until = old;
        member[msg.sender] = caller.withFreezeAgainAt(againAt);
        hot = hot.withHaltedUntil(until);
        emit Frozen(msg.sender, old, until, againAt);
    }

    /// @inheritdoc IVault
    function blockRecipient(address recipient) external whenUnlocked {
        _requireGuardian();
        Standing old = standingOf[recipient];
        if (old == Standing.Blocked) revert VaultStandingStale(recipient, Standing.Unknown, old);
        _setStanding(recipient, old, Standing.Blocked);
    }

    /// @inheritdoc IVault
    function revokeRole(address account, Role role) external whenUnlocked {
        _requireGuardian();
        if (role == Role.Guardian) revert VaultRoleNotRevocable(role);
        if (_moveRole(account, role, 0) == 0) revert VaultRoleNotHeld(account, role);
    }

    function _requireNotFrozen(Hot h) private view {
        uint256 until = h.haltedUntil();
        if (block.timestamp < until) revert VaultFrozen(until);
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
