// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, ChangeKind, Configuration, State, Tier} from "../../src/types/VaultTypes.sol";
import {AttackTest} from "./AttackTest.sol";

/// @notice Delays made to run before anybody could see what they run for, and tightenings ordered away.
contract ClockAttacks is AttackTest {
    bytes private packed = payment(makeAddr("thief"), 20_000 * USDT, 0);

    /// @dev Tier 1 asks for one approval and a day.
    function configuration() internal override returns (Configuration memory c) {
        c = super.configuration();
        (c.tiers[1].approvals, c.tiers[1].delay) = (1, 1 days);
    }

    /// @notice A clock that started too early: approvals raised under a proposal, whose delay was over before it had them.
    function test_attack17_clockTooEarly() external {
        Batch memory b = header(1, UPPER, packed);
        b.expiresAt = uint40(vm.getBlockTimestamp() + 20 days);
        bytes32 id = proposeAndApprove(b, packed, 1);
        assertState(id, State.Queued);
        Tier[] memory rows = configuration().tiers;
        rows[1].approvals = 2;
        approvedChange(ChangeKind.Tighten, tightenChange(rows));
        assertState(id, State.Proposed);
        skip(10 days);
        vm.expectEmit(address(vault));
        emit IVault.Queued(id, bob);
        vm.prank(bob);
        vault.approve(b);
        expectExecuteRevert(b, packed, stateInvalid(id, State.Queued));
        skip(1 days - 1);
        expectExecuteRevert(b, packed, stateInvalid(id, State.Queued));
        skip(1);
        assertEq(execute(b, packed), 1, "paid mask");
    }

    /// @notice The same with both votes there before: what is asked for now is fulfilled only since it is asked for.
    function test_attack17_votesBeforeTheTerms() external {
        Batch memory b = header(1, UPPER, packed);
        bytes32 id = proposeAndApprove(b, packed, 2);
        skip(1 days);
        assertState(id, State.Ready);
        Tier[] memory rows = configuration().tiers;
        rows[1].approvals = 2;
        approvedChange(ChangeKind.Tighten, tightenChange(rows));
        expectExecuteRevert(b, packed, stateInvalid(id, State.Queued));
        skip(1 days - 1);
        expectExecuteRevert(b, packed, stateInvalid(id, State.Queued));
        skip(1);
        assertEq(execute(b, packed), 1, "paid mask");
    }

    /// @notice Life judged by yesterday's delay: a vote that would start a clock which outlasts the proposal is refused.
    function test_attack17_lifeByTheDelayOfNow() external {
        Batch memory b = header(2, UPPER, packed);
        bytes32 id = proposeAndApprove(b, packed, 2);
        Tier[] memory rows = configuration().tiers;
        rows[2].delay = 9 days;
        approvedChange(ChangeKind.Tighten, tightenChange(rows));
        uint256 time = vm.getBlockTimestamp();
        vm.prank(carol);
        vm.expectRevert(
            abi.encodeWithSelector(
                IVault.VaultExpiryOutOfRange.selector, b.expiresAt, time + 9 days + 29 hours, time + 30 days
            )
        );
        vault.approve(b);
        assertState(id, State.Proposed);
    }

    /// @notice Order kills a tightening: what lowers a cap holds with its votes, whatever else is ready or was executed.
    function test_attack52_orderBeforeATightening() external {
        Tier[] memory rows = configuration().tiers;
        rows[2].cap += UNIT;
        bytes memory looser = tiersChange(rows, 2 days);
        approvedChange(ChangeKind.Tiers, looser);
        skip(2 days);
        rows = configuration().tiers;
        rows[2].cap = rows[2].maxKnown;
        bytes memory tighter = tightenChange(rows);
        vm.prank(alice);
        bytes32 id = vault.proposeChange(ChangeKind.Tighten, tighter);
        vm.prank(keeper);
        vault.executeChange(ChangeKind.Tiers, looser); // first, so that no tiers change for 28 hours
        vm.prank(bob);
        vault.approveChange(ChangeKind.Tighten, tighter);
        assertState(id, State.Executed);
        assertEq(vault.tier(2).cap, rows[2].cap, "the lower cap");
        assertEq(vault.headroom(2), rows[2].cap, "holds at once");
    }

    /// @notice The other order: a loosening that is proposed after a tightening states all tiers and waits.
    function test_attack52_looseningAfterATightening() external {
        Tier[] memory rows = configuration().tiers;
        rows[2].cap = rows[2].maxKnown;
        approvedChange(ChangeKind.Tighten, tightenChange(rows));
        bytes memory back = tiersChange(configuration().tiers, 2 days);
        bytes32 id = approvedChange(ChangeKind.Tiers, back);
        skip(2 days - 1);
        vm.prank(alice);
        vm.expectRevert(stateInvalid(id, State.Queued));
        vault.executeChange(ChangeKind.Tiers, back);
        assertEq(vault.tier(2).cap, rows[2].cap, "the lower cap");
    }

    /// @notice A tightening undone: a change of tiers that was ready before it starts from tiers that are no more.
    function test_attack52_whatWasReadyUndoesATightening() external {
        Tier[] memory rows = configuration().tiers;
        rows[2].cap += UNIT;
        bytes memory looser = tiersChange(rows, 2 days);
        bytes32 id = approvedChange(ChangeKind.Tiers, looser);
        skip(2 days);
        assertState(id, State.Ready);
        uint256 before = vault.termsChangedAt();
        rows[2].cap = rows[2].maxKnown;
        approvedChange(ChangeKind.Tighten, tightenChange(rows));
        bytes memory reason = abi.encodeWithSelector(IVault.VaultTiersStale.selector, before, vault.termsChangedAt());
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(keeper);
            vm.expectRevert(reason);
            vault.executeChange(ChangeKind.Tiers, looser);
            skip(28 hours); // nor when nothing settles any more
        }
        assertEq(vault.tier(2).cap, rows[2].cap, "the lower cap");
        assertEq(vault.headroom(2), rows[2].cap, "holds");
    }

    /// @notice A tightening made slow: what a keeper executes just before cannot make a loosening of it.
    function test_attack52_whatLowersTheCapsFirstDoesNotMakeItSlow() external {
        Tier[] memory rows = configuration().tiers;
        rows[2].cap = rows[2].maxKnown;
        bytes memory lower = tiersChange(rows, 2 days);
        approvedChange(ChangeKind.Tiers, lower);
        skip(2 days);
        rows = configuration().tiers;
        (rows[2].cap, rows[1].cap) = (rows[2].cap - UNIT, rows[1].maxKnown); // signed when the first cap was higher
        bytes memory tighter = tightenChange(rows);
        vm.prank(keeper);
        vault.executeChange(ChangeKind.Tiers, lower);
        assertState(approvedChange(ChangeKind.Tighten, tighter), State.Executed);
        assertEq(vault.tier(2).cap, rows[2].maxKnown, "as it was lowered");
        assertEq(vault.tier(1).cap, rows[1].maxKnown, "as signed");
    }

    /// @notice Votes for a tightening that nobody brought, brought when the same rows would loosen: they loosen nothing.
    function test_attack52_votesForATighteningNeverLoosen() external {
        Tier[] memory rows = configuration().tiers;
        rows[2].cap -= UNIT;
        bytes memory kept = tightenChange(rows);
        Tier[] memory strict = configuration().tiers;
        strict[2].cap = strict[2].maxKnown;
        approvedChange(ChangeKind.Tighten, tightenChange(strict));
        assertState(approvedChange(ChangeKind.Tighten, kept), State.Executed);
        assertEq(vault.tier(2).cap, strict[2].maxKnown, "the lower cap");
    }

    /// @notice One signer's late revocation: it can end a proposal with little life left, and never the payment, whose number
    /// is proposed afresh.
    function test_attack41_lateRevocation() external {
        Batch memory b = header(2, UPPER, packed);
        bytes32 id = proposeAndApprove(b, packed, 3);
        skip(8 days);
        assertState(id, State.Ready);
        vm.prank(carol);
        vault.revoke(id);
        assertState(id, State.Proposed);
        uint256 time = vm.getBlockTimestamp();
        vm.prank(carol);
        // Two days of life less than a delay of one and 29 hours: the clock would start anew, and end too late.
        vm.expectRevert(
            abi.encodeWithSelector(
                IVault.VaultExpiryOutOfRange.selector, b.expiresAt, time + 1 days + 29 hours, time + 30 days
            )
        );
        vault.approve(b);
        vm.warp(b.expiresAt);
        b.expiresAt = uint40(vm.getBlockTimestamp() + 10 days); // the same number, proposed afresh
        proposeAndApprove(b, packed, 3);
        skip(1 days);
        assertEq(execute(b, packed), 1, "paid once");
    }
}
