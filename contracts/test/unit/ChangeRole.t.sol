// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Policy} from "../../src/libraries/Policy.sol";
import {Batch, ChangeKind, Role} from "../../src/types/VaultTypes.sol";
import {PolicyTest} from "../PolicyTest.sol";

contract ChangeRoleTest is PolicyTest {
    ChangeKind private constant ROLE = ChangeKind.Role;
    uint40 private constant ENACTED = START + 2 days; // when a change of now takes effect

    function test_changeRole_grantsKeeper() external {
        bytes memory change = roleChange(stranger, Role.Keeper, 0, ENACTED + 10 days);
        bytes32 id = readyChange(ROLE, change);
        vm.expectEmit(address(vault));
        emit IVault.ChangeExecuted(id, ROLE);
        vm.expectEmit(address(vault));
        emit IVault.RoleSet(stranger, Role.Keeper, 0, ENACTED + 10 days);
        vm.recordLogs();
        executeChange(ROLE, change);
        assertEq(vm.getRecordedLogs().length, 2);
        assertUntil(stranger, Role.Keeper, ENACTED + 10 days);
        assertUntil(stranger, Role.Proposer, 0);
        assertUntil(stranger, Role.Guardian, 0);

        vm.warp(ENACTED + 10 days - 1);
        assertEq(payAs(stranger, 1), 1);
        vm.warp(ENACTED + 10 days);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotKeeper.selector, stranger));
        payAs(stranger, 2);
    }

    function test_changeRole_grantsProposer() external {
        enact(ROLE, roleChange(stranger, Role.Proposer, 0, ENACTED + 1 days));
        assertUntil(stranger, Role.Proposer, ENACTED + 1 days);
        assertUntil(stranger, Role.Keeper, 0);
        bytes memory packed = payment(payee, USDT, 1);
        Batch memory b = header(1, 1, packed);
        vm.prank(stranger);
        vault.propose(orderOf(b), packed);
        vm.warp(ENACTED + 1 days);
        b.context = "another";
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotProposer.selector, stranger));
        vm.prank(stranger);
        vault.propose(orderOf(b), packed);
    }

    function test_changeRole_extends() external {
        enact(ROLE, roleChange(keeper, Role.Keeper, START + 365 days, ENACTED + 400 days));
        assertUntil(keeper, Role.Keeper, ENACTED + 400 days);
    }

    function test_changeRole_takes() external {
        enact(ROLE, roleChange(keeper, Role.Keeper, START + 365 days, 0));
        assertUntil(keeper, Role.Keeper, 0);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotKeeper.selector, keeper));
        payAs(keeper, 1);
    }

    function test_changeRole_otherRolesStay() external {
        enact(ROLE, roleChange(keeper, Role.Proposer, 0, ENACTED + 1 days));
        assertUntil(keeper, Role.Keeper, START + 365 days);
        assertUntil(keeper, Role.Proposer, ENACTED + 1 days);
        enact(ROLE, roleChange(guardian, Role.Keeper, 0, ENACTED + 10 days));
        assertUntil(guardian, Role.Guardian, START + 365 days);
    }

    // ── Old end ──────────────────────────────────────────────────────────────────────────────────────────────────

    function test_changeRole_neverUndoesALaterRevocation() external {
        bytes memory change = roleChange(keeper, Role.Keeper, START + 365 days, ENACTED + 400 days);
        readyChange(ROLE, change);
        vm.prank(guardian);
        vault.revokeRole(keeper, Role.Keeper);
        refuseChange(ROLE, change, stale(keeper, Role.Keeper, START + 365 days, 0));
        assertUntil(keeper, Role.Keeper, 0);
    }

    function test_changeRole_RevertWhen_OldEndIsAnother() external {
        uint40 end = START + 365 days;
        bytes memory change = roleChange(keeper, Role.Keeper, end - 1, end + 1);
        enactReverts(ROLE, change, stale(keeper, Role.Keeper, end - 1, end));
        change = roleChange(stranger, Role.Proposer, 1, end);
        enactReverts(ROLE, change, stale(stranger, Role.Proposer, 1, 0));
    }

    // ── Rules ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev When proposed: beyond the policy delay at least, within 400 days of its last second at most.
    function test_changeRole_boundsUntil() external {
        uint40 latest = expiry() + 400 days;
        uint40[2] memory bad = [ENACTED, latest + 1];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory reason = outOfRange(Policy.Field.GrantUntil, 0, bad[i], ENACTED + 1, latest);
            proposalReverts(ROLE, roleChange(stranger, Role.Keeper, 0, bad[i]), reason);
        }
        approvedChange(ROLE, roleChange(payee, Role.Keeper, 0, latest));
        enact(ROLE, roleChange(stranger, Role.Keeper, 0, ENACTED + 1));
        assertUntil(stranger, Role.Keeper, ENACTED + 1);
    }

    /// @dev And again when it takes effect, from then.
    function test_changeRole_boundsUntilAsItTakesEffect() external {
        bytes memory far = roleChange(stranger, Role.Keeper, 0, ENACTED + 400 days + 1);
        bytes memory most = roleChange(payee, Role.Keeper, 0, ENACTED + 400 days);
        bytes memory near = roleChange(payee, Role.Proposer, 0, ENACTED + 1);
        approvedChange(ROLE, far);
        approvedChange(ROLE, near);
        readyChange(ROLE, most);
        refuseChange(ROLE, far, grantUntil(ENACTED + 400 days + 1));
        executeChange(ROLE, most);
        assertUntil(payee, Role.Keeper, ENACTED + 400 days);
        skip(1);
        bytes memory reason = outOfRange(Policy.Field.GrantUntil, 0, ENACTED + 1, ENACTED + 2, ENACTED + 400 days + 1);
        refuseChange(ROLE, near, reason);
        executeChange(ROLE, far);
        assertUntil(stranger, Role.Keeper, ENACTED + 400 days + 1);
    }

    function test_changeRole_RevertWhen_Guardian() external {
        bytes memory reason = abi.encodeWithSelector(IVault.VaultRoleNotGrantable.selector, Role.Guardian);
        proposalReverts(ROLE, roleChange(stranger, Role.Guardian, 0, ENACTED + 1 days), reason);
        proposalReverts(ROLE, roleChange(guardian, Role.Guardian, START + 365 days, 0), reason);
        assertUntil(guardian, Role.Guardian, START + 365 days);
    }

    function test_changeRole_RevertWhen_AddressInvalid() external {
        address[3] memory bad = [address(0), address(vault), address(usdt)];
        for (uint256 i = 0; i < bad.length; ++i) {
            proposalReverts(ROLE, roleChange(bad[i], Role.Keeper, 0, ENACTED + 99 days), addressInvalid(bad[i]));
        }
    }

    function test_changeRole_RevertWhen_FieldsOutOfType() external {
        bytes memory roleThree = abi.encode(stranger, uint256(3), 0, ENACTED + 1 days, nonce(), expiry());
        bytes memory wideAccount =
            abi.encode(uint256(uint160(stranger)) | 1 << 160, Role.Keeper, 0, ENACTED + 1 days, nonce(), expiry());
        bytes memory wideUntil = abi.encode(stranger, Role.Keeper, 0, uint256(1) << 40, nonce(), expiry());
        bytes memory roleSeven = abi.encode(stranger, uint256(7), 0, ENACTED + 1 days, nonce(), expiry());
        proposalReverts(ROLE, roleThree, "");
        proposalReverts(ROLE, roleSeven, "");
        proposalReverts(ROLE, wideAccount, "");
        proposalReverts(ROLE, wideUntil, "");
        assertUntil(stranger, Role.Keeper, 0);
    }

    // ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    function payAs(address caller, uint64 number) private returns (uint256) {
        bytes memory packed = payment(payee, USDT, number);
        Batch memory b = header(0, number, packed);
        vm.prank(caller);
        return vault.pay(orderOf(b), packed);
    }

    function assertUntil(address account, Role role, uint256 until) private view {
        assertEq(vault.member(account).until(role), until, "until");
    }

    function stale(address account, Role role, uint256 stated, uint256 actual) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IVault.VaultRoleStale.selector, account, role, stated, actual);
    }

    function grantUntil(uint256 until) private pure returns (bytes memory) {
        return outOfRange(Policy.Field.GrantUntil, 0, until, ENACTED + 1, ENACTED + 400 days);
    }
}
