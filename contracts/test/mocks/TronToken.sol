// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "./TestToken.sol";

/// @notice USDT on Tron: `transfer` moves the money and returns false; pause, and a blacklist of senders.
/// @dev Left out: the fee and `deprecate`, which TetherLike has.
contract TronToken is TestToken {
    bool public paused;
    mapping(address => bool) public isBlackListed;

    error TronTokenPaused();
    error TronTokenBlackListed(address from);

    constructor() TestToken("Tether USD (Tron)", "USDT") {}

    function setPaused(bool yes) external {
        paused = yes;
    }

    /// @notice A blacklisted holder cannot spend, but is still paid.
    function setBlackListed(address account, bool yes) external {
        isBlackListed[account] = yes;
    }

    /// @return Always false, though the money moved.
    function transfer(address to, uint256 value) public override returns (bool) {
        _checkSpendable(msg.sender);
        super.transfer(to, value);
        return false;
    }

    /// @return Always true.
    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        _checkSpendable(from);
        return super.transferFrom(from, to, value);
    }

    function _checkSpendable(address from) private view {
        require(!paused, TronTokenPaused());
        require(!isBlackListed[from], TronTokenBlackListed(from));
    }
}
