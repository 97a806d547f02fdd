// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TokenCall} from "../../src/libraries/TokenCall.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Test} from "forge-std/Test.sol";

/// @notice Answers every call with the same bytes, by a return or a revert, and remembers what a transfer said.
contract Parrot {
    bytes public heard;
    bytes private _answer;
    bool private _reverts;

    function setAnswer(bytes calldata answer, bool reverts) external {
        (_answer, _reverts) = (answer, reverts);
        delete heard;
    }

    fallback() external {
        if (msg.sig == IERC20.transfer.selector) heard = msg.data;
        bytes memory answer = _answer;
        bool reverts = _reverts;
        assembly ("memory-safe") {
            if reverts { revert(add(answer, 0x20), mload(answer)) }
            return(add(answer, 0x20), mload(answer))
        }
    }
}

/// @notice The calls to a token, held equal to the same calls in plain Solidity.
contract TokenCallTest is Test {
    using TokenCall for address;

    Parrot private parrot = new Parrot();

    function readBalance(address account) external view returns (uint256) {
        return address(parrot).balanceOf(account);
    }

    function testFuzz_balanceOf_isThePlainCall(address account, bytes memory answer, bool reverts) external {
        parrot.setAnswer(answer, reverts);
        vm.expectCall(address(parrot), abi.encodeCall(IERC20.balanceOf, (account)));
        try this.readBalance(account) returns (uint256 amount) {
            assertFalse(reverts, "read what was refused");
            assertEq(amount, abi.decode(answer, (uint256)), "balance");
        } catch (bytes memory reason) {
            assertTrue(reverts || answer.length < 32, "refused what can be read");
            assertEq(
                reason, abi.encodeWithSelector(TokenCall.TokenBalanceUnreadable.selector, address(parrot)), "reason"
            );
        }
    }

    function testFuzz_tryTransfer_isThePlainCall(address to, uint256 amount, bytes memory answer, bool reverts)
        external
    {
        parrot.setAnswer(answer, reverts);
        (bool plain, bytes memory plainAnswer) = address(parrot).call(abi.encodeCall(IERC20.transfer, (to, amount)));
        bytes memory plainHeard = parrot.heard();
        parrot.setAnswer(answer, reverts);
        uint256 free = freeMemory();
        bool succeeded = address(parrot).tryTransfer(to, amount);
        bytes32 returned = TokenCall.returned();
        assertEq(freeMemory(), free, "free memory");
        assertEq(succeeded, plain, "success");
        assertEq(returned, bytes32(plainAnswer), "first word of the answer");
        assertEq(parrot.heard(), plainHeard, "what the token heard");
    }

    function freeMemory() private pure returns (uint256 free) {
        assembly ("memory-safe") {
            free := mload(0x40)
        }
    }
}
