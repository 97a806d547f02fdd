// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {TypedData} from "../../src/libraries/TypedData.sol";
import {
    Batch,
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
    UnfreezeChange
} from "../../src/types/VaultTypes.sol";
import {PolicyTest} from "../PolicyTest.sol";
import {Eip712} from "./Eip712.sol";

/// @notice Struct hashes against EIP-712 spelt out field by field.
contract TypedDataTest is PolicyTest {
    bytes32 private constant TIER =
        keccak256("Tier(uint128 maxKnown,uint128 maxUnknown,uint128 cap,uint8 approvals,uint32 delay)");

    // ── The library behind external calls, so that its arguments are calldata ────────────────────────────────────

    function hash(Batch calldata batch) external pure returns (bytes32) {
        return TypedData.hash(batch);
    }

    function hash(ChangeKind kind, bytes calldata change) external pure returns (bytes32, uint256) {
        return TypedData.hash(kind, change);
    }

    // ── Batches ──────────────────────────────────────────────────────────────────────────────────────────────────

    function testFuzz_hash_ofBatch(Batch memory batch) external view {
        bytes32 typeHash = keccak256(
            "Batch(uint64 firstNumber,uint16 count,uint8 tier,uint128 total,address recipient,uint40 expiresAt,bytes32 paymentsHash,bytes32 context)"
        );
        assertEq(this.hash(batch), keccak256(abi.encode(typeHash, batch)));
    }

    /// @dev Also as the vault's own id of it.
    function testFuzz_hash_ofBatchAndItsId(Batch memory batch) external view {
        bytes32 twin = Eip712.hash(batch);
        assertEq(this.hash(batch), twin);
        assertEq(vault.hashBatch(batch), Eip712.digest(address(vault), block.chainid, twin));
    }

    /// @dev Bits beyond a field's type are hashed: such a header is another batch, which nobody can propose.
    function test_hashBatch_bitsBeyondTheTypeMakeABatchOfNobody() external {
        bytes memory words = abi.encode(header(1, 1, payment(payee, USDT, 1)));
        uint256 narrow = 6; // fields, the first ones, that leave bits of their words unused
        for (uint256 i = 0; i < narrow; ++i) {
            words[32 * i] = 0x01;
            (, bytes memory answer) = call(alice, bytes.concat(IVault.hashBatch.selector, words));
            bytes32 wideId = abi.decode(answer, (bytes32));
            assertNotEq(wideId, vault.hashBatch(header(1, 1, payment(payee, USDT, 1))));
            bool succeeded;
            (succeeded, answer) = call(alice, bytes.concat(IVault.approve.selector, words));
            assertFalse(succeeded);
            assertEq(answer, stateInvalid(wideId, State.None));
            words[32 * i] = 0x00;
        }
    }

    // ── Votes ────────────────────────────────────────────────────────────────────────────────────────────────────

    function testFuzz_hashVote(address signer, uint24 epoch, bytes32 content) external pure {
        bytes32 batchApproval = keccak256(
            "Approval(address signer,uint24 epoch,Batch batch)Batch(uint64 firstNumber,uint16 count,uint8 tier,uint128 total,address recipient,uint40 expiresAt,bytes32 paymentsHash,bytes32 context)"
        );
        assertEq(TypedData.BATCH_APPROVAL, batchApproval);
        assertEq(
            TypedData.hashVote(batchApproval, signer, epoch, content),
            keccak256(abi.encode(batchApproval, signer, epoch, content))
        );
    }

    /// @dev Types of votes are put together here from the types of changes, and written out there.
    function test_approvalOf_everyKind() external pure {
        for (uint8 k = 0; k <= uint8(type(ChangeKind).max); ++k) {
            assertEq(TypedData.approvalOf(ChangeKind(k)), Eip712.approvalType(ChangeKind(k)));
        }
    }

    /// @dev The id of every kind of change, by the twin.
    function test_hashChange_everyKind() external {
        for (uint8 k = 0; k <= uint8(type(ChangeKind).max); ++k) {
            bytes memory change = sampleChange(ChangeKind(k));
            bytes32 twin = Eip712.digest(address(vault), block.chainid, Eip712.hash(ChangeKind(k), change));
            assertEq(vault.hashChange(ChangeKind(k), change), twin);
        }
    }

    // ── Changes ──────────────────────────────────────────────────────────────────────────────────────────────────

    function testFuzz_hash_ofSigners(SignersChange memory c) external view {
        bytes32 typeHash = keccak256("SignersChange(address[] signers,uint8 threshold,uint64 nonce,uint40 expiresAt)");
        bytes memory fields = abi.encode(typeHash, hashOf(c.signers), c.threshold, c.nonce, c.expiresAt);
        assertChange(ChangeKind.Signers, abi.encode(c), fields, c.expiresAt);
    }

    function testFuzz_hash_ofTiers(TiersChange memory c) external view {
        bytes32 typeHash = keccak256(
            "TiersChange(Tier[] tiers,uint32 policyDelay,uint40 oldTermsChangedAt,uint64 nonce,uint40 expiresAt)Tier(uint128 maxKnown,uint128 maxUnknown,uint128 cap,uint8 approvals,uint32 delay)"
        );
        bytes32 tiers = hashOf(c.tiers);
        bytes memory fields = abi.encode(typeHash, tiers, c.policyDelay, c.oldTermsChangedAt, c.nonce, c.expiresAt);
        assertChange(ChangeKind.Tiers, abi.encode(c), fields, c.expiresAt);
    }

    function testFuzz_hash_ofTighten(TightenChange memory c) external view {
        bytes32 typeHash = keccak256(
            "TightenChange(Tier[] tiers,uint64 nonce,uint40 expiresAt)Tier(uint128 maxKnown,uint128 maxUnknown,uint128 cap,uint8 approvals,uint32 delay)"
        );
        bytes memory fields = abi.encode(typeHash, hashOf(c.tiers), c.nonce, c.expiresAt);
        assertChange(ChangeKind.Tighten, abi.encode(c), fields, c.expiresAt);
    }

    function testFuzz_hash_ofRecipients(address[] memory list, uint8 from, uint8 to, uint64 nonce_, uint40 expiresAt)
        external
        view
    {
        (from, to) = (from % 3, to % 3);
        bytes32 typeHash = keccak256(
            "RecipientsChange(address[] recipients,uint8 oldStanding,uint8 standing,uint64 nonce,uint40 expiresAt)"
        );
        RecipientsChange memory c = RecipientsChange(list, Standing(from), Standing(to), nonce_, expiresAt);
        bytes memory fields = abi.encode(typeHash, hashOf(list), from, to, nonce_, expiresAt);
        assertChange(ChangeKind.Recipients, abi.encode(c), fields, expiresAt);
    }

    function testFuzz_hash_ofRole(address account, uint8 role, uint40 from, uint40 to, uint64 nonce_, uint40 expiresAt)
        external
        view
    {
        bytes32 typeHash = keccak256(
            "RoleChange(address account,uint8 role,uint40 oldUntil,uint40 until,uint64 nonce,uint40 expiresAt)"
        );
        RoleChange memory c = RoleChange(account, Role(role % 3), from, to, nonce_, expiresAt);
        bytes memory fields = abi.encode(typeHash, account, role % 3, from, to, nonce_, expiresAt);
        assertChange(ChangeKind.Role, abi.encode(c), fields, expiresAt);
    }

    function testFuzz_hash_ofGuardians(GuardiansChange memory c) external view {
        bytes32 typeHash = keccak256("GuardiansChange(address[] guardians,uint40 until,uint64 nonce,uint40 expiresAt)");
        bytes memory fields = abi.encode(typeHash, hashOf(c.guardians), c.until, c.nonce, c.expiresAt);
        assertChange(ChangeKind.Guardians, abi.encode(c), fields, c.expiresAt);
    }

    function testFuzz_hash_ofUnfreeze(UnfreezeChange memory c) external view {
        bytes32 typeHash = keccak256("UnfreezeChange(uint40 haltedUntil,uint64 nonce,uint40 expiresAt)");
        bytes memory fields = abi.encode(typeHash, c.haltedUntil, c.nonce, c.expiresAt);
        assertChange(ChangeKind.Unfreeze, abi.encode(c), fields, c.expiresAt);
    }

    function testFuzz_hash_ofSuccessor(SuccessorChange memory c) external view {
        bytes32 typeHash = keccak256("SuccessorChange(address successor,uint64 nonce,uint40 expiresAt)");
        bytes memory fields = abi.encode(typeHash, c.successor, c.nonce, c.expiresAt);
        assertChange(ChangeKind.Successor, abi.encode(c), fields, c.expiresAt);
    }

    function testFuzz_hash_ofSweep(SweepChange memory c) external view {
        bytes32 typeHash = keccak256("SweepChange(address token,uint64 nonce,uint40 expiresAt)");
        bytes memory fields = abi.encode(typeHash, c.token, c.nonce, c.expiresAt);
        assertChange(ChangeKind.Sweep, abi.encode(c), fields, c.expiresAt);
    }

    // ── Encodings ────────────────────────────────────────────────────────────────────────────────────────────────

    function test_hash_RevertWhen_LengthIsNotTheStructs() external {
        ChangeKind[4] memory kinds = [ChangeKind.Role, ChangeKind.Unfreeze, ChangeKind.Successor, ChangeKind.Sweep];
        for (uint256 i = 0; i < kinds.length; ++i) {
            uint256 expected = kinds[i] == ChangeKind.Role ? 192 : 96;
            uint256[6] memory lengths = [0, expected - 32, expected - 1, expected + 1, expected + 32, 288 - expected];
            for (uint256 k = 0; k < lengths.length; ++k) {
                vm.expectRevert(
                    abi.encodeWithSelector(TypedData.TypedDataLengthInvalid.selector, kinds[i], lengths[k], expected)
                );
                this.hash(kinds[i], new bytes(lengths[k]));
            }
            (, uint256 expiresAt) = this.hash(kinds[i], new bytes(expected));
            assertEq(expiresAt, 0);
        }
    }

    function test_hash_RevertWhen_LengthIsNotTheLists() external {
        ChangeKind[5] memory kinds =
            [ChangeKind.Signers, ChangeKind.Tiers, ChangeKind.Recipients, ChangeKind.Guardians, ChangeKind.Tighten];
        for (uint256 i = 0; i < kinds.length; ++i) {
            bytes memory change = sampleChange(kinds[i]);
            (, uint256 expiresAt) = this.hash(kinds[i], change);
            assertEq(expiresAt, START + 20 days);
            lengthInvalid(kinds[i], bytes.concat(change, hex"00"), change.length);
            lengthInvalid(kinds[i], bytes.concat(change, bytes32(0)), change.length);
            lengthInvalid(kinds[i], cut(change, 1), change.length);
            lengthInvalid(kinds[i], cut(change, 32), change.length);
            uint256 least = countAt(kinds[i]) + 32;
            lengthInvalid(kinds[i], cut(change, change.length - least + 1), least);
            lengthInvalid(kinds[i], "", least);
        }
    }

    /// @dev One struct has one encoding, and so one id: no other offset, no gap, no count that wraps.
    function test_hash_RevertWhen_EncodingIsNotTheCanonical() external {
        ChangeKind[5] memory kinds =
            [ChangeKind.Signers, ChangeKind.Tiers, ChangeKind.Recipients, ChangeKind.Guardians, ChangeKind.Tighten];
        for (uint256 i = 0; i < kinds.length; ++i) {
            bytes memory change = sampleChange(kinds[i]);
            uint256 count = countAt(kinds[i]);
            lengthInvalid(kinds[i], withWord(change, 0, 64), 0);
            lengthInvalid(kinds[i], withWord(change, 0, 0), 0);
            lengthInvalid(kinds[i], withWord(change, 32, count), 0);
            lengthInvalid(kinds[i], withWord(change, 32, count - 64), 0);
            lengthInvalid(kinds[i], withWord(change, count, 65_536), 0);
            lengthInvalid(kinds[i], withWord(change, count, type(uint256).max), 0);
            uint256 width = kinds[i] == ChangeKind.Tiers || kinds[i] == ChangeKind.Tighten ? 160 : 32;
            lengthInvalid(kinds[i], withWord(change, count, 65_535), count + 32 + 65_535 * width);
            lengthInvalid(kinds[i], withWord(change, count, 0), count + 32);
        }
    }

    /// @dev Another encoding of what is proposed is nothing that anybody can do anything with.
    function test_proposeChange_RevertWhen_EncodingIsNotTheCanonical() external {
        bytes memory change = signersChange(addresses(alice, bob, stranger), 2);
        bytes memory padded = bytes.concat(change, bytes32("padding"));
        bytes memory reason = lengthError(ChangeKind.Signers, 320, 288);
        proposalReverts(ChangeKind.Signers, padded, reason);
        approvedChange(ChangeKind.Signers, change);
        skip(2 days);
        bytes memory args = abi.encode(ChangeKind.Signers, padded);
        bytes4[3] memory verbs =
            [IVault.approveChange.selector, IVault.executeChange.selector, IVault.hashChange.selector];
        for (uint256 i = 0; i < 3; ++i) {
            (bool succeeded, bytes memory answer) = call(carol, bytes.concat(verbs[i], args));
            assertFalse(succeeded);
            assertEq(answer, reason);
        }
        executeChange(ChangeKind.Signers, change);
    }

    // ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev Where the length of a kind's list stands: behind the struct's offset and its words.
    function countAt(ChangeKind kind) private pure returns (uint256) {
        if (kind == ChangeKind.Tighten) return 4 * 32;
        return kind == ChangeKind.Tiers || kind == ChangeKind.Recipients ? 6 * 32 : 5 * 32;
    }

    function lengthInvalid(ChangeKind kind, bytes memory change, uint256 expected) private {
        vm.expectRevert(lengthError(kind, change.length, expected));
        this.hash(kind, change);
    }

    function lengthError(ChangeKind kind, uint256 actual, uint256 expected) private pure returns (bytes memory) {
        return abi.encodeWithSelector(TypedData.TypedDataLengthInvalid.selector, kind, actual, expected);
    }

    function cut(bytes memory data, uint256 length) private pure returns (bytes memory shorter) {
        shorter = bytes.concat(data);
        assembly ("memory-safe") {
            mstore(shorter, sub(mload(shorter), length))
        }
    }

    function withWord(bytes memory data, uint256 start, uint256 value) private pure returns (bytes memory other) {
        other = bytes.concat(data);
        assembly ("memory-safe") {
            mstore(add(add(other, 0x20), start), value)
        }
    }

    function call(address caller, bytes memory data) private returns (bool succeeded, bytes memory answer) {
        vm.prank(caller);
        (succeeded, answer) = address(vault).call(data);
    }

    function hashOf(address[] memory list) private pure returns (bytes32) {
        bytes memory words;
        for (uint256 i = 0; i < list.length; ++i) {
            words = bytes.concat(words, bytes32(uint256(uint160(list[i]))));
        }
        return keccak256(words);
    }

    function hashOf(Tier[] memory rows) private pure returns (bytes32) {
        bytes memory hashes;
        for (uint256 i = 0; i < rows.length; ++i) {
            Tier memory t = rows[i];
            bytes memory row = abi.encode(TIER, t.maxKnown, t.maxUnknown, t.cap, t.approvals, t.delay);
            hashes = bytes.concat(hashes, keccak256(row));
        }
        return keccak256(hashes);
    }

    function assertChange(ChangeKind kind, bytes memory change, bytes memory fields, uint256 expiresAt) private view {
        (bytes32 digest, uint256 actual) = this.hash(kind, change);
        assertEq(digest, keccak256(fields), "struct hash");
        assertEq(actual, expiresAt, "expiresAt");
    }
}
