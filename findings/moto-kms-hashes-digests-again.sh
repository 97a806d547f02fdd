#!/usr/bin/env bash
# moto 5.2.5 (PyPI), KMS `Sign` with MessageType=DIGEST and an ECC_SECG_P256K1 key: the 32 bytes are hashed with SHA-256 once more
# before they are signed. AWS signs them as they are. So a signature of moto's does not verify over the digest that was sent, but over
# its hash, and the address recovered from it is not the key's.
# Seen 2026-11-29: "over the digest: no; over its SHA-256: yes"
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'moto[kms]==5.2.5' 'boto3==1.43.56' 'cryptography==48.0.0'
cat >"$folder/sign.py" <<'PY'
import hashlib

import boto3
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from moto import mock_aws

DIGEST = bytes(range(32))


@mock_aws
def main():
    kms = boto3.client("kms", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    key = kms.create_key(KeySpec="ECC_SECG_P256K1", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    signed = kms.sign(KeyId=key, Message=DIGEST, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256")
    public = serialization.load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])

    def is_over(digest):
        try:
            public.verify(signed["Signature"], digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
            return "yes"
        except InvalidSignature:
            return "no"

    print(f"over the digest: {is_over(DIGEST)}; over its SHA-256: {is_over(hashlib.sha256(DIGEST).digest())}")


main()
PY
seen=$("$folder/venv/bin/python" "$folder/sign.py")
echo "$seen"
[[ $seen == "over the digest: no; over its SHA-256: yes" ]]
