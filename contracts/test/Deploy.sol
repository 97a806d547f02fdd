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

    /// @notice Creates a vault; reverts with what its constructor reverts with.
    function vault(Configuration memory c) internal returns (IVault) {
        return IVault(_create(bytes.concat(vaultCode(), abi.encode(c))));
    }

    /// @notice The vault's creation code, without arguments; TIDELOCK_VAULT names another artefact than the one of this build.
    function vaultCode() internal view returns (bytes memory) {
        return VM.getCode(VM.envOr("TIDELOCK_VAULT", string("Vault.sol:Vault")));
    }

    /// @notice A factory of vaults.
    function factory() internal returns (IVaultFactory) {
        bytes memory code =
            bytes.concat(VM.getCode("VaultFactory.sol:VaultFactory"), abi.encode(keccak256(vaultCode())));
        return IVaultFactory(_create(code));
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
