#!/usr/bin/env bash
# go-ethereum 1.17.10 (ethclient/simulated): the chain that simulated.NewBackend makes by default asks the prices of no fork.
# New storage costs what Amsterdam asks, a transaction what Osaka asks.
#
# params.AllDevChainProtocolChanges, which it starts from, has Bogota from the first block and leaves Amsterdam out. Bogota's
# instructions are built on Amsterdam's; the rules of transactions look at Amsterdam alone. Who measures gas on it must set both
# times: without Bogota it is Osaka, with Amsterdam from 0 it is Amsterdam.
#
# Seen 2026-11-29: see `expected` below; each line is the gas of an empty call and of one that writes a new slot.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
cat >main.go <<'GO'
package main

import (
    "context"
    "crypto/ecdsa"
    "fmt"
    "math/big"

    "github.com/ethereum/go-ethereum/common"
    "github.com/ethereum/go-ethereum/core/types"
    "github.com/ethereum/go-ethereum/crypto"
    "github.com/ethereum/go-ethereum/eth/ethconfig"
    "github.com/ethereum/go-ethereum/ethclient/simulated"
    "github.com/ethereum/go-ethereum/node"
    "github.com/ethereum/go-ethereum/params"
)

var (
    nothing = common.HexToAddress("0x1000")
    writer  = common.HexToAddress("0x2000") // PUSH1 1 PUSH1 0 SSTORE STOP
)

func gasOf(backend *simulated.Backend, key *ecdsa.PrivateKey, nonce uint64, to common.Address) uint64 {
    transaction := types.MustSignNewTx(key, types.LatestSignerForChainID(big.NewInt(1337)), &types.DynamicFeeTx{
        ChainID: big.NewInt(1337), Nonce: nonce, To: &to, Gas: 1_000_000, GasFeeCap: big.NewInt(params.GWei * 10), GasTipCap: big.NewInt(params.GWei),
    })
    if err := backend.Client().SendTransaction(context.Background(), transaction); err != nil {
        panic(err)
    }
    backend.Commit()
    receipt, err := backend.Client().TransactionReceipt(context.Background(), transaction.Hash())
    if err != nil {
        panic(err)
    }
    return receipt.GasUsed
}

func show(name string, change func(*params.ChainConfig)) {
    key, _ := crypto.GenerateKey()
    alloc := types.GenesisAlloc{
        crypto.PubkeyToAddress(key.PublicKey): {Balance: big.NewInt(params.Ether)},
        nothing:                               {Code: []byte{0x00}},
        writer:                                {Code: common.FromHex("0x600160005500")},
    }
    backend := simulated.NewBackend(alloc, func(_ *node.Config, service *ethconfig.Config) {
        rules := *service.Genesis.Config
        change(&rules)
        service.Genesis.Config = &rules
    })
    defer backend.Close()
    fmt.Printf("%s: %d %d\n", name, gasOf(backend, key, 0, nothing), gasOf(backend, key, 1, writer))
}

func main() {
    show("default", func(*params.ChainConfig) {})
    show("without Bogota", func(rules *params.ChainConfig) { rules.BogotaTime = nil })
    show("Amsterdam, without Bogota", func(rules *params.ChainConfig) {
        rules.BogotaTime, rules.AmsterdamTime = nil, new(uint64)
    })
}
GO
go mod init example >/dev/null 2>&1
go get github.com/ethereum/go-ethereum@v1.17.10 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go run . | tee seen
cat >expected <<'TEXT'
default: 21000 131026
without Bogota: 21000 43106
Amsterdam, without Bogota: 15000 125026
TEXT
diff expected seen
