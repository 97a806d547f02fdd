// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, ChangeKind, Configuration, SignersChange, State, SuccessorChange} from "../../src/types/VaultTypes.sol";
import {PaymentTest} from "./PaymentTest.sol";

/// @notice `approve`: signers of today, once each, on an open proposal; the vote that completes the quorum starts the
/// clock.
contract ApproveTest is PaymentTest {
    bytes private packed = payment(payee, UNIT, 1);
    Batch private b;
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        b = header(1, 100, packed);
        id = proposeAs(proposer, b, packed);
    }

    // ── Who ──────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_approve_RevertWhen_CallerIsNotSigner() external {
        assertOnly(addresses(alice), abi.encodeCall(IVault.approve, (b)), IVault.VaultNotSigner.selector);
    }

    function test_approve_RevertWhen_SignerRemoved() external {
        changeSigners(addresses(alice, bob, stranger), 2);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotSigner.selector, carol));
        approveAs(carol, b);
    }

    function test_approve_RevertWhen_AlreadyApproved() external {
        approveAs(alice, b);
        _expectAlreadyApproved(alice);
        approveAs(alice, b);
        assertEq(vault.proposal(id).voteCount(1), 1);
    }

    function test_approve_RevertWhen_ProposingWasTheVote() external {
        Batch memory own = header(1, 101, packed);
        bytes32 ownId = proposeAs(bob, own, packed);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultAlreadyApproved.selector, ownId, bob));
        approveAs(bob, own);
    }

    // ── Votes and clock ──────────────────────────────────────────────────────────────────────────────────────────

    function test_approve_quorumStartsTheClock() external {
        vm.recordLogs();
        _expectApproved(alice);
        approveAs(alice, b);
        assertEvents(events(IVault.Approved.selector));
        assertState(id, State.Proposed);
        assertEq(vault.proposal(id).quorumAt(), 0);

        skip(5);
        vm.recordLogs();
        vm.expectEmit(address(vault));
        emit IVault.Queued(id, carol);
        approveAs(carol, b);
        assertEvents(events(IVault.Queued.selector));
        assertEq(vault.proposal(id).quorumAt(), START + 5);
        assertState(id, State.Queued);
        vm.warp(START + 5 + 1 hours - 1);
        assertState(id, State.Queued);
        vm.warp(START + 5 + 1 hours);
        assertState(id, State.Ready);
    }

    /// @dev A vote beyond the quorum neither starts the clock again nor is bound by the life that is left.
    function test_approve_voteBeyondQuorumLeavesTheClock() external {
        approveAs(alice, b);
        approveAs(bob, b);
        vm.warp(b.expiresAt - 1);
        vm.recordLogs();
        _expectApproved(carol);
        approveAs(carol, b);
        assertEvents(events(IVault.Approved.selector));
        assertEq(vault.proposal(id).quorumAt(), START);
        assertEq(vault.proposal(id).voteCount(1), 3);
        assertState(id, State.Ready);
    }

    function test_approve_worksWhileFrozen() external {
        freezeAs(guardian);
        approveAs(alice, b);
        approveAs(bob, b);
        assertState(id, State.Queued);
    }

    function testFuzz_approve_orderOfVotesDoesNotMatter(uint256 order) external {
        address[3] memory voters = [alice, bob, carol];
        order = bound(order, 0, 5);
        (uint256 i, uint256 k) = (order % 3, order / 3);
        (voters[0], voters[i]) = (voters[i], voters[0]);
        (voters[1], voters[1 + k]) = (voters[1 + k], voters[1]);
        State[3] memory states = [State.Proposed, State.Queued, State.Queued];
        for (uint256 n = 0; n < 3; ++n) {
            approveAs(voters[n], b);
            assertState(id, states[n]);
            assertEq(vault.proposal(id).voteCount(1), n + 1);
        }
    }

    /// @dev As many signers as a vault can have, all of them needed.
    function test_approve_32Signers() external {
        Configuration memory c = configuration();
        c.signers = new address[](32);
        for (uint256 i = 0; i < 32; ++i) {
            c.signers[i] = recipientAt(32, i);
        }
        c.tiers[2].approvals = 32;
        useConfiguration(c);
        b.tier = 2;
        id = proposeAs(proposer, b, packed);
        for (uint256 i = 0; i < 32; ++i) {
            assertState(id, State.Proposed);
            approveAs(c.signers[i], b);
            assertEq(vault.proposal(id).voteCount(1), i + 1);
        }
        assertState(id, State.Queued);
        revokeAs(c.signers[31], id);
        assertState(id, State.Proposed);
    }

    // ── Life ─────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_approve_RevertWhen_QuorumComesTooLate() external {
        approveAs(alice, b);
        uint256 last = b.expiresAt - SETTLE - 1 hours;
        vm.warp(last + 1);
        expectExpiryOutOfRange(b.expiresAt, 1 hours);
        approveAs(bob, b);
        assertEq(vault.proposal(id).voteCount(1), 1, "the late vote left nothing");

        vm.warp(last);
        approveAs(bob, b);
        assertState(id, State.Queued);
    }

    /// @dev A vote that starts no clock may come until the last second.
    function test_approve_RevertWhen_Expired() external {
        vm.warp(b.expiresAt - 1);
        approveAs(alice, b);
        vm.warp(b.expiresAt);
        expectStateInvalid(id, State.Expired);
        approveAs(bob, b);
    }

    // ── State and content ────────────────────────────────────────────────────────────────────────────────────────

    function test_approve_RevertWhen_Cancelled() external {
        cancelAs(guardian, id);
        expectStateInvalid(id, State.Cancelled);
        approveAs(alice, b);
    }

    function test_approve_RevertWhen_Executed() external {
        approveAs(alice, b);
        approveAs(bob, b);
        skip(1 hours);
        execute(b, packed);
        expectStateInvalid(id, State.Executed);
        approveAs(carol, b);
    }

    /// @dev Every field is part of what is approved.
    function test_approve_RevertWhen_AnyFieldDiffers() external {
        for (uint256 field = 0; field < 8; ++field) {
            Batch memory other = b;
            if (field == 0) other.firstNumber += 1;
            else if (field == 1) other.count += 1;
            else if (field == 2) other.tier += 1;
            else if (field == 3) other.total += 1;
            else if (field == 4) other.recipient = known;
            else if (field == 5) other.expiresAt += 1;
            else if (field == 6) other.paymentsHash ^= bytes32(uint256(1));
            else other.context ^= bytes32(uint256(1));
            bytes32 otherId = vault.hashBatch(other);
            assertTrue(otherId != id);
            expectStateInvalid(otherId, State.None);
            approveAs(alice, other);
        }
        assertEq(vault.proposal(id).voteCount(1), 0);
    }

    function test_approve_votesDoNotCrossBetweenProposals() external {
        Batch memory other = header(1, 200, packed);
        bytes32 otherId = proposeAs(proposer, other, packed);
        bytes memory change = abi.encode(SuccessorChange(stranger, nonce(), expiry()));
        vm.prank(proposer);
        bytes32 changeId = vault.proposeChange(ChangeKind.Successor, change);
        approveAs(alice, b);
        assertEq(vault.proposal(otherId).voteCount(1), 0);
        assertEq(vault.proposal(changeId).voteCount(1), 0);
        assertEq(vault.proposal(id).voteCount(1), 1);
    }

    // ── Signer sets ──────────────────────────────────────────────────────────────────────────────────────────────

    function test_approve_votesOfAnOlderSetCountNoMore() external {
        approveAs(alice, b);
        approveAs(bob, b);
        assertState(id, State.Queued);
        changeSigners(addresses(bob, carol, stranger), 2);
        assertState(id, State.Proposed);
        assertEq(vault.proposal(id).voteCount(2), 0);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotSigner.selector, alice));
        approveAs(alice, b);

        // The same key votes afresh; with its old vote and this one it would be three.
        vm.recordLogs();
        approveAs(bob, b);
        assertEvents(events(IVault.Approved.selector));
        assertState(id, State.Proposed);
        assertEq(vault.proposal(id).voteCount(2), 1);
        assertEq(vault.proposal(id).quorumAt(), 0, "the old clock stopped");

        skip(7);
        vm.expectEmit(address(vault));
        emit IVault.Queued(id, stranger);
        approveAs(stranger, b);
        assertEq(vault.proposal(id).quorumAt(), clock());
        assertState(id, State.Queued);
        skip(1 hours - 1);
        assertState(id, State.Queued);
        skip(1);
        assertState(id, State.Ready);
    }

    /// @dev A key that was removed and added again must vote again.
    function test_approve_reAddedSignerHasNoVote() external {
        approveAs(alice, b);
        changeSigners(addresses(bob, carol, stranger), 2);
        _addAliceBack();
        approveAs(bob, b);
        assertState(id, State.Proposed);
        assertEq(vault.proposal(id).voteCount(3), 1);
        approveAs(alice, b);
        assertState(id, State.Queued);
    }

    /// @dev Nobody votes twice by trading places within the set.
    function test_approve_newIndexGivesNoSecondVote() external {
        approveAs(alice, b);
        changeSigners(addresses(bob, alice, carol), 2);
        approveAs(alice, b);
        assertEq(vault.proposal(id).voteCount(2), 1);
        _expectAlreadyApproved(alice);
        approveAs(alice, b);
        assertState(id, State.Proposed);
    }

    function test_approve_lateQuorumOfANewSetNeedsLifeToo() external {
        approveAs(alice, b);
        approveAs(bob, b);
        changeSigners(addresses(carol, bob, alice), 2);
        approveAs(alice, b);
        vm.warp(b.expiresAt - SETTLE - 1 hours + 1);
        expectExpiryOutOfRange(b.expiresAt, 1 hours);
        approveAs(bob, b);
    }

    function _addAliceBack() private {
        bytes memory change = abi.encode(SignersChange(addresses(alice, bob, carol), 2, nonce(), expiry()));
        vm.prank(bob);
        vault.proposeChange(ChangeKind.Signers, change);
        vm.prank(carol);
        vault.approveChange(ChangeKind.Signers, change);
        skip(2 days);
        vm.prank(bob);
        vault.executeChange(ChangeKind.Signers, change);
    }

    function _expectApproved(address signer) private {
        vm.expectEmit(address(vault));
        emit IVault.Approved(id, signer);
    }

    function _expectAlreadyApproved(address signer) private {
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultAlreadyApproved.selector, id, signer));
    }
}
