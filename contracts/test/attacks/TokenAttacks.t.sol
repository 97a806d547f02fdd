// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {
    Batch,
    ChangeKind,
    Configuration,
    Grant,
    Role,
    SuccessorChange,
    SweepChange
} from "../../src/types/VaultTypes.sol";
import {Deploy} from "../Deploy.sol";
import {DoubleEntryToken} from "../mocks/DoubleEntry.sol";
import {ReentrantToken} from "../mocks/ReentrantToken.sol";
import {TetherHostile} from "../mocks/TetherHostile.sol";
import {Accomplice} from "./Accomplice.sol";
import {AttackTest} from "./AttackTest.sol";

/// @notice The token itself, turned against the vault.
contract TokenAttacks is AttackTest {
    bytes private packed = payment(payee, 1000 * USDT, 0);
    Accomplice private accomplice = new Accomplice();
    ReentrantToken private reentrant;
    bytes[] private _entries; // calls that the accomplice makes from inside a transfer

    // ── Re-entrancy ──────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice Executor re-entrancy: an accomplice with every role finds each door locked while the token is called.
    function test_attack24_reentrancy() external {
        _useReentrantToken();
        _prepareEntries();
        for (uint64 i = 0; i < _entries.length; ++i) {
            bytes memory enter = abi.encodeCall(Accomplice.run, (address(vault), _entries[i]));
            reentrant.setCall(address(accomplice), enter, false);
            Batch memory b = header(0, 100 + i, packed);
            accomplice.run(address(vault), abi.encodeCall(IVault.pay, (orderOf(b), packed)));
            assertFalse(reentrant.lastSuccess(), "entered");
            assertEq(reentrant.lastReturn(), abi.encodeWithSelector(IVault.VaultLocked.selector), "reason");
        }
        assertEq(reentrant.calls(), 12, "every mutator was tried");
        assertEq(reentrant.balanceOf(payee), _entries.length * 1000 * USDT, "paid once each");
        // Afterwards the same calls are good: it was the lock that stopped them, and it is open again.
        reentrant.setCall(address(0), "", false);
        for (uint256 i = 0; i < _entries.length; ++i) {
            accomplice.run(address(vault), _entries[i]);
        }
    }

    function _useReentrantToken() private {
        reentrant = new ReentrantToken();
        Configuration memory c = configuration();
        c.token = address(reentrant);
        c.signers = addresses(alice, bob, address(accomplice));
        c.guardians = addresses(address(accomplice));
        c.grants = new Grant[](2);
        c.grants[0] = Grant(address(accomplice), Role.Keeper, START + 365 days);
        c.grants[1] = Grant(proposer, Role.Proposer, START + 365 days);
        vault = Deploy.twin(c);
        reentrant.mint(address(vault), 1_000_000 * USDT);
    }

    /// @dev Twelve calls that are all good, in this order; what they are about is made ready first.
    function _prepareEntries() private {
        Batch memory ready = header(1, UPPER, packed);
        Batch memory pending = header(1, UPPER + 1, packed);
        Batch memory vetoed = header(1, UPPER + 2, packed);
        bytes memory readyChange = _heir();
        bytes memory pendingChange = _heir();
        approvedChange(ChangeKind.Successor, readyChange);
        skip(2 days);
        (ready.expiresAt, pending.expiresAt, vetoed.expiresAt) = (expiry(), expiry(), expiry());
        _propose(ready, alice, bob);
        _propose(pending, alice, alice);
        bytes32 idOfVetoed = _propose(vetoed, alice, alice);
        vm.prank(alice);
        vault.proposeChange(ChangeKind.Successor, pendingChange);
        skip(1 hours);

        _entries.push(abi.encodeCall(IVault.pay, (orderOf(header(0, 0, packed)), packed)));
        _entries.push(abi.encodeCall(IVault.execute, (orderOf(ready), packed, 0)));
        _entries.push(abi.encodeCall(IVault.executeChange, (ChangeKind.Successor, readyChange)));
        _entries.push(abi.encodeCall(IVault.propose, (orderOf(header(1, UPPER + 3, packed)), packed)));
        _entries.push(abi.encodeCall(IVault.proposeChange, (ChangeKind.Successor, _heir())));
        _entries.push(abi.encodeCall(IVault.approve, (pending)));
        _entries.push(abi.encodeCall(IVault.approveChange, (ChangeKind.Successor, pendingChange)));
        _entries.push(abi.encodeCall(IVault.revoke, (vault.hashBatch(pending))));
        _entries.push(abi.encodeCall(IVault.cancel, (idOfVetoed)));
        _entries.push(abi.encodeCall(IVault.blockRecipient, (stranger)));
        _entries.push(abi.encodeCall(IVault.revokeRole, (proposer, Role.Proposer)));
        _entries.push(abi.encodeCall(IVault.freeze, ()));
    }

    function _heir() private returns (bytes memory) {
        return abi.encode(SuccessorChange(address(accomplice), nonce(), expiry()));
    }

    function _propose(Batch memory b, address by, address also) private returns (bytes32 id) {
        vm.prank(by);
        id = vault.propose(orderOf(b), packed);
        if (also == by) return id;
        vm.prank(also);
        vault.approve(b);
    }

    // ── The issuer ───────────────────────────────────────────────────────────────────────────────────────────────

    /// @notice The vault itself on the blacklist: nothing is paid, marked or charged, and later all goes on.
    function test_attack31_vaultOnTheBlacklist() external {
        usdt.addBlackList(address(vault));
        _expectNothingPaid();
        usdt.removeBlackList(address(vault));
        assertEq(pay(0, packed), 1, "paid mask");
    }

    /// @notice Token paused: the same.
    function test_attack32_tokenPaused() external {
        usdt.pause();
        _expectNothingPaid();
        usdt.unpause();
        assertEq(pay(0, packed), 1, "paid mask");
    }

    /// @notice Fee switched on: the recipient bears it; the vault loses what was charged to the cap.
    function test_attack32_feeSwitchedOn() external {
        usdt.setParams(10, 40); // 0.1 %
        assertEq(pay(0, packed), 1, "paid mask");
        assertEq(usdt.balanceOf(payee), 999 * USDT, "received");
        assertEq(usdt.balanceOf(address(vault)), 49_999_000 * USDT, "balance");
        assertEq(vault.headroom(0), 99_000 * USDT, "headroom");
    }

    /// @notice Deprecated to a hostile contract: one that takes too much, or lies that it paid, undoes the batch.
    function test_attack32_deprecatedToHostile() external {
        TetherHostile hostile = new TetherHostile(usdt, stranger);
        usdt.deprecate(address(hostile));
        uint256 balance = 50_000_000 * USDT;
        expectPayRevert(0, packed, _mismatch(balance - 1000 * USDT, balance));
        hostile.setAttack(TetherHostile.Attack.Everything);
        expectPayRevert(0, packed, _mismatch(balance - 1000 * USDT, 0));
        hostile.setAttack(TetherHostile.Attack.Refuse);
        _expectNothingPaid();
        assertEq(usdt.balanceOf(address(vault)), balance, "balance");
        assertEq(usdt.balanceOf(stranger), 0, "loot");
    }

    function _mismatch(uint256 expected, uint256 actual) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IVault.VaultBalanceMismatch.selector, expected, actual);
    }

    function _expectNothingPaid() private {
        bytes32 id = vault.hashBatch(header(0, 0, packed));
        expectPayRevert(0, packed, abi.encodeWithSelector(IVault.VaultNothingPaid.selector, id, bytes32(0)));
        assertFalse(vault.isPaid(0), "number");
        assertEq(vault.headroom(0), 100_000 * USDT, "headroom");
    }

    /// @notice A token with two addresses, swept past the caps by the second: its balance must not move.
    function test_attack50_doubleEntryPoint() external {
        DoubleEntryToken token = new DoubleEntryToken();
        useToken(token);
        enact(ChangeKind.Successor, abi.encode(SuccessorChange(stranger, nonce(), expiry())));
        uint256 balance = token.balanceOf(address(vault));
        expectEnactRevert(
            ChangeKind.Sweep, abi.encode(SweepChange(address(token.SECOND()), nonce(), expiry())), _mismatch(balance, 0)
        );
        expectProposalRevert(
            ChangeKind.Sweep,
            abi.encode(SweepChange(address(token), nonce(), expiry())),
            abi.encodeWithSelector(IVault.VaultSweepOfToken.selector, address(token))
        );
        assertEq(token.balanceOf(stranger), 0, "loot");
    }
}
