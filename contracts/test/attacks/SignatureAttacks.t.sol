// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Proposal} from "../../src/types/Proposal.sol";
import {Batch, ChangeKind, Configuration, SignersChange, State, Vote} from "../../src/types/VaultTypes.sol";
import {Deploy} from "../Deploy.sol";
import {SECP256K1_ORDER} from "../Secp256k1.sol";
import {Tokens} from "../mocks/Tokens.sol";
import {ContractSigner} from "../mocks/signers/ContractSigner.sol";
import {Eip712} from "../unit/Eip712.sol";
import {AttackTest} from "./AttackTest.sol";

/// @notice Votes that others relay: forged, bent, repeated, carried elsewhere, or brought after they were taken back.
contract SignatureAttacks is AttackTest {
    address private relayer = makeAddr("relayer"); // nobody to the vault
    ContractSigner private contractSigner;
    bytes private packed = payment(makeAddr("thief"), 20_000 * USDT, 0); // takes two votes and an hour
    Batch private b;
    bytes32 private id;

    /// @dev The third signer is a contract.
    function configuration() internal override returns (Configuration memory c) {
        c = super.configuration();
        if (address(contractSigner) == address(0)) contractSigner = new ContractSigner();
        c.signers[2] = address(contractSigner);
    }

    function setUp() public override {
        super.setUp();
        b = header(1, UPPER, packed);
        vm.prank(proposer);
        id = vault.propose(orderOf(b), packed);
    }

    // ── Forged and bent ──────────────────────────────────────────────────────────────────────────────────────────

    /// @notice Malleable: the twin of a signature with high `s` recovers to the same key, and is none.
    function test_attack10_malleable() external {
        Vote memory v = _signed("alice");
        (bytes32 r, bytes32 s, uint8 parity) = _split(v.signature);
        bytes32 highS = bytes32(SECP256K1_ORDER - uint256(s));
        uint8 twin = 55 - parity; // 27 and 28 change places
        assertEq(ecrecover(_digest(alice), twin, r, highS), alice, "the chain takes the twin for hers");
        _expectInvalid(Vote(alice, abi.encodePacked(r, highS, twin)));
        _expectInvalid(Vote(alice, abi.encodePacked(r, bytes32(uint256(s) | (uint256(twin - 27) << 255))))); // EIP-2098
        _relay(_list(v));
        assertEq(vault.proposal(id).voteCount(1), 1, "votes");
    }

    /// @notice Duplicate: one signer's vote counts once, in one list or in several calls, by signature or by call.
    function test_attack10_duplicate() external {
        Vote memory v = _signed("alice");
        _relay(_list(v, v));
        assertEq(vault.proposal(id).voteCount(1), 1, "votes");
        _expectRefused(_list(v, v), abi.encodeWithSelector(IVault.VaultAlreadyApproved.selector, id, alice));
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultAlreadyApproved.selector, id, alice));
        vault.approve(b);
        assertState(id, State.Proposed);
    }

    /// @notice Duplicates in the call that pays: they make no quorum.
    function test_attack10_duplicateWithoutProposal() external {
        Batch memory fresh = _payableAtOnce();
        Vote memory v = _signedFor("alice", fresh);
        bytes32 freshId = vault.hashBatch(fresh);
        vm.prank(keeper);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultVotesShort.selector, freshId, 1, 2));
        vault.payBySig(orderOf(fresh), packed, _list(v, v, v));
        Vote[] memory enough = _list(v, _signedFor("bob", fresh), v);
        vm.prank(keeper);
        assertEq(vault.payBySig(orderOf(fresh), packed, enough), 1, "paid mask");
    }

    /// @notice Unsorted: the order of votes says nothing, and a relayer who turns it gains nothing.
    function test_attack10_unsorted() external {
        uint256 start = vm.snapshotState();
        _relay(_list(_signed("alice"), _signed("bob")));
        bytes32 sorted = bytes32(Proposal.unwrap(vault.proposal(id)));
        assertTrue(vm.revertToState(start));
        _relay(_list(_signed("bob"), _signed("alice")));
        assertEq(bytes32(Proposal.unwrap(vault.proposal(id))), sorted, "one proposal, whatever the order");
        assertState(id, State.Queued);
    }

    /// @notice Zero address: what recovers to nobody is nobody's vote, whoever is named.
    function test_attack10_zeroAddress() external {
        bytes memory nobodys = abi.encodePacked(bytes32(uint256(1)), bytes32(uint256(1)), uint8(29));
        assertEq(ecrecover(_digest(address(0)), 29, bytes32(uint256(1)), bytes32(uint256(1))), address(0));
        _expectRefused(
            _list(Vote(address(0), nobodys)), abi.encodeWithSelector(IVault.VaultNotSigner.selector, address(0))
        );
        _expectInvalid(Vote(alice, nobodys));
        _expectInvalid(Vote(alice, ""));
        _expectInvalid(Vote(alice, new bytes(65)));
    }

    // ── Signers that are contracts ───────────────────────────────────────────────────────────────────────────────

    /// @notice A signer that reverts or burns its gas: its own vote fails, and the others' votes are relayed without it.
    function test_attack11_revertsOrBurns() external {
        ContractSigner.Answer[5] memory bad = [
            ContractSigner.Answer.Reverts,
            ContractSigner.Answer.RevertsWithYes,
            ContractSigner.Answer.Burns,
            ContractSigner.Answer.No,
            ContractSigner.Answer.Nothing
        ];
        for (uint256 i = 0; i < bad.length; ++i) {
            contractSigner.setAnswer(bad[i]);
            vm.prank(relayer);
            (bool done,) = address(vault).call{gas: 1_000_000}(
                abi.encodeCall(IVault.approveBySig, (b, _list(_signed("alice"), Vote(address(contractSigner), ""))))
            );
            assertFalse(done, "a vote that is none");
            assertEq(vault.proposal(id).voteCount(1), 0, "votes");
        }
        _relay(_list(_signed("alice"), _signed("bob")));
        skip(1 hours);
        assertEq(execute(b, packed), 1, "paid by the others' votes");
    }

    /// @notice A signer that answers with a megabyte costs its relayer what it burns, and no copy of it.
    function test_attack11_longAnswer() external {
        contractSigner.setAnswer(ContractSigner.Answer.Long);
        _relay(_list(_signed("alice"), Vote(address(contractSigner), "")));
        assertState(id, State.Queued);
    }

    /// @notice A signer that changes its answer: what it said when it was asked stands, until it revokes.
    function test_attack11_changesItsAnswer() external {
        contractSigner.setAnswer(ContractSigner.Answer.Yes);
        _relay(_list(Vote(address(contractSigner), "")));
        contractSigner.setAnswer(ContractSigner.Answer.No);
        assertEq(vault.proposal(id).voteCount(1), 1, "its vote stands");
        _relay(_list(Vote(address(contractSigner), ""), _signed("alice"))); // and is not asked for again
        assertState(id, State.Queued);
        vm.prank(address(contractSigner));
        vault.revoke(id);
        assertState(id, State.Proposed);
        contractSigner.setAnswer(ContractSigner.Answer.Yes);
        _expectRefused(
            _list(Vote(address(contractSigner), "")),
            abi.encodeWithSelector(IVault.VaultVoteRevoked.selector, id, address(contractSigner))
        );
    }

    /// @notice A signer that re-enters: it is asked by a static call, in which the vault can be read and not changed.
    function test_attack11_reEnters() external {
        contractSigner.setAnswer(ContractSigner.Answer.Enters);
        bytes[5] memory calls = [
            abi.encodeCall(IVault.approve, (b)),
            abi.encodeCall(IVault.approveBySig, (b, _list(_signed("bob")))),
            abi.encodeCall(IVault.revoke, (id)),
            abi.encodeCall(IVault.freeze, ()),
            abi.encodeCall(IVault.execute, (orderOf(b), packed, 0))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            contractSigner.setCall(address(vault), calls[i]);
            _expectInvalid(Vote(address(contractSigner), ""));
        }
        contractSigner.setCall(address(vault), abi.encodeCall(IVault.stateOf, (id)));
        _relay(_list(Vote(address(contractSigner), "")));
        assertEq(vault.proposal(id).voteCount(1), 1, "reading is no harm");
    }

    /// @notice The same from the call that pays: nothing that the signer calls can slip in before the money moves.
    function test_attack11_reEntersWhilePaying() external {
        Batch memory fresh = _payableAtOnce();
        contractSigner.setAnswer(ContractSigner.Answer.Enters);
        contractSigner.setCall(address(vault), abi.encodeCall(IVault.freeze, ()));
        Vote[] memory list = _list(_signedFor("alice", fresh), Vote(address(contractSigner), ""));
        vm.prank(keeper);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultSignatureInvalid.selector, address(contractSigner)));
        vault.payBySig{gas: 3_000_000}(orderOf(fresh), packed, list);
        assertEq(vault.paidMask(fresh.firstNumber, 1), 0, "nothing is paid");
    }

    /// @notice Replay across accounts: one key behind two contract signers signs for one of them at a time.
    function test_attack12_crossAccountReplay() external {
        ContractSigner twin = new ContractSigner();
        Configuration memory c = configuration();
        c.signers[1] = address(twin);
        vault = Deploy.twin(c);
        vm.prank(proposer);
        id = vault.propose(orderOf(b), packed);
        // Both have the same owner, whose signature each passes on for the digest that it is asked about.
        bytes32 digest = _digest(address(contractSigner));
        assertNotEq(digest, _digest(address(twin)), "each account has a digest of its own");
        bytes memory signature = "the owner's signature of the first one's digest";
        contractSigner.setExpected(digest, signature);
        twin.setExpected(digest, signature);
        _expectInvalid(Vote(address(twin), signature));
        _expectRefused(
            _list(Vote(address(contractSigner), signature), Vote(address(twin), signature)),
            abi.encodeWithSelector(IVault.VaultSignatureInvalid.selector, address(twin))
        );
        _relay(_list(Vote(address(contractSigner), signature)));
        assertEq(vault.proposal(id).voteCount(1), 1, "votes");
    }

    /// @notice A key's vote is not the vote of a contract or of another key, though the same bytes are brought.
    function test_attack12_anotherName() external {
        Vote memory v = _signed("alice");
        _expectInvalid(Vote(bob, v.signature));
        _expectInvalid(Vote(address(contractSigner), v.signature));
    }

    /// @notice Delegated code (EIP-7702) that says yes to everything adds nothing to its account's key.
    function test_attack12_delegatedCode() external {
        ContractSigner yes = new ContractSigner();
        yes.setAnswer(ContractSigner.Answer.Yes);
        vm.store(alice, bytes32(0), bytes32(uint256(uint8(ContractSigner.Answer.Yes))));
        vm.etch(alice, address(yes).code);
        assertEq(ContractSigner(alice).isValidSignature(0, ""), bytes4(0x1626ba7e), "such code would say yes");
        vm.etch(alice, bytes.concat(hex"ef0100", bytes20(address(yes))));
        _expectInvalid(Vote(alice, ""));
        _expectInvalid(Vote(alice, _signed("bob").signature));
        _relay(_list(_signed("alice")));
        assertEq(vault.proposal(id).voteCount(1), 1, "the key still votes");
    }

    // ── Carried elsewhere ────────────────────────────────────────────────────────────────────────────────────────

    /// @notice Replay on a fork of the chain: the domain holds the chain's id.
    function test_attack07_signaturesOnAnotherChain() external {
        Vote[] memory list = _list(_signed("alice"), _signed("bob"));
        vm.chainId(56);
        vm.prank(relayer);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultSignatureInvalid.selector, alice));
        vault.proposeBySig(orderOf(b), packed, list);
    }

    /// @notice Replay in another vault of the same signers: the domain holds the vault's address.
    function test_attack08_signaturesInAnotherVault() external {
        Vote[] memory list = _list(_signed("alice"), _signed("bob"));
        IVault other = Deploy.twin(configuration());
        Tokens.give(usdt, address(other), 1_000_000 * USDT);
        vm.prank(relayer);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultSignatureInvalid.selector, alice));
        other.proposeBySig(orderOf(b), packed, list);
    }

    /// @notice A new signer set: signatures for the old one are dead, also of those who stayed in their seats.
    function test_attack13_signaturesOfAnOlderSet() external {
        Vote[] memory list = _list(_signed("alice"), _signed("bob"));
        enact(ChangeKind.Signers, abi.encode(SignersChange(addresses(alice, bob, carol), 2, nonce(), expiry())));
        _expectRefused(list, abi.encodeWithSelector(IVault.VaultSignatureInvalid.selector, alice));
        enact(
            ChangeKind.Signers,
            abi.encode(SignersChange(addresses(alice, bob, address(contractSigner)), 2, nonce(), expiry()))
        );
        _expectRefused(list, abi.encodeWithSelector(IVault.VaultSignatureInvalid.selector, alice)); // nor revived
    }

    // ── After a revocation ───────────────────────────────────────────────────────────────────────────────────────

    /// @notice A relayed signature after revocation: it counted once and never counts again; a call does.
    function test_attack45_replayAfterRevocation() external {
        Vote memory v = _signed("alice");
        _relay(_list(v));
        vm.prank(alice);
        vault.revoke(id);
        bytes memory revoked = abi.encodeWithSelector(IVault.VaultVoteRevoked.selector, id, alice);
        _expectRefused(_list(v), revoked);
        _expectRefused(_list(_signed("bob"), v), revoked);
        vm.prank(alice);
        vault.approve(b);
        vm.prank(alice);
        vault.revoke(id);
        _expectRefused(_list(v), revoked);
        assertEq(vault.proposal(id).voteCount(1), 0, "votes");
    }

    /// @notice A signature that was never brought can be taken back too, before anything is proposed under its id.
    function test_attack45_revokedBeforeProposed() external {
        Batch memory fresh = header(1, UPPER + 1, packed);
        bytes32 freshId = vault.hashBatch(fresh);
        Vote memory v = _signedFor("alice", fresh);
        vm.prank(alice);
        vault.revoke(freshId);
        bytes memory revoked = abi.encodeWithSelector(IVault.VaultVoteRevoked.selector, freshId, alice);
        vm.prank(relayer);
        vm.expectRevert(revoked);
        vault.proposeBySig(orderOf(fresh), packed, _list(v));
        vm.prank(proposer);
        vault.propose(orderOf(fresh), packed); // does not forget it
        vm.prank(relayer);
        vm.expectRevert(revoked);
        vault.approveBySig(fresh, _list(v));
    }

    /// @notice The same of what would be paid at once: the keeper cannot pay with a vote that was taken back.
    function test_attack45_revokedBeforePaid() external {
        Batch memory fresh = _payableAtOnce();
        bytes32 freshId = vault.hashBatch(fresh);
        Vote[] memory list = _list(_signedFor("alice", fresh), _signedFor("bob", fresh));
        vm.prank(bob);
        vault.revoke(freshId);
        vm.prank(keeper);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultVoteRevoked.selector, freshId, bob));
        vault.payBySig(orderOf(fresh), packed, list);
    }

    /// @notice One vote of several brought first by somebody else: the rest of the list still counts.
    function test_attack45_oneVoteBroughtFirst() external {
        Vote[] memory list = _list(_signed("alice"), _signed("bob"));
        vm.prank(stranger);
        vault.approveBySig(b, _list(list[0]));
        _relay(list);
        assertState(id, State.Queued);
    }

    // ── Words ────────────────────────────────────────────────────────────────────────────────────────────────────

    function _digest(address signer) private view returns (bytes32) {
        return Eip712.vote(address(vault), signer, uint24(vault.hot().epoch()), b);
    }

    function _signed(string memory name) private returns (Vote memory) {
        return _signedFor(name, b);
    }

    function _signedFor(string memory name, Batch memory batch) private returns (Vote memory) {
        (address signer, uint256 key) = makeAddrAndKey(name);
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(key, Eip712.vote(address(vault), signer, uint24(vault.hot().epoch()), batch));
        return Vote(signer, abi.encodePacked(r, s, v));
    }

    function _split(bytes memory signature) private pure returns (bytes32 r, bytes32 s, uint8 v) {
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
    }

    /// @dev A batch of a vault whose tier 1 has no delay.
    function _payableAtOnce() private returns (Batch memory) {
        Configuration memory c = configuration();
        c.tiers[1].delay = 0;
        vault = Deploy.twin(c);
        Tokens.give(usdt, address(vault), 1_000_000 * USDT);
        return header(1, UPPER + 2, packed);
    }

    function _relay(Vote[] memory list) private {
        vm.prank(relayer);
        vault.approveBySig(b, list);
    }

    function _expectRefused(Vote[] memory list, bytes memory reason) private {
        uint256 before = Proposal.unwrap(vault.proposal(id));
        vm.prank(relayer);
        vm.expectRevert(reason);
        vault.approveBySig{gas: 3_000_000}(b, list); // a signer may burn what it is given
        assertEq(Proposal.unwrap(vault.proposal(id)), before, "the proposal");
    }

    function _expectInvalid(Vote memory v) private {
        _expectRefused(_list(v), abi.encodeWithSelector(IVault.VaultSignatureInvalid.selector, v.signer));
    }

    function _list(Vote memory one) private pure returns (Vote[] memory l) {
        l = new Vote[](1);
        l[0] = one;
    }

    function _list(Vote memory one, Vote memory two) private pure returns (Vote[] memory l) {
        l = new Vote[](2);
        (l[0], l[1]) = (one, two);
    }

    function _list(Vote memory one, Vote memory two, Vote memory three) private pure returns (Vote[] memory l) {
        l = new Vote[](3);
        (l[0], l[1], l[2]) = (one, two, three);
    }
}
