// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title Signatures
/// @notice Whether an account signed a digest.
library Signatures {
    /// @dev First three bytes of the code of an account that has delegated (EIP-7702). No contract can begin so (EIP-3541).
    bytes3 private constant DELEGATED = 0xef0100;

    /// @notice True for an ECDSA signature of 65 bytes with low `s` that recovers to the signer, or else if the signer is a
    /// contract that takes the signature by ERC-1271.
    /// @dev An account with delegated code is judged by its key alone: the key can replace that code at any time, so what the
    /// code answers is never more than the key, and may be less. The contract is asked by `staticcall`, with all gas, and
    /// at most 32 bytes of its answer are read: it can re-enter nothing, and burns only what the caller of this vote sends.
    function isValid(address signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        (address recovered,,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (recovered == signer && signer != address(0)) return true;
        if (signer.code.length == 0 || bytes3(signer.code) == DELEGATED) return false;
        return SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature);
    }
}
