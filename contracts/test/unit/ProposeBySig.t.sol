// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, Refusal, Role, State, Tier, Vote} from "../../src/types/VaultTypes.sol";
import {SignedTest} from "./SignedTest.sol";

/// @notice `proposeBySig`: anybody proposes what at least one signer signed.
contract ProposeBySigTest is SignedTest {
    bytes private packed = payment(payee, UNIT, 1);

    // ── Votes ────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_proposeBySig_firstSignerIsTheProposer() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = vault.hashBatch(b);
        vm.recordLogs();
        vm.expectEmit(address(vault));
        emit IVault.BatchProposed(id, bob, orderOf(b), packed);
        assertEq(proposeBySig(b, packed, signedBy(addresses(bob), b)), id);
        assertEvents(events(IVault.BatchProposed.selector));
        assertState(id, State.Proposed);
        assertTrue(vault.proposal(id).hasVote(1, 1));
        assertEq(vault.proposal(id).voteCount(1), 1);
        assertTrue(vault.proposal(id).vetoable());
    }

    function test_proposeBySig_withQuorumStartsTheClock() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = vault.hashBatch(b);
        vm.recordLogs();
        vm.expectEmit(address(vault));
        emit IVault.BatchProposed(id, carol, orderOf(b), packed);
        vm.expectEmit(address(vault));
        emit IVault.Queued(id, alice);
        vm.expectEmit(address(vault));
        emit IVault.Approved(id, bob);
        proposeBySig(b, packed, signedBy(addresses(carol, alice, bob), b));
        assertEvents(events(IVault.BatchProposed.selector, IVault.Queued.selector, IVault.Approved.selector));
        assertEq(vault.proposal(id).voteCount(1), 3);
        assertEq(vault.proposal(id).quorumAt(), START);
        skip(1 hours - 1);
        assertState(id, State.Queued);
        skip(1);
        assertEq(execute(b, packed), 1);
    }

    function test_proposeBySig_votesBelowQuorumAreLogged() external {
        Batch memory b = header(2, 100, packed);
        bytes32 id = vault.hashBatch(b);
        vm.recordLogs();
        vm.expectEmit(address(vault));
        emit IVault.BatchProposed(id, alice, orderOf(b), packed);
        vm.expectEmit(address(vault));
        emit IVault.Approved(id, bob);
        proposeBySig(b, packed, signedBy(addresses(alice, bob), b));
        assertEvents(events(IVault.BatchProposed.selector, IVault.Approved.selector));
        assertState(id, State.Proposed);
    }

    function test_proposeBySig_oneVoteMayBeTheQuorum() external {
        Tier[] memory t = standardTiers();
        t[1].approvals = 1;
        useTiers(t);
        Batch memory b = header(1, 100, packed);
        bytes32 id = vault.hashBatch(b);
        vm.recordLogs();
        vm.expectEmit(address(vault));
        emit IVault.BatchProposed(id, alice, orderOf(b), packed);
        vm.expectEmit(address(vault));
        emit IVault.Queued(id, alice);
        proposeBySig(b, packed, signedBy(addresses(alice), b));
        assertEvents(events(IVault.BatchProposed.selector, IVault.Queued.selector));
    }

    /// @dev A tier that asks for time alone needs no vote, yet who proposes by signatures brings one.
    function test_proposeBySig_inATierOfDelayOnly() external {
        Tier[] memory t = standardTiers();
        t[1].approvals = 0;
        useTiers(t);
        Batch memory b = header(1, 100, packed);
        vm.expectRevert(votesMissing());
        proposeBySig(b, packed, new Vote[](0));
        vm.recordLogs();
        bytes32 id = proposeBySig(b, packed, signedBy(addresses(alice, bob), b));
        assertEvents(events(IVault.BatchProposed.selector, IVault.Queued.selector, IVault.Approved.selector));
        assertState(id, State.Queued);
    }

    function test_proposeBySig_countsEachSignerOnce() external {
        Batch memory b = header(1, 100, packed);
        Vote memory v = signed(alice, b);
        vm.recordLogs();
        bytes32 id = proposeBySig(b, packed, votes(v, v, v));
        assertEvents(events(IVault.BatchProposed.selector));
        assertEq(vault.proposal(id).voteCount(1), 1);
    }

    function test_proposeBySig_byWhoeverBringsTheVotes() external {
        address[5] memory callers = [keeper, proposer, guardian, carol, address(this)];
        for (uint64 i = 0; i < 5; ++i) {
            Batch memory b = header(1, 100 + i, packed);
            Vote[] memory list = signedBy(addresses(alice), b);
            vm.prank(callers[i]);
            bytes32 id = vault.proposeBySig(orderOf(b), packed, list);
            assertEq(vault.proposal(id).voteCount(1), 1, "a signer that calls does not vote by it");
        }
    }

    function test_proposeBySig_RevertWhen_Empty() external {
        Batch memory b = header(1, 100, packed);
        vm.expectRevert(votesMissing());
        proposeBySig(b, packed, new Vote[](0));
        vm.expectRevert(votesMissing());
        vm.prank(proposer);
        vault.proposeBySig(orderOf(b), packed, new Vote[](0));
    }

    function test_proposeBySig_RevertWhen_VoteIsNone() external {
        Batch memory b = header(1, 100, packed);
        Vote[] memory list = signedBy(addresses(alice, stranger), b);
        vm.expectRevert(notSigner(stranger));
        proposeBySig(b, packed, list);
        list[1] = Vote(bob, list[0].signature);
        vm.expectRevert(signatureInvalid(bob));
        proposeBySig(b, packed, list);
        assertState(vault.hashBatch(b), State.None);
    }

    /// @dev What was signed is what is proposed: other payments or another order are another batch.
    function test_proposeBySig_RevertWhen_ContentIsAnother() external {
        Batch memory b = header(1, 100, packed);
        Vote[] memory list = signedBy(addresses(alice), b);
        vm.expectRevert(signatureInvalid(alice));
        proposeBySig(b, payment(payee, UNIT + 1, 1), list);
        for (uint256 field = 0; field < 4; ++field) {
            Batch memory other = header(1, 100, packed);
            if (field == 0) other.firstNumber += 1;
            else if (field == 1) other.tier += 1;
            else if (field == 2) other.expiresAt += 1;
            else other.context ^= bytes32(uint256(1));
            vm.expectRevert(signatureInvalid(alice));
            proposeBySig(other, packed, list);
        }
        proposeBySig(b, packed, list);
    }

    // ── Revoked ──────────────────────────────────────────────────────────────────────────────────────────────────

    function test_proposeBySig_RevertWhen_Revoked() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = vault.hashBatch(b);
        revokeAs(alice, id);
        Vote[] memory list = signedBy(addresses(bob, alice), b);
        vm.expectRevert(voteRevoked(id, alice));
        proposeBySig(b, packed, list);
        proposeBySig(b, packed, votes(list[0]));
        assertTrue(vault.proposal(id).hasRevoked(1, 0), "kept by proposing");
        vm.expectRevert(voteRevoked(id, alice));
        approveBySig(b, votes(list[1]));
        approveAs(alice, b);
        assertState(id, State.Queued);
    }

    // ── What every proposal must be ──────────────────────────────────────────────────────────────────────────────

    function test_proposeBySig_RevertWhen_AlreadyProposed() external {
        Batch memory b = header(1, 100, packed);
        Vote[] memory list = signedBy(addresses(alice, bob), b);
        bytes32 id = proposeBySig(b, packed, votes(list[0]));
        _expectTaken(id, State.Proposed);
        proposeBySig(b, packed, list);
        approveBySig(b, list);
        _expectTaken(id, State.Queued);
        proposeBySig(b, packed, list);
        skip(1 hours);
        execute(b, packed);
        _expectTaken(id, State.Executed);
        proposeBySig(b, packed, list);
    }

    function test_proposeBySig_RevertWhen_TierTakesNone() external {
        Batch memory b = header(0, 100, packed);
        Vote[] memory list = signedBy(addresses(alice), b);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierAutomatic.selector, 0));
        proposeBySig(b, packed, list);
        b.tier = 3;
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierUnknown.selector, 3, 3));
        proposeBySig(b, packed, list);
    }

    function test_proposeBySig_RevertWhen_PaymentIsRefused() external {
        bytes memory large = bytes.concat(packed, payment(payee, 20_000 * USDT + 1, 2));
        Batch memory b = header(1, 100, large);
        Vote[] memory list = signedBy(addresses(alice), b);
        vm.expectRevert(
            abi.encodeWithSelector(
                IVault.VaultPaymentRefused.selector, 1, payee, 20_000 * USDT + 1, 20_000 * USDT, Refusal.AboveLimit
            )
        );
        proposeBySig(b, large, list);
    }

    function test_proposeBySig_RevertWhen_CountOrNumbersAreOut() external {
        Batch memory b = header(1, type(uint64).max, packed);
        Vote[] memory list = signedBy(addresses(alice), b);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultCountInvalid.selector, 0, 0));
        proposeBySig(b, "", list);
        bytes memory two = bytes.concat(packed, packed);
        vm.expectRevert(
            abi.encodeWithSelector(IVault.VaultNumberOutOfRange.selector, type(uint64).max, 2, uint256(1) << 64)
        );
        proposeBySig(b, two, list);
        proposeBySig(b, packed, list);
    }

    function test_proposeBySig_boundsLife() external {
        Batch memory b = header(1, 100, packed);
        uint40[2] memory ends = [START + 1 hours + 29 hours, START + 30 days];
        uint40[2] memory wrong = [ends[0] - 1, ends[1] + 1];
        for (uint256 i = 0; i < 2; ++i) {
            b.expiresAt = wrong[i];
            Vote[] memory list = signedBy(addresses(alice), b);
            expectExpiryOutOfRange(wrong[i], 1 hours);
            proposeBySig(b, packed, list);
            b.expiresAt = ends[i];
            proposeBySig(b, packed, signedBy(addresses(alice), b));
        }
    }

    /// @dev No role is needed, so that it works when every proposer's role is gone.
    function test_proposeBySig_worksWithoutAProposerAndWhileFrozen() external {
        vm.prank(guardian);
        vault.revokeRole(proposer, Role.Proposer);
        freezeAs(guardian);
        Batch memory b = header(1, 100, packed);
        assertState(proposeBySig(b, packed, signedBy(addresses(alice, bob), b)), State.Queued);
    }

    function _expectTaken(bytes32 id, State state) private {
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultAlreadyProposed.selector, id, state));
    }
}
