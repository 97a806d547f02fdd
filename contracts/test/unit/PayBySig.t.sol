// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Proposal} from "../../src/types/Proposal.sol";
import {Batch, Configuration, Refusal, Role, Standing, State, Tier, Vote} from "../../src/types/VaultTypes.sol";
import {ContractSigner} from "../mocks/signers/ContractSigner.sol";
import {SignedTest} from "./SignedTest.sol";

/// @notice `payBySig`: keeper or signer pays at once what a quorum signed, in a tier of votes without delay.
contract PayBySigTest is SignedTest {
    bytes private packed = payments(3, 5 * UNIT, 1);

    /// @dev Tier 1 asks for two votes and no time.
    function configuration() internal override returns (Configuration memory c) {
        c = super.configuration();
        c.tiers[1].delay = 0;
    }

    // ── Paying ───────────────────────────────────────────────────────────────────────────────────────────────────

    function test_payBySig_paysAndLeavesNoProposal() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = vault.hashBatch(b);
        vm.recordLogs();
        vm.expectEmit(address(vault));
        emit IVault.Approved(id, carol);
        vm.expectEmit(address(vault));
        emit IVault.Approved(id, alice);
        vm.expectEmit(address(vault));
        emit IVault.BatchPaid(id, orderOf(b), 7, packed);
        assertEq(payBySig(b, packed, signedBy(addresses(carol, alice), b)), 7);
        assertEvents(events(IVault.Approved.selector, IVault.Approved.selector, IVault.BatchPaid.selector));
        assertEq(Proposal.unwrap(vault.proposal(id)), 0);
        assertState(id, State.None);
        assertEq(vault.paidMask(100, 3), 7);
        assertEq(vault.headroom(1), 500_000 * USDT - 15 * UNIT);
        assertEq(vault.headroom(0), 100_000 * USDT);
        for (uint256 i = 0; i < 3; ++i) {
            assertEq(usdt.balanceOf(recipientAt(1, i)), 5 * UNIT);
        }
        assertEq(usdt.balanceOf(address(vault)), FUNDS - 15 * UNIT);
    }

    function test_payBySig_takesMoreVotesThanNeeded() external {
        Batch memory b = header(1, 100, packed);
        vm.recordLogs();
        payBySig(b, packed, signedBy(addresses(alice, bob, carol), b));
        assertEvents(
            events(
                IVault.Approved.selector, IVault.Approved.selector, IVault.Approved.selector, IVault.BatchPaid.selector
            )
        );
    }

    /// @dev Signers' numbers, the upper half, as well as the keeper's.
    function test_payBySig_paysNumbersOfBothHalves() external {
        Batch memory b = header(1, type(uint64).max - 2, packed);
        assertEq(payBySig(b, packed, signedBy(addresses(alice, bob), b)), 7);
        assertTrue(vault.isPaid(type(uint64).max));
        b = header(1, (1 << 63) - 1, packed);
        assertEq(payBySig(b, packed, signedBy(addresses(alice, bob), b)), 7);
        b.firstNumber = type(uint64).max - 1;
        Vote[] memory list = signedBy(addresses(alice, bob), b);
        vm.expectRevert(
            abi.encodeWithSelector(IVault.VaultNumberOutOfRange.selector, b.firstNumber, 3, uint256(1) << 64)
        );
        payBySig(b, packed, list);
    }

    // ── Who ──────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_payBySig_byKeeperOrSignerOnly() external {
        Batch memory b = header(1, 100, packed);
        Vote[] memory list = signedBy(addresses(alice, bob), b);
        bytes memory call = abi.encodeCall(IVault.payBySig, (orderOf(b), packed, list));
        assertOnly(addresses(keeper, alice), call, IVault.VaultNotExecutor.selector);
        vm.prank(guardian);
        vault.revokeRole(keeper, Role.Keeper);
        assertReverts(keeper, call, abi.encodeWithSelector(IVault.VaultNotExecutor.selector, keeper));
        vm.prank(carol);
        assertEq(vault.payBySig(orderOf(b), packed, list), 7);
    }

    /// @dev A signer that calls does not vote by it.
    function test_payBySig_RevertWhen_CallerIsTheMissingVote() external {
        Batch memory b = header(1, 100, packed);
        Vote[] memory list = signedBy(addresses(alice), b);
        vm.expectRevert(votesShort(vault.hashBatch(b), 1, 2));
        vm.prank(bob);
        vault.payBySig(orderOf(b), packed, list);
    }

    // ── Tiers ────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_payBySig_RevertWhen_TierIsNotOfVotesAlone() external {
        Batch memory b = header(0, 100, packed);
        Vote[] memory list = signedBy(addresses(alice, bob), b);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierAutomatic.selector, 0));
        payBySig(b, packed, list);
        uint8[3] memory unknown = [3, 4, 255];
        for (uint256 i = 0; i < 3; ++i) {
            b.tier = unknown[i];
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierUnknown.selector, unknown[i], 3));
            payBySig(b, packed, list);
        }
        b.tier = 2;
        list = signedBy(addresses(alice, bob, carol), b);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierDelayed.selector, 2, 1 days));
        payBySig(b, packed, list);
    }

    function test_payBySig_RevertWhen_TierAsksForTimeAlone() external {
        Tier[] memory t = standardTiers();
        (t[1].approvals, t[1].delay) = (0, 1);
        useTiers(t);
        Batch memory b = header(1, 100, packed);
        Vote[] memory list = signedBy(addresses(alice, bob), b);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierDelayed.selector, 1, 1));
        payBySig(b, packed, list);
    }

    /// @dev The lowest tier lives in another word than the rest.
    function test_payBySig_inTheLowestTier() external {
        Tier[] memory t = standardTiers();
        (t[0].approvals, t[1].delay) = (1, 0);
        useTiers(t);
        Batch memory b = header(0, 100, packed);
        Vote[] memory list = signedBy(addresses(bob), b);
        vm.expectRevert(votesShort(vault.hashBatch(b), 0, 1));
        payBySig(b, packed, new Vote[](0));
        assertEq(payBySig(b, packed, list), 7);
        assertEq(vault.headroom(0), 100_000 * USDT - 15 * UNIT);
    }

    /// @dev What the policy asks for now holds, not what it asked for when signed.
    function test_payBySig_RevertWhen_MoreIsAskedForMeanwhile() external {
        Batch memory b = header(1, 100, packed);
        Vote[] memory list = signedBy(addresses(alice, bob, carol), b);
        Tier[] memory t = standardTiers();
        (t[1].approvals, t[1].delay) = (3, 0);
        changeTiers(t);
        vm.expectRevert(votesShort(vault.hashBatch(b), 2, 3));
        payBySig(b, packed, votes(list[0], list[1]));
        uint256 snapshot = vm.snapshotState();
        assertEq(payBySig(b, packed, list), 7);
        vm.revertToState(snapshot);
        t[1].delay = 1;
        changeTiers(t);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierDelayed.selector, 1, 1));
        payBySig(b, packed, list);
    }

    // ── Votes ────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_payBySig_RevertWhen_VotesAreShort() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = vault.hashBatch(b);
        vm.expectRevert(votesShort(id, 0, 2));
        payBySig(b, packed, new Vote[](0));
        Vote memory v = signed(alice, b);
        vm.expectRevert(votesShort(id, 1, 2));
        payBySig(b, packed, votes(v));
        vm.expectRevert(votesShort(id, 1, 2));
        payBySig(b, packed, votes(v, v, v));
        assertEq(vault.paidMask(100, 3), 0);
    }

    /// @dev One that is there twice counts once, and is logged once.
    function test_payBySig_passesOverDuplicates() external {
        Batch memory b = header(1, 100, packed);
        (Vote memory a, Vote memory c) = (signed(alice, b), signed(carol, b));
        vm.recordLogs();
        payBySig(b, packed, votes(a, a, c));
        assertEvents(events(IVault.Approved.selector, IVault.Approved.selector, IVault.BatchPaid.selector));
    }

    function test_payBySig_RevertWhen_VoteIsNone() external {
        Batch memory b = header(1, 100, packed);
        Vote[] memory list = signedBy(addresses(alice, bob, stranger), b);
        vm.expectRevert(notSigner(stranger));
        payBySig(b, packed, list);
        list[2] = Vote(carol, list[0].signature);
        vm.expectRevert(signatureInvalid(carol));
        payBySig(b, packed, list);
        b.context = "another";
        vm.expectRevert(signatureInvalid(alice));
        payBySig(b, packed, list);
    }

    function test_payBySig_RevertWhen_SetIsAnother() external {
        Batch memory b = header(1, 100, packed);
        Vote[] memory list = signedBy(addresses(alice, bob), b);
        changeSigners(addresses(alice, bob, stranger), 2);
        vm.expectRevert(signatureInvalid(alice));
        payBySig(b, packed, list);
        assertEq(payBySig(b, packed, signedBy(addresses(alice, bob), b)), 7);
    }

    function test_payBySig_RevertWhen_Revoked() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = vault.hashBatch(b);
        Vote[] memory list = signedBy(addresses(alice, bob), b);
        revokeAs(bob, id);
        vm.expectRevert(voteRevoked(id, bob));
        payBySig(b, packed, list);
        assertEq(payBySig(b, packed, signedBy(addresses(alice, carol), b)), 7);
        assertTrue(vault.proposal(id).hasRevoked(1, 1), "stays");
    }

    /// @dev Revocations of an older set are not this one's.
    function test_payBySig_revocationEndsWithTheSet() external {
        Batch memory b = header(1, 100, packed);
        revokeAs(bob, vault.hashBatch(b));
        changeSigners(addresses(alice, bob, stranger), 2);
        assertEq(payBySig(b, packed, signedBy(addresses(alice, bob), b)), 7);
    }

    /// @dev A contract is asked at each call: what it said before is not kept.
    function test_payBySig_asksContractsAgain() external {
        ContractSigner contractSigner = new ContractSigner();
        changeSigners(addresses(alice, bob, address(contractSigner)), 2);
        Batch memory b = header(1, 100, packed);
        Vote[] memory list = votes(signed(alice, b), Vote(address(contractSigner), ""));
        contractSigner.setAnswer(ContractSigner.Answer.Yes);
        blockAs(guardian, recipientAt(1, 0));
        assertEq(payBySig(b, packed, list), 6);
        changeStanding(recipientAt(1, 0), Standing.Blocked, Standing.Unknown);
        contractSigner.setAnswer(ContractSigner.Answer.No);
        vm.expectRevert(signatureInvalid(address(contractSigner)));
        payBySig(b, packed, list);
    }

    // ── Proposals under the id ───────────────────────────────────────────────────────────────────────────────────

    function test_payBySig_RevertWhen_Proposed() external {
        Batch memory b = header(1, 100, packed);
        Vote[] memory list = signedBy(addresses(alice, bob), b);
        bytes32 id = proposeAs(proposer, b, packed);
        _expectTaken(id, State.Proposed);
        payBySig(b, packed, list);
        uint256 snapshot = vm.snapshotState();
        cancelAs(guardian, id);
        _expectTaken(id, State.Cancelled);
        payBySig(b, packed, list);
        vm.revertToState(snapshot);
        approveBySig(b, list);
        _expectTaken(id, State.Ready);
        payBySig(b, packed, list);
        assertEq(execute(b, packed), 7);
    }

    /// @dev It leaves no proposal, so the same may still be proposed; the rest is then paid by it.
    function test_payBySig_restMayBeProposed() external {
        Batch memory b = header(1, 100, packed);
        Vote[] memory list = signedBy(addresses(alice, bob), b);
        blockAs(guardian, recipientAt(1, 0));
        payBySig(b, packed, list);
        changeStanding(recipientAt(1, 0), Standing.Blocked, Standing.Unknown);
        bytes32 id = proposeBySig(b, packed, list);
        _expectTaken(id, State.Ready);
        payBySig(b, packed, list);
        assertEq(execute(b, packed), 1);
        assertState(id, State.Executed);
    }

    // ── Life ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev An order that is dead already is told the range as well: `VaultExpired` is what `pay` says, which takes any end.
    function test_payBySig_boundsLife() external {
        Batch memory b = header(1, 100, packed);
        uint40[4] memory wrong = [START, START - 1, 0, START + 30 days + 1];
        for (uint256 i = 0; i < 4; ++i) {
            b.expiresAt = wrong[i];
            Vote[] memory list = signedBy(addresses(alice, bob), b);
            vm.expectRevert(
                abi.encodeWithSelector(IVault.VaultExpiryOutOfRange.selector, wrong[i], START + 1, START + 30 days)
            );
            payBySig(b, packed, list);
        }
        b.expiresAt = START + 1;
        assertEq(payBySig(b, packed, signedBy(addresses(alice, bob), b)), 7);
        b = header(1, 200, packed);
        b.expiresAt = START + 30 days;
        assertEq(payBySig(b, packed, signedBy(addresses(alice, bob), b)), 7);
    }

    // ── What is paid ─────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev What is not paid stays open: the same votes pay it later.
    function test_payBySig_paysTheRestWithTheSameVotes() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = vault.hashBatch(b);
        Vote[] memory list = signedBy(addresses(alice, bob), b);
        blockAs(guardian, recipientAt(1, 1));
        vm.recordLogs();
        vm.expectEmit(address(vault));
        emit IVault.Approved(id, alice);
        vm.expectEmit(address(vault));
        emit IVault.Approved(id, bob);
        vm.expectEmit(address(vault));
        emit IVault.PaymentRefused(id, 101, Refusal.BlockedRecipient);
        vm.expectEmit(address(vault));
        emit IVault.BatchPaid(id, orderOf(b), 5, packed);
        assertEq(payBySig(b, packed, list), 5);
        assertEvents(
            events(
                IVault.Approved.selector,
                IVault.Approved.selector,
                IVault.PaymentRefused.selector,
                IVault.BatchPaid.selector
            )
        );
        assertEq(vault.headroom(1), 500_000 * USDT - 10 * UNIT);
        vm.expectRevert(
            abi.encodeWithSelector(
                IVault.VaultPaymentRefused.selector, 1, recipientAt(1, 1), 5 * UNIT, 0, Refusal.BlockedRecipient
            )
        );
        payBySig(b, packed, list);

        changeStanding(recipientAt(1, 1), Standing.Blocked, Standing.Unknown);
        vm.expectEmit(address(vault));
        emit IVault.BatchPaid(id, orderOf(b), 2, packed);
        assertEq(payBySig(b, packed, list), 2);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNothingToPay.selector, id));
        payBySig(b, packed, list);
        assertEq(usdt.balanceOf(address(vault)), FUNDS - 15 * UNIT);
    }

    function test_payBySig_RevertWhen_VoteIsRevokedBeforeTheRest() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = vault.hashBatch(b);
        Vote[] memory list = signedBy(addresses(alice, bob), b);
        blockAs(guardian, recipientAt(1, 1));
        payBySig(b, packed, list);
        changeStanding(recipientAt(1, 1), Standing.Blocked, Standing.Unknown);
        revokeAs(alice, id);
        vm.expectRevert(voteRevoked(id, alice));
        payBySig(b, packed, list);
        assertEq(vault.paidMask(100, 3), 5);
    }

    function test_payBySig_RevertWhen_Frozen() external {
        Batch memory b = header(1, 100, packed);
        Vote[] memory list = signedBy(addresses(alice, bob), b);
        uint256 until = freezeAs(guardian);
        vm.expectRevert(frozen(until));
        payBySig(b, packed, list);
        vm.warp(until);
        assertEq(payBySig(b, packed, list), 7);
    }

    function test_payBySig_RevertWhen_CapIsExceeded() external {
        bytes memory large;
        for (uint256 i = 0; i < 5; ++i) {
            large = bytes.concat(large, payment(known, 100_000 * USDT, i));
        }
        large = bytes.concat(large, payment(payee, 1, 5));
        Batch memory b = header(1, 100, large);
        Vote[] memory list = signedBy(addresses(alice, bob), b);
        vm.expectRevert(
            abi.encodeWithSelector(IVault.VaultCapExceeded.selector, 1, 500_000 * USDT + UNIT, 500_000 * USDT)
        );
        payBySig(b, large, list);
    }

    function test_payBySig_RevertWhen_NoneIsPaid() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = vault.hashBatch(b);
        Vote[] memory list = signedBy(addresses(alice, bob), b);
        usdt.pause();
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNothingPaid.selector, id, bytes32(0)));
        payBySig(b, packed, list);
    }

    function _expectTaken(bytes32 id, State state) private {
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultAlreadyProposed.selector, id, state));
    }
}
