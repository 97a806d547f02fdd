// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, ChangeKind, SignersChange, State, Tier, TiersChange, Vote} from "../../src/types/VaultTypes.sol";
import {Deploy} from "../Deploy.sol";
import {Eip712} from "../unit/Eip712.sol";
import {SignedTest} from "../unit/SignedTest.sol";

/// @notice A contract that signs by ERC-1271 for two accounts' owner, or misbehaves.
contract ContractSigner {
    enum Manner {
        Yes,
        No,
        Reverts,
        BurnsGas,
        Reenters
    }

    IVault public vault;
    bytes32 public known; // the digest that it signed; zero for any
    Manner public manner;

    function set(IVault to, bytes32 digest, Manner next) external {
        (vault, known, manner) = (to, digest, next);
    }

    function isValidSignature(bytes32 digest, bytes calldata) external returns (bytes4) {
        if (manner == Manner.Reverts) revert();
        if (manner == Manner.BurnsGas) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        if (manner == Manner.Reenters) vault.freeze(); // it is a signer, and may when it calls by itself
        bool yes = manner != Manner.No && (known == 0 || known == digest);
        return yes ? this.isValidSignature.selector : bytes4(0);
    }
}

/// @notice Votes by signature: forged, repeated, replayed, or made by contracts that mean harm.
contract SignatureAttacks is SignedTest {
    uint64 private constant UPPER = 1 << 63;

    bytes private packed;
    Batch private batch;
    bytes32 private id;

    function setUp() public override {
        super.setUp();
        packed = payment(payee, 1000 * USDT, 1);
        batch = header(1, UPPER, packed);
        id = vault.hashBatch(batch);
    }

    function _refused(Vote memory v, bytes memory reason) private {
        vm.expectRevert(reason);
        vault.proposeBySig(orderOf(batch), packed, votes(v));
    }

    /// @notice The same signature in its other form, with high `s`.
    function test_attack10_malleableSignature() external {
        Vote memory v = signed(alice, batch);
        (bytes32 r, bytes32 s) = abi.decode(v.signature, (bytes32, bytes32));
        uint8 parity = uint8(v.signature[64]);
        v.signature = abi.encodePacked(r, bytes32(ORDER - uint256(s)), parity == 27 ? uint8(28) : uint8(27));
        _refused(v, signatureInvalid(alice));
    }

    /// @notice One signer's vote twice in a call, and once more in another, is one vote.
    function test_attack10_duplicateSignatures() external {
        vault.proposeBySig(orderOf(batch), packed, votes(signed(alice, batch), signed(alice, batch)));
        assertState(id, State.Proposed);
        Vote[] memory again = votes(signed(alice, batch), signed(alice, batch));
        vm.expectRevert(alreadyApproved(id, alice));
        vault.approveBySig(batch, again);
    }

    /// @notice The order of votes means nothing.
    function test_attack10_unsortedSignatures() external {
        vault.proposeBySig(orderOf(batch), packed, votes(signed(carol, batch), signed(alice, batch)));
        assertState(id, State.Queued);
    }

    /// @notice A signature that recovers to nobody is not the vote of the zero address, which is no signer.
    function test_attack10_zeroAddressSignature() external {
        _refused(Vote(address(0), new bytes(65)), notSigner(address(0)));
        _refused(Vote(alice, new bytes(65)), signatureInvalid(alice));
    }

    function _useContractSigner() private returns (ContractSigner signer) {
        signer = new ContractSigner();
        enact(
            ChangeKind.Signers, abi.encode(SignersChange(addresses(alice, bob, address(signer)), 2, nonce(), expiry()))
        );
        batch = header(1, UPPER, packed);
        id = vault.hashBatch(batch);
        signer.set(vault, 0, ContractSigner.Manner.Yes);
    }

    /// @notice A contract signer that reverts, burns gas, changes its answer or re-enters fails with its own vote; the others'
    /// votes count without it.
    function test_attack11_hostileContractSigner() external {
        ContractSigner signer = _useContractSigner();
        Vote memory own = Vote(address(signer), "");
        for (uint256 i = 1; i <= uint256(ContractSigner.Manner.Reenters); ++i) {
            signer.set(vault, 0, ContractSigner.Manner(i));
            Vote[] memory both = votes(signed(alice, batch), own);
            vm.expectRevert(signatureInvalid(address(signer)));
            vault.proposeBySig{gas: 3_000_000}(orderOf(batch), packed, both);
        }
        assertEq(vault.hot().haltedUntil(), 0, "frozen from inside");
        vault.proposeBySig(orderOf(batch), packed, votes(signed(alice, batch), signed(bob, batch)));
        assertState(id, State.Queued);
    }

    /// @notice A vote stays what it was when the contract no longer says so.
    function test_attack11_answerChangedAfterTheVote() external {
        ContractSigner signer = _useContractSigner();
        vault.proposeBySig(orderOf(batch), packed, votes(Vote(address(signer), ""), signed(alice, batch)));
        signer.set(vault, 0, ContractSigner.Manner.No);
        skip(1 hours);
        assertEq(execute(batch, packed), 1, "paid mask");
    }

    /// @notice A signature that an owner made for one of its wallets is no vote of the other.
    function test_attack12_anotherWalletOfTheSameOwner() external {
        (ContractSigner one, ContractSigner two) = (new ContractSigner(), new ContractSigner());
        enact(
            ChangeKind.Signers,
            abi.encode(SignersChange(addresses(alice, address(one), address(two)), 2, nonce(), expiry()))
        );
        batch = header(1, UPPER, packed);
        bytes32 digest = Eip712.vote(address(vault), address(one), epoch(), batch);
        one.set(vault, digest, ContractSigner.Manner.Yes);
        two.set(vault, digest, ContractSigner.Manner.Yes); // the same owner's signature is shown to both
        vault.proposeBySig(orderOf(batch), packed, votes(Vote(address(one), "")));
        Vote[] memory other = votes(Vote(address(two), ""));
        vm.expectRevert(signatureInvalid(address(two)));
        vault.approveBySig(batch, other);
    }

    /// @notice A vote taken back is not brought again; the signer itself may vote again.
    function test_attack45_signatureAfterRevocation() external {
        vault.proposeBySig(orderOf(batch), packed, votes(signed(alice, batch)));
        revokeAs(alice, id);
        Vote[] memory again = votes(signed(alice, batch));
        vm.expectRevert(voteRevoked(id, alice));
        vault.approveBySig(batch, again);
        approveAs(alice, batch);
        approveAs(bob, batch);
        assertState(id, State.Queued);
    }

    /// @notice Nor one taken back before anything was proposed, also not to pay at once.
    function test_attack45_revokedBeforeItIsProposed() external {
        Tier[] memory rows = standardTiers();
        rows[1].delay = 0;
        useTiers(rows);
        batch = header(1, UPPER, packed);
        id = vault.hashBatch(batch);
        Vote[] memory both = votes(signed(alice, batch), signed(bob, batch));
        revokeAs(alice, id);
        _refused(both[0], voteRevoked(id, alice));
        vm.prank(keeper);
        vm.expectRevert(voteRevoked(id, alice));
        vault.payBySig(orderOf(batch), packed, both);
        assertEq(usdt.balanceOf(payee), 0, "loot");
    }

    /// @notice Replay: on another chain, in another vault, in another signer set, for another batch.
    function test_attack07_signatureReplayed() external {
        Vote memory v = signed(alice, batch);
        uint256 chain = block.chainid;
        vm.chainId(chain + 1);
        _refused(v, signatureInvalid(alice));
        vm.chainId(chain);

        IVault first = vault;
        useConfiguration(configuration());
        _refused(v, signatureInvalid(alice));
        vault = first;

        enact(ChangeKind.Signers, abi.encode(SignersChange(addresses(carol, bob, alice), 2, nonce(), expiry())));
        _refused(v, signatureInvalid(alice));

        batch.context = "another";
        _refused(v, signatureInvalid(alice));
    }

    /// @notice Bringing one of two votes first does not keep the other out.
    function test_attack45_oneVoteBroughtFirst() external {
        vm.prank(proposer);
        vault.propose(orderOf(batch), packed);
        Vote[] memory both = votes(signed(alice, batch), signed(bob, batch));
        vm.prank(stranger);
        vault.approveBySig(batch, votes(both[0]));
        vault.approveBySig(batch, both);
        assertState(id, State.Queued);
    }

    /// @notice Ageing: one vote, then more asked for, then the second vote ten days later starts the delay, and not before.
    function test_attack17_quorumOfAnOlderPolicy() external {
        Tier[] memory rows = standardTiers();
        (rows[1].approvals, rows[1].delay) = (1, 1 days);
        rows[2].delay = 1 days;
        useTiers(rows);
        batch = header(1, UPPER, packed);
        batch.expiresAt = uint40(clock()) + 25 days;
        id = proposeAndApprove(batch, packed, 1);
        rows[1].approvals = 2;
        enact(ChangeKind.Tiers, abi.encode(TiersChange(rows, 2 days, nonce(), expiry())));
        skip(10 days);
        approveAs(bob, batch);
        assertState(id, State.Queued);
        skip(1 days - 1);
        assertState(id, State.Queued);
        skip(1);
        assertEq(execute(batch, packed), 1, "paid mask");
    }

    /// @notice Order: a keeper who executes an idle change first does not push a tightening out of its life.
    function test_attack46_orderAgainstATightening() external {
        bytes memory idle = abi.encode(TiersChange(standardTiers(), 2 days + 1, nonce(), expiry()));
        readyChange(ChangeKind.Tiers, idle);
        Tier[] memory rows = standardTiers();
        rows[2].cap -= UNIT;
        bytes memory tightening = abi.encode(TiersChange(rows, 2 days, nonce(), uint40(clock()) + 2));
        vm.prank(alice);
        vault.proposeChange(ChangeKind.Tiers, tightening);
        vm.prank(keeper);
        vault.executeChange(ChangeKind.Tiers, idle);
        vm.prank(bob);
        vault.approveChange(ChangeKind.Tiers, tightening);
        assertEq(vault.tier(2).cap, rows[2].cap, "in force");
    }
}
