// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {AbstractSigner} from "@openzeppelin/contracts/utils/cryptography/signers/AbstractSigner.sol";
import {SignerP256} from "@openzeppelin/contracts/utils/cryptography/signers/SignerP256.sol";
import {SignerWebAuthn} from "@openzeppelin/contracts/utils/cryptography/signers/SignerWebAuthn.sol";

/// @notice The least account that answers ERC-1271 with OpenZeppelin's signers: one key, no other power.
/// @dev Built as production is: without the optimizer OpenZeppelin's P-256 does not compile. Tests create them from that build.
abstract contract KeyAccount is AbstractSigner, IERC1271 {
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        return _rawSignatureValidation(hash, signature) ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @notice Signs with a P-256 key, as secure enclaves and smart cards do.
contract P256Account is KeyAccount, SignerP256 {
    constructor(bytes32 qx, bytes32 qy) SignerP256(qx, qy) {}
}

/// @notice Signs with a passkey.
contract PasskeyAccount is KeyAccount, SignerWebAuthn {
    constructor(bytes32 qx, bytes32 qy) SignerP256(qx, qy) {}
}
