// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @notice A signer by ERC-1271 that takes a digest as its own signature, changes its mind, and calls the vault while it is asked.
contract IntrudingSigner {
    enum Mood {
        Agrees, // if the signature is the digest
        Intrudes, // likewise, but first does to the vault what a signer may
        Refuses, // answers something else
        Reverts,
        SaysTooLittle // answers with fewer bytes than a word
    }

    Mood public mood;
    IVault private _vault;

    error IntrudingSignerReverts();

    function setMood(Mood next, IVault vault) external {
        (mood, _vault) = (next, vault);
    }

    /// @dev No view, unlike the standard's: whether it can write is for the caller to decide. What its calls come to is not
    /// looked at: the invariants must see it.
    function isValidSignature(bytes32 digest, bytes calldata signature) external returns (bytes4) {
        require(mood != Mood.Reverts, IntrudingSignerReverts());
        if (mood == Mood.Intrudes) {
            (bool frozen,) = address(_vault).call(abi.encodeCall(IVault.freeze, ()));
            (bool revoked,) = address(_vault).call(abi.encodeCall(IVault.revoke, (digest)));
            (frozen, revoked);
        }
        if (mood == Mood.SaysTooLittle) {
            bytes32 answer = IERC1271.isValidSignature.selector;
            assembly ("memory-safe") {
                mstore(0, answer)
                return(0, 4)
            }
        }
        bool takes = mood != Mood.Refuses && signature.length == 32 && bytes32(signature) == digest;
        return takes ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }

    /// @notice Whether it takes its own signature in this mood.
    function agrees() external view returns (bool) {
        return mood == Mood.Agrees || mood == Mood.Intrudes;
    }
}
