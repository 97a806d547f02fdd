// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Policy} from "../../src/libraries/Policy.sol";
import {ChangeKind, Role, State} from "../../src/types/VaultTypes.sol";
import {PolicyTest} from "../PolicyTest.sol";

contract ChangeGuardiansTest is PolicyTest {
    ChangeKind private constant GUARDIANS = ChangeKind.Guardians;
    uint40 private constant ENACTED = START + 2 days; // when a change of now takes effect
    uint40 private constant OLD_UNTIL = START + 365 days;
    uint40 private constant UNTIL = START + 100 days;

    function test_changeGuardians_replacesTheSet() external {
        address[] memory next = addresses(stranger, otherGuardian);
        bytes memory change = guardiansChange(next, UNTIL);
        bytes32 id = readyChange(GUARDIANS, change);
        vm.expectEmit(address(vault));
        emit IVault.ChangeExecuted(id, GUARDIANS);
        expectRoleSet(guardian, OLD_UNTIL, 0);
        expectRoleSet(otherGuardian, OLD_UNTIL, 0);
        expectRoleSet(stranger, 0, UNTIL);
        expectRoleSet(otherGuardian, 0, UNTIL);
        vm.recordLogs();
        executeChange(GUARDIANS, change);
        assertEq(vm.getRecordedLogs().length, 5);

        assertEq(vault.guardians(), next);
        assertUntil(guardian, 0);
        assertUntil(otherGuardian, UNTIL);
        assertUntil(stranger, UNTIL);
    }

    function test_changeGuardians_removedCanDoNothing() external {
        bytes32 id = approvedChange(ChangeKind.Successor, successorChange(stranger));
        enact(GUARDIANS, guardiansChange(addresses(otherGuardian), UNTIL));
        vm.startPrank(guardian);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotGuardian.selector, guardian));
        vault.cancel(id);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotGuardian.selector, guardian));
        vault.blockRecipient(payee);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotGuardian.selector, guardian));
        vault.revokeRole(keeper, Role.Keeper);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotFreezer.selector, guardian));
        vault.freeze();
    }

    function test_changeGuardians_timeEnds() external {
        enact(GUARDIANS, guardiansChange(addresses(stranger), UNTIL));
        vm.warp(UNTIL - 1);
        vm.startPrank(stranger);
        vault.blockRecipient(payee);
        vm.warp(UNTIL);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotGuardian.selector, stranger));
        vault.blockRecipient(known);
        assertEq(vault.guardians(), addresses(stranger), "listed although its time is over");
    }

    function test_attack43_changeGuardians_cannotBeVetoed() external {
        bytes memory change = guardiansChange(addresses(stranger), UNTIL);
        bytes32 id = approvedChange(GUARDIANS, change);
        address[2] memory rogues = [guardian, otherGuardian];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotVetoable.selector, id));
            vm.prank(rogues[i]);
            vault.cancel(id);
        }
        skip(2 days);
        executeChange(GUARDIANS, change);
        assertState(id, State.Executed);
        assertUntil(guardian, 0);
    }

    function test_attack35_changeGuardians_coolDownOutlivesTheSet() external {
        vm.prank(guardian);
        vault.freeze();
        uint256 againAt = START + 8 days;
        enact(GUARDIANS, guardiansChange(addresses(stranger), UNTIL));
        enact(GUARDIANS, guardiansChange(addresses(guardian), UNTIL));
        assertEq(vault.member(guardian).freezeAgainAt(), againAt);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultFreezeCoolingDown.selector, guardian, againAt));
        vm.prank(guardian);
        vault.freeze();
    }

    function test_changeGuardians_otherRolesStay() external {
        enact(GUARDIANS, guardiansChange(addresses(alice, keeper), UNTIL));
        enact(GUARDIANS, guardiansChange(addresses(stranger), UNTIL));
        assertTrue(vault.member(alice).isSigner());
        assertEq(vault.member(keeper).until(Role.Keeper), OLD_UNTIL);
        assertUntil(keeper, 0);
        assertUntil(alice, 0);
    }

    // ── Rules ────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_changeGuardians_boundsCount() external {
        bytes memory reason = outOfRange(Policy.Field.GuardianCount, 0, 0, 1, 16);
        proposalReverts(GUARDIANS, guardiansChange(new address[](0), UNTIL), reason);
        reason = outOfRange(Policy.Field.GuardianCount, 0, 17, 1, 16);
        proposalReverts(GUARDIANS, guardiansChange(crowd(17), UNTIL), reason);
        assertUntil(guardian, OLD_UNTIL);
        enact(GUARDIANS, guardiansChange(crowd(16), UNTIL));
        assertEq(vault.guardians(), crowd(16));
        assertUntil(crowd(16)[15], UNTIL);
        enact(GUARDIANS, guardiansChange(crowd(1), UNTIL));
        assertEq(vault.guardians(), crowd(1));
        assertUntil(crowd(16)[15], 0);
    }

    /// @dev When proposed: beyond the policy delay at least, within 400 days of its last second at most.
    function test_changeGuardians_boundsUntil() external {
        uint40 latest = expiry() + 400 days;
        uint40[3] memory bad = [0, ENACTED, latest + 1];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory reason = outOfRange(Policy.Field.GrantUntil, 0, bad[i], ENACTED + 1, latest);
            proposalReverts(GUARDIANS, guardiansChange(addresses(stranger), bad[i]), reason);
        }
        approvedChange(GUARDIANS, guardiansChange(addresses(stranger), latest));
        enact(GUARDIANS, guardiansChange(addresses(stranger), ENACTED + 1));
        assertUntil(stranger, ENACTED + 1);
    }

    /// @dev And again when it takes effect, from then.
    function test_changeGuardians_boundsUntilAsItTakesEffect() external {
        bytes memory far = guardiansChange(addresses(stranger), ENACTED + 400 days + 1);
        bytes memory near = guardiansChange(addresses(stranger), ENACTED + 1 hours);
        approvedChange(GUARDIANS, near);
        readyChange(GUARDIANS, far);
        bytes memory reason =
            outOfRange(Policy.Field.GrantUntil, 0, ENACTED + 400 days + 1, ENACTED + 1, ENACTED + 400 days);
        refuseChange(GUARDIANS, far, reason);
        skip(1);
        executeChange(GUARDIANS, far);
        assertUntil(stranger, ENACTED + 400 days + 1);
        vm.warp(ENACTED + 1 hours);
        reason = outOfRange(
            Policy.Field.GrantUntil, 0, ENACTED + 1 hours, ENACTED + 1 hours + 1, ENACTED + 1 hours + 400 days
        );
        refuseChange(GUARDIANS, near, reason);
        rewind(1);
        executeChange(GUARDIANS, near);
        assertUntil(stranger, ENACTED + 1 hours);
    }

    function test_changeGuardians_RevertWhen_AddressInvalid() external {
        address[3] memory bad = [address(0), address(vault), address(usdt)];
        for (uint256 i = 0; i < bad.length; ++i) {
            proposalReverts(GUARDIANS, guardiansChange(addresses(stranger, bad[i]), UNTIL), addressInvalid(bad[i]));
        }
        proposalReverts(GUARDIANS, guardiansChange(addresses(stranger, stranger), UNTIL), addressInvalid(stranger));
        assertEq(vault.guardians(), addresses(guardian, otherGuardian));
    }

    // ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    function expectRoleSet(address account, uint256 old, uint256 until) private {
        vm.expectEmit(address(vault));
        emit IVault.RoleSet(account, Role.Guardian, old, until);
    }

    function assertUntil(address account, uint256 until) private view {
        assertEq(vault.member(account).until(Role.Guardian), until, "until");
    }
}
