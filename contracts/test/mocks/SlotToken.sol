// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITokensReceived} from "./HookToken.sol";
import {TestToken} from "./TestToken.sol";

/// @notice A token that writes a number of new slots with the first transfer to each recipient, beside the balances.
contract SlotToken is TestToken {
    uint256 public slots;

    mapping(address recipient => mapping(uint256 index => uint256)) private _notes;

    constructor() TestToken("Slot", "SLOT") {}

    function setSlots(uint256 count) external {
        slots = count;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        super.transfer(to, value);
        for (uint256 i = 0; i < slots; ++i) {
            _notes[to][i] = 1;
        }
        return true;
    }
}

/// @notice A frame in front of another contract's code: all calls are delegated, failures are passed on.
contract ProxyFrame {
    address private immutable CODE;

    constructor(address code) {
        CODE = code;
    }

    fallback() external {
        address code = CODE;
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, 0, calldatasize())
            let success := delegatecall(gas(), code, free, calldatasize(), 0, 0)
            returndatacopy(free, 0, returndatasize())
            if success { return(free, returndatasize()) }
            revert(free, returndatasize())
        }
    }
}

interface IRegistrar {
    function register() external;
}

/// @notice A recipient that writes a number of new slots when it is told of its money.
contract SlotHook is ITokensReceived {
    uint256 public immutable SLOTS;

    mapping(uint256 index => uint256) private _notes;

    constructor(IRegistrar token, uint256 slots) {
        SLOTS = slots;
        token.register();
    }

    function tokensReceived(address, uint256) external {
        for (uint256 i = 0; i < SLOTS; ++i) {
            _notes[i] = 1;
        }
    }
}
