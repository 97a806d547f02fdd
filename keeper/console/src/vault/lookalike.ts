// Addresses made to be taken for others. Wallets and lists shorten an address to its first and last digits, so whoever wants to be paid
// by mistake makes one that begins and ends like an address of the book.
import type { Address } from "viem";

const ENDS = 4; // hexadecimal digits at each end that people compare

const shown = (address: string): string => {
  const digits = address.slice(2).toLowerCase();
  return digits.slice(0, ENDS) + digits.slice(-ENDS);
};

/** The one of `others` that `address` could be taken for: same first and last digits, and not the same. */
export function lookAlike(address: Address, others: Iterable<Address>): Address | undefined {
  for (const other of others) {
    if (shown(other) === shown(address) && other.toLowerCase() !== address.toLowerCase()) return other;
  }
  return undefined;
}
