// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @notice A signer that is a contract and answers about its signatures as a test says.
contract ContractSigner is IERC1271 {
    enum Answer {
        Right, // yes to `expected` with `secret` as its signature
        Yes, // to everything
        No,
        True, // the word 1, as naive contracts answer
        Dirty, // the magic value with something behind it
        Short, // the magic value in 4 bytes
        Nothing, // no answer
        Long, // the magic value, and a megabyte
        Reverts,
        RevertsWithYes, // the magic value as the reason
        Burns, // all gas that it is given
        Enters // makes `call` to `target`, then says yes if that succeeded
    }

    Answer public answer;
    bytes32 public expected;
    bytes32 public secret;
    address public target;
    bytes public call;

    error ContractSignerUnwilling();

    function setAnswer(Answer next) external {
        answer = next;
    }

    function setExpected(bytes32 digest, bytes calldata signature) external {
        (expected, secret) = (digest, keccak256(signature));
    }

    function setCall(address to, bytes calldata data) external {
        (target, call) = (to, data);
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (answer == Answer.Right) return _magicIf(hash == expected && keccak256(signature) == secret);
        if (answer == Answer.No) return 0xffffffff;
        if (answer == Answer.True) _return(bytes32(uint256(1)), 32);
        if (answer == Answer.Dirty) _return(_magicIf(true) | bytes32(uint256(1)), 32);
        if (answer == Answer.Short) _return(_magicIf(true), 4);
        if (answer == Answer.Nothing) _return(0, 0);
        if (answer == Answer.Long) _return(_magicIf(true), 1_000_000);
        if (answer == Answer.Reverts) revert ContractSignerUnwilling();
        if (answer == Answer.RevertsWithYes) _revert(_magicIf(true));
        if (answer == Answer.Burns) _burn();
        if (answer == Answer.Enters) {
            (bool succeeded,) = target.staticcall(call);
            return _magicIf(succeeded);
        }
        return _magicIf(true);
    }

    function _magicIf(bool yes) private pure returns (bytes4) {
        return yes ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }

    function _return(bytes32 word, uint256 size) private pure {
        assembly ("memory-safe") {
            mstore(0, word)
            return(0, size)
        }
    }

    function _revert(bytes32 word) private pure {
        assembly ("memory-safe") {
            mstore(0, word)
            revert(0, 32)
        }
    }

    function _burn() private pure {
        assembly ("memory-safe") {
            invalid()
        }
    }
}
