// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, ChangeKind, State, Tier} from "../../src/types/VaultTypes.sol";
import {AttackTest} from "./AttackTest.sol";

/// @notice Tightenings that are stopped on their way, and tightenings that are made to stop or to open something.
contract TightenAttacks is AttackTest {
    address private thief = makeAddr("thief");

    /// @notice Tightenings vetoed before they have their votes: a guardian may not.
    function test_attack52_guardianVetoesATightening() external {
        Tier[] memory rows = standardTiers();
        rows[0].cap /= 2;
        bytes memory change = tightenChange(rows);
        vm.prank(alice);
        bytes32 id = vault.proposeChange(ChangeKind.Tighten, change);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotVetoable.selector, id));
        vm.prank(guardian);
        vault.cancel(id);
        vm.prank(bob);
        vault.approveChange(ChangeKind.Tighten, change);
        assertEq(vault.tier(0).cap, rows[0].cap, "the lower cap");
    }

    /// @notice A keeper that executes a change to more tiers just before: what signers signed holds for those that are there.
    function test_attack52_anotherNumberOfTiers() external {
        Tier[] memory more = new Tier[](4);
        for (uint256 k = 0; k < 4; ++k) {
            more[k] = standardTiers()[k < 2 ? k : k - 1];
        }
        more[1].maxKnown = more[1].maxUnknown = more[1].cap; // what the tightening is to stop
        more[2].maxKnown = more[2].maxUnknown = more[2].cap;
        bytes memory looser = tiersChange(more, 2 days);
        approvedChange(ChangeKind.Tiers, looser);
        skip(2 days);
        Tier[] memory rows = standardTiers();
        for (uint256 k = 1; k < 3; ++k) {
            (rows[k].maxKnown, rows[k].maxUnknown) = (rows[0].maxKnown, rows[0].maxUnknown);
        }
        bytes memory change = tightenChange(rows);
        vm.prank(alice);
        vault.proposeChange(ChangeKind.Tighten, change);
        vm.prank(keeper);
        vault.executeChange(ChangeKind.Tiers, looser);
        vm.prank(bob);
        vault.approveChange(ChangeKind.Tighten, change);
        assertEq(vault.tierCount(), 4, "tiers");
        for (uint256 k = 1; k < 4; ++k) {
            assertEq(vault.tier(k).maxKnown, rows[0].maxKnown, "the lower limit");
            assertEq(vault.tier(k).maxUnknown, rows[0].maxUnknown, "the lower limit for strangers");
        }
    }

    /// @notice Votes for a tightening that is none any more, brought to make a change stale that is ready: nothing is written.
    function test_attack52_emptyTighteningMakesNothingStale() external {
        Tier[] memory rows = standardTiers();
        rows[0].cap /= 2;
        bytes memory kept = tightenChange(rows);
        approvedChange(ChangeKind.Tighten, tightenChange(rows));
        rows[2].delay = 2 days;
        bytes memory slow = tiersChange(rows, 2 days);
        approvedChange(ChangeKind.Tiers, slow);
        skip(2 days);
        assertState(approvedChange(ChangeKind.Tighten, kept), State.Executed);
        vm.prank(keeper);
        vault.executeChange(ChangeKind.Tiers, slow);
        assertEq(vault.tier(2).delay, 2 days, "what was ready");
    }

    /// @notice Signers that open the keeper's tier to themselves, at once, by asking for approvals or a delay where there were none.
    function test_attack53_signersOpenTheKeepersTier() external {
        bytes memory packed = repeated(thief, 100, 1000 * USDT);
        Tier[] memory rows = standardTiers();
        rows[0].approvals = 1;
        approvedChange(ChangeKind.Tighten, tightenChange(rows));
        (rows[0].approvals, rows[0].delay) = (0, 1);
        approvedChange(ChangeKind.Tighten, tightenChange(rows));
        Batch memory b = header(0, UPPER, packed);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierAutomatic.selector, 0));
        vm.prank(alice);
        vault.propose(orderOf(b), packed);
        b = header(0, 0, packed);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotKeeper.selector, alice));
        vm.prank(alice);
        vault.pay(orderOf(b), packed);
        assertEq(usdt.balanceOf(thief), 0, "loot");
    }
}
