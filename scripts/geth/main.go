// Command devchain runs go-ethereum with one of two hard forks' rules, or with both, one after the other, as a development
// chain: each transaction is mined at once in a block of its own, at the time that was set for it, and what was done can be
// taken back. With -pool, transactions wait in go-ethereum's own pool until a block is asked for. It is driven over JSON-RPC
// like anvil, and ends when its standard input does.
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
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/eth/tracers"
	_ "github.com/ethereum/go-ethereum/eth/tracers/js" // for tracers that come with the request
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"
)

const maxAnswer = 1 << 30 // bytes; a trace is large

// The deployer that people make contracts through at the same address on every chain, as anvil has it:
// https://github.com/Arachnid/deterministic-deployment-proxy
var (
	deployer     = common.HexToAddress("0x4e59b44847b379578588920cA78FbF26c0B4956C")
	deployerCode = common.FromHex("0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3")
)

// Ether that each funded account has at the start.
var funds = new(big.Int).Mul(big.NewInt(1_000_000), big.NewInt(params.Ether))

type options struct {
	fork        string
	chainID     int64
	genesisTime int64
	blockGas    uint64
	amsterdam   uint64
	pool        bool
	finalDepth  uint64
	accounts    []common.Address
}

func parseOptions() (options, error) {
	var o options
	flag.StringVar(&o.fork, "fork", "osaka", "osaka or amsterdam")
	flag.Int64Var(&o.chainID, "chain-id", 31337, "chain id")
	flag.Int64Var(&o.genesisTime, "timestamp", time.Now().Unix(), "time of the first block, in seconds")
	flag.Uint64Var(&o.blockGas, "block-gas", 60_000_000, "gas limit of every block")
	flag.Uint64Var(&o.amsterdam, "amsterdam-time", 0, "when osaka gives way to amsterdam, in seconds; 0 for never")
	flag.BoolVar(&o.pool, "pool", false, "keep transactions in the pool until evm_mine is called")
	flag.Uint64Var(&o.finalDepth, "final-depth", 0, "call a block final when so many are on top of it; 0 for never")
	list := flag.String("accounts", "", "addresses that have ether from the start, with commas between")
	flag.Parse()
	if flag.NArg() > 0 {
		return o, fmt.Errorf("unknown argument %q", flag.Arg(0))
	}
	for _, text := range strings.FieldsFunc(*list, func(r rune) bool { return r == ',' }) {
		if !common.IsHexAddress(text) {
			return o, fmt.Errorf("-accounts: %q is no address", text)
		}
		o.accounts = append(o.accounts, common.HexToAddress(text))
	}
	return o, nil
}

// rules are all that is final up to the fork, and nothing later.
func (o options) rules() (*params.ChainConfig, error) {
	rules := *params.AllDevChainProtocolChanges
	rules.ChainID = big.NewInt(o.chainID)
	rules.BogotaTime = nil
	switch o.fork {
	case "osaka":
		if o.amsterdam != 0 {
			rules.AmsterdamTime = &o.amsterdam
		}
	case "amsterdam":
		rules.AmsterdamTime = new(uint64)
	default:
		return nil, fmt.Errorf("-fork: %q is neither osaka nor amsterdam", o.fork)
	}
	return &rules, nil
}

func (o options) genesis() (*core.Genesis, error) {
	rules, err := o.rules()
	if err != nil {
		return nil, err
	}
	alloc := core.SystemContractAllocs()
	if o.pool { // recorded blocks are of chains without it
		alloc[deployer] = types.Account{Code: deployerCode, Balance: new(big.Int)}
	}
	for _, account := range o.accounts {
		alloc[account] = types.Account{Balance: funds}
	}
	return &core.Genesis{
		Config:    rules,
		Timestamp: uint64(o.genesisTime),
		GasLimit:  o.blockGas,
		BaseFee:   big.NewInt(params.InitialBaseFee),
		Alloc:     alloc,
	}, nil
}

// start runs a node without peers that keeps every state in memory.
func start(genesis *core.Genesis, o options) (*node.Node, error) {
	config := node.DefaultConfig
	config.DataDir = ""
	config.P2P = p2p.Config{NoDiscovery: true}
	config.HTTPHost = "127.0.0.1"
	config.HTTPPort = 0 // of the system's choice
	config.HTTPModules = []string{"eth", "net", "web3", "debug", "txpool", "evm"}
	config.BatchResponseMaxSize = maxAnswer
	stack, err := node.New(&config)
	if err != nil {
		return nil, err
	}
	service := ethconfig.Defaults
	service.Genesis = genesis
	service.SyncMode = ethconfig.FullSync
	service.StateScheme = rawdb.HashScheme
	service.NoPruning = true
	service.SnapshotCache = 0
	service.LogNoHistory = true
	service.RPCGasCap = genesis.GasLimit
	service.Miner.GasCeil = genesis.GasLimit
	service.Miner.GasPrice = common.Big0
	backend, err := eth.New(stack, &service)
	if err != nil {
		return nil, err
	}
	chain := newChain(backend, o.finalDepth)
	logs := filters.NewFilterAPI(filters.NewFilterSystem(backend.APIBackend, filters.Config{}))
	stack.RegisterAPIs(tracers.APIs(backend.APIBackend))
	stack.RegisterAPIs([]rpc.API{
		{Namespace: "eth", Service: logs},
		{Namespace: "evm", Service: &steering{chain, o.pool}},
	})
	if !o.pool {
		stack.RegisterAPIs([]rpc.API{{Namespace: "eth", Service: &sending{chain}}}) // later than geth's own, which it replaces
	}
	return stack, stack.Start()
}

func run() error {
	o, err := parseOptions()
	if err != nil {
		return err
	}
	genesis, err := o.genesis()
	if err != nil {
		return err
	}
	stack, err := start(genesis, o)
	if err != nil {
		return err
	}
	fmt.Printf("%s rules of go-ethereum. Listening on %s\n", o.fork, strings.TrimPrefix(stack.HTTPEndpoint(), "http://"))
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, stack.Close())
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "devchain:", err)
		os.Exit(1)
	}
}
