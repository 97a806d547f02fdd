// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, Configuration, State, Vote} from "../../src/types/VaultTypes.sol";
import {Deploy} from "../Deploy.sol";
import {SECP256K1_ORDER} from "../Secp256k1.sol";
import {ContractSigner} from "../mocks/signers/ContractSigner.sol";
import {Eip712} from "./Eip712.sol";
import {SignedTest} from "./SignedTest.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @notice Which signatures are a signer's vote, and which are not.
contract SignaturesTest is SignedTest {
    bytes private packed = payment(payee, UNIT, 1);
    Batch private b;
    bytes32 private id;
    ContractSigner private contractSigner;

    /// @dev The third signer is a contract.
    function configuration() internal override returns (Configuration memory c) {
        c = super.configuration();
        if (address(contractSigner) == address(0)) contractSigner = new ContractSigner();
        c.signers[2] = address(contractSigner);
    }

    function setUp() public override {
        super.setUp();
        b = header(1, 100, packed);
        id = proposeAs(proposer, b, packed);
    }

    // ── A key ────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_signature_ofTheSignerCounts() external {
        vm.expectEmit(address(vault));
        emit IVault.Approved(id, alice);
        approveBySig(b, votes(signed(alice, b)));
        assertEq(vault.proposal(id).voteCount(1), 1);
        assertTrue(vault.proposal(id).hasVote(1, 0));
    }

    function test_signature_RevertWhen_AnotherSigned() external {
        Vote memory v = signed(bob, b);
        v.signer = alice;
        _assertInvalid(v); // bob's vote under alice's name
        v.signature = signatureOf(keyOf(bob), Eip712.vote(address(vault), alice, 1, b));
        _assertInvalid(v); // alice's vote signed by bob
        v = signed(alice, b);
        v.signer = bob;
        _assertInvalid(v); // alice's vote under bob's name
    }

    function test_signature_RevertWhen_SignerIsNone() external {
        address[3] memory nobodies = [stranger, address(0), address(vault)];
        for (uint256 i = 0; i < 3; ++i) {
            Vote memory v = Vote(nobodies[i], signed(stranger, b).signature);
            vm.expectRevert(notSigner(nobodies[i]));
            approveBySig(b, votes(v));
        }
    }

    /// @dev Not another epoch, vault, chain, batch, nor the id itself, which no signer tool shows as a vote.
    function test_signature_RevertWhen_DigestIsAnother() external {
        _assertDigestInvalid(Eip712.vote(address(vault), alice, 0, b));
        _assertDigestInvalid(Eip712.vote(address(vault), alice, 2, b));
        _assertDigestInvalid(Eip712.vote(address(usdt), alice, 1, b));
        _assertDigestInvalid(id);
        _assertDigestInvalid(Eip712.hash(b));
        uint256 chainId = block.chainid;
        vm.chainId(chainId + 1);
        bytes32 elsewhere = Eip712.vote(address(vault), alice, 1, b);
        vm.chainId(chainId);
        _assertDigestInvalid(elsewhere);
        Batch memory other = header(1, 101, packed);
        other.expiresAt = b.expiresAt;
        _assertDigestInvalid(Eip712.vote(address(vault), alice, 1, other));
        approveBySig(b, votes(signed(alice, b)));
    }

    /// @dev Each field of the batch is part of what is signed.
    function test_signature_RevertWhen_AnyFieldDiffers() external {
        for (uint256 field = 0; field < 8; ++field) {
            bytes memory words = abi.encode(b);
            words[32 * field + 31] ^= 0x01;
            _assertDigestInvalid(Eip712.vote(address(vault), alice, 1, abi.decode(words, (Batch))));
        }
    }

    function test_signature_RevertWhen_FormIsAnother() external {
        bytes32 digest = Eip712.vote(address(vault), alice, 1, b);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyOf(alice), digest);
        bytes32 highS = bytes32(SECP256K1_ORDER - uint256(s));
        uint8 otherV = v == 27 ? 28 : 27;
        _assertFormInvalid(abi.encodePacked(r, highS, otherV)); // the same signature, with high s
        _assertFormInvalid(abi.encodePacked(r, highS, v));
        _assertFormInvalid(abi.encodePacked(r, s, otherV));
        uint8[5] memory wrong = [0, 1, 26, 29, v + 4];
        for (uint256 i = 0; i < 5; ++i) {
            _assertFormInvalid(abi.encodePacked(r, s, wrong[i]));
        }
        _assertFormInvalid(abi.encodePacked(r, bytes32(uint256(s) | (uint256(otherV - 27) << 255)))); // EIP-2098
        _assertFormInvalid(abi.encodePacked(r, s));
        _assertFormInvalid(abi.encodePacked(r, s, v, uint8(0)));
        _assertFormInvalid("");
        _assertFormInvalid(new bytes(65));
        _assertFormInvalid(abi.encodePacked(r, bytes32(0), v));
        _assertFormInvalid(abi.encodePacked(bytes32(0), s, v));
        approveBySig(b, votes(Vote(alice, abi.encodePacked(r, s, v))));
    }

    /// @dev Whatever bit is turned, it is no signature of this signer for this batch.
    function testFuzz_signature_RevertWhen_OneBitDiffers(uint256 bit) external {
        Vote memory v = signed(alice, b);
        bit = bound(bit, 0, 65 * 8 - 1);
        v.signature[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        _assertInvalid(v);
    }

    // ── Where and when ───────────────────────────────────────────────────────────────────────────────────────────

    function test_signature_RevertWhen_OfAnOlderSet() external {
        Vote memory old = signed(alice, b);
        changeSigners(addresses(alice, bob, stranger), 2);
        _assertInvalid(old);
        approveBySig(b, votes(signed(alice, b)));
        assertEq(vault.proposal(id).voteCount(2), 1);
    }

    /// @dev Neither on the other chain of a fork, where the batch has another id, nor for a vault with the same signers.
    function test_signature_RevertWhen_ReplayedElsewhere() external {
        Batch memory fresh = header(1, 200, packed);
        Vote[] memory list = signedBy(addresses(alice, bob), fresh);
        IVault other = Deploy.twin(configuration());
        vm.expectRevert(signatureInvalid(alice));
        other.proposeBySig(orderOf(fresh), packed, list);
        vm.chainId(block.chainid + 1);
        vm.expectRevert(signatureInvalid(alice));
        vault.proposeBySig(orderOf(fresh), packed, list);
        list = signedBy(addresses(alice, bob), fresh);
        assertState(vault.proposeBySig(orderOf(fresh), packed, list), State.Queued);
    }

    // ── A contract ───────────────────────────────────────────────────────────────────────────────────────────────

    function test_signature_ofAContractCountsIfItSaysSo() external {
        address signer = address(contractSigner);
        bytes memory signature = "whatever it takes for a signature";
        contractSigner.setExpected(Eip712.vote(address(vault), signer, 1, b), signature);
        _assertInvalid(Vote(signer, "something else"));
        _assertInvalid(Vote(signer, ""));
        vm.expectEmit(address(vault));
        emit IVault.Approved(id, signer);
        approveBySig(b, votes(Vote(signer, signature)));
        assertTrue(vault.proposal(id).hasVote(1, 2));
    }

    /// @dev Any length goes through as it is: none, one that looks like a key's, several words.
    function test_signature_ofAContractMayHaveAnyLength() external {
        uint256[6] memory lengths = [uint256(0), 1, 31, 64, 65, 1000];
        for (uint256 i = 0; i < lengths.length; ++i) {
            b = header(1, uint64(200 + i), packed);
            id = proposeAs(proposer, b, packed);
            bytes memory signature = new bytes(lengths[i]);
            for (uint256 k = 0; k < lengths[i]; ++k) {
                signature[k] = bytes1(uint8(k + 1));
            }
            contractSigner.setExpected(Eip712.vote(address(vault), address(contractSigner), 1, b), signature);
            approveBySig(b, votes(Vote(address(contractSigner), signature)));
            assertTrue(vault.proposal(id).hasVote(1, 2));
        }
    }

    function test_signature_RevertWhen_ContractSaysAnythingElse() external {
        ContractSigner.Answer[8] memory noes = [
            ContractSigner.Answer.No,
            ContractSigner.Answer.True,
            ContractSigner.Answer.Dirty,
            ContractSigner.Answer.Short,
            ContractSigner.Answer.Nothing,
            ContractSigner.Answer.Reverts,
            ContractSigner.Answer.RevertsWithYes,
            ContractSigner.Answer.Burns
        ];
        for (uint256 i = 0; i < noes.length; ++i) {
            contractSigner.setAnswer(noes[i]);
            _assertInvalid(Vote(address(contractSigner), "sig"));
        }
        contractSigner.setAnswer(ContractSigner.Answer.Yes);
        approveBySig(b, votes(Vote(address(contractSigner), "sig")));
    }

    function test_signature_RevertWhen_CodeIsGoneOrKnowsNoSignatures() external {
        vm.etch(address(contractSigner), address(usdt).code);
        _assertInvalid(Vote(address(contractSigner), "sig"));
        vm.etch(address(contractSigner), "");
        _assertInvalid(Vote(address(contractSigner), "sig"));
    }

    /// @dev A megabyte of answer costs what the signer pays to make it, and no copy.
    function test_signature_readsOneWordOfTheAnswer() external {
        contractSigner.setAnswer(ContractSigner.Answer.Long);
        vm.prank(stranger);
        vault.approveBySig{gas: 2_600_000}(b, votes(Vote(address(contractSigner), "")));
        assertTrue(vault.proposal(id).hasVote(1, 2));
    }

    /// @dev Whoever brings the vote of a signer that burns gas loses it; the others' votes need no such signer.
    function test_signature_burntGasHarmsNobodyElse() external {
        contractSigner.setAnswer(ContractSigner.Answer.Burns);
        Vote[] memory list = votes(signed(alice, b), signed(bob, b), Vote(address(contractSigner), ""));
        vm.expectRevert(signatureInvalid(address(contractSigner)));
        vault.approveBySig{gas: 10_000_000}(b, list);
        assertEq(vault.proposal(id).voteCount(1), 0);
        approveBySig(b, signedBy(addresses(alice, bob), b));
        assertState(id, State.Queued);
    }

    /// @dev It is asked by a static call, in which nothing of the vault can be changed; views answer.
    function test_signature_askedContractCanEnterNothing() external {
        contractSigner.setAnswer(ContractSigner.Answer.Enters);
        bytes[3] memory calls = [
            abi.encodeCall(IVault.approve, (b)),
            abi.encodeCall(IVault.revoke, (id)),
            abi.encodeCall(IVault.approveBySig, (b, signedBy(addresses(alice), b)))
        ];
        for (uint256 i = 0; i < 3; ++i) {
            contractSigner.setCall(address(vault), calls[i]);
            _assertInvalid(Vote(address(contractSigner), ""));
        }
        contractSigner.setCall(address(vault), abi.encodeCall(IVault.stateOf, (id)));
        approveBySig(b, votes(Vote(address(contractSigner), "")));
        assertEq(vault.proposal(id).voteCount(1), 1);
    }

    /// @dev A vote that counts stays, whatever the contract answers later; a vote that does not is asked about each time.
    function test_signature_changedAnswerChangesNoVote() external {
        contractSigner.setAnswer(ContractSigner.Answer.Yes);
        approveBySig(b, votes(Vote(address(contractSigner), "")));
        contractSigner.setAnswer(ContractSigner.Answer.No);
        approveBySig(b, votes(Vote(address(contractSigner), ""), signed(alice, b)));
        assertEq(vault.proposal(id).voteCount(1), 2);
        assertState(id, State.Queued);

        b = header(1, 300, packed);
        id = proposeAs(proposer, b, packed);
        _assertInvalid(Vote(address(contractSigner), ""));
        contractSigner.setAnswer(ContractSigner.Answer.Yes);
        approveBySig(b, votes(Vote(address(contractSigner), "")));
    }

    /// @dev Code at a key's address takes nothing from the key, and may say yes besides.
    function test_signature_ofAKeyWithCode() external {
        Vote memory v = signed(alice, b);
        vm.etch(alice, address(contractSigner).code);
        ContractSigner(alice).setAnswer(ContractSigner.Answer.No);
        _assertInvalid(Vote(alice, "no"));
        uint256 snapshot = vm.snapshotState();
        approveBySig(b, votes(v));
        vm.revertToState(snapshot);
        ContractSigner(alice).setAnswer(ContractSigner.Answer.Yes);
        approveBySig(b, votes(Vote(alice, "yes")));
    }

    // ── An account with delegated code (EIP-7702) ────────────────────────────────────────────────────────────────

    /// @dev The key counts; what the delegate would say does not, though it says yes to everybody who asks.
    /// forge-config: default.evm_version = "prague"
    function test_signature_ofADelegatedAccountIsTheKeys() external {
        vm.signAndAttachDelegation(address(contractSigner), keyOf(alice));
        ContractSigner(alice).setAnswer(ContractSigner.Answer.Yes); // the call that carries the delegation
        assertEq(alice.code, abi.encodePacked(hex"ef0100", address(contractSigner)));
        assertEq(ContractSigner(alice).isValidSignature(0, ""), IERC1271.isValidSignature.selector);
        _assertInvalid(Vote(alice, ""));
        _assertInvalid(Vote(alice, signed(bob, b).signature));
        approveBySig(b, votes(signed(alice, b)));
        assertTrue(vault.proposal(id).hasVote(1, 0));
    }

    // ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    function _assertInvalid(Vote memory v) private {
        vm.expectRevert(signatureInvalid(v.signer));
        vm.prank(stranger);
        vault.approveBySig(b, votes(v));
    }

    function _assertDigestInvalid(bytes32 digest) private {
        _assertInvalid(Vote(alice, signatureOf(keyOf(alice), digest)));
    }

    function _assertFormInvalid(bytes memory signature) private {
        _assertInvalid(Vote(alice, signature));
    }
}
