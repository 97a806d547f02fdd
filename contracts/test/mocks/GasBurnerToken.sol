// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "./TestToken.sol";

/// @notice Runs out of gas, like a proxy's implementation that does.
contract Furnace {
    function burn() external pure {
        assembly ("memory-safe") {
            invalid()
        }
    }
}

/// @notice Wastes the payer's gas on chosen recipients, as a token that was upgraded to something hostile could.
contract GasBurnerToken is TestToken {
    enum Burn {
        None, // an honest transfer
        All, // INVALID: every unit of gas given is gone, as in a failed assert of old compilers
        Amount, // burns `quantity` of gas, then pays
        RevertBomb, // reverts with `quantity` bytes of return data
        ReturnBomb, // pays, then returns `quantity` bytes, the first word true
        Almost, // burns all but `quantity` of gas, then reverts
        Nested // an inner contract burns 63/64 of the gas; the token then reverts with what is left
    }

    struct Plan {
        Burn burn;
        uint256 quantity; // [gas] or [bytes]
    }

    Furnace private immutable FURNACE = new Furnace();

    mapping(address recipient => Plan) public plans;

    error GasBurnerTokenNested(uint256 gasLeft);

    constructor() TestToken("Gas burner", "BURN") {}

    function setBurn(address recipient, Burn burn, uint256 quantity) external {
        plans[recipient] = Plan(burn, quantity);
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        Plan memory plan = plans[to];
        if (plan.burn == Burn.All) _burnAll();
        if (plan.burn == Burn.Amount) _burnGas(plan.quantity);
        if (plan.burn == Burn.Almost) _burnAllBut(plan.quantity);
        if (plan.burn == Burn.RevertBomb) _revertBomb(plan.quantity);
        if (plan.burn == Burn.Nested) _burnNested();
        super.transfer(to, value);
        if (plan.burn == Burn.ReturnBomb) _returnBomb(plan.quantity);
        return true;
    }

    function _burnAll() private pure {
        assembly ("memory-safe") {
            invalid()
        }
    }

    function _burnGas(uint256 quantity) private view {
        uint256 start = gasleft();
        while (start - gasleft() < quantity) {}
    }

    function _burnAllBut(uint256 quantity) private view {
        while (gasleft() > quantity) {}
        revert GasBurnerTokenNested(gasleft());
    }

    function _revertBomb(uint256 size) private pure {
        assembly ("memory-safe") {
            revert(0, size)
        }
    }

    function _returnBomb(uint256 size) private pure {
        assembly ("memory-safe") {
            mstore(0, 1)
            return(0, size)
        }
    }

    function _burnNested() private view {
        try FURNACE.burn() {} catch {}
        revert GasBurnerTokenNested(gasleft());
    }
}
