// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, ChangeKind, State} from "../../src/types/VaultTypes.sol";
import {PolicyTest} from "../PolicyTest.sol";
import {FalseToken} from "../mocks/FalseToken.sol";

contract FreezeTest is PolicyTest {
    uint40 private constant LENGTH = 4 days; // the policy delay and two days

    function test_freeze_lastsPolicyDelayAndTwoDays() external {
        vm.expectEmit(address(vault));
        emit IVault.Frozen(guardian, 0, START + LENGTH, START + 2 * LENGTH);
        assertEq(freezeAs(guardian), START + LENGTH);
        assertEq(vault.hot().haltedUntil(), START + LENGTH);
        assertEq(vault.member(guardian).freezeAgainAt(), START + 2 * LENGTH);
    }

    function test_freeze_byEverySignerAndGuardian() external {
        address[5] memory parties = [alice, bob, carol, guardian, otherGuardian];
        uint256 old;
        for (uint256 i = 0; i < parties.length; ++i) {
            skip(1);
            uint256 until = START + i + 1 + LENGTH;
            vm.expectEmit(address(vault));
            emit IVault.Frozen(parties[i], old, until, until + LENGTH);
            assertEq(freezeAs(parties[i]), until);
            old = until;
        }
        assertEq(vault.hot().haltedUntil(), old);
    }

    function test_freeze_RevertWhen_CallerMayNot() external {
        address[3] memory others = [keeper, proposer, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotFreezer.selector, others[i]));
            freezeAs(others[i]);
        }
        assertEq(vault.hot().haltedUntil(), 0);
    }

    function test_freeze_guardiansTimeEnds() external {
        vm.warp(START + 365 days);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotFreezer.selector, guardian));
        freezeAs(guardian);
        vm.warp(START + 365 days - 1);
        assertEq(freezeAs(guardian), START + 365 days - 1 + LENGTH);
    }

    // ── What stops ───────────────────────────────────────────────────────────────────────────────────────────────

    function test_freeze_stopsPay() external {
        freezeAs(alice);
        bytes memory packed = payment(payee, USDT, 1);
        vm.warp(START + LENGTH - 1);
        vm.expectRevert(frozen(START + LENGTH));
        pay(1, packed);
        vm.warp(START + LENGTH);
        assertEq(pay(1, packed), 1);
    }

    function test_freeze_stopsExecute() external {
        bytes memory packed = payment(payee, USDT, 1);
        Batch memory b = header(1, 1, packed);
        bytes32 id = proposeAndApprove(b, packed, 2);
        freezeAs(alice);
        vm.warp(START + LENGTH - 1);
        assertState(id, State.Ready);
        vm.expectRevert(frozen(START + LENGTH));
        execute(b, packed);
        vm.warp(START + LENGTH);
        assertEq(execute(b, packed), 1);
    }

    function test_freeze_stopsSweep() external {
        FalseToken other = new FalseToken();
        other.mint(address(vault), 1);
        enact(ChangeKind.Successor, successorChange(stranger));
        bytes memory change = sweepChange(address(other));
        readyChange(ChangeKind.Sweep, change);
        uint256 until = freezeAs(alice);
        vm.warp(until - 1);
        refuseChange(ChangeKind.Sweep, change, frozen(until));
        vm.warp(until);
        executeChange(ChangeKind.Sweep, change);
        assertEq(other.balanceOf(stranger), 1);
    }

    // ── What goes on ─────────────────────────────────────────────────────────────────────────────────────────────

    function test_freeze_votesAndVetoesGoOn() external {
        freezeAs(alice);
        bytes memory packed = payment(payee, USDT, 1);
        Batch memory b = header(1, 1, packed);
        bytes32 id = proposeAndApprove(b, packed, 2);
        assertState(id, State.Queued);
        vm.prank(bob);
        vault.revoke(id);
        assertState(id, State.Proposed);
        vm.prank(guardian);
        vault.cancel(id);
        assertState(id, State.Cancelled);
    }

    function test_freeze_changesTakeEffect() external {
        freezeAs(alice);
        ChangeKind[6] memory kinds = [
            ChangeKind.Tiers,
            ChangeKind.Recipients,
            ChangeKind.Role,
            ChangeKind.Guardians,
            ChangeKind.Successor,
            ChangeKind.Signers
        ];
        bytes[6] memory changes;
        for (uint256 i = 0; i < kinds.length; ++i) {
            changes[i] = sampleChange(kinds[i]);
            approvedChange(kinds[i], changes[i]);
        }
        skip(3 days); // the sample of tiers asks for that delay
        for (uint256 i = 0; i < kinds.length; ++i) {
            vm.prank(alice);
            vault.executeChange(kinds[i], changes[i]);
            assertState(vault.hashChange(kinds[i], changes[i]), State.Executed);
        }
        assertEq(vault.hot().haltedUntil(), START + LENGTH);
    }

    // ── Cool-down ────────────────────────────────────────────────────────────────────────────────────────────────

    function test_freeze_RevertWhen_CoolingDown() external {
        freezeAs(guardian);
        uint40[3] memory times = [START, START + LENGTH, START + 2 * LENGTH - 1];
        for (uint256 i = 0; i < times.length; ++i) {
            vm.warp(times[i]);
            vm.expectRevert(
                abi.encodeWithSelector(IVault.VaultFreezeCoolingDown.selector, guardian, START + 2 * LENGTH)
            );
            freezeAs(guardian);
        }
        vm.warp(START + 2 * LENGTH);
        assertEq(freezeAs(guardian), START + 3 * LENGTH);
    }

    function test_freeze_coolDownIsEachPartysOwn() external {
        freezeAs(guardian);
        skip(1 days);
        assertEq(freezeAs(otherGuardian), START + 1 days + LENGTH);
        assertEq(vault.member(guardian).freezeAgainAt(), START + 2 * LENGTH);
        assertEq(vault.member(otherGuardian).freezeAgainAt(), START + 1 days + 2 * LENGTH);
    }

    function test_freeze_twoPartsOfOneAreOneParty() external {
        enact(ChangeKind.Guardians, guardiansChange(addresses(alice), START + 300 days));
        uint256 until = freezeAs(alice);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultFreezeCoolingDown.selector, alice, until + LENGTH));
        freezeAs(alice);
    }

    function test_freeze_coolDownOutlivesAnUnfreeze() external {
        freezeAs(guardian);
        enact(ChangeKind.Unfreeze, unfreezeChange(START + LENGTH));
        assertEq(vault.hot().haltedUntil(), 0);
        vm.warp(START + 2 * LENGTH - 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultFreezeCoolingDown.selector, guardian, START + 2 * LENGTH));
        freezeAs(guardian);
    }

    /// @dev The bound on what one rogue can stop: half of the time, however it chooses its moments.
    function testFuzz_attack35_freeze_onePartyStopsAtMostHalf(uint256[8] memory waits) external {
        uint256 time = START;
        uint256 frozenTime;
        for (uint256 i = 0; i < waits.length; ++i) {
            time += bound(waits[i], 0, 9 days);
            vm.warp(time);
            if (time < vault.member(guardian).freezeAgainAt()) continue;
            frozenTime += freezeAs(guardian) - time;
        }
        uint256 end = vault.member(guardian).freezeAgainAt();
        assertEq(vault.hot().haltedUntil() + LENGTH, end);
        assertLe(2 * frozenTime, end - START);
    }

    // ── Longest wins ─────────────────────────────────────────────────────────────────────────────────────────────

    function test_freeze_shorterNeverEndsLonger() external {
        bytes memory shorter = tiersChange(standardTiers(), 1 days);
        readyChange(ChangeKind.Tiers, shorter);
        uint256 start = START + 2 days;
        uint256 until = freezeAs(guardian);
        assertEq(until, start + 4 days);
        executeChange(ChangeKind.Tiers, shorter);

        vm.warp(start + 1 days - 1);
        vm.expectEmit(address(vault));
        emit IVault.Frozen(alice, until, until, start + 7 days - 1);
        assertEq(freezeAs(alice), until);
        assertEq(vault.hot().haltedUntil(), until);
        assertEq(vault.member(alice).freezeAgainAt(), start + 7 days - 1);

        vm.warp(start + 1 days + 1);
        vm.expectEmit(address(vault));
        emit IVault.Frozen(bob, until, until + 1, start + 7 days + 1);
        assertEq(freezeAs(bob), until + 1);
        assertEq(vault.hot().haltedUntil(), until + 1);
    }

    function test_freeze_lengthFollowsPolicyDelay() external {
        enact(ChangeKind.Tiers, tiersChange(standardTiers(), 10 days));
        assertEq(freezeAs(guardian), START + 2 days + 12 days);
        assertEq(vault.member(guardian).freezeAgainAt(), START + 2 days + 24 days);
    }

    function freezeAs(address caller) private returns (uint256) {
        vm.prank(caller);
        return vault.freeze();
    }
}
