// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VaultLens} from "../../src/VaultLens.sol";
import {IVault} from "../../src/interfaces/IVault.sol";
import {Preview, Refusal} from "../../src/types/VaultTypes.sol";
import {Deploy} from "../Deploy.sol";
import {PolicyTest} from "../PolicyTest.sol";

contract PreviewTest is PolicyTest {
    uint8 private constant NO_TIER = 255;

    VaultLens private lens;

    function setUp() public override {
        super.setUp();
        lens = Deploy.lens();
    }

    function test_preview_lowestTierAboveTheFirst() external view {
        assertPreview(payee, 1000 * USDT + 1, Refusal.None, 1, 1);
        assertPreview(payee, 20_000 * USDT, Refusal.None, 1, 1);
        assertPreview(payee, 20_000 * USDT + 1, Refusal.None, 2, 2);
        assertPreview(payee, 1_000_000 * USDT, Refusal.None, 2, 2);
        assertPreview(known, 10_000 * USDT + 1, Refusal.None, 1, 1);
        assertPreview(known, 100_000 * USDT, Refusal.None, 1, 1);
        assertPreview(known, 100_000 * USDT + 1, Refusal.None, 2, 2);
    }

    function test_preview_refusals() external {
        assertPreview(payee, 1_000_000 * USDT + 1, Refusal.AboveLimit, NO_TIER, NO_TIER);
        assertPreview(known, 1_000_000 * USDT + 1, Refusal.AboveLimit, NO_TIER, NO_TIER);
        assertPreview(payee, 0, Refusal.ZeroAmount, NO_TIER, NO_TIER);
        vm.prank(guardian);
        vault.blockRecipient(stranger);
        address[4] memory blocked = [stranger, address(0), address(vault), address(usdt)];
        for (uint256 i = 0; i < blocked.length; ++i) {
            assertPreview(blocked[i], 1, Refusal.BlockedRecipient, NO_TIER, NO_TIER);
        }
    }

    function test_preview_RevertWhen_NotWholePayments() external {
        bytes memory packed = payment(payee, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultCountInvalid.selector, 0, 49));
        lens.preview(vault, bytes.concat(packed, hex"00"));
    }

    function assertPreview(address recipient, uint256 amount, Refusal refusal, uint8 tier, uint8 tierWithRoom)
        private
        view
    {
        Preview memory p = lens.preview(vault, payment(recipient, amount, 1))[0];
        assertEq(abi.encode(p), abi.encode(Preview(refusal, tier, tierWithRoom)), "preview");
    }
}
