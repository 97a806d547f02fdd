// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {ChangeKind, State, Vote} from "../../src/types/VaultTypes.sol";
import {Eip712} from "./Eip712.sol";
import {SignedTest} from "./SignedTest.sol";

/// @notice `proposeChangeBySig` and `approveChangeBySig`: policy changes of every kind by signatures that anybody brings.
contract ChangeBySigTest is SignedTest {
    ChangeKind private constant SUCCESSOR = ChangeKind.Successor;

    // ── Every kind ───────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev Digests are the plain twin's: field by field, type by type.
    function test_changeBySig_everyKind() external {
        freezeAs(guardian); // so that there is something to unfreeze
        for (uint8 k = 0; k <= uint8(type(ChangeKind).max); ++k) {
            ChangeKind kind = ChangeKind(k);
            bytes memory change = sampleChange(kind);
            bytes32 id = vault.hashChange(kind, change);
            vm.recordLogs();
            vm.expectEmit(address(vault));
            emit IVault.ChangeProposed(id, carol, kind, change);
            assertEq(propose(kind, change, signedBy(addresses(carol), kind, change)), id);
            assertEvents(events(IVault.ChangeProposed.selector));
            assertState(id, State.Proposed);
            vm.recordLogs();
            vm.expectEmit(address(vault));
            emit IVault.Queued(id, alice);
            approve(kind, change, signedBy(addresses(alice), kind, change));
            assertEq(vault.proposal(id).voteCount(1), 2);
            if (kind != ChangeKind.Tighten) assertEvents(events(IVault.Queued.selector));
            assertState(id, kind == ChangeKind.Tighten ? State.Executed : State.Queued);
        }
    }

    function test_changeBySig_inOneCall() external {
        bytes memory change = successorChange(stranger);
        bytes32 id = vault.hashChange(SUCCESSOR, change);
        vm.recordLogs();
        vm.expectEmit(address(vault));
        emit IVault.ChangeProposed(id, bob, SUCCESSOR, change);
        vm.expectEmit(address(vault));
        emit IVault.Queued(id, alice);
        vm.expectEmit(address(vault));
        emit IVault.Approved(id, carol);
        propose(SUCCESSOR, change, signedBy(addresses(bob, alice, carol), SUCCESSOR, change));
        assertEvents(events(IVault.ChangeProposed.selector, IVault.Queued.selector, IVault.Approved.selector));
        skip(2 days - 1);
        vm.expectRevert(stateInvalid(id, State.Queued));
        executeChange(SUCCESSOR, change);
        skip(1);
        executeChange(SUCCESSOR, change);
        assertEq(vault.successor(), stranger);
    }

    /// @dev Kinds of one shape differ by the type of the vote, and a vote for a batch is none for a change.
    function test_changeBySig_RevertWhen_TypeIsAnother() external {
        bytes memory change = successorChange(stranger);
        ChangeKind[2] memory others = [ChangeKind.Sweep, ChangeKind.Unfreeze];
        for (uint256 i = 0; i < 2; ++i) {
            Vote[] memory list = new Vote[](1);
            bytes32 content =
                keccak256(abi.encode(Eip712.approvalType(others[i]), alice, 1, Eip712.hash(SUCCESSOR, change)));
            bytes32 digest = Eip712.digest(address(vault), block.chainid, content);
            list[0] = Vote(alice, signatureOf(keyOf(alice), digest));
            _proposalInvalid(change, list);
            bytes32 otherHash = keccak256(bytes.concat(keccak256(bytes(Eip712.encodeType(others[i]))), change));
            content = keccak256(abi.encode(Eip712.approvalType(SUCCESSOR), alice, 1, otherHash));
            digest = Eip712.digest(address(vault), block.chainid, content);
            list[0] = Vote(alice, signatureOf(keyOf(alice), digest));
            _proposalInvalid(change, list);
        }
        bytes32 batchVote = keccak256(
            "Approval(address signer,uint24 epoch,Batch batch)Batch(uint64 firstNumber,uint16 count,uint8 tier,uint128 total,address recipient,uint40 expiresAt,bytes32 paymentsHash,bytes32 context)"
        );
        bytes32 structHash = keccak256(abi.encode(batchVote, alice, 1, Eip712.hash(SUCCESSOR, change)));
        bytes32 asBatch = Eip712.digest(address(vault), block.chainid, structHash);
        _proposalInvalid(change, votes(Vote(alice, signatureOf(keyOf(alice), asBatch))));
        bytes32 id = vault.hashChange(SUCCESSOR, change);
        _proposalInvalid(change, votes(Vote(alice, signatureOf(keyOf(alice), id))));
        propose(SUCCESSOR, change, signedBy(addresses(alice), SUCCESSOR, change));
    }

    function test_changeBySig_RevertWhen_AnotherEpochOrSigner() external {
        bytes memory change = successorChange(stranger);
        bytes32 digest = Eip712.vote(address(vault), alice, 2, SUCCESSOR, change);
        _proposalInvalid(change, votes(Vote(alice, signatureOf(keyOf(alice), digest))));
        digest = Eip712.vote(address(vault), bob, 1, SUCCESSOR, change);
        _proposalInvalid(change, votes(Vote(alice, signatureOf(keyOf(alice), digest))));
        Vote[] memory list = signedBy(addresses(stranger), SUCCESSOR, change);
        vm.expectRevert(notSigner(stranger));
        propose(SUCCESSOR, change, list);
    }

    // ── Votes ────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_changeBySig_RevertWhen_Empty() external {
        bytes memory change = successorChange(stranger);
        vm.expectRevert(votesMissing());
        propose(SUCCESSOR, change, new Vote[](0));
        propose(SUCCESSOR, change, signedBy(addresses(alice), SUCCESSOR, change));
        vm.expectRevert(votesMissing());
        approve(SUCCESSOR, change, new Vote[](0));
    }

    function test_changeBySig_countsEachOnce() external {
        bytes memory change = successorChange(stranger);
        Vote[] memory list = signedBy(addresses(alice, alice, alice), SUCCESSOR, change);
        bytes32 id = propose(SUCCESSOR, change, list);
        assertEq(vault.proposal(id).voteCount(1), 1);
        vm.expectRevert(alreadyApproved(id, alice));
        approve(SUCCESSOR, change, list);
        list[1] = signed(bob, SUCCESSOR, change);
        approve(SUCCESSOR, change, list);
        assertState(id, State.Queued);
    }

    function test_approveChangeBySig_RevertWhen_NotProposed() external {
        bytes memory change = successorChange(stranger);
        Vote[] memory list = signedBy(addresses(alice), SUCCESSOR, change);
        vm.expectRevert(stateInvalid(vault.hashChange(SUCCESSOR, change), State.None));
        approve(SUCCESSOR, change, list);
    }

    function test_changeBySig_RevertWhen_Revoked() external {
        bytes memory change = successorChange(stranger);
        bytes32 id = vault.hashChange(SUCCESSOR, change);
        Vote[] memory list = signedBy(addresses(alice, bob), SUCCESSOR, change);
        revokeAs(alice, id);
        vm.expectRevert(voteRevoked(id, alice));
        propose(SUCCESSOR, change, list);
        propose(SUCCESSOR, change, votes(list[1]));
        vm.expectRevert(voteRevoked(id, alice));
        approve(SUCCESSOR, change, votes(list[0]));
        vm.prank(alice);
        vault.approveChange(SUCCESSOR, change);
        assertState(id, State.Queued);
    }

    function test_proposeChangeBySig_RevertWhen_AlreadyProposed() external {
        bytes memory change = successorChange(stranger);
        Vote[] memory list = signedBy(addresses(alice, bob), SUCCESSOR, change);
        bytes32 id = propose(SUCCESSOR, change, votes(list[0]));
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultAlreadyProposed.selector, id, State.Proposed));
        propose(SUCCESSOR, change, list);
    }

    function test_approveChangeBySig_quorumNeedsLife() external {
        bytes memory change = successorChange(stranger);
        Vote[] memory list = signedBy(addresses(alice, bob), SUCCESSOR, change);
        bytes32 id = propose(SUCCESSOR, change, votes(list[0]));
        uint256 end = vault.proposal(id).expiresAt();
        vm.warp(end - SETTLE - 2 days + 1);
        expectExpiryOutOfRange(end, 2 days);
        approve(SUCCESSOR, change, list);
        rewind(1);
        approve(SUCCESSOR, change, list);
        assertState(id, State.Queued);
    }

    /// @dev Votes of the old set end with the change that they brought about.
    function test_changeBySig_signersChange() external {
        bytes memory change = signersChange(addresses(alice, bob, stranger), 2);
        Vote[] memory list = signedBy(addresses(alice, bob), ChangeKind.Signers, change);
        propose(ChangeKind.Signers, change, list);
        bytes memory next = successorChange(payee);
        Vote[] memory old = signedBy(addresses(alice), SUCCESSOR, next);
        skip(2 days);
        executeChange(ChangeKind.Signers, change);
        _proposalInvalid(next, old);
        Vote[] memory fresh = signedBy(addresses(stranger, alice), SUCCESSOR, next);
        assertState(propose(SUCCESSOR, next, fresh), State.Queued);
    }

    // ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    function propose(ChangeKind kind, bytes memory change, Vote[] memory list) private returns (bytes32) {
        vm.prank(stranger);
        return vault.proposeChangeBySig(kind, change, list);
    }

    function approve(ChangeKind kind, bytes memory change, Vote[] memory list) private {
        vm.prank(stranger);
        vault.approveChangeBySig(kind, change, list);
    }

    function _proposalInvalid(bytes memory change, Vote[] memory list) private {
        vm.expectRevert(signatureInvalid(list[0].signer));
        propose(SUCCESSOR, change, list);
    }
}
