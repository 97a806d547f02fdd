// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "./TestToken.sol";

interface ITokensReceived {
    /// @notice Called after the money has moved; a revert undoes the transfer.
    function tokensReceived(address from, uint256 value) external;
}

/// @notice Tells recipients of their money after the transfer, as ERC-777 does for those who registered.
contract HookToken is TestToken {
    mapping(address => bool) public registered;

    constructor() TestToken("Hook", "HOOK") {}

    function register() external {
        registered[msg.sender] = true;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        super.transfer(to, value);
        if (registered[to]) ITokensReceived(to).tokensReceived(msg.sender, value);
        return true;
    }
}

/// @notice A recipient that sends tokens back to the payer while the payment is still under way.
contract Boomerang is ITokensReceived {
    HookToken public immutable TOKEN;
    uint256 public keeps; // [base units]

    error BoomerangSendFailed();

    constructor(HookToken token) {
        TOKEN = token;
        token.register();
    }

    /// @notice How much of each payment stays here; zero sends all of it back.
    function setKeeps(uint256 amount) external {
        keeps = amount;
    }

    function tokensReceived(address from, uint256 value) external {
        if (value <= keeps) return;
        require(TOKEN.transfer(from, value - keeps), BoomerangSendFailed());
    }
}
