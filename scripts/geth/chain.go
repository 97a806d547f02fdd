package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/miner"
)

// chain mines blocks one at a time, past the transaction pool: a pool follows the chain a moment later.
type chain struct {
	lock       sync.Mutex
	backend    *eth.Ethereum
	nextTime   uint64 // of the next block; 0 for the clock's
	finalDepth uint64 // blocks on top of one that is final; 0 for none that is
}

func newChain(backend *eth.Ethereum, finalDepth uint64) *chain {
	return &chain{backend: backend, finalDepth: finalDepth}
}

// mine makes a block of these transactions, which must be valid, and no other.
func (c *chain) mine(transactions ...*types.Transaction) error {
	return c.build(len(transactions) == 0, transactions)
}

// build makes a block: of these transactions, of none, or of what the pool has.
func (c *chain) build(empty bool, transactions []*types.Transaction) error {
	c.lock.Lock()
	defer c.lock.Unlock()
	blocks := c.backend.BlockChain()
	parent := blocks.CurrentBlock()
	now := max(uint64(time.Now().Unix()), parent.Time+1)
	if c.nextTime != 0 {
		now = c.nextTime
	}
	slot := parent.Number.Uint64() + 1
	isOfPool := !empty && len(transactions) == 0
	if isOfPool {
		// What was sent a moment ago may not be pending yet.
		if err := c.backend.TxPool().Sync(); err != nil {
			return err
		}
	}
	args := &miner.BuildPayloadArgs{
		Parent:      parent.Hash(),
		Timestamp:   now,
		Withdrawals: types.Withdrawals{},
		BeaconRoot:  new(common.Hash),
	}
	if blocks.Config().IsAmsterdam(parent.Number, now) {
		args.SlotNum = &slot
	}
	block, _, err := c.backend.Miner().BuildTestingPayload(args, transactions, empty, nil)
	if err != nil {
		return err
	}
	if !isOfPool && len(block.Transactions()) != len(transactions) {
		return fmt.Errorf("of %d transactions %d were mined", len(transactions), len(block.Transactions()))
	}
	// The block is executed a second time here, as one from another node is.
	if _, err := blocks.InsertBlockWithoutSetHead(context.Background(), block, false); err != nil {
		return err
	}
	if _, err := blocks.SetCanonical(block); err != nil {
		return err
	}
	c.nextTime = 0
	if number := block.NumberU64(); c.finalDepth != 0 && number > c.finalDepth {
		blocks.SetFinalized(blocks.GetHeaderByNumber(number - c.finalDepth))
	}
	if isOfPool {
		return c.backend.TxPool().Sync() // or it would offer what is mined once more
	}
	return nil
}

// sending is what geth's own `eth` namespace would do with a pool.
type sending struct{ chain *chain }

// SendRawTransaction mines the transaction at once.
func (s *sending) SendRawTransaction(raw hexutil.Bytes) (common.Hash, error) {
	transaction := new(types.Transaction)
	if err := transaction.UnmarshalBinary(raw); err != nil {
		return common.Hash{}, err
	}
	return transaction.Hash(), s.chain.mine(transaction)
}

// steering is the part of anvil's `evm` namespace that tests of time need.
type steering struct {
	chain *chain
	pool  bool
}

// SetNextBlockTimestamp sets the time of the next block alone. [seconds]
func (s *steering) SetNextBlockTimestamp(timestamp uint64) error {
	s.chain.lock.Lock()
	defer s.chain.lock.Unlock()
	if last := s.chain.backend.BlockChain().CurrentBlock().Time; timestamp <= last {
		return fmt.Errorf("timestamp %d is not after %d, that of the last block", timestamp, last)
	}
	s.chain.nextTime = timestamp
	return nil
}

// Mine makes an empty block, or with -pool one of what the pool has.
func (s *steering) Mine() error {
	return s.chain.build(!s.pool, nil)
}

// Snapshot names the state as it is now.
func (s *steering) Snapshot() hexutil.Uint64 {
	return hexutil.Uint64(s.chain.backend.BlockChain().CurrentBlock().Number.Uint64())
}

// Revert takes back all that was done since the snapshot.
func (s *steering) Revert(snapshot hexutil.Uint64) (bool, error) {
	s.chain.lock.Lock()
	defer s.chain.lock.Unlock()
	s.chain.nextTime = 0
	err := s.chain.backend.BlockChain().SetHead(uint64(snapshot))
	return err == nil, err
}
