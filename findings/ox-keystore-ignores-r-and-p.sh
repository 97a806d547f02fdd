#!/usr/bin/env bash
# ox 0.14.67 (npm), Keystore.toKeyAsync of a keystore with scrypt: `r` and `p` of the file are ignored, and 1 and 8 are taken, which are those of
# the example in Ethereum's own description of the format. geth, ethers and others write 8 and 1, and what they wrote is then "corrupt
# keystore", with the right password. toKey, which does not answer later, reads both from the file.
# Seen 2026-11-30, of a keystore that ethers 6.15.0 wrote with r 8 and p 1: toKey gives the key, toKeyAsync "corrupt keystore".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --no-audit --no-fund --loglevel=error ox@0.14.67 ethers@6.15.0 >/dev/null

cat >run.mjs <<'JS'
import { encryptKeystoreJson } from "ethers";
import * as Keystore from "ox/Keystore";

const privateKey = `0x${"11".repeat(32)}`;
const address = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A";
const password = "correct";
for (const [r, p] of [[8, 1], [1, 8]]) {
  // ethers opens both again itself.
  const stored = JSON.parse(await encryptKeystoreJson({ address, privateKey }, password, { scrypt: { N: 1024, r, p } }));
  const crypto = stored.crypto ?? stored.Crypto;
  const keystore = { ...stored, crypto };
  for (const name of ["toKey", "toKeyAsync"]) {
    let seen;
    try {
      const key = await Keystore[name](keystore, { password });
      seen = Keystore.decrypt(keystore, key) === privateKey ? "the same key" : "another key";
    } catch (error) {
      seen = error.message;
    }
    console.log(`r ${r}, p ${p}, ${name}: ${seen}`);
  }
}
JS
node run.mjs | tee seen
cat >expected <<'TEXT'
r 8, p 1, toKey: the same key
r 8, p 1, toKeyAsync: corrupt keystore
r 1, p 8, toKey: the same key
r 1, p 8, toKeyAsync: the same key
TEXT
diff expected seen
