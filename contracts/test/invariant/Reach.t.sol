// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Policy} from "../../src/libraries/Policy.sol";
import {ChangeKind, State} from "../../src/types/VaultTypes.sol";
import {IModeTokenHook} from "../mocks/ModeToken.sol";
import {GhostLog} from "./GhostLog.sol";
import {GhostVotes} from "./GhostVotes.sol";
import {IntrudingSigner} from "./IntrudingSigner.sol";
import {InvariantTest} from "./InvariantTest.sol";
import {SignatureHandler} from "./SignatureHandler.sol";

/// @notice Scripted runs of the handler, always the same: the states that the invariants speak of are really reached.
contract ReachTest is InvariantTest {
    uint256 private constant RUNS = 200;
    uint256 private constant DEPTH = 64;

    mapping(bytes4 selector => uint256) private _hits;
    mapping(ChangeKind => uint256) private _enacted;
    mapping(ChangeKind => uint256) private _instant; // of these, with the vote that brought the quorum
    mapping(uint256 tier => uint256) private _executedInTier;
    mapping(State => uint256) private _ended;
    mapping(bytes4 selector => uint256) private _refused;
    mapping(SignatureHandler.Sign => uint256) private _judged;
    mapping(IntrudingSigner.Mood => uint256) private _asked;
    uint256 private _automatic;
    uint256 private _bySig;
    uint256 private _inParts; // batches that more than one call paid
    uint256 private _outvoted; // proposals whose votes a new signer set dropped
    uint256 private _settling; // releases while the caps of two policies were in force

    function test_reach_everyOutcome() external {
        vm.pauseGasMetering(); // thousands of calls are more than one transaction may use
        for (uint256 run = 0; run < RUNS; ++run) {
            setUp();
            _play(run);
            _collect();
        }
        _assertCalls();
        _assertSignatures();
        _assertRefusals();
        _assertStates();
    }

    function _play(uint256 run) private {
        bytes4[] memory list = actions();
        for (uint256 i = 0; i < DEPTH; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(run, i)));
            (bool success, bytes memory returned) =
                address(handler).call(abi.encodeWithSelector(list[seed % list.length], seed));
            assertTrue(success, vm.toString(returned));
        }
    }

    function _collect() private {
        bytes4[] memory list = _allSelectors();
        for (uint256 i = 0; i < list.length; ++i) {
            _hits[list[i]] += handler.hits(list[i]);
        }
        _collectSignatures();
        GhostVotes.Enacted[] memory changes = ghost.enacted();
        for (uint256 i = 0; i < changes.length; ++i) {
            ++_enacted[changes[i].kind];
            if (changes[i].instant) ++_instant[changes[i].kind];
        }
        GhostLog.Release[] memory all = ghost.releases();
        for (uint256 i = 0; i < all.length; ++i) {
            if (all[i].automatic) ++_automatic;
            else if (all[i].bySig) ++_bySig;
            else ++_executedInTier[all[i].tier];
            for (uint256 j = 0; j < i; ++j) {
                if (all[j].id == all[i].id) ++_inParts;
            }
            if (all[i].time < ghost.rules()[all[i].rules].settledAt) ++_settling;
        }
        bytes32[] memory ids = ghost.ids();
        for (uint256 i = 0; i < ids.length; ++i) {
            ++_ended[ghost.stateOf(ids[i], handler.time())];
            GhostVotes.Item memory item = ghost.itemOf(ids[i]);
            if (item.voters.length != 0 && item.era != ghost.era()) ++_outvoted;
        }
    }

    function _collectSignatures() private {
        bytes4[] memory list = _signed();
        for (uint256 i = 0; i < list.length; ++i) {
            _refused[list[i]] += handler.refused(list[i]);
        }
        for (uint256 sign = 0; sign <= uint256(type(SignatureHandler.Sign).max); ++sign) {
            _judged[SignatureHandler.Sign(sign)] += handler.judged(SignatureHandler.Sign(sign));
        }
        for (uint256 mood = 0; mood <= uint256(type(IntrudingSigner.Mood).max); ++mood) {
            _asked[IntrudingSigner.Mood(mood)] += handler.asked(IntrudingSigner.Mood(mood));
        }
    }

    /// @dev Each call with votes is taken and refused, for signatures of each kind; and the contract is asked in each mood.
    function _assertSignatures() private view {
        bytes4[] memory list = _signed();
        for (uint256 i = 0; i < list.length; ++i) {
            assertGt(_hits[list[i]], 20, "taken");
            assertGt(_refused[list[i]], 20, "refused");
        }
        for (uint256 sign = 0; sign <= uint256(type(SignatureHandler.Sign).max); ++sign) {
            assertGt(_judged[SignatureHandler.Sign(sign)], 5, "signature");
        }
        for (uint256 mood = 0; mood <= uint256(type(IntrudingSigner.Mood).max); ++mood) {
            assertGt(_asked[IntrudingSigner.Mood(mood)], 5, "mood");
        }
        assertGt(_bySig, 20, "paid by signature");
    }

    function _assertCalls() private view {
        bytes4[] memory list = _calls();
        for (uint256 i = 0; i < list.length; ++i) {
            assertGt(_hits[list[i]], 20, vm.toString(list[i]));
        }
    }

    function _assertRefusals() private view {
        bytes4[] memory list = _refusals();
        for (uint256 i = 0; i < list.length; ++i) {
            assertGt(_hits[list[i]], 0, vm.toString(list[i]));
        }
    }

    function _assertStates() private view {
        for (uint256 kind = 0; kind <= uint256(type(ChangeKind).max); ++kind) {
            assertGt(_enacted[ChangeKind(kind)], 0, "change");
        }
        assertGt(_instant[ChangeKind.Tighten], 0, "tiers tightened at once");
        assertGt(_instant[ChangeKind.Recipients], 0, "recipients tightened at once");
        assertGt(_instant[ChangeKind.Role], 0, "roles tightened at once");
        for (uint256 k = 1; k < 4; ++k) {
            assertGt(_executedInTier[k], 0, "tier");
        }
        for (uint256 state = uint256(State.Proposed); state <= uint256(type(State).max); ++state) {
            assertGt(_ended[State(state)], 0, "state");
        }
        assertGt(_automatic, 100, "paid automatically");
        assertGt(_inParts, 0, "paid in parts");
        assertGt(_outvoted, 0, "votes dropped");
        assertGt(_settling, 0, "paid while tiers settle");
    }

    function _allSelectors() private pure returns (bytes4[] memory all) {
        (bytes4[] memory calls, bytes4[] memory refusals) = (_calls(), _refusals());
        all = new bytes4[](calls.length + refusals.length);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = i < calls.length ? calls[i] : refusals[i - calls.length];
        }
    }

    function _calls() private pure returns (bytes4[] memory l) {
        l = new bytes4[](18);
        (l[0], l[1], l[2]) = (IVault.pay.selector, IVault.propose.selector, IVault.approve.selector);
        (l[3], l[4]) = (IVault.execute.selector, IVault.proposeChange.selector);
        (l[5], l[6]) = (IVault.approveChange.selector, IVault.executeChange.selector);
        (l[7], l[8], l[9]) = (IVault.revoke.selector, IVault.cancel.selector, IVault.freeze.selector);
        (l[10], l[11]) = (IVault.blockRecipient.selector, IVault.revokeRole.selector);
        l[12] = IModeTokenHook.onTransfer.selector;
        bytes4[] memory signed = _signed();
        for (uint256 i = 0; i < signed.length; ++i) {
            l[13 + i] = signed[i];
        }
    }

    function _signed() private pure returns (bytes4[] memory l) {
        l = new bytes4[](5);
        (l[0], l[1], l[2]) = (IVault.payBySig.selector, IVault.proposeBySig.selector, IVault.approveBySig.selector);
        (l[3], l[4]) = (IVault.proposeChangeBySig.selector, IVault.approveChangeBySig.selector);
    }

    /// @dev All errors of the vault but those of its creation, of the lock and of gas.
    function _refusals() private pure returns (bytes4[] memory l) {
        l = new bytes4[](43);
        (l[0], l[1]) = (IVault.VaultAddressInvalid.selector, IVault.VaultNotKeeper.selector);
        (l[2], l[3]) = (IVault.VaultNotGuardian.selector, IVault.VaultNotSigner.selector);
        (l[4], l[5]) = (IVault.VaultNotProposer.selector, IVault.VaultNotExecutor.selector);
        (l[6], l[7]) = (IVault.VaultNotFreezer.selector, IVault.VaultRoleNotRevocable.selector);
        (l[8], l[9]) = (IVault.VaultRoleNotHeld.selector, IVault.VaultRoleNotGrantable.selector);
        (l[10], l[11]) = (IVault.VaultFrozen.selector, IVault.VaultFreezeCoolingDown.selector);
        (l[12], l[13]) = (IVault.VaultUnfreezeStale.selector, IVault.VaultExpired.selector);
        (l[14], l[15]) = (IVault.VaultExpiryOutOfRange.selector, IVault.VaultCountInvalid.selector);
        (l[16], l[17]) = (IVault.VaultNumberOutOfRange.selector, IVault.VaultTierUnknown.selector);
        (l[18], l[19]) = (IVault.VaultTierNotAutomatic.selector, IVault.VaultTierAutomatic.selector);
        (l[20], l[21]) = (IVault.VaultPaymentRefused.selector, IVault.VaultNothingToPay.selector);
        (l[22], l[23]) = (IVault.VaultNothingPaid.selector, IVault.VaultCapExceeded.selector);
        (l[24], l[25]) = (IVault.VaultBalanceTooLow.selector, IVault.VaultBalanceMismatch.selector);
        (l[26], l[27]) = (IVault.VaultAlreadyProposed.selector, IVault.VaultStateInvalid.selector);
        (l[28], l[29]) = (IVault.VaultAlreadyApproved.selector, IVault.VaultNotApproved.selector);
        (l[30], l[31]) = (IVault.VaultNotVetoable.selector, IVault.VaultTiersCoolingDown.selector);
        (l[32], l[33]) = (IVault.VaultSweepOfToken.selector, IVault.VaultSweepFailed.selector);
        (l[34], l[35]) = (IVault.VaultStandingStale.selector, IVault.VaultRoleStale.selector);
        (l[36], l[37]) = (Policy.PolicyOutOfRange.selector, IVault.VaultTierDelayed.selector);
        (l[38], l[39]) = (IVault.VaultVotesMissing.selector, IVault.VaultVotesShort.selector);
        (l[40], l[41]) = (IVault.VaultVoteRevoked.selector, IVault.VaultSignatureInvalid.selector);
        l[42] = IVault.VaultTiersStale.selector;
    }
}
