// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVaultFactory} from "./interfaces/IVaultFactory.sol";
import {Configuration} from "./types/VaultTypes.sol";

/// @title VaultFactory
/// @notice Creates vaults by CREATE2: see IVaultFactory for what their addresses promise.
/// @dev The address commits to the configuration twice, by the salt and by the constructor's arguments in the init code. The second
/// alone would do; the first makes it a rule that is seen here.
contract VaultFactory is IVaultFactory {
    /// @inheritdoc IVaultFactory
    bytes32 public immutable creationCodeHash;
    /// @inheritdoc IVaultFactory
    mapping(address vault => bytes32 hash) public configurationHashOf;

    constructor(bytes32 hash) {
        creationCodeHash = hash;
    }

    /// @inheritdoc IVaultFactory
    function create(bytes calldata creationCode, Configuration calldata configuration)
        external
        returns (address vault)
    {
        bytes32 salt = configurationHash(configuration);
        bytes memory initCode = _initCode(creationCode, configuration);
        address expected = _addressOf(salt, initCode);
        if (expected.code.length != 0) revert VaultFactoryAlreadyDeployed(expected, salt);
        assembly ("memory-safe") {
            vault := create2(0, add(initCode, 0x20), mload(initCode), salt)
            // The constructor's own error is passed on.
            if iszero(or(vault, iszero(returndatasize()))) {
                let free := mload(0x40)
                returndatacopy(free, 0, returndatasize())
                revert(free, returndatasize())
            }
        }
        if (vault == address(0)) revert VaultFactoryCreationFailed(expected);
        configurationHashOf[vault] = salt;
        emit VaultDeployed(vault, salt, configuration.token, msg.sender);
    }

    /// @inheritdoc IVaultFactory
    function vaultAddress(bytes calldata creationCode, Configuration calldata configuration)
        external
        view
        returns (address)
    {
        return _addressOf(configurationHash(configuration), _initCode(creationCode, configuration));
    }

    /// @inheritdoc IVaultFactory
    function isVault(address account) external view returns (bool) {
        return configurationHashOf[account] != 0;
    }

    /// @inheritdoc IVaultFactory
    function configurationHash(Configuration calldata configuration) public pure returns (bytes32) {
        return keccak256(abi.encode(configuration));
    }

    /// @dev What CREATE2 runs: the one creation code, and the constructor's argument.
    function _initCode(bytes calldata creationCode, Configuration calldata configuration)
        private
        view
        returns (bytes memory)
    {
        bytes32 given = keccak256(creationCode);
        if (given != creationCodeHash) revert VaultFactoryCodeInvalid(given, creationCodeHash);
        return bytes.concat(creationCode, abi.encode(configuration));
    }

    /// @dev EIP-1014.
    function _addressOf(bytes32 salt, bytes memory initCode) private view returns (address) {
        bytes32 hash = keccak256(abi.encodePacked(bytes1(0xff), address(this), salt, keccak256(initCode)));
        return address(uint160(uint256(hash)));
    }
}
