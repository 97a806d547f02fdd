// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {RollingCap} from "../../src/libraries/RollingCap.sol";
import {
    ChangeKind,
    GuardiansChange,
    Order,
    RecipientsChange,
    Role,
    RoleChange,
    SignersChange,
    Standing,
    Tier,
    TiersChange,
    TightenChange
} from "../../src/types/VaultTypes.sol";
import {VmSafe} from "forge-std/Vm.sol";

/// @notice A vault's state as its logs alone tell it, each read at its block's time.
contract Rebuilt {
    using RollingCap for uint256;

    struct Record {
        uint256 votes; // bit per signer
        uint256 revoked; // likewise
        uint256 epoch;
        uint256 quorumAt;
        uint256 votedAt;
        uint256 expiresAt;
        uint256 required;
        uint256 delay;
        uint256 tier; // 255 for a change
        bool vetoable;
        bool instant;
        bool executed;
        bool cancelled;
        uint256 firstNumber;
        uint256 count;
    }

    uint256 public unit;
    uint256 public haltedUntil;
    uint256 public tiersChangedAt;
    uint256 public epoch;
    uint256 public threshold;
    uint256 public policyDelay;
    address public successor;
    address[] private _signers;
    mapping(uint256 tier => Tier) private _tiers;
    mapping(uint256 tier => uint256) public window;
    mapping(address recipient => Standing) public standingOf;
    mapping(address account => mapping(Role => uint256)) public until;
    mapping(address account => uint256) public freezeAgainAt;
    uint256 public termsChangedAt;
    mapping(uint256 number => bool) public isPaid;
    mapping(bytes32 id => Record) private _records;
    bytes32[] private _ids;

    error RebuiltUnknownEvent(bytes32 topic);

    function read(VmSafe.Log[] calldata logs, address vault, uint256 time) external {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != vault) continue;
            VmSafe.Log calldata log = logs[i];
            if (_readPolicy(log, time) || _readMoney(log, time) || _readVote(log, time)) continue;
            revert RebuiltUnknownEvent(log.topics[0]);
        }
    }

    function ids() external view returns (bytes32[] memory) {
        return _ids;
    }

    function record(bytes32 id) external view returns (Record memory) {
        return _records[id];
    }

    function signers() external view returns (address[] memory) {
        return _signers;
    }

    function tier(uint256 k) external view returns (Tier memory) {
        return _tiers[k];
    }

    // ── Policy ───────────────────────────────────────────────────────────────────────────────────────────────────

    function _readPolicy(VmSafe.Log calldata log, uint256 time) private returns (bool) {
        bytes32 topic = log.topics[0];
        if (topic == IVault.VaultCreated.selector) {
            (unit,,) = abi.decode(log.data, (uint256, uint256, uint256));
            standingOf[_address(log.topics[1])] = Standing.Blocked;
            (standingOf[address(0)], standingOf[log.emitter]) = (Standing.Blocked, Standing.Blocked);
        } else if (topic == IVault.SignersSet.selector) {
            (epoch,, _signers,, threshold) = abi.decode(log.data, (uint256, address[], address[], uint256, uint256));
        } else if (topic == IVault.TierSet.selector) {
            (, _tiers[uint256(log.topics[1])]) = abi.decode(log.data, (Tier, Tier));
            // Every write begins with the first tier.
            if (log.topics[1] == 0) termsChangedAt = time > termsChangedAt ? time : termsChangedAt + 1;
        } else if (topic == IVault.PolicyDelaySet.selector) {
            (, policyDelay) = abi.decode(log.data, (uint256, uint256));
        } else if (topic == IVault.SuccessorSet.selector) {
            (, successor) = abi.decode(log.data, (address, address));
        } else if (topic == IVault.RecipientSet.selector) {
            (, standingOf[_address(log.topics[1])]) = abi.decode(log.data, (Standing, Standing));
        } else if (topic == IVault.RoleSet.selector) {
            Role role = Role(uint256(log.topics[2]));
            (, until[_address(log.topics[1])][role]) = abi.decode(log.data, (uint256, uint256));
        } else if (topic == IVault.Frozen.selector) {
            (, haltedUntil, freezeAgainAt[_address(log.topics[1])]) = abi.decode(log.data, (uint256, uint256, uint256));
        } else if (topic == IVault.Unfrozen.selector) {
            haltedUntil = 0;
        } else if (topic == IVault.ChangeExecuted.selector) {
            _records[log.topics[1]].executed = true;
            if (abi.decode(log.data, (ChangeKind)) == ChangeKind.Tiers) tiersChangedAt = time;
        } else {
            return topic == IVault.Swept.selector;
        }
        return true;
    }

    // ── Money ────────────────────────────────────────────────────────────────────────────────────────────────────

    function _readMoney(VmSafe.Log calldata log, uint256 time) private returns (bool) {
        bytes32 topic = log.topics[0];
        if (topic == IVault.BatchPaid.selector) {
            (Order memory order, uint256 mask, bytes memory payments) = abi.decode(log.data, (Order, uint256, bytes));
            _pay(order.head.tier(), order.head.firstNumber(), mask, _sum(payments, mask), time);
        } else if (topic == IVault.BatchExecuted.selector) {
            Record storage r = _records[log.topics[1]];
            (uint256 first, uint256 mask, uint256 total) = abi.decode(log.data, (uint256, uint256, uint256));
            if (mask != 0) _pay(r.tier, first, mask, total, time);
            r.executed = true;
            for (uint256 i = 0; i < r.count; ++i) {
                if (!isPaid[r.firstNumber + i]) r.executed = false;
            }
        } else {
            return topic == IVault.PaymentFailed.selector || topic == IVault.PaymentRefused.selector;
        }
        return true;
    }

    /// @dev Of the packed payments in the mask. [base units]
    function _sum(bytes memory payments, uint256 mask) private pure returns (uint256 sum) {
        for (uint256 i = 0; i < payments.length / 48; ++i) {
            uint256 amount;
            assembly ("memory-safe") {
                amount := shr(160, mload(add(add(payments, 52), mul(i, 48))))
            }
            if ((mask >> i) & 1 == 1) sum += amount;
        }
    }

    function _pay(uint256 k, uint256 first, uint256 mask, uint256 total, uint256 time) private {
        for (uint256 i = 0; i < 256; ++i) {
            if ((mask >> i) & 1 == 1) isPaid[first + i] = true;
        }
        window[k] = window[k].roll(time).add((total + unit - 1) / unit);
    }

    // ── Votes ────────────────────────────────────────────────────────────────────────────────────────────────────

    function _readVote(VmSafe.Log calldata log, uint256 time) private returns (bool) {
        (bytes32 topic, bytes32 id) = (log.topics[0], log.topics[1]);
        Record storage r = _records[id];
        if (topic == IVault.BatchProposed.selector) {
            (Order memory order, bytes memory payments) = abi.decode(log.data, (Order, bytes));
            (r.tier, r.expiresAt, r.vetoable) = (order.head.tier(), order.head.expiresAt(), true);
            (r.required, r.delay) = (_tiers[order.head.tier()].approvals, _tiers[order.head.tier()].delay);
            (r.firstNumber, r.count) = (order.head.firstNumber(), payments.length / 48);
            _ids.push(id);
            _vote(r, _address(log.topics[2]), time);
        } else if (topic == IVault.ChangeProposed.selector) {
            (ChangeKind kind, bytes memory change) = abi.decode(log.data, (ChangeKind, bytes));
            (r.tier, r.expiresAt) = (type(uint8).max, _expiryOf(kind, change));
            r.instant = _onlyTightens(kind, change);
            r.vetoable = !r.instant && kind != ChangeKind.Guardians && kind != ChangeKind.Unfreeze;
            (r.required, r.delay) = (threshold, r.instant ? 0 : policyDelay);
            _ids.push(id);
            _vote(r, _address(log.topics[2]), time);
        } else if (topic == IVault.Approved.selector || topic == IVault.Queued.selector) {
            address caller = _address(log.topics[2]);
            _vote(r, caller, time);
            if (_indexOf(caller) == type(uint256).max) r.quorumAt = time; // a proposer, where no votes are asked for
        } else if (topic == IVault.Revoked.selector) {
            _enter(r);
            uint256 bit = 1 << _indexOf(_address(log.topics[2]));
            (r.votes, r.revoked) = (r.votes & ~bit, r.revoked | bit);
            if (_count(r.votes) < r.required) r.quorumAt = 0;
        } else if (topic == IVault.Cancelled.selector) {
            r.cancelled = true;
        } else {
            return topic == IVault.Unqueued.selector; // follows from the votes
        }
        return true;
    }

    /// @dev A vote, if the caller is a signer.
    function _vote(Record storage r, address caller, uint256 time) private {
        uint256 index = _indexOf(caller);
        if (index == type(uint256).max) return;
        _enter(r);
        r.votes |= 1 << index;
        r.votedAt = time;
        if (r.quorumAt == 0 && _count(r.votes) >= r.required) r.quorumAt = time;
    }

    /// @dev The first word of a new signer set drops those of the old, and the clock that they started.
    function _enter(Record storage r) private {
        if (r.epoch == epoch) return;
        (r.epoch, r.votes, r.revoked) = (epoch, 0, 0);
        if (r.required != 0) r.quorumAt = 0;
    }

    function _count(uint256 bits) private pure returns (uint256 count) {
        for (; bits != 0; bits >>= 1) {
            count += bits & 1;
        }
    }

    function _onlyTightens(ChangeKind kind, bytes memory change) private pure returns (bool) {
        if (kind == ChangeKind.Tighten) return true;
        if (kind == ChangeKind.Recipients) {
            RecipientsChange memory c = abi.decode(change, (RecipientsChange));
            return c.oldStanding != c.standing && (c.standing == Standing.Blocked || c.oldStanding == Standing.Known);
        }
        if (kind != ChangeKind.Role) return false;
        RoleChange memory r = abi.decode(change, (RoleChange));
        return r.until < r.oldUntil;
    }

    function _indexOf(address signer) private view returns (uint256) {
        for (uint256 i = 0; i < _signers.length; ++i) {
            if (_signers[i] == signer) return i;
        }
        return type(uint256).max;
    }

    /// @dev The last field of every change; of one with only static fields, its last word.
    function _expiryOf(ChangeKind kind, bytes memory change) private pure returns (uint256 expiry) {
        if (kind == ChangeKind.Signers) return abi.decode(change, (SignersChange)).expiresAt;
        if (kind == ChangeKind.Tiers) return abi.decode(change, (TiersChange)).expiresAt;
        if (kind == ChangeKind.Tighten) return abi.decode(change, (TightenChange)).expiresAt;
        if (kind == ChangeKind.Recipients) return abi.decode(change, (RecipientsChange)).expiresAt;
        if (kind == ChangeKind.Guardians) return abi.decode(change, (GuardiansChange)).expiresAt;
        assembly ("memory-safe") {
            expiry := mload(add(change, mload(change)))
        }
    }

    function _address(bytes32 topic) private pure returns (address) {
        return address(uint160(uint256(topic)));
    }
}
