// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @notice A signer by ERC-1271 that takes a digest as its own signature, and can change its mind.
contract TrialSigner is IERC1271 {
    enum Mood {
        Agrees, // if the signature is the digest
        Refuses, // answers something else
        Reverts
    }

    Mood public mood;

    error TrialSignerReverts();

    function setMood(Mood next) external {
        mood = next;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        require(mood != Mood.Reverts, TrialSignerReverts());
        bool agrees = mood == Mood.Agrees && signature.length == 32 && bytes32(signature) == digest;
        return agrees ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
