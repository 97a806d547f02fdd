// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {IVaultFactory} from "../../src/interfaces/IVaultFactory.sol";
import {Member} from "../../src/types/Member.sol";
import {Batch, Configuration, State} from "../../src/types/VaultTypes.sol";
import {Deploy} from "../Deploy.sol";
import {AttackTest} from "./AttackTest.sol";

/// @notice Taking a vault over: at its birth, by its code, or by an owner that it does not have.
contract BirthAttacks is AttackTest {
    /// @notice Logic replacement and upgrade payloads (Bybit, WazirX): the code can neither run other code in its
    /// place, nor end, nor make contracts.
    function test_attack21_noOpcodeToReplaceLogic() external view {
        uint256[256] memory seen = _opcodes(address(vault).code);
        assertGt(seen[0xf1], 0, "CALL: the walk does not see what is there");
        assertEq(seen[0xf4], 0, "DELEGATECALL");
        assertEq(seen[0xf2], 0, "CALLCODE");
        assertEq(seen[0xff], 0, "SELFDESTRUCT");
        assertEq(seen[0xf0], 0, "CREATE");
        assertEq(seen[0xf5], 0, "CREATE2");
    }

    /// @dev Counts opcodes; what PUSH pushes is data.
    function _opcodes(bytes memory code) private pure returns (uint256[256] memory seen) {
        for (uint256 i = 0; i < code.length; ++i) {
            uint256 opcode = uint8(code[i]);
            ++seen[opcode];
            if (opcode >= 0x60 && opcode <= 0x7f) i += opcode - 0x5f;
        }
    }

    /// @notice Upgrade payloads and ownership transfers (WazirX, Radiant): nothing answers to them, whoever calls.
    function test_attack22_noUpgradeNoOwner() external {
        bytes[12] memory calls = [
            abi.encodeWithSignature("upgradeTo(address)", stranger),
            abi.encodeWithSignature("upgradeToAndCall(address,bytes)", stranger, ""),
            abi.encodeWithSignature("setImplementation(address)", stranger),
            abi.encodeWithSignature("changeMasterCopy(address)", stranger),
            abi.encodeWithSignature("changeAdmin(address)", stranger),
            abi.encodeWithSignature("transferOwnership(address)", stranger),
            abi.encodeWithSignature("renounceOwnership()"),
            abi.encodeWithSignature("grantRole(bytes32,address)", bytes32(0), stranger),
            abi.encodeWithSignature("initialize()"),
            abi.encodeWithSignature("initialize(address)", stranger),
            abi.encodeWithSignature("execute(address,uint256,bytes)", stranger, 0, ""),
            abi.encodeWithSignature("approve(address,uint256)", stranger, 1)
        ];
        address[6] memory callers = [stranger, keeper, proposer, guardian, alice, address(this)];
        vm.record();
        for (uint256 i = 0; i < calls.length; ++i) {
            for (uint256 j = 0; j < callers.length; ++j) {
                vm.prank(callers[j]);
                (bool done,) = address(vault).call(calls[i]);
                assertFalse(done, "the vault answered");
            }
        }
        (, bytes32[] memory writes) = vm.accesses(address(vault));
        assertEq(writes.length, 0, "writes");
    }

    /// @notice Re-submission harvesting (Radiant): an approval serves one header, once; a dead one cannot be brought back.
    function test_attack23_harvestedApprovals() external {
        bytes memory packed = payment(stranger, 20_000 * USDT, 0);
        (Batch memory b, bytes32 id) = readyBatch(1, UPPER, packed);
        vm.prank(guardian);
        vault.cancel(id);
        vm.startPrank(proposer);
        vm.expectRevert(abi.encodeWithSelector(IVault.VaultAlreadyProposed.selector, id, State.Cancelled));
        vault.propose(orderOf(b), packed);
        b.context = "once more"; // a new header starts without votes
        id = vault.propose(orderOf(b), packed);
        vm.stopPrank();
        skip(1 hours);
        expectExecuteRevert(b, packed, stateInvalid(id, State.Proposed));
    }

    /// @notice Front-run initialiser: the constructor says everything, so a new vault is complete in its first block.
    function test_attack25_completeAtBirth() external {
        IVaultFactory factory = Deploy.factory();
        vm.record();
        IVault born = IVault(factory.create(Deploy.vaultCode(), configuration()));
        (, bytes32[] memory writes) = vm.accesses(address(born));
        assertGt(writes.length, 0, "the constructor writes");
        assertEq(born.signers(), addresses(alice, bob, carol), "signers");
        assertEq(born.guardians(), addresses(guardian, otherGuardian), "guardians");
        assertEq(born.tierCount(), 3, "tiers");
        assertEq(born.threshold(), 2, "threshold");
        assertEq(born.token(), address(usdt), "token");
    }

    /// @notice CREATE2 configuration front-run: the address commits to the configuration, so an attacker who comes first with
    /// another one gets another address, and with the same one has made the very vault that was announced.
    function test_attack26_create2FrontRun() external {
        IVaultFactory factory = Deploy.factory();
        bytes memory code = Deploy.vaultCode();
        Configuration memory honest = configuration();
        Configuration memory evil = configuration();
        evil.signers = addresses(stranger);
        evil.threshold = 1;
        for (uint256 k = 0; k < 3; ++k) {
            evil.tiers[k].approvals = k == 0 ? 0 : 1;
        }
        address announced = factory.vaultAddress(code, honest);
        vm.startPrank(stranger);
        assertNotEq(factory.create(code, evil), announced, "address");
        assertEq(factory.create(code, honest), announced, "announced address");
        vm.stopPrank();
        assertEq(IVault(announced).signers(), honest.signers, "signers");
        assertEq(factory.configurationHashOf(announced), keccak256(abi.encode(honest)), "configuration");
        assertEq(Member.unwrap(IVault(announced).member(stranger)), 0, "no rights by creating it");
    }
}
