// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, Configuration, State} from "../../src/types/VaultTypes.sol";
import {HookToken} from "../mocks/HookToken.sol";
import {PaymentTest} from "./PaymentTest.sol";

/// @notice Random batches against a reference that adds them up one by one.
contract PayFuzzTest is PaymentTest {
    uint64 private constant FIRST = 1000;
    uint256 private constant MAX_KNOWN = 10_000 * USDT;
    uint256 private constant MAX_UNKNOWN = 1000 * USDT;
    uint256 private constant CAP = 30_000 * USDT; // so low that random batches often exceed it

    struct Item {
        address recipient;
        uint256 amount;
    }

    /// @dev What a call does: the mask and sum it pays, or the selector it reverts with.
    struct Outcome {
        uint256 mask;
        uint256 total;
        bytes4 reverts;
    }

    HookToken private token;
    address private unknown = makeAddr("unknown");
    address private knownRefused = makeAddr("known, refused by the token");
    address private unknownRefused = makeAddr("unknown, refused by the token");
    address private blocked = makeAddr("blocked");

    function setUp() public override {
        super.setUp();
        token = new HookToken();
        useToken(token);
        address[2] memory refused = [knownRefused, unknownRefused];
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(refused[i]);
            token.register();
        }
        blockAs(guardian, blocked);
    }

    function configuration() internal override returns (Configuration memory c) {
        c = super.configuration();
        c.known = addresses(known, knownRefused);
        c.tiers[0].cap = uint128(CAP);
    }

    function testFuzz_pay_matchesReference(uint256 seed, uint256 size, uint256 paidBefore) external {
        Item[] memory items = _draw(seed, bound(size, 1, 14));
        paidBefore = _payBefore(paidBefore & seed, items.length);
        Outcome memory expected = _reference(items, paidBefore);
        Outcome memory actual = _pay(items);
        assertEq(actual.reverts, expected.reverts, "reverts");
        assertEq(actual.mask, expected.mask, "mask");

        assertEq(vault.paidMask(FIRST, uint16(items.length)), paidBefore | expected.mask, "paid numbers");
        uint256 left = FUNDS - _popCount(paidBefore) * UNIT - expected.total;
        assertEq(token.balanceOf(address(vault)), left, "balance");
        uint256 used = _popCount(paidBefore) * UNIT + _roundUp(expected.total);
        assertEq(vault.headroom(0), CAP - used, "headroom");
        _assertReceived(items, expected.mask);
    }

    /// @dev The same payments in another order: the same are paid, or the call fails in the same way.
    function testFuzz_pay_orderChangesNothing(uint256 seed, uint256 size, uint256 order) external {
        Item[] memory items = _draw(seed, bound(size, 2, 14));
        uint256 state = vm.snapshotState();
        Outcome memory straight = _pay(items);
        vm.revertToState(state);

        uint256[] memory places = _shuffle(items.length, order);
        Item[] memory shuffled = new Item[](items.length);
        for (uint256 i = 0; i < items.length; ++i) {
            shuffled[i] = items[places[i]];
        }
        Outcome memory mixed = _pay(shuffled);
        assertEq(mixed.reverts, straight.reverts, "reverts");
        for (uint256 i = 0; i < items.length; ++i) {
            assertEq((mixed.mask >> i) & 1, (straight.mask >> places[i]) & 1, "place");
        }
    }

    function testFuzz_pay_marksItsNumbersAndNoOther(uint64 first, uint256 count) external {
        count = bound(count, 1, 256);
        first = uint64(bound(first, 1, (1 << 63) - 256));
        bytes memory packed = payments(count, 1, first);
        pay(first, packed);
        assertEq(vault.paidMask(first, uint16(count)), type(uint256).max >> (256 - count));
        assertFalse(vault.isPaid(first - 1));
        assertFalse(vault.isPaid(first + uint64(count)));
        assertEq(vault.paidMask(first + uint64(count), 256), 0);
        if (first > 256) assertEq(vault.paidMask(first - 256, 256), 0);
    }

    /// @dev However a batch is cut up, each payment is paid once.
    function testFuzz_execute_skippingPaysEachOnce(uint16[4] memory skips) external {
        bytes memory packed = payments(16, UNIT, 1);
        (Batch memory b, bytes32 id) = readyBatch(1, FIRST, packed);
        uint256 open = 0xffff;
        for (uint256 i = 0; i < 4 && open != 0; ++i) {
            uint256 expected = open & ~uint256(skips[i]);
            if (expected == 0) vm.expectRevert(abi.encodeWithSelector(IVault.VaultNothingToPay.selector, id));
            vm.prank(keeper);
            uint256 paid = vault.execute(orderOf(b), packed, skips[i]);
            assertEq(paid, expected);
            open &= ~paid;
            assertState(id, open == 0 ? State.Executed : State.Ready);
        }
        if (open != 0) assertEq(execute(b, packed), open);
        assertState(id, State.Executed);
        for (uint256 i = 0; i < 16; ++i) {
            assertEq(token.balanceOf(recipientAt(1, i)), UNIT);
        }
        assertEq(vault.headroom(1), 500_000 * USDT - 16 * UNIT);
    }

    // ── Reference ────────────────────────────────────────────────────────────────────────────────────────────────

    function _reference(Item[] memory items, uint256 paidBefore) private view returns (Outcome memory o) {
        uint256 tried;
        uint256 fitting;
        uint256 fittingSum;
        for (uint256 i = 0; i < items.length; ++i) {
            if ((paidBefore >> i) & 1 == 1) continue;
            ++tried;
            (address to, uint256 amount) = (items[i].recipient, items[i].amount);
            if (to == blocked || to == address(0) || to == address(vault) || amount == 0) continue;
            if (amount > (to == known || to == knownRefused ? MAX_KNOWN : MAX_UNKNOWN)) continue;
            ++fitting;
            fittingSum += amount;
            if (to == knownRefused || to == unknownRefused) continue;
            o.mask |= 1 << i;
            o.total += amount;
        }
        uint256 room = CAP - _popCount(paidBefore) * UNIT;
        if (tried == 0) o.reverts = IVault.VaultNothingToPay.selector;
        else if (fitting == 0) o.reverts = IVault.VaultPaymentRefused.selector;
        else if (_roundUp(fittingSum) > room) o.reverts = IVault.VaultCapExceeded.selector;
        else if (o.mask == 0) o.reverts = IVault.VaultNothingPaid.selector;
        if (o.reverts != 0) (o.mask, o.total) = (0, 0);
    }

    function _assertReceived(Item[] memory items, uint256 mask) private view {
        address[7] memory pool = _pool();
        for (uint256 k = 0; k < pool.length; ++k) {
            if (pool[k] == address(vault)) continue;
            uint256 sum;
            for (uint256 i = 0; i < items.length; ++i) {
                if (items[i].recipient == pool[k] && (mask >> i) & 1 == 1) sum += items[i].amount;
            }
            assertEq(token.balanceOf(pool[k]), sum, "received");
        }
    }

    // ── Drawing ──────────────────────────────────────────────────────────────────────────────────────────────────

    function _pool() private view returns (address[7] memory) {
        return [known, unknown, knownRefused, unknownRefused, blocked, address(0), address(vault)];
    }

    /// @dev Mostly good payments, with amounts that crowd around the limits.
    function _draw(uint256 seed, uint256 count) private view returns (Item[] memory items) {
        items = new Item[](count);
        uint256[7] memory amounts = [0, 1, MAX_UNKNOWN, MAX_UNKNOWN + 1, MAX_KNOWN - 1, MAX_KNOWN, MAX_KNOWN + 1];
        address[7] memory pool = _pool();
        for (uint256 i = 0; i < count; ++i) {
            uint256 r = uint256(keccak256(abi.encode(seed, i)));
            // The seed says how mixed the recipients are: from all known to the whole pool.
            items[i].recipient = pool[(r >> 128) % (1 + seed % 7)];
            items[i].amount = r % 2 == 0 ? amounts[(r >> 8) % 7] : (r >> 16) % (MAX_KNOWN + MAX_UNKNOWN);
        }
    }

    /// @dev Pays a unit under each number of the mask.
    function _payBefore(uint256 mask, uint256 count) private returns (uint256 paid) {
        for (uint64 i = 0; i < count; ++i) {
            if ((mask >> i) & 1 == 1) paid |= pay(FIRST + i, payment(payee, UNIT, i)) << i;
        }
    }

    function _pay(Item[] memory items) private returns (Outcome memory o) {
        bytes memory packed;
        for (uint256 i = 0; i < items.length; ++i) {
            packed = bytes.concat(packed, payment(items[i].recipient, items[i].amount, i));
        }
        bytes memory call = abi.encodeCall(IVault.pay, (orderOf(header(0, FIRST, packed)), packed));
        vm.prank(keeper);
        (bool succeeded, bytes memory returned) = address(vault).call(call);
        if (succeeded) o.mask = abi.decode(returned, (uint256));
        else o.reverts = bytes4(returned);
    }

    function _shuffle(uint256 count, uint256 order) private pure returns (uint256[] memory places) {
        places = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 k = uint256(keccak256(abi.encode(order, i))) % (i + 1);
            places[i] = places[k];
            places[k] = i;
        }
    }

    function _popCount(uint256 mask) private pure returns (uint256 count) {
        for (; mask != 0; mask >>= 1) {
            count += mask & 1;
        }
    }

    function _roundUp(uint256 amount) private pure returns (uint256) {
        return (amount + UNIT - 1) / UNIT * UNIT;
    }
}
