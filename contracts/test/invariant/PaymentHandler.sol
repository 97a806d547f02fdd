// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, Refusal, Role, State} from "../../src/types/VaultTypes.sol";
import {ModeToken} from "../mocks/ModeToken.sol";
import {GhostLog} from "./GhostLog.sol";
import {GhostVotes} from "./GhostVotes.sol";
import {HandlerBase} from "./HandlerBase.sol";

/// @notice Batches: paid, proposed, executed, repeated and spoiled.
abstract contract PaymentHandler is HandlerBase {
    uint256 private constant UPPER = 1 << 63; // numbers that only proposals may use
    uint256 internal constant NUMBERS_END = 1 << 64;

    /// @dev What a call that pays is to come to; `reason` is empty unless it reverts.
    struct Outcome {
        bytes reason;
        uint256 paid;
        uint256 total;
    }

    struct Automatic {
        Batch batch;
        bytes packed;
    }

    Automatic[] private _automatics;
    uint256 private _nextLower = 250; // so that batches soon cross a word of the bitmap
    uint256 private _nextUpper = UPPER + 250;

    // ── Actions ──────────────────────────────────────────────────────────────────────────────────────────────────

    function pay(uint256 seed) external step {
        _payFresh(seed);
    }

    /// @notice One batch after another, until a cap or the balance says no.
    function payALot(uint256 seed) external step {
        for (uint256 i = 0; i < 6; ++i) {
            _payFresh(seed);
            seed = _next(seed);
        }
    }

    function _payFresh(uint256 seed) private {
        uint256 tier = _oneIn(8, seed, "odd tier") ? _roll(seed, "tier", 5) : 0;
        bytes memory packed = _payments(seed, tier);
        Batch memory b = _batch(seed, tier, packed, !_oneIn(16, seed, "upper"));
        packed = _spoil(seed, b, packed, UPPER);
        _automatics.push(Automatic(b, packed));
        _pay(_mostly(seed, Role.Keeper, false), b, packed);
    }

    /// @notice The same call once more: a retry, or a transaction that comes late.
    function payAgain(uint256 seed) external step {
        if (_automatics.length == 0) return;
        Automatic memory a = _automatics[_roll(seed, "again", _automatics.length)];
        _pay(_mostly(seed, Role.Keeper, false), a.batch, a.packed);
    }

    function propose(uint256 seed) external step {
        _proposeFresh(seed);
    }

    function _proposeFresh(uint256 seed) internal returns (bytes32) {
        uint256 count = ghost.tierCount();
        uint256 tier =
            _oneIn(8, seed, "odd tier") || count == 1 ? _roll(seed, "tier", 5) : 1 + _roll(seed, "tier", count - 1);
        (Batch memory b, bytes memory packed) = _newBatch(seed, tier, _oneIn(8, seed, "lower"));
        bytes32 old = _pick(seed, false, State.Expired);
        if (old != 0 && _oneIn(16, seed, "twice")) (b, packed) = (ghost.itemOf(old).batch, ghost.itemOf(old).content);
        return _propose(_mostly(seed, Role.Proposer, true), b, packed);
    }

    /// @dev One to be proposed or paid with votes.
    function _newBatch(uint256 seed, uint256 tier, bool lower) internal returns (Batch memory b, bytes memory packed) {
        packed = _payments(seed, tier);
        b = _batch(seed, tier, packed, lower);
        packed = _spoil(seed, b, packed, NUMBERS_END);
    }

    function execute(uint256 seed) external step {
        bytes32 id = _pick(seed, false, State.Ready);
        if (id != 0) _execute(seed, id);
    }

    // ── Calls ────────────────────────────────────────────────────────────────────────────────────────────────────

    function _pay(address caller, Batch memory b, bytes memory packed) private {
        _tryNumbers(b);
        Outcome memory o = _predictPay(caller, b, packed);
        GhostLog.Release memory r;
        (r.id, r.automatic, r.expiresAt) = (vault.hashBatch(b), true, b.expiresAt);
        _release(caller, abi.encodeCall(IVault.pay, (orderOf(b), packed)), b, packed, o, r);
    }

    function _propose(address caller, Batch memory b, bytes memory packed) private returns (bytes32 id) {
        _tryNumbers(b);
        id = vault.hashBatch(b);
        bytes memory reason = _predictPropose(caller, id, b, packed);
        (bool done,) = _call(caller, abi.encodeCall(IVault.propose, (orderOf(b), packed)), reason);
        if (!done) return id;
        GhostVotes.Item memory item = _itemOf(b, packed);
        item.proposedBy = caller;
        ghost.open(item, time);
    }

    /// @dev A batch as it is proposed now, by nobody yet.
    function _itemOf(Batch memory b, bytes memory packed) internal view returns (GhostVotes.Item memory item) {
        (item.id, item.batch, item.content, item.expiresAt) = (vault.hashBatch(b), b, packed, b.expiresAt);
        (item.required, item.delay) = (ghost.tier(b.tier).approvals, ghost.tier(b.tier).delay);
    }

    /// @dev Now and then with other payments, another header, or some payments left out.
    function _execute(uint256 seed, bytes32 id) internal {
        (Batch memory b, bytes memory packed) = (ghost.itemOf(id).batch, ghost.itemOf(id).content);
        uint256 skipMask = _oneIn(6, seed, "skips") ? _roll(seed, "skip", 8) : 0;
        if (_oneIn(16, seed, "other payments")) packed[_roll(seed, "byte", packed.length)] ^= 0x01;
        if (_oneIn(16, seed, "other order")) b.context ^= bytes32(uint256(1));
        _derive(b, packed);
        id = vault.hashBatch(b);
        address caller = _mostlyExecutor(seed);
        Outcome memory o = _predictExecute(caller, id, b, packed, skipMask);
        uint256 unpaid = _unpaid(b);
        GhostLog.Release memory r;
        (r.id, r.expiresAt, r.readyAt, r.votes) = (id, b.expiresAt, ghost.readyAt(id), ghost.votes(id));
        (r.required,) = ghost.terms(id);
        bytes memory data = abi.encodeCall(IVault.execute, (orderOf(b), packed, skipMask));
        (bool done, uint256 paid) = _release(caller, data, b, packed, o, r);
        if (done && paid == unpaid) ghost.execute(id);
    }

    function _mostlyExecutor(uint256 seed) internal view returns (address) {
        return _mostly(seed, Role.Keeper, true);
    }

    /// @dev Makes the call and writes down what the token saw of it.
    function _release(
        address caller,
        bytes memory data,
        Batch memory b,
        bytes memory packed,
        Outcome memory o,
        GhostLog.Release memory r
    ) internal returns (bool done, uint256 paid) {
        r.caller = caller;
        uint256 sentBefore = token.sentCount();
        bytes memory returned;
        (done, returned) = _call(caller, data, o.reason);
        if (!done) return (false, 0);
        paid = abi.decode(returned, (uint256));
        if (paid != o.paid) _unpredicted(caller, data, abi.encode(o.paid), returned);
        if (paid != 0) _log(b, packed, paid, token.sentSince(sentBefore), r);
    }

    /// @dev Writes down what the vault says it paid, beside what the token saw.
    function _log(
        Batch memory b,
        bytes memory packed,
        uint256 paid,
        ModeToken.Sent[] memory sent,
        GhostLog.Release memory r
    ) private {
        GhostLog.Outflow[] memory items = new GhostLog.Outflow[](sent.length);
        uint256 n;
        for (uint256 i = 0; i < b.count; ++i) {
            if ((paid >> i) & 1 == 0) continue;
            ModeToken.Sent memory s = sent[n];
            (address recipient, uint256 amount) = paymentAt(packed, i);
            if (s.to != recipient || s.amount != amount) _unpredicted(r.caller, packed, packed, abi.encode(s));
            r.total += amount;
            items[n++] = GhostLog.Outflow(ghost.releaseCount(), b.firstNumber + i, s.to, s.amount, s.debited);
        }
        if (n != sent.length) _unpredicted(r.caller, packed, abi.encode(n), abi.encode(sent.length));
        (r.time, r.tier) = (time, b.tier);
        (r.rules, r.cap, r.haltedUntil) = (ghost.rulesCount() - 1, ghost.capNow(b.tier, time), ghost.haltedUntil());
        ghost.release(r, items);
    }

    // ── Predictions: the vault's order of checks ─────────────────────────────────────────────────────────────────

    function _predictPay(address caller, Batch memory b, bytes memory packed) private view returns (Outcome memory o) {
        if (!_holds(caller, Role.Keeper)) {
            return _fails(abi.encodeWithSelector(IVault.VaultNotKeeper.selector, caller));
        }
        if (!ghost.isAutomatic(b.tier)) {
            return _fails(abi.encodeWithSelector(IVault.VaultTierNotAutomatic.selector, b.tier));
        }
        if (time >= b.expiresAt) {
            return _fails(abi.encodeWithSelector(IVault.VaultExpired.selector, b.expiresAt, time));
        }
        o.reason = _predictContent(b, packed, UPPER);
        if (o.reason.length != 0) return o;
        uint256 tries = _unpaid(b);
        if (tries == 0) return _fails(abi.encodeWithSelector(IVault.VaultNothingToPay.selector, vault.hashBatch(b)));
        return _predictRelease(b, packed, tries);
    }

    function _predictPropose(address caller, bytes32 id, Batch memory b, bytes memory packed)
        private
        view
        returns (bytes memory reason)
    {
        reason = _predictProposed(id, b, packed);
        if (reason.length == 0) reason = _predictProposer(caller);
    }

    /// @dev Why a batch cannot be proposed, whoever does it.
    function _predictProposed(bytes32 id, Batch memory b, bytes memory packed)
        internal
        view
        returns (bytes memory reason)
    {
        reason = _predictApprovals(b.tier);
        if (reason.length != 0) return reason;
        reason = _predictContent(b, packed, NUMBERS_END);
        if (reason.length != 0) return reason;
        for (uint256 i = 0; i < b.count; ++i) {
            reason = _refusal(b.tier, packed, i);
            if (reason.length != 0) return reason;
        }
        return _predictOpen(id, b.expiresAt, ghost.tier(b.tier).delay + SETTLE);
    }

    function _predictApprovals(uint256 tier) internal view returns (bytes memory reason) {
        uint256 count = ghost.tierCount();
        if (tier >= count) return abi.encodeWithSelector(IVault.VaultTierUnknown.selector, tier, count);
        if (ghost.isAutomatic(tier)) reason = abi.encodeWithSelector(IVault.VaultTierAutomatic.selector, tier);
    }

    function _predictProposer(address caller) internal view returns (bytes memory reason) {
        if (!ghost.isSigner(caller) && !_holds(caller, Role.Proposer)) {
            reason = abi.encodeWithSelector(IVault.VaultNotProposer.selector, caller);
        }
    }

    /// @dev What opening any proposal asks for; `least` is the life that it needs. [seconds]
    function _predictOpen(bytes32 id, uint256 expiresAt, uint256 least) internal view returns (bytes memory reason) {
        State state = ghost.stateOf(id, time);
        if (state != State.None) return abi.encodeWithSelector(IVault.VaultAlreadyProposed.selector, id, state);
        reason = _predictLife(expiresAt, least);
    }

    function _predictLife(uint256 expiresAt, uint256 least) internal view returns (bytes memory reason) {
        (uint256 earliest, uint256 latest) = (time + least, time + MAX_LIFE);
        if (expiresAt < earliest || expiresAt > latest) {
            reason = abi.encodeWithSelector(IVault.VaultExpiryOutOfRange.selector, expiresAt, earliest, latest);
        }
    }

    function _predictExecute(address caller, bytes32 id, Batch memory b, bytes memory packed, uint256 skipMask)
        private
        view
        returns (Outcome memory o)
    {
        o.reason = _predictReady(caller, id);
        if (o.reason.length != 0) return o;
        uint256 unpaid = _unpaid(b);
        if (unpaid == 0) return o;
        if (unpaid & ~skipMask == 0) return _fails(abi.encodeWithSelector(IVault.VaultNothingToPay.selector, id));
        return _predictRelease(b, packed, unpaid & ~skipMask);
    }

    /// @dev What executing any proposal asks for.
    function _predictReady(address caller, bytes32 id) internal view returns (bytes memory reason) {
        reason = _predictExecutor(caller);
        if (reason.length != 0) return reason;
        State state = ghost.stateOf(id, time);
        if (state != State.Ready) reason = abi.encodeWithSelector(IVault.VaultStateInvalid.selector, id, state);
    }

    function _predictExecutor(address caller) internal view returns (bytes memory reason) {
        if (!ghost.isSigner(caller) && !_holds(caller, Role.Keeper)) {
            reason = abi.encodeWithSelector(IVault.VaultNotExecutor.selector, caller);
        }
    }

    function _stateInvalid(bytes32 id) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IVault.VaultStateInvalid.selector, id, ghost.stateOf(id, time));
    }

    function _predictContent(Batch memory b, bytes memory packed, uint256 limit) internal pure returns (bytes memory) {
        if (packed.length % 48 != 0) {
            return abi.encodeWithSelector(IVault.VaultCountInvalid.selector, packed.length / 48, packed.length);
        }
        if (uint256(b.firstNumber) + b.count > limit) {
            return abi.encodeWithSelector(IVault.VaultNumberOutOfRange.selector, b.firstNumber, b.count, limit);
        }
        return "";
    }

    /// @dev Which of the payments to try are paid, and what stops them all.
    function _predictRelease(Batch memory b, bytes memory packed, uint256 tries)
        internal
        view
        returns (Outcome memory o)
    {
        uint256 halted = ghost.haltedUntil();
        if (time < halted) return _fails(abi.encodeWithSelector(IVault.VaultFrozen.selector, halted));
        uint256 sum;
        bytes memory firstRefusal;
        uint256 fitting;
        for (uint256 i = 0; i < b.count; ++i) {
            if ((tries >> i) & 1 == 0) continue;
            bytes memory refusal = _refusal(b.tier, packed, i);
            if (refusal.length != 0) {
                if (firstRefusal.length == 0) firstRefusal = refusal;
                continue;
            }
            (address recipient, uint256 amount) = paymentAt(packed, i);
            (sum, fitting) = (sum + amount, fitting + 1);
            if (_tokenRefusal(recipient) != 0) continue;
            (o.paid, o.total) = (o.paid | 1 << i, o.total + amount);
        }
        if (fitting == 0) return _fails(firstRefusal);
        bytes memory reason = _predictCharge(b.tier, sum);
        if (reason.length != 0) return _fails(reason);
        if (o.paid == 0) return _predictNothingPaid(b, packed, tries);
        uint256 left = token.balanceOf(address(vault)) - o.total;
        uint256 actual = _balanceAfter(left, o);
        if (actual != left) return _fails(abi.encodeWithSelector(IVault.VaultBalanceMismatch.selector, left, actual));
    }

    /// @dev The token's answer to the last payment that fits.
    function _predictNothingPaid(Batch memory b, bytes memory packed, uint256 tries)
        private
        view
        returns (Outcome memory)
    {
        bytes32 word;
        for (uint256 i = 0; i < b.count; ++i) {
            (address recipient, uint256 amount) = paymentAt(packed, i);
            if ((tries >> i) & 1 == 0 || ghost.refusal(b.tier, recipient, amount) != Refusal.None) continue;
            word = _tokenRefusal(recipient);
        }
        return _fails(abi.encodeWithSelector(IVault.VaultNothingPaid.selector, vault.hashBatch(b), word));
    }

    function _predictCharge(uint256 tier, uint256 sum) private view returns (bytes memory reason) {
        uint256 units = (sum + UNIT - 1) / UNIT;
        uint256 room = roomOf(tier);
        if (units > room) {
            return abi.encodeWithSelector(IVault.VaultCapExceeded.selector, tier, units * UNIT, room * UNIT);
        }
        uint256 balance = token.balanceOf(address(vault));
        if (sum > balance) reason = abi.encodeWithSelector(IVault.VaultBalanceTooLow.selector, sum, balance);
    }

    /// @notice What the log and the policy leave of a tier's cap. [units]
    function roomOf(uint256 tier) public view returns (uint256) {
        (uint256 used, uint256 cap) = (ghost.charged(tier, time, UNIT), ghost.capNow(tier, time) / UNIT);
        return used < cap ? cap - used : 0;
    }

    function _refusal(uint256 tier, bytes memory packed, uint256 i) private view returns (bytes memory) {
        (address recipient, uint256 amount) = paymentAt(packed, i);
        Refusal refusal = ghost.refusal(tier, recipient, amount);
        if (refusal == Refusal.None) return "";
        uint256 limit = ghost.limit(tier, recipient);
        return abi.encodeWithSelector(IVault.VaultPaymentRefused.selector, i, recipient, amount, limit, refusal);
    }

    function _tokenRefusal(address recipient) private view returns (bytes32) {
        ModeToken.Mode mode = token.mode();
        if (mode == ModeToken.Mode.Paused) return ModeToken.ModeTokenPaused.selector;
        if (mode == ModeToken.Mode.BlackListed) return ModeToken.ModeTokenBlackListed.selector;
        return token.refuses(recipient) ? bytes32(ModeToken.ModeTokenRefused.selector) : bytes32(0);
    }

    /// @dev The vault's balance after a release that should leave `left`.
    function _balanceAfter(uint256 left, Outcome memory o) private view returns (uint256) {
        uint256 count;
        for (uint256 mask = o.paid; mask != 0; mask >>= 1) {
            count += mask & 1;
        }
        ModeToken.Mode mode = token.mode();
        if (mode == ModeToken.Mode.FeeOnTop) return left - count;
        if (mode == ModeToken.Mode.Short) return left + count;
        return mode == ModeToken.Mode.Nothing ? left + o.total : left;
    }

    function _fails(bytes memory reason) internal pure returns (Outcome memory o) {
        o.reason = reason;
    }

    // ── Making batches ───────────────────────────────────────────────────────────────────────────────────────────

    /// @dev Up to six payments, most of them within the tier's limits.
    function _payments(uint256 seed, uint256 tier) private view returns (bytes memory packed) {
        uint256 count = 1 + _roll(seed, "count", 6);
        for (uint256 i = 0; i < count; ++i) {
            uint256 own = uint256(keccak256(abi.encode(seed, i)));
            address recipient = _payees[_roll(own, "payee", _payees.length)];
            for (uint256 j = 0; ghost.limit(tier, recipient) == 0 && j < 8 && !_oneIn(32, own, "blocked"); ++j) {
                recipient = _payees[(_roll(own, "payee", _payees.length) + j) % _payees.length];
            }
            uint256 most = ghost.limit(tier, recipient);
            uint256 kind = _roll(own, "kind", 48);
            uint256 amount =
                kind == 0 ? 0 : kind == 1 ? most + 1 : kind < 12 ? most : _roll(own, "amount", most / 2 + 1) + 1;
            packed = bytes.concat(packed, abi.encodePacked(recipient, uint96(amount), uint128(own)));
        }
    }

    /// @dev Numbers mostly go on where the last batch ended; sometimes they overlap it.
    function _batch(uint256 seed, uint256 tier, bytes memory packed, bool lower) private returns (Batch memory b) {
        b.count = uint16(packed.length / 48);
        uint256 first = lower ? _nextLower : _nextUpper;
        if (_oneIn(4, seed, "overlap")) first -= 1 + _roll(seed, "back", 4);
        if (lower) _nextLower = first + b.count;
        else _nextUpper = first + b.count;
        (b.firstNumber, b.tier) = (uint64(first), uint8(tier));
        uint256 least = ghost.tier(tier).delay + SETTLE;
        b.expiresAt = uint40(time + least + _roll(seed, "life", MAX_LIFE - least + 1));
        b.context = bytes32(seed);
        _derive(b, packed);
    }

    /// @dev What of a header follows from its payments.
    function _derive(Batch memory b, bytes memory packed) private pure {
        b.count = uint16(packed.length / 48);
        b.total = uint128(_sum(packed));
        b.recipient = address(0);
        if (b.count == 1) (b.recipient,) = paymentAt(packed, 0);
        b.paymentsHash = keccak256(packed);
    }

    /// @dev Breaks one field of some orders or adds a byte to the payments; or moves the numbers to their end, which is legal.
    function _spoil(uint256 seed, Batch memory b, bytes memory packed, uint256 limit)
        private
        view
        returns (bytes memory)
    {
        uint256 field = _roll(seed, "spoil", 32);
        if (field == 0) return bytes.concat(packed, hex"00");
        if (field == 4) b.firstNumber = uint64(limit - b.count + 1);
        else if (field == 5) b.firstNumber = uint64(limit - b.count);
        else if (field == 6) b.expiresAt = uint40(time);
        else if (field == 7) b.expiresAt = uint40(time + 1);
        return packed;
    }

    function _tryNumbers(Batch memory b) internal {
        if (uint256(b.firstNumber) + b.count <= NUMBERS_END) ghost.tryNumbers(b.firstNumber, b.count);
    }

    function _unpaid(Batch memory b) internal view returns (uint256 mask) {
        for (uint256 i = 0; i < b.count; ++i) {
            if (ghost.timesPaid(uint256(b.firstNumber) + i) == 0) mask |= 1 << i;
        }
    }

    function _sum(bytes memory packed) private pure returns (uint256 sum) {
        for (uint256 i = 0; i < packed.length / 48; ++i) {
            (, uint256 amount) = paymentAt(packed, i);
            sum += amount;
        }
    }

    /// @notice Recipient and amount of packed payment `i`. [base units]
    function paymentAt(bytes memory packed, uint256 i) public pure returns (address recipient, uint256 amount) {
        assembly ("memory-safe") {
            let start := add(add(packed, 32), mul(i, 48))
            recipient := shr(96, mload(start))
            amount := shr(160, mload(add(start, 20)))
        }
    }
}
