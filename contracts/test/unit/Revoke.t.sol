// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Proposal} from "../../src/types/Proposal.sol";
import {Batch, ChangeKind, State, SuccessorChange} from "../../src/types/VaultTypes.sol";
import {PaymentTest} from "./PaymentTest.sol";

/// @notice `revoke`: a signer takes back its vote, and its signatures; too few votes left, and the clock stops.
contract RevokeTest is PaymentTest {
    bytes private packed = payment(payee, UNIT, 1);
    Batch private b;
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        b = header(1, 100, packed);
        id = proposeAs(proposer, b, packed);
    }

    // ── Who ──────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_revoke_RevertWhen_CallerIsNotSigner() external {
        assertOnly(addresses(alice), abi.encodeCall(IVault.revoke, (id)), IVault.VaultNotSigner.selector);
    }

    /// @dev Without a vote it still forbids the signatures; once both are done there is nothing left to revoke.
    function test_revoke_RevertWhen_NothingIsLeftToRevoke() external {
        approveAs(alice, b);
        revokeAs(bob, id);
        _expectNotApproved(bob);
        revokeAs(bob, id);
        revokeAs(alice, id);
        _expectNotApproved(alice);
        revokeAs(alice, id);
        assertTrue(vault.proposal(id).hasRevoked(1, 0));
        assertTrue(vault.proposal(id).hasRevoked(1, 1));
        assertFalse(vault.proposal(id).hasRevoked(1, 2));

        approveAs(bob, b);
        assertEq(vault.proposal(id).voteCount(1), 1);
        revokeAs(bob, id);
        assertEq(vault.proposal(id).voteCount(1), 0);
        _expectNotApproved(bob);
        revokeAs(bob, id);
    }

    /// @dev A vote of an older set counts no more: there is none to take, but signatures of this set to forbid.
    function test_revoke_inANewSetDropsWhatTheOldOneSaid() external {
        approveAs(alice, b);
        approveAs(carol, b);
        revokeAs(bob, id);
        changeSigners(addresses(alice, bob, stranger), 2);
        vm.recordLogs();
        _expectRevoked(alice);
        revokeAs(alice, id);
        assertEvents(events(IVault.Revoked.selector));
        Proposal p = vault.proposal(id);
        assertEq(p.epoch(), 2);
        assertEq(p.voteCount(2), 0);
        assertEq(p.quorumAt(), 0);
        assertTrue(p.hasRevoked(2, 0));
        assertFalse(p.hasRevoked(2, 1), "bob revoked as a signer of the old set");
        _expectNotApproved(alice);
        revokeAs(alice, id);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotSigner.selector, carol));
        revokeAs(carol, id);
    }

    // ── Votes and clock ──────────────────────────────────────────────────────────────────────────────────────────

    function test_revoke_belowQuorumStopsTheClock() external {
        approveAs(alice, b);
        approveAs(bob, b);
        skip(1 hours);
        assertState(id, State.Ready);

        vm.recordLogs();
        _expectRevoked(alice);
        vm.expectEmit(address(vault));
        emit IVault.Unqueued(id);
        revokeAs(alice, id);
        assertEvents(events(IVault.Revoked.selector, IVault.Unqueued.selector));
        assertState(id, State.Proposed);
        assertEq(vault.proposal(id).quorumAt(), 0);
        assertEq(vault.proposal(id).voteCount(1), 1);
        assertTrue(vault.proposal(id).hasRevoked(1, 0));
        expectStateInvalid(id, State.Proposed);
        execute(b, packed);
    }

    /// @dev The wait begins anew with the vote that completes the quorum again.
    function test_revoke_delayBeginsAnew() external {
        approveAs(alice, b);
        approveAs(bob, b);
        skip(1 hours - 1);
        revokeAs(bob, id);
        skip(10);
        vm.recordLogs();
        approveAs(bob, b);
        assertEvents(events(IVault.Queued.selector));
        skip(1 hours - 1);
        assertState(id, State.Queued);
        skip(1);
        assertState(id, State.Ready);
        assertEq(execute(b, packed), 1);
        assertTrue(vault.proposal(id).hasRevoked(1, 1), "remembered");
    }

    function test_revoke_aboveQuorumLeavesTheClock() external {
        approveAs(alice, b);
        approveAs(bob, b);
        skip(1 hours);
        approveAs(carol, b);
        vm.recordLogs();
        _expectRevoked(alice);
        revokeAs(alice, id);
        assertEvents(events(IVault.Revoked.selector));
        assertState(id, State.Ready);
        revokeAs(bob, id);
        assertState(id, State.Proposed);
    }

    function test_revoke_beforeQuorum() external {
        approveAs(alice, b);
        vm.recordLogs();
        revokeAs(alice, id);
        assertEvents(events(IVault.Revoked.selector));
        assertEq(vault.proposal(id).voteCount(1), 0);
        approveAs(bob, b);
        assertState(id, State.Proposed);
    }

    function test_revoke_takesBackTheVoteOfProposing() external {
        Batch memory own = header(1, 200, packed);
        bytes32 ownId = proposeAs(carol, own, packed);
        approveAs(alice, own);
        assertState(ownId, State.Queued);
        revokeAs(carol, ownId);
        assertState(ownId, State.Proposed);
        assertEq(vault.proposal(ownId).voteCount(1), 1);
    }

    function test_revoke_takesBackAVoteForAChange() external {
        bytes memory change = abi.encode(SuccessorChange(stranger, nonce(), expiry()));
        bytes32 changeId = approvedChange(ChangeKind.Successor, change);
        assertState(changeId, State.Queued);
        vm.recordLogs();
        revokeAs(bob, changeId);
        assertEvents(events(IVault.Revoked.selector, IVault.Unqueued.selector));
        assertState(changeId, State.Proposed);
        assertTrue(vault.proposal(changeId).hasRevoked(1, 1));
        assertFalse(vault.proposal(id).hasRevoked(1, 1));
    }

    function test_revoke_worksWhileFrozen() external {
        approveAs(alice, b);
        freezeAs(guardian);
        revokeAs(alice, id);
        assertEq(vault.proposal(id).voteCount(1), 0);
    }

    function test_revoke_afterPartOfThePaymentsStopsTheRest() external {
        bytes memory two = payments(2, UNIT, 1);
        (Batch memory part, bytes32 partId) = readyBatch(1, 300, two);
        vm.prank(keeper);
        vault.execute(orderOf(part), two, 1);
        revokeAs(bob, partId);
        expectStateInvalid(partId, State.Proposed);
        execute(part, two);
        assertEq(vault.paidMask(300, 2), 2);
    }

    // ── State ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev What is only revoked is not proposed: it may still be, and the revocation stands.
    function test_revoke_beforeProposing() external {
        Batch memory later = header(1, 900, packed);
        bytes32 laterId = vault.hashBatch(later);
        vm.recordLogs();
        vm.expectEmit(address(vault));
        emit IVault.Revoked(laterId, bob);
        revokeAs(bob, laterId);
        assertEvents(events(IVault.Revoked.selector));
        assertState(laterId, State.None);
        assertEq(vault.proposal(laterId).expiresAt(), 0);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotApproved.selector, laterId, bob));
        revokeAs(bob, laterId);
        expectStateInvalid(laterId, State.None);
        approveAs(bob, later);
        expectStateInvalid(laterId, State.None);
        cancelAs(guardian, laterId);

        assertEq(proposeAs(proposer, later, packed), laterId);
        assertState(laterId, State.Proposed);
        assertTrue(vault.proposal(laterId).hasRevoked(1, 1));
        assertEq(vault.proposal(laterId).voteCount(1), 0);
        approveAs(alice, later);
        approveAs(bob, later);
        assertState(laterId, State.Queued);
    }

    /// @dev A revocation of an older set is forgotten with it.
    function test_revoke_beforeProposingByAnOlderSet() external {
        Batch memory later = header(1, 900, packed);
        later.expiresAt += 10 days;
        bytes32 laterId = vault.hashBatch(later);
        revokeAs(bob, laterId);
        changeSigners(addresses(alice, bob, stranger), 2);
        revokeAs(bob, laterId);
        assertTrue(vault.proposal(laterId).hasRevoked(2, 1));
        proposeAs(alice, later, packed);
        assertEq(vault.proposal(laterId).voteCount(2), 1);
        approveAs(bob, later);
        assertState(laterId, State.Queued);
    }

    function test_revoke_RevertWhen_Expired() external {
        approveAs(alice, b);
        approveAs(bob, b);
        vm.warp(b.expiresAt - 1);
        revokeAs(bob, id);
        vm.warp(b.expiresAt);
        expectStateInvalid(id, State.Expired);
        revokeAs(alice, id);
    }

    function test_revoke_RevertWhen_Cancelled() external {
        approveAs(alice, b);
        cancelAs(guardian, id);
        expectStateInvalid(id, State.Cancelled);
        revokeAs(alice, id);
    }

    function test_revoke_RevertWhen_Executed() external {
        approveAs(alice, b);
        approveAs(bob, b);
        skip(1 hours);
        execute(b, packed);
        expectStateInvalid(id, State.Executed);
        revokeAs(alice, id);
        assertFalse(vault.proposal(id).hasRevoked(1, 0));
    }

    function _expectRevoked(address signer) private {
        vm.expectEmit(address(vault));
        emit IVault.Revoked(id, signer);
    }

    function _expectNotApproved(address signer) private {
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotApproved.selector, id, signer));
    }
}
