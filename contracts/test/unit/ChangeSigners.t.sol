// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Policy} from "../../src/libraries/Policy.sol";
import {Batch, ChangeKind, Configuration, Role, State} from "../../src/types/VaultTypes.sol";
import {Deploy} from "../Deploy.sol";
import {PolicyTest} from "../PolicyTest.sol";
import {Tokens} from "../mocks/Tokens.sol";

contract ChangeSignersTest is PolicyTest {
    ChangeKind private constant SIGNERS = ChangeKind.Signers;

    address private dave = makeAddr("dave");
    address private erin = makeAddr("erin");

    function test_changeSigners_replacesTheSet() external {
        address[] memory next = addresses(dave, carol, erin);
        bytes memory change = signersChange(next, 3);
        bytes32 id = readyChange(SIGNERS, change);
        vm.expectEmit(address(vault));
        emit IVault.ChangeExecuted(id, SIGNERS);
        vm.expectEmit(address(vault));
        emit IVault.SignersSet(2, addresses(alice, bob, carol), next, 2, 3);
        vm.recordLogs();
        executeChange(SIGNERS, change);
        assertEq(vm.getRecordedLogs().length, 2);

        assertEq(vault.signers(), next);
        assertEq(vault.threshold(), 3);
        assertEq(vault.hot().epoch(), 2);
        for (uint256 i = 0; i < next.length; ++i) {
            assertEq(vault.member(next[i]).signerEpoch(), 2);
            assertEq(vault.member(next[i]).signerIndex(), i);
        }
        assertFalse(vault.member(alice).isSigner());
        assertFalse(vault.member(bob).isSigner());
    }

    function test_changeSigners_removedCanDoNothing() external {
        enact(SIGNERS, signersChange(addresses(dave, carol, erin), 2));
        bytes memory packed = payment(payee, USDT, 1);
        Batch memory b = header(1, 1, packed);
        bytes memory change = successorChange(stranger);
        bytes32 id = vault.hashBatch(b);
        vm.prank(carol);
        vault.propose(orderOf(b), packed);

        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotSigner.selector, alice));
        vault.approve(b);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotSigner.selector, alice));
        vault.revoke(id);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotProposer.selector, alice));
        vault.proposeChange(ChangeKind.Successor, change);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotExecutor.selector, alice));
        vault.executeChange(ChangeKind.Successor, change);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotFreezer.selector, alice));
        vault.freeze();
    }

    // ── Votes ────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_attack13_changeSigners_dropsVotesOfOldSet() external {
        (Batch memory b, bytes memory packed, bytes32 id) = queuedBatch();
        enact(SIGNERS, signersChange(addresses(dave, carol, bob), 2));
        assertState(id, State.Proposed);
        assertEq(vault.proposal(id).voteCount(2), 0);
        assertEq(vault.proposal(id).voteCount(1), 2);
        vm.expectRevert(stateInvalid(id, State.Proposed));
        execute(b, packed);
    }

    function test_attack14_changeSigners_readdedSignerRevivesNothing() external {
        (Batch memory b,, bytes32 id) = queuedBatch();
        enact(SIGNERS, signersChange(addresses(dave, carol, erin), 2));
        vm.startPrank(carol);
        bytes memory change = signersChange(addresses(alice, bob, carol), 2);
        vault.proposeChange(SIGNERS, change);
        vm.stopPrank();
        vm.prank(dave);
        vault.approveChange(SIGNERS, change);
        skip(2 days);
        vm.prank(keeper);
        vault.executeChange(SIGNERS, change);

        assertEq(vault.signers(), addresses(alice, bob, carol));
        assertEq(vault.hot().epoch(), 3);
        assertState(id, State.Proposed);
        assertEq(vault.proposal(id).voteCount(3), 0);
        vm.prank(alice);
        vault.approve(b);
        assertEq(vault.proposal(id).voteCount(3), 1);
        assertState(id, State.Proposed);
    }

    function test_changeSigners_newVotesStartTheClockAfresh() external {
        (Batch memory b, bytes memory packed, bytes32 id) = queuedBatch();
        enact(SIGNERS, signersChange(addresses(carol, bob, alice), 2));
        vm.prank(alice);
        vault.approve(b);
        vm.expectEmit(address(vault));
        emit IVault.Queued(id, bob);
        vm.prank(bob);
        vault.approve(b);
        assertEq(vault.proposal(id).quorumAt(), block.timestamp);
        skip(1 hours - 1);
        vm.expectRevert(stateInvalid(id, State.Queued));
        execute(b, packed);
        skip(1);
        assertEq(execute(b, packed), 1);
    }

    function test_attack15_changeSigners_nobodyVotesTwice() external {
        bytes memory change = successorChange(stranger);
        vm.prank(alice);
        bytes32 id = vault.proposeChange(ChangeKind.Successor, change);
        enact(SIGNERS, signersChange(addresses(bob, carol, alice), 2)); // alice's bit moves from 0 to 2
        vm.startPrank(alice);
        vault.approveChange(ChangeKind.Successor, change);
        assertEq(vault.proposal(id).voteCount(2), 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultAlreadyApproved.selector, id, alice));
        vault.approveChange(ChangeKind.Successor, change);
    }

    function test_changeSigners_delayOnlyTierKeepsItsClock() external {
        Configuration memory c = configuration();
        c.tiers[1].approvals = 0;
        vault = Deploy.twin(c);
        Tokens.give(usdt, address(vault), 1000 * USDT);
        bytes memory packed = payment(payee, USDT, 1);
        Batch memory b = header(1, 1, packed);
        vm.prank(proposer);
        bytes32 id = vault.propose(orderOf(b), packed);
        assertState(id, State.Queued);
        enact(SIGNERS, signersChange(addresses(dave, carol, erin), 2));
        assertState(id, State.Ready);
        assertEq(execute(b, packed), 1);
    }

    // ── Threshold ────────────────────────────────────────────────────────────────────────────────────────────────

    function test_attack16_changeSigners_lowerThresholdIsNotForPending() external {
        bytes memory change = successorChange(stranger);
        vm.prank(proposer);
        bytes32 id = vault.proposeChange(ChangeKind.Successor, change);
        enact(SIGNERS, signersChange(addresses(alice, bob, carol), 1));
        assertEq(vault.threshold(), 1);
        vm.prank(alice);
        vault.approveChange(ChangeKind.Successor, change);
        assertState(id, State.Proposed);
        vm.prank(bob);
        vault.approveChange(ChangeKind.Successor, change);
        assertState(id, State.Queued);

        change = successorChange(payee);
        vm.prank(alice);
        id = vault.proposeChange(ChangeKind.Successor, change);
        assertState(id, State.Queued);
    }

    function test_changeSigners_higherThresholdIsForPendingToo() external {
        bytes memory change = successorChange(stranger);
        vm.prank(proposer);
        bytes32 id = vault.proposeChange(ChangeKind.Successor, change);
        enact(SIGNERS, signersChange(addresses(alice, bob, carol), 3));
        vm.prank(alice);
        vault.approveChange(ChangeKind.Successor, change);
        vm.prank(bob);
        vault.approveChange(ChangeKind.Successor, change);
        skip(2 days);
        assertState(id, State.Proposed);
        vm.expectRevert(stateInvalid(id, State.Proposed));
        executeChange(ChangeKind.Successor, change);
        vm.expectEmit(address(vault));
        emit IVault.Queued(id, carol);
        vm.prank(carol);
        vault.approveChange(ChangeKind.Successor, change);
        assertEq(vault.proposal(id).quorumAt(), clock() - 2 days, "of the stored two votes");
        skip(2 days - 1);
        vm.expectRevert(stateInvalid(id, State.Queued));
        executeChange(ChangeKind.Successor, change);
        skip(1);
        executeChange(ChangeKind.Successor, change);
    }

    // ── What an address keeps ────────────────────────────────────────────────────────────────────────────────────

    function test_attack35_changeSigners_coolDownOutlivesTheSet() external {
        vm.prank(alice);
        vault.freeze();
        uint256 againAt = START + 8 days;
        enact(SIGNERS, signersChange(addresses(carol, bob, alice), 2));
        assertEq(vault.member(alice).freezeAgainAt(), againAt);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultFreezeCoolingDown.selector, alice, againAt));
        vm.prank(alice);
        vault.freeze();
    }

    function test_changeSigners_rolesStay() external {
        bytes memory grant = roleChange(alice, Role.Keeper, 0, START + 100 days);
        enact(ChangeKind.Role, grant);
        enact(SIGNERS, signersChange(addresses(dave, carol, bob), 2));
        assertFalse(vault.member(alice).isSigner());
        assertEq(vault.member(alice).until(Role.Keeper), START + 100 days);
    }

    // ── Rules ────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_changeSigners_boundsSigners() external {
        bytes memory reason = outOfRange(Policy.Field.SignerCount, 0, 0, 1, 32);
        proposalReverts(SIGNERS, signersChange(new address[](0), 0), reason);
        reason = outOfRange(Policy.Field.SignerCount, 0, 33, 1, 32);
        proposalReverts(SIGNERS, signersChange(crowd(33), 3), reason);
        enact(SIGNERS, signersChange(crowd(32), 3));
        assertEq(vault.signers(), crowd(32));
        assertEq(vault.member(crowd(32)[31]).signerIndex(), 31);
    }

    function test_changeSigners_boundsThreshold() external {
        bytes memory reason = outOfRange(Policy.Field.Threshold, 0, 0, 1, 3);
        proposalReverts(SIGNERS, signersChange(crowd(3), 0), reason);
        reason = outOfRange(Policy.Field.Threshold, 0, 4, 1, 3);
        proposalReverts(SIGNERS, signersChange(crowd(3), 4), reason);
        enact(SIGNERS, signersChange(crowd(3), 3));
        assertEq(vault.threshold(), 3);
    }

    function test_attack44_changeSigners_RevertWhen_TierWouldNeedMoreThanAll() external {
        bytes memory reason = outOfRange(Policy.Field.Approvals, 2, 3, 2, 2);
        enactReverts(SIGNERS, signersChange(addresses(alice, bob), 2), reason);
        assertEq(vault.signers(), addresses(alice, bob, carol));
    }

    function test_changeSigners_RevertWhen_TopTierWouldNeedLessThanThreshold() external {
        bytes memory reason = outOfRange(Policy.Field.Approvals, 2, 3, 4, 4);
        enactReverts(SIGNERS, signersChange(crowd(4), 4), reason);
        enact(SIGNERS, signersChange(crowd(4), 3));
        assertEq(vault.threshold(), 3);
    }

    function test_changeSigners_RevertWhen_AddressInvalid() external {
        address[3] memory bad = [address(0), address(vault), address(usdt)];
        for (uint256 i = 0; i < bad.length; ++i) {
            proposalReverts(SIGNERS, signersChange(addresses(alice, bob, bad[i]), 2), addressInvalid(bad[i]));
        }
        proposalReverts(SIGNERS, signersChange(addresses(dave, erin, dave), 2), addressInvalid(dave));
    }

    function queuedBatch() private returns (Batch memory b, bytes memory packed, bytes32 id) {
        packed = payment(payee, USDT, 1);
        b = header(1, 1, packed);
        id = proposeAndApprove(b, packed, 2);
        assertState(id, State.Queued);
    }
}
