// Batches as the vault's events show them: unpacked, added up and hashed here. What a log states of its own id is never believed.
import { concat, getAddress, hashTypedData, keccak256, size, slice, zeroAddress, type Address, type Hex } from "viem";
import { TYPES, type Domain } from "./typed.ts";

const PAYMENT_BYTES = 48; // 20 recipient, 12 amount, 16 ref

export interface Payment {
  number: bigint;
  recipient: Address;
  /** [base units] */
  amount: bigint;
  reference: Hex;
}

export interface Order {
  context: Hex;
  head: Hex;
}

export interface Header {
  firstNumber: bigint;
  count: number;
  tier: number;
  total: bigint;
  recipient: Address;
  expiresAt: number;
  paymentsHash: Hex;
  context: Hex;
}

/** Payments out of packed bytes, each with its number. */
export function unpackPayments(packed: Hex, firstNumber: bigint): Payment[] {
  const bytes = size(packed);
  if (bytes === 0 || bytes % PAYMENT_BYTES !== 0) throw new Error(`packed payments are ${bytes} bytes; a multiple of ${PAYMENT_BYTES} is needed`);
  return Array.from({ length: bytes / PAYMENT_BYTES }, (_, i) => {
    const at = i * PAYMENT_BYTES;
    return {
      number: firstNumber + BigInt(i),
      recipient: getAddress(slice(packed, at, at + 20)),
      amount: BigInt(slice(packed, at + 20, at + 32)),
      reference: slice(packed, at + 32, at + 48),
    };
  });
}

/** The header that follows from an order and its payments: head is first number, expiry and tier. [8, 5 and 1 bytes] */
export function headerOf({ context, head }: Order, packed: Hex): Header {
  const firstNumber = BigInt(slice(head, 0, 8));
  const payments = unpackPayments(packed, firstNumber);
  const [only] = payments;
  return {
    firstNumber,
    count: payments.length,
    tier: Number(slice(head, 13, 14)),
    total: payments.reduce((sum, { amount }) => sum + amount, 0n),
    recipient: payments.length === 1 && only ? only.recipient : zeroAddress,
    expiresAt: Number(slice(head, 8, 13)),
    paymentsHash: keccak256(packed),
    context,
  };
}

/** Id of a batch: the EIP-712 digest of its header. */
export const batchId = (domain: Domain, message: Header): Hex =>
  hashTypedData({ domain, types: { Batch: TYPES.Batch }, primaryType: "Batch", message: message as unknown as Record<string, unknown> });

/** A ref as a UUID is written. */
export const asUuid = (reference: Hex): string => reference.slice(2).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

/** Payments as the vault takes them. */
export const packPayments = (payments: Pick<Payment, "recipient" | "amount" | "reference">[]): Hex =>
  concat(payments.map(({ recipient, amount, reference }) => concat([recipient, `0x${amount.toString(16).padStart(24, "0")}`, reference])));
