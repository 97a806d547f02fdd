// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    GuardiansChange,
    RecipientsChange,
    RoleChange,
    SignersChange,
    SuccessorChange,
    SweepChange,
    UnfreezeChange
} from "../types/VaultTypes.sol";

/// @title Changes
/// @notice The encoding of a change, read as its kind's struct where it lies in calldata.
/// @dev What is read was proposed under the same id, so it is the canonical encoding of valid values: `VaultRules` decoded it
/// whole then. Each field is checked against its type once more when it is read.
library Changes {
    function asSigners(bytes calldata change) internal pure returns (SignersChange calldata c) {
        assembly ("memory-safe") {
            c := add(change.offset, 0x20)
        }
    }

    function asRecipients(bytes calldata change) internal pure returns (RecipientsChange calldata c) {
        assembly ("memory-safe") {
            c := add(change.offset, 0x20)
        }
    }

    function asRole(bytes calldata change) internal pure returns (RoleChange calldata c) {
        assembly ("memory-safe") {
            c := change.offset
        }
    }

    function asGuardians(bytes calldata change) internal pure returns (GuardiansChange calldata c) {
        assembly ("memory-safe") {
            c := add(change.offset, 0x20)
        }
    }

    function asUnfreeze(bytes calldata change) internal pure returns (UnfreezeChange calldata c) {
        assembly ("memory-safe") {
            c := change.offset
        }
    }

    function asSuccessor(bytes calldata change) internal pure returns (SuccessorChange calldata c) {
        assembly ("memory-safe") {
            c := change.offset
        }
    }

    function asSweep(bytes calldata change) internal pure returns (SweepChange calldata c) {
        assembly ("memory-safe") {
            c := change.offset
        }
    }
}
