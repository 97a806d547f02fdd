// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, Configuration, State, Vote} from "../../src/types/VaultTypes.sol";
import {Eip712} from "./Eip712.sol";
import {SignedTest} from "./SignedTest.sol";

/// @notice `approveBySig`: anybody brings votes of signers of today for an open proposal; each counts once.
contract ApproveBySigTest is SignedTest {
    bytes private packed = payment(payee, UNIT, 1);
    Batch private b;
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        b = header(1, 100, packed);
        id = proposeAs(proposer, b, packed);
    }

    // ── Votes and clock ──────────────────────────────────────────────────────────────────────────────────────────

    function test_approveBySig_quorumStartsTheClock() external {
        skip(5);
        vm.recordLogs();
        vm.expectEmit(address(vault));
        emit IVault.Approved(id, bob);
        vm.expectEmit(address(vault));
        emit IVault.Queued(id, alice);
        vm.expectEmit(address(vault));
        emit IVault.Approved(id, carol);
        approveBySig(b, signedBy(addresses(bob, alice, carol), b));
        assertEvents(events(IVault.Approved.selector, IVault.Queued.selector, IVault.Approved.selector));
        assertEq(vault.proposal(id).voteCount(1), 3);
        assertEq(vault.proposal(id).quorumAt(), START + 5);
        skip(1 hours - 1);
        assertState(id, State.Queued);
        skip(1);
        assertState(id, State.Ready);
        assertEq(execute(b, packed), 1);
    }

    function test_approveBySig_oneByOneAndBesideCalls() external {
        vm.recordLogs();
        approveBySig(b, signedBy(addresses(alice), b));
        assertEvents(events(IVault.Approved.selector));
        assertState(id, State.Proposed);
        vm.recordLogs();
        approveAs(bob, b);
        assertEvents(events(IVault.Queued.selector));
        vm.recordLogs();
        approveBySig(b, signedBy(addresses(carol), b));
        assertEvents(events(IVault.Approved.selector));
        assertEq(vault.proposal(id).voteCount(1), 3);
    }

    function test_approveBySig_worksWhileFrozen() external {
        freezeAs(guardian);
        approveBySig(b, signedBy(addresses(alice, bob), b));
        assertState(id, State.Queued);
    }

    /// @dev As many as a vault can have, all of them needed, in one call.
    function test_approveBySig_32Signers() external {
        Configuration memory c = configuration();
        c.signers = new address[](32);
        for (uint256 i = 0; i < 32; ++i) {
            c.signers[i] = vm.addr(i + 1);
        }
        c.tiers[2].approvals = 32;
        useConfiguration(c);
        b.tier = 2;
        id = proposeAs(proposer, b, packed);
        Vote[] memory list = new Vote[](32);
        for (uint256 i = 0; i < 32; ++i) {
            list[i] = Vote(c.signers[i], signatureOf(i + 1, Eip712.vote(address(vault), c.signers[i], 1, b)));
        }
        uint256 snapshot = vm.snapshotState();
        approveBySig(b, list);
        assertEq(vault.proposal(id).voteCount(1), 32);
        assertState(id, State.Queued);
        vm.revertToState(snapshot);
        list[31] = list[30];
        approveBySig(b, list);
        assertEq(vault.proposal(id).voteCount(1), 31);
        assertState(id, State.Proposed);
    }

    // ── Once each ────────────────────────────────────────────────────────────────────────────────────────────────

    function test_approveBySig_passesOverWhatCountsTwice() external {
        Vote memory v = signed(alice, b);
        vm.recordLogs();
        approveBySig(b, votes(v, v, v));
        assertEvents(events(IVault.Approved.selector));
        assertEq(vault.proposal(id).voteCount(1), 1);
        assertState(id, State.Proposed);
    }

    /// @dev Nobody makes a list fail by bringing one of its votes first.
    function test_approveBySig_passesOverWhatCountsAlready() external {
        Vote[] memory list = signedBy(addresses(alice, bob), b);
        approveBySig(b, votes(list[0]));
        vm.recordLogs();
        vm.expectEmit(address(vault));
        emit IVault.Queued(id, bob);
        approveBySig(b, list);
        assertEvents(events(IVault.Queued.selector));
    }

    function test_approveBySig_RevertWhen_NothingIsNew() external {
        Vote[] memory list = signedBy(addresses(bob, alice), b);
        approveAs(alice, b);
        vm.expectRevert(alreadyApproved(id, alice));
        approveBySig(b, votes(list[1]));
        approveBySig(b, votes(list[0]));
        vm.expectRevert(alreadyApproved(id, bob));
        approveBySig(b, list);
        vm.expectRevert(alreadyApproved(id, alice));
        approveAs(alice, b);
    }

    function test_approveBySig_RevertWhen_Empty() external {
        vm.expectRevert(votesMissing());
        approveBySig(b, new Vote[](0));
    }

    /// @dev All or nothing: one vote that is none, and the call leaves nothing.
    function test_approveBySig_RevertWhen_OneIsInvalid() external {
        Vote[] memory list = signedBy(addresses(alice, bob, carol), b);
        list[2].signature = list[1].signature;
        vm.expectRevert(signatureInvalid(carol));
        approveBySig(b, list);
        list[2].signer = stranger;
        vm.expectRevert(notSigner(stranger));
        approveBySig(b, list);
        assertEq(vault.proposal(id).voteCount(1), 0);
    }

    // ── State and life ───────────────────────────────────────────────────────────────────────────────────────────

    function test_approveBySig_RevertWhen_NotOpen() external {
        Batch memory other = header(1, 900, packed);
        Vote[] memory list = signedBy(addresses(alice), other);
        expectStateInvalid(vault.hashBatch(other), State.None);
        approveBySig(other, list);

        list = signedBy(addresses(alice, bob, carol), b);
        uint256 snapshot = vm.snapshotState();
        cancelAs(guardian, id);
        expectStateInvalid(id, State.Cancelled);
        approveBySig(b, list);
        vm.revertToState(snapshot);
        approveAs(alice, b);
        approveAs(bob, b);
        skip(1 hours);
        execute(b, packed);
        expectStateInvalid(id, State.Executed);
        approveBySig(b, list);
        vm.revertToState(snapshot);
        vm.warp(b.expiresAt);
        expectStateInvalid(id, State.Expired);
        approveBySig(b, list);
        vm.warp(b.expiresAt - 1);
        approveBySig(b, votes(list[0]));
    }

    function test_approveBySig_RevertWhen_QuorumComesTooLate() external {
        Vote[] memory list = signedBy(addresses(alice, bob), b);
        uint256 last = b.expiresAt - SETTLE - 1 hours;
        vm.warp(last + 1);
        expectExpiryOutOfRange(b.expiresAt, 1 hours);
        approveBySig(b, list);
        assertEq(vault.proposal(id).voteCount(1), 0);
        vm.warp(last);
        approveBySig(b, list);
        assertState(id, State.Queued);
    }

    // ── Revoked ──────────────────────────────────────────────────────────────────────────────────────────────────

    function test_approveBySig_RevertWhen_Revoked() external {
        Vote[] memory list = signedBy(addresses(alice, bob), b);
        approveBySig(b, list);
        vm.recordLogs();
        revokeAs(alice, id);
        assertEvents(events(IVault.Revoked.selector, IVault.Unqueued.selector));
        vm.expectRevert(voteRevoked(id, alice));
        approveBySig(b, list);
        vm.expectRevert(voteRevoked(id, alice));
        approveBySig(b, votes(list[0]));
        assertEq(vault.proposal(id).voteCount(1), 1);
    }

    /// @dev It needs no vote to be taken back: who signed and thinks better of it forbids the signature.
    function test_approveBySig_RevertWhen_RevokedWithoutAVote() external {
        Vote[] memory list = signedBy(addresses(alice, bob), b);
        revokeAs(alice, id);
        vm.expectRevert(voteRevoked(id, alice));
        approveBySig(b, list);
        approveBySig(b, votes(list[1]));
        assertEq(vault.proposal(id).voteCount(1), 1);
    }

    function test_approveBySig_RevertWhen_RevokedBeforeProposing() external {
        Batch memory later = header(1, 200, packed);
        bytes32 laterId = vault.hashBatch(later);
        Vote[] memory list = signedBy(addresses(alice), later);
        revokeAs(alice, laterId);
        proposeAs(proposer, later, packed);
        vm.expectRevert(voteRevoked(laterId, alice));
        approveBySig(later, list);
    }

    /// @dev A call of its own votes again; the signature stays forbidden, also after that vote is taken back.
    function test_approveBySig_revokedSignerVotesByCallAgain() external {
        Vote[] memory list = signedBy(addresses(alice), b);
        revokeAs(alice, id);
        vm.expectEmit(address(vault));
        emit IVault.Approved(id, alice);
        approveAs(alice, b);
        vm.expectRevert(alreadyApproved(id, alice));
        approveBySig(b, list);
        revokeAs(alice, id);
        vm.expectRevert(voteRevoked(id, alice));
        approveBySig(b, list);
    }

    /// @dev What was revoked in an older set is signed anew in this one.
    function test_approveBySig_revocationEndsWithTheSet() external {
        revokeAs(alice, id);
        changeSigners(addresses(alice, bob, stranger), 2);
        approveBySig(b, signedBy(addresses(alice, stranger), b));
        assertEq(vault.proposal(id).voteCount(2), 2);
        assertState(id, State.Queued);
    }
}
