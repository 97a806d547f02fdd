// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {ChangeKind, Role, Standing, State} from "../../src/types/VaultTypes.sol";
import {ModeToken} from "../mocks/ModeToken.sol";
import {GhostLog} from "./GhostLog.sol";
import {GhostVotes} from "./GhostVotes.sol";
import {SignatureHandler} from "./SignatureHandler.sol";

/// @notice Everything else that can happen: votes, vetoes, freezes, the token's whims, deposits, and time.
contract Handler is SignatureHandler {
    // ── Votes ────────────────────────────────────────────────────────────────────────────────────────────────────

    function approve(uint256 seed) external step {
        bytes32 id = _pick(seed, _oneIn(2, seed, "is change"), State.Proposed);
        if (id != 0) _approve(_oneIn(8, seed, "trespasser") ? _anyone(seed) : _signer(seed), id);
    }

    function revoke(uint256 seed) external step {
        bytes32 id = _pick(seed, _oneIn(2, seed, "is change"), State.Queued);
        if (id == 0) return;
        address caller = _oneIn(8, seed, "trespasser") ? _anyone(seed) : _voter(seed, id);
        if (_oneIn(8, seed, "nothing proposed")) id = bytes32(_roll(seed, "id", 64));
        _revoke(caller, id);
        if (_oneIn(4, seed, "twice")) _revoke(caller, id);
    }

    function cancel(uint256 seed) external step {
        bytes32 id = _pick(seed, _oneIn(2, seed, "is change"), State.Queued);
        if (_oneIn(3, seed, "not vetoable")) id = _notVetoable(id);
        if (id == 0 || _oneIn(2, seed, "seldom")) return;
        address caller = _mostly(seed, Role.Guardian, false);
        bytes memory reason;
        if (!_holds(caller, Role.Guardian)) reason = abi.encodeWithSelector(IVault.VaultNotGuardian.selector, caller);
        else if (!ghost.isOpen(id, time)) reason = _stateInvalid(id);
        else if (!ghost.isVetoable(id)) reason = abi.encodeWithSelector(IVault.VaultNotVetoable.selector, id);
        (bool done,) = _call(caller, abi.encodeCall(IVault.cancel, (id)), reason);
        if (done) ghost.cancel(id);
    }

    /// @dev The last open change that nobody can veto, if there is one.
    function _notVetoable(bytes32 otherwise) private view returns (bytes32) {
        bytes32[] memory ids = ghost.ids();
        for (uint256 i = ids.length; i > 0; --i) {
            if (ghost.isOpen(ids[i - 1], time) && !ghost.isVetoable(ids[i - 1])) return ids[i - 1];
        }
        return otherwise;
    }

    /// @notice Takes an open proposal all the way, as honest signers would: votes, the delay, execution.
    function carry(uint256 seed) external step {
        bytes32 id = _pick(seed, _oneIn(2, seed, "is change"), State.Proposed);
        if (id == 0) return;
        if (_oneIn(2, seed, "by signature")) _bringVotes(seed, id);
        _gatherVotes(id);
        _finish(seed, id);
    }

    function carryBatch(uint256 seed) external step {
        bytes32 id = _proposeFresh(seed);
        _gatherVotes(id);
        _finish(seed, id);
        _finish(_next(seed), id); // what was skipped or failed
    }

    /// @notice Now and then two changes of a kind at once, of which the first may spoil the second, or one after the other.
    function carryChange(uint256 seed) external step {
        ChangeKind kind = ChangeKind(_roll(seed, "change", uint256(type(ChangeKind).max) + 1));
        if (time < ghost.haltedUntil() && _oneIn(3, seed, "unfreeze")) kind = ChangeKind.Unfreeze;
        bytes32 id = _proposeChange(seed, kind);
        bytes32 twin = _oneIn(kind == ChangeKind.Tiers ? 2 : 4, seed, "twin") ? _proposeChange(_next(seed), kind) : id;
        _gatherVotes(id);
        _gatherVotes(twin);
        _finish(seed, id);
        if (twin != id) _finish(_next(seed), twin);
        if (!_oneIn(kind == ChangeKind.Tiers ? 2 : 8, seed, "again")) return;
        id = _proposeChange(_next(_next(seed)), kind);
        _gatherVotes(id);
        _finish(_next(_next(seed)), id);
    }

    function _gatherVotes(bytes32 id) private {
        _observe();
        address[] memory signers = ghost.signers();
        for (uint256 i = 0; i < signers.length && ghost.stateOf(id, time) == State.Proposed; ++i) {
            if (!ghost.hasVote(id, signers[i])) _approve(signers[i], id);
        }
        _observe();
    }

    function _finish(uint256 seed, bytes32 id) private {
        if (!ghost.isOpen(id, time)) return;
        uint256 readyAt = ghost.readyAt(id);
        if (readyAt > time && !_oneIn(8, seed, "too early")) _warp(readyAt);
        _observe();
        if (ghost.isChange(id)) _executeChange(seed, id);
        else _execute(seed, id);
        _observe();
    }

    function _approve(address caller, bytes32 id) private {
        GhostVotes.Item memory item = ghost.itemOf(id);
        bytes memory reason = _predictVote(caller, id);
        if (reason.length == 0 && ghost.hasVote(id, caller)) {
            reason = abi.encodeWithSelector(IVault.VaultAlreadyApproved.selector, id, caller);
        }
        (uint256 required, uint256 delay) = ghost.terms(id);
        bool starts = !ghost.isRunning(id) && ghost.votes(id) + 1 >= required;
        if (reason.length == 0 && starts) {
            reason = item.instant ? _predictTighten(item) : _predictLife(item.expiresAt, delay + SETTLE);
        }
        bytes memory data = item.isChange
            ? abi.encodeCall(IVault.approveChange, (item.kind, item.content))
            : abi.encodeCall(IVault.approve, (item.batch));
        (bool done,) = _call(caller, data, reason);
        if (!done) return;
        ghost.vote(id, caller, time);
        _settle(id);
    }

    /// @dev One whose vote is on record, be it of an earlier signer set.
    function _voter(uint256 seed, bytes32 id) private view returns (address) {
        address[] memory voters = ghost.itemOf(id).voters;
        return voters.length == 0 ? _signer(seed) : voters[_roll(seed, "voter", voters.length)];
    }

    // ── Instant tightening ───────────────────────────────────────────────────────────────────────────────────────

    function freeze(uint256 seed) external step {
        if (!_oneIn(4, seed, "seldom")) return; // or it is always frozen
        address caller = _mostly(seed, Role.Guardian, true);
        bytes memory reason;
        uint256 againAt = ghost.freezeAgainAt(caller);
        if (!ghost.isSigner(caller) && !_holds(caller, Role.Guardian)) {
            reason = abi.encodeWithSelector(IVault.VaultNotFreezer.selector, caller);
        } else if (time < againAt) {
            reason = abi.encodeWithSelector(IVault.VaultFreezeCoolingDown.selector, caller, againAt);
        }
        (bool done,) = _call(caller, abi.encodeCall(IVault.freeze, ()), reason);
        if (done) ghost.freeze(caller, time);
    }

    function blockRecipient(uint256 seed) external step {
        address caller = _mostly(seed, Role.Guardian, false);
        // The last of those that can be known, so that some stay payable; and those that never are.
        address recipient = _payees[(_oneIn(6, seed, "never") ? 6 : 3) + _roll(seed, "recipient", 3)];
        bytes memory reason;
        if (!_holds(caller, Role.Guardian)) {
            reason = abi.encodeWithSelector(IVault.VaultNotGuardian.selector, caller);
        } else if (ghost.standing(recipient) == Standing.Blocked) {
            reason = abi.encodeWithSelector(
                IVault.VaultStandingStale.selector, recipient, Standing.Unknown, Standing.Blocked
            );
        }
        (bool done,) = _call(caller, abi.encodeCall(IVault.blockRecipient, (recipient)), reason);
        if (done) ghost.setStanding(recipient, Standing.Blocked);
    }

    function revokeRole(uint256 seed) external step {
        if (!_oneIn(4, seed, "seldom")) return; // or soon nobody can pay
        address caller = _mostly(seed, Role.Guardian, false);
        Role role = Role(_roll(seed, "role", 3));
        address account = _oneIn(4, seed, "anyone") ? _anyone(seed) : _holder(seed, role);
        bytes memory reason;
        if (!_holds(caller, Role.Guardian)) {
            reason = abi.encodeWithSelector(IVault.VaultNotGuardian.selector, caller);
        } else if (role == Role.Guardian) {
            reason = abi.encodeWithSelector(IVault.VaultRoleNotRevocable.selector, role);
        } else if (time >= ghost.until(account, role)) {
            reason = abi.encodeWithSelector(IVault.VaultRoleNotHeld.selector, account, role);
        }
        (bool done,) = _call(caller, abi.encodeCall(IVault.revokeRole, (account, role)), reason);
        if (done) ghost.setRole(account, role, 0);
    }

    // ── The world ────────────────────────────────────────────────────────────────────────────────────────────────

    function deposit(uint256 seed) external step {
        uint256 amount = 1 + _roll(seed, "amount", 300_000 * USDT);
        token.mint(address(vault), amount);
        ghost.deposit(amount);
        if (_oneIn(2, seed, "stray")) stray.mint(address(vault), amount);
    }

    /// @notice The token changes its ways; mostly it comes to its senses.
    function setMode(uint256 seed) external step {
        ModeToken.Mode next = ModeToken.Mode(_roll(seed, "mode", uint256(type(ModeToken.Mode).max) + 1));
        if (!_oneIn(3, seed, "strange")) next = ModeToken.Mode.Plain;
        token.setMode(next, this);
        address recipient = _payees[_roll(seed, "payee", _payees.length)];
        token.setRefuses(recipient, _oneIn(3, seed, "refuses"));
    }

    /// @notice Time passes: seconds to days.
    function wait(uint256 seed) external step {
        uint256 most = _oneIn(3, seed, "long") ? 3 days : _oneIn(2, seed, "hours") ? 5 hours : 90;
        _warp(time + _roll(seed, "seconds", most));
    }

    /// @notice To an edge: of a bucket, a day, a delay, a life, a freeze, a cool-down; or a second before or after it.
    function waitForEdge(uint256 seed) external step {
        uint256 which = _roll(seed, "edge", 7);
        uint256 edge = (time / 4 hours + 1) * 4 hours;
        bytes32 id = _pick(seed, _oneIn(2, seed, "is change"), State.Queued);
        if (which == 1 && id != 0) edge = ghost.readyAt(id);
        if (which == 2 && id != 0 && _oneIn(3, seed, "seldom")) edge = ghost.itemOf(id).expiresAt;
        if (which == 3) edge = ghost.haltedUntil();
        if (which == 4) edge = ghost.settledAt();
        if (which == 5 && ghost.releaseCount() != 0) {
            GhostLog.Release[] memory releases = ghost.releases();
            edge = releases[_roll(seed, "release", releases.length)].time + 24 hours;
        }
        if (which == 6 && _oneIn(3, seed, "seldom")) edge = ghost.freezeAgainAt(_signer(seed));
        edge = edge + _roll(seed, "off", 3) - (edge == 0 ? 0 : 1);
        if (edge > time) _warp(edge);
    }

    function _warp(uint256 next) private {
        time = next;
        vm.warp(next);
    }
}
