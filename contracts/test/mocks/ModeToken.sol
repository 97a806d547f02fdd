// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "./TestToken.sol";

interface IModeTokenHook {
    /// @notice Called while a transfer is under way, before the money moves.
    function onTransfer() external;
}

/// @notice A token that turns from one behaviour to another at any time, and writes down what moved.
contract ModeToken is TestToken {
    enum Mode {
        Plain, // returns true
        Silent, // returns nothing, as USDT on Ethereum
        False, // moves the money and returns false, as USDT on Tron
        Paused, // reverts
        BlackListed, // reverts: the sender is on the blacklist
        FeeInside, // the recipient gets one base unit less
        FeeOnTop, // the sender is charged one base unit more
        Short, // moves one base unit less
        Nothing, // returns true and moves nothing
        Reenter // calls the hook first
    }

    /// @notice A transfer that did not revert. `debited` is what the sender's balance fell by. [base units]
    struct Sent {
        address to;
        uint256 amount;
        uint256 debited;
    }

    address public constant FEE_COLLECTOR = address(0xFEE);

    Mode public mode;
    IModeTokenHook public hook;
    mapping(address recipient => bool) public refuses;
    Sent[] private _sent;

    error ModeTokenPaused();
    error ModeTokenBlackListed();
    error ModeTokenRefused();

    constructor() TestToken("Mode", "MODE") {}

    function setMode(Mode next, IModeTokenHook nextHook) external {
        (mode, hook) = (next, nextHook);
    }

    /// @notice Whether transfers to one recipient revert, in every mode.
    function setRefuses(address recipient, bool yes) external {
        refuses[recipient] = yes;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        require(mode != Mode.Paused, ModeTokenPaused());
        require(mode != Mode.BlackListed, ModeTokenBlackListed());
        require(!refuses[to], ModeTokenRefused());
        if (mode == Mode.Reenter) hook.onTransfer();
        uint256 balance = balanceOf(msg.sender);
        _move(to, value);
        _sent.push(Sent(to, value, balance - balanceOf(msg.sender)));
        if (mode == Mode.Silent) {
            assembly ("memory-safe") {
                return(0, 0)
            }
        }
        return mode != Mode.False;
    }

    /// @notice Transfers from the `first` on, oldest first.
    function sentSince(uint256 first) external view returns (Sent[] memory list) {
        list = new Sent[](_sent.length - first);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = _sent[first + i];
        }
    }

    function sentCount() external view returns (uint256) {
        return _sent.length;
    }

    function _move(address to, uint256 value) private {
        if (mode == Mode.Nothing) return;
        if (mode == Mode.FeeInside || mode == Mode.FeeOnTop) _transfer(msg.sender, FEE_COLLECTOR, 1);
        _transfer(msg.sender, to, mode == Mode.FeeInside || mode == Mode.Short ? value - 1 : value);
    }
}
