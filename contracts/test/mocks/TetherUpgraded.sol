// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITetherLike} from "./ITetherLike.sol";

/// @notice An honest successor for TetherLike's `deprecate`: every holder keeps the balance of the old ledger.
/// @dev Speaks only to the old token, which forwards to it. Allowances start afresh.
contract TetherUpgraded {
    ITetherLike public immutable LEGACY;

    mapping(address => mapping(address => uint256)) public allowance; // [base units]

    mapping(address => bool) private _migrated;
    mapping(address => uint256) private _balances; // [base units], valid once migrated

    error TetherUpgradedNotLegacy(address caller);

    modifier onlyLegacy() {
        require(msg.sender == address(LEGACY), TetherUpgradedNotLegacy(msg.sender));
        _;
    }

    constructor(ITetherLike legacy) {
        LEGACY = legacy;
    }

    function transferByLegacy(address from, address to, uint256 value) external virtual onlyLegacy {
        _move(from, to, value);
    }

    function transferFromByLegacy(address spender, address from, address to, uint256 value) external onlyLegacy {
        allowance[from][spender] -= value;
        _move(from, to, value);
    }

    function approveByLegacy(address from, address spender, uint256 value) external onlyLegacy {
        allowance[from][spender] = value;
    }

    function totalSupply() external view returns (uint256) {
        return LEGACY._totalSupply();
    }

    function balanceOf(address account) public view returns (uint256) {
        return _migrated[account] ? _balances[account] : LEGACY.balances(account);
    }

    function _move(address from, address to, uint256 value) internal {
        _set(from, balanceOf(from) - value);
        _set(to, balanceOf(to) + value);
    }

    function _set(address account, uint256 amount) private {
        _migrated[account] = true;
        _balances[account] = amount;
    }
}
