// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Everything that left the vault and came in, as plain lists: no windows, masks or packed words.
abstract contract GhostLog {
    /// @notice One payment, as the token saw it.
    struct Outflow {
        uint256 release; // index of the call that paid it
        uint256 number;
        address recipient;
        uint256 amount;
        uint256 debited; // what the vault's balance fell by
    }

    /// @notice One call that paid, and what stood behind it at that time.
    struct Release {
        bytes32 id;
        address caller;
        bool automatic; // by `pay`
        bool bySig; // by `payBySig`; if neither, by `execute`
        uint256 time;
        uint256 tier;
        uint256 total;
        uint256 rules; // index of the policy in force
        uint256 cap; // in force for the tier
        uint256 votes;
        uint256 required;
        uint256 readyAt;
        uint256 expiresAt;
        uint256 haltedUntil;
    }

    uint256 private constant BUCKET = 4 hours;
    uint256 private constant LANES = 7;

    Release[] private _releases;
    Outflow[] private _outflows;
    uint256[] private _numbers; // all that were ever tried
    mapping(uint256 number => bool) private _wasTried;

    mapping(uint256 number => uint256) public timesPaid;
    uint256 public deposited; // [base units]
    uint256 public paidOut; // [base units]

    function deposit(uint256 amount) external {
        deposited += amount;
    }

    /// @notice Remembers numbers that some call named, paid or not.
    function tryNumbers(uint256 first, uint256 count) external {
        for (uint256 i = first; i < first + count; ++i) {
            if (!_wasTried[i]) _numbers.push(i);
            _wasTried[i] = true;
        }
    }

    function release(Release calldata r, Outflow[] calldata items) external {
        for (uint256 i = 0; i < items.length; ++i) {
            _outflows.push(items[i]);
            ++timesPaid[items[i].number];
        }
        paidOut += r.total;
        _releases.push(r);
    }

    /// @notice What a tier's calls of the last 28 hours come to, each rounded up: those whose 4-hour bucket is one of
    /// the newest seven. [units]
    function charged(uint256 tier, uint256 time, uint256 unit) external view returns (uint256 units) {
        for (uint256 i = _releases.length; i > 0; --i) {
            Release storage r = _releases[i - 1];
            if (r.time / BUCKET + LANES <= time / BUCKET) break;
            if (r.tier == tier) units += (r.total + unit - 1) / unit;
        }
    }

    function releases() external view returns (Release[] memory) {
        return _releases;
    }

    function releaseCount() external view returns (uint256) {
        return _releases.length;
    }

    function outflows() external view returns (Outflow[] memory) {
        return _outflows;
    }

    function numbers() external view returns (uint256[] memory) {
        return _numbers;
    }
}
