// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, ChangeKind, Vote} from "../../src/types/VaultTypes.sol";
import {PolicyTest} from "../PolicyTest.sol";
import {Eip712} from "./Eip712.sol";
import {PaymentTest} from "./PaymentTest.sol";

/// @notice Words of tests in which signers sign instead of calling.
abstract contract SignedTest is PaymentTest, PolicyTest {
    /// @notice The key that `makeAddr` made of the name.
    function keyOf(address account) internal view returns (uint256) {
        string[5] memory names = ["alice", "bob", "carol", "stranger", "keeper"];
        address[5] memory accounts = [alice, bob, carol, stranger, keeper];
        for (uint256 i = 0; i < 5; ++i) {
            if (accounts[i] == account) return uint256(keccak256(bytes(names[i])));
        }
        revert("no key of that name");
    }

    function epoch() internal view returns (uint24) {
        return uint24(vault.hot().epoch());
    }

    function signatureOf(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    // ── Votes ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice The signer's vote for a batch in the epoch of now.
    function signed(address signer, Batch memory b) internal view returns (Vote memory) {
        return Vote(signer, signatureOf(keyOf(signer), Eip712.vote(address(vault), signer, epoch(), b)));
    }

    /// @notice The signer's vote for a change in the epoch of now.
    function signed(address signer, ChangeKind kind, bytes memory change) internal view returns (Vote memory) {
        return Vote(signer, signatureOf(keyOf(signer), Eip712.vote(address(vault), signer, epoch(), kind, change)));
    }

    /// @notice Votes of each of `voters` for a batch.
    function signedBy(address[] memory voters, Batch memory b) internal view returns (Vote[] memory list) {
        list = new Vote[](voters.length);
        for (uint256 i = 0; i < voters.length; ++i) {
            list[i] = signed(voters[i], b);
        }
    }

    /// @notice Votes of each of `voters` for a change.
    function signedBy(address[] memory voters, ChangeKind kind, bytes memory change)
        internal
        view
        returns (Vote[] memory list)
    {
        list = new Vote[](voters.length);
        for (uint256 i = 0; i < voters.length; ++i) {
            list[i] = signed(voters[i], kind, change);
        }
    }

    function votes(Vote memory a) internal pure returns (Vote[] memory l) {
        l = new Vote[](1);
        l[0] = a;
    }

    function votes(Vote memory a, Vote memory b) internal pure returns (Vote[] memory l) {
        l = new Vote[](2);
        (l[0], l[1]) = (a, b);
    }

    function votes(Vote memory a, Vote memory b, Vote memory c) internal pure returns (Vote[] memory l) {
        l = new Vote[](3);
        (l[0], l[1], l[2]) = (a, b, c);
    }

    // ── Steps, by somebody who is nobody to the vault ────────────────────────────────────────────────────────────

    function approveBySig(Batch memory b, Vote[] memory list) internal {
        vm.prank(stranger);
        vault.approveBySig(b, list);
    }

    function proposeBySig(Batch memory b, bytes memory packed, Vote[] memory list) internal returns (bytes32 id) {
        vm.prank(stranger);
        return vault.proposeBySig(orderOf(b), packed, list);
    }

    function payBySig(Batch memory b, bytes memory packed, Vote[] memory list) internal returns (uint256 paidMask) {
        vm.prank(keeper);
        return vault.payBySig(orderOf(b), packed, list);
    }

    // ── Reasons ──────────────────────────────────────────────────────────────────────────────────────────────────

    function signatureInvalid(address signer) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IVault.VaultSignatureInvalid.selector, signer);
    }

    function voteRevoked(bytes32 id, address signer) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IVault.VaultVoteRevoked.selector, id, signer);
    }

    function alreadyApproved(bytes32 id, address signer) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IVault.VaultAlreadyApproved.selector, id, signer);
    }

    function votesShort(bytes32 id, uint256 count, uint256 required) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IVault.VaultVotesShort.selector, id, count, required);
    }

    function votesMissing() internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IVault.VaultVotesMissing.selector);
    }

    function notSigner(address account) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IVault.VaultNotSigner.selector, account);
    }
}
