// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, Role, Standing, Tier} from "../../src/types/VaultTypes.sol";
import {ModeToken} from "../mocks/ModeToken.sol";
import {GhostLog} from "./GhostLog.sol";
import {GhostPolicy} from "./GhostPolicy.sol";
import {GhostVotes} from "./GhostVotes.sol";
import {InvariantTest} from "./InvariantTest.sol";

/// @notice How much leaves, to whom, and how often.
/// @dev Checked after every fourth call: most look at the whole log, which forgets nothing, and a check costs more than
/// the call.
/// forge-config: default.invariant.check_interval = 4
contract MoneyInvariants is InvariantTest {
    /// @notice In every closed 24-hour span a tier stays within its cap, and all tiers within the hard ceiling.
    function invariant_I01_capsHoldInEveryDay() external view {
        GhostLog.Release[] memory all = ghost.releases();
        uint256 ceiling = vault.hardCeiling();
        for (uint256 last = 0; last < all.length; ++last) {
            (uint256 inTier, uint256 inAll) = (0, 0);
            for (uint256 i = 0; i <= last; ++i) {
                if (all[i].time + 24 hours < all[last].time) continue;
                inAll += all[i].total;
                if (all[i].tier == all[last].tier) inTier += all[i].total;
            }
            assertLe(inTier, all[last].cap, "a tier let more through in a day than its cap");
            assertLe(inAll, ceiling, "more than the ceiling left in a day");
        }
    }

    function invariant_I02_aNumberIsPaidOnce() external view {
        uint256[] memory numbers = ghost.numbers();
        for (uint256 i = 0; i < numbers.length; ++i) {
            assertLe(ghost.timesPaid(numbers[i]), 1, "paid twice");
        }
    }

    function invariant_I03_balanceIsDepositsLessOutflow() external view {
        uint256 expected = 400_000 * USDT + ghost.deposited() - ghost.paidOut();
        assertEq(token.balanceOf(address(vault)), expected, "balance");
    }

    function invariant_I04_aPaymentTakesExactlyItsAmount() external view {
        GhostLog.Outflow[] memory items = ghost.outflows();
        GhostLog.Release[] memory all = ghost.releases();
        uint256[] memory sums = new uint256[](all.length);
        for (uint256 i = 0; i < items.length; ++i) {
            assertEq(items[i].debited, items[i].amount, "debited");
            sums[items[i].release] += items[i].debited;
        }
        for (uint256 i = 0; i < all.length; ++i) {
            assertEq(sums[i], all[i].total, "total of a release");
        }
    }

    function invariant_I05_whatIsPaidWasApproved() external view {
        GhostLog.Outflow[] memory items = ghost.outflows();
        GhostLog.Release[] memory all = ghost.releases();
        for (uint256 i = 0; i < items.length; ++i) {
            GhostLog.Release memory r = all[items[i].release];
            if (r.automatic || r.bySig) continue;
            GhostVotes.Item memory proposed = ghost.itemOf(r.id);
            uint256 index = items[i].number - proposed.batch.firstNumber;
            (address recipient, uint256 amount) = handler.paymentAt(proposed.content, index);
            assertLt(index, proposed.batch.count, "number");
            assertEq(items[i].recipient, recipient, "recipient");
            assertEq(items[i].amount, amount, "amount");
        }
    }

    /// @notice The keeper alone pays what automatic tiers allow, under numbers of their own; all else has its votes.
    function invariant_I13_theKeeperAloneIsHeldToAutomaticTiers() external view {
        GhostLog.Outflow[] memory items = ghost.outflows();
        GhostLog.Release[] memory all = ghost.releases();
        GhostPolicy.Rules[] memory rules = ghost.rules();
        for (uint256 i = 0; i < all.length; ++i) {
            Tier memory row = rules[all[i].rules].tiers[all[i].tier];
            assertGe(all[i].votes, row.approvals, "votes");
            if (all[i].automatic || all[i].bySig) assertEq(row.delay, 0, "paid at once from a tier with a delay");
            else assertGe(all[i].votes, all[i].required, "executed without its votes");
        }
        for (uint256 i = 0; i < items.length; ++i) {
            if (all[items[i].release].automatic) assertLt(items[i].number, UPPER, "number of a proposal");
        }
    }

    /// @notice In any 24 hours the tiers that ask for `a` approvals or fewer bound what leaves with `a` or fewer.
    function invariant_I15_splittingGainsNothing() external view {
        GhostLog.Release[] memory all = ghost.releases();
        GhostPolicy.Rules[] memory rules = ghost.rules();
        for (uint256 last = 0; last < all.length; ++last) {
            for (uint256 a = 0; a < 3; ++a) {
                uint256 sum;
                for (uint256 i = 0; i <= last; ++i) {
                    bool inSpan = all[i].time + 24 hours >= all[last].time;
                    if (inSpan && all[i].votes <= a) sum += all[i].total;
                }
                assertLe(sum, _capsUpTo(rules, a, all[last].time), "left with too few approvals");
            }
        }
    }

    /// @dev Sum over tiers of the largest cap in force in the day before `end`, where `approvals` sufficed.
    function _capsUpTo(GhostPolicy.Rules[] memory rules, uint256 approvals, uint256 end)
        private
        view
        returns (uint256 sum)
    {
        for (uint256 k = 0; k < 4; ++k) {
            uint256 largest;
            for (uint256 p = 0; p < rules.length && rules[p].since <= end; ++p) {
                bool replaced = p + 1 < rules.length && rules[p + 1].since <= end;
                uint256 until = replaced ? rules[p + 1].since : end;
                if (until + 24 hours < end || k >= rules[p].tiers.length) continue;
                if (rules[p].tiers[k].approvals > approvals) continue;
                uint256 cap = ghost.capInForce(p, k, until);
                if (cap > largest) largest = cap;
            }
            sum += largest;
        }
    }

    /// @notice Turning a batch around changes who is paid in no way, whatever the token does.
    function invariant_I17_orderDoesNotMatter() external atNow {
        address keeper = _keeper();
        if (keeper == address(0) || !ghost.isAutomatic(0)) return;
        address[] memory payees = handler.payees();
        (bytes memory forth, bytes memory back) = ("", "");
        for (uint256 i = 0; i < payees.length; ++i) {
            // The first fits and the last does not, so that a batch that stops at a misfit is seen.
            uint256 amount = i % 3 == 2 ? ghost.limit(0, payees[i]) + 1 : (i + 1) % 4;
            bytes memory one = abi.encodePacked(payees[i], uint96(amount), uint128(i));
            (forth, back) = (bytes.concat(forth, one), bytes.concat(one, back));
        }
        uint256 state = vm.snapshotState();
        (bool paid, bytes memory returned) =
            _try(keeper, abi.encodeCall(IVault.pay, (orderOf(_header(0, 1 << 62, forth)), forth)));
        vm.revertToState(state);
        (bool paidBack, bytes memory returnedBack) =
            _try(keeper, abi.encodeCall(IVault.pay, (orderOf(_header(0, 1 << 62, back)), back)));
        assertEq(paid, paidBack, "outcome");
        if (!paid) {
            assertEq(bytes4(returned), bytes4(returnedBack), "reason");
        } else {
            assertEq(
                abi.decode(returned, (uint256)), _reverse(abi.decode(returnedBack, (uint256)), payees.length), "mask"
            );
        }
    }

    function _reverse(uint256 mask, uint256 count) private pure returns (uint256 reversed) {
        for (uint256 i = 0; i < count; ++i) {
            reversed |= ((mask >> i) & 1) << (count - 1 - i);
        }
    }

    /// @notice What is left of a cap is what the log of payments that moved leaves of it: a failed one costs nothing.
    function invariant_I18_aFailedPaymentCostsNothing() external atNow {
        for (uint256 k = 0; k < 4; ++k) {
            assertEq(vault.headroom(k), handler.roomOf(k) * UNIT, "headroom");
        }
    }

    function invariant_I19_paidNumbersStayPaid() external view {
        uint256[] memory numbers = ghost.numbers();
        for (uint256 i = 0; i < numbers.length; ++i) {
            assertEq(vault.isPaid(uint64(numbers[i])), ghost.timesPaid(numbers[i]) == 1, "paid");
        }
    }

    function invariant_I20_nobodyHasAnAllowance() external view {
        address[] memory people = handler.people();
        address[] memory payees = handler.payees();
        for (uint256 i = 0; i < people.length; ++i) {
            assertEq(token.allowance(address(vault), people[i]), 0, "allowance of a party");
        }
        for (uint256 i = 0; i < payees.length; ++i) {
            assertEq(token.allowance(address(vault), payees[i]), 0, "allowance of a recipient");
        }
        assertEq(token.allowance(address(vault), address(handler)), 0, "allowance of the token's hook");
    }

    /// @notice A quorum can always get the largest payment of the top tier out: proposed afresh as soon as nothing is
    /// frozen, approved at once, executed when delay and settling are over.
    function invariant_I21_anHonestQuorumIsNeverStuck() external atNow {
        uint256 top = vault.tierCount() - 1;
        Tier memory row = vault.tier(top);
        address recipient = _payable(top);
        if (recipient == address(0)) return;
        uint256 amount = ghost.limit(top, recipient);
        token.setMode(ModeToken.Mode.Plain, handler);
        token.setRefuses(recipient, false);
        token.mint(address(vault), amount);
        if (vm.getBlockTimestamp() < ghost.haltedUntil()) vm.warp(ghost.haltedUntil());

        bytes memory packed = abi.encodePacked(recipient, uint96(amount), uint128(0));
        Batch memory b = _header(top, UPPER + (1 << 40), packed);
        address[] memory signers = vault.signers();
        vm.prank(signers[0]);
        vault.propose(orderOf(b), packed);
        for (uint256 i = 1; i < row.approvals; ++i) {
            vm.prank(signers[i]);
            vault.approve(b);
        }
        skip(row.delay + 28 hours);
        uint256 before = token.balanceOf(recipient);
        vm.prank(signers[0]);
        assertEq(vault.execute(orderOf(b), packed, 0), 1, "paid mask");
        assertEq(token.balanceOf(recipient), before + amount, "received");
    }

    /// @dev A recipient that the tier pays: an unknown one if it pays those.
    function _payable(uint256 tier) private view returns (address) {
        address fresh = address(0xF0E5);
        if (ghost.limit(tier, fresh) != 0) return fresh;
        address[] memory payees = handler.payees();
        for (uint256 i = 0; i < payees.length; ++i) {
            if (ghost.standing(payees[i]) == Standing.Known) return payees[i];
        }
        return address(0);
    }
}
