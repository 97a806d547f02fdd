// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, State, Tier} from "../../src/types/VaultTypes.sol";
import {PaymentTest} from "./PaymentTest.sol";

/// @notice Tiers that ask for time but no votes, and for votes but no time.
abstract contract TermsTest is PaymentTest {
    bytes internal packed = payment(payee, UNIT, 1);

    function setUp() public override {
        super.setUp();
        useTiers(tiers());
    }

    function tiers() internal pure virtual returns (Tier[] memory);
}

contract DelayOnlyTest is TermsTest {
    uint32 private constant DELAY = 6 hours;

    /// @dev Both of the lower tiers: the first lives in another word than the second.
    function tiers() internal pure override returns (Tier[] memory t) {
        t = standardTiers();
        (t[0].approvals, t[0].delay) = (0, DELAY);
        (t[1].approvals, t[1].delay) = (0, DELAY);
    }

    function test_delayOnly_proposingStartsTheClock() external {
        for (uint8 k = 0; k < 2; ++k) {
            Batch memory b = header(k, 100 + k, packed);
            bytes32 id = vault.hashBatch(b);
            vm.recordLogs();
            vm.expectEmit(address(vault));
            emit IVault.BatchProposed(id, proposer, orderOf(b), packed);
            vm.expectEmit(address(vault));
            emit IVault.Queued(id, proposer);
            proposeAs(proposer, b, packed);
            assertEvents(events(IVault.BatchProposed.selector, IVault.Queued.selector));
            assertEq(vault.proposal(id).quorumAt(), clock());
            _assertWaits(b, id, clock());
        }
    }

    function test_delayOnly_signersProposingStartsTheClock() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = vault.hashBatch(b);
        vm.recordLogs();
        proposeAs(alice, b, packed);
        assertEvents(events(IVault.BatchProposed.selector, IVault.Queued.selector));
        assertEq(vault.proposal(id).voteCount(1), 1);
        _assertWaits(b, id, clock());
    }

    function test_delayOnly_RevertWhen_LifeTooShort() external {
        Batch memory b = header(1, 100, packed);
        b.expiresAt = uint40(clock() + DELAY + SETTLE) - 1;
        expectExpiryOutOfRange(b.expiresAt, DELAY);
        proposeAs(proposer, b, packed);
        b.expiresAt += 1;
        proposeAs(proposer, b, packed);
    }

    function test_delayOnly_isNotForPay() external {
        for (uint8 k = 0; k < 2; ++k) {
            Batch memory b = header(k, 100, packed);
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierNotAutomatic.selector, k));
            vm.prank(keeper);
            vault.pay(orderOf(b), packed);
        }
    }

    function test_delayOnly_votesLeaveTheClock() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = proposeAs(proposer, b, packed);
        uint256 start = clock();
        skip(1 hours);
        vm.recordLogs();
        approveAs(bob, b);
        assertEvents(events(IVault.Approved.selector));
        vm.recordLogs();
        revokeAs(bob, id);
        assertEvents(events(IVault.Revoked.selector));
        assertEq(vault.proposal(id).voteCount(1), 0);
        assertEq(vault.proposal(id).quorumAt(), start);
        _assertWaits(b, id, start);
    }

    function test_delayOnly_proposersRevocationLeavesTheClock() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = proposeAs(alice, b, packed);
        revokeAs(alice, id);
        _assertWaits(b, id, clock());
    }

    /// @dev It never needed anybody's vote, so a new signer set changes nothing, whoever proposed and voted.
    function test_delayOnly_clockOutlivesTheSignerSet() external {
        Batch memory a = header(1, 100, packed);
        Batch memory b = header(1, 200, packed);
        bytes32 idA = proposeAs(proposer, a, packed);
        bytes32 idB = proposeAs(alice, b, packed);
        uint256 start = clock();
        changeSigners(addresses(bob, carol, stranger), 2);
        assertState(idA, State.Ready);
        assertState(idB, State.Ready);
        vm.recordLogs();
        approveAs(stranger, a);
        approveAs(stranger, b);
        assertEvents(events(IVault.Approved.selector, IVault.Approved.selector));
        assertEq(vault.proposal(idA).quorumAt(), start);
        assertEq(vault.proposal(idB).quorumAt(), start);
        assertEq(execute(a, packed), 1);
        assertEq(execute(b, packed), 1);
    }

    function test_delayOnly_guardianMayCancel() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = proposeAs(proposer, b, packed);
        skip(DELAY);
        cancelAs(guardian, id);
        expectStateInvalid(id, State.Cancelled);
        execute(b, packed);
    }

    function test_delayOnly_approvalsAskedForLaterAreNeeded() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = proposeAs(proposer, b, packed);
        Tier[] memory t = standardTiers();
        t[1].delay = DELAY;
        changeTiers(t);
        expectStateInvalid(id, State.Proposed);
        execute(b, packed);
        approveAs(alice, b);
        assertState(id, State.Proposed);
        approveAs(bob, b);
        assertState(id, State.Queued);
        skip(DELAY - 1);
        assertState(id, State.Queued);
        skip(1);
        assertState(id, State.Ready);
        assertEq(execute(b, packed), 1);
    }

    function _assertWaits(Batch memory b, bytes32 id, uint256 start) private {
        assertState(id, State.Queued);
        vm.warp(start + DELAY - 1);
        expectStateInvalid(id, State.Queued);
        execute(b, packed);
        vm.warp(start + DELAY);
        assertState(id, State.Ready);
        assertEq(execute(b, packed), 1);
    }
}

contract VotesOnlyTest is TermsTest {
    function tiers() internal pure override returns (Tier[] memory t) {
        t = standardTiers();
        (t[0].approvals, t[0].delay) = (1, 0);
        (t[1].approvals, t[1].delay) = (2, 0);
    }

    /// @dev One signer is the whole quorum and may do everything within one second.
    function test_votesOnly_signersProposalIsReadyAtOnce() external {
        Batch memory b = header(0, 100, packed);
        bytes32 id = vault.hashBatch(b);
        vm.recordLogs();
        proposeAs(alice, b, packed);
        assertEvents(events(IVault.BatchProposed.selector, IVault.Queued.selector));
        assertState(id, State.Ready);
        assertEq(vault.proposal(id).quorumAt(), clock());
        vm.prank(alice);
        assertEq(vault.execute(orderOf(b), packed, 0), 1);
        assertEq(usdt.balanceOf(payee), UNIT);
        assertEq(vault.headroom(0), tiers()[0].cap - UNIT);
    }

    function test_votesOnly_proposersProposalWaitsForVotes() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = proposeAs(proposer, b, packed);
        skip(1 days);
        assertState(id, State.Proposed);
        approveAs(alice, b);
        expectStateInvalid(id, State.Proposed);
        execute(b, packed);
        vm.recordLogs();
        approveAs(bob, b);
        assertEvents(events(IVault.Queued.selector));
        assertState(id, State.Ready);
        assertEq(execute(b, packed), 1);
    }

    function test_votesOnly_revocationTakesReadinessAway() external {
        Batch memory b = header(0, 100, packed);
        bytes32 id = proposeAs(alice, b, packed);
        vm.recordLogs();
        revokeAs(alice, id);
        assertEvents(events(IVault.Revoked.selector, IVault.Unqueued.selector));
        expectStateInvalid(id, State.Proposed);
        execute(b, packed);
        approveAs(carol, b);
        assertState(id, State.Ready);
    }

    function test_votesOnly_signerSetChangeTakesReadinessAway() external {
        Batch memory b = header(0, 100, packed);
        bytes32 id = proposeAs(alice, b, packed);
        changeSigners(addresses(alice, bob, carol), 2);
        expectStateInvalid(id, State.Proposed);
        execute(b, packed);
        approveAs(alice, b);
        assertState(id, State.Ready);
    }

    function test_votesOnly_RevertWhen_LifeTooShort() external {
        Batch memory b = header(0, 100, packed);
        b.expiresAt = uint40(clock() + SETTLE) - 1;
        expectExpiryOutOfRange(b.expiresAt, 0);
        proposeAs(alice, b, packed);
        b.expiresAt += 1;
        proposeAs(alice, b, packed);
    }
}
