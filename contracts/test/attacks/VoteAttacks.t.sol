// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Policy} from "../../src/libraries/Policy.sol";
import {
    Batch,
    ChangeKind,
    Configuration,
    SignersChange,
    State,
    SuccessorChange,
    Tier
} from "../../src/types/VaultTypes.sol";
import {Deploy} from "../Deploy.sol";
import {Tokens} from "../mocks/Tokens.sol";
import {AttackTest} from "./AttackTest.sol";

/// @notice Approvals used where, when, or for what they were not given.
contract VoteAttacks is AttackTest {
    address private dave = makeAddr("dave");
    bytes private packed = payment(makeAddr("thief"), 20_000 * USDT, 0); // takes two votes and an hour

    function _replaceSigners(address[] memory next, uint8 threshold) private {
        enact(ChangeKind.Signers, abi.encode(SignersChange(next, threshold, nonce(), expiry())));
    }

    /// @notice Cross-chain replay: ids commit to the chain, so votes on one count for nothing on its fork.
    function test_attack07_crossChainReplay() external {
        (Batch memory b, bytes32 id) = readyBatch(1, UPPER, packed);
        vm.chainId(56);
        bytes32 there = vault.hashBatch(b);
        assertNotEq(there, id, "id");
        expectExecuteRevert(b, packed, stateInvalid(there, State.None));
        vm.prank(carol);
        vm.expectRevert(stateInvalid(there, State.None));
        vault.approve(b);
        vm.chainId(31_337);
        assertState(id, State.Ready);
    }

    /// @notice Cross-vault replay: ids commit to the vault, though signers, token and policy are the same.
    function test_attack08_crossVaultReplay() external {
        (Batch memory b, bytes32 id) = readyBatch(1, UPPER, packed);
        IVault other = Deploy.twin(configuration());
        Tokens.give(usdt, address(other), 1_000_000 * USDT);
        bytes32 there = other.hashBatch(b);
        assertNotEq(there, id, "id");
        vm.startPrank(keeper);
        vm.expectRevert(stateInvalid(there, State.None));
        other.execute(orderOf(b), packed, 0);
        vm.stopPrank();
        assertEq(usdt.balanceOf(address(other)), 1_000_000 * USDT, "balance");
    }

    /// @notice Number wrap: a batch cannot run past the last number into the first.
    function test_attack09_numberWrap() external {
        bytes memory two = payments(2, 1000 * USDT, 1);
        Batch memory b = header(1, type(uint64).max, two);
        vm.prank(proposer);
        vm.expectRevert(
            abi.encodeWithSelector(IVault.VaultNumberOutOfRange.selector, type(uint64).max, 2, uint256(1) << 64)
        );
        vault.propose(orderOf(b), two);

        (b,) = readyBatch(1, type(uint64).max, packed);
        execute(b, packed);
        assertTrue(vault.isPaid(type(uint64).max), "last");
        assertFalse(vault.isPaid(0), "first");
        assertFalse(vault.isPaid(type(uint64).max - 1), "next to last");
    }

    /// @notice Signer-id wrap: 32 signers have 32 bits, and a 33rd is refused.
    function test_attack09_signerWrap() external {
        Configuration memory c = configuration();
        c.signers = _crowd(33);
        vm.expectRevert(
            abi.encodeWithSelector(Policy.PolicyOutOfRange.selector, Policy.Field.SignerCount, 0, 33, 1, 32)
        );
        Deploy.vault(c);

        c.signers = _crowd(32);
        vault = Deploy.twin(c);
        Batch memory b = header(1, UPPER, packed);
        bytes32 id = proposeAndApprove(b, packed, 0);
        vm.startPrank(c.signers[31]);
        vault.approve(b);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultAlreadyApproved.selector, id, c.signers[31]));
        vault.approve(b);
        vm.stopPrank();
        assertState(id, State.Proposed);
        vm.prank(c.signers[0]);
        vault.approve(b);
        assertState(id, State.Queued);
    }

    function _crowd(uint256 count) private pure returns (address[] memory list) {
        list = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = recipientAt(9, i);
        }
    }

    /// @notice A removed signer's approval: a new signer set drops every vote of the old one.
    function test_attack13_removedSignersApproval() external {
        (Batch memory b, bytes32 id) = readyBatch(1, UPPER, packed);
        _replaceSigners(addresses(alice, carol, dave), 2);
        assertState(id, State.Proposed);
        expectExecuteRevert(b, packed, stateInvalid(id, State.Proposed));
        vm.prank(bob);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotSigner.selector, bob));
        vault.approve(b);
        vm.prank(alice);
        vault.approve(b);
        skip(1 hours);
        expectExecuteRevert(b, packed, stateInvalid(id, State.Proposed));
    }

    /// @notice A re-added signer: coming back revives no vote, not even for the same seat.
    function test_attack14_reAddedSigner() external {
        (Batch memory b, bytes32 id) = readyBatch(1, UPPER, packed);
        _replaceSigners(addresses(alice, carol, dave), 2);
        bytes memory back = abi.encode(SignersChange(addresses(alice, bob, carol), 2, nonce(), expiry()));
        vm.prank(carol);
        vault.proposeChange(ChangeKind.Signers, back);
        vm.startPrank(alice);
        vault.approveChange(ChangeKind.Signers, back);
        skip(2 days);
        vault.executeChange(ChangeKind.Signers, back);
        vm.stopPrank();
        assertState(id, State.Proposed);
        vm.prank(bob);
        vault.approve(b);
        skip(1 hours);
        expectExecuteRevert(b, packed, stateInvalid(id, State.Proposed));
    }

    /// @notice Swapping one's key to vote twice: the second key's vote stands alone.
    function test_attack15_swapToVoteTwice() external {
        Batch memory b = header(1, UPPER, packed);
        vm.prank(alice);
        bytes32 id = vault.propose(orderOf(b), packed);
        _replaceSigners(addresses(bob, carol, dave), 2); // dave is alice's other key, in another seat
        vm.prank(dave);
        vault.approve(b);
        skip(1 hours);
        assertState(id, State.Proposed);
        expectExecuteRevert(b, packed, stateInvalid(id, State.Proposed));
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNotSigner.selector, alice));
        vault.approve(b);
    }

    /// @notice Threshold lowered while pending: what was asked for when proposed is asked for ever after.
    function test_attack16_thresholdLowered() external {
        bytes memory change = abi.encode(SuccessorChange(dave, nonce(), expiry()));
        vm.prank(alice);
        bytes32 id = vault.proposeChange(ChangeKind.Successor, change);
        _replaceSigners(addresses(alice, bob, carol), 1);
        vm.startPrank(alice);
        vault.approveChange(ChangeKind.Successor, change);
        skip(2 days);
        vm.expectRevert(stateInvalid(id, State.Proposed));
        vault.executeChange(ChangeKind.Successor, change);
        vm.stopPrank();
    }

    /// @notice A tier's approvals lowered while a batch is pending: the batch still needs the old number.
    function test_attack16_tierApprovalsLowered() external {
        Batch memory b = header(1, UPPER, packed);
        vm.prank(alice);
        bytes32 id = vault.propose(orderOf(b), packed);
        Tier[] memory rows = standardTiers();
        rows[1].approvals = 1;
        enact(ChangeKind.Tiers, tiersChange(rows, 2 days));
        skip(1 hours);
        assertState(id, State.Proposed);
        expectExecuteRevert(b, packed, stateInvalid(id, State.Proposed));
    }

    /// @notice Ageing a proposal, then late quorum: the clock starts with the vote that brings quorum.
    function test_attack17_lateQuorum() external {
        Batch memory b = header(1, UPPER, packed);
        bytes32 id = proposeAndApprove(b, packed, 1);
        skip(8 days);
        vm.prank(bob);
        vault.approve(b);
        skip(1 hours - 1);
        expectExecuteRevert(b, packed, stateInvalid(id, State.Queued));
        skip(1);
        assertEq(execute(b, packed), 1, "paid mask");
    }

    /// @notice Quorum at the very end of a life: refused, unless delay and settling still fit.
    function test_attack17_quorumTooLate() external {
        Batch memory b = header(1, UPPER, packed);
        proposeAndApprove(b, packed, 1);
        uint256 last = b.expiresAt - 1 hours - 29 hours;
        vm.warp(last + 1);
        vm.prank(bob);
        vm.expectRevert(
            abi.encodeWithSelector(
                IVault.VaultExpiryOutOfRange.selector, b.expiresAt, b.expiresAt + 1, last + 1 + 30 days
            )
        );
        vault.approve(b);
        vm.warp(last);
        vm.prank(bob);
        vault.approve(b);
    }

    /// @notice Retroactive cut of the policy delay: a pending change keeps the delay it was proposed under.
    function test_attack18_policyDelayCut() external {
        bytes memory cut = tiersChange(standardTiers(), 1 days);
        approvedChange(ChangeKind.Tiers, cut);
        skip(2 days);
        bytes memory change = abi.encode(SuccessorChange(dave, nonce(), expiry()));
        bytes32 id = approvedChange(ChangeKind.Successor, change);
        vm.startPrank(alice);
        vault.executeChange(ChangeKind.Tiers, cut);
        assertEq(vault.policyDelay(), 1 days, "cut");
        skip(2 days - 1);
        vm.expectRevert(stateInvalid(id, State.Queued));
        vault.executeChange(ChangeKind.Successor, change);
        skip(1);
        vault.executeChange(ChangeKind.Successor, change);
        vm.stopPrank();
    }

    /// @notice Retroactive cut of a tier's delay: a pending batch keeps the old one.
    function test_attack18_tierDelayCut() external {
        Tier[] memory rows = standardTiers();
        rows[2].delay = 1 hours;
        bytes memory cut = tiersChange(rows, 2 days);
        approvedChange(ChangeKind.Tiers, cut);
        skip(2 days);
        Batch memory b = header(2, UPPER, packed);
        bytes32 id = proposeAndApprove(b, packed, 3);
        vm.prank(alice);
        vault.executeChange(ChangeKind.Tiers, cut);
        skip(1 days - 1);
        expectExecuteRevert(b, packed, stateInvalid(id, State.Queued));
        skip(1);
        assertEq(execute(b, packed), 1, "paid mask");
    }

    /// @notice A stale proposal run months later: approvals die with their header, and no header lives 30 days.
    function test_attack19_staleProposal() external {
        (Batch memory b, bytes32 id) = readyBatch(1, UPPER, packed);
        vm.warp(b.expiresAt - 1);
        assertState(id, State.Ready);
        vm.warp(b.expiresAt);
        expectExecuteRevert(b, packed, stateInvalid(id, State.Expired));
        skip(180 days);
        expectExecuteRevert(b, packed, stateInvalid(id, State.Expired));
        vm.prank(alice);
        vm.expectRevert(stateInvalid(id, State.Expired));
        vault.approve(b);

        uint256 time = vm.getBlockTimestamp();
        b.expiresAt = uint40(time + 30 days + 1);
        vm.prank(alice);
        vm.expectRevert(
            abi.encodeWithSelector(
                IVault.VaultExpiryOutOfRange.selector, b.expiresAt, time + 1 hours + 29 hours, time + 30 days
            )
        );
        vault.propose(orderOf(b), packed);
    }

    /// @notice Content swapped after approval: the id follows from the payments, and another id has no votes.
    function test_attack20_contentSwapped() external {
        (Batch memory b,) = readyBatch(1, UPPER, packed);
        bytes memory swapped = payment(stranger, 20_000 * USDT, 0);
        Batch memory other = header(1, UPPER, swapped);
        (other.expiresAt, other.context) = (b.expiresAt, b.context);
        bytes32 id = vault.hashBatch(other);
        expectExecuteRevert(b, swapped, stateInvalid(id, State.None)); // the order states no content: the payments do
        b.tier = 2; // the same payments, charged to the cap of another tier
        id = vault.hashBatch(b);
        expectExecuteRevert(b, packed, stateInvalid(id, State.None));
        assertEq(usdt.balanceOf(stranger), 0, "loot");
    }
}
