// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TypedData} from "../../src/libraries/TypedData.sol";
import {
    ChangeKind,
    GuardiansChange,
    RecipientsChange,
    RoleChange,
    SignersChange,
    SuccessorChange,
    SweepChange,
    TiersChange,
    TightenChange,
    UnfreezeChange
} from "../../src/types/VaultTypes.sol";
import {VectorTest} from "./VectorTest.sol";

/// @notice The vault's ids and encodings of policy changes are those of change-id.json.
contract ChangeIdTest is VectorTest {
    function setUp() public override {
        super.setUp();
        load("change-id.json");
    }

    /// @notice The library behind an external call, so that its argument is calldata.
    function structHash(ChangeKind kind, bytes calldata change) external pure returns (bytes32, uint256) {
        return TypedData.hash(kind, change);
    }

    function test_changeId_isThatOfTheVectors() external {
        assertGe(forEach(checkId), 20);
    }

    function test_changeId_structsAreEncodedAlike() external view {
        uint256 kinds;
        for (uint256 i = 0; exists(i); ++i) {
            kinds |= 1 << uint8(kindOf(i));
            assertEq(encodedAgain(kindOf(i), changeOf(i)), changeOf(i), nameOf(i));
        }
        assertEq(kinds, (1 << (uint256(type(ChangeKind).max) + 1)) - 1, "every kind has a vector");
    }

    function test_changeId_differsWithEveryVector() external view {
        for (uint256 i = 0; exists(i); ++i) {
            for (uint256 k = 0; k < i; ++k) {
                assertNotEq(wordOf(i, "changeId"), wordOf(k, "changeId"), nameOf(i));
            }
        }
    }

    function checkId(uint256 i) private view {
        (bytes32 digest, uint256 expiresAt) = this.structHash(kindOf(i), changeOf(i));
        assertEq(digest, wordOf(i, "structHash"), nameOf(i));
        assertEq(expiresAt, numberOf(i, "expiresAt"), nameOf(i));
        assertEq(vault.hashChange(kindOf(i), changeOf(i)), wordOf(i, "changeId"), nameOf(i));
    }

    /// @dev Decoded into the struct that the vault acts on, and encoded again.
    function encodedAgain(ChangeKind kind, bytes memory change) private pure returns (bytes memory) {
        if (kind == ChangeKind.Signers) return abi.encode(abi.decode(change, (SignersChange)));
        if (kind == ChangeKind.Tiers) return abi.encode(abi.decode(change, (TiersChange)));
        if (kind == ChangeKind.Recipients) return abi.encode(abi.decode(change, (RecipientsChange)));
        if (kind == ChangeKind.Role) return abi.encode(abi.decode(change, (RoleChange)));
        if (kind == ChangeKind.Guardians) return abi.encode(abi.decode(change, (GuardiansChange)));
        if (kind == ChangeKind.Unfreeze) return abi.encode(abi.decode(change, (UnfreezeChange)));
        if (kind == ChangeKind.Successor) return abi.encode(abi.decode(change, (SuccessorChange)));
        if (kind == ChangeKind.Sweep) return abi.encode(abi.decode(change, (SweepChange)));
        return abi.encode(abi.decode(change, (TightenChange)));
    }

    function kindOf(uint256 i) private view returns (ChangeKind) {
        return ChangeKind(numberOf(i, "kind"));
    }

    function changeOf(uint256 i) private view returns (bytes memory) {
        return vm.parseJsonBytes(json, field(i, "change"));
    }
}
