// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vault} from "../../src/Vault.sol";
import {VaultTest} from "../VaultTest.sol";

/// @notice Reads test-fixtures/vectors/*.json and puts a vault where a vector says it is.
abstract contract VectorTest is VaultTest {
    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    string internal json;

    function load(string memory name) internal {
        json = vm.readFile(string.concat("test-fixtures/vectors/", name));
    }

    function exists(uint256 i) internal view returns (bool) {
        return vm.keyExistsJson(json, string.concat("$[", vm.toString(i), "]"));
    }

    /// @notice Path of a field of vector `i`.
    function field(uint256 i, string memory name) internal pure returns (string memory) {
        return string.concat("$[", vm.toString(i), "].", name);
    }

    function numberOf(uint256 i, string memory name) internal view returns (uint256) {
        return vm.parseJsonUint(json, field(i, name));
    }

    function wordOf(uint256 i, string memory name) internal view returns (bytes32) {
        return vm.parseJsonBytes32(json, field(i, name));
    }

    function addressOf(uint256 i, string memory name) internal view returns (address) {
        return vm.parseJsonAddress(json, field(i, name));
    }

    function nameOf(uint256 i) internal view returns (string memory) {
        return vm.parseJsonString(json, field(i, "name"));
    }

    /// @notice Creates the vault at the vector's address on chain `chainId`.
    function deployVault(uint256 i, uint256 chainId) internal {
        vm.chainId(chainId);
        address place = addressOf(i, "vault");
        deployCodeTo("Vault.sol:Vault", abi.encode(configuration()), place);
        vault = Vault(place);
    }

    /// @notice The vector's domain is the one that the vault tells of itself.
    function assertDomain(uint256 i) internal view {
        (, string memory name, string memory version, uint256 chainId, address verifyingContract,,) =
            vault.eip712Domain();
        bytes32 separator = keccak256(
            abi.encode(DOMAIN, keccak256(bytes(name)), keccak256(bytes(version)), chainId, verifyingContract)
        );
        assertEq(separator, wordOf(i, "domainSeparator"), nameOf(i));
    }

    /// @notice Runs `check` for every vector on its own chain, with a vault that was created there and, after that,
    /// with one that was created elsewhere. Returns how many there were.
    function forEach(function(uint256) internal check) internal returns (uint256 count) {
        for (; exists(count); ++count) {
            uint256 chainId = numberOf(count, "chainId");
            uint256[2] memory birthplaces = [chainId, chainId + 1];
            for (uint256 k = 0; k < 2; ++k) {
                uint256 snapshot = vm.snapshotState();
                deployVault(count, birthplaces[k]);
                vm.chainId(chainId);
                assertDomain(count);
                check(count);
                assertTrue(vm.revertToState(snapshot));
            }
        }
    }
}
