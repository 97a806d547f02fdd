// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Policy} from "../../src/libraries/Policy.sol";
import {Batch, ChangeKind, Refusal, State, Tier, TiersChange} from "../../src/types/VaultTypes.sol";
import {PolicyTest} from "../PolicyTest.sol";

contract ChangeTiersTest is PolicyTest {
    ChangeKind private constant TIERS = ChangeKind.Tiers;
    uint32 private constant DELAY = 2 days;
    uint128 private constant CAP_0 = 100_000e6;
    uint128 private constant CAP_1 = 500_000e6;

    // ── What is stored and told ──────────────────────────────────────────────────────────────────────────────────

    function test_changeTiers_replacesRowsAndDelay() external {
        Tier[] memory rows = new Tier[](4);
        rows[0] = Tier(UNIT, 0, 2 * UNIT, 0, 0);
        rows[1] = Tier(3 * UNIT, 2 * UNIT, 4 * UNIT, 0, 2 hours);
        rows[2] = Tier(5 * UNIT, 5 * UNIT, 6 * UNIT, 2, 3 hours);
        rows[3] = Tier(7 * UNIT, 7 * UNIT, 8 * UNIT, 3, 4 hours);
        bytes memory change = tiersChange(rows, 5 days);
        bytes32 id = readyChange(TIERS, change);
        Tier[] memory old = standardTiers();
        Tier memory none;
        vm.expectEmit(address(vault));
        emit IVault.ChangeExecuted(id, TIERS);
        for (uint256 k = 0; k < 4; ++k) {
            vm.expectEmit(address(vault));
            emit IVault.TierSet(k, k < 3 ? old[k] : none, rows[k]);
        }
        vm.expectEmit(address(vault));
        emit IVault.PolicyDelaySet(DELAY, 5 days);
        vm.recordLogs();
        executeChange(TIERS, change);
        assertEq(vm.getRecordedLogs().length, 6);
        assertTiers(rows);
        assertEq(vault.policyDelay(), 5 days);
        assertEq(vault.hot().settledAt(), block.timestamp + 28 hours);
    }

    function test_changeTiers_removesRows() external {
        Tier[] memory rows = firstTiers(2);
        bytes memory change = tiersChange(rows, DELAY);
        readyChange(TIERS, change);
        Tier memory none;
        vm.expectEmit(address(vault));
        emit IVault.TierSet(2, standardTiers()[2], none);
        executeChange(TIERS, change);
        assertTiers(rows);
        assertFalse(vault.packedTier(2).exists());
        assertEq(vault.headroom(2), 0);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierUnknown.selector, 2, 2));
        vault.tier(2);
    }

    function test_changeTiers_removedRowPaysNothing() external {
        bytes memory packed = payment(payee, 50_000 * USDT, 1);
        Batch memory b = header(2, 1, packed);
        proposeAndApprove(b, packed, 3);
        enact(TIERS, tiersChange(firstTiers(2), DELAY));
        vm.expectRevert(
            abi.encodeWithSelector(IVault.VaultPaymentRefused.selector, 0, payee, 50_000 * USDT, 0, Refusal.AboveLimit)
        );
        execute(b, packed);
        b.context = "again";
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierUnknown.selector, 2, 2));
        vm.prank(proposer);
        vault.propose(orderOf(b), packed);
    }

    function test_changeTiers_limitsChangeAtOnce() external {
        Tier[] memory rows = standardTiers();
        (rows[0].maxKnown, rows[0].maxUnknown) = (20_000e6, 500e6);
        enact(TIERS, tiersChange(rows, DELAY));
        assertEq(pay(1, payment(known, 20_000 * USDT, 1)), 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IVault.VaultPaymentRefused.selector, 0, payee, 500 * USDT + 1, 500 * USDT, Refusal.AboveLimit
            )
        );
        pay(2, payment(payee, 500 * USDT + 1, 2));
        assertEq(pay(2, payment(payee, 500 * USDT, 2)), 1);
    }

    // ── 28 hours ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev With the shortest policy delay, or the delay alone would outlast the 28 hours.
    function test_changeTiers_RevertWhen_ChangedWithin28Hours() external {
        enact(TIERS, tiersChange(standardTiers(), 1 days));
        uint256 settledAt = block.timestamp + 28 hours;
        bytes memory second = capsChange(2 * CAP_0, CAP_1 - CAP_0);
        readyChange(TIERS, second);
        bytes memory reason = abi.encodeWithSelector(IVault.VaultTiersCoolingDown.selector, settledAt);
        refuseChange(TIERS, second, reason);
        vm.warp(settledAt - 1);
        refuseChange(TIERS, second, reason);
        vm.warp(settledAt);
        executeChange(TIERS, second);
        assertEq(vault.hot().settledAt(), settledAt + 28 hours);
    }

    /// @dev Each change states the tiers that it starts from, when it is proposed and when it is executed.
    function test_changeTiers_RevertWhen_TiersAreOthersThanStated() external {
        uint40 created = vault.termsChangedAt();
        assertEq(created, START);
        bytes memory first = capsChange(2 * CAP_0, CAP_1 - CAP_0);
        bytes memory second = capsChange(CAP_0, CAP_1 + UNIT);
        approvedChange(TIERS, second);
        readyChange(TIERS, first);
        executeChange(TIERS, first);
        uint40 changed = vault.termsChangedAt();
        assertEq(changed, clock());
        skip(28 hours);
        refuseChange(TIERS, second, abi.encodeWithSelector(IVault.VaultTiersStale.selector, created, changed));
        for (uint40 k = 0; k < 3; ++k) {
            uint40 stated = k == 0 ? created : k == 1 ? changed - 1 : changed + 1;
            bytes memory stale = abi.encode(TiersChange(standardTiers(), DELAY, stated, nonce(), expiry()));
            proposalReverts(TIERS, stale, abi.encodeWithSelector(IVault.VaultTiersStale.selector, stated, changed));
        }
        enact(TIERS, capsChange(CAP_0, CAP_1 + UNIT));
    }

    function test_changeTiers_lowerCapHoldsAtOnce() external {
        enactCaps(CAP_0 / 2, CAP_1 / 4);
        assertEq(vault.headroom(0), CAP_0 / 2);
        assertEq(vault.headroom(1), CAP_1 / 4);
        skip(28 hours);
        assertEq(vault.headroom(0), CAP_0 / 2);
        assertEq(vault.headroom(1), CAP_1 / 4);
    }

    function test_changeTiers_higherCapWaits28Hours() external {
        enactCaps(CAP_0 * 2, CAP_1 * 4);
        skip(28 hours - 1);
        assertEq(vault.headroom(0), CAP_0);
        assertEq(vault.headroom(1), CAP_1);
        skip(1);
        assertEq(vault.headroom(0), CAP_0 * 2);
        assertEq(vault.headroom(1), CAP_1 * 4);
    }

    function test_changeTiers_higherCapPaysAfter28Hours() external {
        enactCaps(CAP_0 * 2, CAP_1);
        skip(28 hours - 1);
        bytes memory packed = bytes.concat(toKnown(10), payment(payee, 1, 1));
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultCapExceeded.selector, 0, CAP_0 + UNIT, CAP_0));
        pay(1, packed);
        skip(1);
        assertEq(pay(1, packed), 2 ** 11 - 1);
    }

    function test_changeTiers_higherCapOfProposalsWaits28Hours() external {
        enactCaps(CAP_0, CAP_1 * 2);
        bytes memory packed;
        for (uint256 i = 0; i < 6; ++i) {
            packed = bytes.concat(packed, payment(known, 100_000 * USDT, i));
        }
        (Batch memory b,) = readyBatch(1, 1, packed);
        rewind(1 hours);
        skip(28 hours - 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultCapExceeded.selector, 1, 600_000 * USDT, CAP_1));
        vm.prank(keeper);
        vault.execute(orderOf(b), packed, 0);
        skip(1);
        assertEq(execute(b, packed), 2 ** 6 - 1);
    }

    function test_changeTiers_newRowPaysNothingFor28Hours() external {
        Tier[] memory rows = new Tier[](4);
        for (uint256 k = 0; k < 3; ++k) {
            rows[k] = standardTiers()[k];
        }
        rows[3] = rows[2];
        enact(TIERS, tiersChange(rows, DELAY));
        skip(28 hours - 1);
        assertEq(vault.headroom(3), 0);
        skip(1);
        assertEq(vault.headroom(3), rows[3].cap);
    }

    function test_changeTiers_rowPutBackPaysNothingFor28Hours() external {
        enact(TIERS, tiersChange(firstTiers(2), DELAY));
        enact(TIERS, tiersChange(standardTiers(), DELAY));
        skip(28 hours - 1);
        assertEq(vault.headroom(2), 0);
        skip(1);
        assertEq(vault.headroom(2), standardTiers()[2].cap);
    }

    function testFuzz_changeTiers_capIsSmallerOfOldAndNewFor28Hours(uint256 cap, uint256 wait) external {
        uint128 units = uint128(bound(cap, 1_000_000, 10_000_000)); // 10,000 to 100,000 USDT
        if (cap % 2 == 0) units *= 10; // or up to 1,000,000
        wait = bound(wait, 0, 60 hours);
        enactCaps(units * UNIT, CAP_1);
        skip(wait);
        bool waiting = wait < 28 hours && units * UNIT > CAP_0;
        assertEq(vault.headroom(0), waiting ? CAP_0 : units * UNIT);
    }

    // ── Windows ──────────────────────────────────────────────────────────────────────────────────────────────────

    function test_changeTiers_windowsStay() external {
        bytes memory change = tiersChange(standardTiers(), DELAY + 1);
        readyChange(TIERS, change);
        pay(1, toKnown(6));
        uint256 window = vault.window(0);
        executeChange(TIERS, change);
        assertEq(vault.window(0), window);
        assertEq(vault.headroom(0), 40_000 * USDT);
    }

    function test_changeTiers_capBelowWhatHasLeft() external {
        pay(1, toKnown(6));
        Tier[] memory rows = standardTiers();
        rows[0].cap = CAP_0 / 2;
        approvedChange(ChangeKind.Tighten, tightenChange(rows));
        assertEq(vault.headroom(0), 0);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultCapExceeded.selector, 0, UNIT, 0));
        pay(10, payment(payee, 1, 1));
    }

    function test_attack46_changeTiers_movingCapDoublesNothing() external {
        bytes memory there = tiersOf(2 * CAP_0, CAP_1 - CAP_0, 1 days); // moves 100,000 from tier 1 to tier 0
        readyChange(TIERS, there);
        pay(1, toKnown(10));
        executeChange(TIERS, there);
        bytes memory back = tiersOf(CAP_0, CAP_1, 1 days);
        approvedChange(TIERS, back);
        assertEq(vault.headroom(0), 0);
        skip(24 hours);
        assertEq(vault.headroom(0), 0);
        skip(4 hours);
        assertEq(vault.headroom(0), 2 * CAP_0);
        pay(11, bytes.concat(toKnown(10), toKnown(10)));
        executeChange(TIERS, back);
        assertEq(vault.headroom(0), 0);
        assertEq(vault.headroom(1), CAP_1 - CAP_0);
        skip(28 hours);
        assertEq(vault.headroom(0), CAP_0);
        assertEq(vault.headroom(1), CAP_1);
    }

    // ── Delays and approvals of what is pending ──────────────────────────────────────────────────────────────────

    function test_attack18_changeTiers_shorterPolicyDelayIsNotForPending() external {
        bytes memory change = tiersChange(standardTiers(), 1 days);
        readyChange(TIERS, change);
        bytes32 pending = approvedChange(ChangeKind.Successor, successorChange(stranger));
        executeChange(TIERS, change);
        assertEq(vault.policyDelay(), 1 days);
        skip(2 days - 1);
        assertState(pending, State.Queued);
        skip(1);
        assertState(pending, State.Ready);
    }

    function test_changeTiers_longerPolicyDelayIsForPendingToo() external {
        bytes memory change = tiersChange(standardTiers(), 5 days);
        readyChange(TIERS, change);
        bytes32 pending = approvedChange(ChangeKind.Successor, successorChange(stranger));
        executeChange(TIERS, change);
        skip(5 days - 1);
        assertState(pending, State.Queued);
        skip(1);
        assertState(pending, State.Ready);
    }

    function test_attack18_changeTiers_easierTermsAreNotForPendingBatches() external {
        Tier[] memory rows = standardTiers();
        (rows[1].approvals, rows[1].delay) = (1, 1 minutes);
        bytes memory change = tiersChange(rows, DELAY);
        readyChange(TIERS, change);
        bytes memory packed = payment(payee, USDT, 1);
        Batch memory b = header(1, 1, packed);
        bytes32 id = proposeAndApprove(b, packed, 1);
        executeChange(TIERS, change);
        assertState(id, State.Proposed);
        vm.prank(bob);
        vault.approve(b);
        skip(1 hours - 1);
        assertState(id, State.Queued);
        skip(1);
        assertState(id, State.Ready);
    }

    /// @dev The delay runs from the vote that fulfils what is asked for now.
    function test_changeTiers_harderTermsAreForPendingBatchesToo() external {
        bytes memory packed = payment(payee, USDT, 1);
        Batch memory b = header(1, 1, packed);
        bytes32 id = proposeAndApprove(b, packed, 2);
        Tier[] memory rows = standardTiers();
        (rows[1].approvals, rows[1].delay) = (3, 3 hours);
        approvedChange(ChangeKind.Tighten, tightenChange(rows));
        assertTiers(rows);
        skip(3 hours);
        assertState(id, State.Proposed);
        vm.prank(carol);
        vault.approve(b);
        skip(3 hours - 1);
        assertState(id, State.Queued);
        skip(1);
        assertState(id, State.Ready);
    }

    // ── Rules ────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_changeTiers_boundsPolicyDelay() external {
        bytes memory reason = outOfRange(Policy.Field.PolicyDelay, 0, 1 days - 1, 1 days, MAX_DELAY);
        proposalReverts(TIERS, tiersChange(standardTiers(), 1 days - 1), reason);
        reason = outOfRange(Policy.Field.PolicyDelay, 0, MAX_DELAY + 1, 1 days, MAX_DELAY);
        proposalReverts(TIERS, tiersChange(standardTiers(), uint32(MAX_DELAY) + 1), reason);
        enact(TIERS, tiersChange(standardTiers(), uint32(MAX_DELAY)));
        assertEq(vault.policyDelay(), MAX_DELAY);
    }

    function test_attack38_changeTiers_RevertWhen_CapsPassCeiling() external {
        uint128 ceiling = uint128(vault.hardCeiling());
        Tier[] memory rows = standardTiers();
        rows[2].cap = ceiling - CAP_0 - CAP_1 + UNIT;
        bytes memory reason = outOfRange(Policy.Field.CapSum, 0, ceiling + UNIT, UNIT, ceiling);
        proposalReverts(TIERS, tiersChange(rows, DELAY), reason);
        rows[2].cap -= UNIT;
        enact(TIERS, tiersChange(rows, DELAY));
        assertTiers(rows);
    }

    function test_attack44_changeTiers_RevertWhen_MoreApprovalsThanSigners() external {
        Tier[] memory rows = standardTiers();
        rows[2].approvals = 4;
        bytes memory reason = outOfRange(Policy.Field.Approvals, 2, 4, 2, 3);
        enactReverts(TIERS, tiersChange(rows, DELAY + 1), reason);
        assertTiers(standardTiers());
    }

    function test_changeTiers_RevertWhen_TopTierNeedsLessThanThreshold() external {
        Tier[] memory rows = standardTiers();
        (rows[1].approvals, rows[2].approvals) = (1, 1);
        bytes memory reason = outOfRange(Policy.Field.Approvals, 2, 1, 2, 3);
        enactReverts(TIERS, tiersChange(rows, DELAY), reason);
        rows[2].approvals = 2;
        enact(TIERS, tiersChange(rows, DELAY));
        assertTiers(rows);
    }

    function test_changeTiers_RevertWhen_NoTierOrFive() external {
        bytes memory reason = outOfRange(Policy.Field.TierCount, 0, 0, 1, 4);
        proposalReverts(TIERS, tiersChange(new Tier[](0), DELAY), reason);
        reason = outOfRange(Policy.Field.TierCount, 0, 5, 1, 4);
        proposalReverts(TIERS, tiersChange(new Tier[](5), DELAY), reason);
    }

    // ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    function toKnown(uint256 count) private view returns (bytes memory packed) {
        for (uint256 i = 0; i < count; ++i) {
            packed = bytes.concat(packed, payment(known, 10_000 * USDT, i));
        }
    }

    function firstTiers(uint256 count) private pure returns (Tier[] memory rows) {
        rows = new Tier[](count);
        for (uint256 k = 0; k < count; ++k) {
            rows[k] = standardTiers()[k];
        }
    }

    function capsChange(uint128 cap0, uint128 cap1) private returns (bytes memory) {
        return tiersOf(cap0, cap1, DELAY);
    }

    function tiersOf(uint128 cap0, uint128 cap1, uint32 delay) private returns (bytes memory) {
        Tier[] memory rows = standardTiers();
        (rows[0].cap, rows[1].cap) = (cap0, cap1);
        return tiersChange(rows, delay);
    }

    function enactCaps(uint128 cap0, uint128 cap1) private {
        enact(TIERS, capsChange(cap0, cap1));
    }

    function assertTiers(Tier[] memory rows) private view {
        assertEq(vault.tierCount(), rows.length);
        for (uint256 k = 0; k < rows.length; ++k) {
            assertEq(abi.encode(vault.tier(k)), abi.encode(rows[k]), "tier");
        }
    }
}
