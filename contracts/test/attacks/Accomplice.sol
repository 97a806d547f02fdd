// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A contract that holds a role of the vault and does whatever it is told, by a token for instance.
contract Accomplice {
    /// @notice Calls `target` and passes on what it answers.
    function run(address target, bytes calldata data) external returns (bytes memory) {
        (bool success, bytes memory returned) = target.call(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(returned, 0x20), mload(returned))
            }
        }
        return returned;
    }
}
