// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, ChangeKind, Configuration, SignersChange, State} from "../../src/types/VaultTypes.sol";
import {VaultTest} from "../VaultTest.sol";

/// @notice Random walks of a proposal on the real vault, against the table that the documents draw: what happens is
/// listed, what is listed happens, and a call is refused only where the table has no row for it.
contract ProposalLifecycleTest is VaultTest {
    /// @dev Fields in the order of the table's keys.
    struct Row {
        string by;
        string from;
        string to;
        string when;
    }

    uint256 private constant WALKS = 600;
    uint256 private constant STEPS = 8;

    string[8] private _verbs = ["propose", "approve", "revoke", "execute", "cancel", "delay", "expiry", "signers"];
    string[7] private _names = ["None", "Proposed", "Queued", "Ready", "Executed", "Cancelled", "Expired"];

    Row[] private _rows;
    mapping(bytes32 edge => bool) private _seen;

    // One walk.
    Batch private _batch;
    bytes private _packed;
    bytes32 private _id;
    bytes private _change; // of signers, ready to be executed
    bool private _changed;
    address[] private _voters;

    function configuration() internal override returns (Configuration memory c) {
        c = super.configuration();
        (c.tiers[1].approvals, c.tiers[2].approvals) = (1, 2);
    }

    function setUp() public override {
        super.setUp();
        Row[] memory rows = abi.decode(vm.parseJson(vm.readFile("test-fixtures/proposal-lifecycle.json")), (Row[]));
        for (uint256 i = 0; i < rows.length; ++i) {
            _rows.push(rows[i]);
        }
        _packed = payments(2, 1500 * USDT, 1);
        _voters = addresses(alice, bob, carol);
        _change = abi.encode(SignersChange(addresses(alice, bob, stranger), 2, nonce(), expiry()));
        approvedChange(ChangeKind.Signers, _change);
        skip(vault.policyDelay());
    }

    function test_WalksTakeExactlyTheListedSteps() public {
        uint256 start = vm.snapshotState();
        string[] memory edges = new string[](WALKS * STEPS);
        uint256 count;
        for (uint256 walk = 0; walk < WALKS; ++walk) {
            vm.revertToState(start);
            _batch = header(uint8(1 + walk % 2), 1 << 63, _packed);
            _id = vault.hashBatch(_batch);
            for (uint256 i = 0; i < STEPS; ++i) {
                edges[count++] = _step(uint256(keccak256(abi.encode(walk, i))));
            }
        }
        // After the walks, since a snapshot takes marks back too.
        for (uint256 i = 0; i < count; ++i) {
            _seen[keccak256(bytes(edges[i]))] = true;
        }
        for (uint256 i = 0; i < _rows.length; ++i) {
            string memory edge = _edge(_rows[i].from, _rows[i].by, _rows[i].to);
            assertTrue(_seen[keccak256(bytes(edge))], string.concat("never seen: ", edge));
        }
    }

    /// @return edge What happened: from, verb, to; empty if the vault refused.
    function _step(uint256 random) private returns (string memory edge) {
        string memory verb = _verbs[random % _verbs.length];
        string memory from = _names[uint256(vault.stateOf(_id))];
        (bool applies, bool accepted, bytes memory answer) = _do(verb, random >> 8);
        string memory to = _names[uint256(vault.stateOf(_id))];
        edge = _edge(from, verb, to);
        if (!applies) {
            assertEq(from, to, string.concat("nothing was done, yet it moved: ", edge));
            return "";
        }
        if (accepted) {
            assertTrue(_isListed(from, verb, to), string.concat("not listed: ", edge));
            return edge;
        }
        assertEq(from, to, string.concat("refused, yet it moved: ", edge));
        assertFalse(_isListed(from, verb, ""), string.concat("listed, yet refused: ", edge));
        bytes4 expected =
            _is(verb, "propose") ? IVault.VaultAlreadyProposed.selector : IVault.VaultStateInvalid.selector;
        assertEq(answer, abi.encodeWithSelector(expected, _id, vault.stateOf(_id)), edge);
        return "";
    }

    /// @return applies Whether somebody is entitled to the call at all, or time has something to do.
    function _do(string memory verb, uint256 random)
        private
        returns (bool applies, bool accepted, bytes memory answer)
    {
        if (_is(verb, "delay") || _is(verb, "expiry") || _is(verb, "signers")) return (_pass(verb), true, "");
        address caller = _is(verb, "cancel") ? guardian : keeper;
        bytes memory call;
        if (_is(verb, "propose")) {
            caller = random % 2 == 0 ? proposer : alice;
            call = abi.encodeCall(IVault.propose, (orderOf(_batch), _packed));
        } else if (_is(verb, "approve") || _is(verb, "revoke")) {
            bool approving = _is(verb, "approve");
            caller = _voter(random, !approving);
            if (caller == address(0)) return (false, false, "");
            call = approving ? abi.encodeCall(IVault.approve, (_batch)) : abi.encodeCall(IVault.revoke, (_id));
        } else if (_is(verb, "execute")) {
            uint256 skipMask = vault.isPaid(_batch.firstNumber + 1) ? 0 : random % 2;
            call = abi.encodeCall(IVault.execute, (orderOf(_batch), _packed, skipMask));
        } else {
            call = abi.encodeCall(IVault.cancel, (_id));
        }
        vm.prank(caller);
        (accepted, answer) = address(vault).call(call);
        applies = true;
    }

    /// @return Whether time, or the new signer set, had something to do.
    function _pass(string memory verb) private returns (bool) {
        State from = vault.stateOf(_id);
        bool open = from == State.Proposed || from == State.Queued || from == State.Ready;
        if (_is(verb, "signers")) {
            if (_changed) return false;
            _changed = true;
            vm.prank(alice);
            vault.executeChange(ChangeKind.Signers, _change);
            return open;
        }
        if (!open || (_is(verb, "delay") && from != State.Queued)) return false;
        if (_is(verb, "expiry")) vm.warp(_batch.expiresAt);
        else skip(vault.tier(_batch.tier).delay);
        return true;
    }

    /// @return A signer whose vote counts, or one whose vote does not; zero if there is none.
    function _voter(uint256 random, bool voted) private view returns (address) {
        for (uint256 i = 0; i < 3; ++i) {
            address signer = vault.signers()[(random + i) % 3];
            (uint256 epoch, uint256 index) = (vault.member(signer).signerEpoch(), vault.member(signer).signerIndex());
            if (vault.proposal(_id).hasVote(epoch, index) == voted) return signer;
        }
        return address(0);
    }

    /// @param to Empty for any.
    function _isListed(string memory from, string memory verb, string memory to) private view returns (bool) {
        for (uint256 i = 0; i < _rows.length; ++i) {
            Row storage row = _rows[i];
            bool ends = bytes(to).length == 0 || _is(row.to, to);
            if (_is(row.from, from) && _is(row.by, verb) && ends) return true;
        }
        return false;
    }

    function _edge(string memory from, string memory verb, string memory to) private pure returns (string memory) {
        return string.concat(from, " ", verb, " ", to);
    }

    function _is(string memory a, string memory b) private pure returns (bool) {
        return keccak256(bytes(a)) == keccak256(bytes(b));
    }
}
