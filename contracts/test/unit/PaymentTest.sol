// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {
    Batch,
    ChangeKind,
    Configuration,
    RecipientsChange,
    SignersChange,
    Standing,
    State,
    Tier,
    TiersChange,
    TightenChange
} from "../../src/types/VaultTypes.sol";
import {Deploy} from "../Deploy.sol";
import {VaultTest} from "../VaultTest.sol";
import {ITetherLike} from "../mocks/ITetherLike.sol";
import {TestToken} from "../mocks/TestToken.sol";
import {Tokens} from "../mocks/Tokens.sol";
import {Vm} from "forge-std/Vm.sol";

/// @notice Words that the tests of payments and of proposals share.
abstract contract PaymentTest is VaultTest {
    uint256 internal constant FUNDS = 50_000_000 * USDT;
    uint256 internal constant SETTLE = 29 hours; // 28 until charges leave, one to pay
    uint256 internal constant MAX_LIFE = 30 days;

    // ── Other vaults ─────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice Starts over with an empty vault of this configuration.
    function useConfiguration(Configuration memory c) internal {
        vault = Deploy.twin(c);
    }

    /// @notice Starts over with another release policy.
    function useTiers(Tier[] memory tiers) internal {
        Configuration memory c = configuration();
        c.tiers = tiers;
        useConfiguration(c);
        Tokens.give(usdt, address(vault), FUNDS);
    }

    /// @notice Starts over with another token.
    function useToken(TestToken token) internal {
        usdt = ITetherLike(address(token));
        useConfiguration(configuration());
        token.mint(address(vault), FUNDS);
    }

    // ── Steps ────────────────────────────────────────────────────────────────────────────────────────────────────

    function proposeAs(address caller, Batch memory b, bytes memory packed) internal returns (bytes32 id) {
        vm.prank(caller);
        return vault.propose(orderOf(b), packed);
    }

    function approveAs(address signer, Batch memory b) internal {
        vm.prank(signer);
        vault.approve(b);
    }

    function revokeAs(address signer, bytes32 id) internal {
        vm.prank(signer);
        vault.revoke(id);
    }

    function cancelAs(address caller, bytes32 id) internal {
        vm.prank(caller);
        vault.cancel(id);
    }

    function freezeAs(address caller) internal returns (uint256 haltedUntil) {
        vm.prank(caller);
        return vault.freeze();
    }

    function blockAs(address caller, address recipient) internal {
        vm.prank(caller);
        vault.blockRecipient(recipient);
    }

    /// @notice Another signer set, with two days of policy delay.
    function changeSigners(address[] memory signers, uint8 threshold) internal {
        enact(ChangeKind.Signers, abi.encode(SignersChange(signers, threshold, nonce(), expiry())));
    }

    /// @notice Another release policy, with two days of policy delay.
    function changeTiers(Tier[] memory tiers) internal {
        enact(ChangeKind.Tiers, tiersChange(tiers));
    }

    /// @notice A stricter release policy, at once.
    function tighten(Tier[] memory tiers) internal {
        approvedChange(ChangeKind.Tighten, abi.encode(TightenChange(tiers, nonce(), expiry())));
    }

    function tiersChange(Tier[] memory tiers) internal returns (bytes memory) {
        return abi.encode(TiersChange(tiers, vault.policyDelay(), vault.termsChangedAt(), nonce(), expiry()));
    }

    /// @notice Another standing, with two days of policy delay.
    function changeStanding(address recipient, Standing from, Standing to) internal {
        bytes memory change = abi.encode(RecipientsChange(addresses(recipient), from, to, nonce(), expiry()));
        enact(ChangeKind.Recipients, change);
    }

    // ── What must hold ───────────────────────────────────────────────────────────────────────────────────────────

    /// @notice The caller's `call` of the vault reverts with exactly `expected`.
    function assertReverts(address caller, bytes memory call, bytes memory expected) internal {
        vm.prank(caller);
        (bool succeeded, bytes memory returned) = address(vault).call(call);
        assertFalse(succeeded, "succeeded");
        assertEq(returned, expected, "revert data");
    }

    /// @notice Of keeper, proposer, guardian, signer and stranger, all but the entitled are refused with their address.
    function assertOnly(address[] memory entitled, bytes memory call, bytes4 refusal) internal {
        address[5] memory everybody = [keeper, proposer, guardian, alice, stranger];
        for (uint256 i = 0; i < everybody.length; ++i) {
            address caller = everybody[i];
            bool mayCall = false;
            for (uint256 k = 0; k < entitled.length; ++k) {
                mayCall = mayCall || caller == entitled[k];
            }
            if (!mayCall) assertReverts(caller, call, abi.encodeWithSelector(refusal, caller));
        }
    }

    function expectStateInvalid(bytes32 id, State state) internal {
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultStateInvalid.selector, id, state));
    }

    function expectExpiryOutOfRange(uint256 expiresAt, uint256 delay) internal {
        uint256 earliest = clock() + delay + SETTLE;
        uint256 latest = clock() + MAX_LIFE;
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultExpiryOutOfRange.selector, expiresAt, earliest, latest));
    }

    /// @notice The vault's events since `vm.recordLogs()` are exactly these.
    function assertEvents(bytes32[] memory expected) internal {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        bytes32[] memory own = new bytes32[](logs.length);
        uint256 count;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter == address(vault)) own[count++] = logs[i].topics[0];
        }
        assembly ("memory-safe") {
            mstore(own, count)
        }
        assertEq(own, expected, "events");
    }

    function events(bytes32 a) internal pure returns (bytes32[] memory l) {
        l = new bytes32[](1);
        l[0] = a;
    }

    function events(bytes32 a, bytes32 b) internal pure returns (bytes32[] memory l) {
        l = new bytes32[](2);
        (l[0], l[1]) = (a, b);
    }

    function events(bytes32 a, bytes32 b, bytes32 c) internal pure returns (bytes32[] memory l) {
        l = new bytes32[](3);
        (l[0], l[1], l[2]) = (a, b, c);
    }

    function events(bytes32 a, bytes32 b, bytes32 c, bytes32 d) internal pure returns (bytes32[] memory l) {
        l = new bytes32[](4);
        (l[0], l[1], l[2], l[3]) = (a, b, c, d);
    }
}
