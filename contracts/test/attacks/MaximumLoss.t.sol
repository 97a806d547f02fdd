// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, ChangeKind, Order, Refusal, Role, State, Tier} from "../../src/types/VaultTypes.sol";
import {AttackTest} from "./AttackTest.sol";

/// @notice The most that leaves in 24 hours for each set of stolen keys, by draining as fast as the vault lets: what
/// audits/threat-model.md says of the standard policy. The thief tries every second at which a charge can leave the window.
contract MaximumLoss is AttackTest {
    uint256 private constant CAP_0 = 100_000 * USDT;
    uint256 private constant CAP_1 = 500_000 * USDT;
    uint256 private constant CAP_2 = 2_000_000 * USDT;
    uint256 private constant CEILING = 10_000_000 * USDT;

    uint256 private constant DAYS = 4;
    /// @dev The cap counts in pieces of four hours.
    uint256 private constant BUCKET = 4 hours;

    address private thief = makeAddr("thief");
    uint64 private number; // of automatic payments
    uint64 private upper = UPPER; // of proposed ones

    // ── Sets of keys ─────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice The keeper's key: the automatic caps.
    function test_maximumLoss_keeper() external {
        _drain(true, 0);
        assertEq(mostInADay(), CAP_0, "loss");
    }

    /// @notice With the proposer's: no more, for all that it proposes waits for signers.
    function test_maximumLoss_keeperAndProposer() external {
        bytes memory packed = payment(thief, 20_000 * USDT, 0);
        Batch memory b = header(1, UPPER, packed);
        bytes32 id = proposeAndApprove(b, packed, 0);
        skip(2 days);
        expectExecuteRevert(b, packed, stateInvalid(id, State.Proposed));
        _drain(true, 0);
        assertEq(mostInADay(), CAP_0, "loss");
    }

    /// @notice One signer of three, where the lowest tier with approvals asks for two: nothing; with a keeper the automatic caps.
    function test_maximumLoss_oneSigner() external {
        bytes memory packed = payment(thief, 20_000 * USDT, 0);
        Batch memory b = header(1, UPPER, packed);
        bytes32 id = proposeAndApprove(b, packed, 1);
        skip(2 days);
        expectExecuteRevert(b, packed, stateInvalid(id, State.Proposed));
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotKeeper.selector, alice));
        vault.pay(orderOf(header(0, 0, packed)), packed);
        assertEq(mostInADay(), 0, "loss");
        _drain(true, 0);
        assertEq(mostInADay(), CAP_0, "loss with a keeper");
    }

    /// @notice Two signers: tier 1's approvals, with nobody to veto. Their tier's cap, and with a keeper the automatic one too.
    /// They cannot take tier 2's money by calling it tier 1's.
    function test_maximumLoss_twoSigners() external {
        bytes memory packed = payment(thief, CAP_2 / 2, 0);
        Order memory order = orderOf(header(1, UPPER, packed));
        vm.prank(alice);
        vm.expectRevert(
            abi.encodeWithSelector(
                IVault.VaultPaymentRefused.selector, 0, thief, CAP_2 / 2, 20_000 * USDT, Refusal.AboveLimit
            )
        );
        vault.propose(order, packed);
        Tier[] memory rows = standardTiers();
        rows[0].approvals = 2; // at once, if it were a tightening
        approvedChange(ChangeKind.Tighten, tightenChange(rows));
        order = orderOf(header(0, UPPER, packed));
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTierAutomatic.selector, 0));
        vault.propose(order, packed);
        _drain(false, 1);
        assertEq(mostInADay(), CAP_1, "loss");
    }

    /// @notice The same with a keeper.
    function test_maximumLoss_twoSignersAndKeeper() external {
        _drain(true, 1);
        assertEq(mostInADay(), CAP_0 + CAP_1, "loss");
    }

    /// @notice All signers and a keeper, under today's policy: all caps.
    function test_maximumLoss_everySigner() external {
        _drain(true, 2);
        assertEq(mostInADay(), CAP_0 + CAP_1 + CAP_2, "loss");
    }

    /// @notice A guardian: nothing leaves, whatever it may stop.
    function test_maximumLoss_guardian() external {
        uint256 balance = usdt.balanceOf(address(vault));
        Batch memory b = header(0, 0, payment(thief, 1000 * USDT, 0));
        vm.startPrank(guardian);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotKeeper.selector, guardian));
        vault.pay(orderOf(b), payment(thief, 1000 * USDT, 0));
        vault.freeze();
        vault.blockRecipient(known);
        vm.stopPrank();
        assertEq(usdt.balanceOf(address(vault)), balance, "balance");
    }

    /// @notice With the keeper's key: the automatic caps, before the freeze or after it.
    function test_maximumLoss_guardianAndKeeper() external {
        vm.prank(guardian);
        vault.revokeRole(proposer, Role.Proposer);
        _drain(true, 0);
        assertEq(mostInADay(), CAP_0, "loss");
    }

    /// @notice Every key: for the policy delay all caps, then, with one tier as wide as the rules allow, the ceiling and no more.
    function test_maximumLoss_everyKey() external {
        Tier[] memory rows = new Tier[](1);
        uint128 most = uint128(CEILING);
        rows[0] = Tier(most, most, most, 2, 0);
        bytes memory change = tiersChange(rows, 1 days);
        approvedChange(ChangeKind.Tiers, change);
        _drainFor(true, 2, 2 days);
        assertEq(mostInADay(), CAP_0 + CAP_1 + CAP_2, "loss under the old policy");
        vm.prank(alice);
        vault.executeChange(ChangeKind.Tiers, change);
        uint256 end = clock() + DAYS * 1 days;
        while (clock() < end) {
            _takeApproved(0, 2, CEILING);
            skip(BUCKET / 2);
        }
        assertEq(mostInADay(), CEILING, "loss");
        assertEq(usdt.balanceOf(thief), lootInAll(), "loot");
    }

    // ── Draining ─────────────────────────────────────────────────────────────────────────────────────────────────

    function _drain(bool withKeeper, uint256 topTier) private {
        _drainFor(withKeeper, topTier, DAYS * 1 days);
        assertEq(usdt.balanceOf(thief), lootInAll(), "loot");
    }

    /// @dev Takes what there is now, at the last second of each bucket and at the first of the next.
    function _drainFor(bool withKeeper, uint256 topTier, uint256 length) private {
        uint256 end = clock() + length;
        for (bool last = true; clock() < end; last = !last) {
            if (withKeeper) _takeAutomatic();
            for (uint256 k = 1; k <= topTier; ++k) {
                _takeApproved(k, k + 1, vault.tier(k).maxUnknown);
            }
            uint256 edge = (clock() / BUCKET + 1) * BUCKET;
            uint256 next = last ? edge - 1 : edge;
            vm.warp(next > clock() && next < end ? next : next >= end ? end : edge);
        }
    }

    function _takeAutomatic() private {
        uint256 room = vault.headroom(0) / (1000 * USDT);
        if (room == 0) return;
        pay(number, repeated(thief, room, 1000 * USDT));
        number += uint64(room);
        note(room * 1000 * USDT);
    }

    /// @dev Approved as long ago as the delay asks for: the thief prepared it, as if for any second.
    function _takeApproved(uint256 tier, uint256 votes, uint256 most) private {
        uint256 count = vault.headroom(tier) / most;
        if (count == 0) return;
        bytes memory packed = repeated(thief, count, most);
        Batch memory b = header(uint8(tier), upper, packed);
        upper += uint64(count);
        uint256 time = clock();
        vm.warp(time - vault.tier(tier).delay);
        proposeAndApprove(b, packed, votes);
        vm.warp(time);
        execute(b, packed);
        note(count * most);
    }
}
