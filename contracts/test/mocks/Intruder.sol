// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IModeTokenHook} from "./ModeToken.sol";

/// @notice Calls somebody whenever a token tells it of a transfer, and lets the transfer go on whatever comes back.
contract Intruder is IModeTokenHook {
    address public target;
    bytes public data;
    /// @notice Calls that succeeded, which the lock should make impossible.
    uint256 public entered;

    function setCall(address target_, bytes calldata data_) external {
        (target, data) = (target_, data_);
    }

    function onTransfer() external {
        if (target == address(0)) return;
        (bool success,) = target.call(data);
        if (success) ++entered;
    }
}
