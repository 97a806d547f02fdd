// What signers sign: EIP-712 structs, as the contract's TypedData states them. A test holds these to the contract's own type strings.
import { decodeAbiParameters, encodeAbiParameters, hashDomain, hashStruct, hashTypedData, type AbiParameter, type Address, type Hex } from "viem";

export interface Field {
  name: string;
  type: string;
}

export interface Domain {
  name: string;
  version: string;
  chainId: bigint;
  verifyingContract: Address;
}

const fields = (text: string): Field[] =>
  text.split(",").map((field) => {
    const [type = "", name = ""] = field.split(" ");
    return { name, type };
  });

const ENDS = "uint64 nonce,uint40 expiresAt";

/** The kinds of change, in the contract's order. */
export const KINDS = ["Signers", "Tiers", "Recipients", "Role", "Guardians", "Unfreeze", "Successor", "Sweep", "Tighten"] as const;
export type Kind = (typeof KINDS)[number];

const CONTENT: Record<string, Field[]> = {
  Batch: fields("uint64 firstNumber,uint16 count,uint8 tier,uint128 total,address recipient,uint40 expiresAt,bytes32 paymentsHash,bytes32 context"),
  Tier: fields("uint128 maxKnown,uint128 maxUnknown,uint128 cap,uint8 approvals,uint32 delay"),
  SignersChange: fields(`address[] signers,uint8 threshold,${ENDS}`),
  TiersChange: fields(`Tier[] tiers,uint32 policyDelay,uint40 oldTermsChangedAt,${ENDS}`),
  RecipientsChange: fields(`address[] recipients,uint8 oldStanding,uint8 standing,${ENDS}`),
  RoleChange: fields(`address account,uint8 role,uint40 oldUntil,uint40 until,${ENDS}`),
  GuardiansChange: fields(`address[] guardians,uint40 until,${ENDS}`),
  UnfreezeChange: fields(`uint40 haltedUntil,${ENDS}`),
  SuccessorChange: fields(`address successor,${ENDS}`),
  SweepChange: fields(`address token,${ENDS}`),
  TightenChange: fields(`Tier[] tiers,${ENDS}`),
};

const voteOf = (content: string, name: string): Field[] => fields(`address signer,uint24 epoch,${content} ${name}`);

export const TYPES: Record<string, Field[]> = {
  ...CONTENT,
  Approval: voteOf("Batch", "batch"),
  ...Object.fromEntries(KINDS.map((kind) => [`${kind}Approval`, voteOf(`${kind}Change`, "change")])),
};

const DOMAIN: Field[] = fields("string name,string version,uint256 chainId,address verifyingContract");

export const vaultDomain = (chainId: bigint, vault: Address): Domain => ({ name: "Tidelock Vault", version: "1", chainId, verifyingContract: vault });

const element = (type: string): string => type.replace(/\[\]$/, "");

/** A type and those that it refers to; others must not be in a document. */
function typesOf(name: string, found: Record<string, Field[]> = {}): Record<string, Field[]> {
  const type = TYPES[name];
  if (!type) throw new Error(`there is no type ${name}`);
  if (name in found) return found;
  found[name] = type;
  for (const field of type) if (element(field.type) in TYPES) typesOf(element(field.type), found);
  return found;
}

/** Integers of more than 48 bits are decimal strings: as bare JSON numbers some tools sign them wrongly. */
function written(type: string, value: unknown): unknown {
  if (type.endsWith("[]")) return (value as unknown[]).map((each) => written(element(type), each));
  if (type in TYPES) {
    const struct = value as Record<string, unknown>;
    return Object.fromEntries((TYPES[type] ?? []).map((field) => [field.name, written(field.type, struct[field.name])]));
  }
  if (!type.startsWith("uint")) return value;
  const whole = BigInt(value as bigint);
  return Number(type.slice(4)) > 48 ? whole.toString() : Number(whole);
}

export type Content = Record<string, unknown>;

/** A document for eth_signTypedData_v4, and what a hardware wallet may show of it. */
export interface Signable {
  document: { types: Record<string, Field[]>; primaryType: string; domain: Record<string, unknown>; message: Content };
  digest: Hex;
  /** What Ledger and others show as "domain hash". */
  domainHash: Hex;
  /** What they show as "message hash". */
  messageHash: Hex;
}

function signable(domain: Domain, primaryType: string, content: Content): Signable {
  const types = { EIP712Domain: DOMAIN, ...typesOf(primaryType) };
  const message = written(primaryType, content) as Content;
  const stated = { ...domain, chainId: domain.chainId.toString() };
  const hashed = { domain: stated, types, primaryType, message } as never;
  return {
    document: { types, primaryType, domain: stated, message },
    digest: hashTypedData(hashed),
    domainHash: hashDomain({ domain, types } as never),
    messageHash: hashStruct({ data: message, primaryType, types } as never),
  };
}

/** The struct that a signer signs for `content`: a batch, or a change of some kind. */
const voteType = (primaryType: string): string => (primaryType === "Batch" ? "Approval" : primaryType.replace(/Change$/, "Approval"));

export function vote(domain: Domain, primaryType: string, content: Content, signer: Address, epoch: number): Signable {
  return signable(domain, voteType(primaryType), { signer, epoch, [primaryType === "Batch" ? "batch" : "change"]: content });
}

function parameter({ name, type }: Field): AbiParameter {
  if (!(element(type) in TYPES)) return { name, type };
  return { name, type: type.replace(element(type), "tuple"), components: (TYPES[element(type)] ?? []).map(parameter) };
}

const abiOf = (kind: Kind): AbiParameter[] => [{ type: "tuple", components: (TYPES[`${kind}Change`] ?? []).map(parameter) } as AbiParameter];

export const decodeChange = (kind: Kind, change: Hex): Content => decodeAbiParameters(abiOf(kind), change)[0] as Content;
export const encodeChange = (kind: Kind, content: Content): Hex => encodeAbiParameters(abiOf(kind), [content]);
export const changeId = (domain: Domain, kind: Kind, content: Content): Hex => signable(domain, `${kind}Change`, content).digest;
