// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A token whose balances are shares of a pool, as those of staking derivatives are: what a transfer of everything
/// comes to in shares is rounded down, so that something stays.
contract ShareToken {
    uint256 public pool; // [base units]
    uint256 public totalShares;
    mapping(address account => uint256) public sharesOf;

    function setPool(uint256 units) external {
        pool = units;
    }

    function mintShares(address to, uint256 shares) external {
        totalShares += shares;
        sharesOf[to] += shares;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        uint256 shares = amount * totalShares / pool;
        sharesOf[msg.sender] -= shares;
        sharesOf[to] += shares;
        return true;
    }

    function balanceOf(address account) external view returns (uint256) {
        return sharesOf[account] * pool / totalShares;
    }
}
