// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, ChangeKind, Party, Role, Standing, State, SuccessorChange, Tier} from "../../src/types/VaultTypes.sol";
import {GhostLog} from "./GhostLog.sol";
import {GhostPolicy} from "./GhostPolicy.sol";
import {GhostVotes} from "./GhostVotes.sol";
import {InvariantTest} from "./InvariantTest.sol";

/// @notice Who decides, when, and what stays decided.
/// @dev Checked after every fourth call: most look at the whole log, which forgets nothing, and a check costs more than
/// the call.
/// forge-config: default.invariant.check_interval = 4
contract PolicyInvariants is InvariantTest {
    function invariant_I06_onlyTodaysSignersCountAndOnce() external view {
        bytes32[] memory ids = ghost.ids();
        address[] memory people = handler.people();
        for (uint256 i = 0; i < ids.length; ++i) {
            uint256 count;
            for (uint256 j = 0; j < people.length; ++j) {
                bool counts = ghost.isSigner(people[j]) && ghost.hasVote(ids[i], people[j]);
                assertEq(lens.hasApproved(vault, ids[i], people[j]), counts, "vote");
                if (counts) ++count;
            }
            assertEq(lens.explain(vault, ids[i]).votes, count, "votes");
        }
    }

    function invariant_I07_thresholdCanBeMet() external view {
        address[] memory signers = vault.signers();
        assertGe(vault.threshold(), 1, "threshold");
        assertLe(vault.threshold(), signers.length, "threshold above signers");
        address[] memory people = handler.people();
        uint256 count;
        for (uint256 i = 0; i < people.length; ++i) {
            bool isSigner = lens.party(vault, people[i]).isSigner;
            assertEq(isSigner, _contains(signers, people[i]), "listed");
            if (isSigner) ++count;
        }
        assertEq(count, signers.length, "listed twice, or a stranger");
    }

    function invariant_I08_nothingBeforeItsDelay() external view {
        GhostLog.Release[] memory all = ghost.releases();
        for (uint256 i = 0; i < all.length; ++i) {
            if (all[i].automatic || all[i].bySig) continue;
            assertGt(all[i].readyAt, 0, "paid without quorum");
            assertGe(all[i].time, all[i].readyAt, "paid before its delay");
        }
        GhostVotes.Enacted[] memory changes = ghost.enacted();
        for (uint256 i = 0; i < changes.length; ++i) {
            assertGe(changes[i].time, changes[i].readyAt, "changed before its delay");
            assertGe(changes[i].votes, changes[i].required, "changed without its votes");
        }
    }

    function invariant_I09_nothingAfterItsExpiry() external view {
        GhostLog.Release[] memory all = ghost.releases();
        for (uint256 i = 0; i < all.length; ++i) {
            assertLt(all[i].time, all[i].expiresAt, "paid after expiry");
        }
        GhostVotes.Enacted[] memory changes = ghost.enacted();
        for (uint256 i = 0; i < changes.length; ++i) {
            assertLt(changes[i].time, changes[i].expiresAt, "changed after expiry");
        }
    }

    function invariant_I10_finalStatesAreFinal() external atNow {
        bytes32[] memory ids = ghost.ids();
        for (uint256 i = 0; i < ids.length; ++i) {
            assertEq(uint8(vault.stateOf(ids[i])), uint8(ghost.stateOf(ids[i], handler.time())), "state");
        }
        assertEq(ghost.badTransitions(), 0, "a transition that must not happen");
    }

    function invariant_I11_frozenMeansNoOutflow() external atNow {
        GhostLog.Release[] memory all = ghost.releases();
        for (uint256 i = 0; i < all.length; ++i) {
            assertGe(all[i].time, all[i].haltedUntil, "paid while frozen");
        }
        uint256 halted = ghost.haltedUntil();
        assertEq(lens.haltedUntil(vault), halted, "halted until");
        address keeper = _keeper();
        if (handler.time() >= halted || keeper == address(0) || !ghost.isAutomatic(0)) return;
        bytes memory packed = _smallPayment();
        (bool paid, bytes memory returned) =
            _try(keeper, abi.encodeCall(IVault.pay, (orderOf(_header(0, 1 << 62, packed)), packed)));
        assertFalse(paid, "paid while frozen");
        assertEq(returned, abi.encodeWithSelector(IVault.VaultFrozen.selector, halted), "reason");
    }

    /// @notice A guardian can freeze unless it did so lately, and one who is nothing else can do nothing that gives.
    function invariant_I12_guardiansOnlyStop() external atNow {
        address[] memory people = handler.people();
        for (uint256 i = 0; i < people.length; ++i) {
            Party memory p = lens.party(vault, people[i]);
            if (handler.time() >= p.guardianUntil) continue;
            uint256 state = vm.snapshotState();
            (bool frozen,) = _try(people[i], abi.encodeCall(IVault.freeze, ()));
            assertEq(frozen, handler.time() >= p.freezeAgainAt, "freeze");
            if (frozen) assertGt(lens.haltedUntil(vault), handler.time(), "frozen");
            vm.revertToState(state);
            if (!p.isSigner && handler.time() >= p.keeperUntil && handler.time() >= p.proposerUntil) {
                _assertPowerless(people[i]);
            }
        }
    }

    /// @dev Neither on its own account nor with what others have made ready.
    function _assertPowerless(address guardian) private {
        bytes memory packed = _smallPayment();
        Batch memory b = _header(0, 1 << 62, packed);
        _assertRefused(guardian, abi.encodeCall(IVault.pay, (orderOf(b), packed)));
        b.tier = uint8(vault.tierCount() - 1);
        _assertRefused(guardian, abi.encodeCall(IVault.propose, (orderOf(b), packed)));
        bytes memory change = abi.encode(SuccessorChange(guardian, type(uint64).max, b.expiresAt));
        _assertRefused(guardian, abi.encodeCall(IVault.proposeChange, (ChangeKind.Successor, change)));
        bytes32[] memory ids = ghost.ids();
        for (uint256 i = 0; i < ids.length; ++i) {
            if (!ghost.isOpen(ids[i], handler.time())) continue;
            GhostVotes.Item memory item = ghost.itemOf(ids[i]);
            _assertRefused(guardian, abi.encodeCall(IVault.revoke, (ids[i])));
            if (item.isChange) {
                _assertRefused(guardian, abi.encodeCall(IVault.approveChange, (item.kind, item.content)));
                _assertRefused(guardian, abi.encodeCall(IVault.executeChange, (item.kind, item.content)));
            } else {
                _assertRefused(guardian, abi.encodeCall(IVault.approve, (item.batch)));
                _assertRefused(guardian, abi.encodeCall(IVault.execute, (orderOf(item.batch), item.content, 0)));
            }
        }
    }

    function _assertRefused(address guardian, bytes memory data) private {
        (bool done,) = _try(guardian, data);
        assertFalse(done, "a guardian did more than stop");
    }

    /// @notice The lowest fitting tier never falls as the amount grows, and is never lower for the unknown.
    function invariant_I14_tiersRiseWithAmountAndRisk() external view {
        uint256 count = vault.tierCount();
        Tier memory below;
        for (uint256 k = 0; k < count; ++k) {
            Tier memory row = vault.tier(k);
            assertGe(row.maxKnown, below.maxKnown, "known");
            assertGe(row.maxUnknown, below.maxUnknown, "unknown");
            assertLe(row.maxUnknown, row.maxKnown, "unknown above known");
            assertGe(row.approvals, below.approvals, "approvals");
            assertGe(row.delay, below.delay, "delay");
            below = row;
        }
    }

    /// @notice The policy is what executed changes and instant tightening made it, and tightening works at once.
    function invariant_I16_onlyTighteningIsInstant() external atNow {
        _assertPolicy();
        _assertMembers();
        _assertLooseningWaited();
        address[] memory guardians = vault.guardians();
        if (handler.time() >= lens.party(vault, guardians[0]).guardianUntil) return;
        vm.startPrank(guardians[0]);
        vault.blockRecipient(address(0xF0E5));
        assertEq(uint8(vault.standingOf(address(0xF0E5))), uint8(Standing.Blocked), "blocked");
        address keeper = _keeper();
        if (keeper != address(0)) vault.revokeRole(keeper, Role.Keeper);
        assertEq(lens.party(vault, keeper).keeperUntil, 0, "keeper");
        bytes32[] memory ids = ghost.ids();
        for (uint256 i = 0; i < ids.length; ++i) {
            if (!ghost.isOpen(ids[i], handler.time()) || !ghost.isVetoable(ids[i])) continue;
            vault.cancel(ids[i]);
            assertEq(uint8(vault.stateOf(ids[i])), uint8(State.Cancelled), "vetoed");
        }
        vm.stopPrank();
    }

    /// @dev Each policy that is looser than the one before in any field was approved, and waited.
    function _assertLooseningWaited() private view {
        GhostPolicy.Rules[] memory rules = ghost.rules();
        GhostVotes.Enacted[] memory changes = ghost.enacted();
        uint256 last; // of the changes of tiers; the first policy is the constructor's
        for (uint256 i = 0; i < changes.length; ++i) {
            bool tightens = changes[i].kind == ChangeKind.Tighten;
            if (changes[i].kind != ChangeKind.Tiers && !tightens) continue;
            (Tier[] memory was, Tier[] memory now_) = (rules[last].tiers, rules[last + 1].tiers);
            ++last;
            if (!tightens) assertGe(changes[i].waited, 1 days, "loosened without waiting");
            if (!tightens) continue;
            assertEq(was.length, now_.length, "as many tiers");
            for (uint256 k = 0; k < was.length; ++k) {
                assertLe(now_[k].maxKnown, was[k].maxKnown, "known loosened at once");
                assertLe(now_[k].maxUnknown, was[k].maxUnknown, "unknown loosened at once");
                assertLe(now_[k].cap, was[k].cap, "cap loosened at once");
                assertGe(now_[k].approvals, was[k].approvals, "approvals loosened at once");
                assertGe(now_[k].delay, was[k].delay, "delay loosened at once");
                if (was[k].approvals != 0 || was[k].delay != 0) continue;
                assertTrue(now_[k].approvals == 0 && now_[k].delay == 0, "opened to others than the keeper");
            }
        }
        assertEq(last + 1, rules.length, "a policy by nobody");
    }

    function _assertPolicy() private view {
        assertEq(vault.tierCount(), ghost.tierCount(), "tiers");
        for (uint256 k = 0; k < ghost.tierCount(); ++k) {
            assertEq(abi.encode(vault.tier(k)), abi.encode(ghost.tier(k)), "tier");
            assertEq(lens.capInForce(vault, k), ghost.capNow(k, handler.time()), "cap in force");
        }
        assertEq(vault.policyDelay(), ghost.policyDelay(), "delay");
        assertEq(vault.termsChangedAt(), ghost.termsChangedAt(), "terms changed at");
        assertEq(vault.threshold(), ghost.threshold(), "threshold");
        assertEq(lens.epoch(vault), ghost.era(), "epoch");
        assertEq(lens.tiersSettledAt(vault), ghost.settledAt(), "settled");
        assertEq(vault.signers(), ghost.signers(), "signers");
        assertEq(vault.guardians(), ghost.guardians(), "guardians");
        assertEq(vault.successor(), ghost.successor(), "successor");
    }

    function _assertMembers() private view {
        address[] memory people = handler.people();
        for (uint256 i = 0; i < people.length; ++i) {
            Party memory p = lens.party(vault, people[i]);
            assertEq(p.keeperUntil, ghost.until(people[i], Role.Keeper), "keeper");
            assertEq(p.proposerUntil, ghost.until(people[i], Role.Proposer), "proposer");
            assertEq(p.guardianUntil, ghost.until(people[i], Role.Guardian), "guardian");
            assertEq(p.freezeAgainAt, ghost.freezeAgainAt(people[i]), "freeze again");
        }
        address[] memory payees = handler.payees();
        for (uint256 i = 0; i < payees.length; ++i) {
            assertEq(uint8(vault.standingOf(payees[i])), uint8(ghost.standing(payees[i])), "standing");
        }
    }

    /// @notice Between two freezes of one party lies at least as much time as the first lasted, and no freeze is
    /// longer than the longest policy delay and two days.
    function invariant_I23_onePartyCannotFreezeForGood() external view {
        GhostPolicy.Freeze[] memory all = ghost.freezes();
        uint256 furthest;
        for (uint256 i = 0; i < all.length; ++i) {
            if (all[i].until > furthest) furthest = all[i].until;
            assertLe(all[i].until - all[i].start, 30 days - 7 days - 29 hours + 2 days, "length");
            for (uint256 j = 0; j < i; ++j) {
                if (all[j].party != all[i].party) continue;
                assertGe(all[i].start, 2 * all[j].until - all[j].start, "froze again too soon");
            }
        }
        assertLe(lens.haltedUntil(vault), furthest, "frozen by nobody");
    }

    function invariant_transfersAreLocked() external view {
        assertEq(handler.reentered(), 0, "entered during a transfer");
    }

    function _smallPayment() private view returns (bytes memory) {
        address[] memory payees = handler.payees();
        return abi.encodePacked(payees[0], uint96(1), uint128(0));
    }
}
