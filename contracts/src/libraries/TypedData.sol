// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    Batch,
    ChangeKind,
    GuardiansChange,
    RecipientsChange,
    SignersChange,
    Tier,
    TiersChange
} from "../types/VaultTypes.sol";

/// @title TypedData
/// @notice EIP-712 struct hashes of what signers approve: one readable struct for a batch and for each kind of change.
library TypedData {
    bytes32 private constant BATCH = keccak256(
        "Batch(uint64 firstNumber,uint16 count,uint8 tier,uint128 total,address recipient,uint40 expiresAt,bytes32 paymentsHash,bytes32 context)"
    );
    bytes32 private constant TIER =
        keccak256("Tier(uint128 maxKnown,uint128 maxUnknown,uint128 cap,uint8 approvals,uint32 delay)");
    bytes32 private constant SIGNERS =
        keccak256("SignersChange(address[] signers,uint8 threshold,uint64 nonce,uint40 expiresAt)");
    bytes32 private constant TIERS = keccak256(
        "TiersChange(Tier[] tiers,uint32 policyDelay,uint64 nonce,uint40 expiresAt)Tier(uint128 maxKnown,uint128 maxUnknown,uint128 cap,uint8 approvals,uint32 delay)"
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

    /// @notice The encoding of a change is not as long as its kind's struct. [bytes]
    error TypedDataLengthInvalid(ChangeKind kind, uint256 actual, uint256 expected);

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

    /// @notice Struct hash of a change and when it expires.
    /// @param change ABI encoding of the kind's struct.
    function hash(ChangeKind kind, bytes calldata change) internal pure returns (bytes32, uint256 expiresAt) {
        if (kind == ChangeKind.Signers) {
            SignersChange memory c = abi.decode(change, (SignersChange));
            return (keccak256(abi.encode(SIGNERS, _hash(c.signers), c.threshold, c.nonce, c.expiresAt)), c.expiresAt);
        }
        if (kind == ChangeKind.Tiers) {
            TiersChange memory c = abi.decode(change, (TiersChange));
            return (keccak256(abi.encode(TIERS, _hash(c.tiers), c.policyDelay, c.nonce, c.expiresAt)), c.expiresAt);
        }
        if (kind == ChangeKind.Recipients) {
            RecipientsChange memory c = abi.decode(change, (RecipientsChange));
            bytes memory encoded =
                abi.encode(RECIPIENTS, _hash(c.recipients), c.oldStanding, c.standing, c.nonce, c.expiresAt);
            return (keccak256(encoded), c.expiresAt);
        }
        if (kind == ChangeKind.Guardians) {
            GuardiansChange memory c = abi.decode(change, (GuardiansChange));
            return (keccak256(abi.encode(GUARDIANS, _hash(c.guardians), c.until, c.nonce, c.expiresAt)), c.expiresAt);
        }
        // The other structs have only static fields: their ABI encoding is their EIP-712 encoding, `expiresAt` last.
        // Whether the fields are in range is checked when the change is decoded to take effect.
        (bytes32 typeHash, uint256 fields) = kind == ChangeKind.Role
            ? (ROLE, 6)
            : (kind == ChangeKind.Unfreeze ? UNFREEZE : kind == ChangeKind.Successor ? SUCCESSOR : SWEEP, 3);
        uint256 length = 32 * fields;
        if (change.length != length) revert TypedDataLengthInvalid(kind, change.length, length);
        expiresAt = uint256(bytes32(change[length - 32:]));
        return (keccak256(bytes.concat(typeHash, change)), expiresAt);
    }

    function _hash(address[] memory list) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(list)); // packed arrays pad each element to 32 bytes, as EIP-712 wants
    }

    function _hash(Tier[] memory tiers) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](tiers.length);
        for (uint256 i = 0; i < tiers.length; ++i) {
            hashes[i] = keccak256(abi.encode(TIER, tiers[i]));
        }
        return keccak256(abi.encodePacked(hashes));
    }
}
