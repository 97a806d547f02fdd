// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Policy} from "../../src/libraries/Policy.sol";
import {Batch, ChangeKind, Configuration, Refusal, Tier} from "../../src/types/VaultTypes.sol";
import {Deploy} from "../Deploy.sol";
import {ModeToken} from "../mocks/ModeToken.sol";
import {Tokens} from "../mocks/Tokens.sol";
import {AttackTest} from "./AttackTest.sol";

/// @notice A stolen keeper's key, or a whole quorum, against the rolling caps.
contract CapAttacks is AttackTest {
    uint256 private constant CAP = 100_000 * USDT; // of tier 0
    uint256 private constant MAX_CAP = (1 << 33) - 2; // [units]

    /// @notice Window-edge double spend: the window slides, so no edge has a fresh cap on its other side.
    function test_attack01_windowEdge() external {
        skip(4 hours - 1); // the last second of a bucket; START is the first of one
        pay(0, repeated(known, 10, 10_000 * USDT));
        uint40[4] memory tries = [START + 4 hours, START + 24 hours, START + 27 hours, START + 28 hours - 1];
        for (uint256 i = 0; i < tries.length; ++i) {
            vm.warp(tries[i]);
            expectPayRevert(100, payment(known, 1, 0), capExceeded(0, UNIT, 0));
        }
        vm.warp(START + 28 hours);
        pay(100, repeated(known, 10, 10_000 * USDT));
        expectPayRevert(200, payment(known, 1, 0), capExceeded(0, UNIT, 0));
    }

    /// @notice Burst plus refill: nothing refills little by little; a charge leaves whole, a day or more later.
    function test_attack02_burstPlusRefill() external {
        uint64 number = 0;
        skip(4 hours - 60);
        for (uint256 hour = 0; hour < 96; ++hour) {
            for (uint256 room = vault.headroom(0); room >= 10_000 * USDT; room -= 10_000 * USDT) {
                pay(number, payment(known, 10_000 * USDT, 0));
                note(10_000 * USDT);
                ++number;
            }
            skip(1 hours + hour); // at ever other offsets in the bucket
        }
        assertEq(mostInADay(), CAP, "most in a day");
        assertLe(lootInAll(), 4 * CAP, "in four days");
        assertGe(lootInAll(), 3 * CAP, "the attack did not try hard");
    }

    /// @notice Splitting to one recipient: the cap counts sums, not payments, and dust is rounded up.
    function test_attack03_splittingToOneRecipient() external {
        pay(0, repeated(payee, 99, 1000 * USDT));
        assertEq(vault.headroom(0), 1000 * USDT, "headroom");
        for (uint64 i = 0; i < 50; ++i) {
            pay(100 + i, payment(payee, 1, i)); // one base unit costs a whole unit
        }
        assertEq(vault.headroom(0), 1000 * USDT - 50 * UNIT, "headroom after dust");
        expectPayRevert(200, payment(payee, 1000 * USDT, 0), capExceeded(0, 1000 * USDT, 1000 * USDT - 50 * UNIT));
        assertEq(usdt.balanceOf(payee), 99_000 * USDT + 50, "loot");
    }

    /// @notice Splitting over many recipients: they all share the tier's one cap.
    function test_attack04_splittingOverManyRecipients() external {
        pay(0, payments(50, 1000 * USDT, 1));
        pay(50, payments(50, 1000 * USDT, 2));
        expectPayRevert(100, payments(1, 1, 3), capExceeded(0, UNIT, 0));
        assertEq(usdt.balanceOf(address(vault)), 50_000_000 * USDT - CAP, "balance");
        assertEq(vault.headroom(1), 500_000 * USDT, "another tier's headroom");
    }

    /// @notice Cap counter overflow: the largest sums that can be written down neither wrap nor get by.
    function test_attack05_capCounterOverflow() external {
        uint256 most = type(uint96).max;
        bytes memory packed = payments(256, most, 1);
        bytes memory refused = abi.encodeWithSelector(
            IVault.VaultPaymentRefused.selector, 0, recipientAt(1, 0), most, 1000 * USDT, Refusal.AboveLimit
        );
        expectPayRevert(0, packed, refused);
        assertEq(vault.headroom(0), CAP, "headroom");

        _useWidestVault();
        _take(0, MAX_CAP);
        _expectCannotTake(1, 1);
        _expectCannotTake(2, MAX_CAP);
        assertEq(usdt.balanceOf(known), MAX_CAP, "loot");
    }

    /// @notice A failed payment consuming or resetting the cap: it leaves the window as it found it.
    function test_attack06_failedPaymentAndTheCap() external {
        ModeToken token = new ModeToken();
        useToken(token);
        token.setRefuses(payee, true);
        bytes memory packed = bytes.concat(
            payment(known, 10_000 * USDT, 0), payment(payee, 1000 * USDT, 1), payment(known, 5000 * USDT, 2)
        );
        assertEq(pay(7, packed), 5, "paid mask");
        uint256 room = CAP - 15_000 * USDT;
        assertEq(vault.headroom(0), room, "headroom after one failure");

        bytes32 id = vault.hashBatch(header(0, 7, packed));
        bytes32 answer = bytes32(ModeToken.ModeTokenRefused.selector);
        for (uint256 i = 0; i < 20; ++i) {
            expectPayRevert(7, packed, abi.encodeWithSelector(IVault.VaultNothingPaid.selector, id, answer));
        }
        assertEq(vault.headroom(0), room, "headroom after twenty");
        // Not even one that would need all the room that is left, next to one that is paid.
        token.setRefuses(recipientAt(1, 0), true);
        packed = bytes.concat(payment(recipientAt(1, 0), 1000 * USDT, 0), repeated(known, 8, 10_000 * USDT));
        assertEq(pay(20, packed), 510, "paid mask");
        assertEq(vault.headroom(0), 5000 * USDT, "headroom at the end");
    }

    /// @notice Deposit cycling: money that comes back neither refills a cap nor uses it up.
    function test_attack40_depositCycling() external {
        pay(0, repeated(known, 10, 10_000 * USDT));
        vm.prank(known);
        usdt.transfer(address(vault), CAP);
        assertEq(vault.headroom(0), 0, "refilled");
        expectPayRevert(100, payment(known, 1, 0), capExceeded(0, UNIT, 0));
        skip(28 hours);
        pay(100, payment(payee, 1000 * USDT, 0));
        for (uint256 i = 0; i < 10; ++i) {
            vm.prank(payee);
            usdt.transfer(address(vault), 1);
        }
        assertEq(vault.headroom(0), CAP - 1000 * USDT, "starved");
    }

    /// @notice Timestamp jump, sequencer outage: a leap frees one cap and no more, a step back frees nothing.
    function test_attack42_timestampJump() external {
        pay(0, repeated(known, 10, 10_000 * USDT));
        skip(400 hours);
        pay(100, repeated(known, 10, 10_000 * USDT));
        expectPayRevert(200, payment(known, 1, 0), capExceeded(0, UNIT, 0));
        for (uint256 back = 1 hours; back <= 300 hours; back += 13 hours) {
            vm.warp(START + 400 hours - back);
            expectPayRevert(200, payment(known, 1, 0), capExceeded(0, UNIT, 0));
        }
        vm.warp(START + 424 hours);
        expectPayRevert(200, payment(known, 1, 0), capExceeded(0, UNIT, 0));
    }

    /// @notice Moving cap between tiers: for 28 hours each tier has the smaller of both caps, and tiers stay put.
    function test_attack46_movingCapBetweenTiers() external {
        Tier[] memory rows = standardTiers();
        (rows[1].cap, rows[2].cap) = (uint128(100_000 * USDT), uint128(2_400_000 * USDT));
        bytes memory there = tiersChange(rows, 1 days); // with the shortest policy delay, so that nothing else waits longer
        approvedChange(ChangeKind.Tiers, there);
        skip(1 days - 1 hours);
        (Batch memory one, Batch memory two) = _prepareTier1And2();
        skip(1 hours); // the change and both batches are ready now
        execute(one, repeated(known, 5, 100_000 * USDT));
        execute(two, repeated(known, 2, 1_000_000 * USDT));
        pay(0, repeated(known, 10, 10_000 * USDT));

        vm.startPrank(alice);
        vault.executeChange(ChangeKind.Tiers, there);
        uint256 settledAt = vm.getBlockTimestamp() + 28 hours;
        vm.stopPrank();
        bytes memory back = tiersChange(standardTiers(), 1 days);
        approvedChange(ChangeKind.Tiers, back);
        Batch memory more = header(2, UPPER + 100, payment(known, 1, 0));
        proposeAndApprove(more, payment(known, 1, 0), 3);
        for (uint256 k = 0; k < 3; ++k) {
            assertEq(vault.headroom(k), 0, "headroom after the change");
        }
        skip(24 hours);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTiersCoolingDown.selector, settledAt));
        vault.executeChange(ChangeKind.Tiers, back);
        expectExecuteRevert(more, payment(known, 1, 0), capExceeded(2, UNIT, 0));
        assertEq(usdt.balanceOf(known), 2_600_000 * USDT, "loot: the old caps and no more");
        skip(4 hours);
        assertEq(vault.headroom(2), 2_400_000 * USDT, "the new cap, once the old charges have left");
    }

    function _prepareTier1And2() private returns (Batch memory one, Batch memory two) {
        bytes memory packed = repeated(known, 2, 1_000_000 * USDT);
        two = header(2, UPPER, packed);
        proposeAndApprove(two, packed, 3);
        skip(1 days);
        packed = repeated(known, 5, 100_000 * USDT);
        one = header(1, UPPER + 10, packed);
        proposeAndApprove(one, packed, 2);
    }

    /// @notice Cap lanes carrying into each other: a cap that could fill a lane to the brim is refused at birth.
    function test_attack51_lanesCarrying() external {
        Configuration memory c = _widest();
        c.hardCeiling = uint128(MAX_CAP + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                Policy.PolicyOutOfRange.selector, Policy.Field.HardCeiling, 0, MAX_CAP + 1, 1, MAX_CAP
            )
        );
        Deploy.vault(c);

        _useWidestVault();
        uint256[7] memory sums = [MAX_CAP - 600_006, 1, 100_000, 200_000, 300_000, 2, 3];
        for (uint64 i = 0; i < 7; ++i) {
            _take(i, sums[i]);
            if (i < 6) skip(4 hours);
        }
        assertEq(vault.headroom(0), 0, "full");
        _expectCannotTake(10, 1);
        for (uint256 i = 0; i < 7; ++i) {
            skip(4 hours);
            uint256 left;
            for (uint256 j = i + 1; j < 7; ++j) {
                left += sums[j];
            }
            assertEq(vault.headroom(0), MAX_CAP - left, "each charge leaves alone");
        }
    }

    /// @dev One base unit is one unit, and the one tier has the largest cap there is; two votes, no delay.
    function _widest() private returns (Configuration memory c) {
        c = configuration();
        (c.unit, c.hardCeiling) = (1, uint128(MAX_CAP));
        c.tiers = new Tier[](1);
        c.tiers[0] = Tier(uint128(MAX_CAP), uint128(MAX_CAP), uint128(MAX_CAP), 2, 0);
    }

    function _useWidestVault() private {
        vault = Deploy.twin(_widest());
        Tokens.give(usdt, address(vault), 4 * MAX_CAP);
    }

    function _take(uint64 number, uint256 amount) private {
        (Batch memory b,) = readyBatch(0, number, payment(known, amount, 0));
        execute(b, payment(known, amount, 0));
    }

    function _expectCannotTake(uint64 number, uint256 amount) private {
        (Batch memory b,) = readyBatch(0, number, payment(known, amount, 0));
        expectExecuteRevert(b, payment(known, amount, 0), capExceeded(0, amount, 0));
    }
}
