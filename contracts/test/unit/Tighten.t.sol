// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Policy} from "../../src/libraries/Policy.sol";
import {
    ChangeKind,
    Configuration,
    Role,
    Standing,
    State,
    Tier,
    TiersChange,
    Vote
} from "../../src/types/VaultTypes.sol";
import {SignedTest} from "./SignedTest.sol";

/// @notice A change that only tightens takes effect with the vote that brings its quorum.
contract TightenTest is SignedTest {
    ChangeKind private constant TIERS = ChangeKind.Tiers;
    uint32 private constant DELAY = 2 days;
    uint40 private constant UNTIL = START + 365 days; // of the roles

    // ── Tiers ────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_tighten_tiersTakeEffectWithTheQuorum() external {
        Tier[] memory rows = tighter();
        bytes memory change = tiersChange(rows, DELAY);
        bytes32 id = vault.hashChange(TIERS, change);
        vm.recordLogs();
        vm.expectEmit(address(vault));
        emit IVault.ChangeProposed(id, proposer, TIERS, change);
        vm.prank(proposer);
        vault.proposeChange(TIERS, change);
        assertTrue(vault.proposal(id).instant());
        assertTrue(vault.proposal(id).vetoable());
        assertEq(vault.proposal(id).delay(), 0);
        vm.prank(alice);
        vault.approveChange(TIERS, change);
        assertTiers(standardTiers());
        assertEvents(events(IVault.ChangeProposed.selector, IVault.Approved.selector));

        skip(7);
        Tier[] memory old = standardTiers();
        vm.expectEmit(address(vault));
        emit IVault.Queued(id, bob);
        vm.expectEmit(address(vault));
        emit IVault.ChangeExecuted(id, TIERS);
        for (uint256 k = 0; k < 3; ++k) {
            vm.expectEmit(address(vault));
            emit IVault.TierSet(k, old[k], rows[k]);
        }
        vm.recordLogs();
        vm.prank(bob);
        vault.approveChange(TIERS, change);
        assertEq(vm.getRecordedLogs().length, 5);
        assertTiers(rows);
        assertState(id, State.Executed);
        assertEq(vault.policyDelay(), DELAY);
        assertEq(vault.hot().settledAt(), 0, "nothing has to settle");
        assertEq(vault.termsChangedAt(), START + 7);
        assertEq(vault.headroom(0), rows[0].cap);
    }

    function test_tighten_bySignaturesInOneCall() external {
        Tier[] memory rows = tighter();
        bytes memory change = tiersChange(rows, DELAY);
        bytes32 id = vault.hashChange(TIERS, change);
        Vote[] memory list = signedBy(addresses(carol, alice), TIERS, change);
        vm.expectEmit(address(vault));
        emit IVault.ChangeProposed(id, carol, TIERS, change);
        vm.expectEmit(address(vault));
        emit IVault.Queued(id, alice);
        vm.expectEmit(address(vault));
        emit IVault.ChangeExecuted(id, TIERS);
        vm.recordLogs();
        vm.prank(stranger);
        vault.proposeChangeBySig(TIERS, change, list);
        assertEq(vm.getRecordedLogs().length, 6);
        assertTiers(rows);
        assertState(id, State.Executed);
    }

    /// @dev Also votes beyond the quorum in the call that brings it.
    function test_tighten_bySignaturesForWhatIsProposed() external {
        bytes memory change = tiersChange(tighter(), DELAY);
        vm.prank(proposer);
        bytes32 id = vault.proposeChange(TIERS, change);
        Vote[] memory list = signedBy(addresses(alice, bob, carol), TIERS, change);
        vm.prank(stranger);
        vault.approveChangeBySig(TIERS, change, list);
        assertTiers(tighter());
        assertState(id, State.Executed);
        assertEq(vault.proposal(id).voteCount(1), 3);
        vm.expectRevert(stateInvalid(id, State.Executed));
        vault.approveChangeBySig(TIERS, change, list);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultAlreadyProposed.selector, id, State.Executed));
        vault.proposeChangeBySig(TIERS, change, list);
    }

    /// @dev One signer is the quorum: proposing is enough.
    function test_tighten_byProposingIfThresholdIsOne() external {
        Configuration memory c = configuration();
        c.threshold = 1;
        useConfiguration(c);
        bytes memory change = tiersChange(tighter(), DELAY);
        bytes32 id = vault.hashChange(TIERS, change);
        vm.prank(proposer);
        vault.proposeChange(TIERS, change);
        assertState(id, State.Proposed);
        vm.prank(alice);
        vault.approveChange(TIERS, change);
        assertTiers(tighter());

        change = recipientsChange(addresses(payee), Standing.Unknown, Standing.Blocked);
        id = vault.hashChange(ChangeKind.Recipients, change);
        vm.recordLogs();
        vm.prank(alice);
        vault.proposeChange(ChangeKind.Recipients, change);
        assertEvents(
            events(
                IVault.ChangeProposed.selector,
                IVault.Queued.selector,
                IVault.ChangeExecuted.selector,
                IVault.RecipientSet.selector
            )
        );
        assertState(id, State.Executed);
        assertEq(uint8(vault.standingOf(payee)), uint8(Standing.Blocked));
    }

    /// @dev Each field that loosens, alone, makes it an ordinary change; so do another count and another policy delay.
    function test_tighten_notIfAnythingLoosens() external {
        for (uint256 field = 0; field < 8; ++field) {
            Tier[] memory rows = tighter();
            uint32 delay = DELAY;
            if (field == 0) rows[1].maxKnown = standardTiers()[1].maxKnown + UNIT;
            else if (field == 1) rows[1].maxUnknown = standardTiers()[1].maxUnknown + UNIT;
            else if (field == 2) rows[1].cap = standardTiers()[1].cap + UNIT;
            else if (field == 3) rows[1].approvals = 1;
            else if (field == 4) rows[1].delay = 1 hours - 1;
            else if (field == 5) delay = DELAY + 1;
            else if (field == 6) delay = DELAY - 1;
            else rows = firstTwo(rows);
            bytes memory change = tiersChange(rows, delay);
            bytes32 id = approvedChange(TIERS, change);
            assertFalse(vault.proposal(id).instant());
            assertEq(vault.proposal(id).delay(), DELAY);
            assertState(id, State.Queued);
            assertTiers(standardTiers());
        }
    }

    /// @dev And each that tightens, alone, in the lowest tier and in the highest.
    function test_tighten_anyFieldAlone() external {
        for (uint256 n = 0; n < 10; ++n) {
            uint256 snapshot = vm.snapshotState();
            Tier[] memory rows = standardTiers();
            (uint256 field, uint256 k) = (n % 5, n < 5 ? 0 : 2);
            if (field == 0 && k == 0) {
                rows[k].maxKnown -= UNIT;
            } else if (field == 0) {
                (rows[k].maxKnown, rows[k].maxUnknown) = (rows[k].maxKnown - UNIT, rows[k].maxKnown - UNIT);
            } else if (field == 1) {
                rows[k].maxUnknown -= UNIT;
            } else if (field == 2) {
                rows[k].cap -= UNIT;
            } else if (field == 3) {
                rows[k].approvals = k == 0 ? 1 : 3;
            } else {
                rows[k].delay += 1;
            }
            assertState(approvedChange(TIERS, tiersChange(rows, DELAY)), State.Executed);
            assertTiers(rows);
            vm.revertToState(snapshot);
        }
    }

    // ── Whatever comes first ─────────────────────────────────────────────────────────────────────────────────────

    /// @dev Another tightening takes effect in between: of each field the stricter.
    function test_tighten_orderDoesNotMatter() external {
        (Tier[] memory a, Tier[] memory b) = (standardTiers(), standardTiers());
        (a[0].cap, a[0].delay, a[2].maxKnown, a[2].maxUnknown) =
        (CAP / 2, 1 hours, uint128(500_000 * USDT), uint128(500_000 * USDT));
        (b[0].cap, b[0].approvals, b[2].cap) = (CAP / 4, 1, uint128(1_000_000 * USDT));
        bytes[2] memory changes = [tiersChange(a, DELAY), tiersChange(b, DELAY)];
        Tier[] memory both = standardTiers();
        (both[0].cap, both[0].delay, both[0].approvals) = (CAP / 4, 1 hours, 1);
        (both[2].maxKnown, both[2].maxUnknown) = (uint128(500_000 * USDT), uint128(500_000 * USDT));
        both[2].cap = uint128(1_000_000 * USDT);
        for (uint256 first = 0; first < 2; ++first) {
            uint256 snapshot = vm.snapshotState();
            vm.startPrank(alice);
            vault.proposeChange(TIERS, changes[0]);
            vault.proposeChange(TIERS, changes[1]);
            vm.stopPrank();
            vm.startPrank(bob);
            vault.approveChange(TIERS, changes[first]);
            vault.approveChange(TIERS, changes[1 - first]);
            vm.stopPrank();
            assertTiers(both);
            vm.revertToState(snapshot);
        }
    }

    /// @dev A change that loosens takes effect in between: what the tightening states holds, and nothing waits.
    function test_tighten_afterALooseningAndWhileThatSettles() external {
        Tier[] memory looser = standardTiers();
        (looser[0].cap, looser[1].cap) = (2 * CAP, uint128(600_000 * USDT));
        bytes memory loosening = tiersChange(looser, 3 days);
        readyChange(TIERS, loosening);
        bytes memory change = tiersChange(tighter(), DELAY);
        vm.prank(alice);
        bytes32 id = vault.proposeChange(TIERS, change);
        executeChange(TIERS, loosening);
        uint256 settledAt = clock() + 28 hours;
        skip(1 hours);
        vm.prank(bob);
        vault.approveChange(TIERS, change);
        assertState(id, State.Executed);
        assertTiers(tighter());
        assertEq(vault.policyDelay(), 3 days, "the one of now stays");
        assertEq(vault.hot().settledAt(), settledAt, "as before");
    }

    /// @dev During the 28 hours each cap stays the smallest of before, between and now.
    function test_tighten_capsStayTheSmallerWhileCapsSettle() external {
        Tier[] memory rows = standardTiers();
        (rows[0].cap, rows[1].cap) = (4 * CAP, uint128(600_000 * USDT));
        enact(TIERS, tiersChange(rows, DELAY));
        uint256 settledAt = vault.hot().settledAt();
        assertEq(vault.headroom(0), CAP);
        (rows[0].cap, rows[1].cap) = (2 * CAP, uint128(300_000 * USDT));
        assertState(approvedChange(TIERS, tiersChange(rows, DELAY)), State.Executed);
        assertEq(vault.headroom(0), CAP, "the cap before the first change");
        assertEq(vault.headroom(1), 300_000 * USDT, "the cap of now");
        assertEq(vault.packedTier(0).capBefore(), CAP / UNIT);
        vm.warp(settledAt - 1);
        assertEq(vault.headroom(0), CAP);
        vm.warp(settledAt);
        assertEq(vault.headroom(0), 2 * CAP);
        assertEq(vault.headroom(1), 300_000 * USDT);
    }

    /// @dev Lowering at once and raising afterwards lets through what the caps of before did, and no more.
    function test_tighten_thenRaisingWaitsAsEver() external {
        bytes memory back = tiersChange(standardTiers(), DELAY + 1);
        readyChange(TIERS, back);
        Tier[] memory rows = standardTiers();
        rows[0].cap = CAP / 2;
        approvedChange(TIERS, tiersChange(rows, DELAY));
        assertEq(vault.headroom(0), CAP / 2);
        executeChange(TIERS, back);
        assertEq(vault.headroom(0), CAP / 2);
        skip(28 hours - 1);
        assertEq(vault.headroom(0), CAP / 2);
        skip(1);
        assertEq(vault.headroom(0), CAP);
    }

    /// @dev What an ordinary change made of the number of tiers decides: rows no longer match rows.
    function test_tighten_RevertWhen_CountChangedMeanwhile() external {
        bytes memory fewer = tiersChange(firstTwo(standardTiers()), DELAY);
        readyChange(TIERS, fewer);
        bytes memory change = tiersChange(tighter(), DELAY);
        vm.prank(alice);
        bytes32 id = vault.proposeChange(TIERS, change);
        executeChange(TIERS, fewer);
        vm.expectRevert(outOfRange(Policy.Field.TierCount, 0, 3, 2, 2));
        vm.prank(bob);
        vault.approveChange(TIERS, change);
        assertEq(vault.proposal(id).voteCount(1), 1);
        assertTiers(firstTwo(standardTiers()));
    }

    /// @dev The set is another: its quorum is needed, by today's threshold.
    function test_tighten_needsTheQuorumOfTodaysSigners() external {
        bytes memory change = tiersChange(tighter(), DELAY);
        vm.prank(alice);
        bytes32 id = vault.proposeChange(TIERS, change);
        changeSigners(addresses(alice, bob, stranger), 3);
        vm.prank(bob);
        vault.approveChange(TIERS, change);
        vm.prank(alice);
        vault.approveChange(TIERS, change);
        assertState(id, State.Proposed);
        assertTiers(standardTiers());
        vm.prank(stranger);
        vault.approveChange(TIERS, change);
        assertTiers(tighter());
        assertState(id, State.Executed);
    }

    // ── Recipients ───────────────────────────────────────────────────────────────────────────────────────────────

    function test_tighten_recipients() external {
        address[] memory list = addresses(known, payee);
        bytes memory change = recipientsChange(list, Standing.Known, Standing.Blocked);
        bytes32 id = vault.hashChange(ChangeKind.Recipients, change);
        vm.prank(alice);
        vault.proposeChange(ChangeKind.Recipients, change);
        vm.expectEmit(address(vault));
        emit IVault.Queued(id, bob);
        vm.expectEmit(address(vault));
        emit IVault.ChangeExecuted(id, ChangeKind.Recipients);
        vm.expectEmit(address(vault));
        emit IVault.RecipientSet(known, Standing.Known, Standing.Blocked);
        vm.expectEmit(address(vault));
        emit IVault.RecipientSet(payee, Standing.Unknown, Standing.Blocked);
        vm.recordLogs();
        vm.prank(bob);
        vault.approveChange(ChangeKind.Recipients, change);
        assertEq(vm.getRecordedLogs().length, 4);
    }

    /// @dev Which moves are at once: to Blocked from another standing, and from Known to Unknown.
    function test_tighten_recipientsByMove() external {
        for (uint8 from = 0; from < 3; ++from) {
            for (uint8 to = 0; to < 3; ++to) {
                bytes memory change = recipientsChange(addresses(stranger), Standing(from), Standing(to));
                bytes32 id = approvedChange(ChangeKind.Recipients, change);
                bool stricter = from != to && (to == uint8(Standing.Blocked) || from == uint8(Standing.Known));
                assertEq(vault.proposal(id).instant(), stricter && from != uint8(Standing.Blocked));
                assertState(id, vault.proposal(id).instant() ? State.Executed : State.Queued);
            }
        }
    }

    /// @dev A guardian blocks one in between: it stays blocked, the others move, nothing fails.
    function test_tighten_recipientsBlockedInBetween() external {
        enact(ChangeKind.Recipients, recipientsChange(addresses(payee), Standing.Unknown, Standing.Known));
        bytes memory change = recipientsChange(addresses(known, payee), Standing.Known, Standing.Unknown);
        vm.prank(alice);
        vault.proposeChange(ChangeKind.Recipients, change);
        blockAs(guardian, known);
        vm.recordLogs();
        vm.prank(bob);
        vault.approveChange(ChangeKind.Recipients, change);
        assertEvents(events(IVault.Queued.selector, IVault.ChangeExecuted.selector, IVault.RecipientSet.selector));
        assertEq(uint8(vault.standingOf(known)), uint8(Standing.Blocked));
        assertEq(uint8(vault.standingOf(payee)), uint8(Standing.Unknown));
    }

    // ── Roles ────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_tighten_role() external {
        bytes memory change = roleChange(keeper, Role.Keeper, UNTIL, START + 1 hours);
        bytes32 id = vault.hashChange(ChangeKind.Role, change);
        vm.prank(alice);
        vault.proposeChange(ChangeKind.Role, change);
        vm.expectEmit(address(vault));
        emit IVault.Queued(id, bob);
        vm.expectEmit(address(vault));
        emit IVault.ChangeExecuted(id, ChangeKind.Role);
        vm.expectEmit(address(vault));
        emit IVault.RoleSet(keeper, Role.Keeper, UNTIL, START + 1 hours);
        vm.recordLogs();
        vm.prank(bob);
        vault.approveChange(ChangeKind.Role, change);
        assertEq(vm.getRecordedLogs().length, 3);
        assertEq(vault.member(keeper).until(Role.Keeper), START + 1 hours);
    }

    /// @dev An earlier end than stated as the old one; the same end is no tightening.
    function test_tighten_roleToAnEarlierEnd() external {
        bytes32 id = approvedChange(ChangeKind.Role, roleChange(keeper, Role.Keeper, UNTIL, UNTIL));
        assertFalse(vault.proposal(id).instant());
        id = approvedChange(ChangeKind.Role, roleChange(keeper, Role.Keeper, UNTIL, UNTIL - 1));
        assertState(id, State.Executed);
        assertEq(vault.member(keeper).until(Role.Keeper), UNTIL - 1);
        id = approvedChange(ChangeKind.Role, roleChange(proposer, Role.Proposer, UNTIL, 0));
        assertState(id, State.Executed);
        assertEq(vault.member(proposer).until(Role.Proposer), 0);
    }

    /// @dev Whatever old end is stated, nobody gets an hour more: of the two ends the earlier.
    function testFuzz_tighten_roleNeverLoosens(uint40 stated, uint40 until) external {
        stated = uint40(bound(stated, 1, type(uint40).max));
        until = uint40(bound(until, 0, stated - 1));
        bytes32 id = approvedChange(ChangeKind.Role, roleChange(keeper, Role.Keeper, stated, until));
        assertState(id, State.Executed);
        assertEq(vault.member(keeper).until(Role.Keeper), until < UNTIL ? until : UNTIL);
    }

    function test_tighten_roleRevokedInBetween() external {
        bytes memory change = roleChange(keeper, Role.Keeper, UNTIL, UNTIL - 1);
        vm.prank(alice);
        vault.proposeChange(ChangeKind.Role, change);
        vm.prank(guardian);
        vault.revokeRole(keeper, Role.Keeper);
        vm.recordLogs();
        vm.prank(bob);
        vault.approveChange(ChangeKind.Role, change);
        assertEvents(events(IVault.Queued.selector, IVault.ChangeExecuted.selector));
        assertEq(vault.member(keeper).until(Role.Keeper), 0);
    }

    // ── As any proposal ──────────────────────────────────────────────────────────────────────────────────────────

    /// @dev Nothing is executed a second way.
    function test_tighten_RevertWhen_ExecutedByCall() external {
        bytes memory change = tiersChange(tighter(), DELAY);
        bytes32 id = vault.hashChange(TIERS, change);
        vm.prank(alice);
        vault.proposeChange(TIERS, change);
        skip(DELAY);
        vm.expectRevert(stateInvalid(id, State.Proposed));
        executeChange(TIERS, change);
        vm.prank(bob);
        vault.approveChange(TIERS, change);
        vm.expectRevert(stateInvalid(id, State.Executed));
        executeChange(TIERS, change);
        vm.expectRevert(stateInvalid(id, State.Executed));
        vm.prank(carol);
        vault.approveChange(TIERS, change);
        expectStateInvalid(id, State.Executed);
        revokeAs(alice, id);
    }

    /// @dev It needs neither delay nor settling: any life will do, and the vote may come in the last second.
    function test_tighten_needsNoLife() external {
        (uint40 least, uint40 most) = (START + 1, START + 30 days);
        uint40[3] memory wrong = [START, 0, most + 1];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory dead = abi.encode(TiersChange(tighter(), DELAY, nonce(), wrong[i]));
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultExpiryOutOfRange.selector, wrong[i], least, most));
            vm.prank(alice);
            vault.proposeChange(TIERS, dead);
        }
        bytes memory change = abi.encode(TiersChange(tighter(), DELAY, nonce(), most));
        vm.prank(alice);
        bytes32 id = vault.proposeChange(TIERS, change);
        vm.warp(most);
        vm.expectRevert(stateInvalid(id, State.Expired));
        vm.prank(bob);
        vault.approveChange(TIERS, change);
        vm.warp(most - 1);
        vm.prank(bob);
        vault.approveChange(TIERS, change);
        assertTiers(tighter());
        vm.warp(START);
        change = abi.encode(TiersChange(tighter(), DELAY, nonce(), least));
        assertState(approvedChange(TIERS, change), State.Executed);
    }

    function test_tighten_guardianMayCancelBeforeTheQuorum() external {
        bytes memory change = tiersChange(tighter(), DELAY);
        vm.prank(alice);
        bytes32 id = vault.proposeChange(TIERS, change);
        cancelAs(guardian, id);
        vm.expectRevert(stateInvalid(id, State.Cancelled));
        vm.prank(bob);
        vault.approveChange(TIERS, change);
        assertTiers(standardTiers());
    }

    function test_tighten_worksWhileFrozen() external {
        freezeAs(guardian);
        approvedChange(TIERS, tiersChange(tighter(), DELAY));
        assertTiers(tighter());
    }

    function test_tighten_revokedVoteDoesNotCount() external {
        bytes memory change = tiersChange(tighter(), DELAY);
        vm.prank(alice);
        bytes32 id = vault.proposeChange(TIERS, change);
        vm.recordLogs();
        revokeAs(alice, id);
        assertEvents(events(IVault.Revoked.selector));
        vm.prank(bob);
        vault.approveChange(TIERS, change);
        assertTiers(standardTiers());
        vm.prank(carol);
        vault.approveChange(TIERS, change);
        assertTiers(tighter());
    }

    // ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    uint128 private constant CAP = 100_000e6; // of tier 0

    /// @dev Every row a little stricter, in every field.
    function tighter() private pure returns (Tier[] memory rows) {
        rows = standardTiers();
        rows[0] = Tier(uint128(9000 * USDT), uint128(900 * USDT), uint128(90_000 * USDT), 1, 1 minutes);
        rows[1] = Tier(uint128(90_000 * USDT), uint128(9000 * USDT), uint128(400_000 * USDT), 3, 2 hours);
        rows[2] = Tier(uint128(900_000 * USDT), uint128(900_000 * USDT), uint128(1_900_000 * USDT), 3, 2 days);
    }

    function firstTwo(Tier[] memory rows) private pure returns (Tier[] memory two) {
        two = new Tier[](2);
        (two[0], two[1]) = (rows[0], rows[1]);
    }

    function assertTiers(Tier[] memory rows) private view {
        assertEq(vault.tierCount(), rows.length);
        for (uint256 k = 0; k < rows.length; ++k) {
            assertEq(abi.encode(vault.tier(k)), abi.encode(rows[k]), "tier");
        }
    }
}
