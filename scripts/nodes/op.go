//go:build op

package main

import (
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/filters"
)

const name = "op-geth"

func logs(backend *eth.Ethereum) *filters.FilterAPI {
	return filters.NewFilterAPI(filters.NewFilterSystem(backend.APIBackend, filters.Config{}))
}
