#!/usr/bin/env bash
# go-ethereum 1.17.10 (signer/core/apitypes) reads a message's integers as floats and the domain's chainId exactly: of one
# EIP-712 document with the same bare number twice, it rounds one and keeps the other, and refuses from 2^63 on.
#
# apitypes.TypedData unmarshals the message into map[string]interface{}, so JSON numbers become float64; they pass if they are
# whole and fit int64. The domain has a field of its own type, which is read digit by digit.
#
# Seen 2026-11-29: "message rounded: true", "chainId rounded: false", "2^63: invalid float value 9.22...e+18".
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
cd "$work"
cat >main.go <<'GO'
package main

import (
    "encoding/json"
    "fmt"

    "github.com/ethereum/go-ethereum/signer/core/apitypes"
)

const format = `{
  "types": {"EIP712Domain": [{"name": "chainId", "type": "uint256"}], "Note": [{"name": "amount", "type": "uint64"}]},
  "primaryType": "Note", "domain": {"chainId": %s}, "message": {"amount": %s}
}`

func digest(chainId, amount string) string {
    var data apitypes.TypedData
    if err := json.Unmarshal([]byte(fmt.Sprintf(format, chainId, amount)), &data); err != nil {
        return err.Error()
    }
    hash, _, err := apitypes.TypedDataAndHash(data)
    if err != nil {
        return err.Error()
    }
    return fmt.Sprintf("%x", hash)
}

func main() {
    odd, even := "9007199254740993", "9007199254740992"
    fmt.Println("message rounded:", digest("1", odd) == digest("1", even))
    fmt.Println("chainId rounded:", digest(odd, "1") == digest(even, "1"))
    fmt.Println("a string is rounded:", digest("1", `"`+odd+`"`) == digest("1", even))
    fmt.Println("2^63:", digest("1", "9223372036854775808"))
}
GO
go mod init example >/dev/null 2>&1
go get github.com/ethereum/go-ethereum@v1.17.10 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go run . | tee seen
cat >expected <<'TEXT'
message rounded: true
chainId rounded: false
a string is rounded: false
TEXT
diff expected <(head -n 3 seen)
grep -q "^2^63: invalid float value .* for type uint64$" seen
