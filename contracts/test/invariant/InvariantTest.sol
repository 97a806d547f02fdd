// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VaultLens} from "../../src/VaultLens.sol";
import {IVault} from "../../src/interfaces/IVault.sol";
import {OrderHeadFields} from "../../src/types/OrderHead.sol";
import {Batch, Order, Role} from "../../src/types/VaultTypes.sol";
import {Deploy} from "../Deploy.sol";
import {ModeToken} from "../mocks/ModeToken.sol";
import {Ghost} from "./Ghost.sol";
import {Handler} from "./Handler.sol";
import {Test} from "forge-std/Test.sol";

/// @notice A handler as the fuzzer's only target, and what invariants have in common.
/// @dev What an invariant does to the vault in order to see what would happen is undone when it ends.
abstract contract InvariantTest is Test {
    uint256 internal constant USDT = 1e6;
    uint256 internal constant UNIT = 10_000; // 0.01 USDT
    uint256 internal constant UPPER = 1 << 63; // numbers that only proposals may use

    Handler internal handler;
    IVault internal vault;
    ModeToken internal token;
    Ghost internal ghost;
    VaultLens internal lens;

    /// @dev At the handler's time.
    modifier atNow() {
        vm.warp(handler.time());
        _;
    }

    function setUp() public {
        handler = new Handler();
        (vault, token, ghost) = (handler.vault(), handler.token(), handler.ghost());
        lens = Deploy.lens();
        targetContract(address(handler));
        targetSelector(FuzzSelector(address(handler), actions()));
    }

    /// @notice The handler's actions.
    function actions() internal view returns (bytes4[] memory list) {
        list = new bytes4[](27);
        (list[0], list[1], list[2]) = (handler.pay.selector, handler.payAgain.selector, handler.propose.selector);
        (list[3], list[4], list[5]) = (handler.execute.selector, handler.approve.selector, handler.revoke.selector);
        (list[6], list[7], list[8]) = (handler.cancel.selector, handler.carry.selector, handler.proposeChange.selector);
        (list[9], list[10]) = (handler.proposeTiersOrSigners.selector, handler.executeChange.selector);
        (list[11], list[12]) = (handler.freeze.selector, handler.blockRecipient.selector);
        (list[13], list[14], list[15]) =
        (handler.revokeRole.selector, handler.deposit.selector, handler.setMode.selector);
        (list[16], list[17]) = (handler.wait.selector, handler.waitForEdge.selector);
        (list[18], list[19], list[20]) =
        (handler.payALot.selector, handler.carryBatch.selector, handler.carryChange.selector);
        (list[21], list[22]) = (handler.payBySig.selector, handler.proposeBySig.selector);
        (list[23], list[24]) = (handler.approveBySig.selector, handler.proposeChangeBySig.selector);
        (list[25], list[26]) = (handler.approveChangeBySig.selector, handler.setMood.selector);
    }

    /// @dev What would come of a call.
    function _try(address caller, bytes memory data) internal returns (bool success, bytes memory returned) {
        vm.prank(caller);
        (success, returned) = address(vault).call(data);
    }

    /// @dev The header of packed payments that nobody used yet.
    function _header(uint256 tier, uint256 firstNumber, bytes memory packed) internal view returns (Batch memory b) {
        (b.tier, b.firstNumber, b.count) = (uint8(tier), uint64(firstNumber), uint16(packed.length / 48));
        for (uint256 i = 0; i < b.count; ++i) {
            (address recipient, uint256 amount) = handler.paymentAt(packed, i);
            b.total += uint128(amount);
            if (b.count == 1) b.recipient = recipient;
        }
        (b.expiresAt, b.paymentsHash) = (uint40(vm.getBlockTimestamp() + 30 days), keccak256(packed));
    }

    /// @dev What a call states of a header.
    function orderOf(Batch memory b) internal pure returns (Order memory) {
        return Order({context: b.context, head: OrderHeadFields.pack(b.firstNumber, b.expiresAt, b.tier)});
    }

    /// @dev Somebody who may pay now; zero if nobody may.
    function _keeper() internal view returns (address) {
        address[] memory people = handler.people();
        for (uint256 i = 0; i < people.length; ++i) {
            if (handler.time() < ghost.until(people[i], Role.Keeper)) return people[i];
        }
        return address(0);
    }

    function _contains(address[] memory list, address account) internal pure returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] == account) return true;
        }
        return false;
    }
}
