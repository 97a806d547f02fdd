// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PackedPayments} from "../../src/libraries/PackedPayments.sol";
import {TypedData} from "../../src/libraries/TypedData.sol";
import {Batch} from "../../src/types/VaultTypes.sol";
import {VectorTest} from "./VectorTest.sol";

/// @notice The vault's ids and encodings of batches are those of batch-id.json.
contract BatchIdTest is VectorTest {
    using PackedPayments for bytes;

    function setUp() public override {
        super.setUp();
        load("batch-id.json");
    }

    // ── Libraries behind external calls, so that their arguments are calldata ────────────────────────────────────

    function structHash(Batch calldata batch) external pure returns (bytes32) {
        return TypedData.hash(batch);
    }

    function item(bytes calldata payments_, uint256 i) external pure returns (address, uint256) {
        return payments_.item(i);
    }

    function isCount(bytes calldata payments_, uint256 count) external pure returns (bool) {
        return payments_.isCount(count);
    }

    // ── Tests ────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_batchId_isThatOfTheVectors() external {
        assertGe(forEach(checkId), 10);
    }

    function test_batchId_payments() external view {
        uint256 i;
        for (; exists(i); ++i) {
            checkPayments(i);
        }
        assertGe(i, 10);
    }

    function test_batchId_differsWithEveryVector() external view {
        for (uint256 i = 0; exists(i); ++i) {
            for (uint256 k = 0; k < i; ++k) {
                assertNotEq(wordOf(i, "batchId"), wordOf(k, "batchId"), nameOf(i));
            }
        }
    }

    function checkId(uint256 i) private view {
        Batch memory b = batchOf(i);
        assertEq(this.structHash(b), wordOf(i, "structHash"), nameOf(i));
        assertEq(vault.hashBatch(b), wordOf(i, "batchId"), nameOf(i));
    }

    function checkPayments(uint256 i) private view {
        Batch memory b = batchOf(i);
        bytes memory packed = vm.parseJsonBytes(json, field(i, "payments"));
        address[] memory recipients = vm.parseJsonAddressArray(json, field(i, "recipients"));
        uint256[] memory amounts = vm.parseJsonUintArray(json, field(i, "amounts"));
        bytes[] memory references = vm.parseJsonBytesArray(json, field(i, "references"));
        assertEq(recipients.length, b.count);
        bytes memory repacked;
        uint256 total;
        for (uint256 k = 0; k < b.count; ++k) {
            (address recipient, uint256 amount) = this.item(packed, k);
            assertEq(recipient, recipients[k], nameOf(i));
            assertEq(amount, amounts[k], nameOf(i));
            repacked = bytes.concat(repacked, payment(recipient, amount, uint128(bytes16(references[k]))));
            total += amount;
        }
        assertTrue(this.isCount(packed, b.count), nameOf(i));
        assertEq(packed, repacked, nameOf(i));
        assertEq(keccak256(packed), b.paymentsHash, nameOf(i));
        assertEq(b.total, total, nameOf(i));
        assertEq(b.recipient, b.count == 1 ? recipients[0] : address(0), nameOf(i));
    }

    function batchOf(uint256 i) private view returns (Batch memory b) {
        b.firstNumber = uint64(numberOf(i, "firstNumber"));
        b.count = uint16(numberOf(i, "count"));
        b.tier = uint8(numberOf(i, "tier"));
        b.total = uint128(numberOf(i, "total"));
        b.recipient = addressOf(i, "recipient");
        b.expiresAt = uint40(numberOf(i, "expiresAt"));
        b.paymentsHash = wordOf(i, "paymentsHash");
        b.context = wordOf(i, "context");
    }
}
