// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {VaultLens} from "../src/VaultLens.sol";
import {IVault} from "../src/interfaces/IVault.sol";
import {IVaultFactory} from "../src/interfaces/IVaultFactory.sol";
import {Configuration} from "../src/types/VaultTypes.sol";
import {Vm} from "forge-std/Vm.sol";

/// @notice Creates the contracts from the code that was built for production; tests themselves are compiled otherwise.
library Deploy {
    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice Creates a vault through a test's one factory; reverts with what its constructor reverts with.
    function vault(Configuration memory c) internal returns (IVault) {
        return IVault(theFactory().create(vaultCode(), c));
    }

    /// @notice A vault beside the test's own, or instead of it: a factory makes only one of a configuration, which may be the same.
    function twin(Configuration memory c) internal returns (IVault) {
        return IVault(factory().create(vaultCode(), c));
    }

    /// @notice Creates a vault without a factory: with one, no configuration can name the vault that it makes.
    function byConstructor(Configuration memory c) internal returns (IVault) {
        return IVault(_create(bytes.concat(vaultCode(), abi.encode(c))));
    }

    /// @notice The vault's creation code, without arguments; TIDELOCK_VAULT names another artefact than the one of this build.
    function vaultCode() internal view returns (bytes memory) {
        return VM.getCode(VM.envOr("TIDELOCK_VAULT", string("Vault.sol:Vault")));
    }

    /// @notice A new factory of vaults.
    function factory() internal returns (IVaultFactory) {
        return IVaultFactory(_create(_factoryCode()));
    }

    /// @notice The test's one factory, at an address of its own, which the first use makes.
    function theFactory() internal returns (IVaultFactory) {
        bytes memory code = _factoryCode();
        address place = VM.computeCreate2Address(0, keccak256(code), address(this));
        if (place.code.length == 0) {
            assembly ("memory-safe") {
                place := create2(0, add(code, 0x20), mload(code), 0)
            }
        }
        return IVaultFactory(place);
    }

    function _factoryCode() private view returns (bytes memory) {
        return bytes.concat(VM.getCode("VaultFactory.sol:VaultFactory"), abi.encode(keccak256(vaultCode())));
    }

    function lens() internal returns (VaultLens) {
        return VaultLens(_create(VM.getCode("VaultLens.sol:VaultLens")));
    }

    /// @notice Creates a contract of tests that is built as production is.
    function fromCode(string memory name, bytes memory arguments) internal returns (address) {
        return _create(bytes.concat(VM.getCode(name), arguments));
    }

    function _create(bytes memory code) private returns (address created) {
        assembly ("memory-safe") {
            created := create(0, add(code, 0x20), mload(code))
            if iszero(created) {
                let free := mload(0x40)
                returndatacopy(free, 0, returndatasize())
                revert(free, returndatasize())
            }
        }
    }
}
