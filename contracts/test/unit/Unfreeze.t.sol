// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {ChangeKind, State} from "../../src/types/VaultTypes.sol";
import {PolicyTest} from "../PolicyTest.sol";

contract UnfreezeTest is PolicyTest {
    ChangeKind private constant UNFREEZE = ChangeKind.Unfreeze;
    uint40 private constant HALTED_UNTIL = START + 4 days;

    function test_unfreeze_endsTheFreeze() external {
        freezeAs(guardian);
        bytes memory change = unfreezeChange(HALTED_UNTIL);
        bytes32 id = readyChange(UNFREEZE, change);
        bytes memory packed = payment(payee, USDT, 1);
        vm.expectRevert(frozen(HALTED_UNTIL));
        pay(1, packed);
        vm.expectEmit(address(vault));
        emit IVault.ChangeExecuted(id, UNFREEZE);
        vm.expectEmit(address(vault));
        emit IVault.Unfrozen(HALTED_UNTIL);
        executeChange(UNFREEZE, change);
        assertEq(vault.hot().haltedUntil(), 0);
        assertEq(pay(1, packed), 1);
    }

    function test_unfreeze_waitsPolicyDelay() external {
        freezeAs(guardian);
        bytes memory change = unfreezeChange(HALTED_UNTIL);
        bytes32 id = approvedChange(UNFREEZE, change);
        vm.warp(START + 2 days - 1);
        vm.expectRevert(stateInvalid(id, State.Queued));
        executeChange(UNFREEZE, change);
        vm.warp(START + 2 days);
        executeChange(UNFREEZE, change);
        assertEq(vault.hot().haltedUntil(), 0);
    }

    function test_unfreeze_leavesTheRestOfHot() external {
        enact(ChangeKind.Tiers, tiersChange(standardTiers(), 2 days));
        uint256 settledAt = vault.hot().settledAt();
        uint40 until = uint40(freezeAs(guardian));
        enact(UNFREEZE, unfreezeChange(until));
        assertEq(vault.hot().settledAt(), settledAt);
        assertEq(vault.hot().epoch(), 1);
        assertEq(abi.encode(vault.tier(0)), abi.encode(standardTiers()[0]));
    }

    function test_attack35_unfreeze_cannotBeVetoed() external {
        freezeAs(guardian);
        bytes memory change = unfreezeChange(HALTED_UNTIL);
        bytes32 id = readyChange(UNFREEZE, change);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotVetoable.selector, id));
        vm.prank(guardian);
        vault.cancel(id);
        executeChange(UNFREEZE, change);
        assertState(id, State.Executed);
    }

    // ── Only the freeze that was approved ────────────────────────────────────────────────────────────────────────

    function test_attack35_unfreeze_neverEndsALaterFreeze() external {
        freezeAs(guardian);
        bytes memory change = unfreezeChange(HALTED_UNTIL);
        readyChange(UNFREEZE, change);
        uint256 longer = freezeAs(alice);
        refuseChange(UNFREEZE, change, stale(HALTED_UNTIL, longer));
        assertEq(vault.hot().haltedUntil(), longer);
    }

    function test_unfreeze_RevertWhen_EndIsAnother() external {
        freezeAs(guardian);
        proposalReverts(UNFREEZE, unfreezeChange(HALTED_UNTIL - 1), stale(HALTED_UNTIL - 1, HALTED_UNTIL));
        proposalReverts(UNFREEZE, unfreezeChange(HALTED_UNTIL + 1), stale(HALTED_UNTIL + 1, HALTED_UNTIL));
        assertEq(vault.hot().haltedUntil(), HALTED_UNTIL);
    }

    function test_unfreeze_RevertWhen_FreezeIsOver() external {
        freezeAs(guardian);
        bytes memory change = unfreezeChange(HALTED_UNTIL);
        readyChange(UNFREEZE, change);
        vm.warp(HALTED_UNTIL);
        refuseChange(UNFREEZE, change, stale(HALTED_UNTIL, HALTED_UNTIL));
        vm.warp(HALTED_UNTIL - 1);
        executeChange(UNFREEZE, change);
        assertEq(vault.hot().haltedUntil(), 0);
    }

    /// @dev What would come when the freeze is over is refused when proposed.
    function test_unfreeze_RevertWhen_FreezeEndsBeforeTheDelay() external {
        freezeAs(guardian);
        vm.warp(HALTED_UNTIL - 2 days);
        proposalReverts(UNFREEZE, unfreezeChange(HALTED_UNTIL), stale(HALTED_UNTIL, HALTED_UNTIL));
        rewind(1);
        enact(UNFREEZE, unfreezeChange(HALTED_UNTIL));
        assertEq(clock(), HALTED_UNTIL - 1);
        assertEq(vault.hot().haltedUntil(), 0);
    }

    function test_unfreeze_RevertWhen_NeverFrozen() external {
        proposalReverts(UNFREEZE, unfreezeChange(0), stale(0, 0));
    }

    function test_unfreeze_RevertWhen_DoneAlready() external {
        freezeAs(guardian);
        bytes memory second = unfreezeChange(HALTED_UNTIL);
        approvedChange(UNFREEZE, second);
        enact(UNFREEZE, unfreezeChange(HALTED_UNTIL));
        refuseChange(UNFREEZE, second, stale(HALTED_UNTIL, 0));
    }

    function freezeAs(address caller) private returns (uint256) {
        vm.prank(caller);
        return vault.freeze();
    }

    function stale(uint256 stated, uint256 actual) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IVault.VaultUnfreezeStale.selector, stated, actual);
    }
}
