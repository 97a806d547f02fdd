// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "./TestToken.sol";

/// @notice A token that its issuer has deprecated: its own ledger lies idle and each call goes on to the successor.
contract DeprecatedToken {
    DearSuccessor public immutable SUCCESSOR = new DearSuccessor();

    function transfer(address to, uint256 value) external {
        SUCCESSOR.transferByLegacy(msg.sender, to, value);
    }

    function mint(address to, uint256 amount) external {
        SUCCESSOR.mint(to, amount);
    }

    function balanceOf(address account) external view returns (uint256) {
        return SUCCESSOR.balanceOf(account);
    }
}

/// @notice The successor, whose transfers cost about 450,000 gas.
contract DearSuccessor is TestToken {
    /// @dev A round costs about 66 gas.
    uint256 private constant ROUNDS = 6400;

    address public immutable LEGACY = msg.sender;
    bytes32 public digest;

    error DearSuccessorNotLegacy(address caller);

    constructor() TestToken("Dear", "DEAR") {}

    function transferByLegacy(address from, address to, uint256 value) external {
        require(msg.sender == LEGACY, DearSuccessorNotLegacy(msg.sender));
        _transfer(from, to, value);
        bytes32 turning = keccak256(abi.encode(from, to, value));
        assembly ("memory-safe") {
            for { let i := 0 } lt(i, ROUNDS) { i := add(i, 1) } {
                mstore(0, turning)
                turning := keccak256(0, 0x20)
            }
        }
        digest = turning;
    }
}
