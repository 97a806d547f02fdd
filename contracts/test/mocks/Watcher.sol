// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Hot} from "../../src/types/Hot.sol";
import {Member} from "../../src/types/Member.sol";
import {Proposal} from "../../src/types/Proposal.sol";
import {Tier} from "../../src/types/VaultTypes.sol";
import {ITestToken} from "./TestToken.sol";

/// @notice Reads all that a vault shows in one call, as one list of words.
contract Watcher {
    uint256 private constant MAX_TIERS = 4;

    uint256[] private _words;

    /// @notice Never called in a transaction that stays: it collects in storage.
    function look(
        IVault vault,
        bytes32[] calldata ids,
        uint64[] calldata numbers,
        address[] calldata accounts,
        ITestToken[] calldata tokens
    ) external returns (uint256[] memory) {
        _policy(vault);
        for (uint256 i = 0; i < ids.length; ++i) {
            _proposal(vault, ids[i]);
        }
        for (uint256 i = 0; i < numbers.length; ++i) {
            _words.push(vault.isPaid(numbers[i]) ? 1 : 0);
        }
        for (uint256 i = 0; i < accounts.length; ++i) {
            _account(vault, accounts[i], tokens);
        }
        return _words;
    }

    function _policy(IVault vault) private {
        uint256 hot = Hot.unwrap(vault.hot());
        _push(_bits(hot, 0, 36), _bits(hot, 36, 36), _bits(hot, 72, 24));
        _push(vault.threshold(), vault.policyDelay(), vault.termsChangedAt());
        _words.push(uint160(vault.successor()));
        uint256 count = vault.tierCount();
        _words.push(count);
        for (uint256 k = 0; k < MAX_TIERS; ++k) {
            Tier memory t;
            if (k < count) t = vault.tier(k);
            _push(t.maxKnown, t.maxUnknown, t.cap);
            _push(t.approvals, t.delay, vault.headroom(k));
        }
        _list(vault.signers());
        _list(vault.guardians());
    }

    function _proposal(IVault vault, bytes32 id) private {
        uint256 word = Proposal.unwrap(vault.proposal(id));
        _push(uint256(vault.stateOf(id)), _count(_bits(word, 0, 32)), _count(_bits(word, 32, 32)));
        _push(_bits(word, 64, 24), _bits(word, 88, 36), _bits(word, 124, 36));
    }

    function _account(IVault vault, address account, ITestToken[] calldata tokens) private {
        uint256 word = Member.unwrap(vault.member(account));
        _push(_bits(word, 0, 40), _bits(word, 40, 40), _bits(word, 80, 40));
        _push(_bits(word, 120, 40), _bits(word, 160, 24), _bits(word, 184, 8));
        _words.push(uint256(vault.standingOf(account)));
        for (uint256 i = 0; i < tokens.length; ++i) {
            _words.push(tokens[i].balanceOf(account));
        }
    }

    function _list(address[] memory list) private {
        _words.push(list.length);
        for (uint256 i = 0; i < list.length; ++i) {
            _words.push(uint160(list[i]));
        }
    }

    function _push(uint256 a, uint256 b, uint256 c) private {
        _words.push(a);
        _words.push(b);
        _words.push(c);
    }

    function _bits(uint256 word, uint256 offset, uint256 width) private pure returns (uint256) {
        return (word >> offset) & ((1 << width) - 1);
    }

    function _count(uint256 bits) private pure returns (uint256 count) {
        for (; bits != 0; bits &= bits - 1) {
            ++count;
        }
    }
}
