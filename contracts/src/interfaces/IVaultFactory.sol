// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Configuration} from "../types/VaultTypes.sol";

/// @title IVaultFactory
/// @notice Creates vaults of one code, at addresses that say which configuration they were created with.
///
/// A vault's address follows from the factory's address, the vault's code and the whole configuration, and from nothing else:
/// not from who creates it, when, or on which chain. So the address can be announced before the vault is there, it is
/// the same on every chain for the same configuration (the token's address is part of it), and whoever comes first can
/// only create that very vault. The factory itself is created through the deterministic deployer
/// 0x4e59b44847b379578588920cA78FbF26c0B4956C, so that its address too is the same everywhere.
///
/// The factory has no owner, takes no fee, and has no power over what it made. It does not hold the vault's creation code,
/// which is larger than code on a chain may be: whoever creates a vault hands it in, and it must be the one code.
interface IVaultFactory {
    /// @notice A vault was created.
    /// @param vault Its address.
    /// @param configurationHash keccak256 of the ABI encoding of its configuration.
    /// @param token The token that it holds.
    /// @param creator Who called; it has no rights in the vault by that.
    event VaultDeployed(
        address indexed vault, bytes32 indexed configurationHash, address indexed token, address creator
    );

    /// @notice Code was handed in that is not the creation code of the vaults made here.
    error VaultFactoryCodeInvalid(bytes32 given, bytes32 expected);
    /// @notice The vault of that configuration is there already.
    error VaultFactoryAlreadyDeployed(address vault, bytes32 configurationHash);
    /// @notice The creation failed without saying why: not enough gas, or a configuration so long that code and configuration
    /// exceed what the chain takes.
    error VaultFactoryCreationFailed(address vault);

    /// @notice keccak256 of the creation code that every vault made here has.
    function creationCodeHash() external view returns (bytes32);

    /// @notice Hash of the configuration that a vault was created with; zero for what was not made here.
    function configurationHashOf(address vault) external view returns (bytes32);

    /// @notice Whether the vault was made here.
    function isVault(address account) external view returns (bool);

    /// @notice keccak256 of the ABI encoding of a configuration: the salt of its vault's address.
    function configurationHash(Configuration calldata configuration) external pure returns (bytes32);

    /// @notice Where the vault of a configuration is or will be.
    /// @param creationCode The vault's creation code, of which the address is a hash; any other is refused.
    function vaultAddress(bytes calldata creationCode, Configuration calldata configuration)
        external
        view
        returns (address);

    /// @notice Creates the vault of a configuration. Anybody may. Reverts with what the vault's constructor reverts with if it
    /// refuses the configuration.
    /// @param creationCode The vault's creation code, without arguments.
    function create(bytes calldata creationCode, Configuration calldata configuration) external returns (address vault);
}
