#!/usr/bin/env bash
# go-ethereum 1.17.10: with its default settings a node on Amsterdam mines the creation of a contract of 32 KiB, half of what the
# fork allows, but eth_estimateGas refuses it as if no gas were enough.
#
# A byte of code costs 1,530 there, so 32,768 bytes cost 50.1 million. RPCGasCap (--rpc.gascap) is 50 million by default, while
# a block may have 60 million; the error names neither number. A deployer has to state the gas itself, or run a node with a
# higher cap.
#
# Seen 2026-11-29: see `expected` below.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
cat >main.go <<'GO'
package main

import (
    "context"
    "fmt"
    "math/big"

    "github.com/ethereum/go-ethereum"
    "github.com/ethereum/go-ethereum/common"
    "github.com/ethereum/go-ethereum/core/types"
    "github.com/ethereum/go-ethereum/crypto"
    "github.com/ethereum/go-ethereum/eth/ethconfig"
    "github.com/ethereum/go-ethereum/ethclient/simulated"
    "github.com/ethereum/go-ethereum/node"
    "github.com/ethereum/go-ethereum/params"
)

func main() {
    key, _ := crypto.GenerateKey()
    sender := crypto.PubkeyToAddress(key.PublicKey)
    alloc := types.GenesisAlloc{sender: {Balance: big.NewInt(params.Ether)}}
    backend := simulated.NewBackend(alloc, func(_ *node.Config, service *ethconfig.Config) {
        rules := *service.Genesis.Config
        rules.BogotaTime, rules.AmsterdamTime = nil, new(uint64)
        service.Genesis.Config = &rules
    })
    defer backend.Close()
    client, background := backend.Client(), context.Background()

    code := common.FromHex("0x6180006000f3") // PUSH2 32768 PUSH1 0 RETURN
    _, err := client.EstimateGas(background, ethereum.CallMsg{From: sender, Data: code})
    fmt.Println("estimate:", err)
    transaction := types.MustSignNewTx(key, types.LatestSignerForChainID(big.NewInt(1337)), &types.DynamicFeeTx{
        ChainID: big.NewInt(1337), Gas: 55_000_000, GasFeeCap: big.NewInt(params.GWei * 10), GasTipCap: big.NewInt(params.GWei), Data: code,
    })
    if err := client.SendTransaction(background, transaction); err != nil {
        panic(err)
    }
    backend.Commit()
    receipt, err := client.TransactionReceipt(background, transaction.Hash())
    if err != nil {
        panic(err)
    }
    fmt.Printf("mined: status %d, %d gas\n", receipt.Status, receipt.GasUsed)
}
GO
go mod init example >/dev/null 2>&1
go get github.com/ethereum/go-ethereum@v1.17.10 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go run . | tee seen
cat >expected <<'TEXT'
estimate: contract creation code storage out of gas
mined: status 1, 50353984 gas
TEXT
diff expected seen
