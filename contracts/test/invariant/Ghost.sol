// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Configuration} from "../../src/types/VaultTypes.sol";
import {GhostLog} from "./GhostLog.sol";
import {GhostPolicy} from "./GhostPolicy.sol";
import {GhostVotes} from "./GhostVotes.sol";

/// @notice What a vault ought to remember, kept in plain lists beside it. Uses none of the vault's code.
contract Ghost is GhostLog, GhostVotes {
    constructor(Configuration memory c, address vault, uint256 time) GhostPolicy(c, vault, time) {}
}
