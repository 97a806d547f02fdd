// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vault} from "../../src/Vault.sol";
import {RollingCap} from "../../src/libraries/RollingCap.sol";
import {Hot} from "../../src/types/Hot.sol";
import {PackedTier, PackedTierFields} from "../../src/types/PackedTier.sol";
import {Configuration, Tier} from "../../src/types/VaultTypes.sol";
import {Proof} from "./Proof.sol";

/// @dev A vault that shows which cap it applies.
contract VaultCaps is Vault {
    constructor(Configuration memory configuration) Vault(configuration) {}

    function capOf(Hot h, PackedTier t) external view returns (uint256) {
        return _capOf(h, t);
    }
}

/// @dev A token of which only the balance is asked.
contract Balance {
    function balanceOf(address) external pure returns (uint256) {
        return 0;
    }
}

/// @title TierChangeProofs
/// @notice A tier is charged before and after its cap changes.
contract TierChangeProofs is Proof {
    using RollingCap for uint256;

    uint256 private constant CHANGED_AT = 1_800_000_000; // the first second of a bucket

    VaultCaps private vault;

    function setUp() external {
        Configuration memory c;
        c.token = address(new Balance());
        (c.unit, c.hardCeiling, c.policyDelayFloor, c.policyDelay) = (1, 100, 1 days, 1 days);
        c.signers = new address[](1);
        c.signers[0] = address(0x51);
        c.threshold = 1;
        c.tiers = new Tier[](1);
        c.tiers[0] = Tier({maxKnown: 100, maxUnknown: 100, cap: 100, approvals: 1, delay: 0});
        c.guardians = new address[](1);
        c.guardians[0] = address(0x6a);
        VM.warp(CHANGED_AT - 30 days);
        c.guardiansUntil = 1_800_000_000;
        vault = new VaultCaps(c);
    }

    /// @notice The cap in force is the smaller of old and new for 28 hours after a change of tiers, and the new one then.
    function check_cap_isTheSmallerWhileSettling(uint256 hot, uint256 tier, uint64 time) external {
        VM.warp(time);
        uint256 changedAt = (hot >> 36) & (2 ** 36 - 1);
        uint256 cap = (tier >> 66) & (2 ** 33 - 1);
        uint256 before = (tier >> 99) & (2 ** 33 - 1);
        bool settling = changedAt != 0 && time < changedAt + 28 hours;
        uint256 expected = settling && before < cap ? before : cap;
        assert(vault.capOf(Hot.wrap(hot), PackedTier.wrap(tier)) == expected);
    }

    /// @notice Whatever was charged before a change of tiers and is charged after it: until everything has settled no more leaves
    /// through the tier in 24 hours than the cap before, and then no more than the new one. So however caps move
    /// between tiers, all together let through no more than the larger sum of caps.
    /// @custom:bounds any caps and charges, the earlier one in any lane; 0, 1, 6, 7 and 8 buckets after that of the change, which is in its first or last second
    function check_outflow_overAChange(
        uint256 earlier,
        uint256 lane,
        uint256 capBefore,
        uint256 cap,
        uint256 charge,
        uint256 elapsed,
        bool last
    ) external {
        uint256 changedAt = CHANGED_AT + (last ? 4 hours - 1 : 0);
        uint256 time = CHANGED_AT + [uint256(0), 1, 6, 7, 8][split(elapsed, 5)] * 4 hours;
        if (time < changedAt) return;
        VM.warp(time);
        assume(capBefore <= RollingCap.MAX_CAP && cap <= RollingCap.MAX_CAP && charge <= RollingCap.MAX_CAP);
        assume(earlier <= capBefore);
        uint256 window = ((CHANGED_AT / 4 hours) << 231) + (earlier << (33 * split(lane, 7)));
        window = window.roll(time);
        Hot hot = Hot.wrap(0).withTiersChangedAt(changedAt);
        uint256 inForce = vault.capOf(hot, PackedTierFields.pack(0, 0, cap, capBefore));
        if (sumOf(window) + charge <= inForce) window = window.add(charge);
        assert(sumOf(window) <= (time < changedAt + 28 hours ? capBefore : cap));
    }

    function sumOf(uint256 window) private pure returns (uint256 sum) {
        for (uint256 i = 0; i < 7; ++i) {
            sum += (window >> (33 * i)) & (2 ** 33 - 1);
        }
    }
}
