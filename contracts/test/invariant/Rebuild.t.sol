// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Hot} from "../../src/types/Hot.sol";
import {Member} from "../../src/types/Member.sol";
import {PackedTier} from "../../src/types/PackedTier.sol";
import {Proposal} from "../../src/types/Proposal.sol";
import {Role, Tier} from "../../src/types/VaultTypes.sol";
import {InvariantTest} from "./InvariantTest.sol";
import {Rebuilt} from "./Rebuilt.sol";

/// @notice Scripted runs of the handler, always the same: logs alone, from the first on, tell all that the vault stores.
contract RebuildTest is InvariantTest {
    uint256 private constant RUNS = 24;
    uint256 private constant DEPTH = 64;

    Rebuilt private rebuilt;

    function test_rebuild_stateFromLogs() external {
        vm.pauseGasMetering(); // thousands of calls are more than one transaction may use
        for (uint256 run = 0; run < RUNS; ++run) {
            vm.recordLogs();
            setUp();
            rebuilt = new Rebuilt();
            handler.setReader(rebuilt);
            _play(run);
            _assertPolicy();
            _assertPeople();
            _assertMoney();
            _assertProposals();
        }
    }

    function _play(uint256 run) private {
        bytes4[] memory list = actions();
        for (uint256 i = 0; i < DEPTH; ++i) {
            uint256 seed = uint256(keccak256(abi.encode("rebuild", run, i)));
            (bool success, bytes memory returned) =
                address(handler).call(abi.encodeWithSelector(list[seed % list.length], seed));
            assertTrue(success, vm.toString(returned));
        }
    }

    function _assertPolicy() private view {
        Hot hot = vault.hot();
        assertEq(hot.haltedUntil(), rebuilt.haltedUntil(), "halted until");
        assertEq(hot.epoch(), rebuilt.epoch(), "epoch");
        uint256 changedAt = rebuilt.tiersChangedAt();
        assertEq(hot.settledAt(), changedAt == 0 ? 0 : changedAt + 28 hours, "settled");
        assertEq(vault.threshold(), rebuilt.threshold(), "threshold");
        assertEq(vault.policyDelay(), rebuilt.policyDelay(), "policy delay");
        assertEq(vault.termsChangedAt(), rebuilt.termsChangedAt(), "terms changed at");
        assertEq(vault.successor(), rebuilt.successor(), "successor");
        assertEq(vault.signers(), rebuilt.signers(), "signers");
        for (uint256 k = 0; k < 4; ++k) {
            Tier memory row = rebuilt.tier(k);
            PackedTier t = vault.packedTier(k);
            assertEq(t.cap() * UNIT, row.cap, "cap");
            assertEq(t.maxKnown() * UNIT, row.maxKnown, "limit to the known");
            assertEq(t.maxUnknown() * UNIT, row.maxUnknown, "limit to the unknown");
            (uint256 approvals, uint256 delay) = t.terms();
            assertEq(approvals, row.approvals, "approvals");
            assertEq(delay, row.delay, "delay");
        }
    }

    function _assertPeople() private view {
        address[] memory people = handler.people();
        address[] memory signers = rebuilt.signers();
        for (uint256 i = 0; i < people.length; ++i) {
            Member m = vault.member(people[i]);
            for (uint256 role = 0; role < 3; ++role) {
                assertEq(m.until(Role(role)), rebuilt.until(people[i], Role(role)), "role");
            }
            assertEq(m.freezeAgainAt(), rebuilt.freezeAgainAt(people[i]), "freeze again");
            assertEq(m.isSigner(), _contains(signers, people[i]), "signer");
        }
        address[] memory payees = handler.payees();
        for (uint256 i = 0; i < payees.length; ++i) {
            assertEq(uint8(vault.standingOf(payees[i])), uint8(rebuilt.standingOf(payees[i])), "standing");
        }
    }

    function _assertMoney() private view {
        for (uint256 k = 0; k < 4; ++k) {
            assertEq(vault.window(k), rebuilt.window(k), "window");
        }
        uint256[] memory numbers = ghost.numbers();
        for (uint256 i = 0; i < numbers.length; ++i) {
            assertEq(vault.isPaid(uint64(numbers[i])), rebuilt.isPaid(numbers[i]), "paid");
        }
    }

    function _assertProposals() private view {
        bytes32[] memory ids = rebuilt.ids();
        assertEq(ids, ghost.ids(), "ids");
        for (uint256 i = 0; i < ids.length; ++i) {
            _assertProposal(vault.proposal(ids[i]), rebuilt.record(ids[i]));
        }
    }

    function _assertProposal(Proposal p, Rebuilt.Record memory r) private pure {
        assertEq(uint32(Proposal.unwrap(p)), r.votes, "votes");
        assertEq(uint32(Proposal.unwrap(p) >> 32), r.revoked, "revoked");
        assertEq(p.epoch(), r.epoch, "epoch of the votes");
        assertEq(p.quorumAt(), r.quorumAt, "clock");
        assertEq(p.votedAt(), r.votedAt, "last vote");
        assertEq(p.expiresAt(), r.expiresAt, "expiry");
        assertEq(p.required(), r.required, "required");
        assertEq(p.delay(), r.delay, "delay of the proposal");
        assertEq(p.tier(), r.tier, "tier");
        assertEq(p.vetoable(), r.vetoable, "vetoable");
        assertEq(p.instant(), r.instant, "instant");
        assertEq((Proposal.unwrap(p) >> 250) & 1 == 1, r.executed, "executed");
        assertEq((Proposal.unwrap(p) >> 251) & 1 == 1, r.cancelled, "cancelled");
    }
}
