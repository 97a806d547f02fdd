// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, ChangeKind, State, Tier, TiersChange} from "../../src/types/VaultTypes.sol";
import {PaymentTest} from "./PaymentTest.sol";

/// @notice When the delay of a pending proposal starts and how much life it needs if policy changes under it.
contract ClockTest is PaymentTest {
    bytes private packed = payment(payee, UNIT, 1);

    /// @dev One vote and a day when proposed; then two votes. The day runs from the second.
    function test_clock_runsFromTheVoteThatFulfilsWhatIsAskedForNow() external {
        Tier[] memory t = standardTiers();
        (t[1].approvals, t[1].delay) = (1, 1 days);
        useTiers(t);
        Batch memory b = _longLived(1);
        bytes32 id = proposeAs(proposer, b, packed);
        approveAs(alice, b);
        assertState(id, State.Queued);
        t[1].approvals = 2;
        changeTiers(t);
        assertState(id, State.Proposed);
        skip(10 days);
        assertState(id, State.Proposed);

        vm.recordLogs();
        vm.expectEmit(address(vault));
        emit IVault.Queued(id, bob);
        approveAs(bob, b);
        assertEvents(events(IVault.Queued.selector));
        assertEq(vault.proposal(id).quorumAt(), START, "of the stored one vote");
        skip(1 days - 1);
        expectStateInvalid(id, State.Queued);
        execute(b, packed);
        skip(1);
        assertEq(execute(b, packed), 1);
    }

    /// @dev The same if the votes were there before more was asked for: then it runs from the change.
    function test_clock_runsFromTheChangeIfTheVotesWereThere() external {
        Tier[] memory t = standardTiers();
        (t[1].approvals, t[1].delay) = (1, 1 days);
        useTiers(t);
        Batch memory b = _longLived(1);
        bytes32 id = proposeAs(proposer, b, packed);
        approveAs(alice, b);
        approveAs(bob, b);
        skip(3 days);
        assertState(id, State.Ready);
        t[1].approvals = 2;
        changeTiers(t);
        assertEq(vault.termsChangedAt(), clock());
        skip(1 days - 1);
        expectStateInvalid(id, State.Queued);
        execute(b, packed);
        skip(1);
        assertEq(execute(b, packed), 1);
    }

    /// @dev What is asked for meanwhile and no more leaves the clock where it was.
    function test_clock_returnsToTheStoredQuorumIfLessIsAskedForAgain() external {
        Tier[] memory t = standardTiers();
        (t[1].approvals, t[1].delay) = (1, 1 days);
        useTiers(t);
        Batch memory b = _longLived(1);
        bytes32 id = proposeAs(proposer, b, packed);
        approveAs(alice, b);
        t[1].approvals = 2;
        changeTiers(t);
        assertState(id, State.Proposed);
        t[1].approvals = 1;
        changeTiers(t);
        assertState(id, State.Ready);
        assertEq(execute(b, packed), 1);
    }

    /// @dev A revocation and a new vote start it anew; a vote beyond what is asked for is then the last one too.
    function test_clock_lastVoteCountsWhileMoreIsAskedForThanStored() external {
        Tier[] memory t = standardTiers();
        (t[1].approvals, t[1].delay) = (1, 1 days);
        useTiers(t);
        Batch memory b = _longLived(1);
        bytes32 id = proposeAs(proposer, b, packed);
        approveAs(alice, b);
        t[1].approvals = 2;
        changeTiers(t);
        approveAs(bob, b);
        skip(12 hours);
        vm.recordLogs();
        revokeAs(alice, id);
        assertEvents(events(IVault.Revoked.selector, IVault.Unqueued.selector));
        skip(1 hours);
        vm.recordLogs();
        approveAs(carol, b);
        assertEvents(events(IVault.Queued.selector));
        skip(12 hours);
        vm.recordLogs();
        approveAs(alice, b);
        assertEvents(events(IVault.Approved.selector));
        skip(1 days - 1);
        assertState(id, State.Queued);
        skip(1);
        assertState(id, State.Ready);
    }

    /// @dev As many votes as stored: a later one leaves the clock alone.
    function test_clock_voteBeyondTheStoredQuorumLeavesIt() external {
        Batch memory b = _longLived(1);
        bytes32 id = proposeAndApprove(b, packed, 2);
        skip(1 hours - 1);
        approveAs(carol, b);
        assertEq(vault.proposal(id).votedAt(), clock());
        skip(1);
        assertState(id, State.Ready);
    }

    /// @dev Signers change: their first vote drops the old ones and the clock, the quorum of today's starts it.
    function test_clock_newSetStartsItAnewAlsoIfMoreIsAskedFor() external {
        Batch memory b = _longLived(1);
        bytes32 id = proposeAndApprove(b, packed, 2);
        Tier[] memory t = standardTiers();
        t[1].approvals = 3;
        changeTiers(t);
        changeSigners(addresses(carol, bob, alice), 2);
        approveAs(alice, b);
        assertEq(vault.proposal(id).quorumAt(), 0);
        approveAs(bob, b);
        assertEq(vault.proposal(id).quorumAt(), clock(), "of the stored two");
        skip(5 hours);
        assertState(id, State.Proposed);
        approveAs(carol, b);
        skip(1 hours - 1);
        assertState(id, State.Queued);
        skip(1);
        assertEq(execute(b, packed), 1);
    }

    // ── Life ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev One hour when proposed; then nine days. The vote of the quorum must leave life for the nine.
    function test_clock_RevertWhen_LifeIsShortForTodaysDelay() external {
        Batch memory b = header(1, 1, packed); // dies in ten days
        bytes32 id = proposeAs(proposer, b, packed);
        approveAs(alice, b);
        Tier[] memory t = standardTiers();
        (t[1].delay, t[2].delay) = (9 days, 9 days);
        changeTiers(t);
        expectExpiryOutOfRange(b.expiresAt, 9 days);
        approveAs(bob, b);
        assertEq(vault.proposal(id).voteCount(1), 1);
        assertState(id, State.Proposed);
    }

    /// @dev Both sides of that.
    function test_clock_boundsLifeByTodaysDelay() external {
        Batch memory b = header(1, 1, packed);
        bytes32 id = proposeAs(proposer, b, packed);
        approveAs(alice, b);
        Tier[] memory t = standardTiers();
        (t[1].delay, t[2].delay) = (5 days, 5 days);
        changeTiers(t);
        uint256 last = b.expiresAt - 5 days - SETTLE;
        vm.warp(last + 1);
        expectExpiryOutOfRange(b.expiresAt, 5 days);
        approveAs(bob, b);
        vm.warp(last);
        approveAs(bob, b);
        skip(5 days);
        assertState(id, State.Ready);
        assertEq(clock() + SETTLE, b.expiresAt);
    }

    /// @dev A shorter delay of today is not enough: the stored one holds.
    function test_clock_boundsLifeByTheStoredDelayIfThatIsLonger() external {
        Tier[] memory t = standardTiers();
        t[2].delay = 1 hours;
        bytes memory change = tiersChange(t);
        approvedChange(ChangeKind.Tiers, change);
        Batch memory b = header(2, 1, packed);
        proposeAndApprove(b, packed, 2);
        skip(2 days);
        vm.prank(keeper);
        vault.executeChange(ChangeKind.Tiers, change);
        vm.warp(b.expiresAt - 1 days - SETTLE + 1);
        expectExpiryOutOfRange(b.expiresAt, 1 days);
        approveAs(carol, b);
        rewind(1);
        approveAs(carol, b);
    }

    /// @dev The vote that suffices only now needs life as well, though the stored quorum's clock has long run.
    function test_clock_RevertWhen_LifeIsShortForTheVoteThatSufficesNow() external {
        Batch memory b = header(1, 1, packed);
        bytes32 id = proposeAndApprove(b, packed, 2);
        Tier[] memory t = standardTiers();
        t[1].approvals = 3;
        changeTiers(t);
        vm.warp(b.expiresAt - 1 hours - SETTLE + 1);
        expectExpiryOutOfRange(b.expiresAt, 1 hours);
        approveAs(carol, b);
        rewind(1);
        approveAs(carol, b);
        assertState(id, State.Queued);
    }

    // ── An hour to pay ───────────────────────────────────────────────────────────────────────────────────────────

    /// @dev The whole cap is spent as a bucket begins, and a batch approved then with the shortest life: it can be paid for
    /// exactly an hour, and from no second before.
    function test_settle_leavesAnHourToPay() external {
        Tier[] memory t = standardTiers();
        t[1].delay = 0;
        useTiers(t);
        uint256 start = uint256(START) / 4 hours * 4 hours + 4 hours;
        vm.warp(start);
        bytes memory all;
        for (uint256 i = 0; i < 5; ++i) {
            all = bytes.concat(all, payment(known, 100_000 * USDT, i));
        }
        Batch memory spender = header(1, 100, all);
        proposeAndApprove(spender, all, 2);
        execute(spender, all);
        assertEq(vault.headroom(1), 0);

        bytes memory large = payment(known, 100_000 * USDT, 9);
        Batch memory b = header(1, 200, large);
        b.expiresAt = uint40(start + SETTLE - 1);
        expectExpiryOutOfRange(b.expiresAt, 0);
        proposeAs(proposer, b, large);
        b.expiresAt += 1;
        bytes32 id = proposeAndApprove(b, large, 2);
        vm.warp(start + 28 hours - 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultCapExceeded.selector, 1, 100_000 * USDT, 0));
        execute(b, large);
        for (uint256 i = 0; i < 3; ++i) {
            vm.warp([start + 28 hours, start + 28 hours + 30 minutes, start + 29 hours - 1][i]);
            uint256 snapshot = vm.snapshotState();
            assertEq(execute(b, large), 1);
            vm.revertToState(snapshot);
        }
        vm.warp(start + 29 hours);
        expectStateInvalid(id, State.Expired);
        execute(b, large);
    }

    /// @dev With the charge at any second of its bucket and any delay: an hour at least.
    function testFuzz_settle_leavesAnHourToPay(uint256 second, uint256 delay, uint256 wait) external {
        Tier[] memory t = standardTiers();
        t[1].delay = uint32(bound(delay, 0, 1 days));
        useTiers(t);
        vm.warp(START + bound(second, 0, 4 hours));
        bytes memory all;
        for (uint256 i = 0; i < 5; ++i) {
            all = bytes.concat(all, payment(known, 100_000 * USDT, i));
        }
        Batch memory spender = header(1, 100, all);
        proposeAndApprove(spender, all, 2);
        skip(t[1].delay);
        bytes memory large = payment(known, 100_000 * USDT, 9);
        Batch memory b = header(1, 200, large);
        b.expiresAt = uint40(clock() + t[1].delay + SETTLE);
        proposeAndApprove(b, large, 2);
        skip(bound(wait, 0, t[1].delay));
        execute(spender, all); // as late as the start of its own last second
        vm.warp(b.expiresAt - 1 hours);
        assertEq(execute(b, large), 1);
    }

    // ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev The longest life there is.
    function _longLived(uint8 tier) private view returns (Batch memory b) {
        b = header(tier, 1, packed);
        b.expiresAt = uint40(clock() + MAX_LIFE);
    }
}
