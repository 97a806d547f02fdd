// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {OrderHeadFields} from "../../src/types/OrderHead.sol";
import {Batch, ChangeKind, Configuration, Grant, Order, Role, State, Tier, Vote} from "../../src/types/VaultTypes.sol";
import {Deploy} from "../Deploy.sol";
import {IModeTokenHook, ModeToken} from "../mocks/ModeToken.sol";
import {Ghost} from "./Ghost.sol";
import {IntrudingSigner} from "./IntrudingSigner.sol";
import {Rebuilt} from "./Rebuilt.sol";
import {CommonBase} from "forge-std/Base.sol";
import {VmSafe} from "forge-std/Vm.sol";

/// @notice A vault, its people and its ghost. Every call to the vault has a predicted outcome; any other reverts here.
abstract contract HandlerBase is CommonBase, IModeTokenHook {
    uint256 internal constant USDT = 1e6;
    uint128 internal constant UNIT = 10_000; // 0.01 USDT
    uint256 internal constant SETTLE = 29 hours;
    uint256 internal constant MAX_LIFE = 30 days;
    uint256 internal constant FUNDS = 400_000 * USDT;
    uint256 internal constant CEILING = 1_000_000 * USDT;

    IVault public immutable vault;
    ModeToken public immutable token;
    ModeToken public immutable stray; // another token, to be swept
    IntrudingSigner public immutable intruder; // one of the people, and a contract
    Ghost public immutable ghost;

    /// @notice Block time; `block.timestamp` may be read once a call and go stale after a jump.
    uint256 public time;
    /// @notice How often a function succeeded, or an error was the answer, by selector.
    mapping(bytes4 selector => uint256) public hits;
    /// @notice How often a function was refused, by selector.
    mapping(bytes4 selector => uint256) public refused;
    /// @notice Calls from inside a transfer that the lock did not stop.
    uint256 public reentered;

    address[] internal _people; // whoever may come to hold a role or a vote, and one who never does
    mapping(address person => uint256) internal _keys;
    address[] internal _payees;
    address private _caller; // of the call under way
    bytes private _data;
    Rebuilt private _reader; // zero for none

    error HandlerUnpredicted(address caller, bytes data, bytes predicted, bytes returned);

    /// @dev An action: at the handler's time, and afterwards the vault's states are looked at.
    modifier step() {
        vm.warp(time);
        _;
        _observe();
    }

    constructor() {
        time = 1_800_000_000;
        vm.warp(time);
        for (uint256 i = 0; i < 12; ++i) {
            uint256 key = 0xA11CE000 + 2 * i; // keys beside these are nobody's
            _people.push(vm.addr(key));
            _keys[_people[i]] = key;
        }
        intruder = new IntrudingSigner();
        _people[3] = address(intruder);
        (token, stray) = (new ModeToken(), new ModeToken());
        Configuration memory c = _configuration();
        vault = Deploy.vault(c);
        ghost = new Ghost(c, address(vault), time);
        for (uint256 i = 0; i < 9; ++i) {
            _payees.push(_payee(i));
        }
        (_payees[6], _payees[7], _payees[8]) = (address(0), address(vault), address(token));
        token.mint(address(vault), FUNDS);
    }

    /// @notice From now on every log of the vault, and all that were recorded before, are read by `reader`.
    function setReader(Rebuilt reader) external {
        _reader = reader;
        reader.read(vm.getRecordedLogs(), address(vault), time);
    }

    function people() external view returns (address[] memory) {
        return _people;
    }

    function payees() external view returns (address[] memory) {
        return _payees;
    }

    // ── Calls ────────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev Calls the vault; `reason` is the predicted revert data, empty for success.
    function _call(address caller, bytes memory data, bytes memory reason)
        internal
        returns (bool success, bytes memory returned)
    {
        (_caller, _data) = (caller, data);
        vm.prank(caller);
        (success, returned) = address(vault).call(data);
        if (success != (reason.length == 0) || (!success && keccak256(returned) != keccak256(reason))) {
            _unpredicted(caller, data, reason, returned);
        }
        ++hits[bytes4(success ? data : returned)];
        if (!success) ++refused[bytes4(data)];
        if (address(_reader) == address(0)) return (success, returned);
        VmSafe.Log[] memory logs = vm.getRecordedLogs(); // those of a call that reverted too
        if (success) _reader.read(logs, address(vault), time);
    }

    /// @dev What is written down afterwards is what happened, so that without this the invariants alone must notice.
    function _unpredicted(address caller, bytes memory data, bytes memory predicted, bytes memory returned)
        internal
        pure
    {
        revert HandlerUnpredicted(caller, data, predicted, returned);
    }

    /// @inheritdoc IModeTokenHook
    function onTransfer() external {
        ++hits[IModeTokenHook.onTransfer.selector];
        bytes memory none;
        Batch memory b;
        _intrude(_caller, _data);
        _intrude(_holder(0, Role.Keeper), abi.encodeCall(IVault.pay, (orderOf(b), none)));
        _intrude(_signer(0), abi.encodeCall(IVault.propose, (orderOf(b), none)));
        _intrude(_signer(0), abi.encodeCall(IVault.approve, (b)));
        _intrude(_signer(0), abi.encodeCall(IVault.execute, (orderOf(b), none, 0)));
        _intrude(_signer(0), abi.encodeCall(IVault.proposeChange, (ChangeKind.Sweep, new bytes(96))));
        _intrude(_signer(0), abi.encodeCall(IVault.approveChange, (ChangeKind.Sweep, new bytes(96))));
        _intrude(_signer(0), abi.encodeCall(IVault.executeChange, (ChangeKind.Sweep, new bytes(96))));
        Vote[] memory votes;
        _intrude(_signer(0), abi.encodeCall(IVault.payBySig, (orderOf(b), none, votes)));
        _intrude(_signer(0), abi.encodeCall(IVault.proposeBySig, (orderOf(b), none, votes)));
        _intrude(_signer(0), abi.encodeCall(IVault.approveBySig, (b, votes)));
        _intrude(_signer(0), abi.encodeCall(IVault.proposeChangeBySig, (ChangeKind.Sweep, new bytes(96), votes)));
        _intrude(_signer(0), abi.encodeCall(IVault.approveChangeBySig, (ChangeKind.Sweep, new bytes(96), votes)));
        _intrude(_signer(0), abi.encodeCall(IVault.revoke, (0)));
        _intrude(_signer(0), abi.encodeCall(IVault.freeze, ()));
        address guardian = _holder(0, Role.Guardian);
        _intrude(guardian, abi.encodeCall(IVault.cancel, (0)));
        _intrude(guardian, abi.encodeCall(IVault.blockRecipient, (address(1))));
        _intrude(guardian, abi.encodeCall(IVault.revokeRole, (_holder(0, Role.Keeper), Role.Keeper)));
    }

    /// @notice What a call states of a header.
    function orderOf(Batch memory b) public pure returns (Order memory) {
        return Order({context: b.context, head: OrderHeadFields.pack(b.firstNumber, b.expiresAt, b.tier)});
    }

    function _intrude(address caller, bytes memory data) private {
        vm.prank(caller);
        (bool success, bytes memory returned) = address(vault).call(data);
        if (success || bytes4(returned) != IVault.VaultLocked.selector) ++reentered;
    }

    function _observe() internal {
        bytes32[] memory ids = ghost.ids();
        for (uint256 i = 0; i < ids.length; ++i) {
            ghost.observe(ids[i], vault.stateOf(ids[i]));
        }
    }

    // ── Choices ──────────────────────────────────────────────────────────────────────────────────────────────────

    /// @dev A number below `n`; each label draws anew from the same seed.
    function _roll(uint256 seed, string memory label, uint256 n) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, label))) % n;
    }

    /// @dev Another seed from this one.
    function _next(uint256 seed) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed)));
    }

    function _oneIn(uint256 n, uint256 seed, string memory label) internal pure returns (bool) {
        return _roll(seed, label, n) == 0;
    }

    function _anyone(uint256 seed) internal view returns (address) {
        return _people[_roll(seed, "anyone", _people.length)];
    }

    /// @dev Somebody who holds the role now, if anybody does.
    function _holder(uint256 seed, Role role) internal view returns (address) {
        uint256 start = _roll(seed, "holder", _people.length);
        for (uint256 i = 0; i < _people.length; ++i) {
            address candidate = _people[(start + i) % _people.length];
            if (_holds(candidate, role)) return candidate;
        }
        return _people[start];
    }

    function _signer(uint256 seed) internal view returns (address) {
        address[] memory signers = ghost.signers();
        return signers[_roll(seed, "signer", signers.length)];
    }

    /// @dev Mostly one who may, by role or as a signer; now and then just anybody.
    function _mostly(uint256 seed, Role role, bool orSigner) internal view returns (address) {
        if (_oneIn(8, seed, "trespasser")) return _anyone(seed);
        return orSigner && _oneIn(2, seed, "by signer") ? _signer(seed) : _holder(seed, role);
    }

    function _holds(address account, Role role) internal view returns (bool) {
        return time < ghost.until(account, role);
    }

    /// @dev A proposal of the kind in that state if there is one, else any of the kind; zero if there is none.
    function _pick(uint256 seed, bool isChange, State wanted) internal view returns (bytes32 found) {
        bytes32[] memory ids = ghost.ids();
        if (ids.length == 0) return 0;
        uint256 start = _roll(seed, "pick", ids.length);
        bool choosy = !_oneIn(8, seed, "unchoosy");
        for (uint256 i = 0; i < ids.length; ++i) {
            bytes32 id = ids[(start + i) % ids.length];
            if (ghost.isChange(id) != isChange) continue;
            if (found == 0) found = id;
            if (choosy && ghost.stateOf(id, time) == wanted) return id;
        }
    }

    // ── Beginning ────────────────────────────────────────────────────────────────────────────────────────────────

    function _payee(uint256 i) private pure returns (address) {
        return address(uint160(0xFAFE000 + i));
    }

    /// @dev Limits near the caps, so that caps fill up; people 0–3 sign, 4–5 keep, 6–7 propose, 8–9 guard.
    function _configuration() private view returns (Configuration memory c) {
        uint40 end = uint40(time + 300 days);
        c.token = address(token);
        c.unit = UNIT;
        c.hardCeiling = uint128(CEILING);
        c.policyDelayFloor = 1 days;
        c.policyDelay = 1 days;
        c.threshold = 2;
        c.signers = _slice(_people, 0, 4);
        c.tiers = new Tier[](4);
        c.tiers[0] = Tier(uint128(10_000 * USDT), uint128(1000 * USDT), uint128(30_000 * USDT), 0, 0);
        c.tiers[1] = Tier(uint128(20_000 * USDT), uint128(5000 * USDT), uint128(60_000 * USDT), 2, 0);
        c.tiers[2] = Tier(uint128(50_000 * USDT), uint128(20_000 * USDT), uint128(120_000 * USDT), 2, 1 hours);
        c.tiers[3] = Tier(uint128(200_000 * USDT), uint128(200_000 * USDT), uint128(500_000 * USDT), 3, 1 days);
        c.guardians = _slice(_people, 8, 2);
        c.guardiansUntil = end;
        c.grants = new Grant[](4);
        for (uint256 i = 0; i < 4; ++i) {
            c.grants[i] = Grant(_people[4 + i], i < 2 ? Role.Keeper : Role.Proposer, end);
        }
        c.known = new address[](2);
        (c.known[0], c.known[1]) = (_payee(0), _payee(1));
    }

    function _slice(address[] memory list, uint256 first, uint256 count) internal pure returns (address[] memory part) {
        part = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            part[i] = list[(first + i) % list.length];
        }
    }
}
