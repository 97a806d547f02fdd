// Reads an array of EIP-712 documents and writes what go-ethereum makes of each: its digest, or why it refuses.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/ethereum/go-ethereum/signer/core/apitypes"
)

type answer struct {
	Digest string `json:"digest,omitempty"`
	Error  string `json:"error,omitempty"`
}

func judge(document []byte) answer {
	var data apitypes.TypedData
	if err := json.Unmarshal(document, &data); err != nil {
		return answer{Error: err.Error()}
	}
	digest, _, err := apitypes.TypedDataAndHash(data)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Digest: fmt.Sprintf("0x%x", digest)}
}

func main() {
	var documents []json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&documents); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	answers := make([]answer, len(documents))
	for i, document := range documents {
		answers[i] = judge(document)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
