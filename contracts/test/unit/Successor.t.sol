// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, ChangeKind, Refusal} from "../../src/types/VaultTypes.sol";
import {PolicyTest} from "../PolicyTest.sol";

contract SuccessorTest is PolicyTest {
    ChangeKind private constant SUCCESSOR = ChangeKind.Successor;

    function test_changeSuccessor_announcesReplacesAndClears() external {
        address[3] memory steps = [stranger, payee, address(0)];
        for (uint256 i = 0; i < steps.length; ++i) {
            address old = vault.successor();
            bytes memory change = successorChange(steps[i]);
            bytes32 id = readyChange(SUCCESSOR, change);
            vm.expectEmit(address(vault));
            emit IVault.ChangeExecuted(id, SUCCESSOR);
            vm.expectEmit(address(vault));
            emit IVault.SuccessorSet(old, steps[i]);
            executeChange(SUCCESSOR, change);
            assertEq(vault.successor(), steps[i]);
        }
    }

    function test_changeSuccessor_RevertWhen_VaultOrToken() external {
        proposalReverts(SUCCESSOR, successorChange(address(vault)), addressInvalid(address(vault)));
        proposalReverts(SUCCESSOR, successorChange(address(usdt)), addressInvalid(address(usdt)));
        assertEq(vault.successor(), address(0));
    }

    function test_changeSuccessor_RevertWhen_FieldsOutOfType() external {
        bytes memory wide = abi.encode(uint256(uint160(stranger)) | 1 << 160, nonce(), expiry());
        proposalReverts(SUCCESSOR, wide, "");
        assertEq(vault.successor(), address(0));
    }

    /// @dev Migration is an ordinary payment: being announced gives no other limit.
    function test_changeSuccessor_successorIsPaidLikeAnyOther() external {
        enact(SUCCESSOR, successorChange(stranger));
        bytes memory packed = payment(stranger, 1_000_000 * USDT, 1);
        (Batch memory b,) = readyBatch(2, 1, packed);
        assertEq(execute(b, packed), 1);
        assertEq(usdt.balanceOf(stranger), 1_000_000 * USDT);
        packed = payment(stranger, 1_000_000 * USDT + 1, 2);
        b = header(2, 2, packed);
        vm.expectRevert(
            abi.encodeWithSelector(
                IVault.VaultPaymentRefused.selector, 0, stranger, b.total, 1_000_000 * USDT, Refusal.AboveLimit
            )
        );
        vm.prank(proposer);
        vault.propose(orderOf(b), packed);
    }
}
