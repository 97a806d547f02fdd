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
    SweepChange,
    Vote
} from "../../src/types/VaultTypes.sol";
import {ReentrantToken} from "../mocks/ReentrantToken.sol";
import {SignedTest} from "./SignedTest.sol";

/// @notice While the vault calls a token, nothing that changes it can be entered, whoever the token calls through.
/// @dev This contract is the token's accomplice: it holds every role, and each of its calls succeeds outside the lock.
contract LockedTest is SignedTest {
    ReentrantToken private token;
    ReentrantToken private other;
    bytes private packed = payment(payee, UNIT, 1);

    string[17] private names = [
        "pay",
        "propose",
        "approve",
        "execute",
        "proposeChange",
        "approveChange",
        "executeChange",
        "revoke",
        "cancel",
        "freeze",
        "blockRecipient",
        "revokeRole",
        "payBySig",
        "proposeBySig",
        "approveBySig",
        "proposeChangeBySig",
        "approveChangeBySig"
    ];

    function configuration() internal override returns (Configuration memory c) {
        c = super.configuration();
        c.signers = addresses(alice, bob, address(this));
        c.guardians = addresses(guardian, address(this));
        Grant[] memory grants = new Grant[](4);
        (grants[0], grants[1]) = (c.grants[0], c.grants[1]);
        grants[2] = Grant(address(this), Role.Keeper, START + 365 days);
        grants[3] = Grant(address(this), Role.Proposer, START + 365 days);
        c.grants = grants;
        c.successor = stranger;
        c.tiers[1].delay = 0; // so that there is something to pay by signatures
    }

    function setUp() public override {
        super.setUp();
        (token, other) = (new ReentrantToken(), new ReentrantToken());
        useToken(token);
        other.mint(address(vault), 1);
    }

    /// @notice What the token calls: passes `call` on to the vault, and its answer back.
    function relay(bytes calldata call) external returns (bytes memory) {
        (bool succeeded, bytes memory returned) = address(vault).call(call);
        if (!succeeded) {
            assembly ("memory-safe") {
                revert(add(returned, 0x20), mload(returned))
            }
        }
        return returned;
    }

    function test_lock_duringPay() external {
        bytes[17] memory calls = _calls();
        Batch memory b = header(0, 900, packed);
        _assertLocked(token, calls, abi.encodeCall(IVault.pay, (orderOf(b), packed)));
    }

    function test_lock_duringExecute() external {
        bytes[17] memory calls = _calls();
        (Batch memory b,) = readyBatch(1, 900, packed);
        _assertLocked(token, calls, abi.encodeCall(IVault.execute, (orderOf(b), packed, 0)));
    }

    function test_lock_duringSweep() external {
        bytes[17] memory calls = _calls();
        bytes memory sweep = abi.encode(SweepChange(address(other), nonce(), expiry()));
        approvedChange(ChangeKind.Sweep, sweep);
        skip(2 days);
        _assertLocked(other, calls, abi.encodeCall(IVault.executeChange, (ChangeKind.Sweep, sweep)));
    }

    /// @dev A token that passes the refusal on has refused the payment, for that reason.
    function test_lock_isTheTokensAnswer() external {
        bytes[17] memory calls = _calls();
        token.setCall(address(this), abi.encodeCall(this.relay, (calls[0])), true);
        Batch memory b = header(0, 900, packed);
        bytes32 id = vault.hashBatch(b);
        bytes32 answer = bytes32(IVault.VaultLocked.selector);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultNothingPaid.selector, id, answer));
        vm.prank(keeper);
        vault.pay(orderOf(b), packed);
    }

    /// @dev Views stay open: a token or a recipient may look.
    function test_lock_leavesViewsOpen() external {
        token.setCall(address(vault), abi.encodeCall(IVault.headroom, (1)), false);
        pay(900, packed);
        assertTrue(token.lastSuccess());
        assertEq(token.lastReturn(), abi.encode(500_000 * USDT));
    }

    /// @dev `outer` makes the vault call `caller`, which tries each of `calls` through this contract.
    function _assertLocked(ReentrantToken caller, bytes[17] memory calls, bytes memory outer) private {
        uint256 state = vm.snapshotState();
        for (uint256 i = 0; i < 17; ++i) {
            this.relay(calls[i]); // would succeed
            vm.revertToState(state);

            caller.setCall(address(this), abi.encodeCall(this.relay, (calls[i])), false);
            vm.prank(keeper);
            (bool succeeded,) = address(vault).call(outer);
            assertTrue(succeeded, names[i]);
            assertEq(caller.calls(), 1, names[i]);
            assertFalse(caller.lastSuccess(), names[i]);
            assertEq(caller.lastReturn(), abi.encodeWithSelector(IVault.VaultLocked.selector), names[i]);
            this.relay(calls[i]); // does succeed once the vault is done
            vm.revertToState(state);
        }
    }

    /// @dev One call per mutator, in the order of `names`, each of which this contract may make.
    function _calls() private returns (bytes[17] memory calls) {
        Batch memory open = header(1, 300, packed);
        bytes32 openId = proposeAs(alice, open, packed);
        Batch memory voted = header(1, 400, packed);
        bytes32 votedId = proposeAs(address(this), voted, packed);
        bytes memory change = abi.encode(SuccessorChange(payee, nonce(), expiry()));
        bytes memory openChange = abi.encode(SuccessorChange(payee, nonce(), expiry()));
        bytes memory newChange = abi.encode(SuccessorChange(payee, nonce(), expiry()));
        approvedChange(ChangeKind.Successor, change);
        vm.prank(alice);
        vault.proposeChange(ChangeKind.Successor, openChange);
        (Batch memory ready,) = readyBatch(1, 500, packed);
        skip(2 days);

        calls[0] = abi.encodeCall(IVault.pay, (orderOf(header(0, 100, packed)), packed));
        calls[1] = abi.encodeCall(IVault.propose, (orderOf(header(1, 200, packed)), packed));
        calls[2] = abi.encodeCall(IVault.approve, (open));
        calls[3] = abi.encodeCall(IVault.execute, (orderOf(ready), packed, 0));
        calls[4] = abi.encodeCall(IVault.proposeChange, (ChangeKind.Successor, newChange));
        calls[5] = abi.encodeCall(IVault.approveChange, (ChangeKind.Successor, openChange));
        calls[6] = abi.encodeCall(IVault.executeChange, (ChangeKind.Successor, change));
        calls[7] = abi.encodeCall(IVault.revoke, (votedId));
        calls[8] = abi.encodeCall(IVault.cancel, (openId));
        calls[9] = abi.encodeCall(IVault.freeze, ());
        calls[10] = abi.encodeCall(IVault.blockRecipient, (stranger));
        calls[11] = abi.encodeCall(IVault.revokeRole, (proposer, Role.Proposer));
        Batch memory quick = header(1, 600, packed);
        calls[12] = abi.encodeCall(IVault.payBySig, (orderOf(quick), packed, signedBy(addresses(alice, bob), quick)));
        quick.firstNumber = 700;
        calls[13] = abi.encodeCall(IVault.proposeBySig, (orderOf(quick), packed, signedBy(addresses(bob), quick)));
        calls[14] = abi.encodeCall(IVault.approveBySig, (open, signedBy(addresses(bob), open)));
        Vote[] memory bobs = signedBy(addresses(bob), ChangeKind.Successor, newChange);
        calls[15] = abi.encodeCall(IVault.proposeChangeBySig, (ChangeKind.Successor, newChange, bobs));
        bobs = signedBy(addresses(bob), ChangeKind.Successor, openChange);
        calls[16] = abi.encodeCall(IVault.approveChangeBySig, (ChangeKind.Successor, openChange, bobs));
    }
}
