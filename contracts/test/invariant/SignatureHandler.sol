// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, ChangeKind, State, Vote} from "../../src/types/VaultTypes.sol";
import {SECP256K1_ORDER} from "../Secp256k1.sol";
import {Eip712} from "../unit/Eip712.sol";
import {ChangeHandler} from "./ChangeHandler.sol";
import {GhostLog} from "./GhostLog.sol";
import {GhostVotes} from "./GhostVotes.sol";
import {IntrudingSigner} from "./IntrudingSigner.sol";

/// @notice Votes that somebody brings: of any signers, in any order, doubled, and now and then one that must not count.
abstract contract SignatureHandler is ChangeHandler {
    /// @notice What a signature is good for.
    enum Sign {
        Right,
        OtherEpoch, // of the signer set before
        OtherSigner, // made with somebody else's key
        OtherContent, // for another batch or change
        OtherVault, // for the same, in another vault
        HighS // the other root of a right one
    }

    /// @dev A vote, and whether it ought to count.
    struct Ballot {
        Vote vote;
        Sign sign;
    }

    /// @notice How often votes with a signature of that kind were judged, by key holders and by the contract in its moods.
    mapping(Sign => uint256) public judged;
    mapping(IntrudingSigner.Mood => uint256) public asked;

    // ── Actions ──────────────────────────────────────────────────────────────────────────────────────────────────

    function payBySig(uint256 seed) external step {
        uint256 tier = _oneIn(4, seed, "odd tier") ? _roll(seed, "tier", 5) : _undelayed();
        (Batch memory b, bytes memory packed) = _newBatch(seed, tier, _oneIn(4, seed, "lower"));
        if (_oneIn(24, seed, "proposed")) (b, packed) = _oldBatch(seed, b, packed);
        GhostVotes.Item memory item;
        (item.id, item.batch, item.content) = (vault.hashBatch(b), b, packed);
        if (_oneIn(8, seed, "revoked before")) _revoke(_signer(seed), item.id);
        _payBySig(_mostlyExecutor(seed), item, _ballots(seed, item));
        // What failed, what is asked for twice, and votes that somebody takes back in between.
        if (!_oneIn(3, seed, "again")) return;
        seed = _next(seed);
        if (_oneIn(2, seed, "revoked between")) _revoke(_signer(seed), item.id);
        _payBySig(_mostlyExecutor(seed), item, _ballots(seed, item));
    }

    function proposeBySig(uint256 seed) external step {
        uint256 count = ghost.tierCount();
        uint256 tier =
            _oneIn(8, seed, "odd tier") || count == 1 ? _roll(seed, "tier", 5) : 1 + _roll(seed, "tier", count - 1);
        (Batch memory b, bytes memory packed) = _newBatch(seed, tier, _oneIn(8, seed, "lower"));
        if (_oneIn(16, seed, "twice")) (b, packed) = _oldBatch(seed, b, packed);
        GhostVotes.Item memory item = _itemOf(b, packed);
        if (_oneIn(8, seed, "revoked before")) _revoke(_signer(seed), item.id);
        Ballot[] memory list = _ballots(seed, item);
        bytes memory reason = _predictProposed(item.id, b, packed);
        bytes memory data = abi.encodeCall(IVault.proposeBySig, (orderOf(b), packed, _votesOf(list)));
        _openBySig(_anyone(seed), item, list, data, reason);
    }

    function proposeChangeBySig(uint256 seed) external step {
        GhostVotes.Item memory item = _newChange(seed, ChangeKind(_roll(seed, "change", 8)));
        if (_oneIn(8, seed, "revoked before")) _revoke(_signer(seed), item.id);
        Ballot[] memory list = _ballots(seed, item);
        bytes memory reason = _predictNewChange(item);
        bytes memory data = abi.encodeCall(IVault.proposeChangeBySig, (item.kind, item.content, _votesOf(list)));
        _openBySig(_anyone(seed), item, list, data, reason);
    }

    function approveBySig(uint256 seed) external step {
        bytes32 id = _pick(seed, false, State.Proposed);
        if (id != 0) _bringVotes(seed, id);
    }

    function approveChangeBySig(uint256 seed) external step {
        bytes32 id = _pick(seed, true, State.Proposed);
        if (id != 0) _bringVotes(seed, id);
    }

    /// @notice The contract among the signers changes its mind; mostly it comes to its senses.
    function setMood(uint256 seed) external step {
        uint256 moods = uint256(type(IntrudingSigner.Mood).max) + 1;
        bool strange = _oneIn(2, seed, "strange");
        IntrudingSigner.Mood next =
            strange ? IntrudingSigner.Mood(_roll(seed, "mood", moods)) : IntrudingSigner.Mood.Intrudes;
        intruder.setMood(next, vault);
    }

    // ── Calls ────────────────────────────────────────────────────────────────────────────────────────────────────

    function _payBySig(address caller, GhostVotes.Item memory item, Ballot[] memory list) private {
        (Batch memory b, bytes memory packed) = (item.batch, item.content);
        _tryNumbers(b);
        uint256 required = ghost.tier(b.tier).approvals;
        (bytes memory reason, address[] memory fresh) = _judge(item, list, required, 0, false);
        Outcome memory o = _predictPayBySig(caller, item, reason, fresh.length, required);
        GhostLog.Release memory r;
        (r.id, r.bySig, r.expiresAt) = (item.id, true, b.expiresAt);
        (r.votes, r.required) = (fresh.length, required);
        _release(caller, abi.encodeCall(IVault.payBySig, (orderOf(b), packed, _votesOf(list))), b, packed, o, r);
    }

    /// @dev `reason` is why nothing is proposed whoever votes.
    function _openBySig(
        address caller,
        GhostVotes.Item memory item,
        Ballot[] memory list,
        bytes memory data,
        bytes memory reason
    ) private {
        if (reason.length == 0 && list.length == 0) {
            reason = abi.encodeWithSelector(IVault.VaultVotesMissing.selector);
        }
        (bytes memory why, address[] memory fresh) = _judge(item, list, item.required, item.delay, true);
        if (reason.length == 0) reason = why;
        if (reason.length == 0 && item.instant && fresh.length >= item.required) reason = _predictTighten(item);
        (bool done,) = _call(caller, data, reason);
        if (!done) return;
        if (fresh.length != 0) item.proposedBy = fresh[0];
        ghost.open(item, time);
        _writeVotes(item.id, fresh);
    }

    /// @dev Brings votes for an open proposal, in one call.
    function _bringVotes(uint256 seed, bytes32 id) internal {
        GhostVotes.Item memory item = ghost.itemOf(id);
        Ballot[] memory list = _ballots(seed, item);
        Vote[] memory votes = _votesOf(list);
        bytes memory data = item.isChange
            ? abi.encodeCall(IVault.approveChangeBySig, (item.kind, item.content, votes))
            : abi.encodeCall(IVault.approveBySig, (item.batch, votes));
        bytes memory reason;
        if (!ghost.isOpen(id, time)) reason = _stateInvalid(id);
        else if (list.length == 0) reason = abi.encodeWithSelector(IVault.VaultVotesMissing.selector);
        (uint256 required, uint256 delay) = ghost.terms(id);
        bool starts = !ghost.isRunning(id);
        (bytes memory why, address[] memory fresh) = _judge(item, list, required, delay, true);
        starts = starts && ghost.votes(id) + fresh.length >= required;
        if (reason.length == 0) reason = why;
        if (reason.length == 0 && fresh.length == 0) {
            reason = abi.encodeWithSelector(IVault.VaultAlreadyApproved.selector, id, list[0].vote.signer);
        }
        if (reason.length == 0 && starts && item.instant) reason = _predictTighten(item);
        (bool done,) = _call(_anyone(seed), data, reason);
        if (done) _writeVotes(id, fresh);
    }

    /// @dev Votes that ought to count, and no others, whatever the vault made of them.
    function _writeVotes(bytes32 id, address[] memory fresh) private {
        for (uint256 i = 0; i < fresh.length; ++i) {
            if (!ghost.hasVote(id, fresh[i])) ghost.vote(id, fresh[i], time);
        }
        _settle(id);
    }

    /// @dev Of something proposed or not: the caller's signatures count no more.
    function _revoke(address caller, bytes32 id) internal {
        bytes memory reason = _predictVote(caller, id);
        if (ghost.stateOf(id, time) == State.None && ghost.isSigner(caller)) reason = "";
        if (reason.length == 0 && !ghost.hasVote(id, caller) && ghost.hasRevoked(id, caller)) {
            reason = abi.encodeWithSelector(IVault.VaultNotApproved.selector, id, caller);
        }
        (bool done,) = _call(caller, abi.encodeCall(IVault.revoke, (id)), reason);
        if (done) ghost.unvote(id, caller);
    }

    // ── Predictions ──────────────────────────────────────────────────────────────────────────────────────────────

    function _predictVote(address caller, bytes32 id) internal view returns (bytes memory reason) {
        if (!ghost.isSigner(caller)) return abi.encodeWithSelector(IVault.VaultNotSigner.selector, caller);
        if (!ghost.isOpen(id, time)) reason = _stateInvalid(id);
    }

    /// @dev What the votes of one call come to: why they are refused, and whose ought to count beside those that do.
    /// @param clocked Whether they start a delay, which must fit the life that is left.
    function _judge(GhostVotes.Item memory item, Ballot[] memory list, uint256 required, uint256 delay, bool clocked)
        private
        returns (bytes memory reason, address[] memory fresh)
    {
        fresh = new address[](list.length);
        (uint256 n, uint256 counted) = (0, ghost.votes(item.id));
        bool runs = !clocked || item.instant || ghost.isRunning(item.id);
        for (uint256 i = 0; i < list.length; ++i) {
            address signer = list[i].vote.signer;
            if (ghost.isSigner(signer) && (ghost.hasVote(item.id, signer) || _isIn(fresh, signer))) continue;
            bytes memory why = _predictBallot(item.id, list[i]);
            if (reason.length == 0) _note(list[i]);
            if (why.length == 0) {
                fresh[n++] = signer;
                ++counted;
                if (!runs && counted >= required) {
                    runs = true;
                    why = _predictLife(item.expiresAt, delay + SETTLE);
                }
            }
            if (reason.length == 0) reason = why;
        }
        assembly ("memory-safe") {
            mstore(fresh, n)
        }
    }

    function _predictBallot(bytes32 id, Ballot memory ballot) private view returns (bytes memory) {
        address signer = ballot.vote.signer;
        if (!ghost.isSigner(signer)) return abi.encodeWithSelector(IVault.VaultNotSigner.selector, signer);
        if (ghost.hasRevoked(id, signer)) return abi.encodeWithSelector(IVault.VaultVoteRevoked.selector, id, signer);
        bool agrees = signer != address(intruder) || intruder.agrees();
        if (ballot.sign == Sign.Right && agrees) return "";
        return abi.encodeWithSelector(IVault.VaultSignatureInvalid.selector, signer);
    }

    function _note(Ballot memory ballot) private {
        if (ballot.vote.signer == address(intruder)) ++asked[intruder.mood()];
        else ++judged[ballot.sign];
    }

    /// @dev `why` is what the votes are refused for, and `count` how many ought to count.
    function _predictPayBySig(
        address caller,
        GhostVotes.Item memory item,
        bytes memory why,
        uint256 count,
        uint256 required
    ) private view returns (Outcome memory o) {
        Batch memory b = item.batch;
        o.reason = _predictTier(caller, b.tier);
        if (o.reason.length == 0) o.reason = _predictLife(b.expiresAt, 1);
        if (o.reason.length == 0) o.reason = _predictContent(b, item.content, NUMBERS_END);
        State state = ghost.stateOf(item.id, time);
        if (o.reason.length == 0 && state != State.None) {
            o.reason = abi.encodeWithSelector(IVault.VaultAlreadyProposed.selector, item.id, state);
        }
        if (o.reason.length == 0) o.reason = why;
        if (o.reason.length == 0 && count < required) {
            o.reason = abi.encodeWithSelector(IVault.VaultVotesShort.selector, item.id, count, required);
        }
        if (o.reason.length != 0) return o;
        uint256 tries = _unpaid(b);
        if (tries == 0) return _fails(abi.encodeWithSelector(IVault.VaultNothingToPay.selector, item.id));
        return _predictRelease(b, item.content, tries);
    }

    function _predictTier(address caller, uint256 tier) private view returns (bytes memory reason) {
        reason = _predictExecutor(caller);
        if (reason.length == 0) reason = _predictApprovals(tier);
        uint256 delay = ghost.tier(tier).delay;
        if (reason.length == 0 && delay != 0) {
            reason = abi.encodeWithSelector(IVault.VaultTierDelayed.selector, tier, delay);
        }
    }

    // ── Making votes ─────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev Votes of some of today's signers in any order; now and then one twice, one of anybody, or none at all.
    function _ballots(uint256 seed, GhostVotes.Item memory item) private view returns (Ballot[] memory list) {
        address[] memory signers = _voters(seed);
        uint256 count = signers.length;
        bool twice = count != 0 && _oneIn(6, seed, "doubled");
        list = new Ballot[](twice ? count + 1 : count);
        Sign sign = _oneIn(8, seed, "late") ? Sign.OtherEpoch : Sign.Right; // all of them, brought too late
        for (uint256 i = 0; i < count; ++i) {
            list[i] = _ballot(signers[i], sign, item);
        }
        if (count != 0 && _oneIn(4, seed, "wrong vote")) _spoilVote(seed, list[_roll(seed, "which", count)], item);
        if (twice) list[count] = list[_roll(seed, "copied", count)];
    }

    function _voters(uint256 seed) private view returns (address[] memory) {
        address[] memory signers = ghost.signers();
        if (_oneIn(24, seed, "none")) return new address[](0);
        uint256 count = _oneIn(2, seed, "all") ? signers.length : 1 + _roll(seed, "voters", signers.length);
        return _slice(signers, _roll(seed, "first voter", signers.length), count);
    }

    function _ballot(address signer, Sign sign, GhostVotes.Item memory item) private view returns (Ballot memory) {
        return Ballot(Vote(signer, _signature(signer, sign, item)), sign);
    }

    /// @dev Makes it a vote that must not count: of somebody else, or with another signature.
    function _spoilVote(uint256 seed, Ballot memory b, GhostVotes.Item memory item) private view {
        b.sign = Sign(_roll(seed, "sign", uint256(type(Sign).max) + 1));
        if (b.sign == Sign.Right) b.vote.signer = _anyone(seed);
        b.vote.signature = _signature(b.vote.signer, b.sign, item);
    }

    function _signature(address signer, Sign sign, GhostVotes.Item memory item) private view returns (bytes memory) {
        address verifier = sign == Sign.OtherVault ? address(this) : address(vault);
        uint24 epoch = uint24(sign == Sign.OtherEpoch ? ghost.era() - 1 : ghost.era());
        bytes32 digest = item.isChange
            ? Eip712.vote(verifier, signer, epoch, item.kind, _content(sign, item))
            : Eip712.vote(verifier, signer, epoch, _header(sign, item.batch));
        if (signer == address(intruder)) {
            return abi.encode(sign == Sign.OtherSigner || sign == Sign.HighS ? ~digest : digest);
        }
        uint256 key = _keys[signer];
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(sign == Sign.OtherSigner ? key + 1 : key, digest);
        if (sign == Sign.HighS) (v, s) = (v ^ 7, bytes32(SECP256K1_ORDER - uint256(s))); // 27 and 28
        return abi.encodePacked(r, s, v);
    }

    /// @dev For another change: the last word of each but one kind is its expiry, which the other has a second later.
    function _content(Sign sign, GhostVotes.Item memory item) private pure returns (bytes memory content) {
        content = bytes.concat(item.content);
        if (sign != Sign.OtherContent) return content;
        assembly ("memory-safe") {
            let last := add(content, mload(content))
            mstore(last, xor(mload(last), 1))
        }
    }

    function _header(Sign sign, Batch memory b) private pure returns (Batch memory other) {
        other = abi.decode(abi.encode(b), (Batch));
        if (sign == Sign.OtherContent) ++other.total;
    }

    function _votesOf(Ballot[] memory list) private pure returns (Vote[] memory votes) {
        votes = new Vote[](list.length);
        for (uint256 i = 0; i < list.length; ++i) {
            votes[i] = list[i].vote;
        }
    }

    /// @dev The batch of a proposal, if there is one.
    function _oldBatch(uint256 seed, Batch memory b, bytes memory packed)
        private
        view
        returns (Batch memory, bytes memory)
    {
        bytes32 old = _pick(seed, false, State.Expired);
        return old == 0 ? (b, packed) : (ghost.itemOf(old).batch, ghost.itemOf(old).content);
    }

    /// @dev A tier that asks for votes and has no delay, if there is one.
    function _undelayed() private view returns (uint256) {
        uint256 count = ghost.tierCount();
        for (uint256 k = 0; k < count; ++k) {
            if (ghost.tier(k).delay == 0 && ghost.tier(k).approvals != 0) return k;
        }
        return count - 1;
    }

    function _isIn(address[] memory list, address account) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] == account) return true;
        }
        return false;
    }
}
