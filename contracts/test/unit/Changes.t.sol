// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {ChangeKind, State, SuccessorChange} from "../../src/types/VaultTypes.sol";
import {PolicyTest} from "../PolicyTest.sol";

/// @notice What holds for policy changes of every kind: who, when, how often.
contract ChangesTest is PolicyTest {
    ChangeKind private constant SUCCESSOR = ChangeKind.Successor;

    // ── Who ──────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_proposeChange_byProposerIsNoVote() external {
        bytes memory change = successorChange(stranger);
        bytes32 id = vault.hashChange(SUCCESSOR, change);
        vm.expectEmit(address(vault));
        emit IVault.ChangeProposed(id, proposer, SUCCESSOR, change);
        vm.recordLogs();
        vm.prank(proposer);
        assertEq(vault.proposeChange(SUCCESSOR, change), id);
        assertEq(vm.getRecordedLogs().length, 1);
        assertState(id, State.Proposed);
        assertEq(vault.proposal(id).voteCount(1), 0);
    }

    function test_proposeChange_bySignerIsItsVote() external {
        bytes memory change = successorChange(stranger);
        bytes32 id = vault.hashChange(SUCCESSOR, change);
        vm.expectEmit(address(vault));
        emit IVault.ChangeProposed(id, alice, SUCCESSOR, change);
        vm.recordLogs();
        vm.prank(alice);
        vault.proposeChange(SUCCESSOR, change);
        assertEq(vm.getRecordedLogs().length, 1);
        assertState(id, State.Proposed);
        assertTrue(vault.proposal(id).hasVote(1, 0));

        vm.expectEmit(address(vault));
        emit IVault.Queued(id, bob);
        vm.prank(bob);
        vault.approveChange(SUCCESSOR, change);
        assertState(id, State.Queued);
        assertEq(vault.proposal(id).quorumAt(), START);
    }

    function test_proposeChange_RevertWhen_CallerMayNot() external {
        bytes memory change = successorChange(stranger);
        address[3] memory others = [keeper, guardian, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotProposer.selector, others[i]));
            vm.prank(others[i]);
            vault.proposeChange(SUCCESSOR, change);
        }
    }

    function test_proposeChange_proposersTimeEnds() external {
        vm.warp(START + 365 days);
        bytes memory change = successorChange(stranger);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotProposer.selector, proposer));
        vm.prank(proposer);
        vault.proposeChange(SUCCESSOR, change);
        vm.warp(START + 365 days - 1);
        vm.prank(proposer);
        assertState(vault.proposeChange(SUCCESSOR, change), State.Proposed);
    }

    function test_approveChange_RevertWhen_CallerIsNoSigner() external {
        bytes memory change = successorChange(stranger);
        vm.prank(alice);
        vault.proposeChange(SUCCESSOR, change);
        address[4] memory others = [keeper, proposer, guardian, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotSigner.selector, others[i]));
            vm.prank(others[i]);
            vault.approveChange(SUCCESSOR, change);
        }
    }

    function test_approveChange_RevertWhen_AlreadyApproved() external {
        bytes memory change = successorChange(stranger);
        vm.startPrank(alice);
        bytes32 id = vault.proposeChange(SUCCESSOR, change);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultAlreadyApproved.selector, id, alice));
        vault.approveChange(SUCCESSOR, change);
        assertEq(vault.proposal(id).voteCount(1), 1);
    }

    function test_approveChange_RevertWhen_NotProposed() external {
        bytes memory change = successorChange(stranger);
        vm.expectRevert(stateInvalid(vault.hashChange(SUCCESSOR, change), State.None));
        vm.prank(alice);
        vault.approveChange(SUCCESSOR, change);
    }

    function test_executeChange_byKeeperOrSignerOnly() external {
        bytes memory change = successorChange(stranger);
        bytes32 id = readyChange(SUCCESSOR, change);
        address[3] memory others = [proposer, guardian, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotExecutor.selector, others[i]));
            vm.prank(others[i]);
            vault.executeChange(SUCCESSOR, change);
        }
        vm.expectEmit(address(vault));
        emit IVault.ChangeExecuted(id, SUCCESSOR);
        vm.prank(keeper);
        vault.executeChange(SUCCESSOR, change);
        assertState(id, State.Executed);
        assertEq(vault.successor(), stranger);
    }

    // ── When ─────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_executeChange_RevertWhen_DelayRuns() external {
        bytes memory change = successorChange(stranger);
        bytes32 id = approvedChange(SUCCESSOR, change);
        skip(2 days - 1);
        vm.expectRevert(stateInvalid(id, State.Queued));
        executeChange(SUCCESSOR, change);
        skip(1);
        executeChange(SUCCESSOR, change);
        assertState(id, State.Executed);
    }

    function test_executeChange_RevertWhen_Expired() external {
        bytes memory change = successorChange(stranger);
        bytes32 id = approvedChange(SUCCESSOR, change);
        vm.warp(START + 20 days);
        vm.expectRevert(stateInvalid(id, State.Expired));
        executeChange(SUCCESSOR, change);
        vm.warp(START + 20 days - 1);
        executeChange(SUCCESSOR, change);
        assertState(id, State.Executed);
    }

    function test_executeChange_RevertWhen_VotesMissing() external {
        bytes memory change = successorChange(stranger);
        vm.prank(alice);
        bytes32 id = vault.proposeChange(SUCCESSOR, change);
        skip(10 days);
        vm.expectRevert(stateInvalid(id, State.Proposed));
        executeChange(SUCCESSOR, change);
    }

    function test_proposeChange_boundsLife() external {
        (uint40 earliest, uint40 latest) = (START + 2 days + 29 hours, START + 30 days);
        refuseExpiry(earliest - 1, earliest, latest);
        refuseExpiry(latest + 1, earliest, latest);
        refuseExpiry(0, earliest, latest);
        assertState(proposeUntil(earliest), State.Proposed);
        assertState(proposeUntil(latest), State.Proposed);
    }

    function test_proposeChange_RevertWhen_ExpiryTooWide() external {
        uint256 tooWide = 2 ** 40 + START + 10 days;
        vm.expectRevert(bytes(""));
        vm.prank(alice);
        vault.proposeChange(SUCCESSOR, abi.encode(stranger, 1, tooWide));
    }

    function test_approveChange_quorumNeedsLife() external {
        uint40 expiresAt = START + 20 days;
        bytes memory change = abi.encode(SuccessorChange(stranger, 1, expiresAt));
        vm.prank(alice);
        bytes32 id = vault.proposeChange(SUCCESSOR, change);
        uint40 last = expiresAt - 2 days - 29 hours;
        vm.warp(last + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IVault.VaultExpiryOutOfRange.selector, expiresAt, expiresAt + 1, last + 1 + uint40(30 days)
            )
        );
        vm.prank(bob);
        vault.approveChange(SUCCESSOR, change);
        vm.warp(last);
        vm.prank(bob);
        vault.approveChange(SUCCESSOR, change);
        assertState(id, State.Queued);
    }

    // ── How often ────────────────────────────────────────────────────────────────────────────────────────────────

    function test_executeChange_RevertWhen_Executed() external {
        bytes memory change = successorChange(stranger);
        bytes32 id = enact(SUCCESSOR, change);
        vm.expectRevert(stateInvalid(id, State.Executed));
        executeChange(SUCCESSOR, change);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultAlreadyProposed.selector, id, State.Executed));
        vm.prank(alice);
        vault.proposeChange(SUCCESSOR, change);
    }

    function test_proposeChange_nonceKeepsEqualChangesApart() external {
        bytes memory first = successorChange(stranger);
        bytes memory second = successorChange(stranger);
        enact(SUCCESSOR, first);
        enact(SUCCESSOR, successorChange(payee));
        bytes32 id = enact(SUCCESSOR, second);
        assertState(id, State.Executed);
        assertEq(vault.successor(), stranger);
    }

    function test_hashChange_kindsOfOneShapeDiffer() external {
        bytes memory change = successorChange(stranger); // three words, as an unfreeze and a sweep have
        bytes32 id = vault.hashChange(SUCCESSOR, change);
        assertNotEq(id, vault.hashChange(ChangeKind.Sweep, change));
        assertNotEq(id, vault.hashChange(ChangeKind.Unfreeze, change));
        readyChange(SUCCESSOR, change);
        vm.expectRevert(stateInvalid(vault.hashChange(ChangeKind.Sweep, change), State.None));
        executeChange(ChangeKind.Sweep, change);
    }

    // ── Veto ─────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_cancel_everyKindButGuardiansUnfreezeAndTighten() external {
        vm.prank(guardian);
        vault.freeze(); // so that there is something to unfreeze
        for (uint8 k = 0; k <= uint8(type(ChangeKind).max); ++k) {
            ChangeKind kind = ChangeKind(k);
            bytes memory change = sampleChange(kind);
            vm.prank(alice);
            bytes32 id = vault.proposeChange(kind, change); // what only tightens takes effect with its quorum
            State before = State.Proposed;
            if (kind != ChangeKind.Tighten) {
                vm.prank(bob);
                vault.approveChange(kind, change);
                before = State.Queued;
            }
            bool vetoable = !vault.proposal(id).instant() && kind != ChangeKind.Guardians && kind != ChangeKind.Unfreeze;
            if (vetoable) vm.expectEmit(address(vault));
            else vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotVetoable.selector, id));
            if (vetoable) emit IVault.Cancelled(id, guardian);
            vm.prank(guardian);
            vault.cancel(id);
            assertState(id, vetoable ? State.Cancelled : before);
        }
    }

    function test_executeChange_RevertWhen_Cancelled() external {
        bytes memory change = successorChange(stranger);
        bytes32 id = readyChange(SUCCESSOR, change);
        vm.prank(guardian);
        vault.cancel(id);
        vm.expectRevert(stateInvalid(id, State.Cancelled));
        executeChange(SUCCESSOR, change);
        assertEq(vault.successor(), address(0));
    }

    // ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    function refuseExpiry(uint40 expiresAt, uint40 earliest, uint40 latest) private {
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultExpiryOutOfRange.selector, expiresAt, earliest, latest));
        proposeUntil(expiresAt);
    }

    function proposeUntil(uint40 expiresAt) private returns (bytes32) {
        vm.prank(alice);
        return vault.proposeChange(SUCCESSOR, abi.encode(SuccessorChange(stranger, 1, expiresAt)));
    }
}
