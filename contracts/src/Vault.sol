// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VaultPolicy} from "./VaultPolicy.sol";
import {IVault} from "./interfaces/IVault.sol";
import {NumberBitmap} from "./libraries/NumberBitmap.sol";
import {PackedPayments} from "./libraries/PackedPayments.sol";
import {Policy} from "./libraries/Policy.sol";
import {RollingCap} from "./libraries/RollingCap.sol";
import {TokenCall} from "./libraries/TokenCall.sol";
import {TypedData} from "./libraries/TypedData.sol";
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
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title Vault
/// @notice A timelocked multisig vault for one token: see IVault for what it promises and what it assumes.
/// @dev Every mutator has one shape: who may, checks, effects, event; calls to the token come last, under the lock.
contract Vault is VaultPolicy, EIP712 {
    using NumberBitmap for mapping(uint256 => uint256);
    using PackedPayments for bytes;
    using RollingCap for uint256;
    using SafeCast for uint256;
    using TokenCall for address;

    /// @inheritdoc IVault
    string public constant VERSION = "1";

    /// @dev Numbers from here on are never paid automatically, so that a stolen keeper's key cannot use them up.
    uint256 private constant PROPOSAL_NUMBERS = 1 << 63;
    uint256 private constant NUMBERS_END = 1 << 64;
    /// @dev A failure is believed only if the transfer had this much gas to run on. [gas]
    uint256 private constant TRANSFER_GAS = 200_000;

    mapping(uint256 tier => uint256 window) private _windows;
    mapping(uint256 word => uint256 bits) private _numbers;
    mapping(bytes32 id => Proposal) private _proposals;
    /// @inheritdoc IVault
    mapping(bytes32 id => mapping(address signer => bool)) public hasRevoked;

    uint256 private transient _locked;

    /// @dev While a token is called no mutator can be entered.
    modifier lock() {
        if (_locked != 0) revert VaultLocked();
        _locked = 1;
        _;
        _locked = 0;
    }

    /// @notice Creates the vault. Reverts if the configuration breaks a rule of `Policy` or names an invalid address.
    constructor(Configuration memory configuration) VaultPolicy(configuration) EIP712("Tidelock Vault", VERSION) {}

    // ── Payments ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IVault
    function pay(Batch calldata batch, bytes calldata payments) external lock returns (uint256 paid) {
        if (block.timestamp >= member[msg.sender].until(Role.Keeper)) revert VaultNotKeeper(msg.sender);
        if (block.timestamp >= batch.expiresAt) revert VaultExpired(batch.expiresAt, block.timestamp);
        Hot h = hot;
        PackedTier t = _tierOf(h, batch.tier);
        if (!t.isAutomatic()) revert VaultTierNotAutomatic(batch.tier);
        _checkHeader(batch, payments, PROPOSAL_NUMBERS);
        bytes32 id = hashBatch(batch);
        uint256 unpaid = _unpaid(batch);
        if (unpaid == 0) revert VaultNothingToPay(id);
        uint256 total;
        (paid, total) = _release(id, batch, payments, unpaid, h, t);
        emit BatchPaid(
            id, batch.tier, batch.firstNumber, paid, unpaid & ~paid, total, batch.expiresAt, batch.context, payments
        );
    }

    /// @inheritdoc IVault
    function propose(Batch calldata batch, bytes calldata payments) external lock returns (bytes32 id) {
        PackedTier t = packedTier(batch.tier);
        if (!t.exists()) revert VaultTierUnknown(batch.tier, tierCount);
        if (t.isAutomatic()) revert VaultTierAutomatic(batch.tier);
        _checkHeader(batch, payments, NUMBERS_END);
        uint256 all = NumberBitmap.full(batch.count);
        (uint256 fits,) = _fit(batch, payments, all, t);
        if (fits != all) _revertRefused(payments, all & ~fits, t);
        id = hashBatch(batch);
        emit BatchProposed(id, msg.sender, batch, payments);
        (uint256 required, uint256 delay) = t.terms();
        _open(id, Proposals.create(batch.tier, required, delay, batch.expiresAt, true), delay);
    }

    /// @inheritdoc IVault
    function approve(Batch calldata batch) external lock {
        _approve(hashBatch(batch));
    }

    /// @inheritdoc IVault
    function execute(Batch calldata batch, bytes calldata payments, uint256 skipMask)
        external
        lock
        returns (uint256 paid)
    {
        bytes32 id = hashBatch(batch);
        Hot h = hot;
        PackedTier t = _tierOf(h, batch.tier);
        Proposal p;
        {
            (uint256 required, uint256 delay) = t.terms();
            p = _executable(id, h.epoch(), required, delay);
        }
        // The header is as proposed, and was checked then; the payments are what it commits to.
        _checkPaymentsHash(batch, payments);
        uint256 unpaid = _unpaid(batch);
        uint256 total;
        if (unpaid & ~skipMask != 0) (paid, total) = _release(id, batch, payments, unpaid & ~skipMask, h, t);
        else if (unpaid != 0) revert VaultNothingToPay(id);
        if (unpaid == paid) _proposals[id] = p.executed();
        emit BatchPaid(
            id, batch.tier, batch.firstNumber, paid, unpaid & ~paid, total, batch.expiresAt, batch.context, payments[:0]
        );
    }

    /// @dev Pays those of the payments in `tries` that fit tier `t` now; the one way money leaves.
    function _release(bytes32 id, Batch calldata batch, bytes calldata payments, uint256 tries, Hot h, PackedTier t)
        private
        returns (uint256 paid, uint256 sum)
    {
        _requireNotFrozen(h);
        (paid, sum) = _fit(batch, payments, tries, t);
        if (paid != tries) {
            if (paid == 0) _revertRefused(payments, tries, t);
            _emitRefused(id, batch.firstNumber, payments, tries & ~paid, t);
        }
        uint256 cap = _capOf(h, t);
        uint256 rolled = _windows[batch.tier].roll(block.timestamp);
        _windows[batch.tier] = _charge(batch.tier, rolled, sum, cap);
        _numbers.set(batch.firstNumber, paid);

        uint256 balance = token.balanceOf(address(this));
        if (sum > balance) revert VaultBalanceTooLow(sum, balance);
        (uint256 failed, uint256 failedSum) = _transferAll(id, batch, payments, paid);
        if (failed != 0) {
            paid &= ~failed;
            sum -= failedSum;
            _windows[batch.tier] = _charge(batch.tier, rolled, sum, cap);
            _numbers.unset(batch.firstNumber, failed);
        }
        uint256 left = token.balanceOf(address(this));
        if (left != balance - sum) revert VaultBalanceMismatch(balance - sum, left);
    }

    /// @dev Those of the payments in `mask` that fit tier `t` now, and their sum. [base units]
    function _fit(Batch calldata batch, bytes calldata payments, uint256 mask, PackedTier t)
        private
        view
        returns (uint256 fits, uint256 sum)
    {
        (uint256 maxKnown, uint256 maxUnknown) = (t.maxKnown() * unit, t.maxUnknown() * unit);
        uint256 count = batch.count;
        uint256 out;
        for (uint256 i = 0; i < count; ++i) {
            (address recipient, uint256 amount) = payments.item(i);
            sum += amount;
            bool fit = (mask >> i) & 1 == 1 && _judge(recipient, amount, maxKnown, maxUnknown) == Refusal.None;
            if (fit) fits |= 1 << i;
            else out += amount;
        }
        if (sum != batch.total) revert VaultTotalMismatch(batch.total, sum);
        sum -= out;
    }

    /// @dev Why a payment does not fit limits, if so. [base units]
    function _judge(address recipient, uint256 amount, uint256 maxKnown, uint256 maxUnknown)
        private
        view
        returns (Refusal)
    {
        Standing standing = standingOf[recipient];
        if (standing == Standing.Blocked) return Refusal.BlockedRecipient;
        if (amount > (standing == Standing.Known ? maxKnown : maxUnknown)) return Refusal.AboveLimit;
        return amount == 0 ? Refusal.ZeroAmount : Refusal.None;
    }

    /// @dev Transfers each payment of the mask; those that the token refuses are reported and returned.
    function _transferAll(bytes32 id, Batch calldata batch, bytes calldata payments, uint256 mask)
        private
        returns (uint256 failed, uint256 failedSum)
    {
        uint256 count = batch.count;
        for (uint256 i = 0; i < count; ++i) {
            if ((mask >> i) & 1 == 0) continue;
            (address recipient, uint256 amount) = payments.item(i);
            uint256 gasBefore = gasleft();
            if (token.tryTransfer(recipient, amount)) continue;
            bytes32 returned = TokenCall.returned();
            _requireGas(i, gasBefore);
            failed |= 1 << i;
            failedSum += amount;
            emit PaymentFailed(id, (batch.firstNumber + i).toUint64(), returned);
            if (failed == mask) revert VaultNothingPaid(id, returned);
        }
    }

    /// @dev A failure is believed only if the transfer had gas to run on. The call got 63/64 of the gas before it: less
    /// than 1/63 left means that it ran out.
    function _requireGas(uint256 index, uint256 gasBefore) private view {
        uint256 gasAfter = gasleft();
        if (gasBefore < TRANSFER_GAS || gasAfter < gasBefore / 63) revert VaultGasTooLow(index, gasBefore, gasAfter);
    }

    /// @dev The window after charging `sum`, rounded up to units.
    function _charge(uint256 index, uint256 rolled, uint256 sum, uint256 cap) private view returns (uint256) {
        uint256 units = Math.ceilDiv(sum, unit);
        uint256 room = rolled.headroom(cap);
        if (units > room) revert VaultCapExceeded(index, units * unit, room * unit);
        return rolled.add(units);
    }

    function _checkHeader(Batch calldata batch, bytes calldata payments, uint256 numbersEnd) private pure {
        uint256 count = batch.count;
        if (count == 0 || count > 256 || payments.length != count * PackedPayments.SIZE) {
            revert VaultCountInvalid(count, payments.length);
        }
        uint256 firstNumber = batch.firstNumber;
        if (firstNumber + count > numbersEnd) revert VaultNumberOutOfRange(firstNumber, count, numbersEnd);
        (address payee,) = payments.item(0);
        if (count != 1) payee = address(0);
        if (batch.recipient != payee) revert VaultRecipientMismatch(batch.recipient, payee);
        _checkPaymentsHash(batch, payments);
    }

    function _checkPaymentsHash(Batch calldata batch, bytes calldata payments) private pure {
        bytes32 actual = payments.hash();
        if (batch.paymentsHash != actual) revert VaultPaymentsHashMismatch(batch.paymentsHash, actual);
    }

    function _unpaid(Batch calldata batch) private view returns (uint256) {
        return NumberBitmap.full(batch.count) & ~_numbers.read(batch.firstNumber, batch.count);
    }

    /// @dev The tier, given the loaded hot word.
    function _tierOf(Hot h, uint256 index) private view returns (PackedTier) {
        return index == 0 ? h.firstTier() : packedTier(index);
    }

    function _revertRefused(bytes calldata payments, uint256 refused, PackedTier t) private view {
        uint256 i;
        while ((refused >> i) & 1 == 0) ++i;
        (address recipient, uint256 amount) = payments.item(i);
        (uint256 maxKnown, uint256 maxUnknown) = (t.maxKnown() * unit, t.maxUnknown() * unit);
        uint256 limit = standingOf[recipient] == Standing.Known ? maxKnown : maxUnknown;
        revert VaultPaymentRefused(i, recipient, amount, limit, _judge(recipient, amount, maxKnown, maxUnknown));
    }

    function _emitRefused(bytes32 id, uint256 firstNumber, bytes calldata payments, uint256 refused, PackedTier t)
        private
    {
        for (uint256 i = 0; refused >> i != 0; ++i) {
            if ((refused >> i) & 1 == 0) continue;
            (address recipient, uint256 amount) = payments.item(i);
            Refusal refusal = _judge(recipient, amount, t.maxKnown() * unit, t.maxUnknown() * unit);
            emit PaymentRefused(id, (firstNumber + i).toUint64(), refusal);
        }
    }

    // ── Policy changes ───────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IVault
    function proposeChange(ChangeKind kind, bytes calldata change) external lock returns (bytes32 id) {
        uint256 expiresAt;
        (id, expiresAt) = _hashChange(kind, change);
        emit ChangeProposed(id, msg.sender, kind, change);
        bool vetoable = kind != ChangeKind.Guardians && kind != ChangeKind.Unfreeze;
        uint256 delay = policyDelay;
        _open(id, Proposals.create(Proposals.CHANGE, threshold, delay, expiresAt.toUint40(), vetoable), delay);
    }

    /// @inheritdoc IVault
    function approveChange(ChangeKind kind, bytes calldata change) external lock {
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

    // ── Any proposal ─────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IVault
    function revoke(bytes32 id) external lock {
        Member caller = _signer();
        Proposal p = _pending(id);
        if (!p.hasVote(caller.signerEpoch(), caller.signerIndex())) revert VaultNotApproved(id, msg.sender);
        Proposal next = p.unvote(caller.signerIndex());
        _proposals[id] = next;
        hasRevoked[id][msg.sender] = true;
        emit Revoked(id, msg.sender);
        if (p.quorumAt() != 0 && next.quorumAt() == 0) emit Unqueued(id);
    }

    /// @inheritdoc IVault
    function cancel(bytes32 id) external lock {
        _requireGuardian();
        Proposal p = _pending(id);
        if (!p.vetoable()) revert VaultNotVetoable(id);
        _proposals[id] = p.cancelled();
        emit Cancelled(id, msg.sender);
    }

    /// @dev Opens a proposal; a signer's is also approved by it.
    function _open(bytes32 id, Proposal p, uint256 delay) private {
        Member caller = member[msg.sender];
        if (!caller.isSigner() && block.timestamp >= caller.until(Role.Proposer)) revert VaultNotProposer(msg.sender);
        if (Proposal.unwrap(_proposals[id]) != 0) revert VaultAlreadyProposed(id, stateOf(id));
        _checkLife(p.expiresAt(), delay);
        if (caller.isSigner()) {
            p = p.vote(caller.signerEpoch(), caller.signerIndex(), block.timestamp);
            emit Approved(id, msg.sender);
        } else {
            p = p.startClock(block.timestamp);
        }
        _proposals[id] = p;
        if (p.quorumAt() != 0) emit Queued(id, block.timestamp);
    }

    function _approve(bytes32 id) private {
        Member caller = _signer();
        (uint256 epoch, uint256 index) = (caller.signerEpoch(), caller.signerIndex());
        Proposal p = _pending(id);
        if (p.hasVote(epoch, index)) revert VaultAlreadyApproved(id, msg.sender);
        Proposal next = p.vote(epoch, index, block.timestamp);
        _proposals[id] = next;
        emit Approved(id, msg.sender);
        bool running = p.epoch() == epoch && p.quorumAt() != 0;
        if (running || next.quorumAt() == 0) return;
        // The clock starts: delay and settling must fit the life that is left.
        (, uint256 delay) = next.terms();
        _checkLife(next.expiresAt(), delay);
        emit Queued(id, block.timestamp);
    }

    function _checkLife(uint256 expiresAt, uint256 delay) private view {
        uint256 earliest = block.timestamp + delay + Policy.SETTLE;
        uint256 latest = block.timestamp + Policy.MAX_LIFE;
        if (expiresAt < earliest || expiresAt > latest) revert VaultExpiryOutOfRange(expiresAt, earliest, latest);
    }

    /// @dev Loads a proposal that has not ended.
    function _pending(bytes32 id) private view returns (Proposal p) {
        p = _proposals[id];
        if (!p.isOpen(block.timestamp)) revert VaultStateInvalid(id, stateOf(id));
    }

    /// @dev Loads a proposal that the caller may execute now.
    function _executable(bytes32 id, uint256 epoch, uint256 required, uint256 delay) private view returns (Proposal p) {
        Member caller = member[msg.sender];
        if (!caller.isSigner() && block.timestamp >= caller.until(Role.Keeper)) revert VaultNotExecutor(msg.sender);
        p = _proposals[id];
        State state = p.stateAt(epoch, required, delay, block.timestamp);
        if (state != State.Ready) revert VaultStateInvalid(id, state);
    }

    function _signer() private view returns (Member caller) {
        caller = member[msg.sender];
        if (!caller.isSigner()) revert VaultNotSigner(msg.sender);
    }

    function _requireGuardian() private view {
        if (block.timestamp >= member[msg.sender].until(Role.Guardian)) revert VaultNotGuardian(msg.sender);
    }

    function _requireNotFrozen(Hot h) private view {
        if (block.timestamp < h.haltedUntil()) revert VaultFrozen(h.haltedUntil());
    }

    // ── Instant tightening ───────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IVault
    function freeze() external lock returns (uint256 until) {
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
    function blockRecipient(address recipient) external lock {
        _requireGuardian();
        Standing old = standingOf[recipient];
        if (old == Standing.Blocked) revert VaultStandingStale(recipient, Standing.Unknown, old);
        _setStanding(recipient, old, Standing.Blocked);
    }

    /// @inheritdoc IVault
    function revokeRole(address account, Role role) external lock {
        _requireGuardian();
        if (role == Role.Guardian) revert VaultRoleNotRevocable(role);
        if (_moveRole(account, role, 0) == 0) revert VaultRoleNotHeld(account, role);
    }

    // ── What may be paid now ─────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IVault
    function headroom(uint256 index) external view returns (uint256) {
        return _windows[index].roll(block.timestamp).headroom(_capOf(hot, packedTier(index))) * unit;
    }

    /// @inheritdoc IVault
    function isPaid(uint64 number) external view returns (bool) {
        return _numbers.read(number, 1) == 1;
    }

    /// @inheritdoc IVault
    function paidMask(uint64 firstNumber, uint16 count) external view returns (uint256) {
        if (count == 0 || count > 256) revert VaultCountInvalid(count, 0);
        return _numbers.read(firstNumber, count);
    }

    // ── Proposals ────────────────────────────────────────────────────────────────────────────────────────────────

    /// @inheritdoc IVault
    function hashBatch(Batch calldata batch) public view returns (bytes32) {
        return _hashTypedDataV4(TypedData.hash(batch));
    }

    /// @inheritdoc IVault
    function hashChange(ChangeKind kind, bytes calldata change) public view returns (bytes32 id) {
        (id,) = _hashChange(kind, change);
    }

    function _hashChange(ChangeKind kind, bytes calldata change) private view returns (bytes32 id, uint256 expiresAt) {
        (id, expiresAt) = TypedData.hash(kind, change);
        id = _hashTypedDataV4(id);
    }

    /// @inheritdoc IVault
    function stateOf(bytes32 id) public view returns (State) {
        Proposal p = _proposals[id];
        (uint256 required, uint256 delay) = (threshold, policyDelay);
        if (p.tier() != Proposals.CHANGE) (required, delay) = packedTier(p.tier()).terms();
        return p.stateAt(hot.epoch(), required, delay, block.timestamp);
    }

    /// @inheritdoc IVault
    function proposal(bytes32 id) external view returns (Proposal) {
        return _proposals[id];
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
