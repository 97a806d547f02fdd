// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, ChangeKind, State, SuccessorChange} from "../../src/types/VaultTypes.sol";
import {PaymentTest} from "./PaymentTest.sol";

/// @notice `revoke`: a signer takes back a vote that counts; too few left, and the clock stops.
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

    function test_revoke_RevertWhen_NotApproved() external {
        approveAs(alice, b);
        _expectNotApproved(bob);
        revokeAs(bob, id);
        revokeAs(alice, id);
        _expectNotApproved(alice);
        revokeAs(alice, id);
        assertFalse(vault.hasRevoked(id, bob));
    }

    function test_revoke_RevertWhen_VoteIsOfAnOlderSet() external {
        approveAs(alice, b);
        approveAs(carol, b);
        changeSigners(addresses(alice, bob, stranger), 2);
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
        assertTrue(vault.hasRevoked(id, alice));
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
        assertTrue(vault.hasRevoked(id, bob), "remembered");
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
        assertTrue(vault.hasRevoked(changeId, bob));
        assertFalse(vault.hasRevoked(id, bob));
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

    function test_revoke_RevertWhen_NeverProposed() external {
        bytes32 unknown = keccak256("unknown");
        expectStateInvalid(unknown, State.None);
        revokeAs(alice, unknown);
        expectStateInvalid(0, State.None);
        revokeAs(alice, 0);
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
        assertFalse(vault.hasRevoked(id, alice));
    }

    function _expectRevoked(address signer) private {
        vm.expectEmit(address(vault));
        emit IVault.Revoked(id, signer);
    }

    function _expectNotApproved(address signer) private {
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotApproved.selector, id, signer));
    }
}
