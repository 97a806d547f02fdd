// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "./TestToken.sol";

/// @notice Fails as the oldest ERC-20 tokens do: returns false and moves nothing, for everyone or for chosen recipients.
contract FalseToken is TestToken {
    bool public refusesAll;
    mapping(address => bool) public refuses;

    constructor() TestToken("False", "FALSE") {}

    function setRefusesAll(bool yes) external {
        refusesAll = yes;
    }

    function setRefuses(address recipient, bool yes) external {
        refuses[recipient] = yes;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        if (refusesAll || refuses[to]) return false;
        return super.transfer(to, value);
    }
}
