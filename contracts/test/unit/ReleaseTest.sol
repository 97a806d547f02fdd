// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Batch, Configuration, Tier, Vote} from "../../src/types/VaultTypes.sol";
import {Eip712} from "./Eip712.sol";
import {PaymentTest} from "./PaymentTest.sol";

/// @notice Money leaves by `pay`, `payBySig` and `execute`: tests of what they do alike are written once, against this.
abstract contract ReleaseTest is PaymentTest {
    /// @notice What the verb needs of the policy.
    function configure(Configuration memory c) internal pure virtual;

    /// @notice Votes that each call brings along, which are logged first.
    function votesInCall() internal pure virtual returns (uint256);

    /// @notice The tier that batches are paid under.
    function tierIndex() internal pure virtual returns (uint8);

    /// @notice A batch that the keeper may pay now.
    function prepare(uint64 firstNumber, bytes memory packed) internal virtual returns (Batch memory b, bytes32 id);

    /// @notice The keeper's call that pays it.
    function releasing(Batch memory b, bytes memory packed) internal view virtual returns (bytes memory);

    /// @notice The event of the verb when money left.
    function paidEvent() internal pure virtual returns (bytes32 selector);

    /// @notice Emits that event as the vault must.
    function emitPaid(bytes32 id, Batch memory b, bytes memory packed, uint256 mask, uint256 total) internal virtual;

    function configuration() internal override returns (Configuration memory c) {
        c = super.configuration();
        configure(c);
    }

    function release(Batch memory b, bytes memory packed) internal returns (uint256 paidMask) {
        bytes memory call = releasing(b, packed);
        vm.prank(keeper);
        (bool succeeded, bytes memory returned) = address(vault).call(call);
        if (!succeeded) {
            assembly ("memory-safe") {
                revert(add(returned, 0x20), mload(returned))
            }
        }
        return abi.decode(returned, (uint256));
    }

    function expectPaid(Batch memory b, bytes memory packed, uint256 mask, uint256 total) internal {
        bytes32 id = vault.hashBatch(b);
        vm.expectEmit(address(vault));
        emitPaid(id, b, packed, mask, total);
    }

    /// @notice The vault's events since `vm.recordLogs()` are these, after those of the votes in the call.
    function assertReleased(bytes32[] memory expected) internal {
        uint256 count = votesInCall();
        bytes32[] memory all = new bytes32[](count + expected.length);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = i < count ? IVault.Approved.selector : expected[i - count];
        }
        assertEvents(all);
    }

    function expectCapExceeded(uint256 requested, uint256 headroom) internal {
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultCapExceeded.selector, tierIndex(), requested, headroom));
    }

    function row() internal view returns (Tier memory) {
        return vault.tier(tierIndex());
    }

    function assertPaidMask(Batch memory b, uint256 mask) internal view {
        assertEq(vault.paidMask(b.firstNumber, b.count), mask, "paid numbers");
    }

    /// @notice What was charged to the tier within the window, in base units.
    function charged() internal view returns (uint256) {
        return row().cap - vault.headroom(tierIndex());
    }
}

/// @notice Releases automatic batches by `pay`.
abstract contract ByPay is ReleaseTest {
    function configure(Configuration memory) internal pure override {}

    function votesInCall() internal pure override returns (uint256) {
        return 0;
    }

    function tierIndex() internal pure override returns (uint8) {
        return 0;
    }

    function prepare(uint64 firstNumber, bytes memory packed) internal view override returns (Batch memory b, bytes32) {
        b = header(0, firstNumber, packed);
        return (b, vault.hashBatch(b));
    }

    function releasing(Batch memory b, bytes memory packed) internal pure override returns (bytes memory) {
        return abi.encodeCall(IVault.pay, (orderOf(b), packed));
    }

    function paidEvent() internal pure override returns (bytes32) {
        return IVault.BatchPaid.selector;
    }

    function emitPaid(bytes32 id, Batch memory b, bytes memory packed, uint256 mask, uint256) internal override {
        emit IVault.BatchPaid(id, orderOf(b), mask, packed);
    }
}

/// @notice Releases approved batches by `execute`.
abstract contract ByExecute is ReleaseTest {
    function configure(Configuration memory) internal pure override {}

    function votesInCall() internal pure override returns (uint256) {
        return 0;
    }

    function tierIndex() internal pure override returns (uint8) {
        return 1;
    }

    function prepare(uint64 firstNumber, bytes memory packed) internal override returns (Batch memory, bytes32) {
        return readyBatch(1, firstNumber, packed);
    }

    function releasing(Batch memory b, bytes memory packed) internal pure override returns (bytes memory) {
        return abi.encodeCall(IVault.execute, (orderOf(b), packed, 0));
    }

    function paidEvent() internal pure override returns (bytes32) {
        return IVault.BatchExecuted.selector;
    }

    function emitPaid(bytes32 id, Batch memory b, bytes memory, uint256 mask, uint256 total) internal override {
        emit IVault.BatchExecuted(id, b.firstNumber, mask, total);
    }
}

/// @notice Releases batches that two of three signed by `payBySig`.
abstract contract ByPayBySig is ReleaseTest {
    function configure(Configuration memory c) internal pure override {
        c.tiers[1].delay = 0; // two votes and no time
    }

    function votesInCall() internal pure override returns (uint256) {
        return 2;
    }

    function tierIndex() internal pure override returns (uint8) {
        return 1;
    }

    function prepare(uint64 firstNumber, bytes memory packed) internal view override returns (Batch memory b, bytes32) {
        b = header(1, firstNumber, packed);
        return (b, vault.hashBatch(b));
    }

    /// @dev Signed by the keys that `makeAddr` made of the names, in the first signer epoch.
    function releasing(Batch memory b, bytes memory packed) internal view override returns (bytes memory) {
        Vote[] memory list = new Vote[](2);
        list[0] = Vote(bob, _signature("bob", Eip712.vote(address(vault), bob, 1, b)));
        list[1] = Vote(carol, _signature("carol", Eip712.vote(address(vault), carol, 1, b)));
        return abi.encodeCall(IVault.payBySig, (orderOf(b), packed, list));
    }

    function paidEvent() internal pure override returns (bytes32) {
        return IVault.BatchPaid.selector;
    }

    function emitPaid(bytes32 id, Batch memory b, bytes memory packed, uint256 mask, uint256) internal override {
        emit IVault.BatchPaid(id, orderOf(b), mask, packed);
    }

    function _signature(string memory name, bytes32 digest) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(uint256(keccak256(bytes(name))), digest);
        return abi.encodePacked(r, s, v);
    }
}
