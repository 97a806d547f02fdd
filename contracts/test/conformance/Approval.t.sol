// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TypedData} from "../../src/libraries/TypedData.sol";
import {ChangeKind} from "../../src/types/VaultTypes.sol";
import {VectorTest} from "./VectorTest.sol";

/// @notice What signers sign is what approval.json says.
contract ApprovalTest is VectorTest {
    uint256 private constant BATCH_KIND = 255; // of vectors that are votes for a batch

    function setUp() public override {
        super.setUp();
        load("approval.json");
    }

    function test_approval_isThatOfTheVectors() external {
        assertGe(forEach(checkDigest), 30);
    }

    function test_approval_everyKindHasAVector() external view {
        uint256 kinds;
        for (uint256 i = 0; exists(i); ++i) {
            uint256 kind = numberOf(i, "kind");
            kinds |= 1 << (kind == BATCH_KIND ? uint256(type(ChangeKind).max) + 1 : kind);
        }
        assertEq(kinds, (1 << (uint256(type(ChangeKind).max) + 2)) - 1);
    }

    function test_approval_differsWithEveryVector() external view {
        for (uint256 i = 0; exists(i); ++i) {
            for (uint256 k = 0; k < i; ++k) {
                assertNotEq(wordOf(i, "digest"), wordOf(k, "digest"), nameOf(i));
            }
        }
    }

    function checkDigest(uint256 i) private view {
        uint256 kind = numberOf(i, "kind");
        bytes32 approval = kind == BATCH_KIND ? TypedData.BATCH_APPROVAL : TypedData.approvalOf(ChangeKind(kind));
        bytes32 structHash =
            TypedData.hashVote(approval, addressOf(i, "signer"), numberOf(i, "epoch"), wordOf(i, "contentHash"));
        assertEq(structHash, wordOf(i, "structHash"), nameOf(i));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", wordOf(i, "domainSeparator"), structHash));
        assertEq(digest, wordOf(i, "digest"), nameOf(i));
    }
}
