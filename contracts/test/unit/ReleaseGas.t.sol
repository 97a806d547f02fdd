// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch} from "../../src/types/VaultTypes.sol";
import {GasBurnerToken} from "../mocks/GasBurnerToken.sol";
import {ByExecute, ByPay, ByPayBySig, ReleaseTest} from "./ReleaseTest.sol";

/// @notice A failed transfer is the token's fault only if it had gas to run on: `pay`, `payBySig` and `execute` alike.
abstract contract ReleaseGasTest is ReleaseTest {
    uint256 private constant TRANSFER_GAS = 1_000_000;

    GasBurnerToken private burner;

    function test_release_believesFailuresFromAMillionGas() external {
        bytes memory packed = payment(payee, UNIT, 1);
        (Batch memory b, bytes32 id) = prepare(1, packed);
        usdt.pause();
        (, bytes memory returned) = _releaseWithGas(b, packed, TRANSFER_GAS + 20_000);
        (, uint256 gasBefore,) = _decodeGasTooLow(returned);
        uint256 least = TRANSFER_GAS + 20_000 + TRANSFER_GAS - gasBefore;

        (, returned) = _releaseWithGas(b, packed, least - 1);
        (uint256 index, uint256 before, uint256 left) = _decodeGasTooLow(returned);
        assertEq(index, 0);
        assertEq(before, TRANSFER_GAS - 1);
        assertGt(left, before / 63, "the token left gas over");

        (, returned) = _releaseWithGas(b, packed, least);
        assertEq(returned, abi.encodeWithSelector(IVault.VaultNothingPaid.selector, id, bytes32(0)));
    }

    /// @dev However much gas is sent: a token that burns all of it cannot be told from one that got too little.
    function test_release_RevertWhen_TokenBurnsAllGas() external {
        _useBurner(GasBurnerToken.Burn.All, 0);
        bytes memory packed = payments(3, UNIT, 1);
        (Batch memory b,) = prepare(1, packed);
        uint256[2] memory given = [uint256(2_000_000), 60_000_000];
        for (uint256 i = 0; i < 2; ++i) {
            (, bytes memory returned) = _releaseWithGas(b, packed, given[i]);
            (uint256 index, uint256 before, uint256 left) = _decodeGasTooLow(returned);
            assertEq(index, 1);
            assertGe(before, TRANSFER_GAS);
            assertLt(left, before / 63);
            assertPaidMask(b, 0);
        }
    }

    /// @dev More than 1/64 is left, less than 1/63: the token gave back too little to have stopped by itself.
    function test_release_RevertWhen_TokenBurnsAlmostAllGas() external {
        _useBurner(GasBurnerToken.Burn.Almost, 8000);
        bytes memory packed = payments(3, UNIT, 1);
        (Batch memory b,) = prepare(1, packed);
        (, bytes memory returned) = _releaseWithGas(b, packed, 60_000_000);
        (uint256 index, uint256 before, uint256 left) = _decodeGasTooLow(returned);
        assertEq(index, 1);
        assertGe(left, before / 64);
        assertLt(left, before / 63);
    }

    /// @dev The token itself answers, so it had gas left after its inner call.
    function test_release_believesTokenThatBurnsNearlyAllGas() external {
        _useBurner(GasBurnerToken.Burn.Nested, 0);
        bytes memory packed = payments(3, UNIT, 1);
        (Batch memory b, bytes32 id) = prepare(1, packed);
        vm.expectEmit(true, false, false, false, address(vault));
        emit IVault.PaymentFailed(id, 2, 0);
        (bool succeeded, bytes memory returned) = _releaseWithGas(b, packed, 60_000_000);
        assertTrue(succeeded);
        assertEq(abi.decode(returned, (uint256)), 5);
    }

    /// @dev Copying a megabyte would cost two million gas more.
    function test_release_ignoresLongAnswers() external {
        GasBurnerToken.Burn[2] memory bombs = [GasBurnerToken.Burn.RevertBomb, GasBurnerToken.Burn.ReturnBomb];
        uint256[2] memory masks = [uint256(5), 7];
        for (uint256 i = 0; i < 2; ++i) {
            _useBurner(bombs[i], 1_000_000);
            bytes memory packed = payments(3, UNIT, 1);
            (Batch memory b,) = prepare(1, packed);
            (bool succeeded, bytes memory returned) = _releaseWithGas(b, packed, 3_500_000);
            assertTrue(succeeded);
            assertEq(abi.decode(returned, (uint256)), masks[i]);
        }
    }

    /// @dev The last transfer takes a million gas: with less it fails, and leaves enough to report it as failed.
    function testFuzz_release_lowGasNeverLeavesPaymentsOut(uint256 given) external {
        given = bound(given, 50_000, 2_000_000);
        burner = new GasBurnerToken();
        useToken(burner);
        burner.setBurn(recipientAt(1, 2), GasBurnerToken.Burn.Amount, 1_000_000);
        bytes memory packed = payments(3, UNIT, 1);
        (Batch memory b,) = prepare(1, packed);
        (bool succeeded, bytes memory returned) = _releaseWithGas(b, packed, given);
        if (succeeded) assertEq(abi.decode(returned, (uint256)), 7);
        assertPaidMask(b, succeeded ? 7 : 0);
        assertEq(charged(), succeeded ? 3 * UNIT : 0);
        if (given < 1_000_000) assertFalse(succeeded);
        if (given > 1_500_000) assertTrue(succeeded);
    }

    /// @dev The second of three recipients of `payments(3, _, 1)` makes the token burn gas.
    function _useBurner(GasBurnerToken.Burn burn, uint256 quantity) private {
        burner = new GasBurnerToken();
        useToken(burner);
        burner.setBurn(recipientAt(1, 1), burn, quantity);
    }

    function _releaseWithGas(Batch memory b, bytes memory packed, uint256 given)
        private
        returns (bool succeeded, bytes memory returned)
    {
        bytes memory call = releasing(b, packed);
        vm.prank(keeper);
        (succeeded, returned) = address(vault).call{gas: given}(call);
    }

    function _decodeGasTooLow(bytes memory returned)
        private
        pure
        returns (uint256 index, uint256 gasBefore, uint256 gasAfter)
    {
        assertEq(bytes4(returned), IVault.VaultGasTooLow.selector);
        assertEq(returned.length, 100);
        assembly ("memory-safe") {
            index := mload(add(returned, 0x24))
            gasBefore := mload(add(returned, 0x44))
            gasAfter := mload(add(returned, 0x64))
        }
    }
}

contract PayGasTest is ReleaseGasTest, ByPay {}

contract PayBySigGasTest is ReleaseGasTest, ByPayBySig {}

contract ExecuteGasTest is ReleaseGasTest, ByExecute {}
