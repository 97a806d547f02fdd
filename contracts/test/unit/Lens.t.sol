// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VaultLens} from "../../src/VaultLens.sol";
import {ChangeKind, Party, Role, Tier} from "../../src/types/VaultTypes.sol";
import {Deploy} from "../Deploy.sol";
import {PolicyTest} from "../PolicyTest.sol";

/// @notice What the lens says of room and policy. Payments are in Preview.t.sol, proposals in Explain.t.sol.
contract LensTest is PolicyTest {
    uint256 private constant CAP_0 = 100_000e6;

    VaultLens private lens;

    function setUp() public override {
        super.setUp();
        lens = Deploy.lens();
    }

    // ── Room ─────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_fitsAt_nowLaterNever() external {
        assertEq(lens.fitsAt(vault, 0, CAP_0), START);
        assertEq(lens.fitsAt(vault, 0, CAP_0 + 1), 0);
        assertEq(lens.fitsAt(vault, 0, type(uint256).max), 0, "the largest sum there is");
        pay(1, payment(payee, 1, 1));
        assertEq(lens.fitsAt(vault, 0, CAP_0 - UNIT), START);
        uint256 later = START / 4 hours * 4 hours + 28 hours;
        assertEq(lens.fitsAt(vault, 0, CAP_0 - UNIT + 1), later);
        vm.warp(later - 1);
        assertEq(lens.fitsAt(vault, 0, CAP_0), later);
        assertLt(vault.headroom(0), CAP_0);
        vm.warp(later);
        assertEq(lens.fitsAt(vault, 0, CAP_0), later);
        assertEq(vault.headroom(0), CAP_0);
        assertEq(lens.fitsAt(vault, 3, 1), 0, "no such tier");
    }

    function test_fitsAt_onceTiersHaveSettled() external {
        Tier[] memory rows = standardTiers();
        rows[0].cap = uint128(2 * CAP_0);
        enact(ChangeKind.Tiers, tiersChange(rows, 2 days));
        uint256 changedAt = START + 2 days;
        assertEq(lens.fitsAt(vault, 0, CAP_0), changedAt);
        assertEq(lens.fitsAt(vault, 0, CAP_0 + 1), changedAt + 28 hours);
        assertEq(lens.fitsAt(vault, 0, 2 * CAP_0), changedAt + 28 hours);
        assertEq(lens.fitsAt(vault, 0, 2 * CAP_0 + 1), 0);
        skip(27 hours);
        pay(1, payment(payee, 1000 * USDT, 1));
        uint256 released = (changedAt + 27 hours) / 4 hours * 4 hours + 28 hours;
        assertEq(lens.fitsAt(vault, 0, 2 * CAP_0 - 1000 * USDT), changedAt + 28 hours);
        assertEq(lens.fitsAt(vault, 0, CAP_0), changedAt + 28 hours);
        assertEq(lens.fitsAt(vault, 0, 2 * CAP_0), released);
        skip(1 hours);
        assertEq(lens.fitsAt(vault, 0, CAP_0), changedAt + 28 hours);
        assertEq(vault.headroom(0), 2 * CAP_0 - 1000 * USDT);
    }

    /// @dev The first second: room there, none a second earlier.
    function testFuzz_fitsAt_isFirstSecond(uint256 amount, uint256[4] memory waits, uint256 newCap) external {
        Tier[] memory rows = standardTiers();
        rows[0].cap = uint128(bound(newCap, 1_000_000, 20_000_000)) * UNIT;
        bytes memory change = tiersChange(rows, 3 days);
        readyChange(ChangeKind.Tiers, change);
        uint256 time = START + 2 days;
        for (uint64 i = 0; i < 4; ++i) {
            uint256 spent = waits[i] % (vault.headroom(0) + 1) % (40_000 * USDT);
            if (spent != 0) pay(10 * i + 1, toKnown(spent));
            time += bound(waits[i], 0, 9 hours);
            vm.warp(time);
            if (i == 1) executeChange(ChangeKind.Tiers, change);
        }
        amount = bound(amount, 1, 250_000 * USDT);
        uint256 first = lens.fitsAt(vault, 0, amount);
        assertEq(first == 0, amount > rows[0].cap);
        if (first == 0) return;
        vm.warp(first);
        assertGe(vault.headroom(0), amount);
        if (first == time) return;
        assertGt(first, time);
        vm.warp(first - 1);
        assertLt(vault.headroom(0), amount);
    }

    function test_capInForce_smallerOfOldAndNewFor28Hours() external {
        Tier[] memory rows = standardTiers();
        (rows[0].cap, rows[1].cap) = (uint128(2 * CAP_0), uint128(CAP_0));
        enact(ChangeKind.Tiers, tiersChange(rows, 2 days));
        skip(28 hours - 1);
        assertEq(lens.capInForce(vault, 0), CAP_0);
        assertEq(lens.capInForce(vault, 1), CAP_0);
        skip(1);
        assertEq(lens.capInForce(vault, 0), 2 * CAP_0);
        assertEq(lens.capInForce(vault, 1), CAP_0);
        assertEq(lens.capInForce(vault, 2), 2_000_000 * USDT);
        assertEq(lens.capInForce(vault, 3), 0);
    }

    function test_maxLossPerDay_sums() external {
        assertLoss(CAP_0, 2_600_000 * USDT);
        Tier[] memory rows = standardTiers();
        (rows[1].approvals, rows[1].delay) = (0, 0);
        enact(ChangeKind.Tiers, tiersChange(rows, 2 days));
        assertLoss(600_000 * USDT, 2_600_000 * USDT);
        skip(28 hours);
        rows[0].delay = 1;
        rows[1].delay = 1;
        rows[2].cap = uint128(1_000_000 * USDT);
        enact(ChangeKind.Tiers, tiersChange(rows, 2 days));
        assertLoss(0, 1_600_000 * USDT);
    }

    // ── Policy ───────────────────────────────────────────────────────────────────────────────────────────────────

    function test_tiers_allRows() external view {
        assertEq(abi.encode(lens.tiers(vault)), abi.encode(standardTiers()));
    }

    function test_party_everyField() external {
        enact(ChangeKind.Role, roleChange(alice, Role.Keeper, 0, START + 10 days));
        enact(ChangeKind.Role, roleChange(alice, Role.Proposer, 0, START + 20 days));
        enact(ChangeKind.Guardians, guardiansChange(addresses(alice), START + 30 days));
        vm.prank(alice);
        vault.freeze();
        Party memory expected = Party(START + 10 days, START + 20 days, START + 30 days, START + 14 days, true);
        assertEq(abi.encode(lens.party(vault, alice)), abi.encode(expected));
        expected = Party(0, 0, 0, 0, false);
        assertEq(abi.encode(lens.party(vault, stranger)), abi.encode(expected));
        expected.keeperUntil = START + 365 days;
        assertEq(abi.encode(lens.party(vault, keeper)), abi.encode(expected));
    }

    function test_lens_timesAndEpoch() external {
        assertEq(lens.haltedUntil(vault), 0);
        assertEq(lens.freezeLength(vault), 4 days);
        assertEq(lens.tiersSettledAt(vault), 0);
        assertEq(lens.epoch(vault), 1);
        enact(ChangeKind.Tiers, tiersChange(standardTiers(), 3 days));
        enact(ChangeKind.Signers, signersChange(addresses(alice, bob, stranger), 2));
        vm.prank(guardian);
        assertEq(vault.freeze(), START + 10 days);
        assertEq(lens.haltedUntil(vault), START + 10 days);
        assertEq(lens.freezeLength(vault), 5 days);
        assertEq(lens.tiersSettledAt(vault), START + 2 days + 28 hours);
        assertEq(lens.epoch(vault), 2);
    }

    // ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev The sum in payments of at most 10,000 to the known recipient.
    function toKnown(uint256 sum) private view returns (bytes memory packed) {
        for (uint256 left = sum; left != 0;) {
            uint256 amount = left < 10_000 * USDT ? left : 10_000 * USDT;
            packed = bytes.concat(packed, payment(known, amount, left));
            left -= amount;
        }
    }

    function assertLoss(uint256 automatic, uint256 policy) private view {
        (uint256 a, uint256 p, uint256 ceiling) = lens.maxLossPerDay(vault);
        assertEq(a, automatic, "automatic");
        assertEq(p, policy, "policy");
        assertEq(ceiling, 10_000_000 * USDT, "ceiling");
    }

    /// @dev Once the tiers settle the raised cap is what can leave in a day.
    function test_maxLossPerDay_boundsADayInWhichTiersSettle() external {
        Tier[] memory rows = standardTiers();
        rows[0].cap *= 2;
        enact(ChangeKind.Tiers, tiersChange(rows, 2 days));
        skip(27 hours);
        (uint256 automatic,,) = lens.maxLossPerDay(vault);
        uint256 before = usdt.balanceOf(address(vault));
        skip(1 hours);
        bytes memory packed;
        for (uint256 i = 0; i < 20; ++i) {
            packed = bytes.concat(packed, payment(known, 10_000 * USDT, i));
        }
        pay(1, packed);
        assertGe(automatic, before - usdt.balanceOf(address(vault)));
    }
}
