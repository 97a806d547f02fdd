// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../src/interfaces/IVault.sol";
import {Policy} from "../src/libraries/Policy.sol";
import {
    ChangeKind,
    GuardiansChange,
    RecipientsChange,
    Role,
    RoleChange,
    SignersChange,
    Standing,
    State,
    SuccessorChange,
    SweepChange,
    Tier,
    TiersChange,
    TightenChange,
    UnfreezeChange,
    Vote
} from "../src/types/VaultTypes.sol";
import {VaultTest} from "./VaultTest.sol";

/// @notice Short words for tests of policy changes and of the rules that a policy must keep.
abstract contract PolicyTest is VaultTest {
    /// @notice Longest delay that a policy may ask for: a month of life less a week of votes and 29 hours to settle and pay.
    uint256 internal constant MAX_DELAY = 30 days - 7 days - 29 hours;

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

    /// @notice Proposing a change reverts with `reason`, as a call and with votes.
    function proposalReverts(ChangeKind kind, bytes memory change, bytes memory reason) internal {
        vm.expectRevert(reason);
        vm.prank(alice);
        vault.proposeChange(kind, change);
        vm.expectRevert(reason);
        vault.proposeChangeBySig(kind, change, new Vote[](1));
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

    /// @notice `count` addresses that play no other part.
    function crowd(uint256 count) internal pure returns (address[] memory list) {
        list = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = recipientAt(uint256(keccak256("crowd")), i);
        }
    }

    // ── Encodings, each with a nonce of its own ──────────────────────────────────────────────────────────────────

    function signersChange(address[] memory list, uint8 threshold) internal returns (bytes memory) {
        return abi.encode(SignersChange(list, threshold, nonce(), expiry()));
    }

    function tiersChange(Tier[] memory rows, uint32 policyDelay) internal returns (bytes memory) {
        return abi.encode(TiersChange(rows, policyDelay, vault.termsChangedAt(), nonce(), expiry()));
    }

    function tightenChange(Tier[] memory rows) internal returns (bytes memory) {
        return abi.encode(TightenChange(rows, nonce(), expiry()));
    }

    function recipientsChange(address[] memory list, Standing from, Standing to) internal returns (bytes memory) {
        return abi.encode(RecipientsChange(list, from, to, nonce(), expiry()));
    }

    function roleChange(address account, Role role, uint40 from, uint40 to) internal returns (bytes memory) {
        return abi.encode(RoleChange(account, role, from, to, nonce(), expiry()));
    }

    function guardiansChange(address[] memory list, uint40 until) internal returns (bytes memory) {
        return abi.encode(GuardiansChange(list, until, nonce(), expiry()));
    }

    function unfreezeChange(uint40 haltedUntil) internal returns (bytes memory) {
        return abi.encode(UnfreezeChange(haltedUntil, nonce(), expiry()));
    }

    function successorChange(address successor) internal returns (bytes memory) {
        return abi.encode(SuccessorChange(successor, nonce(), expiry()));
    }

    function sweepChange(address token) internal returns (bytes memory) {
        return abi.encode(SweepChange(token, nonce(), expiry()));
    }

    /// @notice A change of any kind.
    function sampleChange(ChangeKind kind) internal returns (bytes memory) {
        if (kind == ChangeKind.Signers) return signersChange(addresses(alice, bob, stranger), 2);
        if (kind == ChangeKind.Tiers) return tiersChange(standardTiers(), 3 days);
        if (kind == ChangeKind.Recipients) {
            return recipientsChange(addresses(payee), Standing.Unknown, Standing.Known);
        }
        if (kind == ChangeKind.Role) return roleChange(stranger, Role.Keeper, 0, START + 100 days);
        if (kind == ChangeKind.Guardians) return guardiansChange(addresses(stranger), START + 100 days);
        if (kind == ChangeKind.Unfreeze) return unfreezeChange(START + 4 days);
        if (kind == ChangeKind.Successor) return successorChange(stranger);
        if (kind == ChangeKind.Sweep) return sweepChange(stranger);
        return tightenChange(standardTiers());
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
