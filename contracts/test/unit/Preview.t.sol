// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VaultLens} from "../../src/VaultLens.sol";
import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, ChangeKind, Preview, Refusal, Tier} from "../../src/types/VaultTypes.sol";
import {Deploy} from "../Deploy.sol";
import {PolicyTest} from "../PolicyTest.sol";

contract PreviewTest is PolicyTest {
    uint8 private constant NO_TIER = 255;

    VaultLens private lens;

    function setUp() public override {
        super.setUp();
        lens = Deploy.lens();
    }

    function test_preview_lowestTierOfUnknown() external view {
        assertPreview(payee, 1, Refusal.None, 0, 0);
        assertPreview(payee, 1000 * USDT, Refusal.None, 0, 0);
        assertPreview(payee, 1000 * USDT + 1, Refusal.None, 1, 1);
        assertPreview(payee, 20_000 * USDT, Refusal.None, 1, 1);
        assertPreview(payee, 20_000 * USDT + 1, Refusal.None, 2, 2);
        assertPreview(payee, 1_000_000 * USDT, Refusal.None, 2, 2);
        assertPreview(payee, 1_000_000 * USDT + 1, Refusal.AboveLimit, NO_TIER, NO_TIER);
    }

    function test_preview_lowestTierOfKnown() external view {
        assertPreview(known, 10_000 * USDT, Refusal.None, 0, 0);
        assertPreview(known, 10_000 * USDT + 1, Refusal.None, 1, 1);
        assertPreview(known, 100_000 * USDT, Refusal.None, 1, 1);
        assertPreview(known, 100_000 * USDT + 1, Refusal.None, 2, 2);
        assertPreview(known, 1_000_000 * USDT + 1, Refusal.AboveLimit, NO_TIER, NO_TIER);
    }

    function test_preview_refusals() external {
        assertPreview(payee, 0, Refusal.ZeroAmount, NO_TIER, NO_TIER);
        vm.prank(guardian);
        vault.blockRecipient(stranger);
        address[4] memory blocked = [stranger, address(0), address(vault), address(usdt)];
        for (uint256 i = 0; i < blocked.length; ++i) {
            assertPreview(blocked[i], 1, Refusal.BlockedRecipient, NO_TIER, NO_TIER);
        }
    }

    function test_preview_tierWithRoom() external {
        for (uint64 i = 0; i < 10; ++i) {
            if (i < 9) pay(1 + i, payment(known, 10_000 * USDT, i));
            else pay(1 + i, payment(known, 9000 * USDT + 1, i)); // room for 999.99
        }
        assertEq(vault.headroom(0), 1000 * USDT - UNIT);
        assertPreview(payee, 1000 * USDT - UNIT, Refusal.None, 0, 0);
        assertPreview(payee, 1000 * USDT - UNIT + 1, Refusal.None, 0, 1);
        skip(28 hours);
        assertPreview(payee, 1000 * USDT, Refusal.None, 0, 0);
    }

    function test_preview_noTierHasRoom() external {
        Tier[] memory rows = new Tier[](1);
        rows[0] = Tier(uint128(10 * USDT), uint128(10 * USDT), uint128(10 * USDT), 2, 0);
        enact(ChangeKind.Tiers, tiersChange(rows, 2 days));
        skip(28 hours);
        bytes memory packed = payment(payee, 6 * USDT, 1);
        (Batch memory b,) = readyBatch(0, 1, packed);
        execute(b, packed);
        assertPreview(payee, 4 * USDT, Refusal.None, 0, 0);
        assertPreview(payee, 4 * USDT + 1, Refusal.None, 0, NO_TIER);
    }

    function test_preview_noAutomaticTierForUnknown() external {
        Tier[] memory rows = standardTiers();
        rows[0].maxUnknown = 0;
        enact(ChangeKind.Tiers, tiersChange(rows, 2 days));
        assertPreview(payee, 1, Refusal.None, 1, 1);
        assertPreview(known, 1, Refusal.None, 0, 0);
    }

    function test_preview_each() external view {
        bytes memory packed =
            bytes.concat(payment(payee, 0, 1), payment(known, 10_000 * USDT, 2), payment(address(0), 1, 3));
        Preview[] memory all = lens.preview(vault, packed);
        assertEq(all.length, 3);
        assertEq(abi.encode(all[0]), abi.encode(Preview(Refusal.ZeroAmount, NO_TIER, NO_TIER)));
        assertEq(abi.encode(all[1]), abi.encode(Preview(Refusal.None, 0, 0)));
        assertEq(abi.encode(all[2]), abi.encode(Preview(Refusal.BlockedRecipient, NO_TIER, NO_TIER)));
        assertEq(lens.preview(vault, "").length, 0);
        assertEq(lens.preview(vault, payments(257, 1, 1)).length, 257);
    }

    function test_preview_RevertWhen_NotWholePayments() external {
        bytes memory packed = payment(payee, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultCountInvalid.selector, 0, 49));
        lens.preview(vault, bytes.concat(packed, hex"00"));
    }

    /// @dev What the preview says is what the vault does.
    function testFuzz_preview_agreesWithVault(uint256 amount, uint256 spent, bool toKnown) external {
        amount = bound(amount, 1, 12_000 * USDT);
        spent = bound(spent, 1, 10);
        for (uint64 i = 0; i < spent; ++i) {
            pay(100 + i, payment(known, 10_000 * USDT - i, i));
        }
        address recipient = toKnown ? known : payee;
        bytes memory packed = payment(recipient, amount, 1);
        Preview memory p = lens.preview(vault, packed)[0];
        uint256 limit = toKnown ? 10_000 * USDT : 1000 * USDT;
        if (p.tier != 0) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IVault.VaultPaymentRefused.selector, 0, recipient, amount, limit, Refusal.AboveLimit
                )
            );
        } else if (p.tierWithRoom != 0) {
            uint256 rounded = (amount + UNIT - 1) / UNIT * UNIT;
            vm.expectRevert(abi.encodeWithSelector(IVault.VaultCapExceeded.selector, 0, rounded, vault.headroom(0)));
        }
        uint256 paid = pay(1, packed);
        if (p.tier == 0 && p.tierWithRoom == 0) assertEq(paid, 1);
    }

    function assertPreview(address recipient, uint256 amount, Refusal refusal, uint8 tier, uint8 tierWithRoom)
        private
        view
    {
        Preview memory p = lens.preview(vault, payment(recipient, amount, 1))[0];
        assertEq(abi.encode(p), abi.encode(Preview(refusal, tier, tierWithRoom)), "preview");
    }
}
