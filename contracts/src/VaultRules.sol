// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "./interfaces/IVault.sol";
import {Policy} from "./libraries/Policy.sol";
import {TypedData} from "./libraries/TypedData.sol";
import {PackedTier, PackedTierFields} from "./types/PackedTier.sol";
import {
    ChangeKind,
    Configuration,
    GuardiansChange,
    RecipientsChange,
    Role,
    RoleChange,
    SignersChange,
    SuccessorChange,
    SweepChange,
    Tier,
    TiersChange,
    TightenChange,
    UnfreezeChange
} from "./types/VaultTypes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title VaultRules
/// @notice What a vault asks about its policy: whether a configuration or a change may be, what id a change has, and what tiers
/// it comes to. Each vault creates its own; it holds nothing, can do nothing, and is kept apart so that the vault stays
/// below the limit on code. Every function reverts with the first rule that is broken.
contract VaultRules {
    // ── At creation ──────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice Reverts unless a vault may be created so. To be called by that vault.
    /// @return rows Its tiers.
    function checkConfiguration(Configuration calldata c) external view returns (PackedTier[] memory rows) {
        Policy.checkBounds(c.unit, c.hardCeiling, c.policyDelayFloor);
        Policy.checkSigners(c.signers.length, c.threshold);
        Policy.checkTiers(c.tiers, c.policyDelay, c.unit, c.hardCeiling, c.policyDelayFloor);
        Policy.checkQuorum(c.tiers, c.signers.length, c.threshold);
        Policy.inRange(Policy.Field.GuardianCount, 0, c.guardians.length, 1, Policy.MAX_GUARDIANS);
        _checkUntil(0, c.guardiansUntil, block.timestamp, block.timestamp);
        _checkList(c.token, c.signers);
        _checkList(c.token, c.guardians);
        for (uint256 i = 0; i < c.grants.length; ++i) {
            _checkRole(c.token, c.grants[i].account, c.grants[i].role);
            _checkUntil(i, c.grants[i].until, block.timestamp, block.timestamp);
        }
        for (uint256 i = 0; i < c.known.length; ++i) {
            _checkAddress(c.token, c.known[i]);
        }
        if (c.successor != address(0)) _checkAddress(c.token, c.successor);
        rows = new PackedTier[](c.tiers.length);
        for (uint256 k = 0; k < rows.length; ++k) {
            rows[k] = _pack(c.tiers[k], c.unit, 0);
        }
    }

    // ── As a change is proposed ──────────────────────────────────────────────────────────────────────────────────

    /// @notice EIP-712 struct hash of a change, the type of a signed vote for it, and its first dead second.
    function identify(ChangeKind kind, bytes calldata change)
        external
        pure
        returns (bytes32 structHash, bytes32 approval, uint256 expiresAt)
    {
        (structHash, expiresAt) = TypedData.hash(kind, change);
        approval = TypedData.approvalOf(kind);
    }

    /// @notice Reverts if a change can never take effect in the vault that calls.
    /// @return tightens Whether it only tightens.
    function checkChange(ChangeKind kind, bytes calldata change) external view returns (bool tightens) {
        IVault vault = IVault(msg.sender);
        address token = vault.token();
        uint256 earliest = block.timestamp + vault.policyDelay();
        if (kind == ChangeKind.Signers) {
            SignersChange memory c = abi.decode(change, (SignersChange));
            Policy.checkSigners(c.signers.length, c.threshold);
            _checkList(token, c.signers);
        } else if (kind == ChangeKind.Tiers) {
            TiersChange memory c = abi.decode(change, (TiersChange));
            Policy.checkTiers(c.tiers, c.policyDelay, vault.unit(), vault.hardCeiling(), vault.policyDelayFloor());
            _requireFresh(vault, c);
        } else if (kind == ChangeKind.Tighten) {
            TightenChange memory c = abi.decode(change, (TightenChange));
            Policy.checkTiers(c.tiers, vault.policyDelay(), vault.unit(), vault.hardCeiling(), vault.policyDelayFloor());
            _tightened(vault, c);
            return true;
        } else if (kind == ChangeKind.Recipients) {
            RecipientsChange memory c = abi.decode(change, (RecipientsChange));
            Policy.inRange(Policy.Field.RecipientCount, 0, c.recipients.length, 1, Policy.MAX_RECIPIENTS);
            _checkList(token, c.recipients);
            return Policy.isStricter(c.standing, c.oldStanding);
        } else if (kind == ChangeKind.Role) {
            RoleChange memory c = abi.decode(change, (RoleChange));
            _checkRole(token, c.account, c.role);
            if (c.until < c.oldUntil) return true;
            _checkUntil(0, c.until, earliest, c.expiresAt);
        } else if (kind == ChangeKind.Guardians) {
            GuardiansChange memory c = abi.decode(change, (GuardiansChange));
            Policy.inRange(Policy.Field.GuardianCount, 0, c.guardians.length, 1, Policy.MAX_GUARDIANS);
            _checkList(token, c.guardians);
            _checkUntil(0, c.until, earliest, c.expiresAt);
        } else if (kind == ChangeKind.Unfreeze) {
            UnfreezeChange memory c = abi.decode(change, (UnfreezeChange));
            uint256 actual = vault.hot().haltedUntil();
            if (c.haltedUntil != actual || earliest >= actual) revert IVault.VaultUnfreezeStale(c.haltedUntil, actual);
        } else if (kind == ChangeKind.Successor) {
            SuccessorChange memory c = abi.decode(change, (SuccessorChange));
            if (c.successor != address(0)) _checkAddress(token, c.successor);
        } else {
            SweepChange memory c = abi.decode(change, (SweepChange));
            if (c.token == token) revert IVault.VaultSweepOfToken(c.token);
        }
    }

    // ── As it takes effect ───────────────────────────────────────────────────────────────────────────────────────

    /// @notice Reverts unless so many signers can give the approvals that each tier of the vault that calls asks for, and its top
    /// tier asks for no fewer than the threshold.
    function checkQuorum(uint256 signerCount, uint256 threshold) external view {
        Policy.checkQuorum(_tiersOf(IVault(msg.sender)), signerCount, threshold);
    }

    /// @notice Tiers and policy delay [seconds] of the vault that calls after a change of tiers. While charges settle, each cap is
    /// held to the one before. Reverts if the tiers are no longer those that the change starts from, or the signers cannot
    /// give the approvals.
    function tiersAfter(bytes calldata change) external view returns (PackedTier[] memory rows, uint32 policyDelay) {
        IVault vault = IVault(msg.sender);
        TiersChange memory c = abi.decode(change, (TiersChange));
        _requireFresh(vault, c);
        (policyDelay, rows) = (c.policyDelay, new PackedTier[](c.tiers.length));
        uint256 unit = vault.unit();
        for (uint256 k = 0; k < rows.length; ++k) {
            rows[k] = _pack(c.tiers[k], unit, vault.packedTier(k).cap());
        }
        Policy.checkQuorum(c.tiers, vault.signers().length, vault.threshold());
    }

    /// @notice Tiers of the vault that calls after a tightening; none if it changes nothing. The cap that holds while charges
    /// settle stays. Reverts if the signers cannot give the approvals.
    function tightenedTiers(bytes calldata change) external view returns (PackedTier[] memory) {
        return _tightened(IVault(msg.sender), abi.decode(change, (TightenChange)));
    }

    /// @notice Reverts unless a role or office may last from now until then.
    function checkUntil(uint256 until) external view {
        _checkUntil(0, until, block.timestamp, block.timestamp);
    }

    /// @dev Whatever rows there are: each by the one stated of its index, those beyond the last stated one by that.
    function _tightened(IVault vault, TightenChange memory c) private view returns (PackedTier[] memory rows) {
        Tier[] memory next = _tiersOf(vault);
        rows = new PackedTier[](next.length);
        uint256 unit = vault.unit();
        bool changes;
        for (uint256 k = 0; k < rows.length; ++k) {
            next[k] = Policy.stricter(next[k], c.tiers[Math.min(k, c.tiers.length - 1)]);
            PackedTier was = vault.packedTier(k);
            rows[k] = _pack(next[k], unit, was.capBefore());
            changes = changes || PackedTier.unwrap(rows[k]) != PackedTier.unwrap(was);
        }
        Policy.checkQuorum(next, vault.signers().length, vault.threshold());
        if (!changes) delete rows;
    }

    // ── Checks that several share ────────────────────────────────────────────────────────────────────────────────

    function _requireFresh(IVault vault, TiersChange memory c) private view {
        uint256 actual = vault.termsChangedAt();
        if (c.oldTermsChangedAt != actual) revert IVault.VaultTiersStale(c.oldTermsChangedAt, actual);
    }

    /// @dev `until` is the end of grant `index`, which begins between `earliest` and `latest`. [seconds]
    function _checkUntil(uint256 index, uint256 until, uint256 earliest, uint256 latest) private pure {
        Policy.inRange(Policy.Field.GrantUntil, index, until, earliest + 1, latest + Policy.MAX_GRANT);
    }

    function _checkRole(address token, address account, Role role) private view {
        if (role == Role.Guardian) revert IVault.VaultRoleNotGrantable(role);
        _checkAddress(token, account);
    }

    function _checkAddress(address token, address account) private view {
        bool valid = account != address(0) && account != msg.sender && account != token;
        if (!valid) revert IVault.VaultAddressInvalid(account);
    }

    function _checkList(address token, address[] memory list) private view {
        for (uint256 i = 0; i < list.length; ++i) {
            _checkAddress(token, list[i]);
            for (uint256 k = 0; k < i; ++k) {
                if (list[k] == list[i]) revert IVault.VaultAddressInvalid(list[i]); // listed twice
            }
        }
    }

    function _tiersOf(IVault vault) private view returns (Tier[] memory all) {
        all = new Tier[](vault.tierCount());
        for (uint256 k = 0; k < all.length; ++k) {
            all[k] = vault.tier(k);
        }
    }

    function _pack(Tier memory row, uint256 unit, uint256 capBefore) private pure returns (PackedTier) {
        PackedTier t = PackedTierFields.pack(row.maxKnown / unit, row.maxUnknown / unit, row.cap / unit, capBefore);
        return t.withTerms(row.approvals, row.delay);
    }
}
