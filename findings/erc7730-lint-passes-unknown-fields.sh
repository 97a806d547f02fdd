#!/usr/bin/env bash
# erc7730 1.0.12 (`erc7730 lint`) finds no error in an EIP-712 descriptor, version 2, that shows a field which its type lacks and
# leaves out one which its type has, although the format's key spells the type out.
#
# Version 2 has no embedded schemas; the key of a format is the type as EIP-712 encodes it. The linter's check of displayed fields
# does nothing for EIP-712 descriptors, so a descriptor that misleads a signer passes. Needs Python 3.12 or newer.
#
# Seen 2026-11-29: "checked 1 v2 descriptor files, no errors found", status 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python=$(for candidate in python3.14 python3.13 python3.12 python3 "$(pyenv root 2>/dev/null || true)"/versions/3.1[2-9]*/bin/python3; do
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; then echo "$candidate"; break; fi
done)
[[ -n $python ]] || { echo "Python 3.12 or newer is needed" >&2; exit 2; }
"$python" -m venv python
python/bin/pip install --quiet --disable-pip-version-check erc7730==1.0.12

cat >eip712-note.json <<'JSON'
{
  "$schema": "https://eips.ethereum.org/assets/eip-7730/erc7730-v2.schema.json",
  "context": {"eip712": {"deployments": [{"chainId": 1, "address": "0x0000000000000000000000000000000000000001"}]}},
  "metadata": {"owner": "Example", "contractName": "Example"},
  "display": {
    "formats": {
      "Note(uint64 amount,address payee)": {
        "intent": "Pay",
        "fields": [{"path": "amuont", "label": "Amount", "format": "raw", "visible": "always"}]
      }
    }
  }
}
JSON
python/bin/erc7730 lint eip712-note.json | tee seen
grep -q "checked 1 v2 descriptor files, no errors found" seen
