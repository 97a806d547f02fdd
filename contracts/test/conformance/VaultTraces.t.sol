// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test, Vm} from "forge-std/Test.sol";

/// @notice The vault answers, logs and shows in forge what the Rust model says, step by step: vault-traces.json.
contract VaultTracesTest is Test {
    struct Step {
        string creates; // "File.sol:Name", else empty
        bytes data;
        address from;
        bytes32 logsHash;
        string name;
        bytes output;
        bool success;
        uint256 time;
        address to;
    }

    string private constant STEP =
        "Step(string creates,bytes data,address from,bytes32 logsHash,string name,bytes output,bool success,uint256 time,address to)";

    address private vault;

    /// @dev A world begins with what is created; the state of the one before is dropped.
    function test_traces() external {
        string memory json = vm.readFile("test-fixtures/vectors/vault-traces.json");
        Step[] memory steps = abi.decode(vm.parseJsonTypeArray(json, "$", STEP), (Step[]));
        assertGe(steps.length, 200);
        uint256 empty = vm.snapshotState();
        bool began;
        uint256 worlds;
        for (uint256 i = 0; i < steps.length; ++i) {
            bool creates = bytes(steps[i].creates).length != 0;
            if (creates && !began) {
                vm.revertToState(empty);
                empty = vm.snapshotState();
                ++worlds;
            }
            began = creates;
            if (creates) create(steps[i]);
            else take(steps[i], i);
        }
        assertGe(worlds, 3);
    }

    function create(Step memory step) private {
        vm.warp(step.time);
        deployCodeTo(step.creates, step.data, step.to);
        if (keccak256(bytes(step.creates)) == keccak256("Vault.sol:Vault")) vault = step.to;
    }

    function take(Step memory step, uint256 i) private {
        vm.warp(step.time);
        vm.recordLogs();
        vm.prank(step.from);
        (bool success, bytes memory output) = step.to.call(step.data);
        string memory place = string.concat("step ", vm.toString(i), " ", step.name);
        assertEq(success, step.success, place);
        if (keccak256(bytes(step.name)) == keccak256("watch")) output = abi.encode(keccak256(output));
        assertEq(output, step.output, place);
        bytes32 logged = logsHash(); // forge also records what was undone
        assertEq(success ? logged : bytes32(0), step.logsHash, place);
    }

    /// @dev Of what the vault logged: each log's topics and data, hashed onto what came before.
    function logsHash() private returns (bytes32 hash) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter == vault) hash = keccak256(abi.encode(hash, logs[i].topics, logs[i].data));
        }
    }
}
