// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    Batch,
    ChangeKind,
    GuardiansChange,
    RecipientsChange,
    RoleChange,
    SignersChange,
    SuccessorChange,
    SweepChange,
    Tier,
    TiersChange,
    TightenChange,
    UnfreezeChange
} from "../../src/types/VaultTypes.sol";

/// @notice EIP-712 of what signers sign, spelt out field by field with `abi.encode`: a plain twin of `TypedData`.
library Eip712 {
    string private constant BATCH =
        "Batch(uint64 firstNumber,uint16 count,uint8 tier,uint128 total,address recipient,uint40 expiresAt,bytes32 paymentsHash,bytes32 context)";
    string private constant TIER = "Tier(uint128 maxKnown,uint128 maxUnknown,uint128 cap,uint8 approvals,uint32 delay)";
    string private constant TIERS =
        "TiersChange(Tier[] tiers,uint32 policyDelay,uint40 oldTermsChangedAt,uint64 nonce,uint40 expiresAt)";
    string private constant TIGHTEN = "TightenChange(Tier[] tiers,uint64 nonce,uint40 expiresAt)";

    // ── Digests ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice What a signer signs to vote for a batch.
    function vote(address vault, address signer, uint24 epoch, Batch memory batch) internal view returns (bytes32) {
        bytes32 approval = keccak256(bytes(string.concat("Approval(address signer,uint24 epoch,Batch batch)", BATCH)));
        return digest(vault, block.chainid, keccak256(abi.encode(approval, signer, epoch, hash(batch))));
    }

    /// @notice What a signer signs to vote for a change.
    function vote(address vault, address signer, uint24 epoch, ChangeKind kind, bytes memory change)
        internal
        view
        returns (bytes32)
    {
        bytes32 content = keccak256(abi.encode(approvalType(kind), signer, epoch, hash(kind, change)));
        return digest(vault, block.chainid, content);
    }

    /// @notice Digest of a struct hash for a vault on a chain.
    function digest(address vault, uint256 chainId, bytes32 structHash) internal pure returns (bytes32) {
        bytes32 domainType =
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        bytes32 domain = keccak256(abi.encode(domainType, keccak256("Tidelock Vault"), keccak256("1"), chainId, vault));
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    // ── Types ────────────────────────────────────────────────────────────────────────────────────────────────────

    function approvalType(ChangeKind kind) internal pure returns (bytes32) {
        string memory name = structName(kind);
        string memory head = string.concat(approvalName(kind), "(address signer,uint24 epoch,", name, " change)");
        // Types that are referred to follow in the order of their names.
        if (kind == ChangeKind.Tiers) return keccak256(bytes(string.concat(head, TIER, TIERS)));
        if (kind == ChangeKind.Tighten) return keccak256(bytes(string.concat(head, TIER, TIGHTEN)));
        return keccak256(bytes(string.concat(head, encodeType(kind))));
    }

    function approvalName(ChangeKind kind) internal pure returns (string memory) {
        string[9] memory names = [
            "SignersApproval",
            "TiersApproval",
            "RecipientsApproval",
            "RoleApproval",
            "GuardiansApproval",
            "UnfreezeApproval",
            "SuccessorApproval",
            "SweepApproval",
            "TightenApproval"
        ];
        return names[uint8(kind)];
    }

    function structName(ChangeKind kind) internal pure returns (string memory) {
        string[9] memory names = [
            "SignersChange",
            "TiersChange",
            "RecipientsChange",
            "RoleChange",
            "GuardiansChange",
            "UnfreezeChange",
            "SuccessorChange",
            "SweepChange",
            "TightenChange"
        ];
        return names[uint8(kind)];
    }

    function encodeType(ChangeKind kind) internal pure returns (string memory) {
        string[9] memory types = [
            "SignersChange(address[] signers,uint8 threshold,uint64 nonce,uint40 expiresAt)",
            string.concat(TIERS, TIER),
            "RecipientsChange(address[] recipients,uint8 oldStanding,uint8 standing,uint64 nonce,uint40 expiresAt)",
            "RoleChange(address account,uint8 role,uint40 oldUntil,uint40 until,uint64 nonce,uint40 expiresAt)",
            "GuardiansChange(address[] guardians,uint40 until,uint64 nonce,uint40 expiresAt)",
            "UnfreezeChange(uint40 haltedUntil,uint64 nonce,uint40 expiresAt)",
            "SuccessorChange(address successor,uint64 nonce,uint40 expiresAt)",
            "SweepChange(address token,uint64 nonce,uint40 expiresAt)",
            string.concat(TIGHTEN, TIER)
        ];
        return types[uint8(kind)];
    }

    // ── Struct hashes ────────────────────────────────────────────────────────────────────────────────────────────

    function hash(Batch memory batch) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(bytes(BATCH)), batch));
    }

    /// @param change ABI encoding of the kind's struct.
    function hash(ChangeKind kind, bytes memory change) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256(bytes(encodeType(kind)));
        if (kind == ChangeKind.Signers) {
            SignersChange memory c = abi.decode(change, (SignersChange));
            return keccak256(abi.encode(typeHash, hash(c.signers), c.threshold, c.nonce, c.expiresAt));
        }
        if (kind == ChangeKind.Tiers) {
            TiersChange memory c = abi.decode(change, (TiersChange));
            bytes32 tiers = hash(c.tiers);
            return keccak256(abi.encode(typeHash, tiers, c.policyDelay, c.oldTermsChangedAt, c.nonce, c.expiresAt));
        }
        if (kind == ChangeKind.Recipients) {
            RecipientsChange memory c = abi.decode(change, (RecipientsChange));
            return keccak256(abi.encode(typeHash, hash(c.recipients), c.oldStanding, c.standing, c.nonce, c.expiresAt));
        }
        if (kind == ChangeKind.Role) {
            RoleChange memory c = abi.decode(change, (RoleChange));
            return keccak256(abi.encode(typeHash, c.account, c.role, c.oldUntil, c.until, c.nonce, c.expiresAt));
        }
        if (kind == ChangeKind.Guardians) {
            GuardiansChange memory c = abi.decode(change, (GuardiansChange));
            return keccak256(abi.encode(typeHash, hash(c.guardians), c.until, c.nonce, c.expiresAt));
        }
        if (kind == ChangeKind.Unfreeze) {
            UnfreezeChange memory c = abi.decode(change, (UnfreezeChange));
            return keccak256(abi.encode(typeHash, c.haltedUntil, c.nonce, c.expiresAt));
        }
        if (kind == ChangeKind.Successor) {
            SuccessorChange memory c = abi.decode(change, (SuccessorChange));
            return keccak256(abi.encode(typeHash, c.successor, c.nonce, c.expiresAt));
        }
        if (kind == ChangeKind.Sweep) {
            SweepChange memory c = abi.decode(change, (SweepChange));
            return keccak256(abi.encode(typeHash, c.token, c.nonce, c.expiresAt));
        }
        TightenChange memory t = abi.decode(change, (TightenChange));
        return keccak256(abi.encode(typeHash, hash(t.tiers), t.nonce, t.expiresAt));
    }

    /// @notice Of a list of addresses: each stands for itself.
    function hash(address[] memory list) internal pure returns (bytes32) {
        bytes memory words;
        for (uint256 i = 0; i < list.length; ++i) {
            words = bytes.concat(words, bytes32(uint256(uint160(list[i]))));
        }
        return keccak256(words);
    }

    /// @notice Of a list of tiers: each is a struct of its own.
    function hash(Tier[] memory rows) internal pure returns (bytes32) {
        bytes memory hashes;
        for (uint256 i = 0; i < rows.length; ++i) {
            Tier memory t = rows[i];
            bytes memory row = abi.encode(keccak256(bytes(TIER)), t.maxKnown, t.maxUnknown, t.cap, t.approvals, t.delay);
            hashes = bytes.concat(hashes, keccak256(row));
        }
        return keccak256(hashes);
    }
}
