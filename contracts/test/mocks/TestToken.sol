// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice The part of a fixture that every test may use. Transfers are left to the code under test.
interface ITestToken {
    function balanceOf(address account) external view returns (uint256);
    function decimals() external view returns (uint8);
    function mint(address to, uint256 amount) external;
}

/// @notice A plain token with a free mint: the part the misbehaving fixtures share.
/// @dev They misbehave in `transfer` unless they say otherwise; `transferFrom` stays that of OpenZeppelin.
abstract contract TestToken is ERC20, ITestToken {
    constructor(string memory name_, string memory symbol_) ERC20(name_, symbol_) {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function balanceOf(address account) public view override(ERC20, ITestToken) returns (uint256) {
        return super.balanceOf(account);
    }

    function decimals() public view virtual override(ERC20, ITestToken) returns (uint8) {
        return 6;
    }
}
