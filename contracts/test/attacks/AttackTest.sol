// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {
    Batch,
    ChangeKind,
    Configuration,
    State,
    Tier,
    TiersChange,
    TightenChange
} from "../../src/types/VaultTypes.sol";
import {Deploy} from "../Deploy.sol";
import {VaultTest} from "../VaultTest.sol";
import {ITestToken} from "../mocks/TestToken.sol";

/// @notice What adversaries have in common: they know the vault's people, and they keep count of their loot.
abstract contract AttackTest is VaultTest {
    uint64 internal constant UPPER = 1 << 63; // numbers that only proposals may use

    struct Loot {
        uint256 time;
        uint256 amount;
    }

    Loot[] private _loot;

    // ── Loot ─────────────────────────────────────────────────────────────────────────────────────────────────────

    function note(uint256 amount) internal {
        _loot.push(Loot(vm.getBlockTimestamp(), amount));
    }

    function lootInAll() internal view returns (uint256 sum) {
        for (uint256 i = 0; i < _loot.length; ++i) {
            sum += _loot[i].amount;
        }
    }

    /// @notice The most that was taken in any closed 24 hours.
    function mostInADay() internal view returns (uint256 most) {
        for (uint256 last = 0; last < _loot.length; ++last) {
            uint256 sum;
            for (uint256 i = 0; i <= last; ++i) {
                if (_loot[i].time + 24 hours >= _loot[last].time) sum += _loot[i].amount;
            }
            if (sum > most) most = sum;
        }
    }

    // ── Payments ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice `count` payments of `amount` to one recipient.
    function repeated(address recipient, uint256 count, uint256 amount) internal pure returns (bytes memory packed) {
        for (uint256 i = 0; i < count; ++i) {
            packed = bytes.concat(packed, payment(recipient, amount, i));
        }
    }

    function expectPayRevert(uint64 firstNumber, bytes memory packed, bytes memory reason) internal {
        Batch memory b = header(0, firstNumber, packed);
        vm.prank(keeper);
        vm.expectRevert(reason);
        vault.pay(orderOf(b), packed);
    }

    function expectExecuteRevert(Batch memory b, bytes memory packed, bytes memory reason) internal {
        vm.prank(keeper);
        vm.expectRevert(reason);
        vault.execute(orderOf(b), packed, 0);
    }

    function capExceeded(uint256 tier, uint256 requested, uint256 headroom) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IVault.VaultCapExceeded.selector, tier, requested, headroom);
    }

    function stateInvalid(bytes32 id, State state) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IVault.VaultStateInvalid.selector, id, state);
    }

    // ── Policy ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice A change that has its votes and its delay behind it, and still does not take effect.
    function expectEnactRevert(ChangeKind kind, bytes memory change, bytes memory reason) internal {
        approvedChange(kind, change);
        skip(vault.policyDelay());
        vm.prank(alice);
        vm.expectRevert(reason);
        vault.executeChange(kind, change);
    }

    /// @notice A change that can never take effect is refused before anybody votes for it.
    function expectProposalRevert(ChangeKind kind, bytes memory change, bytes memory reason) internal {
        vm.prank(alice);
        vm.expectRevert(reason);
        vault.proposeChange(kind, change);
    }

    function tiersChange(Tier[] memory rows, uint32 delay) internal returns (bytes memory) {
        return abi.encode(TiersChange(rows, delay, vault.termsChangedAt(), nonce(), expiry()));
    }

    function tightenChange(Tier[] memory rows) internal returns (bytes memory) {
        return abi.encode(TightenChange(rows, nonce(), expiry()));
    }

    // ── Other vaults ─────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice Puts a vault over another token in place of the standard one.
    function useToken(ITestToken other) internal {
        Configuration memory c = configuration();
        c.token = address(other);
        vault = Deploy.twin(c);
        other.mint(address(vault), 50_000_000 * USDT);
    }
}
