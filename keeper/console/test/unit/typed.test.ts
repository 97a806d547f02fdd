// Ids, votes and the ABI, held to the contracts and to the vectors that every implementation reads.
import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { concat, getAbiItem, getCreate2Address, keccak256, stringToHex, toEventSelector, toFunctionSelector, toHex, type Abi, type Address } from "viem";
import { LENS, LENS_ADDRESS, VAULT } from "../../src/vault/abi.ts";
import { batchId, headerOf, packPayments, unpackPayments } from "../../src/vault/payments.ts";
import { KINDS, TYPES, changeId, decodeChange, encodeChange, vaultDomain, vote, type Content, type Kind } from "../../src/vault/typed.ts";

const root = new URL("../../../../", import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, root), "utf8");
const json = (file: string) => JSON.parse(read(file));

test("the types are those of the contract, and none is missing", () => {
  const text = [...read("contracts/src/libraries/TypedData.sol").matchAll(/"([A-Z]\w*\([^"\n]*)"/g)].map((match) => match[1] ?? "").join("");
  const stated = new Set([...text.matchAll(/([A-Z]\w*)\(([^)]*)\)/g)].map(([, name, members]) => `${name}(${members})`));
  const ours = new Set(Object.entries(TYPES).map(([name, fields]) => `${name}(${fields.map(({ type, name }) => `${type} ${name}`).join(",")})`));
  expect([...ours].sort()).toEqual([...stated].sort());
  const kinds = read("contracts/src/types/VaultTypes.sol").match(/enum ChangeKind \{([^}]*)\}/)?.[1]?.split(",").map((kind) => kind.trim());
  expect([...KINDS]).toEqual(kinds);
});

for (const [name, abi] of [["Vault", VAULT], ["VaultLens", LENS]] as const) {
  test(`what is asked of ${name} is in its ABI`, () => {
    const whole = json(`contracts/abi/${name}.json`) as Abi;
    for (const item of abi as Abi) {
      if (item.type !== "function" && item.type !== "event") continue;
      const selector = item.type === "function" ? toFunctionSelector(item) : toEventSelector(item);
      const same = getAbiItem({ abi: whole, name: selector }) as Abi[number] | undefined;
      expect(same, item.name).toBeDefined();
      const outputs = (each: unknown): string => JSON.stringify((each as { outputs?: unknown }).outputs ?? [], (key, value) => (["internalType", "name"].includes(key) ? undefined : value));
      expect(outputs(item), item.name).toBe(outputs(same));
    }
  });
}

test("the lens is where its code puts it", () => {
  const { creationCode } = json("contracts/artifacts/release.json").VaultLens;
  const address = getCreate2Address({ from: "0x4e59b44847b379578588920cA78FbF26c0B4956C", salt: stringToHex("tidelock", { size: 32 }), bytecode: creationCode });
  expect(LENS_ADDRESS).toBe(address);
});

interface Vector {
  name: string;
  chainId: string;
  vault: Address;
}

test("every batch of the vectors has its id", () => {
  for (const vector of json("test-fixtures/vectors/batch-id.json") as (Vector & Record<string, string & string[]>)[]) {
    const { firstNumber = "", expiresAt = "", tier = "", context, payments, name } = vector;
    const head = concat([toHex(BigInt(firstNumber), { size: 8 }), toHex(Number(expiresAt), { size: 5 }), toHex(Number(tier), { size: 1 })]);
    const header = headerOf({ context: context as never, head }, payments as never);
    expect(batchId(vaultDomain(BigInt(vector.chainId), vector.vault), header), name).toBe(vector.batchId);
    const unpacked = unpackPayments(payments as never, header.firstNumber);
    expect(unpacked.map(({ recipient, amount, reference }) => [recipient, `${amount}`, reference]), name).toEqual(
      (vector.recipients ?? []).map((recipient, i) => [recipient, vector.amounts?.[i], vector.references?.[i]]),
    );
    expect(packPayments(unpacked).toLowerCase(), name).toBe(payments);
  }
});

test("every change of the vectors has its id, and is read as it was written", () => {
  for (const { name, chainId, vault, kind, change, changeId: id } of json("test-fixtures/vectors/change-id.json")) {
    const word = KINDS[kind] as Kind;
    const content = decodeChange(word, change);
    expect(changeId(vaultDomain(BigInt(chainId), vault), word, content), name).toBe(id);
    expect(encodeChange(word, content), name).toBe(change);
  }
});

test("every vote of the vectors has its digest, and its two halves make it", () => {
  for (const { name, chainId, vault, kind, message, signer, epoch, digest } of json("test-fixtures/vectors/approval.json")) {
    const type = kind === "255" ? "Batch" : `${KINDS[kind]}Change`;
    const { batch, change } = JSON.parse(message);
    const made = vote(vaultDomain(BigInt(chainId), vault), type, (batch ?? change) as Content, signer, Number(epoch));
    expect(made.digest, name).toBe(digest);
    expect(keccak256(concat(["0x1901", made.domainHash, made.messageHash])), name).toBe(digest);
    const { firstNumber, total } = (made.document.message.batch ?? {}) as { firstNumber?: unknown; total?: unknown };
    if (batch) expect([typeof firstNumber, typeof total, typeof made.document.domain.chainId]).toEqual(["string", "string", "string"]);
  }
});
