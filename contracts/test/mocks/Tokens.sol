// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BscToken} from "./BscToken.sol";
import {ITetherLike} from "./ITetherLike.sol";
import {ITestToken} from "./TestToken.sol";
import {TronToken} from "./TronToken.sol";
import {Vm} from "forge-std/Vm.sol";

/// @notice Deploys the tokens a vault meets in the wild. The misbehaving ones are deployed with `new`.
library Tokens {
    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice Built by scripts/build-tether.
    string internal constant TETHER_ARTIFACT = "target/contracts/tether/TetherLike.json";

    error TokensNotGiven(address token, address to, uint256 amount);

    /// @notice USDT on Ethereum, 6 decimals, nothing issued yet.
    function deployTether() internal returns (ITetherLike) {
        return ITetherLike(VM.deployCode(TETHER_ARTIFACT, abi.encode(uint256(0), "Tether USD", "USDT", uint256(6))));
    }

    /// @notice USDT on BSC, 18 decimals.
    function deployBsc() internal returns (ITestToken) {
        return new BscToken();
    }

    /// @notice USDT on Tron, 6 decimals.
    function deployTron() internal returns (TronToken) {
        return new TronToken();
    }

    /// @notice Issues to the owner, who must be the caller, and passes it on; before any fee is set.
    function give(ITetherLike token, address to, uint256 amount) internal {
        uint256 before = token.balanceOf(to);
        token.issue(amount);
        token.transfer(to, amount);
        require(token.balanceOf(to) == before + amount, TokensNotGiven(address(token), to, amount));
    }
}
