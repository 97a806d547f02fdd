// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "./TestToken.sol";

/// @notice A token with two addresses, as TrueUSD had: this is the ledger and the first entry point.
contract DoubleEntryToken is TestToken {
    /// @notice The other address of the same money.
    SecondEntry public immutable SECOND = new SecondEntry(this);

    error DoubleEntryTokenNotSecond(address caller);

    constructor() TestToken("Double entry", "TWICE") {}

    function moveFor(address from, address to, uint256 value) external {
        require(msg.sender == address(SECOND), DoubleEntryTokenNotSecond(msg.sender));
        _transfer(from, to, value);
    }
}

/// @notice The second entry point: holds nothing itself; a transfer here moves balances of the first token.
contract SecondEntry {
    DoubleEntryToken public immutable FIRST;

    constructor(DoubleEntryToken first) {
        FIRST = first;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        FIRST.moveFor(msg.sender, to, value);
        return true;
    }

    function balanceOf(address account) external view returns (uint256) {
        return FIRST.balanceOf(account);
    }
}
