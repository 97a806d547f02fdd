#!/usr/bin/env python3
"""Reads an array of EIP-712 documents and writes what eth-account makes of each: its digest, or why it refuses."""
import json
import sys

from eth_account.messages import encode_typed_data
from eth_utils import keccak


def judge(document):
    try:
        message = encode_typed_data(full_message=document)
    except Exception as error:  # whatever it raises is its refusal
        return {"error": f"{type(error).__name__}: {error}"}
    return {"digest": "0x" + keccak(b"\x19" + message.version + message.header + message.body).hex()}


json.dump([judge(document) for document in json.load(sys.stdin)], sys.stdout)
