// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Batch, ChangeKind, Order} from "../types/VaultTypes.sol";
import {PackedPayments} from "./PackedPayments.sol";

/// @title TypedData
/// @notice EIP-712 struct hashes of what signers approve: one readable struct for a batch and for each kind of change, and one
/// more of each for a vote made off chain, which names the signer and the signer epoch.
library TypedData {
    using PackedPayments for bytes;

    bytes32 private constant BATCH = keccak256(
        "Batch(uint64 firstNumber,uint16 count,uint8 tier,uint128 total,address recipient,uint40 expiresAt,bytes32 paymentsHash,bytes32 context)"
    );
    bytes32 private constant TIER =
        keccak256("Tier(uint128 maxKnown,uint128 maxUnknown,uint128 cap,uint8 approvals,uint32 delay)");
    bytes32 private constant SIGNERS =
        keccak256("SignersChange(address[] signers,uint8 threshold,uint64 nonce,uint40 expiresAt)");
    bytes32 private constant TIERS = keccak256(
        "TiersChange(Tier[] tiers,uint32 policyDelay,uint40 oldTermsChangedAt,uint64 nonce,uint40 expiresAt)Tier(uint128 maxKnown,uint128 maxUnknown,uint128 cap,uint8 approvals,uint32 delay)"
    );
    bytes32 private constant RECIPIENTS = keccak256(
        "RecipientsChange(address[] recipients,uint8 oldStanding,uint8 standing,uint64 nonce,uint40 expiresAt)"
    );
    bytes32 private constant ROLE =
        keccak256("RoleChange(address account,uint8 role,uint40 oldUntil,uint40 until,uint64 nonce,uint40 expiresAt)");
    bytes32 private constant GUARDIANS =
        keccak256("GuardiansChange(address[] guardians,uint40 until,uint64 nonce,uint40 expiresAt)");
    bytes32 private constant UNFREEZE = keccak256("UnfreezeChange(uint40 haltedUntil,uint64 nonce,uint40 expiresAt)");
    bytes32 private constant SUCCESSOR = keccak256("SuccessorChange(address successor,uint64 nonce,uint40 expiresAt)");
    bytes32 private constant SWEEP = keccak256("SweepChange(address token,uint64 nonce,uint40 expiresAt)");
    bytes32 private constant TIGHTEN = keccak256(
        "TightenChange(Tier[] tiers,uint64 nonce,uint40 expiresAt)Tier(uint128 maxKnown,uint128 maxUnknown,uint128 cap,uint8 approvals,uint32 delay)"
    );

    /// @notice Type of a signer's vote for a batch.
    bytes32 internal constant BATCH_APPROVAL = keccak256(
        "Approval(address signer,uint24 epoch,Batch batch)Batch(uint64 firstNumber,uint16 count,uint8 tier,uint128 total,address recipient,uint40 expiresAt,bytes32 paymentsHash,bytes32 context)"
    );
    bytes32 private constant SIGNERS_APPROVAL = keccak256(
        "SignersApproval(address signer,uint24 epoch,SignersChange change)SignersChange(address[] signers,uint8 threshold,uint64 nonce,uint40 expiresAt)"
    );
    bytes32 private constant TIERS_APPROVAL = keccak256(
        "TiersApproval(address signer,uint24 epoch,TiersChange change)Tier(uint128 maxKnown,uint128 maxUnknown,uint128 cap,uint8 approvals,uint32 delay)TiersChange(Tier[] tiers,uint32 policyDelay,uint40 oldTermsChangedAt,uint64 nonce,uint40 expiresAt)"
    );
    bytes32 private constant RECIPIENTS_APPROVAL = keccak256(
        "RecipientsApproval(address signer,uint24 epoch,RecipientsChange change)RecipientsChange(address[] recipients,uint8 oldStanding,uint8 standing,uint64 nonce,uint40 expiresAt)"
    );
    bytes32 private constant ROLE_APPROVAL = keccak256(
        "RoleApproval(address signer,uint24 epoch,RoleChange change)RoleChange(address account,uint8 role,uint40 oldUntil,uint40 until,uint64 nonce,uint40 expiresAt)"
    );
    bytes32 private constant GUARDIANS_APPROVAL = keccak256(
        "GuardiansApproval(address signer,uint24 epoch,GuardiansChange change)GuardiansChange(address[] guardians,uint40 until,uint64 nonce,uint40 expiresAt)"
    );
    bytes32 private constant UNFREEZE_APPROVAL = keccak256(
        "UnfreezeApproval(address signer,uint24 epoch,UnfreezeChange change)UnfreezeChange(uint40 haltedUntil,uint64 nonce,uint40 expiresAt)"
    );
    bytes32 private constant SUCCESSOR_APPROVAL = keccak256(
        "SuccessorApproval(address signer,uint24 epoch,SuccessorChange change)SuccessorChange(address successor,uint64 nonce,uint40 expiresAt)"
    );
    bytes32 private constant SWEEP_APPROVAL = keccak256(
        "SweepApproval(address signer,uint24 epoch,SweepChange change)SweepChange(address token,uint64 nonce,uint40 expiresAt)"
    );
    bytes32 private constant TIGHTEN_APPROVAL = keccak256(
        "TightenApproval(address signer,uint24 epoch,TightenChange change)Tier(uint128 maxKnown,uint128 maxUnknown,uint128 cap,uint8 approvals,uint32 delay)TightenChange(Tier[] tiers,uint64 nonce,uint40 expiresAt)"
    );

    /// @notice The encoding of a change is not the one encoding of its kind's struct. `expected` is its length. [bytes]
    error TypedDataLengthInvalid(ChangeKind kind, uint256 actual, uint256 expected);

    /// @dev How a kind's struct is encoded. Of the kinds with a list, it is the first field.
    /// @param fields Of the struct.
    /// @param width Words of an element of the list; 0 for no list.
    struct Shape {
        bytes32 typeHash;
        bytes32 approval;
        uint256 fields;
        uint256 width;
    }

    // ── Batches ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice Struct hash of a batch header.
    /// @dev The same as `keccak256(abi.encode(BATCH, batch))`, to which a test holds it, for a third of the gas. Bits
    /// beyond a field's type are hashed, not refused: such a header has an id that nothing can be proposed under.
    function hash(Batch calldata batch) internal pure returns (bytes32 digest) {
        bytes32 typeHash = BATCH;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typeHash)
            calldatacopy(add(free, 0x20), batch, 0x100)
            digest := keccak256(free, 0x120)
        }
    }

    /// @notice Struct hash of the header that follows from a payment order, its payments and their sum. [base units]
    /// @dev Plainly `keccak256(abi.encode(BATCH, firstNumber, count, tier, total, count == 1 ? recipient : 0, expiresAt,
    /// keccak256(payments), context))`, to which a test holds it. The caller has read `order.head`, for which the compiler refuses
    /// bits beyond its 14 bytes.
    function hash(Order calldata order, bytes calldata payments, uint256 total) internal pure returns (bytes32 digest) {
        bytes32 typeHash = BATCH;
        bytes32 paymentsHash = payments.hash();
        assembly ("memory-safe") {
            let free := mload(0x40)
            let count := div(payments.length, 48)
            let head := calldataload(add(order, 0x20))
            mstore(free, typeHash)
            mstore(add(free, 0x20), shr(192, head)) // firstNumber
            mstore(add(free, 0x40), count)
            mstore(add(free, 0x60), byte(13, head)) // tier
            mstore(add(free, 0x80), total)
            mstore(add(free, 0xa0), mul(eq(count, 1), shr(96, calldataload(payments.offset))))
            mstore(add(free, 0xc0), and(shr(152, head), 0xffffffffff)) // expiresAt
            mstore(add(free, 0xe0), paymentsHash)
            mstore(add(free, 0x100), calldataload(order)) // context
            digest := keccak256(free, 0x120)
        }
    }

    /// @notice Struct hash of a signer's vote.
    /// @param approval Type of the vote.
    /// @param epoch Signer epoch that the vote belongs to.
    /// @param content Struct hash of what it is for.
    function hashVote(bytes32 approval, address signer, uint256 epoch, bytes32 content)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(approval, signer, epoch, content));
    }

    // ── Changes ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice Struct hash of a change and when it expires.
    /// @dev Whether values are in range is checked when the change is decoded. Here the encoding must be the canonical one,
    /// so that a struct has one id: the struct's words, behind their offset and before the list if there is one.
    /// @param change ABI encoding of the kind's struct.
    function hash(ChangeKind kind, bytes calldata change) internal pure returns (bytes32, uint256 expiresAt) {
        Shape memory s = _shape(kind);
        uint256 head = 32 * s.fields;
        if (s.width == 0) {
            _requireLength(kind, change, head);
            return (keccak256(bytes.concat(s.typeHash, change)), _word(change, head - 32));
        }
        uint256 start = head + 64; // of the list's elements: behind the struct's offset, its words and the list's length
        if (change.length < start) revert TypedDataLengthInvalid(kind, change.length, start);
        uint256 count = _word(change, start - 32);
        bool canonical = _word(change, 0) == 32 && _word(change, 32) == head && count <= type(uint16).max;
        _requireLength(kind, change, canonical ? start + 32 * s.width * count : 0);
        bytes memory fields = bytes.concat(s.typeHash, _hashList(change[start:], s.width), change[64:start - 32]);
        return (keccak256(fields), _word(change, head));
    }

    /// @notice Type of a signer's vote for a change.
    function approvalOf(ChangeKind kind) internal pure returns (bytes32) {
        return _shape(kind).approval;
    }

    /// @dev Addresses stand for themselves; tiers are hashed one by one.
    function _hashList(bytes calldata elements, uint256 width) private pure returns (bytes32) {
        if (width == 1) return keccak256(elements);
        bytes32[] memory hashes = new bytes32[](elements.length / (32 * width));
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = keccak256(bytes.concat(TIER, elements[32 * width * i:32 * width * (i + 1)]));
        }
        return keccak256(abi.encodePacked(hashes));
    }

    function _shape(ChangeKind kind) private pure returns (Shape memory) {
        if (kind == ChangeKind.Signers) return Shape(SIGNERS, SIGNERS_APPROVAL, 4, 1);
        if (kind == ChangeKind.Tiers) return Shape(TIERS, TIERS_APPROVAL, 5, 5);
        if (kind == ChangeKind.Recipients) return Shape(RECIPIENTS, RECIPIENTS_APPROVAL, 5, 1);
        if (kind == ChangeKind.Role) return Shape(ROLE, ROLE_APPROVAL, 6, 0);
        if (kind == ChangeKind.Guardians) return Shape(GUARDIANS, GUARDIANS_APPROVAL, 4, 1);
        if (kind == ChangeKind.Unfreeze) return Shape(UNFREEZE, UNFREEZE_APPROVAL, 3, 0);
        if (kind == ChangeKind.Successor) return Shape(SUCCESSOR, SUCCESSOR_APPROVAL, 3, 0);
        if (kind == ChangeKind.Sweep) return Shape(SWEEP, SWEEP_APPROVAL, 3, 0);
        return Shape(TIGHTEN, TIGHTEN_APPROVAL, 3, 5);
    }

    function _word(bytes calldata data, uint256 start) private pure returns (uint256) {
        return uint256(bytes32(data[start:start + 32]));
    }

    function _requireLength(ChangeKind kind, bytes calldata change, uint256 length) private pure {
        if (change.length != length) revert TypedDataLengthInvalid(kind, change.length, length);
    }
}
