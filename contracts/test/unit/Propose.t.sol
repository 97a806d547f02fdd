// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Proposal} from "../../src/types/Proposal.sol";
import {Batch, Refusal, Role, State} from "../../src/types/VaultTypes.sol";
import {PaymentTest} from "./PaymentTest.sol";

/// @notice `propose`: proposer or signer, a tier that is not automatic, payments that fit, and time enough.
contract ProposeTest is PaymentTest {
    bytes private packed = bytes.concat(payment(known, 100_000 * USDT, 1), payment(payee, 20_000 * USDT, 2));

    // ── Who ──────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_propose_byProposer() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = vault.hashBatch(b);
        vm.recordLogs();
        vm.expectEmit(address(vault));
        emit IVault.BatchProposed(id, proposer, orderOf(b), packed);
        assertEq(proposeAs(proposer, b, packed), id);
        assertEvents(events(IVault.BatchProposed.selector));
        assertState(id, State.Proposed);

        Proposal p = vault.proposal(id);
        assertEq(p.required(), 2);
        assertEq(p.delay(), 1 hours);
        assertFalse(p.instant());
        assertEq(p.tier(), 1);
        assertEq(p.expiresAt(), b.expiresAt);
        assertEq(p.quorumAt(), 0);
        assertEq(p.voteCount(p.epoch()), 0);
        assertTrue(p.vetoable());
        assertEq(vault.headroom(1), 500_000 * USDT, "no cap is held");
        assertEq(vault.paidMask(100, 2), 0);
    }

    function test_propose_bySignerIsItsVote() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = vault.hashBatch(b);
        vm.recordLogs();
        vm.expectEmit(address(vault));
        emit IVault.BatchProposed(id, bob, orderOf(b), packed);
        assertEq(proposeAs(bob, b, packed), id);
        assertEvents(events(IVault.BatchProposed.selector));
        assertEq(vault.proposal(id).voteCount(1), 1);
        approveAs(carol, b);
        assertState(id, State.Queued);
    }

    function test_propose_RevertWhen_CallerIsNeitherProposerNorSigner() external {
        bytes memory call = abi.encodeCall(IVault.propose, (orderOf(header(1, 100, packed)), packed));
        assertOnly(addresses(proposer, alice), call, IVault.VaultNotProposer.selector);
    }

    function test_propose_RevertWhen_ProposersTimeIsOver() external {
        vm.warp(START + 365 days - 1);
        proposeAs(proposer, header(1, 100, packed), packed);
        vm.warp(START + 365 days);
        Batch memory b = header(1, 100, packed);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotProposer.selector, proposer));
        proposeAs(proposer, b, packed);
        proposeAs(alice, b, packed);
    }

    function test_propose_RevertWhen_RoleRevokedOrSignerRemoved() external {
        vm.prank(guardian);
        vault.revokeRole(proposer, Role.Proposer);
        changeSigners(addresses(alice, bob, stranger), 2);
        Batch memory b = header(1, 100, packed);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotProposer.selector, proposer));
        proposeAs(proposer, b, packed);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotProposer.selector, carol));
        proposeAs(carol, b, packed);
        proposeAs(stranger, b, packed);
    }

    function test_propose_worksWhileFrozen() external {
        freezeAs(guardian);
        assertState(proposeAs(proposer, header(1, 100, packed), packed), State.Proposed);
    }

    // ── Tier and limits ──────────────────────────────────────────────────────────────────────────────────────────

    function test_propose_RevertWhen_TierIsAutomatic() external {
        bytes memory small = payment(payee, UNIT, 1);
        Batch memory b = header(0, 100, small);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierAutomatic.selector, 0));
        proposeAs(proposer, b, small);
    }

    function test_propose_RevertWhen_TierUnknown() external {
        uint8[3] memory unknown = [3, 4, 255];
        for (uint256 i = 0; i < 3; ++i) {
            Batch memory b = header(unknown[i], 100, packed);
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierUnknown.selector, unknown[i], 3));
            proposeAs(proposer, b, packed);
        }
    }

    function test_propose_RevertWhen_PaymentDoesNotFit() external {
        _assertRefused(known, 100_000 * USDT + 1, 100_000 * USDT, Refusal.AboveLimit);
        _assertRefused(payee, 20_000 * USDT + 1, 20_000 * USDT, Refusal.AboveLimit);
        _assertRefused(payee, 0, 20_000 * USDT, Refusal.ZeroAmount);
        _assertRefused(address(0), UNIT, 0, Refusal.BlockedRecipient);
        _assertRefused(address(vault), UNIT, 0, Refusal.BlockedRecipient);
        _assertRefused(address(usdt), UNIT, 0, Refusal.BlockedRecipient);
        blockAs(guardian, payee);
        _assertRefused(payee, UNIT, 0, Refusal.BlockedRecipient);
    }

    /// @dev One unfit payment is one too many, wherever it stands; the first is named.
    function test_propose_RevertWhen_OneOfManyDoesNotFit() external {
        bytes memory good = payments(255, UNIT, 1);
        bytes memory bad = payment(payee, 0, 1);
        _expectRefused(255, payee, 0, 20_000 * USDT, Refusal.ZeroAmount);
        _propose(bytes.concat(good, bad));
        _expectRefused(0, payee, 0, 20_000 * USDT, Refusal.ZeroAmount);
        _propose(bytes.concat(bad, good));
        _expectRefused(1, payee, 0, 20_000 * USDT, Refusal.ZeroAmount);
        _propose(bytes.concat(payment(payee, 1, 1), bad, payment(address(0), 1, 1)));
    }

    /// @dev The cap and the balance are for the day of payment.
    function test_propose_acceptsMoreThanTheCap() external {
        bytes memory large;
        for (uint256 i = 0; i < 60; ++i) {
            large = bytes.concat(large, payment(known, 1_000_000 * USDT, i));
        }
        Batch memory b = header(2, 1, large);
        assertGt(b.total, usdt.balanceOf(address(vault)));
        assertState(proposeAs(proposer, b, large), State.Proposed);
    }

    // ── Life ─────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_propose_boundsLifeFromBelow() external {
        Batch memory b = header(1, 100, packed);
        b.expiresAt = uint40(clock() + 1 hours + SETTLE) - 1;
        expectExpiryOutOfRange(b.expiresAt, 1 hours);
        proposeAs(proposer, b, packed);
        b.expiresAt += 1;
        proposeAs(proposer, b, packed);
    }

    function test_propose_boundsLifeFromAbove() external {
        Batch memory b = header(1, 100, packed);
        b.expiresAt = uint40(clock() + MAX_LIFE) + 1;
        expectExpiryOutOfRange(b.expiresAt, 1 hours);
        proposeAs(alice, b, packed);
        b.expiresAt -= 1;
        proposeAs(alice, b, packed);
    }

    /// @dev The delay of the batch's own tier counts.
    function test_propose_boundsLifeByTheTiersDelay() external {
        Batch memory b = header(2, 100, packed);
        b.expiresAt = uint40(clock() + 1 days + SETTLE) - 1;
        expectExpiryOutOfRange(b.expiresAt, 1 days);
        proposeAs(proposer, b, packed);
        b.expiresAt += 1;
        proposeAs(proposer, b, packed);
    }

    function test_propose_RevertWhen_EndIsPastOrFarAway() external {
        Batch memory b = header(1, 100, packed);
        uint40[3] memory wrong = [0, START, type(uint40).max];
        for (uint256 i = 0; i < 3; ++i) {
            b.expiresAt = wrong[i];
            expectExpiryOutOfRange(b.expiresAt, 1 hours);
            proposeAs(proposer, b, packed);
        }
    }

    // ── Ids ──────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev No id is ever proposed twice, whatever became of it.
    function test_propose_RevertWhen_AlreadyProposed() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = proposeAs(proposer, b, packed);
        _assertTaken(b, id, State.Proposed);
        approveAs(alice, b);
        approveAs(bob, b);
        _assertTaken(b, id, State.Queued);
        skip(1 hours);
        _assertTaken(b, id, State.Ready);
        execute(b, packed);
        _assertTaken(b, id, State.Executed);

        b = header(1, 200, packed);
        id = proposeAs(proposer, b, packed);
        cancelAs(guardian, id);
        _assertTaken(b, id, State.Cancelled);

        b = header(1, 300, packed);
        id = proposeAs(proposer, b, packed);
        vm.warp(b.expiresAt);
        _assertTaken(b, id, State.Expired);
    }

    /// @dev Numbers are not held: the same payments may be proposed under another header, in a stricter tier too.
    function test_propose_doesNotHoldNumbers() external {
        Batch memory b = header(1, 100, packed);
        bytes32 first = proposeAs(proposer, b, packed);
        b.context = "again";
        bytes32 second = proposeAs(proposer, b, packed);
        b.expiresAt += 1;
        bytes32 third = proposeAs(proposer, b, packed);
        b.tier = 2;
        bytes32 fourth = proposeAs(proposer, b, packed);
        assertTrue(first != second && second != third && third != fourth);
        assertState(first, State.Proposed);
        assertState(second, State.Proposed);
        assertState(third, State.Proposed);
        assertState(fourth, State.Proposed);
    }

    function test_propose_takesPaidNumbers() external {
        pay(100, payment(payee, UNIT, 1));
        assertState(proposeAs(proposer, header(1, 100, packed), packed), State.Proposed);
    }

    function _propose(bytes memory list) private {
        proposeAs(proposer, header(1, 100, list), list);
    }

    function _assertRefused(address recipient, uint256 amount, uint256 limit, Refusal refusal) private {
        _expectRefused(0, recipient, amount, limit, refusal);
        _propose(payment(recipient, amount, 1));
    }

    function _expectRefused(uint256 i, address recipient, uint256 amount, uint256 limit, Refusal refusal) private {
        vm.expectRevert(
            abi.encodeWithSelector(IVault.VaultPaymentRefused.selector, i, recipient, amount, limit, refusal)
        );
    }

    function _assertTaken(Batch memory b, bytes32 id, State state) private {
        address[2] memory callers = [proposer, carol];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultAlreadyProposed.selector, id, state));
            proposeAs(callers[i], b, packed);
        }
    }
}
