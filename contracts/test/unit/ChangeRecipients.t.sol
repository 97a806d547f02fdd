// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Policy} from "../../src/libraries/Policy.sol";
import {Batch, ChangeKind, Refusal, Standing} from "../../src/types/VaultTypes.sol";
import {PolicyTest} from "../PolicyTest.sol";

contract ChangeRecipientsTest is PolicyTest {
    ChangeKind private constant RECIPIENTS = ChangeKind.Recipients;

    function test_changeRecipients_movesAll() external {
        address[] memory list = crowd(3);
        bytes memory change = recipientsChange(list, Standing.Unknown, Standing.Known);
        bytes32 id = readyChange(RECIPIENTS, change);
        vm.expectEmit(address(vault));
        emit IVault.ChangeExecuted(id, RECIPIENTS);
        for (uint256 i = 0; i < list.length; ++i) {
            vm.expectEmit(address(vault));
            emit IVault.RecipientSet(list[i], Standing.Unknown, Standing.Known);
        }
        vm.recordLogs();
        executeChange(RECIPIENTS, change);
        assertEq(vm.getRecordedLogs().length, 4);
        assertStandings(list, Standing.Known);
    }

    function test_changeRecipients_everyMove() external {
        address[] memory list = addresses(stranger);
        for (uint8 from = 0; from < 3; ++from) {
            for (uint8 to = 0; to < 3; ++to) {
                Standing now_ = vault.standingOf(stranger);
                if (uint8(now_) != from) enact(RECIPIENTS, recipientsChange(list, now_, Standing(from)));
                enact(RECIPIENTS, recipientsChange(list, Standing(from), Standing(to)));
                assertStandings(list, Standing(to));
            }
        }
    }

    function test_changeRecipients_limitOfKnownHoldsAtOnce() external {
        bytes memory packed = payment(payee, 10_000 * USDT, 1);
        bytes memory change = recipientsChange(addresses(payee), Standing.Unknown, Standing.Known);
        readyChange(RECIPIENTS, change);
        vm.expectRevert(refusal(payee, 10_000 * USDT, 1000 * USDT, Refusal.AboveLimit));
        pay(1, packed);
        executeChange(RECIPIENTS, change);
        assertEq(pay(1, packed), 1);
    }

    function test_changeRecipients_approvedBatchIsJudgedAgain() external {
        bytes memory packed = payment(known, 100_000 * USDT, 1);
        Batch memory b = header(1, 1, packed);
        proposeAndApprove(b, packed, 2);
        skip(1 hours);
        approvedChange(RECIPIENTS, recipientsChange(addresses(known), Standing.Known, Standing.Unknown));
        vm.expectRevert(refusal(known, 100_000 * USDT, 20_000 * USDT, Refusal.AboveLimit));
        execute(b, packed);
    }

    function test_changeRecipients_unblocks() external {
        vm.prank(guardian);
        vault.blockRecipient(payee);
        bytes memory packed = payment(payee, USDT, 1);
        vm.expectRevert(refusal(payee, USDT, 0, Refusal.BlockedRecipient));
        pay(1, packed);
        enact(RECIPIENTS, recipientsChange(addresses(payee), Standing.Blocked, Standing.Unknown));
        assertEq(pay(1, packed), 1);
    }

    // ── Old standing ─────────────────────────────────────────────────────────────────────────────────────────────

    function test_attack34_changeRecipients_neverUndoesALaterBlock() external {
        bytes memory change = recipientsChange(addresses(payee, stranger), Standing.Unknown, Standing.Known);
        readyChange(RECIPIENTS, change);
        vm.prank(guardian);
        vault.blockRecipient(stranger);
        refuseChange(RECIPIENTS, change, stale(stranger, Standing.Unknown, Standing.Blocked));
        assertStandings(addresses(stranger), Standing.Blocked);
        assertStandings(addresses(payee), Standing.Unknown); // the whole change waits
    }

    function test_changeRecipients_RevertWhen_OldStandingIsAnother() external {
        Standing[3] memory all = [Standing.Unknown, Standing.Known, Standing.Blocked];
        for (uint256 i = 0; i < 3; ++i) {
            if (all[i] == Standing.Known) continue; // that is its standing
            bytes memory change = recipientsChange(addresses(known), all[i], Standing.Unknown);
            enactReverts(RECIPIENTS, change, stale(known, all[i], Standing.Known));
        }
    }

    /// @dev Wherever the two stand in the list.
    function test_changeRecipients_RevertWhen_ListedTwice() external {
        address[] memory list = crowd(5);
        for (uint256 i = 0; i < 5; ++i) {
            for (uint256 k = 0; k < i; ++k) {
                address[] memory twice = crowd(5);
                twice[i] = list[k];
                bytes memory change = recipientsChange(twice, Standing.Unknown, Standing.Known);
                proposalReverts(RECIPIENTS, change, addressInvalid(list[k]));
            }
        }
        enact(RECIPIENTS, recipientsChange(list, Standing.Unknown, Standing.Known));
    }

    // ── Rules ────────────────────────────────────────────────────────────────────────────────────────────────────

    function test_attack33_changeRecipients_RevertWhen_AddressInvalid() external {
        address[3] memory bad = [address(0), address(vault), address(usdt)];
        vm.prank(guardian);
        vault.blockRecipient(payee);
        for (uint256 i = 0; i < bad.length; ++i) {
            bytes memory change = recipientsChange(addresses(payee, bad[i]), Standing.Blocked, Standing.Known);
            proposalReverts(RECIPIENTS, change, addressInvalid(bad[i]));
            assertStandings(addresses(bad[i]), Standing.Blocked);
        }
    }

    function test_changeRecipients_boundsCount() external {
        bytes memory reason = outOfRange(Policy.Field.RecipientCount, 0, 0, 1, 200);
        proposalReverts(RECIPIENTS, recipientsChange(new address[](0), Standing.Unknown, Standing.Known), reason);
        reason = outOfRange(Policy.Field.RecipientCount, 0, 201, 1, 200);
        proposalReverts(RECIPIENTS, recipientsChange(crowd(201), Standing.Unknown, Standing.Known), reason);
        enact(RECIPIENTS, recipientsChange(crowd(200), Standing.Unknown, Standing.Known));
        assertStandings(crowd(200), Standing.Known);
        enact(RECIPIENTS, recipientsChange(crowd(1), Standing.Known, Standing.Blocked));
        assertStandings(crowd(1), Standing.Blocked);
    }

    function test_proposeChange_RevertWhen_StandingUnknownToTheVault() external {
        vm.startPrank(alice);
        bytes memory change = abi.encode(uint256(32), uint256(160), uint256(0), uint256(3), nonce(), expiry());
        change = bytes.concat(change, abi.encode(uint256(1), payee));
        vm.expectRevert(bytes(""));
        vault.proposeChange(RECIPIENTS, change);
        change[127] = bytes1(uint8(2));
        assertEq(
            vault.proposeChange(RECIPIENTS, change), vault.hashChange(RECIPIENTS, change), "the same in range passes"
        );
    }

    // ── Helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    function assertStandings(address[] memory list, Standing expected) private view {
        for (uint256 i = 0; i < list.length; ++i) {
            assertEq(uint8(vault.standingOf(list[i])), uint8(expected), "standing");
        }
    }

    function stale(address recipient, Standing stated, Standing actual) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IVault.VaultStandingStale.selector, recipient, stated, actual);
    }

    function refusal(address recipient, uint256 amount, uint256 limit, Refusal why)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(IVault.VaultPaymentRefused.selector, 0, recipient, amount, limit, why);
    }
}
