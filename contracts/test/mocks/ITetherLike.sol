// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What tests ask of the USDT stand-in; the caller of `Tokens.deployTether` is its owner.
/// @dev Its own verbs return nothing, as on mainnet. It has no `mint`: use `Tokens.give`.
interface ITetherLike {
    function transfer(address to, uint256 value) external;
    function transferFrom(address from, address to, uint256 value) external;
    function approve(address spender, uint256 value) external;
    function balanceOf(address account) external view returns (uint256);
    function allowance(address holder, address spender) external view returns (uint256);
    function totalSupply() external view returns (uint256);
    function decimals() external view returns (uint256);

    /// @notice The old ledger, whether or not the token is deprecated.
    function balances(address account) external view returns (uint256);
    function _totalSupply() external view returns (uint256);

    function pause() external;
    function unpause() external;
    function addBlackList(address account) external;
    function removeBlackList(address account) external;
    function destroyBlackFunds(address account) external;
    function setParams(uint256 basisPoints, uint256 maxFeeWhole) external;
    function issue(uint256 amount) external;
    function redeem(uint256 amount) external;
    function deprecate(address successor) external;
}
