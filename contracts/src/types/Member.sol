// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Bits} from "../libraries/Bits.sol";
import {Role} from "./VaultTypes.sol";

/// @notice What the vault knows of one party, packed in one word:
///
///     bits 0   until     3 × 40   first second without the role of keeper, proposer, guardian; 0 for none
///          120 freezeAgainAt 40   when the party may freeze again
///          160 signerEpoch   24   signer set that it belongs to; 0 if it is no signer
///          184 signerIndex    8   bit of its vote in that set
type Member is uint256;

using MemberFields for Member global;

/// @notice Fields of `Member`.
library MemberFields {
    using Bits for uint256;

    function until(Member m, Role role) internal pure returns (uint256) {
        return Member.unwrap(m).get(40 * uint256(role), 40);
    }

    function freezeAgainAt(Member m) internal pure returns (uint256) {
        return Member.unwrap(m).get(120, 40);
    }

    function signerEpoch(Member m) internal pure returns (uint256) {
        return Member.unwrap(m).get(160, 24);
    }

    function signerIndex(Member m) internal pure returns (uint256) {
        return Member.unwrap(m).get(184, 8);
    }

    function isSigner(Member m) internal pure returns (bool) {
        return m.signerEpoch() != 0;
    }

    function withUntil(Member m, Role role, uint256 time) internal pure returns (Member) {
        return Member.wrap(Member.unwrap(m).set(40 * uint256(role), 40, time));
    }

    function withFreezeAgainAt(Member m, uint256 time) internal pure returns (Member) {
        return Member.wrap(Member.unwrap(m).set(120, 40, time));
    }

    function withSigner(Member m, uint256 epoch, uint256 index) internal pure returns (Member) {
        return Member.wrap(Member.unwrap(m).set(160, 24, epoch).set(184, 8, index));
    }
}
