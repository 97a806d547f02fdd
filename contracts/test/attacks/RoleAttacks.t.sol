// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {
    Batch,
    ChangeKind,
    GuardiansChange,
    RecipientsChange,
    Refusal,
    Role,
    RoleChange,
    Standing,
    State,
    UnfreezeChange
} from "../../src/types/VaultTypes.sol";
import {AttackTest} from "./AttackTest.sol";

/// @notice One stolen key, or two, of those who may propose, pay or stop.
contract RoleAttacks is AttackTest {
    /// @notice Address poisoning: a look-alike is unknown, and making it known takes a quorum, two days and no veto.
    function test_attack34_addressPoisoning() external {
        uint160 middle = uint160(0xBADBADBAD) << 60;
        address lookAlike = address(uint160(known) ^ middle); // the first and last digits are the same
        bytes memory refused = abi.encodeWithSelector(
            IVault.VaultPaymentRefused.selector, 0, lookAlike, 10_000 * USDT, 1000 * USDT, Refusal.AboveLimit
        );
        expectPayRevert(0, payment(lookAlike, 10_000 * USDT, 0), refused);
        bytes memory change =
            abi.encode(RecipientsChange(addresses(lookAlike), Standing.Unknown, Standing.Known, nonce(), expiry()));
        bytes32 id = approvedChange(ChangeKind.Recipients, change); // the signers did not look closely
        skip(2 days - 1);
        vm.prank(alice);
        vm.expectRevert(stateInvalid(id, State.Queued));
        vault.executeChange(ChangeKind.Recipients, change);
        vm.prank(guardian); // but a guardian did
        vault.blockRecipient(lookAlike);
        skip(1);
        vm.prank(alice);
        vm.expectRevert(
            abi.encodeWithSelector(IVault.VaultStandingStale.selector, lookAlike, Standing.Unknown, Standing.Blocked)
        );
        vault.executeChange(ChangeKind.Recipients, change);
        vm.prank(otherGuardian);
        vault.cancel(id);
        assertState(id, State.Cancelled);
    }

    /// @notice Freeze griefing: a rogue freezes as often as it may; half of the time the treasury works.
    function test_attack35_freezeGriefing() external {
        uint256 frozen;
        for (uint256 hour = 0; hour < 60 * 24; ++hour) {
            vm.prank(guardian);
            try vault.freeze() returns (uint256 until) {
                assertEq(until, vm.getBlockTimestamp() + 4 days, "until");
            } catch (bytes memory returned) {
                assertEq(bytes4(returned), IVault.VaultFreezeCoolingDown.selector, "reason");
            }
            if (!_canPay(uint64(hour))) ++frozen;
            skip(1 hours);
        }
        // Four days in eight: freezes begin on days 0, 8, …, 56.
        assertEq(frozen, 8 * 4 * 24, "hours frozen in 60 days");
    }

    function _canPay(uint64 number) private returns (bool paid) {
        bytes memory packed = payment(known, 1, 0);
        Batch memory b = header(0, number, packed);
        vm.prank(keeper);
        try vault.pay(orderOf(b), packed) {
            paid = true;
        } catch (bytes memory returned) {
            assertEq(bytes4(returned), IVault.VaultFrozen.selector, "reason");
        }
    }

    /// @notice Unfreeze race: a change that ends one freeze does not end a later one.
    function test_attack35_unfreezeRace() external {
        vm.prank(guardian);
        uint256 until = vault.freeze();
        bytes memory change = abi.encode(UnfreezeChange(uint40(until), nonce(), expiry()));
        bytes32 id = approvedChange(ChangeKind.Unfreeze, change);
        skip(2 days);
        vm.prank(bob);
        uint256 later = vault.freeze();
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultUnfreezeStale.selector, until, later));
        vault.executeChange(ChangeKind.Unfreeze, change);
        assertFalse(_canPay(0), "paid while frozen");
        vm.prank(guardian); // nor can a guardian keep the quorum from ending it
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotVetoable.selector, id));
        vault.cancel(id);
        enact(ChangeKind.Unfreeze, abi.encode(UnfreezeChange(uint40(later), nonce(), expiry())));
        assertTrue(_canPay(0), "unfrozen");
    }

    /// @notice Cancel–execute race: whoever comes first, the state is final for the other.
    function test_attack35_cancelExecuteRace() external {
        bytes memory packed = payment(known, 50_000 * USDT, 0);
        (Batch memory b, bytes32 id) = readyBatch(1, UPPER, packed);
        uint256 state = vm.snapshotState();
        vm.prank(guardian);
        vault.cancel(id);
        expectExecuteRevert(b, packed, stateInvalid(id, State.Cancelled));
        vm.revertToState(state);
        execute(b, packed);
        vm.prank(guardian);
        vm.expectRevert(stateInvalid(id, State.Executed));
        vault.cancel(id);
    }

    /// @notice Proposal spam: nothing counts or walks through proposals, so others pay no more; and a guardian ends it.
    function test_attack36_proposalSpam() external {
        uint256 state = vm.snapshotState();
        uint256 before = _costOfAWithdrawal();
        vm.revertToState(state);
        bytes memory packed = payment(stranger, 1, 0);
        for (uint64 i = 0; i < 300; ++i) {
            Batch memory b = header(1, UPPER, packed);
            b.context = bytes32(uint256(i));
            vm.prank(proposer);
            vault.propose(orderOf(b), packed);
        }
        assertLe(_costOfAWithdrawal(), before, "cost");
        vm.prank(guardian);
        vault.revokeRole(proposer, Role.Proposer);
        Batch memory more = header(1, UPPER, packed);
        vm.prank(proposer);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotProposer.selector, proposer));
        vault.propose(orderOf(more), packed);
    }

    function _costOfAWithdrawal() private returns (uint256 cost) {
        bytes memory packed = payment(known, 50_000 * USDT, 0);
        Batch memory b = header(1, UPPER, packed);
        cost = gasleft();
        vm.prank(alice);
        vault.propose(orderOf(b), packed);
        vm.prank(bob);
        vault.approve(b);
        skip(1 hours);
        vm.prank(alice);
        vault.execute(orderOf(b), packed, 0);
        cost -= gasleft();
    }

    /// @notice Rogue guardian with rogue keeper: a day's loot is the automatic cap, and they cannot stay in office.
    function test_attack37_rogueGuardianAndKeeper() external {
        bytes memory packed = payment(stranger, 1000 * USDT, 0);
        bytes memory change = abi.encode(GuardiansChange(addresses(otherGuardian), START + 300 days, nonce(), expiry()));
        bytes32 id = approvedChange(ChangeKind.Guardians, change);
        bytes memory taken = abi.encode(RoleChange(keeper, Role.Keeper, START + 365 days, 0, nonce(), expiry()));
        for (uint64 hour = 0; hour < 48; ++hour) {
            for (uint64 i = 0; vault.headroom(0) >= 1000 * USDT; ++i) {
                pay(1000 * hour + i, packed);
                note(1000 * USDT);
            }
            expectPayRevert(1 << 40, packed, capExceeded(0, 1000 * USDT, 0));
            skip(1 hours);
        }
        assertEq(mostInADay(), 100_000 * USDT, "most in a day");
        assertEq(usdt.balanceOf(stranger), lootInAll(), "loot");

        vm.prank(guardian);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotVetoable.selector, id));
        vault.cancel(id);
        approvedChange(ChangeKind.Role, taken); // takes effect with its votes
        vm.prank(alice);
        vault.executeChange(ChangeKind.Guardians, change);
        expectPayRevert(1 << 40, packed, abi.encodeWithSelector(IVault.VaultNotKeeper.selector, keeper));
        vm.prank(guardian);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotFreezer.selector, guardian));
        vault.freeze();
    }

    /// @notice A guardian vetoing its own removal, or an accomplice's: nobody can.
    function test_attack43_guardianVetoesItsRemoval() external {
        bytes memory change =
            abi.encode(GuardiansChange(addresses(makeAddr("new guardian")), START + 300 days, nonce(), expiry()));
        bytes32 id = approvedChange(ChangeKind.Guardians, change);
        address[] memory guardians = addresses(guardian, otherGuardian);
        for (uint256 i = 0; i < 2; ++i) {
            vm.startPrank(guardians[i]);
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotVetoable.selector, id));
            vault.cancel(id);
            vault.freeze(); // which does not hold up a change
            vm.stopPrank();
        }
        skip(2 days);
        vm.prank(alice);
        vault.executeChange(ChangeKind.Guardians, change);
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(guardians[i]);
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotGuardian.selector, guardians[i]));
            vault.blockRecipient(stranger);
        }
    }

    /// @notice One signer stopping everything by instant blocks: a signer freezes, in turns, and stops nothing else.
    function test_attack47_signerCannotBlock() external {
        bytes memory packed = payment(known, 50_000 * USDT, 0);
        (Batch memory b, bytes32 id) = readyBatch(1, UPPER, packed);
        bytes memory notGuardian = abi.encodeWithSelector(IVault.VaultNotGuardian.selector, carol);
        vm.startPrank(carol);
        vm.expectRevert(notGuardian);
        vault.blockRecipient(known);
        vm.expectRevert(notGuardian);
        vault.revokeRole(keeper, Role.Keeper);
        vm.expectRevert(notGuardian);
        vault.cancel(id);
        uint256 until = vault.freeze();
        uint256 againAt = until + 4 days;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultFreezeCoolingDown.selector, carol, againAt));
        vault.freeze();
        vm.warp(againAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultFreezeCoolingDown.selector, carol, againAt));
        vault.freeze();
        vm.stopPrank();
        assertEq(execute(b, packed), 1, "paid mask");
    }
}
