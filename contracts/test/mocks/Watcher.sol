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

    uint256 private constant MAX_WORDS = 4096;

    /// @dev What was read so far.
    struct Book {
        uint256[] words;
        uint256 count;
    }

    function look(
        IVault vault,
        bytes32[] calldata ids,
        uint64[] calldata numbers,
        address[] calldata accounts,
        ITestToken[] calldata tokens
    ) external view returns (uint256[] memory words) {
        words = new uint256[](MAX_WORDS);
        Book memory book = Book(words, 0);
        _policy(book, vault);
        for (uint256 i = 0; i < ids.length; ++i) {
            _proposal(book, vault, ids[i]);
        }
        for (uint256 i = 0; i < numbers.length; ++i) {
            _write(book, vault.isPaid(numbers[i]) ? 1 : 0);
        }
        for (uint256 i = 0; i < accounts.length; ++i) {
            _account(book, vault, accounts[i], tokens);
        }
        uint256 count = book.count;
        assembly ("memory-safe") {
            mstore(words, count)
        }
    }

    function _policy(Book memory book, IVault vault) private view {
        uint256 hot = Hot.unwrap(vault.hot());
        _push(book, _bits(hot, 0, 36), _bits(hot, 36, 36), _bits(hot, 72, 24));
        _push(book, vault.threshold(), vault.policyDelay(), vault.termsChangedAt());
        _write(book, uint160(vault.successor()));
        uint256 count = vault.tierCount();
        _write(book, count);
        for (uint256 k = 0; k < MAX_TIERS; ++k) {
            Tier memory t;
            if (k < count) t = vault.tier(k);
            _push(book, t.maxKnown, t.maxUnknown, t.cap);
            _push(book, t.approvals, t.delay, vault.headroom(k));
        }
        _list(book, vault.signers());
        _list(book, vault.guardians());
    }

    function _proposal(Book memory book, IVault vault, bytes32 id) private view {
        uint256 word = Proposal.unwrap(vault.proposal(id));
        _push(book, uint256(vault.stateOf(id)), _count(_bits(word, 0, 32)), _count(_bits(word, 32, 32)));
        _push(book, _bits(word, 64, 24), _bits(word, 88, 36), _bits(word, 124, 36));
    }

    function _account(Book memory book, IVault vault, address account, ITestToken[] calldata tokens) private view {
        uint256 word = Member.unwrap(vault.member(account));
        _push(book, _bits(word, 0, 40), _bits(word, 40, 40), _bits(word, 80, 40));
        _push(book, _bits(word, 120, 40), _bits(word, 160, 24), _bits(word, 184, 8));
        _write(book, uint256(vault.standingOf(account)));
        for (uint256 i = 0; i < tokens.length; ++i) {
            _write(book, tokens[i].balanceOf(account));
        }
    }

    function _list(Book memory book, address[] memory list) private pure {
        _write(book, list.length);
        for (uint256 i = 0; i < list.length; ++i) {
            _write(book, uint160(list[i]));
        }
    }

    function _push(Book memory book, uint256 a, uint256 b, uint256 c) private pure {
        _write(book, a);
        _write(book, b);
        _write(book, c);
    }

    function _write(Book memory book, uint256 word) private pure {
        book.words[book.count++] = word;
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
