// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VaultLens} from "../../src/VaultLens.sol";
import {IVault} from "../../src/interfaces/IVault.sol";
import {
    Batch,
    Blocker,
    ChangeKind,
    Explanation,
    GuardiansChange,
    Role,
    Standing,
    State,
    SweepChange,
    Tier,
    TiersChange
} from "../../src/types/VaultTypes.sol";
import {Deploy} from "../Deploy.sol";
import {PolicyTest} from "../PolicyTest.sol";

/// @notice What the lens says a proposal waits for, blocker by blocker, and that it is then gone.
contract ExplainTest is PolicyTest {
    uint40 private constant READY = START + 1 hours; // of a batch approved now

    VaultLens private lens;
    bytes private packed;
    Batch private b;

    function setUp() public override {
        super.setUp();
        lens = Deploy.lens();
        packed = payment(payee, 20_000 * USDT, 1);
        b = header(1, 1, packed);
    }

    // ── Blockers ─────────────────────────────────────────────────────────────────────────────────────────────────

    function test_explain_notProposed() external view {
        Explanation memory none;
        none.blocker = Blocker.NotProposed;
        assertExplained(none);
        assertEq(abi.encode(lens.explain(vault, bytes32(0))), abi.encode(none));
    }

    /// @dev Revoked beforehand is not proposed.
    function test_explain_onlyRevoked() external {
        bytes32 id = vault.hashBatch(b);
        vm.prank(alice);
        vault.revoke(id);
        Explanation memory none;
        none.blocker = Blocker.NotProposed;
        assertExplained(none);
        assertFalse(lens.hasApproved(vault, id, alice));
    }

    function test_explain_votes() external {
        proposeAndApprove(b, packed, 0);
        Explanation memory e = Explanation(State.Proposed, Blocker.Votes, 0, 0, 2, 0, 1 hours, b.expiresAt);
        assertExplained(e);
        vm.prank(alice);
        vault.approve(b);
        e.votes = 1;
        assertExplained(e);
    }

    function test_explain_delay() external {
        proposeAndApprove(b, packed, 2);
        assertExplained(queued());
        vm.warp(READY - 1);
        assertExplained(queued());
    }

    function test_explain_nothing() external {
        proposeAndApprove(b, packed, 2);
        vm.warp(READY);
        assertExplained(ready());
        assertEq(execute(b, packed), 1);
    }

    function test_explain_frozen() external {
        proposeAndApprove(b, packed, 2);
        vm.prank(alice);
        uint40 until = uint40(vault.freeze());
        Explanation memory e = queued();
        e.earliest = until;
        assertExplained(e);
        (e.state, e.blocker) = (State.Ready, Blocker.Frozen);
        vm.warp(READY);
        assertExplained(e);
        vm.warp(until - 1);
        assertExplained(e);
        vm.expectRevert(frozen(until));
        execute(b, packed);
        vm.warp(until);
        (e.blocker, e.earliest) = (Blocker.None, READY);
        assertExplained(e);
        assertEq(execute(b, packed), 1);
    }

    function test_explain_delayOutlastsFreeze() external {
        vm.prank(alice);
        uint256 until = vault.freeze();
        vm.warp(until - 1);
        b = header(1, 1, packed);
        proposeAndApprove(b, packed, 2);
        assertEq(lens.explain(vault, vault.hashBatch(b)).earliest, until - 1 + 1 hours);
    }

    function test_explain_cap() external {
        proposeAndApprove(b, packed, 2);
        spendTier1(500_000 * USDT - 20_000 * USDT);
        assertExplained(ready());
        spendTier1(UNIT);
        uint40 first = START / 4 hours * 4 hours + 28 hours;
        Explanation memory e = ready();
        (e.blocker, e.earliest) = (Blocker.Cap, first);
        assertBatchExplained(e);
        vm.warp(first - 1);
        assertBatchExplained(e);
        vm.warp(first);
        assertBatchExplained(ready());
        assertEq(execute(b, packed), 1);
    }

    function test_explain_capNeverFits() external {
        proposeAndApprove(b, packed, 2);
        approvedChange(ChangeKind.Tighten, tier1Cap(UNIT));
        Explanation memory e = Explanation(State.Queued, Blocker.Cap, 0, 2, 2, START, 1 hours, b.expiresAt);
        assertBatchExplained(e);
        skip(1 hours);
        e.state = State.Ready;
        assertBatchExplained(e);
    }

    function test_explain_capWhileQueued() external {
        spendTier1(500_000 * USDT);
        vm.warp(START + 20 hours);
        b = header(1, 100, packed);
        proposeAndApprove(b, packed, 2);
        Explanation memory e = lens.explainBatch(vault, b);
        assertEq(uint8(e.blocker), uint8(Blocker.Delay));
        assertEq(e.earliest, START / 4 hours * 4 hours + 28 hours, "the later of delay and cap");
    }

    function test_explain_tierGone() external {
        bytes32 id = proposeAndApprove(b, packed, 2);
        b = header(2, 1, packed);
        bytes32 gone = proposeAndApprove(b, packed, 3);
        Tier[] memory rows = new Tier[](2);
        (rows[0], rows[1]) = (standardTiers()[0], standardTiers()[1]);
        enact(ChangeKind.Tiers, tiersChange(rows, 2 days));
        Explanation memory e = Explanation(State.Ready, Blocker.TierGone, 0, 3, 3, 0, 1 days, b.expiresAt);
        assertEq(abi.encode(lens.explain(vault, gone)), abi.encode(e));
        assertEq(abi.encode(lens.explainBatch(vault, b)), abi.encode(e));
        assertEq(uint8(lens.explain(vault, id).blocker), uint8(Blocker.None));
    }

    function test_explain_final() external {
        bytes32 id = proposeAndApprove(b, packed, 2);
        Explanation memory e = Explanation(State.Expired, Blocker.Final, 0, 2, 2, 0, 1 hours, b.expiresAt);
        vm.warp(b.expiresAt);
        assertExplained(e);
        vm.warp(READY);
        uint256 snapshot = vm.snapshotState();
        execute(b, packed);
        e.state = State.Executed;
        assertExplained(e);
        vm.revertToState(snapshot);
        vm.prank(guardian);
        vault.cancel(id);
        e.state = State.Cancelled;
        assertExplained(e);
    }

    // ── What execution needs now ─────────────────────────────────────────────────────────────────────────────────

    function test_explain_largerOfStoredAndCurrent() external {
        Tier[] memory rows = standardTiers();
        (rows[1].approvals, rows[1].delay) = (3, 5 hours);
        bytes memory change = tiersChange(rows, 3 days);
        readyChange(ChangeKind.Tiers, change);
        bytes32 pending = approvedChange(ChangeKind.Successor, successorChange(stranger));
        b = header(1, 1, packed);
        bytes32 id = proposeAndApprove(b, packed, 2);
        executeChange(ChangeKind.Tiers, change);
        Explanation memory e = lens.explain(vault, id);
        assertEq(uint8(e.blocker), uint8(Blocker.Votes));
        assertEq(e.required, 3);
        assertEq(e.delay, 5 hours);
        assertEq(e.quorumAt, 0);
        e = lens.explain(vault, pending);
        assertEq(uint8(e.blocker), uint8(Blocker.Delay));
        assertEq(e.required, 2);
        assertEq(e.delay, 3 days);
        assertEq(e.earliest, START + 2 days + 3 days);
        vm.warp(e.earliest - 1);
        assertState(pending, State.Queued);
        vm.warp(e.earliest);
        assertState(pending, State.Ready);
    }

    function test_explain_changeIsNotFrozen() external {
        vm.prank(alice);
        vault.freeze();
        bytes memory change = successorChange(stranger);
        bytes32 id = approvedChange(ChangeKind.Successor, change);
        Explanation memory e =
            Explanation(State.Queued, Blocker.Delay, START + 2 days, 2, 2, START, 2 days, START + 20 days);
        assertEq(abi.encode(lens.explain(vault, id)), abi.encode(e));
        vm.warp(START + 2 days);
        (e.state, e.blocker) = (State.Ready, Blocker.None);
        assertEq(abi.encode(lens.explain(vault, id)), abi.encode(e));
        executeChange(ChangeKind.Successor, change);
    }

    /// @notice A sweep is outflow: the freeze stops it, and the lens says so.
    function test_explainChange_frozenSweep() external {
        bytes memory change = sweepChange(stranger);
        bytes32 id = approvedChange(ChangeKind.Sweep, change);
        skip(1 days);
        vm.prank(alice);
        uint40 until = uint40(vault.freeze());
        Explanation memory e = Explanation(State.Queued, Blocker.Delay, until, 2, 2, START, 2 days, START + 20 days);
        assertChangeExplained(ChangeKind.Sweep, change, e);
        vm.warp(until - 1);
        (e.state, e.blocker) = (State.Ready, Blocker.Frozen);
        assertChangeExplained(ChangeKind.Sweep, change, e);
        refuseChange(ChangeKind.Sweep, change, frozen(until));
        e.blocker = Blocker.None;
        e.earliest = START + 2 days;
        assertEq(abi.encode(lens.explain(vault, id)), abi.encode(e), "the id alone does not tell");
        vm.warp(until);
        assertChangeExplained(ChangeKind.Sweep, change, e);
    }

    /// @notice Tiers change again only when the last change has settled; with the shortest policy delay that is later.
    function test_explainChange_tiersSettling() external {
        enact(ChangeKind.Tiers, tiersChange(standardTiers(), 1 days));
        uint40 start = uint40(clock());
        bytes memory other = successorChange(stranger);
        approvedChange(ChangeKind.Successor, other);
        bytes memory next = higherCap(UNIT);
        approvedChange(ChangeKind.Tiers, next);
        uint40 settledAt = start + 28 hours;
        Explanation memory e = Explanation(State.Queued, Blocker.Delay, settledAt, 2, 2, start, 1 days, expiry());
        assertChangeExplained(ChangeKind.Tiers, next, e);
        vm.warp(settledAt - 1);
        (e.state, e.blocker) = (State.Ready, Blocker.TiersSettling);
        assertChangeExplained(ChangeKind.Tiers, next, e);
        refuseChange(ChangeKind.Tiers, next, abi.encodeWithSelector(IVault.VaultTiersCoolingDown.selector, settledAt));
        vm.warp(settledAt);
        (e.blocker, e.earliest) = (Blocker.None, start + 1 days);
        assertChangeExplained(ChangeKind.Tiers, next, e);
        assertChangeExplained(ChangeKind.Successor, other, e);
        executeChange(ChangeKind.Tiers, next);
    }

    /// @notice What a change starts from is no more: no time helps, in whatever state it is.
    function test_explainChange_stale() external {
        vm.prank(guardian);
        vault.freeze();
        ChangeKind[4] memory kinds = [ChangeKind.Tiers, ChangeKind.Recipients, ChangeKind.Role, ChangeKind.Unfreeze];
        bytes[4] memory changes = [
            higherCap(UNIT),
            recipientsChange(addresses(stranger, payee), Standing.Unknown, Standing.Known),
            roleChange(keeper, Role.Keeper, START + 365 days, START + 400 days),
            unfreezeChange(uint40(vault.hot().haltedUntil()))
        ];
        Explanation memory e = Explanation(State.Proposed, Blocker.Votes, 0, 1, 2, 0, 2 days, expiry());
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(alice);
            vault.proposeChange(kinds[i], changes[i]);
            assertChangeExplained(kinds[i], changes[i], e);
        }
        approvedChange(ChangeKind.Tighten, tier1Cap(UNIT));
        vm.startPrank(guardian);
        vault.blockRecipient(payee);
        vault.revokeRole(keeper, Role.Keeper);
        vm.stopPrank();
        skip(1);
        vm.prank(bob);
        vault.freeze();
        e.blocker = Blocker.Stale;
        for (uint256 i = 0; i < 4; ++i) {
            assertChangeExplained(kinds[i], changes[i], e);
            vm.prank(carol);
            vault.approveChange(kinds[i], changes[i]);
        }
        (e.state, e.votes, e.quorumAt) = (State.Queued, 2, uint40(clock()));
        for (uint256 i = 0; i < 4; ++i) {
            assertChangeExplained(kinds[i], changes[i], e);
        }
        skip(2 days);
        e.state = State.Ready;
        for (uint256 i = 0; i < 4; ++i) {
            assertChangeExplained(kinds[i], changes[i], e);
            vm.expectRevert();
            executeChange(kinds[i], changes[i]);
        }
    }

    function test_explainChange_withoutItsVotes() external {
        Explanation memory e;
        e.blocker = Blocker.NotProposed;
        bytes memory change = sweepChange(stranger);
        assertChangeExplained(ChangeKind.Sweep, change, e);
        vm.startPrank(alice);
        vault.freeze();
        vault.proposeChange(ChangeKind.Sweep, change);
        vm.stopPrank();
        e = Explanation(State.Proposed, Blocker.Votes, 0, 1, 2, 0, 2 days, START + 20 days);
        assertChangeExplained(ChangeKind.Sweep, change, e);
    }

    // ── Never ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev A freeze that outlasts the batch: no time helps, and the freeze is why.
    function test_explain_frozenBeyondTheEnd() external {
        b.expiresAt = START + 1 hours + 29 hours;
        proposeAndApprove(b, packed, 2);
        vm.prank(alice);
        vault.freeze();
        Explanation memory e = Explanation(State.Queued, Blocker.Frozen, 0, 2, 2, START, 1 hours, b.expiresAt);
        assertExplained(e);
        vm.warp(READY);
        e.state = State.Ready;
        assertExplained(e);
        vm.warp(b.expiresAt - 1);
        assertExplained(e);
    }

    /// @dev Both sides of the end: a freeze that ends a second before it, and one that ends with it.
    function test_explain_frozenUntilTheEnd() external {
        b.expiresAt = START + 4 days + 1;
        proposeAndApprove(b, packed, 2);
        Batch memory dead = header(1, 2, packed);
        dead.expiresAt = START + 4 days;
        bytes32 deadId = proposeAndApprove(dead, packed, 2);
        vm.prank(alice);
        assertEq(vault.freeze(), START + 4 days);
        Explanation memory e = queued();
        e.earliest = START + 4 days;
        assertExplained(e);
        e = Explanation(State.Queued, Blocker.Frozen, 0, 2, 2, START, 1 hours, dead.expiresAt);
        assertEq(abi.encode(lens.explain(vault, deadId)), abi.encode(e));
        assertEq(abi.encode(lens.explainBatch(vault, dead)), abi.encode(e));
        vm.warp(START + 4 days);
        assertEq(execute(b, packed), 1);
    }

    /// @dev The charge of an hour before leaves the window after the batch is dead.
    function test_explain_capBeyondTheEnd() external {
        uint40 start = START / 4 hours * 4 hours + 4 hours;
        vm.warp(start - 2 hours);
        b = header(1, 1, packed);
        b.expiresAt = start + 28 hours;
        proposeAndApprove(b, packed, 2);
        vm.warp(start - 1 hours);
        spendTier1(500_000 * USDT); // an hour later, in the bucket that begins then
        Explanation memory e = Explanation(State.Ready, Blocker.Cap, 0, 2, 2, start - 2 hours, 1 hours, b.expiresAt);
        assertBatchExplained(e);
        (e.blocker, e.earliest) = (Blocker.None, start - 1 hours);
        assertEq(abi.encode(lens.explain(vault, vault.hashBatch(b))), abi.encode(e), "the id alone does not tell");
    }

    /// @dev A sweep that is dead before the freeze ends. A change of tiers never is before the last one has settled: it is
    /// proposed after that, and its life leaves room for it.
    function test_explainChange_beyondTheEnd() external {
        bytes memory sweep = abi.encode(SweepChange(stranger, 1, START + 2 days + 29 hours));
        approvedChange(ChangeKind.Sweep, sweep);
        vm.warp(START + 2 days);
        vm.prank(alice);
        vault.freeze();
        Explanation memory e =
            Explanation(State.Ready, Blocker.Frozen, 0, 2, 2, START, 2 days, START + 2 days + 29 hours);
        assertChangeExplained(ChangeKind.Sweep, sweep, e);
    }

    /// @dev The freeze is over before the quorum's delay: no such time is advised, and then there is nothing to end.
    function test_explainChange_unfreezeBeyondTheFreeze() external {
        vm.prank(guardian);
        uint40 until = uint40(vault.freeze()); // four days
        bytes memory change = unfreezeChange(until);
        vm.prank(alice);
        vault.proposeChange(ChangeKind.Unfreeze, change);
        for (uint40 late = 0; late < 2; ++late) {
            uint256 snapshot = vm.snapshotState();
            vm.warp(until - 2 days - 1 + late);
            vm.prank(bob);
            vault.approveChange(ChangeKind.Unfreeze, change);
            Explanation memory e =
                Explanation(State.Queued, Blocker.Delay, 0, 2, 2, uint40(clock()), 2 days, START + 20 days);
            if (late == 0) e.earliest = until - 1;
            assertChangeExplained(ChangeKind.Unfreeze, change, e);
            vm.warp(until);
            (e.state, e.earliest, e.blocker) = (State.Ready, 0, Blocker.Stale);
            assertChangeExplained(ChangeKind.Unfreeze, change, e);
            refuseChange(
                ChangeKind.Unfreeze, change, abi.encodeWithSelector(IVault.VaultUnfreezeStale.selector, until, until)
            );
            vm.revertToState(snapshot);
        }
    }

    /// @dev Likewise a role or an office that is over before it begins.
    function test_explainChange_grantBeyondItsEnd() external {
        uint40 until = START + 3 days;
        ChangeKind[2] memory kinds = [ChangeKind.Role, ChangeKind.Guardians];
        bytes[2] memory changes = [
            roleChange(stranger, Role.Keeper, 0, until),
            abi.encode(GuardiansChange(addresses(stranger), until, 1, START + 20 days))
        ];
        for (uint256 i = 0; i < 2; ++i) {
            uint256 snapshot = vm.snapshotState();
            vm.prank(alice);
            vault.proposeChange(kinds[i], changes[i]);
            vm.warp(until - 2 days);
            vm.prank(bob);
            vault.approveChange(kinds[i], changes[i]);
            Explanation memory e =
                Explanation(State.Queued, Blocker.Delay, 0, 2, 2, uint40(clock()), 2 days, START + 20 days);
            assertChangeExplained(kinds[i], changes[i], e);
            vm.warp(until);
            (e.state, e.blocker) = (State.Ready, Blocker.Stale);
            assertChangeExplained(kinds[i], changes[i], e);
            vm.expectRevert();
            executeChange(kinds[i], changes[i]);
            vm.revertToState(snapshot);
        }
    }

    /// @dev A role taken has no such end: it is waited for as anything is.
    function test_explainChange_roleToAnEarlierEndHasNone() external {
        bytes memory change = roleChange(keeper, Role.Keeper, START + 365 days, 0);
        vm.prank(alice);
        vault.proposeChange(ChangeKind.Role, change);
        Explanation memory e = Explanation(State.Proposed, Blocker.Votes, 0, 1, 2, 0, 0, expiry());
        assertChangeExplained(ChangeKind.Role, change, e);
    }

    function test_explain_votesOfOldSignersDoNotCount() external {
        bytes32 id = proposeAndApprove(b, packed, 2);
        enact(ChangeKind.Signers, signersChange(addresses(alice, bob, carol), 2));
        Explanation memory e = Explanation(State.Proposed, Blocker.Votes, 0, 0, 2, 0, 1 hours, b.expiresAt);
        assertEq(abi.encode(lens.explain(vault, id)), abi.encode(e));
    }

    // ── Advice holds ─────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev If only time passes: at the earliest time it is paid, a second before it is not; without one, never.
    function testFuzz_explainBatch_adviceHolds(uint256 life, uint256 spent, uint256 wait, uint256 freeze) external {
        spendTier1(bound(spent, 1, 50) * 10_000 * USDT);
        skip(bound(wait, 0, 30 hours));
        b = header(1, 1, packed);
        b.expiresAt = uint40(bound(life, clock() + 30 hours, clock() + 8 days));
        proposeAndApprove(b, packed, 2);
        skip(bound(freeze, 0, 29 hours));
        if (freeze % 2 == 0) {
            vm.prank(alice);
            vault.freeze();
        }
        Explanation memory e = lens.explainBatch(vault, b);
        assertLt(e.earliest, b.expiresAt);
        if (e.earliest == 0) {
            vm.warp(b.expiresAt - 1);
            assertRefused();
            return;
        }
        if (e.earliest > clock()) {
            assertTrue(e.blocker != Blocker.None);
            vm.warp(e.earliest - 1);
            assertRefused();
            vm.warp(e.earliest);
        }
        assertEq(execute(b, packed), 1);
    }

    // ── Votes ────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_hasApproved_ofThisSetOnly() external {
        bytes32 id = proposeAndApprove(b, packed, 2);
        assertTrue(lens.hasApproved(vault, id, alice));
        assertTrue(lens.hasApproved(vault, id, bob));
        assertFalse(lens.hasApproved(vault, id, carol));
        assertFalse(lens.hasApproved(vault, id, stranger));
        assertFalse(lens.hasApproved(vault, bytes32(0), alice));
        vm.prank(bob);
        vault.revoke(id);
        assertFalse(lens.hasApproved(vault, id, bob));
        enact(ChangeKind.Signers, signersChange(addresses(alice, carol, stranger), 2));
        assertFalse(lens.hasApproved(vault, id, alice));
        vm.prank(alice);
        vault.approve(b);
        assertTrue(lens.hasApproved(vault, id, alice));
    }

    // ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    function queued() private view returns (Explanation memory) {
        return Explanation(State.Queued, Blocker.Delay, READY, 2, 2, START, 1 hours, b.expiresAt);
    }

    function ready() private view returns (Explanation memory) {
        return Explanation(State.Ready, Blocker.None, READY, 2, 2, START, 1 hours, b.expiresAt);
    }

    function assertExplained(Explanation memory expected) private view {
        assertEq(abi.encode(lens.explain(vault, vault.hashBatch(b))), abi.encode(expected), "explain");
        assertBatchExplained(expected);
    }

    function assertBatchExplained(Explanation memory expected) private view {
        assertEq(abi.encode(lens.explainBatch(vault, b)), abi.encode(expected), "explainBatch");
    }

    function assertChangeExplained(ChangeKind kind, bytes memory change, Explanation memory expected) private view {
        assertEq(abi.encode(lens.explainChange(vault, kind, change)), abi.encode(expected), "explainChange");
    }

    function assertRefused() private {
        vm.prank(keeper);
        (bool succeeded,) = address(vault).call(abi.encodeCall(IVault.execute, (orderOf(b), packed, 0)));
        assertFalse(succeeded, "executed");
    }

    /// @dev Uses up the cap of tier 1 in payments of at most 100,000 to the known recipient.
    function spendTier1(uint256 sum) private {
        bytes memory spent;
        for (uint256 left = sum; left != 0;) {
            uint256 amount = left < 100_000 * USDT ? left : 100_000 * USDT;
            spent = bytes.concat(spent, payment(known, amount, left));
            left -= amount;
        }
        Batch memory other = header(1, uint64(1000 + sum / UNIT), spent);
        proposeAndApprove(other, spent, 2);
        skip(1 hours);
        execute(other, spent);
    }

    function higherCap(uint128 more) private returns (bytes memory) {
        Tier[] memory rows = standardTiers();
        rows[0].cap += more;
        return tiersChange(rows, vault.policyDelay());
    }

    function tier1Cap(uint128 cap) private returns (bytes memory) {
        Tier[] memory rows = standardTiers();
        (rows[0].maxKnown, rows[0].maxUnknown) = (UNIT, UNIT);
        (rows[1].maxKnown, rows[1].maxUnknown, rows[1].cap) = (cap, cap, cap);
        return tightenChange(rows);
    }
}
