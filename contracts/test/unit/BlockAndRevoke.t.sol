// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, ChangeKind, Refusal, Role, Standing} from "../../src/types/VaultTypes.sol";
import {PolicyTest} from "../PolicyTest.sol";

/// @notice What a guardian tightens at once.
contract BlockAndRevokeTest is PolicyTest {
    uint40 private constant UNTIL = START + 365 days;

    // ── Blocking ─────────────────────────────────────────────────────────────────────────────────────────────────

    function test_blockRecipient_blocksUnknownAndKnown() external {
        vm.expectEmit(address(vault));
        emit IVault.RecipientSet(payee, Standing.Unknown, Standing.Blocked);
        block_(payee);
        vm.expectEmit(address(vault));
        emit IVault.RecipientSet(known, Standing.Known, Standing.Blocked);
        block_(known);
        assertEq(uint8(vault.standingOf(payee)), uint8(Standing.Blocked));
        assertEq(uint8(vault.standingOf(known)), uint8(Standing.Blocked));
    }

    function test_blockRecipient_stopsPayments() external {
        pay(1, payment(known, USDT, 1));
        block_(known);
        vm.expectRevert(blocked(known));
        pay(2, payment(known, USDT, 2));
    }

    function test_blockRecipient_stopsApprovedBatch() external {
        bytes memory packed = payment(payee, USDT, 1);
        (Batch memory b,) = readyBatch(1, 1, packed);
        block_(payee);
        vm.expectRevert(blocked(payee));
        execute(b, packed);
        assertEq(usdt.balanceOf(payee), 0);
    }

    function test_blockRecipient_worksWhileFrozen() external {
        vm.prank(alice);
        vault.freeze();
        block_(payee);
        assertEq(uint8(vault.standingOf(payee)), uint8(Standing.Blocked));
    }

    function test_blockRecipient_RevertWhen_Blocked() external {
        block_(payee);
        address[4] memory all = [payee, address(0), address(vault), address(usdt)];
        for (uint256 i = 0; i < all.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(IVault.VaultStandingStale.selector, all[i], Standing.Unknown, Standing.Blocked)
            );
            block_(all[i]);
        }
    }

    function test_attack47_blockRecipient_RevertWhen_CallerIsNoGuardian() external {
        address[4] memory others = [alice, keeper, proposer, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotGuardian.selector, others[i]));
            vm.prank(others[i]);
            vault.blockRecipient(payee);
        }
        assertEq(uint8(vault.standingOf(payee)), uint8(Standing.Unknown));
    }

    function test_blockRecipient_guardiansTimeEnds() external {
        vm.warp(UNTIL);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotGuardian.selector, guardian));
        block_(payee);
        vm.warp(UNTIL - 1);
        block_(payee);
        assertEq(uint8(vault.standingOf(payee)), uint8(Standing.Blocked));
    }

    // ── Revoking ─────────────────────────────────────────────────────────────────────────────────────────────────

    function test_revokeRole_takesKeeper() external {
        vm.expectEmit(address(vault));
        emit IVault.RoleSet(keeper, Role.Keeper, UNTIL, 0);
        revoke(keeper, Role.Keeper);
        assertEq(vault.member(keeper).until(Role.Keeper), 0);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotKeeper.selector, keeper));
        pay(1, payment(known, USDT, 1));
    }

    function test_revokeRole_takesProposer() external {
        vm.expectEmit(address(vault));
        emit IVault.RoleSet(proposer, Role.Proposer, UNTIL, 0);
        revoke(proposer, Role.Proposer);
        assertEq(vault.member(proposer).until(Role.Proposer), 0);
        bytes memory change = successorChange(stranger);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotProposer.selector, proposer));
        vm.prank(proposer);
        vault.proposeChange(ChangeKind.Successor, change);
    }

    function test_revokeRole_revokedKeeperExecutesNothing() external {
        bytes memory packed = payment(payee, USDT, 1);
        (Batch memory b,) = readyBatch(1, 1, packed);
        revoke(keeper, Role.Keeper);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotExecutor.selector, keeper));
        execute(b, packed);
        vm.prank(alice);
        assertEq(vault.execute(orderOf(b), packed, 0), 1);
    }

    function test_revokeRole_otherRolesStay() external {
        enact(ChangeKind.Role, roleChange(keeper, Role.Proposer, 0, UNTIL));
        revoke(keeper, Role.Proposer);
        assertEq(vault.member(keeper).until(Role.Keeper), UNTIL);
        enact(ChangeKind.Role, roleChange(alice, Role.Keeper, 0, UNTIL));
        revoke(alice, Role.Keeper);
        assertTrue(vault.member(alice).isSigner());
    }

    function test_revokeRole_worksWhileFrozen() external {
        vm.prank(alice);
        vault.freeze();
        revoke(keeper, Role.Keeper);
        assertEq(vault.member(keeper).until(Role.Keeper), 0);
    }

    function test_revokeRole_RevertWhen_Guardian() external {
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultRoleNotRevocable.selector, Role.Guardian));
        revoke(otherGuardian, Role.Guardian);
        assertEq(vault.member(otherGuardian).until(Role.Guardian), UNTIL);
    }

    function test_revokeRole_RevertWhen_NotHeld() external {
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultRoleNotHeld.selector, keeper, Role.Proposer));
        revoke(keeper, Role.Proposer);
        revoke(keeper, Role.Keeper);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultRoleNotHeld.selector, keeper, Role.Keeper));
        revoke(keeper, Role.Keeper);
    }

    /// @dev A role whose time is over is not held.
    function test_revokeRole_RevertWhen_TimeIsOver() external {
        enact(ChangeKind.Role, roleChange(stranger, Role.Keeper, 0, START + 10 days));
        vm.warp(START + 10 days);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultRoleNotHeld.selector, stranger, Role.Keeper));
        revoke(stranger, Role.Keeper);
        vm.warp(START + 10 days - 1);
        vm.expectEmit(address(vault));
        emit IVault.RoleSet(stranger, Role.Keeper, START + 10 days, 0);
        revoke(stranger, Role.Keeper);
        assertEq(vault.member(stranger).until(Role.Keeper), 0);
    }

    function test_revokeRole_RevertWhen_AddressIsNobody() external {
        address[3] memory bad = [address(0), address(vault), address(usdt)];
        for (uint256 i = 0; i < bad.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultRoleNotHeld.selector, bad[i], Role.Keeper));
            revoke(bad[i], Role.Keeper);
        }
    }

    function test_attack47_revokeRole_RevertWhen_CallerIsNoGuardian() external {
        address[4] memory others = [alice, keeper, proposer, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotGuardian.selector, others[i]));
            vm.prank(others[i]);
            vault.revokeRole(proposer, Role.Proposer);
        }
        assertEq(vault.member(proposer).until(Role.Proposer), UNTIL);
    }

    // ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    function block_(address recipient) private {
        vm.prank(guardian);
        vault.blockRecipient(recipient);
    }

    function revoke(address account, Role role) private {
        vm.prank(guardian);
        vault.revokeRole(account, role);
    }

    function blocked(address recipient) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(IVault.VaultPaymentRefused.selector, 0, recipient, USDT, 0, Refusal.BlockedRecipient);
    }
}
