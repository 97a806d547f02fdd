// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Batch, Configuration, State, Vote} from "../../src/types/VaultTypes.sol";
import {Deploy} from "../Deploy.sol";
import {Eip712} from "./Eip712.sol";
import {SignedTest} from "./SignedTest.sol";
import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";

/// @notice What the tests need of a Safe, the same in 1.4.1 and 1.5.0.
interface ISafe {
    function setup(
        address[] calldata owners,
        uint256 threshold,
        address to,
        bytes calldata data,
        address fallbackHandler,
        address paymentToken,
        uint256 payment,
        address payable paymentReceiver
    ) external;
    function approveHash(bytes32 hash) external;
}

interface ISafeFactory {
    function createProxyWithNonce(address singleton, bytes memory initializer, uint256 saltNonce)
        external
        returns (address proxy);
}

interface ISafeHandler {
    function getMessageHashForSafe(address safe, bytes memory message) external view returns (bytes32);
}

/// @notice A Safe as it is published, as one signer of the vault: its owners sign the vault's digest as a Safe message.
abstract contract SafeSignerTest is SignedTest {
    bytes private packed = payment(payee, UNIT, 1);
    address private safe;
    ISafeHandler private handler;
    // Owners in the order of their addresses, which is the order a Safe takes their signatures in.
    uint256[2] private keys = [uint256(0xA11CE), 0xB0B];

    /// @notice Where the published artifacts lie.
    function artifacts() internal pure virtual returns (string memory);

    /// @dev The third signer is a Safe of two owners, both needed.
    function configuration() internal override returns (Configuration memory c) {
        c = super.configuration();
        if (safe == address(0)) safe = _createSafe();
        c.signers[2] = safe;
    }

    function test_safe_signsForABatch() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = proposeAs(proposer, b, packed);
        bytes32 message = _messageHash(Eip712.vote(address(vault), safe, 1, b));
        bytes memory both = bytes.concat(signatureOf(keys[0], message), signatureOf(keys[1], message));
        approveBySig(b, votes(signed(alice, b), Vote(safe, both)));
        assertTrue(vault.proposal(id).hasVote(1, 2));
        skip(1 hours);
        assertEq(execute(b, packed), 1);
    }

    function test_safe_RevertWhen_OwnersDidNotSignTheVote() external {
        Batch memory b = header(1, 100, packed);
        proposeAs(proposer, b, packed);
        bytes32 digest = Eip712.vote(address(vault), safe, 1, b);
        bytes32 message = _messageHash(digest);
        _assertInvalid(b, signatureOf(keys[0], message)); // one of two
        _assertInvalid(b, bytes.concat(signatureOf(keys[0], message), signatureOf(keys[0], message)));
        _assertInvalid(b, bytes.concat(signatureOf(keys[0], digest), signatureOf(keys[1], digest)));
        _assertInvalid(b, bytes.concat(signatureOf(keys[1], message), signatureOf(keys[0], message)));
        _assertInvalid(b, ""); // nobody approved the message in the Safe
        bytes32 other = _messageHash(Eip712.vote(address(vault), safe, 2, b));
        _assertInvalid(b, bytes.concat(signatureOf(keys[0], other), signatureOf(keys[1], other)));
    }

    /// @dev Owners that are not asked to sign: they approve the message by a call to the Safe, and the signature points at them.
    function test_safe_signsByApprovedHashes() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = proposeAs(proposer, b, packed);
        bytes32 message = _messageHash(Eip712.vote(address(vault), safe, 1, b));
        bytes memory signature;
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 owner = bytes32(uint256(uint160(vm.addr(keys[i]))));
            signature = bytes.concat(signature, abi.encodePacked(owner, bytes32(0), uint8(1)));
        }
        _assertInvalid(b, signature);
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(vm.addr(keys[i]));
            ISafe(safe).approveHash(message);
        }
        approveBySig(b, votes(Vote(safe, signature)));
        assertTrue(vault.proposal(id).hasVote(1, 2));
    }

    /// @dev A Safe is a signer like any other besides: it votes by a call of its own.
    function test_safe_votesByCall() external {
        Batch memory b = header(1, 100, packed);
        bytes32 id = proposeAs(proposer, b, packed);
        approveAs(safe, b);
        assertEq(vault.proposal(id).voteCount(1), 1);
        assertState(id, State.Proposed);
    }

    function _createSafe() private returns (address) {
        if (vm.addr(keys[0]) > vm.addr(keys[1])) (keys[0], keys[1]) = (keys[1], keys[0]);
        address singleton = _deploy("Safe.sol/Safe.json");
        handler = ISafeHandler(_deploy("handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler.json"));
        ISafeFactory factory = ISafeFactory(_deploy("proxies/SafeProxyFactory.sol/SafeProxyFactory.json"));
        address[] memory owners = addresses(vm.addr(keys[0]), vm.addr(keys[1]));
        bytes memory setup = abi.encodeCall(
            ISafe.setup, (owners, 2, address(0), "", address(handler), address(0), 0, payable(address(0)))
        );
        return factory.createProxyWithNonce(singleton, setup, 0);
    }

    function _deploy(string memory artifact) private returns (address created) {
        string memory json = vm.readFile(string.concat(artifacts(), "/", artifact));
        bytes memory code = vm.parseJsonBytes(json, ".bytecode");
        assembly ("memory-safe") {
            created := create(0, add(code, 0x20), mload(code))
        }
        assertGt(created.code.length, 0, artifact);
    }

    function _messageHash(bytes32 digest) private view returns (bytes32) {
        return handler.getMessageHashForSafe(safe, abi.encode(digest));
    }

    function _assertInvalid(Batch memory b, bytes memory signature) private {
        vm.expectRevert(signatureInvalid(safe));
        vault.approveBySig(b, votes(Vote(safe, signature)));
    }
}

contract Safe141SignerTest is SafeSignerTest {
    function artifacts() internal pure override returns (string memory) {
        return "node_modules/@safe-global/safe-contracts/build/artifacts/contracts";
    }
}

contract Safe150SignerTest is SafeSignerTest {
    function artifacts() internal pure override returns (string memory) {
        return "node_modules/@safe-global/safe-smart-account/build/artifacts/contracts";
    }
}

/// @notice A P-256 key and a passkey as signers, through OpenZeppelin's verifiers: with the precompile of EIP-7951 and, on chains
/// that have none, by their Solidity.
contract P256SignerTest is SignedTest {
    /// @dev Order of P-256.
    uint256 private constant P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551;
    uint256 private constant KEY = uint256(keccak256("P-256 key"));
    address private constant PRECOMPILE = address(0x100);

    bytes private packed = payment(payee, UNIT, 1);
    address private card;
    address private passkey;
    Batch private b;
    bytes32 private id;

    /// @dev The second signer is a card, the third a passkey.
    function configuration() internal override returns (Configuration memory c) {
        c = super.configuration();
        if (card == address(0)) {
            (uint256 x, uint256 y) = vm.publicKeyP256(KEY);
            card = Deploy.fromCode("KeyAccounts.sol:P256Account", abi.encode(x, y));
            passkey = Deploy.fromCode("KeyAccounts.sol:PasskeyAccount", abi.encode(x, y));
        }
        (c.signers[1], c.signers[2]) = (card, passkey);
    }

    function setUp() public override {
        super.setUp();
        b = header(1, 100, packed);
        id = proposeAs(proposer, b, packed);
    }

    function test_p256_signsWithoutThePrecompile() external {
        assertFalse(_hasPrecompile());
        _assertSigns();
    }

    /// forge-config: default.evm_version = "osaka"
    function test_p256_signsWithThePrecompile() external {
        assertTrue(_hasPrecompile());
        _assertSigns();
    }

    function test_p256_RevertWhen_SignatureIsNoneWithoutThePrecompile() external {
        assertFalse(_hasPrecompile());
        _assertRefuses();
    }

    /// forge-config: default.evm_version = "osaka"
    function test_p256_RevertWhen_SignatureIsNoneWithThePrecompile() external {
        assertTrue(_hasPrecompile());
        _assertRefuses();
    }

    // ── Both ways ────────────────────────────────────────────────────────────────────────────────────────────────

    function _assertSigns() private {
        Vote memory byCard = Vote(card, _cardSignature(KEY, _digest(card)));
        Vote memory byPasskey = Vote(passkey, _passkeySignature(KEY, _digest(passkey), 0x05));
        approveBySig(b, votes(byCard, byPasskey));
        assertEq(vault.proposal(id).voteCount(1), 2);
        assertState(id, State.Queued);
    }

    function _assertRefuses() private {
        (bytes32 cards, bytes32 passkeys) = (_digest(card), _digest(passkey));
        _assertInvalid(card, _cardSignature(KEY + 1, cards));
        _assertInvalid(card, _cardSignature(KEY, passkeys));
        _assertInvalid(card, "");
        bytes memory high = _cardSignature(KEY, cards);
        assembly ("memory-safe") {
            let s := add(high, 0x40)
            mstore(s, sub(P256_ORDER, mload(s)))
        }
        _assertInvalid(card, high);
        _assertInvalid(passkey, _passkeySignature(KEY + 1, passkeys, 0x05));
        _assertInvalid(passkey, _passkeySignature(KEY, cards, 0x05));
        _assertInvalid(passkey, _passkeySignature(KEY, passkeys, 0x01)); // user not verified
        _assertInvalid(passkey, _passkeySignature(KEY, passkeys, 0x04)); // user not present
        _assertInvalid(passkey, _cardSignature(KEY, passkeys));
        _assertSigns();
    }

    function _assertInvalid(address signer, bytes memory signature) private {
        vm.expectRevert(signatureInvalid(signer));
        vault.approveBySig(b, votes(Vote(signer, signature)));
    }

    function _digest(address signer) private view returns (bytes32) {
        return Eip712.vote(address(vault), signer, 1, b);
    }

    function _cardSignature(uint256 key, bytes32 digest) private pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = _sign(key, digest);
        return abi.encodePacked(r, s);
    }

    /// @dev What a browser makes of the challenge: authenticator data with flags, and the client's JSON.
    function _passkeySignature(uint256 key, bytes32 digest, uint8 flags) private pure returns (bytes memory) {
        bytes memory data = abi.encodePacked(sha256("tidelock.example"), flags, uint32(7));
        string memory json = string.concat(
            '{"type":"webauthn.get","challenge":"',
            Base64.encodeURL(abi.encodePacked(digest)),
            '","origin":"https://tidelock.example","crossOrigin":false}'
        );
        (bytes32 r, bytes32 s) = _sign(key, sha256(abi.encodePacked(data, sha256(bytes(json)))));
        uint256 typeIndex = 1;
        uint256 challengeIndex = 23;
        return abi.encode(r, s, challengeIndex, typeIndex, data, json);
    }

    /// @dev Low `s`, which OpenZeppelin's verifier insists on.
    function _sign(uint256 key, bytes32 digest) private pure returns (bytes32 r, bytes32 s) {
        (r, s) = vm.signP256(key, digest);
        if (uint256(s) > P256_ORDER / 2) s = bytes32(P256_ORDER - uint256(s));
    }

    /// @dev Whether 0x100 says yes to a signature that is one.
    function _hasPrecompile() private view returns (bool) {
        (uint256 x, uint256 y) = vm.publicKeyP256(KEY);
        (bytes32 r, bytes32 s) = _sign(KEY, "message");
        (bool called, bytes memory answer) = PRECOMPILE.staticcall(abi.encode(bytes32("message"), r, s, x, y));
        return called && answer.length == 32;
    }
}
