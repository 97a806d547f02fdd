// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "./TestToken.sol";

/// @notice USDT on BSC: 18 decimals, returns true, neither pause nor blacklist.
contract BscToken is TestToken {
    constructor() TestToken("Tether USD (BSC)", "USDT") {}

    function decimals() public pure override returns (uint8) {
        return 18;
    }
}
