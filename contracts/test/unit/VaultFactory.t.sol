// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {IVaultFactory} from "../../src/interfaces/IVaultFactory.sol";
import {Policy} from "../../src/libraries/Policy.sol";
import {Configuration} from "../../src/types/VaultTypes.sol";
import {Deploy} from "../Deploy.sol";
import {VaultTest} from "../VaultTest.sol";

contract VaultFactoryTest is VaultTest {
    /// @dev The deterministic deployer, which forge puts on every chain that it makes.
    address private constant DEPLOYER = 0x4e59b44847b379578588920cA78FbF26c0B4956C;

    /// @dev Ways in which `_differ` makes a configuration another.
    uint256 private constant FIELDS = 22;

    IVaultFactory private factory;
    bytes private code;

    function setUp() public override {
        super.setUp();
        factory = Deploy.factory();
        code = Deploy.vaultCode();
    }

    function _codeAndArguments(Configuration memory c) private view returns (bytes32) {
        return keccak256(bytes.concat(code, abi.encode(c)));
    }

    function test_create() external {
        Configuration memory c = configuration();
        bytes32 hash = keccak256(abi.encode(c));
        address expected = vm.computeCreate2Address(hash, _codeAndArguments(c), address(factory));
        assertEq(factory.vaultAddress(code, c), expected, "announced");
        assertEq(factory.configurationHash(c), hash, "hash");
        assertFalse(factory.isVault(expected), "not yet");

        vm.expectEmit(address(factory));
        emit IVaultFactory.VaultDeployed(expected, hash, address(usdt), stranger);
        vm.prank(stranger);
        assertEq(factory.create(code, c), expected, "created");

        assertTrue(factory.isVault(expected), "made here");
        assertEq(factory.configurationHashOf(expected), hash, "its configuration");
        IVault made = IVault(expected);
        assertEq(made.signers(), c.signers, "signers");
        assertEq(made.guardians(), c.guardians, "guardians");
        assertEq(made.tierCount(), 3, "tiers");
        assertEq(made.token(), address(usdt), "token");
    }

    function test_isVault_SaysNoOfOthers() external view {
        assertFalse(factory.isVault(address(vault)), "made by another factory");
        assertFalse(factory.isVault(address(0)), "nobody");
        assertFalse(factory.isVault(address(factory)), "itself");
    }

    function test_create_RevertWhen_AlreadyDeployed() external {
        Configuration memory c = configuration();
        address made = factory.create(code, c);
        bytes32 hash = factory.configurationHash(c);
        vm.expectRevert(abi.encodeWithSelector(IVaultFactory.VaultFactoryAlreadyDeployed.selector, made, hash));
        factory.create(code, c);
        c.threshold = 3; // anything else in it is another vault
        assertNotEq(factory.create(code, c), made, "another");
    }

    function test_create_RevertWhen_CodeIsAnother() external {
        Configuration memory c = configuration();
        bytes memory other = bytes.concat(code, hex"00");
        vm.expectRevert(_codeInvalid(other));
        factory.create(other, c);
        vm.expectRevert(_codeInvalid(other));
        factory.vaultAddress(other, c);
        other = code;
        other[0] ^= 0x01;
        vm.expectRevert(_codeInvalid(other));
        factory.create(other, c);
        vm.expectRevert(_codeInvalid(""));
        factory.create("", c);
    }

    function _codeInvalid(bytes memory given) private view returns (bytes memory) {
        return abi.encodeWithSelector(IVaultFactory.VaultFactoryCodeInvalid.selector, keccak256(given), keccak256(code));
    }

    /// @notice Part of the creation code moved into what follows it is no other way to the same init code.
    function test_create_RevertWhen_CodeIsCutShort() external {
        bytes memory short = new bytes(code.length - 1);
        for (uint256 i = 0; i < short.length; ++i) {
            short[i] = code[i];
        }
        vm.expectRevert(_codeInvalid(short));
        factory.create(short, configuration());
    }

    function test_create_RevertWhen_ConfigurationIsRefused() external {
        Configuration memory c = configuration();
        c.threshold = 4;
        vm.expectRevert(abi.encodeWithSelector(Policy.PolicyOutOfRange.selector, Policy.Field.Threshold, 0, 4, 1, 3));
        factory.create(code, c);
        assertFalse(factory.isVault(factory.vaultAddress(code, c)), "nothing made");
        c = configuration();
        c.token = stranger;
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultTokenInvalid.selector, stranger));
        factory.create(code, c);
    }

    function test_create_RevertWhen_GasIsShort() external {
        Configuration memory c = configuration();
        address expected = factory.vaultAddress(code, c);
        // Enough for the hashes and for 1/64 of what the creation lacks; a vault takes millions.
        (bool done, bytes memory returned) =
            address(factory).call{gas: 3_000_000}(abi.encodeCall(IVaultFactory.create, (code, c)));
        assertFalse(done, "too little gas");
        assertEq(returned, abi.encodeWithSelector(IVaultFactory.VaultFactoryCreationFailed.selector, expected));
        assertEq(factory.create(code, c), expected, "and later it can be created");
    }

    /// @notice Same configuration, same address: whoever calls, and whatever chain and time it is.
    function test_vaultAddress_DependsOnNothingElse() external {
        Configuration memory c = configuration();
        address announced = factory.vaultAddress(code, c);
        vm.chainId(56);
        vm.roll(1_000_000);
        skip(200 days);
        vm.prank(stranger);
        assertEq(factory.create(code, c), announced, "address");
    }

    /// @notice Any field that differs makes another address.
    function test_vaultAddress_DependsOnEveryField() external {
        address announced = factory.vaultAddress(code, configuration());
        bytes32 hash = factory.configurationHash(configuration());
        for (uint256 field = 0; field < FIELDS; ++field) {
            Configuration memory c = configuration();
            _differ(c, field);
            assertNotEq(factory.vaultAddress(code, c), announced, "address");
            assertNotEq(factory.configurationHash(c), hash, "hash");
        }
    }

    function _differ(Configuration memory c, uint256 field) private view {
        if (field == 0) c.token = stranger;
        if (field == 1) c.unit += 1;
        if (field == 2) c.hardCeiling += 1;
        if (field == 3) c.policyDelayFloor += 1;
        if (field == 4) c.policyDelay += 1;
        if (field == 5) c.threshold += 1;
        if (field == 6) c.signers[2] = stranger;
        if (field == 7) (c.signers[0], c.signers[1]) = (c.signers[1], c.signers[0]);
        if (field == 8) c.tiers[0].maxKnown += 1;
        if (field == 9) c.tiers[1].maxUnknown += 1;
        if (field == 10) c.tiers[2].cap += 1;
        if (field == 11) c.tiers[1].approvals += 1;
        if (field == 12) c.tiers[2].delay += 1;
        if (field == 13) c.guardians[1] = stranger;
        if (field == 14) c.guardians = addresses(guardian);
        if (field == 15) c.guardiansUntil += 1;
        if (field == 16) c.grants[0].account = stranger;
        if (field == 17) c.grants[0].role = c.grants[1].role;
        if (field == 18) c.grants[1].until += 1;
        if (field == 19) c.known = addresses(stranger);
        if (field == 20) c.known = new address[](0);
        if (field == 21) c.successor = stranger;
    }

    /// @notice The deterministic deployer makes the factory where its code, the vault's code hash and the salt say.
    function test_factoryThroughTheDeployer() external {
        bytes memory creation = bytes.concat(vm.getCode("VaultFactory.sol:VaultFactory"), abi.encode(keccak256(code)));
        bytes32 salt = "tidelock";
        (bool done, bytes memory returned) = DEPLOYER.call(bytes.concat(salt, creation));
        assertTrue(done, "deployed");
        address made = vm.computeCreate2Address(salt, keccak256(creation), DEPLOYER);
        assertEq(address(bytes20(returned)), made, "address");
        assertEq(IVaultFactory(made).creationCodeHash(), keccak256(code), "its code");
        assertEq(made.code, address(factory).code, "whoever deploys it");
    }
}
