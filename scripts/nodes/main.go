// Command node runs one of go-ethereum's relatives as a development chain: its own pool, EVM and JSON-RPC, with a block a
// second by go-ethereum's simulated beacon chain. Which relative it is, the module file says that it is built with. It ends
// when its standard input does.
//
// It is none of the public chains: of BSC it has no validators (Parlia) and with that no base fee of 0, of the OP Stack no
// deposits and no fee for data.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"os"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/catalyst"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/log"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"
)

const period = time.Second // any faster, blocks would be ahead of the clock, and op-geth waits for it

const patience = 5 * time.Second

// The deployer that people make contracts through at the same address on every chain:
// https://github.com/Arachnid/deterministic-deployment-proxy
var (
	deployer     = common.HexToAddress("0x4e59b44847b379578588920cA78FbF26c0B4956C")
	deployerCode = common.FromHex("0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3")
)

// Coins that each funded account has at the start.
var funds = new(big.Int).Mul(big.NewInt(1_000_000), big.NewInt(params.Ether))

func genesis(chainID int64, blockGas uint64, accounts string) *core.Genesis {
	genesis := core.DeveloperGenesisBlock(blockGas, nil)
	genesis.Config.ChainID = big.NewInt(chainID)
	genesis.Alloc[deployer] = types.Account{Code: deployerCode, Balance: new(big.Int)}
	for _, account := range strings.Split(accounts, ",") {
		genesis.Alloc[common.HexToAddress(account)] = types.Account{Balance: funds}
	}
	return genesis
}

func start(genesis *core.Genesis) (*node.Node, *eth.Ethereum, error) {
	config := node.DefaultConfig
	config.DataDir = ""
	config.P2P = p2p.Config{NoDiscovery: true, NoDial: true}
	config.HTTPHost = "127.0.0.1"
	config.HTTPPort = 0 // of the system's choice
	config.HTTPModules = []string{"eth", "net", "web3", "txpool"}
	stack, err := node.New(&config)
	if err != nil {
		return nil, nil, err
	}
	service := ethconfig.Defaults
	service.Genesis = genesis
	service.NetworkId = genesis.Config.ChainID.Uint64()
	service.SyncMode = ethconfig.FullSync
	service.Miner.GasCeil = genesis.GasLimit
	backend, err := eth.New(stack, &service)
	if err != nil {
		return nil, nil, err
	}
	stack.RegisterAPIs([]rpc.API{{Namespace: "eth", Service: logs(backend)}})
	if err := stack.Start(); err != nil {
		return nil, nil, err
	}
	return stack, backend, nil
}

// mine makes a block. Op-geth's simulated beacon chain was seen to wait for a payload for ever: another one goes on then.
func mine(beacon *catalyst.SimulatedBeacon, backend *eth.Ethereum) *catalyst.SimulatedBeacon {
	done := make(chan struct{})
	go func() {
		beacon.Commit()
		close(done)
	}()
	select {
	case <-done:
		return beacon
	case <-time.After(patience):
	}
	next, err := catalyst.NewSimulatedBeacon(0, common.Address{}, backend)
	if err != nil {
		log.Error("No block is made any more", "err", err)
		return beacon
	}
	return next
}

func run() error {
	chainID := flag.Int64("chain-id", 31337, "chain id")
	blockGas := flag.Uint64("block-gas", 60_000_000, "gas limit of every block")
	accounts := flag.String("accounts", "", "addresses that have coins from the start, with commas between")
	flag.Parse()
	log.SetDefault(log.NewLogger(log.NewTerminalHandlerWithLevel(os.Stderr, log.LevelWarn, false)))
	stack, backend, err := start(genesis(*chainID, *blockGas, *accounts))
	if err != nil {
		return err
	}
	beacon, err := catalyst.NewSimulatedBeacon(0, common.Address{}, backend)
	if err != nil {
		return err
	}
	fmt.Printf("%s. Listening on %s\n", name, strings.TrimPrefix(stack.HTTPEndpoint(), "http://"))
	go func() {
		for range time.Tick(period) {
			beacon = mine(beacon, backend)
		}
	}()
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, stack.Close())
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(1)
	}
}
