// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, Refusal, Standing, Tier} from "../../src/types/VaultTypes.sol";
import {ByExecute, ByPay, ByPayBySig, ReleaseTest} from "./ReleaseTest.sol";

/// @notice Masks, caps, refusals, freeze and balance: what `pay`, `payBySig` and `execute` do alike with the payments.
abstract contract ReleaseRulesTest is ReleaseTest {
    uint256 private constant BUCKET = 4 hours;

    // ── Numbers ──────────────────────────────────────────────────────────────────────────────────────────────────

    function test_release_paysEveryPayment() external {
        bytes memory packed = bytes.concat(payment(payee, 3 * UNIT, 7), payment(known, 1, 8), payment(payee, 2, 9));
        (Batch memory b,) = prepare(40, packed);
        expectPaid(b, packed, 7, 3 * UNIT + 3);
        assertEq(release(b, packed), 7);
        assertEq(usdt.balanceOf(payee), 3 * UNIT + 2);
        assertEq(usdt.balanceOf(known), 1);
        assertEq(usdt.balanceOf(address(vault)), FUNDS - 3 * UNIT - 3);
        assertPaidMask(b, 7);
    }

    function test_release_paysAcrossBitmapWords() external {
        bytes memory packed = payments(12, UNIT, 1);
        (Batch memory b,) = prepare(250, packed);
        release(b, packed);
        assertEq(vault.paidMask(240, 32), uint256(0xfff) << 10, "neighbours stay open");
        for (uint256 i = 0; i < 12; ++i) {
            assertEq(usdt.balanceOf(recipientAt(1, i)), UNIT);
        }
    }

    function test_release_leavesOutWhatIsPaid() external {
        bytes memory first = payments(4, UNIT, 1);
        bytes memory second = payments(4, 2 * UNIT, 2);
        (Batch memory a,) = prepare(10, first);
        (Batch memory b,) = prepare(12, second);
        release(a, first);
        vm.recordLogs();
        expectPaid(b, second, 12, 4 * UNIT);
        assertEq(release(b, second), 12);
        assertReleased(events(paidEvent()));
        assertEq(usdt.balanceOf(recipientAt(2, 1)), 0, "first paid wins");
        assertEq(usdt.balanceOf(recipientAt(2, 2)), 2 * UNIT);
        assertEq(charged(), 8 * UNIT);
    }

    // ── Cap ──────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_release_chargesItsOwnTierOnly() external {
        bytes memory packed = payments(2, 3 * UNIT, 1);
        (Batch memory b,) = prepare(1, packed);
        release(b, packed);
        for (uint8 k = 0; k < 3; ++k) {
            uint256 charge = k == tierIndex() ? 6 * UNIT : 0;
            assertEq(vault.headroom(k), vault.tier(k).cap - charge);
        }
    }

    /// @dev The sum is rounded, not each payment.
    function test_release_chargesTheSumInWholeUnits() external {
        uint256[4] memory amounts = [uint256(1), UNIT / 2, UNIT / 2 + 1, UNIT];
        uint256[4] memory charges = [uint256(1), 1, 2, 2];
        uint256 sum;
        for (uint64 i = 0; i < 4; ++i) {
            bytes memory packed = payments(2, amounts[i], i);
            (Batch memory b,) = prepare(10 * i, packed);
            release(b, packed);
            sum += charges[i] * UNIT;
            assertEq(charged(), sum);
        }
    }

    function test_release_paysUpToTheCap() external {
        bytes memory packed = _upToTheCap();
        (Batch memory b,) = prepare(1, packed);
        release(b, packed);
        assertEq(usdt.balanceOf(known), row().cap);
        assertEq(vault.headroom(tierIndex()), 0);
    }

    function test_release_RevertWhen_CapExceededByABaseUnit() external {
        bytes memory packed = bytes.concat(_upToTheCap(), payment(payee, 1, 1));
        (Batch memory b,) = prepare(1, packed);
        uint256 cap = row().cap;
        expectCapExceeded(cap + UNIT, cap);
        release(b, packed);
    }

    function test_release_RevertWhen_CapExceededByAUnit() external {
        bytes memory packed = bytes.concat(_upToTheCap(), payment(payee, UNIT, 1));
        (Batch memory b,) = prepare(1, packed);
        uint256 cap = row().cap;
        expectCapExceeded(cap + UNIT, cap);
        release(b, packed);
        assertPaidMask(b, 0);
    }

    /// @dev A charge leaves the window with the seventh bucket after its own.
    function test_release_capComesBackAfterSevenBuckets() external {
        bytes memory one = payment(payee, 1, 1);
        (Batch memory b,) = prepare(100, one);
        bytes memory packed = _upToTheCap();
        (Batch memory a,) = prepare(1, packed);
        uint256 back = (clock() / BUCKET + 7) * BUCKET;
        release(a, packed);

        vm.warp(back - 1);
        expectCapExceeded(UNIT, 0);
        release(b, one);
        vm.warp(back);
        release(b, one);
        assertEq(charged(), UNIT);
    }

    // ── Refusals ─────────────────────────────────────────────────────────────────────────────────────────────────

    function test_release_reportsRefusedAndPaysTheRest() external {
        address blocked = makeAddr("blocked");
        uint256 large = row().maxKnown;
        bytes memory packed = bytes.concat(
            payment(blocked, UNIT, 1), payment(payee, UNIT, 2), payment(known, large, 3), payment(blocked, UNIT, 4)
        );
        (Batch memory b, bytes32 id) = prepare(500, packed);
        blockAs(guardian, blocked);
        changeStanding(known, Standing.Known, Standing.Unknown);

        vm.recordLogs();
        _expectRefused(id, 500, Refusal.BlockedRecipient);
        _expectRefused(id, 502, Refusal.AboveLimit);
        _expectRefused(id, 503, Refusal.BlockedRecipient);
        expectPaid(b, packed, 2, UNIT);
        assertEq(release(b, packed), 2);
        bytes32 refused = IVault.PaymentRefused.selector;
        assertReleased(events(refused, refused, refused, paidEvent()));
        assertPaidMask(b, 2);
        assertEq(charged(), UNIT);
        assertEq(usdt.balanceOf(blocked) + usdt.balanceOf(known), 0);
    }

    function test_release_paysRefusedOnceTheyFit() external {
        uint256 large = row().maxKnown;
        bytes memory packed = bytes.concat(payment(payee, UNIT, 1), payment(known, large, 2));
        (Batch memory b,) = prepare(500, packed);
        changeStanding(known, Standing.Known, Standing.Unknown);
        assertEq(release(b, packed), 1);
        changeStanding(known, Standing.Unknown, Standing.Known);
        expectPaid(b, packed, 2, large);
        assertEq(release(b, packed), 2);
        assertEq(usdt.balanceOf(known), large);
    }

    function test_release_RevertWhen_AllBlocked() external {
        bytes memory packed = bytes.concat(payment(payee, 2 * UNIT, 1), payment(known, 1, 2));
        (Batch memory b,) = prepare(1, packed);
        blockAs(guardian, payee);
        blockAs(guardian, known);
        _expectPaymentRefused(0, payee, 2 * UNIT, 0, Refusal.BlockedRecipient);
        release(b, packed);
    }

    /// @dev Known recipients become unknown: the limit is that of the unknown, to the base unit.
    function test_release_judgesByTheStandingOfToday() external {
        uint256 limit = row().maxUnknown;
        bytes memory exact = payment(known, limit, 1);
        bytes memory above = payment(known, limit + 1, 2);
        (Batch memory a,) = prepare(1, exact);
        (Batch memory b,) = prepare(2, above);
        changeStanding(known, Standing.Known, Standing.Unknown);
        _expectPaymentRefused(0, known, limit + 1, limit, Refusal.AboveLimit);
        release(b, above);
        assertEq(release(a, exact), 1);
    }

    /// @dev What is paid is neither tried nor reported, whatever the policy says of it by now.
    function test_release_saysNothingOfPaidPaymentsThatWouldBeRefused() external {
        bytes memory first = payment(payee, UNIT, 1);
        bytes memory both = bytes.concat(first, payment(known, UNIT, 2));
        (Batch memory a,) = prepare(1, first);
        (Batch memory b,) = prepare(1, both);
        release(a, first);
        blockAs(guardian, payee);
        vm.recordLogs();
        assertEq(release(b, both), 2);
        assertReleased(events(paidEvent()));
    }

    function test_release_RevertWhen_OnlyTheRefusedAreLeft() external {
        bytes memory first = payment(payee, UNIT, 1);
        bytes memory both = bytes.concat(first, payment(known, UNIT, 2));
        (Batch memory a,) = prepare(1, first);
        (Batch memory b,) = prepare(1, both);
        release(a, first);
        blockAs(guardian, known);
        _expectPaymentRefused(1, known, UNIT, 0, Refusal.BlockedRecipient);
        release(b, both);
    }

    // ── Freeze and balance ───────────────────────────────────────────────────────────────────────────────────────

    function test_release_RevertWhen_Frozen() external {
        bytes memory packed = payment(payee, UNIT, 1);
        (Batch memory b,) = prepare(1, packed);
        uint256 until = freezeAs(guardian);
        assertEq(until, clock() + 4 days);
        bytes memory frozen = abi.encodeWithSelector(IVault.VaultFrozen.selector, until);
        assertReverts(keeper, releasing(b, packed), frozen);
        vm.warp(until - 1);
        assertReverts(keeper, releasing(b, packed), frozen);
        vm.warp(until);
        assertEq(release(b, packed), 1);
    }

    function test_release_paysTheWholeBalance() external {
        bytes memory packed = payments(2, UNIT, 1);
        (Batch memory b,) = prepare(1, packed);
        _leave(2 * UNIT);
        assertEq(release(b, packed), 3);
        assertEq(usdt.balanceOf(address(vault)), 0);
    }

    function test_release_RevertWhen_BalanceTooLow() external {
        bytes memory packed = payments(2, UNIT, 1);
        (Batch memory b,) = prepare(1, packed);
        _leave(2 * UNIT - 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultBalanceTooLow.selector, 2 * UNIT, 2 * UNIT - 1));
        release(b, packed);
        assertPaidMask(b, 0);
        assertEq(charged(), 0);
    }

    function _upToTheCap() private view returns (bytes memory packed) {
        Tier memory t = row();
        for (uint256 i = 0; i < t.cap / t.maxKnown; ++i) {
            packed = bytes.concat(packed, payment(known, t.maxKnown, i));
        }
    }

    function _leave(uint256 amount) private {
        uint256 surplus = usdt.balanceOf(address(vault)) - amount;
        vm.prank(address(vault));
        usdt.transfer(stranger, surplus);
    }

    function _expectRefused(bytes32 id, uint64 number, Refusal refusal) private {
        vm.expectEmit(address(vault));
        emit IVault.PaymentRefused(id, number, refusal);
    }

    function _expectPaymentRefused(uint256 i, address recipient, uint256 amount, uint256 limit, Refusal refusal)
        private
    {
        vm.expectRevert(
            abi.encodeWithSelector(IVault.VaultPaymentRefused.selector, i, recipient, amount, limit, refusal)
        );
    }
}

contract PayRulesTest is ReleaseRulesTest, ByPay {}

contract PayBySigRulesTest is ReleaseRulesTest, ByPayBySig {}

contract ExecuteRulesTest is ReleaseRulesTest, ByExecute {}
