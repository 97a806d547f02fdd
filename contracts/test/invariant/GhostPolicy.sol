// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Configuration, Refusal, Role, Standing, Tier} from "../../src/types/VaultTypes.sol";

/// @notice The policy as it ought to be, in plain variables, with every release policy that ever was in force.
abstract contract GhostPolicy {
    /// @notice A release policy and when it began.
    struct Rules {
        uint256 since;
        Tier[] tiers;
        uint256 settledAt; // until then no cap is above the one before; 0 for never
        uint256[4] before; // those caps. [base units]
    }

    /// @notice One freeze, by whom, and for how long it was good.
    struct Freeze {
        address party;
        uint256 start;
        uint256 until;
    }

    uint256 private constant SETTLING = 28 hours;
    uint256 private constant FREEZE_MARGIN = 2 days;

    Rules[] private _rules;
    address[] private _signers;
    address[] private _guardians;
    Freeze[] private _freezes;

    uint256 public policyDelay;
    uint256 public termsChangedAt; // when tiers were last written, a second later each time
    uint256 public threshold;
    uint256 public era; // counts signer sets from 1
    uint256 public haltedUntil;
    address public successor;
    mapping(address account => mapping(Role => uint256)) public until;
    mapping(address account => uint256) public freezeAgainAt;
    mapping(address recipient => Standing) public standing;

    constructor(Configuration memory c, address vault, uint256 time) {
        setSigners(c.signers, c.threshold);
        setTiers(c.tiers, c.policyDelay, time);
        setGuardians(c.guardians, c.guardiansUntil);
        for (uint256 i = 0; i < c.grants.length; ++i) {
            setRole(c.grants[i].account, c.grants[i].role, c.grants[i].until);
        }
        for (uint256 i = 0; i < c.known.length; ++i) {
            standing[c.known[i]] = Standing.Known;
        }
        standing[address(0)] = standing[vault] = standing[c.token] = Standing.Blocked;
        successor = c.successor;
    }

    // ── Writing ──────────────────────────────────────────────────────────────────────────────────────────────────

    function setSigners(address[] memory next, uint256 nextThreshold) public {
        (_signers, threshold) = (next, nextThreshold);
        ++era;
    }

    function setTiers(Tier[] memory next, uint256 nextDelay, uint256 time) public {
        uint256[4] memory before;
        if (_rules.length != 0) {
            for (uint256 k = 0; k < tierCount(); ++k) {
                before[k] = tier(k).cap;
            }
        }
        _push(next, time, _rules.length == 0 ? 0 : time + SETTLING, before);
        _moveTermsChangedAt(time);
        policyDelay = nextDelay;
    }

    /// @notice The stricter of both, of each field; nothing has to settle that did not before. What changes nothing is a policy
    /// of its own here, for the record, but not written.
    function tightenTiers(Tier[] memory stated, uint256 time) external {
        Rules storage r = _rules[_rules.length - 1];
        Tier[] memory next = strictest(stated);
        if (keccak256(abi.encode(next)) != keccak256(abi.encode(r.tiers))) _moveTermsChangedAt(time);
        _push(next, time, r.settledAt, r.before);
    }

    function _moveTermsChangedAt(uint256 time) private {
        termsChangedAt = time > termsChangedAt ? time : termsChangedAt + 1;
    }

    function _push(Tier[] memory next, uint256 time, uint256 settled, uint256[4] memory before) private {
        Rules storage r = _rules.push();
        (r.since, r.settledAt, r.before) = (time, settled, before);
        for (uint256 i = 0; i < next.length; ++i) {
            r.tiers.push(next[i]);
        }
    }

    /// @notice Today's tiers with the stricter of what is and what is stated; for those beyond it, of its last row. Only the
    /// keeper pays what only the keeper paid.
    function strictest(Tier[] memory stated) public view returns (Tier[] memory rows) {
        rows = _rules[_rules.length - 1].tiers;
        for (uint256 k = 0; k < rows.length; ++k) {
            (Tier memory row, Tier memory other) = (rows[k], stated[k < stated.length ? k : stated.length - 1]);
            if (other.maxKnown < row.maxKnown) row.maxKnown = other.maxKnown;
            if (other.maxUnknown < row.maxUnknown) row.maxUnknown = other.maxUnknown;
            if (other.cap < row.cap) row.cap = other.cap;
            if (row.approvals == 0 && row.delay == 0) continue;
            if (other.approvals > row.approvals) row.approvals = other.approvals;
            if (other.delay > row.delay) row.delay = other.delay;
        }
    }

    function setGuardians(address[] memory next, uint256 end) public {
        for (uint256 i = 0; i < _guardians.length; ++i) {
            until[_guardians[i]][Role.Guardian] = 0;
        }
        for (uint256 i = 0; i < next.length; ++i) {
            until[next[i]][Role.Guardian] = end;
        }
        _guardians = next;
    }

    function setRole(address account, Role role, uint256 end) public {
        until[account][role] = end;
    }

    function setStanding(address recipient, Standing next) external {
        standing[recipient] = next;
    }

    function setSuccessor(address next) external {
        successor = next;
    }

    function freeze(address party, uint256 time) external {
        uint256 length = freezeLength();
        _freezes.push(Freeze(party, time, time + length));
        freezeAgainAt[party] = time + 2 * length;
        if (time + length > haltedUntil) haltedUntil = time + length;
    }

    function unfreeze() external {
        haltedUntil = 0;
    }

    // ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────────

    function isSigner(address account) public view returns (bool) {
        for (uint256 i = 0; i < _signers.length; ++i) {
            if (_signers[i] == account) return true;
        }
        return false;
    }

    function freezeLength() public view returns (uint256) {
        return policyDelay + FREEZE_MARGIN;
    }

    /// @notice When tiers may change again; 0 if they never did.
    function settledAt() public view returns (uint256) {
        return _rules[_rules.length - 1].settledAt;
    }

    function tierCount() public view returns (uint256) {
        return _rules[_rules.length - 1].tiers.length;
    }

    function tiers() external view returns (Tier[] memory) {
        return _rules[_rules.length - 1].tiers;
    }

    /// @notice A row of the release policy; all zero if there is none.
    function tier(uint256 k) public view returns (Tier memory row) {
        if (k < tierCount()) row = _rules[_rules.length - 1].tiers[k];
    }

    function isAutomatic(uint256 k) external view returns (bool) {
        Tier memory row = tier(k);
        return row.cap != 0 && row.approvals == 0 && row.delay == 0;
    }

    /// @notice Cap of tier `k` in force at `time` under the policy with that index. [base units]
    function capInForce(uint256 index, uint256 k, uint256 time) public view returns (uint256) {
        Rules storage r = _rules[index];
        uint256 cap = k < r.tiers.length ? r.tiers[k].cap : 0;
        return time < r.settledAt && r.before[k] < cap ? r.before[k] : cap;
    }

    function capNow(uint256 k, uint256 time) external view returns (uint256) {
        return capInForce(_rules.length - 1, k, time);
    }

    /// @notice Largest payment of tier `k` to a recipient. [base units]
    function limit(uint256 k, address recipient) public view returns (uint256) {
        Standing s = standing[recipient];
        if (s == Standing.Blocked) return 0;
        return s == Standing.Known ? tier(k).maxKnown : tier(k).maxUnknown;
    }

    function refusal(uint256 k, address recipient, uint256 amount) external view returns (Refusal) {
        if (standing[recipient] == Standing.Blocked) return Refusal.BlockedRecipient;
        if (amount == 0) return Refusal.ZeroAmount;
        return amount > limit(k, recipient) ? Refusal.AboveLimit : Refusal.None;
    }

    function signers() external view returns (address[] memory) {
        return _signers;
    }

    function guardians() external view returns (address[] memory) {
        return _guardians;
    }

    function freezes() external view returns (Freeze[] memory) {
        return _freezes;
    }

    function rulesCount() external view returns (uint256) {
        return _rules.length;
    }

    function rules() external view returns (Rules[] memory) {
        return _rules;
    }
}
