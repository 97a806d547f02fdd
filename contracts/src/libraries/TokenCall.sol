// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title TokenCall
/// @notice The two calls the vault makes to a token that it does not trust.
/// @dev Return data is never copied beyond 32 bytes and, for a transfer, never believed: USDT returns nothing on
/// Ethereum and `false` on success on Tron. The caller judges by balances.
library TokenCall {
    /// @notice The token answered `balanceOf` with a revert or with fewer than 32 bytes.
    error TokenBalanceUnreadable(address token);

    /// @notice Balance of `account`. [base units]
    function balanceOf(address token, address account) internal view returns (uint256 amount) {
        bool answered;
        assembly ("memory-safe") {
            mstore(0x00, 0x70a08231) // balanceOf(address)
            mstore(0x20, account)
            answered := staticcall(gas(), token, 0x1c, 0x24, 0x00, 0x20)
            answered := and(answered, gt(returndatasize(), 31))
            amount := mload(0x00)
        }
        if (!answered) revert TokenBalanceUnreadable(token);
    }

    /// @notice Calls `transfer(to, amount)`. True if the call did not revert, which alone proves nothing.
    function tryTransfer(address token, address to, uint256 amount) internal returns (bool succeeded) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(0x00, 0xa9059cbb) // transfer(address,uint256)
            mstore(0x20, to)
            mstore(0x40, amount)
            succeeded := call(gas(), token, 0, 0x1c, 0x44, 0x00, 0x20)
            mstore(0x40, free)
        }
    }

    /// @notice The first 32 bytes that the last call returned, zero-padded.
    function returned() internal pure returns (bytes32 word) {
        assembly ("memory-safe") {
            let size := returndatasize()
            if gt(size, 32) { size := 32 }
            mstore(0x00, 0)
            returndatacopy(0x00, 0, size)
            word := mload(0x00)
        }
    }
}
