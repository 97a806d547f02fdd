// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Changes} from "../../src/libraries/Changes.sol";
import {
    GuardiansChange,
    RecipientsChange,
    Role,
    RoleChange,
    SignersChange,
    Standing,
    SuccessorChange,
    SweepChange,
    UnfreezeChange
} from "../../src/types/VaultTypes.sol";
import {Test} from "forge-std/Test.sol";

/// @notice A change that is read where it lies is the one that was encoded.
contract ChangeStructsTest is Test {
    using Changes for bytes;

    // ── The library behind external calls, so that changes are calldata: what it reads, encoded again ────────────

    function signers(bytes calldata change) external pure returns (bytes memory) {
        return abi.encode(change.asSigners());
    }

    function recipients(bytes calldata change) external pure returns (bytes memory) {
        return abi.encode(change.asRecipients());
    }

    function role(bytes calldata change) external pure returns (bytes memory) {
        return abi.encode(change.asRole());
    }

    function guardians(bytes calldata change) external pure returns (bytes memory) {
        return abi.encode(change.asGuardians());
    }

    function unfreeze(bytes calldata change) external pure returns (bytes memory) {
        return abi.encode(change.asUnfreeze());
    }

    function successor(bytes calldata change) external pure returns (bytes memory) {
        return abi.encode(change.asSuccessor());
    }

    function sweep(bytes calldata change) external pure returns (bytes memory) {
        return abi.encode(change.asSweep());
    }

    // ── Tests ────────────────────────────────────────────────────────────────────────────────────────────────────

    function testFuzz_changes_listsAreReadInPlace(address[] calldata list, uint8 a, uint64 nonce, uint40 expiresAt)
        external
        view
    {
        bytes memory change = abi.encode(SignersChange(list, a, nonce, expiresAt));
        assertEq(this.signers(change), change, "signers");
        change = abi.encode(RecipientsChange(list, Standing(a % 3), Standing(nonce % 3), nonce, expiresAt));
        assertEq(this.recipients(change), change, "recipients");
        change = abi.encode(GuardiansChange(list, a, nonce, expiresAt));
        assertEq(this.guardians(change), change, "guardians");
    }

    function testFuzz_changes_wordsAreReadInPlace(
        address account,
        uint40 oldUntil,
        uint40 until,
        uint64 nonce,
        uint40 expiresAt
    ) external view {
        bytes memory change = abi.encode(RoleChange(account, Role(nonce % 3), oldUntil, until, nonce, expiresAt));
        assertEq(this.role(change), change, "role");
        change = abi.encode(UnfreezeChange(until, nonce, expiresAt));
        assertEq(this.unfreeze(change), change, "unfreeze");
        change = abi.encode(SuccessorChange(account, nonce, expiresAt));
        assertEq(this.successor(change), change, "successor");
        change = abi.encode(SweepChange(account, nonce, expiresAt));
        assertEq(this.sweep(change), change, "sweep");
    }
}
