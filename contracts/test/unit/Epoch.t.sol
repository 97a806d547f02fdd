// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Policy} from "../../src/libraries/Policy.sol";
import {Hot} from "../../src/types/Hot.sol";
import {Member} from "../../src/types/Member.sol";
import {Batch, ChangeKind, State} from "../../src/types/VaultTypes.sol";
import {SignedTest} from "./SignedTest.sol";

/// @notice The last signer epochs there are: 24 bits.
contract EpochTest is SignedTest {
    uint24 private constant LAST = type(uint24).max;

    function test_epoch_lastOneWorks() external {
        _useEpoch(LAST - 1);
        changeSigners(addresses(alice, bob, stranger), 2);
        assertEq(vault.hot().epoch(), LAST);
        bytes memory packed = payment(payee, UNIT, 1);
        Batch memory b = header(1, 1, packed);
        bytes32 id = proposeBySig(b, packed, signedBy(addresses(stranger, alice), b));
        assertState(id, State.Queued);
        assertEq(vault.proposal(id).epoch(), LAST);
    }

    function test_epoch_RevertWhen_ThereIsNoNext() external {
        _useEpoch(LAST);
        bytes memory change = signersChange(addresses(alice, bob, stranger), 2);
        bytes memory reason = outOfRange(Policy.Field.Epoch, 0, uint256(LAST) + 1, 1, LAST);
        enactReverts(ChangeKind.Signers, change, reason);
        assertEq(vault.signers(), addresses(alice, bob, carol));
        assertEq(vault.member(alice).signerEpoch(), LAST);
    }

    /// @dev As if there had been that many signer sets: in the hot word and at each signer.
    function _useEpoch(uint24 next) private {
        vm.store(address(vault), bytes32(0), bytes32(Hot.unwrap(vault.hot().withEpoch(next))));
        assertEq(vault.hot().epoch(), next);
        address[3] memory all = [alice, bob, carol];
        for (uint256 i = 0; i < 3; ++i) {
            Member m = vault.member(all[i]).withSigner(next, i);
            bytes32 slot = keccak256(abi.encode(all[i], uint256(3)));
            vm.store(address(vault), slot, bytes32(Member.unwrap(m)));
            assertEq(Member.unwrap(vault.member(all[i])), Member.unwrap(m), "slot");
        }
    }
}
