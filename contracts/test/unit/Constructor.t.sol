// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Policy} from "../../src/libraries/Policy.sol";
import {TokenCall} from "../../src/libraries/TokenCall.sol";
import {Configuration, Grant, Role, Standing, Tier} from "../../src/types/VaultTypes.sol";
import {Deploy} from "../Deploy.sol";
import {PolicyTest} from "../PolicyTest.sol";

/// @notice Every rule that a new vault's configuration must keep, from both sides.
contract ConstructorTest is PolicyTest {
    uint256 private constant MAX_CAP = 2 ** 33 - 2; // [units]
    uint128 private constant CEILING = 10_000_000e6;
    uint128 private constant CAP_0 = 100_000e6;
    uint128 private constant KNOWN_0 = 10_000e6;
    uint128 private constant UNKNOWN_0 = 1000e6;

    // ── What is stored and told ──────────────────────────────────────────────────────────────────────────────────

    function test_constructor_storesConfiguration() external {
        Configuration memory c = configuration();
        c.successor = makeAddr("successor");
        IVault v = accept(c);
        assertEq(v.token(), c.token);
        assertEq(v.unit(), c.unit);
        assertEq(v.hardCeiling(), c.hardCeiling);
        assertEq(v.policyDelayFloor(), c.policyDelayFloor);
        assertEq(v.guardians(), c.guardians);
        assertEq(v.successor(), c.successor);
        assertEq(v.hot().epoch(), 1);
        assertEq(v.hot().haltedUntil(), 0);
        assertEq(v.hot().settledAt(), 0);
        assertEq(v.member(guardian).until(Role.Guardian), c.guardiansUntil);
        assertEq(v.member(otherGuardian).until(Role.Guardian), c.guardiansUntil);
        assertEq(v.member(keeper).until(Role.Keeper), c.grants[0].until);
        assertEq(v.member(proposer).until(Role.Proposer), c.grants[1].until);
        assertEq(v.member(keeper).until(Role.Proposer), 0);
        for (uint256 i = 0; i < c.signers.length; ++i) {
            assertEq(v.member(c.signers[i]).signerEpoch(), 1);
            assertEq(v.member(c.signers[i]).signerIndex(), i);
        }
        assertFalse(v.member(keeper).isSigner());
    }

    function test_constructor_knowsAndBlocks() external {
        assertStanding(vault, known, Standing.Known);
        assertStanding(vault, payee, Standing.Unknown);
        assertStanding(vault, address(0), Standing.Blocked);
        assertStanding(vault, address(vault), Standing.Blocked);
        assertStanding(vault, address(usdt), Standing.Blocked);
    }

    function test_constructor_emitsEverything() external {
        Configuration memory c = configuration();
        c.successor = makeAddr("successor");
        address next = Deploy.theFactory().vaultAddress(Deploy.vaultCode(), c);
        Tier memory none;

        vm.expectEmit(next);
        emit IVault.VaultCreated(c.token, c.unit, c.hardCeiling, c.policyDelayFloor);
        for (uint256 k = 0; k < 3; ++k) {
            vm.expectEmit(next);
            emit IVault.TierSet(k, none, c.tiers[k]);
        }
        vm.expectEmit(next);
        emit IVault.PolicyDelaySet(0, c.policyDelay);
        vm.expectEmit(next);
        emit IVault.SignersSet(1, new address[](0), c.signers, 0, c.threshold);
        vm.expectEmit(next);
        emit IVault.RoleSet(guardian, Role.Guardian, 0, c.guardiansUntil);
        vm.expectEmit(next);
        emit IVault.RoleSet(otherGuardian, Role.Guardian, 0, c.guardiansUntil);
        vm.expectEmit(next);
        emit IVault.RoleSet(keeper, Role.Keeper, 0, c.grants[0].until);
        vm.expectEmit(next);
        emit IVault.RoleSet(proposer, Role.Proposer, 0, c.grants[1].until);
        vm.expectEmit(next);
        emit IVault.RecipientSet(known, Standing.Unknown, Standing.Known);
        vm.expectEmit(next);
        emit IVault.SuccessorSet(address(0), c.successor);
        vm.recordLogs();
        Deploy.vault(c);
        assertEq(vm.getRecordedLogs().length, 12 + 1); // one is the factory's
    }

    function test_constructor_saysNothingOfNoSuccessor() external {
        Configuration memory c = configuration();
        vm.recordLogs();
        IVault v = Deploy.twin(c);
        assertEq(vm.getRecordedLogs().length, 11 + 1); // one is the factory's
        assertEq(v.successor(), address(0));
    }

    // ── Bounds ───────────────────────────────────────────────────────────────────────────────────────────────────

    function test_constructor_RevertWhen_TokenIsNoContract() external {
        Configuration memory c = configuration();
        c.token = stranger;
        refuse(c, abi.encodeWithSelector(IVault.VaultTokenInvalid.selector, stranger));
        c.token = address(0);
        refuse(c, abi.encodeWithSelector(IVault.VaultTokenInvalid.selector, address(0)));
    }

    /// @notice A contract that is no token would make every payment impossible.
    function test_constructor_RevertWhen_TokenIsNoToken() external {
        Configuration memory c = configuration();
        c.token = address(this);
        refuse(c, abi.encodeWithSelector(TokenCall.TokenBalanceUnreadable.selector, address(this)));
    }

    function test_constructor_boundsUnit() external {
        Configuration memory c = configuration();
        c.unit = 0;
        refuse(c, outOfRange(Policy.Field.Unit, 0, 0, 1, type(uint96).max));
        c.unit = uint128(type(uint96).max) + 1;
        refuse(c, outOfRange(Policy.Field.Unit, 0, c.unit, 1, type(uint96).max));
        c.unit = type(uint96).max;
        (c.hardCeiling, c.tiers) = (c.unit, oneTier(c.unit));
        accept(c);
        c.unit = 1;
        (c.hardCeiling, c.tiers) = (c.unit, oneTier(c.unit));
        accept(c);
    }

    function test_constructor_boundsHardCeiling() external {
        Configuration memory c = configuration();
        uint256 most = UNIT * MAX_CAP;
        c.hardCeiling = 0;
        refuse(c, outOfRange(Policy.Field.HardCeiling, 0, 0, UNIT, most));
        c.hardCeiling = uint128(most) + UNIT;
        refuse(c, outOfRange(Policy.Field.HardCeiling, 0, c.hardCeiling, UNIT, most));
        c.hardCeiling = uint128(most) - 1;
        refuse(c, notMultiple(Policy.Field.HardCeiling, 0, c.hardCeiling));
        (c.hardCeiling, c.tiers) = (uint128(most), oneTier(uint128(most)));
        IVault v = accept(c);
        assertEq(v.headroom(0), most);
        (c.hardCeiling, c.tiers) = (UNIT, oneTier(UNIT));
        v = accept(c);
        assertEq(v.headroom(0), UNIT);
    }

    function test_constructor_boundsPolicyDelayFloor() external {
        Configuration memory c = configuration();
        c.policyDelayFloor = 1 days - 1;
        refuse(c, outOfRange(Policy.Field.PolicyDelayFloor, 0, c.policyDelayFloor, 1 days, MAX_DELAY));
        c.policyDelayFloor = uint32(MAX_DELAY) + 1;
        refuse(c, outOfRange(Policy.Field.PolicyDelayFloor, 0, c.policyDelayFloor, 1 days, MAX_DELAY));
        (c.policyDelayFloor, c.policyDelay) = (uint32(MAX_DELAY), uint32(MAX_DELAY));
        accept(c);
        (c.policyDelayFloor, c.policyDelay) = (1 days, 1 days);
        accept(c);
    }

    function test_constructor_boundsPolicyDelay() external {
        Configuration memory c = configuration();
        c.policyDelayFloor = 2 days;
        c.policyDelay = 2 days - 1;
        refuse(c, outOfRange(Policy.Field.PolicyDelay, 0, c.policyDelay, 2 days, MAX_DELAY));
        c.policyDelay = uint32(MAX_DELAY) + 1;
        refuse(c, outOfRange(Policy.Field.PolicyDelay, 0, c.policyDelay, 2 days, MAX_DELAY));
        c.policyDelay = 2 days;
        accept(c);
        c.policyDelay = uint32(MAX_DELAY);
        accept(c);
    }

    // ── Counts ───────────────────────────────────────────────────────────────────────────────────────────────────

    function test_constructor_boundsSigners() external {
        Configuration memory c = configuration();
        c.signers = new address[](0);
        refuse(c, outOfRange(Policy.Field.SignerCount, 0, 0, 1, 32));
        c.signers = crowd(33);
        refuse(c, outOfRange(Policy.Field.SignerCount, 0, 33, 1, 32));
        c.signers = crowd(32);
        (c.threshold, c.tiers[2].approvals) = (32, 32);
        IVault v = accept(c);
        assertEq(v.member(c.signers[31]).signerIndex(), 31);
        (c.signers, c.threshold, c.tiers) = (crowd(1), 1, oneTier(UNIT));
        c.tiers[0].approvals = 1;
        accept(c);
    }

    function test_constructor_boundsThreshold() external {
        Configuration memory c = configuration();
        c.threshold = 0;
        refuse(c, outOfRange(Policy.Field.Threshold, 0, 0, 1, 3));
        c.threshold = 4;
        refuse(c, outOfRange(Policy.Field.Threshold, 0, 4, 1, 3));
        c.threshold = 1;
        accept(c);
        c.threshold = 3;
        accept(c);
    }

    function test_constructor_boundsTierCount() external {
        Configuration memory c = configuration();
        c.tiers = new Tier[](0);
        refuse(c, outOfRange(Policy.Field.TierCount, 0, 0, 1, 4));
        c.tiers = new Tier[](5);
        refuse(c, outOfRange(Policy.Field.TierCount, 0, 5, 1, 4));
        c.tiers = new Tier[](4);
        for (uint256 k = 0; k < 4; ++k) {
            c.tiers[k] = Tier(UNIT, UNIT, UNIT, 3, 1 days);
        }
        accept(c);
        c.tiers = oneTier(UNIT);
        accept(c);
    }

    // ── Rows ─────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_constructor_RevertWhen_LimitIsNotMultipleOfUnit() external {
        for (uint256 k = 0; k < 3; ++k) {
            Configuration memory c = configuration();
            c.tiers[k].maxKnown += 1;
            refuse(c, notMultiple(Policy.Field.MaxKnown, k, c.tiers[k].maxKnown));
            c = configuration();
            c.tiers[k].maxUnknown += 1;
            refuse(c, notMultiple(Policy.Field.MaxUnknown, k, c.tiers[k].maxUnknown));
            c = configuration();
            c.tiers[k].cap += UNIT - 1;
            refuse(c, notMultiple(Policy.Field.Cap, k, c.tiers[k].cap));
        }
    }

    function test_constructor_boundsCap() external {
        for (uint256 k = 0; k < 3; ++k) {
            Configuration memory c = configuration();
            c.tiers[k].cap = 0;
            refuse(c, outOfRange(Policy.Field.Cap, k, 0, UNIT, CEILING));
            c.tiers[k].cap = CEILING + UNIT;
            refuse(c, outOfRange(Policy.Field.Cap, k, c.tiers[k].cap, UNIT, CEILING));
        }
    }

    function test_constructor_boundsSumOfCaps() external {
        Configuration memory c = configuration();
        uint128 others = c.tiers[0].cap + c.tiers[1].cap;
        c.tiers[2].cap = CEILING - others + UNIT;
        refuse(c, outOfRange(Policy.Field.CapSum, 0, CEILING + UNIT, UNIT, CEILING));
        c.tiers[2].cap = CEILING - others;
        accept(c);
    }

    function test_constructor_boundsMaxKnown() external {
        Configuration memory c = configuration();
        c.tiers[0].maxKnown = 0;
        refuse(c, outOfRange(Policy.Field.MaxKnown, 0, 0, UNIT, CAP_0));
        c.tiers[0].maxKnown = CAP_0 + UNIT;
        refuse(c, outOfRange(Policy.Field.MaxKnown, 0, CAP_0 + UNIT, UNIT, CAP_0));
        c.tiers[0].maxKnown = CAP_0;
        accept(c);
        (c.tiers[0].maxKnown, c.tiers[0].maxUnknown) = (UNIT, UNIT);
        accept(c);
    }

    function test_constructor_maxKnownNeverFalls() external {
        Configuration memory c = configuration();
        c.tiers[1].maxKnown = KNOWN_0 - UNIT;
        refuse(c, outOfRange(Policy.Field.MaxKnown, 1, KNOWN_0 - UNIT, KNOWN_0, c.tiers[1].cap));
        (c.tiers[1].maxKnown, c.tiers[1].maxUnknown) = (KNOWN_0, KNOWN_0);
        accept(c);
    }

    function test_constructor_boundsMaxUnknown() external {
        Configuration memory c = configuration();
        c.tiers[0].maxUnknown = KNOWN_0 + UNIT;
        refuse(c, outOfRange(Policy.Field.MaxUnknown, 0, KNOWN_0 + UNIT, 0, KNOWN_0));
        c.tiers[0].maxUnknown = KNOWN_0;
        accept(c);
        c.tiers[0].maxUnknown = 0;
        accept(c);
    }

    function test_constructor_maxUnknownNeverFalls() external {
        Configuration memory c = configuration();
        c.tiers[1].maxUnknown = UNKNOWN_0 - UNIT;
        refuse(c, outOfRange(Policy.Field.MaxUnknown, 1, UNKNOWN_0 - UNIT, UNKNOWN_0, c.tiers[1].maxKnown));
        c.tiers[1].maxUnknown = UNKNOWN_0;
        accept(c);
    }

    function test_constructor_boundsApprovals() external {
        Configuration memory c = configuration();
        c.tiers[1].approvals = 4;
        c.tiers[2].approvals = 4;
        refuse(c, outOfRange(Policy.Field.Approvals, 1, 4, 0, 3));
        (c.tiers[1].approvals, c.tiers[2].approvals) = (3, 3);
        accept(c);
        c.tiers[2].approvals = 4;
        refuse(c, outOfRange(Policy.Field.Approvals, 2, 4, 2, 3));
    }

    function test_constructor_approvalsNeverFall() external {
        Configuration memory c = configuration();
        c.tiers[0].approvals = 3;
        refuse(c, outOfRange(Policy.Field.Approvals, 1, 2, 3, 32));
        c.tiers[0].approvals = 2;
        accept(c);
        (c.threshold, c.tiers[1].approvals, c.tiers[2].approvals) = (1, 3, 2);
        refuse(c, outOfRange(Policy.Field.Approvals, 2, 2, 3, 32));
    }

    function test_constructor_topTierNeedsThreshold() external {
        Configuration memory c = configuration();
        (c.threshold, c.tiers[2].approvals) = (3, 2);
        refuse(c, outOfRange(Policy.Field.Approvals, 2, 2, 3, 3));
        (c.threshold, c.tiers[2].approvals) = (2, 2);
        accept(c);
    }

    function test_constructor_boundsDelay() external {
        Configuration memory c = configuration();
        c.tiers[2].delay = uint32(MAX_DELAY) + 1;
        refuse(c, outOfRange(Policy.Field.Delay, 2, MAX_DELAY + 1, 1 hours, MAX_DELAY));
        c.tiers[2].delay = uint32(MAX_DELAY);
        accept(c);
        c.tiers[2].delay = 1 hours - 1;
        refuse(c, outOfRange(Policy.Field.Delay, 2, 1 hours - 1, 1 hours, MAX_DELAY));
        c.tiers[2].delay = 1 hours;
        accept(c);
    }

    // ── Addresses ────────────────────────────────────────────────────────────────────────────────────────────────

    function test_constructor_RevertWhen_SignerInvalid() external {
        Configuration memory c = configuration();
        address[] memory bad = badAddresses();
        for (uint256 i = 0; i < bad.length; ++i) {
            c.signers[1] = bad[i];
            refuse(c, addressInvalid(bad[i]));
        }
        c.signers[1] = alice;
        refuse(c, addressInvalid(alice));
    }

    function test_constructor_RevertWhen_GuardianInvalid() external {
        Configuration memory c = configuration();
        address[] memory bad = badAddresses();
        for (uint256 i = 0; i < bad.length; ++i) {
            c.guardians[1] = bad[i];
            refuse(c, addressInvalid(bad[i]));
        }
        c.guardians[1] = guardian;
        refuse(c, addressInvalid(guardian));
    }

    function test_constructor_boundsGuardians() external {
        Configuration memory c = configuration();
        c.guardians = new address[](0);
        refuse(c, outOfRange(Policy.Field.GuardianCount, 0, 0, 1, 16));
        c.guardians = crowd(17);
        refuse(c, outOfRange(Policy.Field.GuardianCount, 0, 17, 1, 16));
        c.guardians = crowd(16);
        assertEq(accept(c).guardians(), crowd(16));
        c.guardians = crowd(1);
        assertEq(accept(c).guardians(), crowd(1));
    }

    function test_constructor_boundsGuardiansUntil() external {
        Configuration memory c = configuration();
        uint40[4] memory bad = [0, START, START + 400 days + 1, type(uint40).max];
        for (uint256 i = 0; i < bad.length; ++i) {
            c.guardiansUntil = bad[i];
            refuse(c, outOfRange(Policy.Field.GrantUntil, 0, bad[i], START + 1, START + 400 days));
        }
        c.guardiansUntil = START + 1;
        assertEq(accept(c).member(guardian).until(Role.Guardian), START + 1);
        c.guardiansUntil = START + 400 days;
        assertEq(accept(c).member(guardian).until(Role.Guardian), START + 400 days);
    }

    function test_constructor_boundsGrants() external {
        Configuration memory c = configuration();
        uint40[3] memory bad = [0, START, START + 400 days + 1];
        for (uint256 i = 0; i < bad.length; ++i) {
            c.grants[1].until = bad[i];
            refuse(c, outOfRange(Policy.Field.GrantUntil, 1, bad[i], START + 1, START + 400 days));
        }
        c.grants[1].until = START + 1;
        assertEq(accept(c).member(proposer).until(Role.Proposer), START + 1);
        c.grants[1].until = START + 400 days;
        assertEq(accept(c).member(proposer).until(Role.Proposer), START + 400 days);
    }

    function test_constructor_RevertWhen_GrantInvalid() external {
        Configuration memory c = configuration();
        address[] memory bad = badAddresses();
        for (uint256 i = 0; i < bad.length; ++i) {
            c.grants[0].account = bad[i];
            refuse(c, addressInvalid(bad[i]));
        }
        c.grants[0] = Grant(stranger, Role.Guardian, START + 1 days);
        refuse(c, abi.encodeWithSelector(IVault.VaultRoleNotGrantable.selector, Role.Guardian));
        c.grants[0] = c.grants[1];
        refuse(c, abi.encodeWithSelector(IVault.VaultRoleStale.selector, proposer, Role.Proposer, 0, c.grants[1].until));
    }

    function test_constructor_grantsBothRolesToOne() external {
        Configuration memory c = configuration();
        c.grants[0] = Grant(alice, Role.Keeper, START + 1 days);
        c.grants[1] = Grant(alice, Role.Proposer, START + 2 days);
        IVault v = accept(c);
        assertEq(v.member(alice).until(Role.Keeper), START + 1 days);
        assertEq(v.member(alice).until(Role.Proposer), START + 2 days);
        assertTrue(v.member(alice).isSigner());
    }

    function test_constructor_RevertWhen_KnownInvalid() external {
        Configuration memory c = configuration();
        address[] memory bad = badAddresses();
        for (uint256 i = 0; i < bad.length; ++i) {
            c.known[0] = bad[i];
            refuse(c, addressInvalid(bad[i]));
        }
        c.known = addresses(known, known);
        refuse(c, abi.encodeWithSelector(IVault.VaultStandingStale.selector, known, Standing.Unknown, Standing.Known));
    }

    function test_constructor_RevertWhen_SuccessorInvalid() external {
        Configuration memory c = configuration();
        c.successor = address(usdt);
        refuse(c, addressInvalid(address(usdt)));
    }

    /// @dev With a factory, the vault's address comes from its configuration, which so cannot name it.
    function test_constructor_RevertWhen_VaultItself() external {
        Configuration memory c = configuration();
        c.signers[1] = nextVault();
        refuseItself(c, c.signers[1]);
        c = configuration();
        c.guardians[1] = nextVault();
        refuseItself(c, c.guardians[1]);
        c = configuration();
        c.grants[0].account = nextVault();
        refuseItself(c, c.grants[0].account);
        c = configuration();
        c.known[0] = nextVault();
        refuseItself(c, c.known[0]);
        c = configuration();
        c.successor = nextVault();
        refuseItself(c, c.successor);
    }

    // ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    function refuse(Configuration memory c, bytes memory reason) private {
        vm.expectRevert(reason);
        Deploy.vault(c);
    }

    function accept(Configuration memory c) private returns (IVault v) {
        v = Deploy.twin(c);
        assertEq(v.policyDelay(), c.policyDelay);
        assertEq(v.threshold(), c.threshold);
        assertEq(v.signers(), c.signers);
        assertEq(v.tierCount(), c.tiers.length);
        for (uint256 k = 0; k < c.tiers.length; ++k) {
            assertEq(abi.encode(v.tier(k)), abi.encode(c.tiers[k]), "tier");
        }
    }

    function assertStanding(IVault v, address recipient, Standing expected) private view {
        assertEq(uint8(v.standingOf(recipient)), uint8(expected));
    }

    function refuseItself(Configuration memory c, address itself) private {
        vm.expectRevert(addressInvalid(itself));
        Deploy.byConstructor(c);
    }

    /// @dev Where a vault goes that is created without a factory. A refused creation uses up a place too.
    function nextVault() private view returns (address) {
        return vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
    }

    function badAddresses() private view returns (address[] memory) {
        return addresses(address(0), address(usdt));
    }

    function oneTier(uint128 limit) private pure returns (Tier[] memory rows) {
        rows = new Tier[](1);
        rows[0] = Tier(limit, limit, limit, 3, 1 days);
    }
}
