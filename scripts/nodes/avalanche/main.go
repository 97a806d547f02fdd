// Command avalanche runs one real node of Avalanche as a network of its own: its consensus, with nobody to agree with, and its
// C-Chain, whose blocks come as transactions do, two seconds apart at least. As nobody else is there, it sends a coin to itself
// every second. Everything is in memory and on this machine. It ends when its standard input does.
package main

import (
	"context"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ava-labs/avalanchego/app"
	"github.com/ava-labs/avalanchego/config"
	"github.com/ava-labs/avalanchego/config/node"
	"github.com/ava-labs/avalanchego/genesis"
	"github.com/ava-labs/avalanchego/graft/coreth/plugin/evm"
	"github.com/ava-labs/avalanchego/vms/evm/acp176"
	"github.com/ava-labs/libevm/common/hexutil"
	"github.com/ava-labs/libevm/core/types"
	"github.com/ava-labs/libevm/crypto"
	"github.com/ava-labs/libevm/params"
	"github.com/ava-labs/libevm/rpc"
)

const (
	networkID = 1337        // no public network's
	period    = time.Second // of the coin's way
	patience  = time.Minute // until the chain answers
)

// The deployer that people make contracts through at the same address on every chain:
// https://github.com/Arachnid/deterministic-deployment-proxy
const (
	deployer     = "4e59b44847b379578588920cA78FbF26c0B4956C"
	deployerCode = "0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
)

// Coins that each funded account has at the start. [wei]
var funds = hexutil.EncodeBig(new(big.Int).Mul(big.NewInt(1_000_000), big.NewInt(params.Ether)))

// Account is one of the C-Chain's first block.
type account struct {
	Balance string `json:"balance"`
	Code    string `json:"code,omitempty"`
}

// localGenesis is the node's own for local networks, with another number and other accounts of the C-Chain.
func localGenesis(chainID int64, accounts []string) (string, error) {
	network := genesis.GetConfig(networkID)
	var chain map[string]any
	if err := json.Unmarshal([]byte(network.CChainGenesis), &chain); err != nil {
		return "", err
	}
	chain["config"].(map[string]any)["chainId"] = chainID
	alloc := map[string]account{deployer: {Balance: "0x0", Code: deployerCode}}
	for _, address := range accounts {
		alloc[strings.TrimPrefix(address, "0x")] = account{Balance: funds}
	}
	chain["alloc"] = alloc
	first, err := json.Marshal(chain)
	if err != nil {
		return "", err
	}
	network.CChainGenesis = string(first)
	unparsed, err := network.Unparse()
	if err != nil {
		return "", err
	}
	whole, err := json.Marshal(unparsed)
	return base64.StdEncoding.EncodeToString(whole), err
}

// start leaves in the folder what it writes, and where it listens.
func start(genesis, folder string) (app.App, error) {
	settings := map[string]string{
		config.NetworkNameKey:                   strconv.Itoa(networkID),
		config.GenesisFileContentKey:            genesis,
		config.SybilProtectionEnabledKey:        "false",
		config.SnowSampleSizeKey:                "1",
		config.SnowQuorumSizeKey:                "1",
		config.DBTypeKey:                        "memdb",
		config.DataDirKey:                       folder,
		config.ProcessContextFileKey:            filepath.Join(folder, "process.json"),
		config.StakingEphemeralCertEnabledKey:   "true",
		config.StakingEphemeralSignerEnabledKey: "true",
		config.PublicIPKey:                      "127.0.0.1", // or the router would be asked
		config.HTTPHostKey:                      "127.0.0.1",
		config.StakingHostKey:                   "127.0.0.1",
		config.HTTPPortKey:                      "0", // of the system's choice
		config.StakingPortKey:                   "0",
		config.FdLimitKey:                       "1024",
		config.BootstrapIDsKey:                  "",
		config.BootstrapIPsKey:                  "",
		config.LogLevelKey:                      "off",
		config.LogDisplayLevelKey:               "warn",
	}
	var arguments []string
	for key, value := range settings {
		arguments = append(arguments, "--"+key+"="+value)
	}
	all, err := config.BuildViper(config.BuildFlagSet(), arguments)
	if err != nil {
		return nil, err
	}
	chosen, err := config.GetNodeConfig(all)
	if err != nil {
		return nil, err
	}
	running, err := app.New(chosen)
	if err != nil {
		return nil, err
	}
	running.Start()
	return running, nil
}

// address waits until the C-Chain answers.
func address(folder string) (string, *rpc.Client, error) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		written, err := os.ReadFile(filepath.Join(folder, "process.json"))
		if err != nil {
			continue
		}
		var process node.ProcessContext
		if err := json.Unmarshal(written, &process); err != nil {
			continue
		}
		url := process.URI + "/ext/bc/C/rpc"
		client, err := rpc.Dial(url)
		if err != nil {
			continue
		}
		var id string
		if client.Call(&id, "eth_chainId") == nil {
			return strings.TrimPrefix(url, "http://"), client, nil
		}
	}
	return "", nil, errors.New("the C-Chain does not answer")
}

// beat sends a coin from an account to itself for ever. One that is refused is sent again.
func beat(client *rpc.Client, chainID int64, key *ecdsa.PrivateKey) {
	signer := types.LatestSignerForChainID(big.NewInt(chainID))
	self := crypto.PubkeyToAddress(key.PublicKey)
	nonce := uint64(0)
	for range time.Tick(period) {
		signed, err := types.SignNewTx(key, signer, &types.DynamicFeeTx{
			ChainID:   big.NewInt(chainID),
			Nonce:     nonce,
			GasTipCap: big.NewInt(params.GWei),
			GasFeeCap: big.NewInt(1000 * params.GWei),
			Gas:       params.TxGas,
			To:        &self,
			Value:     big.NewInt(1),
		})
		if err != nil {
			return
		}
		raw, err := signed.MarshalBinary()
		if err != nil {
			return
		}
		if client.CallContext(context.Background(), nil, "eth_sendRawTransaction", hexutil.Encode(raw)) == nil {
			nonce++
		}
	}
}

func run() error {
	chainID := flag.Int64("chain-id", 31337, "number of the C-Chain; not that of a public one, whose first blocks follow older rules")
	blockGas := flag.Uint64("block-gas", acp176.MinMaxCapacity, "gas limit of every block; no other than the chain's own")
	accounts := flag.String("accounts", "", "addresses that have coins from the start, with commas between")
	flag.Parse()
	if *blockGas != acp176.MinMaxCapacity {
		return fmt.Errorf("-block-gas: %d: it is %d at first, and changes as validators vote", *blockGas, acp176.MinMaxCapacity)
	}
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte("avalanche")))
	if err != nil {
		return err
	}
	evm.RegisterAllLibEVMExtras()
	self := crypto.PubkeyToAddress(key.PublicKey).Hex()
	genesis, err := localGenesis(*chainID, append(strings.Split(*accounts, ","), self))
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "avalanche-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	running, err := start(genesis, folder)
	if err != nil {
		return err
	}
	where, client, err := address(folder)
	if err != nil {
		return err
	}
	// What it has open it keeps, and nothing is left behind however it ends.
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	fmt.Printf("avalanchego. Listening on %s\n", where)
	go beat(client, *chainID, key)
	_, err = io.Copy(io.Discard, os.Stdin)
	running.Stop()
	if code := running.ExitCode(); code != 0 {
		return errors.Join(err, fmt.Errorf("it ended with %d", code))
	}
	return err
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "avalanche:", err)
		os.Exit(1)
	}
}
