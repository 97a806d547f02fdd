// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice What an order states of a batch beside its context, packed as payments are:
///
///     bytes 0   firstNumber  8   number of the first payment
///           8   expiresAt    5   first second at which nothing of the batch can be paid any more
///           13  tier         1   row of the release policy that the batch is paid under
type OrderHead is bytes14;

using OrderHeadFields for OrderHead global;

/// @notice Fields of `OrderHead`.
library OrderHeadFields {
    /// @notice An order's head.
    function pack(uint64 first, uint40 expiry, uint8 index) internal pure returns (OrderHead) {
        return OrderHead.wrap(bytes14(abi.encodePacked(first, expiry, index)));
    }

    function firstNumber(OrderHead o) internal pure returns (uint256) {
        return uint64(bytes8(OrderHead.unwrap(o)));
    }

    function expiresAt(OrderHead o) internal pure returns (uint256) {
        return uint40(uint112(OrderHead.unwrap(o)) >> 8);
    }

    function tier(OrderHead o) internal pure returns (uint256) {
        return uint8(uint112(OrderHead.unwrap(o)));
    }
}
