// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../src/interfaces/IVault.sol";
import {OrderHeadFields} from "../src/types/OrderHead.sol";
import {Batch, ChangeKind, Configuration, Grant, Order, Role, State, Tier} from "../src/types/VaultTypes.sol";
import {Deploy} from "./Deploy.sol";
import {ITetherLike} from "./mocks/ITetherLike.sol";
import {Tokens} from "./mocks/Tokens.sol";
import {Test} from "forge-std/Test.sol";

/// @notice A vault with three signers over a token like USDT on Ethereum, and short words for what tests do with it.
abstract contract VaultTest is Test {
    uint256 internal constant USDT = 1e6;
    uint40 internal constant START = 1_800_000_000;
    uint128 internal constant UNIT = 10_000; // 0.01 USDT

    IVault internal vault;
    ITetherLike internal usdt;

    address internal keeper = makeAddr("keeper");
    address internal proposer = makeAddr("proposer");
    address internal guardian = makeAddr("guardian");
    address internal otherGuardian = makeAddr("other guardian");
    address internal alice = makeAddr("alice"); // signers
    address internal bob = makeAddr("bob");
    address internal carol = makeAddr("carol");
    address internal known = makeAddr("known recipient");
    address internal payee = makeAddr("unknown recipient");
    address internal stranger = makeAddr("stranger");

    uint64 private _changeNonce;

    function setUp() public virtual {
        vm.warp(START);
        usdt = Tokens.deployTether();
        vault = Deploy.vault(configuration());
        Tokens.give(usdt, address(vault), 50_000_000 * USDT);
    }

    /// @notice Tier 0 automatic, tier 1 two of three and an hour, tier 2 three of three and a day.
    function configuration() internal virtual returns (Configuration memory c) {
        c.token = address(usdt);
        c.unit = UNIT;
        c.hardCeiling = uint128(10_000_000 * USDT);
        c.policyDelayFloor = 1 days;
        c.policyDelay = 2 days;
        c.threshold = 2;
        c.signers = addresses(alice, bob, carol);
        c.tiers = standardTiers();
        c.guardians = addresses(guardian, otherGuardian);
        c.guardiansUntil = START + 365 days;
        c.grants = new Grant[](2);
        c.grants[0] = Grant(keeper, Role.Keeper, START + 365 days);
        c.grants[1] = Grant(proposer, Role.Proposer, START + 365 days);
        c.known = addresses(known);
    }

    function standardTiers() internal pure returns (Tier[] memory t) {
        t = new Tier[](3);
        t[0] = Tier(uint128(10_000 * USDT), uint128(1000 * USDT), uint128(100_000 * USDT), 0, 0);
        t[1] = Tier(uint128(100_000 * USDT), uint128(20_000 * USDT), uint128(500_000 * USDT), 2, 1 hours);
        t[2] = Tier(uint128(1_000_000 * USDT), uint128(1_000_000 * USDT), uint128(2_000_000 * USDT), 3, 1 days);
    }

    /// @notice Block time. A compiler may take `block.timestamp` for a constant within a test, whatever `vm.warp` says.
    function clock() internal view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    function assertState(bytes32 id, State expected) internal view {
        assertEq(uint8(vault.stateOf(id)), uint8(expected), "state");
    }

    // ── Payments ─────────────────────────────────────────────────────────────────────────────────────────────────

    function payment(address recipient, uint256 amount, uint256 reference_) internal pure returns (bytes memory) {
        return abi.encodePacked(recipient, uint96(amount), uint128(reference_));
    }

    /// @notice `count` payments of `amount` to fresh recipients derived from `salt`.
    function payments(uint256 count, uint256 amount, uint256 salt) internal pure returns (bytes memory packed) {
        for (uint256 i = 0; i < count; ++i) {
            packed = bytes.concat(packed, payment(recipientAt(salt, i), amount, salt + i));
        }
    }

    function recipientAt(uint256 salt, uint256 i) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode("recipient", salt, i)))));
    }

    /// @notice The header of packed payments, expiring in ten days.
    function header(uint8 tier, uint64 firstNumber, bytes memory packed) internal view returns (Batch memory b) {
        uint256 count = packed.length / 48;
        b.firstNumber = firstNumber;
        b.count = uint16(count);
        b.tier = tier;
        for (uint256 i = 0; i < count; ++i) {
            b.total += uint128(amountAt(packed, i));
        }
        if (count == 1) b.recipient = address(bytes20(packed));
        b.expiresAt = uint40(clock()) + 10 days;
        b.paymentsHash = keccak256(packed);
        b.context = keccak256("context");
    }

    /// @notice What a call states of a header.
    function orderOf(Batch memory b) internal pure returns (Order memory) {
        return Order(b.context, OrderHeadFields.pack(b.firstNumber, b.expiresAt, b.tier));
    }

    function amountAt(bytes memory packed, uint256 i) internal pure returns (uint96 amount) {
        assembly {
            amount := shr(160, mload(add(packed, add(52, mul(i, 48)))))
        }
    }

    function pay(uint64 firstNumber, bytes memory packed) internal returns (uint256 paidMask) {
        Batch memory b = header(0, firstNumber, packed);
        vm.prank(keeper);
        return vault.pay(orderOf(b), packed);
    }

    /// @notice Proposes as `proposer`, approves as the first `votes` of alice, bob, carol.
    function proposeAndApprove(Batch memory b, bytes memory packed, uint256 votes) internal returns (bytes32 id) {
        vm.prank(proposer);
        id = vault.propose(orderOf(b), packed);
        address[] memory voters = addresses(alice, bob, carol);
        for (uint256 i = 0; i < votes; ++i) {
            vm.prank(voters[i]);
            vault.approve(b);
        }
    }

    /// @notice A batch that has all its approvals and has waited.
    function readyBatch(uint8 tier, uint64 firstNumber, bytes memory packed)
        internal
        returns (Batch memory b, bytes32 id)
    {
        b = header(tier, firstNumber, packed);
        id = proposeAndApprove(b, packed, vault.tier(tier).approvals);
        skip(vault.tier(tier).delay);
        assertState(id, State.Ready);
    }

    function execute(Batch memory b, bytes memory packed) internal returns (uint256 paidMask) {
        vm.prank(keeper);
        return vault.execute(orderOf(b), packed, 0);
    }

    // ── Policy changes ───────────────────────────────────────────────────────────────────────────────────────────

    function nonce() internal returns (uint64) {
        return ++_changeNonce;
    }

    function expiry() internal view returns (uint40) {
        return uint40(clock()) + 20 days;
    }

    /// @notice Proposes a change as alice and approves it as bob.
    function approvedChange(ChangeKind kind, bytes memory change) internal returns (bytes32 id) {
        vm.prank(alice);
        id = vault.proposeChange(kind, change);
        vm.prank(bob);
        vault.approveChange(kind, change);
    }

    /// @notice Takes a change all the way.
    function enact(ChangeKind kind, bytes memory change) internal returns (bytes32 id) {
        id = approvedChange(kind, change);
        if (vault.stateOf(id) == State.Executed) return id; // it only tightens
        skip(vault.policyDelay());
        vm.prank(alice);
        vault.executeChange(kind, change);
    }

    // ── Lists ────────────────────────────────────────────────────────────────────────────────────────────────────

    function addresses(address a) internal pure returns (address[] memory l) {
        l = new address[](1);
        l[0] = a;
    }

    function addresses(address a, address b) internal pure returns (address[] memory l) {
        l = new address[](2);
        (l[0], l[1]) = (a, b);
    }

    function addresses(address a, address b, address c) internal pure returns (address[] memory l) {
        l = new address[](3);
        (l[0], l[1], l[2]) = (a, b, c);
    }
}
