// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {PackedTier} from "../../src/types/PackedTier.sol";
import {Proposal} from "../../src/types/Proposal.sol";
import {Batch, ChangeKind, Standing, State, Tier} from "../../src/types/VaultTypes.sol";
import {PolicyTest} from "../PolicyTest.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

contract ViewsTest is PolicyTest {
    // ── Policy ───────────────────────────────────────────────────────────────────────────────────────────────────

    function test_views_immutables() external view {
        assertEq(vault.token(), address(usdt));
        assertEq(vault.unit(), 10_000);
        assertEq(vault.hardCeiling(), 10_000_000 * USDT);
        assertEq(vault.policyDelayFloor(), 1 days);
        assertEq(vault.VERSION(), "1");
    }

    function test_views_policy() external view {
        assertEq(vault.tierCount(), 3);
        assertEq(vault.policyDelay(), 2 days);
        assertEq(vault.threshold(), 2);
        assertEq(vault.signers(), addresses(alice, bob, carol));
        assertEq(vault.guardians(), addresses(guardian, otherGuardian));
        assertEq(vault.successor(), address(0));
        assertEq(uint8(vault.standingOf(known)), uint8(Standing.Known));
        assertEq(uint8(vault.standingOf(payee)), uint8(Standing.Unknown));
    }

    function test_views_packedTierIsTierInUnits() external view {
        for (uint256 k = 0; k < 3; ++k) {
            Tier memory row = vault.tier(k);
            PackedTier packed = vault.packedTier(k);
            assertEq(abi.encode(row), abi.encode(standardTiers()[k]));
            assertEq(packed.maxKnown() * UNIT, row.maxKnown);
            assertEq(packed.maxUnknown() * UNIT, row.maxUnknown);
            assertEq(packed.cap() * UNIT, row.cap);
            assertEq(packed.capBefore(), 0);
            (uint256 approvals, uint256 delay) = packed.terms();
            assertEq(approvals, row.approvals);
            assertEq(delay, row.delay);
            assertEq(packed.isAutomatic(), k == 0);
        }
        assertEq(PackedTier.unwrap(vault.hot().firstTier()), PackedTier.unwrap(vault.packedTier(0)));
    }

    function test_views_noSuchTier() external {
        assertEq(PackedTier.unwrap(vault.packedTier(3)), 0);
        assertEq(vault.headroom(3), 0);
        assertEq(vault.window(3), 0);
        assertEq(vault.headroom(type(uint256).max), 0);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierUnknown.selector, 3, 3));
        vault.tier(3);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierUnknown.selector, type(uint256).max, 3));
        vault.tier(type(uint256).max);
    }

    // ── Room ─────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_headroom_fallsByWholeUnits() external {
        pay(1, payment(payee, 1, 1));
        assertEq(vault.headroom(0), 100_000 * USDT - UNIT);
        pay(2, payment(payee, UNIT, 2));
        assertEq(vault.headroom(0), 100_000 * USDT - 2 * UNIT);
        pay(3, payment(payee, UNIT + 1, 3));
        assertEq(vault.headroom(0), 100_000 * USDT - 4 * UNIT);
        assertEq(vault.headroom(1), 500_000 * USDT, "tiers have windows of their own");
        assertEq(vault.window(0), (uint256(START) / 4 hours << 231) | 4);
    }

    function test_headroom_returnsWhenTheBucketIsSevenOld() external {
        pay(1, payment(payee, 1000 * USDT, 1));
        uint256 bucketStart = START / 4 hours * 4 hours;
        vm.warp(bucketStart + 28 hours - 1);
        assertEq(vault.headroom(0), 99_000 * USDT);
        vm.warp(bucketStart + 28 hours);
        assertEq(vault.headroom(0), 100_000 * USDT);
    }

    // ── Numbers ──────────────────────────────────────────────────────────────────────────────────────────────────

    function test_isPaid_exactlyThePaid() external {
        pay(254, payments(4, USDT, 1));
        assertFalse(vault.isPaid(253));
        for (uint64 n = 254; n < 258; ++n) {
            assertTrue(vault.isPaid(n));
        }
        assertFalse(vault.isPaid(258));
        assertFalse(vault.isPaid(type(uint64).max));
    }

    function test_paidMask_acrossWords() external {
        pay(254, payments(4, USDT, 1));
        assertEq(vault.paidMask(254, 4), 15);
        assertEq(vault.paidMask(253, 6), 30);
        assertEq(vault.paidMask(255, 2), 3);
        assertEq(vault.paidMask(257, 256), 1);
        assertEq(vault.paidMask(2, 256), 15 << 252);
        assertEq(vault.paidMask(1, 256), 7 << 253);
        assertEq(vault.paidMask(258, 256), 0);
        assertEq(vault.paidMask(256, 1), 1);
    }

    function test_paidMask_atTheLastNumber() external {
        bytes memory packed = payments(2, USDT, 1);
        (Batch memory b,) = readyBatch(1, type(uint64).max - 1, packed);
        execute(b, packed);
        assertTrue(vault.isPaid(type(uint64).max));
        assertEq(vault.paidMask(type(uint64).max, 1), 1);
        assertEq(vault.paidMask(type(uint64).max, 256), 1);
        assertEq(vault.paidMask(type(uint64).max - 2, 256), 6);
    }

    function test_paidMask_RevertWhen_CountOutOfRange() external {
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultCountInvalid.selector, 0, 0));
        vault.paidMask(1, 0);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultCountInvalid.selector, 257, 0));
        vault.paidMask(1, 257);
        assertEq(vault.paidMask(1, 256), 0);
    }

    // ── Proposals ────────────────────────────────────────────────────────────────────────────────────────────────

    function test_proposal_everyField() external {
        bytes memory packed = payment(payee, USDT, 1);
        Batch memory b = header(1, 1, packed);
        bytes32 id = vault.hashBatch(b);
        assertEq(Proposal.unwrap(vault.proposal(id)), 0);
        assertState(id, State.None);

        proposeAndApprove(b, packed, 2);
        Proposal p = vault.proposal(id);
        assertEq(p.required(), 2);
        assertEq(p.delay(), 1 hours);
        assertEq(p.votedAt(), START);
        assertFalse(p.instant());
        assertEq(p.tier(), 1);
        assertEq(p.epoch(), 1);
        assertEq(p.quorumAt(), START);
        assertEq(p.expiresAt(), b.expiresAt);
        assertEq(p.voteCount(1), 2);
        assertTrue(p.vetoable());
        assertState(id, State.Queued);
    }

    /// @dev The word keeps who revoked, also after a new vote.
    function test_proposal_remembersWhoRevoked() external {
        bytes memory packed = payment(payee, USDT, 1);
        Batch memory b = header(1, 1, packed);
        bytes32 id = proposeAndApprove(b, packed, 2);
        assertFalse(vault.proposal(id).hasRevoked(1, 0));
        vm.prank(alice);
        vault.revoke(id);
        assertTrue(vault.proposal(id).hasRevoked(1, 0));
        assertFalse(vault.proposal(id).hasRevoked(1, 1));
        vm.prank(alice);
        vault.approve(b);
        assertTrue(vault.proposal(id).hasRevoked(1, 0), "remembered after a new vote");
    }

    // ── Standards ────────────────────────────────────────────────────────────────────────────────────────────────

    function test_supportsInterface_erc165() external view {
        assertTrue(vault.supportsInterface(0x01ffc9a7));
        assertEq(type(IERC165).interfaceId, bytes4(0x01ffc9a7));
        assertTrue(vault.supportsInterface(type(IVault).interfaceId));
        assertFalse(vault.supportsInterface(0xffffffff));
        assertFalse(vault.supportsInterface(0x00000000));
    }

    function test_eip712Domain_erc5267() external view {
        assertDomain(block.chainid);
    }

    function test_attack7_eip712Domain_followsTheChain() external {
        bytes memory packed = payment(payee, USDT, 1);
        Batch memory b = header(1, 1, packed);
        bytes memory change = successorChange(stranger);
        bytes32 batchId = vault.hashBatch(b);
        bytes32 changeId = vault.hashChange(ChangeKind.Successor, change);
        vm.chainId(56);
        assertDomain(56);
        assertNotEq(vault.hashBatch(b), batchId);
        assertNotEq(vault.hashChange(ChangeKind.Successor, change), changeId);
    }

    function assertDomain(uint256 expectedChainId) private view {
        (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        ) = IERC5267(address(vault)).eip712Domain();
        assertEq(fields, bytes1(0x0f));
        assertEq(name, "Tidelock Vault");
        assertEq(version, "1");
        assertEq(chainId, expectedChainId);
        assertEq(verifyingContract, address(vault));
        assertEq(salt, bytes32(0));
        assertEq(extensions.length, 0);
    }
}
