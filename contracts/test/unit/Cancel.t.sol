// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {
    Batch,
    ChangeKind,
    GuardiansChange,
    RecipientsChange,
    Role,
    RoleChange,
    SignersChange,
    Standing,
    State,
    SuccessorChange,
    SweepChange,
    TiersChange,
    UnfreezeChange
} from "../../src/types/VaultTypes.sol";
import {PaymentTest} from "./PaymentTest.sol";

/// @notice `cancel`: a guardian's veto of anything open, but for a change of guardians and an unfreeze.
contract CancelTest is PaymentTest {
    bytes private packed = payment(payee, UNIT, 1);
    Batch private b;
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        b = header(1, 100, packed);
        id = proposeAs(proposer, b, packed);
    }

    // ── Who ──────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_cancel_RevertWhen_CallerIsNotGuardian() external {
        assertOnly(addresses(guardian), abi.encodeCall(IVault.cancel, (id)), IVault.VaultNotGuardian.selector);
    }

    function test_cancel_RevertWhen_GuardiansTimeIsOver() external {
        vm.warp(START + 365 days - 1);
        b = header(1, 101, packed);
        id = proposeAs(alice, b, packed);
        bytes32 other = proposeAs(alice, header(1, 102, packed), packed);
        cancelAs(guardian, id);
        vm.warp(START + 365 days);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotGuardian.selector, guardian));
        cancelAs(guardian, other);
        assertState(other, State.Proposed);
    }

    function test_cancel_RevertWhen_GuardianReplaced() external {
        bytes memory change = abi.encode(GuardiansChange(addresses(otherGuardian), START + 300 days, nonce(), expiry()));
        enact(ChangeKind.Guardians, change);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotGuardian.selector, guardian));
        cancelAs(guardian, id);
        cancelAs(otherGuardian, id);
        assertState(id, State.Cancelled);
    }

    // ── What ─────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_cancel_endsProposed() external {
        _assertCancelled(State.Proposed);
    }

    function test_cancel_endsQueued() external {
        approveAs(alice, b);
        approveAs(bob, b);
        _assertCancelled(State.Queued);
    }

    function test_cancel_endsReady() external {
        approveAs(alice, b);
        approveAs(bob, b);
        skip(1 hours);
        _assertCancelled(State.Ready);
        expectStateInvalid(id, State.Cancelled);
        execute(b, packed);
    }

    function test_cancel_worksInTheLastSecondAndWhileFrozen() external {
        vm.warp(b.expiresAt - 1);
        freezeAs(guardian);
        _assertCancelled(State.Proposed);
        vm.warp(b.expiresAt);
        assertState(id, State.Cancelled);
    }

    /// @dev What is paid stays paid; what is open stays open, for another proposal.
    function test_cancel_stopsTheRestOfABatch() external {
        bytes memory two = payments(2, UNIT, 1);
        (Batch memory part, bytes32 partId) = readyBatch(1, 300, two);
        vm.prank(keeper);
        vault.execute(orderOf(part), two, 1);
        cancelAs(otherGuardian, partId);
        expectStateInvalid(partId, State.Cancelled);
        execute(part, two);
        assertEq(vault.paidMask(300, 2), 2);

        part.context = "again";
        proposeAndApprove(part, two, 2);
        skip(1 hours);
        assertEq(execute(part, two), 1);
    }

    function test_cancel_endsChanges() external {
        (ChangeKind[6] memory kinds, bytes[6] memory changes) = _vetoable();
        for (uint256 i = 0; i < 6; ++i) {
            bytes32 changeId = approvedChange(kinds[i], changes[i]);
            cancelAs(guardian, changeId);
            assertState(changeId, State.Cancelled);
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultStateInvalid.selector, changeId, State.Cancelled));
            vm.prank(alice);
            vault.executeChange(kinds[i], changes[i]);
        }
    }

    function test_cancel_RevertWhen_ChangeOfGuardiansOrUnfreeze() external {
        uint40 until = uint40(freezeAs(alice));
        bytes memory unfreeze = abi.encode(UnfreezeChange(until, nonce(), expiry()));
        bytes memory replace = abi.encode(GuardiansChange(addresses(stranger), START + 300 days, nonce(), expiry()));
        bytes32 unfreezeId = approvedChange(ChangeKind.Unfreeze, unfreeze);
        bytes32 replaceId = approvedChange(ChangeKind.Guardians, replace);
        _assertNotVetoable(unfreezeId);
        _assertNotVetoable(replaceId);
        skip(2 days);
        _assertNotVetoable(replaceId);
        vm.startPrank(alice);
        vault.executeChange(ChangeKind.Unfreeze, unfreeze);
        vault.executeChange(ChangeKind.Guardians, replace);
        assertState(unfreezeId, State.Executed);
        assertState(replaceId, State.Executed);
    }

    // ── State ────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_cancel_RevertWhen_NeverProposed() external {
        _assertStateInvalid(keccak256("unknown"), State.None);
    }

    function test_cancel_RevertWhen_Cancelled() external {
        cancelAs(guardian, id);
        _assertStateInvalid(id, State.Cancelled);
    }

    function test_cancel_RevertWhen_Expired() external {
        vm.warp(b.expiresAt);
        _assertStateInvalid(id, State.Expired);
    }

    function test_cancel_RevertWhen_Executed() external {
        approveAs(alice, b);
        approveAs(bob, b);
        skip(1 hours);
        execute(b, packed);
        _assertStateInvalid(id, State.Executed);
    }

    function _assertCancelled(State before) private {
        assertState(id, before);
        vm.expectEmit(address(vault));
        emit IVault.Cancelled(id, otherGuardian);
        cancelAs(otherGuardian, id);
        assertState(id, State.Cancelled);
    }

    function _assertStateInvalid(bytes32 wrong, State state) private {
        expectStateInvalid(wrong, state);
        cancelAs(guardian, wrong);
    }

    function _assertNotVetoable(bytes32 changeId) private {
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotVetoable.selector, changeId));
        cancelAs(guardian, changeId);
    }

    function _vetoable() private returns (ChangeKind[6] memory kinds, bytes[6] memory changes) {
        address[] memory trio = addresses(alice, bob, stranger);
        uint40 until = START + 300 days;
        kinds[0] = ChangeKind.Signers;
        changes[0] = abi.encode(SignersChange(trio, 2, nonce(), expiry()));
        kinds[1] = ChangeKind.Tiers;
        changes[1] = abi.encode(TiersChange(standardTiers(), 3 days, vault.termsChangedAt(), nonce(), expiry()));
        kinds[2] = ChangeKind.Recipients;
        changes[2] = abi.encode(RecipientsChange(trio, Standing.Unknown, Standing.Known, nonce(), expiry()));
        kinds[3] = ChangeKind.Role;
        changes[3] = abi.encode(RoleChange(stranger, Role.Keeper, 0, until, nonce(), expiry()));
        kinds[4] = ChangeKind.Successor;
        changes[4] = abi.encode(SuccessorChange(stranger, nonce(), expiry()));
        kinds[5] = ChangeKind.Sweep;
        changes[5] = abi.encode(SweepChange(stranger, nonce(), expiry()));
    }
}
