// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Policy} from "../../src/libraries/Policy.sol";
import {
    Batch,
    ChangeKind,
    Configuration,
    Role,
    Standing,
    State,
    Tier,
    TiersChange,
    TightenChange,
    Vote
} from "../../src/types/VaultTypes.sol";
import {SignedTest} from "./SignedTest.sol";

/// @notice A change that only tightens takes effect with the vote that brings its quorum.
contract TightenTest is SignedTest {
    ChangeKind private constant TIERS = ChangeKind.Tiers;
    ChangeKind private constant TIGHTEN = ChangeKind.Tighten;
    uint32 private constant DELAY = 2 days;
    uint40 private constant UNTIL = START + 365 days; // of the roles

    // ── Tiers ────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_tighten_tiersTakeEffectWithTheQuorum() external {
        Tier[] memory rows = tighter();
        bytes memory change = tightenChange(rows);
        bytes32 id = vault.hashChange(TIGHTEN, change);
        vm.recordLogs();
        vm.expectEmit(address(vault));
        emit IVault.ChangeProposed(id, proposer, TIGHTEN, change);
        vm.prank(proposer);
        vault.proposeChange(TIGHTEN, change);
        assertTrue(vault.proposal(id).instant());
        assertFalse(vault.proposal(id).vetoable());
        assertEq(vault.proposal(id).delay(), 0);
        vm.prank(alice);
        vault.approveChange(TIGHTEN, change);
        assertTiers(standardTiers());
        assertEvents(events(IVault.ChangeProposed.selector, IVault.Approved.selector));

        skip(7);
        Tier[] memory old = standardTiers();
        vm.expectEmit(address(vault));
        emit IVault.Queued(id, bob);
        vm.expectEmit(address(vault));
        emit IVault.ChangeExecuted(id, TIGHTEN);
        for (uint256 k = 0; k < 3; ++k) {
            vm.expectEmit(address(vault));
            emit IVault.TierSet(k, old[k], rows[k]);
        }
        vm.recordLogs();
        vm.prank(bob);
        vault.approveChange(TIGHTEN, change);
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
        bytes memory change = tightenChange(rows);
        bytes32 id = vault.hashChange(TIGHTEN, change);
        Vote[] memory list = signedBy(addresses(carol, alice), TIGHTEN, change);
        vm.expectEmit(address(vault));
        emit IVault.ChangeProposed(id, carol, TIGHTEN, change);
        vm.expectEmit(address(vault));
        emit IVault.Queued(id, alice);
        vm.expectEmit(address(vault));
        emit IVault.ChangeExecuted(id, TIGHTEN);
        vm.recordLogs();
        vm.prank(stranger);
        vault.proposeChangeBySig(TIGHTEN, change, list);
        assertEq(vm.getRecordedLogs().length, 6);
        assertTiers(rows);
        assertState(id, State.Executed);
    }

    /// @dev Also votes beyond the quorum in the call that brings it.
    function test_tighten_bySignaturesForWhatIsProposed() external {
        bytes memory change = tightenChange(tighter());
        vm.prank(proposer);
        bytes32 id = vault.proposeChange(TIGHTEN, change);
        Vote[] memory list = signedBy(addresses(alice, bob, carol), TIGHTEN, change);
        vm.prank(stranger);
        vault.approveChangeBySig(TIGHTEN, change, list);
        assertTiers(tighter());
        assertState(id, State.Executed);
        assertEq(vault.proposal(id).voteCount(1), 3);
        vm.expectRevert(stateInvalid(id, State.Executed));
        vault.approveChangeBySig(TIGHTEN, change, list);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultAlreadyProposed.selector, id, State.Executed));
        vault.proposeChangeBySig(TIGHTEN, change, list);
    }

    /// @dev One signer is the quorum: proposing is enough.
    function test_tighten_byProposingIfThresholdIsOne() external {
        Configuration memory c = configuration();
        c.threshold = 1;
        useConfiguration(c);
        bytes memory change = tightenChange(tighter());
        bytes32 id = vault.hashChange(TIGHTEN, change);
        vm.prank(proposer);
        vault.proposeChange(TIGHTEN, change);
        assertState(id, State.Proposed);
        vm.prank(alice);
        vault.approveChange(TIGHTEN, change);
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

    /// @dev Where it states what would loosen, what is stays; with the rest it takes effect at once.
    function test_tighten_loosensNothing() external {
        for (uint256 field = 0; field < 6; ++field) {
            uint256 snapshot = vm.snapshotState();
            (Tier[] memory rows, Tier[] memory both) = (tighter(), tighter());
            if (field == 0) (rows[1].maxKnown, both[1].maxKnown) = _apart(standardTiers()[1].maxKnown);
            else if (field == 1) (rows[1].maxUnknown, both[1].maxUnknown) = _apart(standardTiers()[1].maxUnknown);
            else if (field == 2) (rows[1].cap, both[1].cap) = _apart(standardTiers()[1].cap);
            else if (field == 3) (rows[1].approvals, both[1].approvals) = (1, standardTiers()[1].approvals);
            else if (field == 4) (rows[1].delay, both[1].delay) = (1 hours - 1, standardTiers()[1].delay);
            else (rows, both) = (loosest(), standardTiers());
            bytes32 id = approvedChange(TIGHTEN, tightenChange(rows));
            assertTrue(vault.proposal(id).instant());
            assertState(id, State.Executed);
            assertTiers(both);
            vm.revertToState(snapshot);
        }
    }

    /// @dev An automatic tier stays the keeper's: its limits and its cap are tightened, and nobody else can pay under it.
    function test_tighten_automaticTierStaysAutomatic() external {
        uint8[3] memory approvals = [1, 0, 2];
        uint32[3] memory delay = [uint32(0), 1, 1 hours];
        bytes memory packed = payment(known, USDT, 1);
        for (uint256 i = 0; i < 3; ++i) {
            uint256 snapshot = vm.snapshotState();
            Tier[] memory rows = tighter();
            (rows[0].approvals, rows[0].delay) = (approvals[i], delay[i]);
            approvedChange(TIGHTEN, tightenChange(rows));
            assertTiers(tighter());
            assertTrue(vault.packedTier(0).isAutomatic());
            Batch memory b = header(0, 1 << 63, packed);
            Vote[] memory list = votes(signed(alice, b), signed(bob, b));
            vm.startPrank(alice);
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierAutomatic.selector, 0));
            vault.propose(orderOf(b), packed);
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierAutomatic.selector, 0));
            vault.payBySig(orderOf(b), packed, list);
            vm.stopPrank();
            vm.revertToState(snapshot);
        }
    }

    /// @dev The same rows as a change of tiers wait, also if they only tighten: what was signed says which it is.
    function test_tighten_notByAnOrdinaryChange() external {
        bytes32 id = approvedChange(TIERS, tiersChange(tighter(), DELAY));
        assertFalse(vault.proposal(id).instant());
        assertEq(vault.proposal(id).delay(), DELAY);
        assertState(id, State.Queued);
        assertTiers(standardTiers());
    }

    /// @dev No rows, approvals that the signers cannot give, rows that are no policy.
    function test_tighten_RevertWhen_ItCanNeverTakeEffect() external {
        bytes memory change = tightenChange(new Tier[](0));
        proposalReverts(TIGHTEN, change, outOfRange(Policy.Field.TierCount, 0, 0, 1, 4));
        Tier[] memory rows = tighter();
        rows[2].approvals = 4;
        proposalReverts(TIGHTEN, tightenChange(rows), outOfRange(Policy.Field.Approvals, 2, 4, 2, 3));
        rows = tighter();
        rows[0].cap = uint128(UNIT) + 1;
        proposalReverts(TIGHTEN, tightenChange(rows), notMultiple(Policy.Field.Cap, 0, UNIT + 1));
    }

    /// @dev And each that tightens, alone, in the lowest tier that is not the keeper's for terms, and in the highest.
    function test_tighten_anyFieldAlone() external {
        for (uint256 n = 0; n < 10; ++n) {
            uint256 snapshot = vm.snapshotState();
            Tier[] memory rows = standardTiers();
            (uint256 field, uint256 k) = (n % 5, n < 3 ? 0 : n < 5 ? 1 : 2);
            if (field == 0 && k == 0) {
                rows[k].maxKnown -= UNIT;
            } else if (field == 0) {
                (rows[k].maxKnown, rows[k].maxUnknown) = (rows[k].maxKnown - UNIT, rows[k].maxKnown - UNIT);
            } else if (field == 1) {
                rows[k].maxUnknown -= UNIT;
            } else if (field == 2) {
                rows[k].cap -= UNIT;
            } else if (field == 3) {
                rows[k].approvals = 3;
            } else {
                rows[k].delay += 1;
            }
            assertState(approvedChange(TIGHTEN, tightenChange(rows)), State.Executed);
            assertTiers(rows);
            vm.revertToState(snapshot);
        }
    }

    // ── Whatever comes first ─────────────────────────────────────────────────────────────────────────────────────

    /// @dev Another tightening takes effect in between: of each field the stricter.
    function test_tighten_orderDoesNotMatter() external {
        (Tier[] memory a, Tier[] memory b) = (standardTiers(), standardTiers());
        (a[0].cap, a[1].delay, a[2].maxKnown, a[2].maxUnknown) =
        (CAP / 2, 2 hours, uint128(500_000 * USDT), uint128(500_000 * USDT));
        (b[0].cap, b[1].approvals, b[2].cap) = (CAP / 4, 3, uint128(1_000_000 * USDT));
        bytes[2] memory changes = [tightenChange(a), tightenChange(b)];
        Tier[] memory both = standardTiers();
        (both[0].cap, both[1].delay, both[1].approvals) = (CAP / 4, 2 hours, 3);
        (both[2].maxKnown, both[2].maxUnknown) = (uint128(500_000 * USDT), uint128(500_000 * USDT));
        both[2].cap = uint128(1_000_000 * USDT);
        for (uint256 first = 0; first < 2; ++first) {
            uint256 snapshot = vm.snapshotState();
            vm.startPrank(alice);
            vault.proposeChange(TIGHTEN, changes[0]);
            vault.proposeChange(TIGHTEN, changes[1]);
            vm.stopPrank();
            vm.startPrank(bob);
            vault.approveChange(TIGHTEN, changes[first]);
            vault.approveChange(TIGHTEN, changes[1 - first]);
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
        bytes memory change = tightenChange(tighter());
        vm.prank(alice);
        bytes32 id = vault.proposeChange(TIGHTEN, change);
        executeChange(TIERS, loosening);
        uint256 settledAt = clock() + 28 hours;
        skip(1 hours);
        vm.prank(bob);
        vault.approveChange(TIGHTEN, change);
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
        assertState(approvedChange(TIGHTEN, tightenChange(rows)), State.Executed);
        assertEq(vault.headroom(0), CAP, "the cap before the first change");
        assertEq(vault.headroom(1), 300_000 * USDT, "the cap of now");
        assertEq(vault.packedTier(0).capBefore(), CAP / UNIT);
        vm.warp(settledAt - 1);
        assertEq(vault.headroom(0), CAP);
        vm.warp(settledAt);
        assertEq(vault.headroom(0), 2 * CAP);
        assertEq(vault.headroom(1), 300_000 * USDT);
    }

    /// @dev What was ready before states other tiers; raised again by a new change, after delay and settling as ever.
    function test_tighten_thenRaisingWaitsAsEver() external {
        bytes memory back = tiersChange(standardTiers(), DELAY + 1);
        bytes32 id = readyChange(TIERS, back);
        uint256 changedAt = vault.termsChangedAt();
        Tier[] memory rows = standardTiers();
        rows[0].cap = CAP / 2;
        approvedChange(TIGHTEN, tightenChange(rows));
        assertEq(vault.headroom(0), CAP / 2);
        bytes memory reason = abi.encodeWithSelector(IVault.VaultTiersStale.selector, changedAt, clock());
        refuseChange(TIERS, back, reason);
        assertState(id, State.Ready);
        proposalReverts(TIERS, abi.encode(TiersChange(rows, DELAY, uint40(changedAt), nonce(), expiry())), reason);

        back = tiersChange(standardTiers(), DELAY + 1);
        readyChange(TIERS, back);
        executeChange(TIERS, back);
        assertEq(vault.headroom(0), CAP / 2);
        skip(28 hours - 1);
        assertEq(vault.headroom(0), CAP / 2);
        skip(1);
        assertEq(vault.headroom(0), CAP);
    }

    /// @dev Within a second too each state of the tiers has a time of its own, so that no change starts from two of them.
    function test_tighten_twiceInASecondIsToldApart() external {
        Tier[] memory rows = standardTiers();
        rows[0].cap = CAP / 2;
        approvedChange(TIGHTEN, tightenChange(rows));
        uint256 first = vault.termsChangedAt();
        assertEq(first, clock() + 1, "created in this second");
        bytes memory back = tiersChange(standardTiers(), DELAY);
        approvedChange(TIERS, back);
        rows[0].cap = CAP / 4;
        approvedChange(TIGHTEN, tightenChange(rows));
        assertEq(vault.termsChangedAt(), first + 1);
        skip(DELAY);
        refuseChange(TIERS, back, abi.encodeWithSelector(IVault.VaultTiersStale.selector, first, first + 1));
        assertEq(vault.headroom(0), CAP / 4);
    }

    /// @dev What an ordinary change made of the number of tiers does not matter: rows without a tier are for none.
    function test_tighten_fewerTiersThanStated() external {
        bytes memory fewer = tiersChange(withoutTheMiddle(), DELAY);
        readyChange(TIERS, fewer);
        Tier[] memory rows = tighter();
        bytes memory change = tightenChange(rows);
        vm.prank(alice);
        bytes32 id = vault.proposeChange(TIGHTEN, change);
        executeChange(TIERS, fewer);
        vm.prank(bob);
        vault.approveChange(TIGHTEN, change);
        assertState(id, State.Executed);
        Tier[] memory two = firstTwo(rows);
        two[1].delay = 1 days; // the one that was there
        assertTiers(two);
    }

    /// @dev And tiers beyond the last row are held to that row.
    function test_tighten_moreTiersThanStated() external {
        Tier[] memory more = new Tier[](4);
        for (uint256 k = 0; k < 4; ++k) {
            more[k] = standardTiers()[k < 3 ? k : 2];
        }
        (more[3].maxKnown, more[3].maxUnknown, more[3].cap) =
        (uint128(3_000_000 * USDT), uint128(2_000_000 * USDT), uint128(3_000_000 * USDT));
        (more[3].approvals, more[3].delay) = (3, 3 days);
        readyChange(TIERS, tiersChange(more, DELAY));
        bytes memory change = tightenChange(firstTwo(tighter()));
        bytes memory looser = tiersChange(more, DELAY);
        Vote[] memory list = signedBy(addresses(alice, bob), TIGHTEN, change);
        enact(TIERS, looser);
        vault.proposeChangeBySig(TIGHTEN, change, list);
        Tier[] memory rows = more;
        (rows[0], rows[1]) = (tighter()[0], tighter()[1]);
        for (uint256 k = 2; k < 4; ++k) {
            (rows[k].maxKnown, rows[k].maxUnknown, rows[k].cap) =
            (tighter()[1].maxKnown, tighter()[1].maxUnknown, tighter()[1].cap);
        }
        assertTiers(rows);
        assertEq(vault.tier(3).delay, 3 days, "its own, which is longer");
    }

    /// @dev Nothing is written, so that what is ready still starts from what is.
    function test_tighten_thatChangesNothingMakesNothingStale() external {
        Tier[] memory next = standardTiers();
        next[2].delay = 2 days;
        bytes memory slow = tiersChange(next, DELAY);
        readyChange(TIERS, slow);
        uint256 changedAt = vault.termsChangedAt();
        Tier[][2] memory stated = [standardTiers(), loosest()];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory change = tightenChange(stated[i]);
            vm.prank(alice);
            vault.proposeChange(TIGHTEN, change);
            vm.recordLogs();
            vm.prank(bob);
            vault.approveChange(TIGHTEN, change);
            assertEvents(events(IVault.Queued.selector, IVault.ChangeExecuted.selector));
            assertEq(vault.termsChangedAt(), changedAt);
            assertTiers(standardTiers());
        }
        executeChange(TIERS, slow);
        assertTiers(next);
    }

    /// @dev The set is another: its quorum is needed, by today's threshold.
    function test_tighten_needsTheQuorumOfTodaysSigners() external {
        bytes memory change = tightenChange(tighter());
        vm.prank(alice);
        bytes32 id = vault.proposeChange(TIGHTEN, change);
        changeSigners(addresses(alice, bob, stranger), 3);
        vm.prank(bob);
        vault.approveChange(TIGHTEN, change);
        vm.prank(alice);
        vault.approveChange(TIGHTEN, change);
        assertState(id, State.Proposed);
        assertTiers(standardTiers());
        vm.prank(stranger);
        vault.approveChange(TIGHTEN, change);
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
        bytes memory change = tightenChange(tighter());
        bytes32 id = vault.hashChange(TIGHTEN, change);
        vm.prank(alice);
        vault.proposeChange(TIGHTEN, change);
        skip(DELAY);
        vm.expectRevert(stateInvalid(id, State.Proposed));
        executeChange(TIGHTEN, change);
        vm.prank(bob);
        vault.approveChange(TIGHTEN, change);
        vm.expectRevert(stateInvalid(id, State.Executed));
        executeChange(TIGHTEN, change);
        vm.expectRevert(stateInvalid(id, State.Executed));
        vm.prank(carol);
        vault.approveChange(TIGHTEN, change);
        expectStateInvalid(id, State.Executed);
        revokeAs(alice, id);
    }

    /// @dev It needs neither delay nor settling: any life will do, and the vote may come in the last second.
    function test_tighten_needsNoLife() external {
        (uint40 least, uint40 most) = (START + 1, START + 30 days);
        uint40[3] memory wrong = [START, 0, most + 1];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory dead = abi.encode(TightenChange(tighter(), nonce(), wrong[i]));
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultExpiryOutOfRange.selector, wrong[i], least, most));
            vm.prank(alice);
            vault.proposeChange(TIGHTEN, dead);
        }
        bytes memory change = abi.encode(TightenChange(tighter(), nonce(), most));
        vm.prank(alice);
        bytes32 id = vault.proposeChange(TIGHTEN, change);
        vm.warp(most);
        vm.expectRevert(stateInvalid(id, State.Expired));
        vm.prank(bob);
        vault.approveChange(TIGHTEN, change);
        vm.warp(most - 1);
        vm.prank(bob);
        vault.approveChange(TIGHTEN, change);
        assertTiers(tighter());
        vm.warp(START);
        change = abi.encode(TightenChange(tighter(), nonce(), least));
        assertState(approvedChange(TIGHTEN, change), State.Executed);
    }

    /// @dev Not with one of its votes either: the others still bring it into effect.
    function test_tighten_RevertWhen_Vetoed() external {
        bytes[3] memory changes = [
            tightenChange(tighter()),
            recipientsChange(addresses(known), Standing.Known, Standing.Blocked),
            roleChange(keeper, Role.Keeper, UNTIL, START + 1 hours)
        ];
        ChangeKind[3] memory kinds = [TIGHTEN, ChangeKind.Recipients, ChangeKind.Role];
        for (uint256 i = 0; i < 3; ++i) {
            Vote[] memory list = signedBy(addresses(alice, bob), kinds[i], changes[i]);
            vm.startPrank(guardian);
            bytes32 id = vault.proposeChangeBySig(kinds[i], changes[i], votes(list[0]));
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotVetoable.selector, id));
            vault.cancel(id);
            vm.stopPrank();
            vault.approveChangeBySig(kinds[i], changes[i], list);
            assertState(id, State.Executed);
        }
        assertTiers(tighter());
    }

    function test_tighten_worksWhileFrozen() external {
        freezeAs(guardian);
        approvedChange(TIGHTEN, tightenChange(tighter()));
        assertTiers(tighter());
    }

    function test_tighten_revokedVoteDoesNotCount() external {
        bytes memory change = tightenChange(tighter());
        vm.prank(alice);
        bytes32 id = vault.proposeChange(TIGHTEN, change);
        vm.recordLogs();
        revokeAs(alice, id);
        assertEvents(events(IVault.Revoked.selector));
        vm.prank(bob);
        vault.approveChange(TIGHTEN, change);
        assertTiers(standardTiers());
        vm.prank(carol);
        vault.approveChange(TIGHTEN, change);
        assertTiers(tighter());
    }

    // ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    uint128 private constant CAP = 100_000e6; // of tier 0

    /// @dev Every row a little stricter, in every field; the automatic one stays automatic.
    function tighter() private pure returns (Tier[] memory rows) {
        rows = standardTiers();
        rows[0] = Tier(uint128(9000 * USDT), uint128(900 * USDT), uint128(90_000 * USDT), 0, 0);
        rows[1] = Tier(uint128(90_000 * USDT), uint128(9000 * USDT), uint128(400_000 * USDT), 3, 2 hours);
        rows[2] = Tier(uint128(900_000 * USDT), uint128(900_000 * USDT), uint128(1_900_000 * USDT), 3, 2 days);
    }

    /// @dev Every row looser, in every field.
    function loosest() private pure returns (Tier[] memory rows) {
        rows = standardTiers();
        for (uint256 k = 0; k < rows.length; ++k) {
            uint128 cap = rows[k].cap + uint128(UNIT);
            rows[k] = Tier(cap, cap, cap, 0, 0);
        }
    }

    /// @dev The first and the last row: a tier less.
    function withoutTheMiddle() private pure returns (Tier[] memory two) {
        two = firstTwo(standardTiers());
        two[1] = standardTiers()[2];
    }

    /// @dev A little looser than what is, and what is.
    function _apart(uint128 what) private pure returns (uint128, uint128) {
        return (what + uint128(UNIT), what);
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
