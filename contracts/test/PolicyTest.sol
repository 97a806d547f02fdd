// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../src/interfaces/IVault.sol";
import {Policy} from "../src/libraries/Policy.sol";
import {ChangeKind, State} from "../src/types/VaultTypes.sol";
import {VaultTest} from "./VaultTest.sol";

/// @notice Short words for tests of policy changes and of the rules that a policy must keep.
abstract contract PolicyTest is VaultTest {
    /// @notice Longest delay that a policy may ask for: a month of life less a week of votes and 28 hours to settle.
    uint256 internal constant MAX_DELAY = 30 days - 7 days - 28 hours;

    /// @notice A change that has its approvals and has waited.
    function readyChange(ChangeKind kind, bytes memory change) internal returns (bytes32 id) {
        id = approvedChange(kind, change);
        skip(vault.policyDelay());
        assertState(id, State.Ready);
    }

    /// @notice Executes a change as alice.
    function executeChange(ChangeKind kind, bytes memory change) internal {
        vm.prank(alice);
        vault.executeChange(kind, change);
    }

    /// @notice Executing a ready change reverts with `reason` and leaves it ready.
    function refuseChange(ChangeKind kind, bytes memory change, bytes memory reason) internal {
        vm.expectRevert(reason);
        executeChange(kind, change);
        assertState(vault.hashChange(kind, change), State.Ready);
    }

    /// @notice Takes a change to the point where it is executed, which reverts with `reason`.
    function enactReverts(ChangeKind kind, bytes memory change, bytes memory reason) internal {
        readyChange(kind, change);
        refuseChange(kind, change, reason);
    }

    function assertState(bytes32 id, State expected) internal view {
        assertEq(uint8(vault.stateOf(id)), uint8(expected), "state");
    }

    /// @notice `count` addresses that play no other part.
    function crowd(uint256 count) internal pure returns (address[] memory list) {
        list = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = recipientAt(uint256(keccak256("crowd")), i);
        }
    }

    // ── Reasons ──────────────────────────────────────────────────────────────────────────────────────────────────

    function outOfRange(Policy.Field field, uint256 index, uint256 value, uint256 least, uint256 most)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(Policy.PolicyOutOfRange.selector, field, index, value, least, most);
    }

    function notMultiple(Policy.Field field, uint256 index, uint256 value) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(Policy.PolicyNotMultipleOfUnit.selector, field, index, value, UNIT);
    }

    function addressInvalid(address account) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IVault.VaultAddressInvalid.selector, account);
    }

    function stateInvalid(bytes32 id, State state) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IVault.VaultStateInvalid.selector, id, state);
    }

    function frozen(uint256 haltedUntil) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IVault.VaultFrozen.selector, haltedUntil);
    }
}
