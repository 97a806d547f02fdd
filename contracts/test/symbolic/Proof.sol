// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vm} from "forge-std/Vm.sol";

/// @title Proof
/// @notice What the proofs share. `scripts/prove` runs every `check_…` function with symbolic arguments: it holds if no
/// values make an `assert` fail. The tag "bounds" of a proof says which values were tried, if not all.
abstract contract Proof {
    Vm internal constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev Leaves out the values that do not fulfil the condition.
    function assume(bool condition) internal pure {
        VM.assume(condition);
    }

    /// @dev The number as a constant: splits the proof into one case for each value below `end`, and leaves out the others.
    function split(uint256 value, uint256 end) internal pure returns (uint256) {
        for (uint256 i = 0; i < end; ++i) {
            if (value == i) return i;
        }
        assume(false);
        return 0;
    }
}
