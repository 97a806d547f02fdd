// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @dev Order of secp256k1 (SEC 2, 2.4.1): with `s` also `SECP256K1_ORDER - s` and the other `v` sign the same digest.
uint256 constant SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
