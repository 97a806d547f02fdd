// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// Both loops are tight: a gas that they waste would make every other contract look better. They allocate nothing, so
// memory is free from 0x80 on.

/// @title BareLoop
/// @notice Pays a list out of its own balance and does nothing else: no rule, no guard, no log. The floor under every
/// batch payment of this token. Anybody may call it; it exists to be measured.
contract BareLoop {
    address private immutable TOKEN;

    constructor(address token) {
        TOKEN = token;
    }

    /// @notice Pays items of 28 bytes: 20 recipient, 8 amount. [base units]
    function pay(bytes calldata items) external {
        address token = TOKEN;
        assembly ("memory-safe") {
            mstore(0x80, shl(224, 0xa9059cbb)) // transfer(address,uint256)
            let end := add(items.offset, items.length)
            for { let item := items.offset } lt(item, end) { item := add(item, 28) } {
                mstore(0x84, shr(96, calldataload(item)))
                mstore(0xa4, shr(192, calldataload(add(item, 20))))
                if iszero(call(gas(), token, 0, 0x80, 0x44, 0, 0)) { revert(0, 0) }
            }
        }
    }
}

/// @title FloorLoop
/// @notice The same loop over payments as a vault has to take them: 48 bytes each, the recipient's standing read from
/// storage, and all of them logged. The least that a vault with these rules can cost, without any of its guards.
contract FloorLoop {
    address private immutable TOKEN;
    mapping(address recipient => uint256 standing) private _standing;

    constructor(address token) {
        TOKEN = token;
    }

    /// @notice Pays items of 48 bytes: 20 recipient, 12 amount [base units], 16 reference. Reverts if a recipient's
    /// standing is not zero.
    function pay(bytes calldata items) external {
        address token = TOKEN;
        assembly ("memory-safe") {
            mstore(0x80, shl(224, 0xa9059cbb)) // transfer(address,uint256)
            mstore(0x20, _standing.slot)
            let end := add(items.offset, items.length)
            for { let item := items.offset } lt(item, end) { item := add(item, 48) } {
                let recipient := shr(96, calldataload(item))
                mstore(0x00, recipient)
                if sload(keccak256(0x00, 0x40)) { revert(0, 0) }
                mstore(0x84, recipient)
                mstore(0xa4, shr(160, calldataload(add(item, 20))))
                if iszero(call(gas(), token, 0, 0x80, 0x44, 0, 0)) { revert(0, 0) }
            }
            calldatacopy(0x80, items.offset, items.length)
            log0(0x80, items.length)
        }
    }
}
