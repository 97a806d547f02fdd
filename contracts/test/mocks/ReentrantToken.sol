// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "./TestToken.sol";

/// @notice Re-enters as a token with a sender's hook (ERC-777) can: calls out during `transfer`, then moves the money.
/// @dev The call is made once per outermost transfer, so a call that transfers again does not recurse for ever.
contract ReentrantToken is TestToken {
    address public target;
    bytes public data;
    bool public bubbles;

    uint256 public calls;
    bool public lastSuccess;
    bytes public lastReturn;

    bool private _inside;

    constructor() TestToken("Reentrant", "REENTER") {}

    /// @param target_ whom to call; zero switches the call off
    /// @param bubbles_ whether a failing call fails the transfer with the same data
    function setCall(address target_, bytes calldata data_, bool bubbles_) external {
        target = target_;
        data = data_;
        bubbles = bubbles_;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        if (target != address(0) && !_inside) _callOut();
        return super.transfer(to, value);
    }

    function _callOut() private {
        _inside = true;
        (bool success, bytes memory returned) = target.call(data);
        _inside = false;
        if (!success && bubbles) {
            assembly ("memory-safe") {
                revert(add(returned, 0x20), mload(returned))
            }
        }
        calls += 1;
        lastSuccess = success;
        lastReturn = returned;
    }
}
