// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITetherLike} from "./ITetherLike.sol";
import {TetherUpgraded} from "./TetherUpgraded.sol";

/// @notice A successor that turned hostile: what a stolen owner's key could `deprecate` the token to.
contract TetherHostile is TetherUpgraded {
    enum Attack {
        Nothing, // reports success and moves nothing
        Everything, // takes the sender's whole balance
        Redirect, // debits the right sum and pays the thief instead
        Refuse // reverts
    }

    address public immutable THIEF;
    Attack public attack;

    error TetherHostileRefused();

    constructor(ITetherLike legacy, address thief) TetherUpgraded(legacy) {
        THIEF = thief;
    }

    function setAttack(Attack attack_) external {
        attack = attack_;
    }

    function transferByLegacy(address from, address, uint256 value) external override onlyLegacy {
        require(attack != Attack.Refuse, TetherHostileRefused());
        if (attack == Attack.Everything) _move(from, THIEF, balanceOf(from));
        if (attack == Attack.Redirect) _move(from, THIEF, value);
    }
}
