// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Policy} from "../../src/libraries/Policy.sol";
import {Batch, ChangeKind, Refusal, SignersChange, State, Tier} from "../../src/types/VaultTypes.sol";
import {AttackTest} from "./AttackTest.sol";

/// @notice A quorum that is hostile, careless, or a key short.
contract QuorumAttacks is AttackTest {
    uint256 private constant CEILING = 10_000_000 * USDT;
    uint256 private constant CAPS = 2_600_000 * USDT; // of the three tiers

    /// @notice Full quorum compromise: with every key stolen, a day's loot is the caps at first and never more than
    /// the ceiling.
    function test_attack38_fullQuorumCompromise() external {
        Tier[] memory rows = new Tier[](1);
        uint128 above = uint128(CEILING + UNIT);
        rows[0] = Tier(above, above, above, 2, 0);
        expectProposalRevert(
            ChangeKind.Tiers,
            tiersChange(rows, 1 days),
            abi.encodeWithSelector(Policy.PolicyOutOfRange.selector, Policy.Field.Cap, 0, above, UNIT, CEILING)
        );
        uint128 most = uint128(CEILING);
        rows[0] = Tier(most, most, most, 2, 0);
        bytes memory change = tiersChange(rows, 1 days);
        approvedChange(ChangeKind.Tiers, change);
        uint256 start = vm.getBlockTimestamp();
        _drainStandardTiers();
        vm.warp(start + 2 days);
        vm.prank(alice);
        vault.executeChange(ChangeKind.Tiers, change);
        assertEq(mostInADay(), CAPS, "most in a day under the old policy");

        uint64 number = UPPER + 1000;
        for (uint256 hour = 0; hour < 72; ++hour) {
            uint256 room = vault.headroom(0);
            if (room != 0) {
                bytes memory packed = payment(stranger, room, 0);
                (Batch memory b,) = readyBatch(0, number++, packed);
                execute(b, packed);
                note(room);
            }
            if (hour < 27) assertLe(mostInADay(), CAPS, "most in a day while the new caps wait");
            skip(1 hours);
        }
        assertEq(mostInADay(), CEILING, "most in a day");
        assertEq(usdt.balanceOf(stranger), lootInAll(), "loot");
    }

    /// @dev Tier 0, 1 and 2 to their caps, all within one day of two.
    function _drainStandardTiers() private {
        bytes memory large = payment(stranger, 1_000_000 * USDT, 0);
        (Batch memory one, Batch memory two) = (header(2, UPPER, large), header(2, UPPER + 1, large));
        proposeAndApprove(one, large, 3);
        proposeAndApprove(two, large, 3);
        bytes memory small = repeated(stranger, 25, 20_000 * USDT);
        Batch memory three = header(1, UPPER + 100, small);
        proposeAndApprove(three, small, 2);
        skip(1 days);
        execute(one, large);
        execute(two, large);
        execute(three, small);
        pay(0, repeated(stranger, 100, 1000 * USDT));
        note(CAPS);
        assertEq(vault.headroom(0) + vault.headroom(1) + vault.headroom(2), 0, "headroom");
    }

    /// @notice Key loss below quorum: those who are left replace the key, and every tier works again. A finder of the
    /// key has one vote.
    function test_attack39_keyLoss() external {
        bytes memory large = payment(known, 1_000_000 * USDT, 0);
        Batch memory b = header(2, UPPER, large);
        vm.prank(carol);
        bytes32 id = vault.propose(orderOf(b), large);
        skip(1 days);
        expectExecuteRevert(b, large, stateInvalid(id, State.Proposed));

        address dave = makeAddr("dave");
        enact(ChangeKind.Signers, abi.encode(SignersChange(addresses(alice, bob, dave), 2, nonce(), expiry())));
        vm.startPrank(carol);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotFreezer.selector, carol));
        vault.freeze();
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotSigner.selector, carol));
        vault.approve(b);
        vm.stopPrank();
        proposeAndApprove(header(2, UPPER + 1, large), large, 2);
        b = header(2, UPPER + 1, large);
        vm.prank(dave);
        vault.approve(b);
        skip(1 days);
        assertEq(execute(b, large), 1, "paid mask");
    }

    /// @notice A cap change stranding an accepted withdrawal: the batch may die of it, the payment does not.
    function test_attack41_strandedWithdrawal() external {
        bytes memory packed = payment(known, 90_000 * USDT, 0);
        Tier[] memory rows = standardTiers();
        (rows[1].maxKnown, rows[1].cap) = (uint128(50_000 * USDT), uint128(50_000 * USDT));
        (Batch memory b,) = readyBatch(1, UPPER, packed);
        approvedChange(ChangeKind.Tighten, tightenChange(rows));
        expectExecuteRevert(
            b,
            packed,
            abi.encodeWithSelector(
                IVault.VaultPaymentRefused.selector, 0, known, 90_000 * USDT, 50_000 * USDT, Refusal.AboveLimit
            )
        );
        // The same number, in a stricter tier.
        (b,) = readyBatch(2, UPPER, packed);
        assertEq(execute(b, packed), 1, "paid mask");
        assertEq(usdt.balanceOf(known), 90_000 * USDT, "paid once");
    }

    /// @notice A full cap stranding an accepted withdrawal: its life outlasts every charge that was there before it.
    function test_attack41_fullCapDoesNotOutliveIt() external {
        bytes memory packed = payment(known, 100_000 * USDT, 0);
        bytes memory all = repeated(known, 5, 100_000 * USDT);
        (Batch memory first,) = readyBatch(1, UPPER + 10, all);
        execute(first, all);
        Batch memory b = header(1, UPPER, packed);
        uint256 time = vm.getBlockTimestamp();
        b.expiresAt = uint40(time + 30 hours - 1);
        vm.prank(proposer);
        vm.expectRevert(
            abi.encodeWithSelector(IVault.VaultExpiryOutOfRange.selector, b.expiresAt, time + 30 hours, time + 30 days)
        );
        vault.propose(orderOf(b), packed);
        b.expiresAt += 1; // the shortest life there is
        proposeAndApprove(b, packed, 2);
        skip(1 hours);
        expectExecuteRevert(b, packed, capExceeded(1, 100_000 * USDT, 0));
        vm.warp(b.expiresAt - 1);
        assertEq(execute(b, packed), 1, "paid mask");
    }

    /// @notice A policy that makes withdrawals impossible: refused, whoever votes for it.
    function test_attack44_impossiblePolicy() external {
        uint256 longest = 30 days - 7 days - 29 hours;
        uint128 cap = uint128(2_000_000 * USDT);
        Tier[] memory rows = standardTiers();
        rows[2].approvals = 4; // of three signers
        bytes memory tighter = tightenChange(rows);
        vm.prank(alice);
        vm.expectRevert(_outOfRange(Policy.Field.Approvals, 2, 4, 2, 3));
        vault.proposeChange(ChangeKind.Tighten, tighter);
        expectEnactRevert(ChangeKind.Tiers, tiersChange(rows, 2 days), _outOfRange(Policy.Field.Approvals, 2, 4, 2, 3));
        rows = standardTiers();
        (rows[1].approvals, rows[2].approvals) = (1, 1);
        expectEnactRevert(ChangeKind.Tiers, tiersChange(rows, 2 days), _outOfRange(Policy.Field.Approvals, 2, 1, 2, 3));
        rows = standardTiers();
        rows[0].cap = 0;
        _expectRefused(rows, 2 days, _outOfRange(Policy.Field.Cap, 0, 0, UNIT, CEILING));
        rows = standardTiers();
        rows[2].maxKnown = cap + UNIT;
        _expectRefused(rows, 2 days, _outOfRange(Policy.Field.MaxKnown, 2, cap + UNIT, 100_000 * USDT, cap));
        rows = standardTiers();
        rows[2].delay = uint32(longest + 1);
        _expectRefused(rows, 2 days, _outOfRange(Policy.Field.Delay, 2, longest + 1, 1 hours, longest));
        rows = standardTiers();
        _expectRefused(
            rows, uint32(longest + 1), _outOfRange(Policy.Field.PolicyDelay, 0, longest + 1, 1 days, longest)
        );
        _expectRefused(new Tier[](0), 2 days, _outOfRange(Policy.Field.TierCount, 0, 0, 1, 4));
        expectEnactRevert(
            ChangeKind.Signers,
            abi.encode(SignersChange(addresses(alice, bob), 2, nonce(), expiry())),
            _outOfRange(Policy.Field.Approvals, 2, 3, 2, 2)
        );
        bytes memory packed = payment(known, 1_000_000 * USDT, 0);
        (Batch memory b,) = readyBatch(2, UPPER, packed);
        assertEq(execute(b, packed), 1, "a withdrawal is still possible");
    }

    function _expectRefused(Tier[] memory rows, uint32 delay, bytes memory reason) private {
        expectProposalRevert(ChangeKind.Tiers, tiersChange(rows, delay), reason);
    }

    function _outOfRange(Policy.Field field, uint256 index, uint256 value, uint256 least, uint256 most)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(Policy.PolicyOutOfRange.selector, field, index, value, least, most);
    }
}
