// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, ChangeKind, Refusal, State, SuccessorChange, Tier, TiersChange} from "../../src/types/VaultTypes.sol";
import {PaymentTest} from "./PaymentTest.sol";

/// @notice The policy changes while a proposal waits: execution needs the larger of the terms stored and those of
/// today, and limits and caps are those of today.
contract ExecutePolicyTest is PaymentTest {
    bytes private packed = bytes.concat(payment(payee, 20_000 * USDT, 1), payment(known, 100_000 * USDT, 2));

    // ── Approvals ────────────────────────────────────────────────────────────────────────────────────────────────

    function test_execute_fewerApprovalsAskedForLater_stillNeedsTheStored() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = proposeAndApprove(b, packed, 1);
        Tier[] memory t = standardTiers();
        t[1].approvals = 1;
        changeTiers(t);
        _assertStateInvalid(b, id, State.Proposed);
        approveAs(bob, b);
        skip(1 hours);
        assertEq(execute(b, packed), 3);
    }

    /// @dev The clock started with the stored quorum; the third vote is all that is missing.
    function test_execute_moreApprovalsAskedForLater_needsThem() external {
        (Batch memory b, bytes32 id) = readyBatch(1, 100, packed);
        Tier[] memory t = standardTiers();
        t[1].approvals = 3;
        changeTiers(t);
        _assertStateInvalid(b, id, State.Proposed);
        vm.recordLogs();
        approveAs(carol, b);
        assertEvents(events(IVault.Queued.selector));
        _assertStateInvalid(b, id, State.Queued);
        skip(1 hours);
        assertState(id, State.Ready);

        vm.recordLogs();
        revokeAs(alice, id);
        assertEvents(events(IVault.Revoked.selector, IVault.Unqueued.selector));
        assertEq(vault.proposal(id).quorumAt(), START, "two are enough for the stored clock");
        _assertStateInvalid(b, id, State.Proposed);
        vm.recordLogs();
        approveAs(alice, b);
        assertEvents(events(IVault.Queued.selector));
        skip(1 hours - 1);
        _assertStateInvalid(b, id, State.Queued);
        skip(1);
        assertEq(execute(b, packed), 3);
    }

    function test_execute_tierBecomesAutomatic_stillNeedsTheStored() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = proposeAndApprove(b, packed, 1);
        Tier[] memory t = standardTiers();
        (t[1].approvals, t[1].delay) = (0, 0);
        changeTiers(t);
        _assertStateInvalid(b, id, State.Proposed);
        approveAs(bob, b);
        _assertStateInvalid(b, id, State.Queued);
        skip(1 hours);
        assertEq(execute(b, packed), 3);
        assertEq(vault.headroom(1), 380_000 * USDT);
    }

    function test_execute_signerSetChanges_needsNewVotes() external {
        (Batch memory b, bytes32 id) = readyBatch(1, 100, packed);
        changeSigners(addresses(carol, bob, alice), 2);
        _assertStateInvalid(b, id, State.Proposed);
        approveAs(carol, b);
        approveAs(alice, b);
        _assertStateInvalid(b, id, State.Queued);
        skip(1 hours);
        assertEq(execute(b, packed), 3);
    }

    // ── Delay ────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_execute_longerDelayAskedForLater_waitsIt() external {
        Tier[] memory t = standardTiers();
        t[1].delay = 1 days;
        (Batch memory b, bytes32 id) = readyBatch(1, 100, packed);
        uint256 quorumAt = clock() - 1 hours;
        tighten(t);
        _assertStateInvalid(b, id, State.Queued);
        vm.warp(quorumAt + 1 days - 1);
        _assertStateInvalid(b, id, State.Queued);
        vm.warp(quorumAt + 1 days);
        assertEq(execute(b, packed), 3);
    }

    function test_execute_shorterDelayAskedForLater_waitsTheStored() external {
        Tier[] memory t = standardTiers();
        t[2].delay = 1 hours;
        bytes memory change = _approvedTiers(t, 2 days);
        skip(2 days);
        Batch memory b = header(2, 100, packed);
        bytes32 id = proposeAndApprove(b, packed, 3);
        uint256 quorumAt = clock();
        _enactTiers(change);
        skip(1 hours);
        _assertStateInvalid(b, id, State.Queued);
        vm.warp(quorumAt + 1 days - 1);
        _assertStateInvalid(b, id, State.Queued);
        vm.warp(quorumAt + 1 days);
        assertEq(execute(b, packed), 3);
    }

    // ── Limits ───────────────────────────────────────────────────────────────────────────────────────────────────

    function test_execute_lowerLimits_refusesWhatIsAbove() external {
        (Batch memory b, bytes32 id) = readyBatch(1, 100, packed);
        Tier[] memory t = standardTiers();
        t[1].maxKnown = uint128(100_000 * USDT) - UNIT;
        changeTiers(t);
        vm.expectEmit(address(vault));
        emit IVault.PaymentRefused(id, 101, Refusal.AboveLimit);
        assertEq(execute(b, packed), 1);
        assertState(id, State.Ready);
        _expectRefused(1, known, 100_000 * USDT, t[1].maxKnown);
        execute(b, packed);
    }

    function test_execute_lowerLimits_paysWhatStillFits() external {
        (Batch memory b,) = readyBatch(1, 100, packed);
        Tier[] memory t = standardTiers();
        t[2].maxKnown = t[2].maxUnknown = t[1].maxKnown;
        t[2].cap = t[1].maxKnown;
        changeTiers(t);
        assertEq(execute(b, packed), 3);
    }

    /// @dev What is left of a tier that is gone: nothing can be paid under it, and a new one starts without cap.
    function test_execute_tierGone_refusesEverything() external {
        (Batch memory b, bytes32 id) = readyBatch(2, 100, packed);
        Tier[] memory all = standardTiers();
        Tier[] memory two = new Tier[](2);
        (two[0], two[1]) = (all[0], all[1]);
        changeTiers(two);
        assertState(id, State.Ready);
        _expectRefused(0, payee, 20_000 * USDT, 0);
        execute(b, packed);

        changeTiers(all);
        uint256 settledAt = clock() + 28 hours;
        vm.warp(settledAt - 1);
        _expectCapExceeded(2, 120_000 * USDT, 0);
        execute(b, packed);
        vm.warp(settledAt);
        assertEq(execute(b, packed), 3);
    }

    // ── Caps ─────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_execute_lowerCap_holdsAtOnce() external {
        (Batch memory b,) = readyBatch(1, 100, packed);
        Tier[] memory t = standardTiers();
        t[1].cap = uint128(120_000 * USDT) - UNIT;
        changeTiers(t);
        _expectCapExceeded(1, 120_000 * USDT, t[1].cap);
        execute(b, packed);
    }

    /// @dev A cap below what has already left: no headroom, not a wrapped one.
    function test_execute_lowerCapThanUsed_leavesNoHeadroom() external {
        Tier[] memory t = standardTiers();
        t[1].cap = t[1].maxKnown;
        (Batch memory a,) = readyBatch(1, 100, packed);
        execute(a, packed);
        bytes memory one = payment(payee, 1, 1);
        (Batch memory b,) = readyBatch(1, 200, one);
        tighten(t);
        assertEq(vault.headroom(1), 0);
        _expectCapExceeded(1, UNIT, 0);
        execute(b, one);
    }

    function test_execute_higherCap_holdsOnceTheWindowsHaveTurned() external {
        bytes memory large;
        for (uint256 i = 0; i < 5; ++i) {
            large = bytes.concat(large, payment(known, 100_000 * USDT, i));
        }
        large = bytes.concat(large, payment(payee, 1, 5));
        (Batch memory b,) = readyBatch(1, 100, large);
        Tier[] memory t = standardTiers();
        t[1].cap += UNIT;
        changeTiers(t);
        uint256 settledAt = clock() + 28 hours;
        vm.warp(settledAt - 1);
        _expectCapExceeded(1, t[1].cap, t[1].cap - UNIT);
        execute(b, large);
        vm.warp(settledAt);
        assertEq(execute(b, large), 63);
    }

    // ── Policy changes wait in the same way ──────────────────────────────────────────────────────────────────────

    function test_executeChange_longerPolicyDelayAskedForLater_waitsIt() external {
        _assertChangeWaits(4 days, 4 days);
    }

    function test_executeChange_shorterPolicyDelayAskedForLater_waitsTheStored() external {
        _assertChangeWaits(1 days, 2 days);
    }

    function test_executeChange_higherThresholdAskedForLater_needsIt() external {
        bytes memory change = abi.encode(SuccessorChange(stranger, nonce(), expiry()));
        bytes32 id = approvedChange(ChangeKind.Successor, change);
        changeSigners(addresses(alice, bob, carol), 3);
        _approveChange(alice, change);
        _approveChange(bob, change);
        skip(2 days);
        assertState(id, State.Proposed);
        _approveChange(carol, change);
        skip(2 days - 1);
        assertState(id, State.Queued);
        skip(1);
        assertState(id, State.Ready);
    }

    function _assertChangeWaits(uint32 newDelay, uint256 expectedDelay) private {
        bytes memory tiers = _approvedTiers(standardTiers(), newDelay);
        skip(2 days - 1);
        bytes memory change = abi.encode(SuccessorChange(stranger, nonce(), expiry()));
        bytes32 id = approvedChange(ChangeKind.Successor, change);
        uint256 quorumAt = clock();
        skip(1);
        _enactTiers(tiers);
        assertEq(vault.policyDelay(), newDelay);
        vm.warp(quorumAt + expectedDelay - 1);
        expectStateInvalid(id, State.Queued);
        _executeSuccessor(change);
        vm.warp(quorumAt + expectedDelay);
        _executeSuccessor(change);
        assertEq(vault.successor(), stranger);
    }

    function _approveChange(address signer, bytes memory change) private {
        vm.prank(signer);
        vault.approveChange(ChangeKind.Successor, change);
    }

    function _executeSuccessor(bytes memory change) private {
        vm.prank(keeper);
        vault.executeChange(ChangeKind.Successor, change);
    }

    function _approvedTiers(Tier[] memory t, uint32 policyDelay) private returns (bytes memory change) {
        change = abi.encode(TiersChange(t, policyDelay, vault.termsChangedAt(), nonce(), expiry()));
        approvedChange(ChangeKind.Tiers, change);
    }

    function _enactTiers(bytes memory change) private {
        vm.prank(keeper);
        vault.executeChange(ChangeKind.Tiers, change);
    }

    function _assertStateInvalid(Batch memory b, bytes32 id, State state) private {
        expectStateInvalid(id, state);
        execute(b, packed);
        assertState(id, state);
    }

    function _expectRefused(uint256 i, address recipient, uint256 amount, uint256 limit) private {
        vm.expectRevert(
            abi.encodeWithSelector(IVault.VaultPaymentRefused.selector, i, recipient, amount, limit, Refusal.AboveLimit)
        );
    }

    function _expectCapExceeded(uint256 tier, uint256 requested, uint256 headroom) private {
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultCapExceeded.selector, tier, requested, headroom));
    }
}
