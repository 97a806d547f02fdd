// Wallets of the browser, as they announce themselves. [EIP-6963]
import { useEffect, useState } from "preact/hooks";
import { getAddress, type Address, type EIP1193Provider } from "viem";

export interface Wallet {
  name: string;
  id: string;
  provider: EIP1193Provider;
}

interface Announcement extends Event {
  detail?: { info?: { uuid?: unknown; name?: unknown }; provider?: EIP1193Provider };
}

/** Its icon is left out: it is a picture that anybody may choose. */
export function useWallets(): Wallet[] {
  const [wallets, setWallets] = useState<Wallet[]>([]);
  useEffect(() => {
    const announced = ({ detail }: Announcement): void => {
      const { info, provider } = detail ?? {};
      if (!provider || typeof info?.uuid !== "string" || typeof info.name !== "string") return;
      const wallet = { name: info.name.slice(0, 40), id: info.uuid, provider };
      setWallets((before) => (before.some(({ id }) => id === wallet.id) ? before : [...before, wallet]));
    };
    window.addEventListener("eip6963:announceProvider", announced);
    window.dispatchEvent(new Event("eip6963:requestProvider"));
    return () => window.removeEventListener("eip6963:announceProvider", announced);
  }, []);
  return wallets;
}

export interface Session {
  wallet: Wallet;
  account: Address;
  chainId: bigint;
}

const first = (accounts: unknown): Address | undefined => {
  const [account] = accounts as string[];
  return account === undefined ? undefined : getAddress(account);
};

export async function open(wallet: Wallet): Promise<Session | undefined> {
  const account = first(await wallet.provider.request({ method: "eth_requestAccounts" }));
  const chainId = BigInt(await wallet.provider.request({ method: "eth_chainId" }));
  return account && { wallet, account, chainId };
}

/** A session that follows what the wallet changes to. */
export function useSession(): [Session | undefined, (session: Session | undefined) => void] {
  const [session, setSession] = useState<Session>();
  const provider = session?.wallet.provider;
  useEffect(() => {
    if (!provider) return undefined;
    const onAccounts = (accounts: readonly string[]): void => {
      const account = first(accounts);
      setSession((before) => before && account && { ...before, account });
    };
    const onChain = (chainId: string): void => setSession((before) => before && { ...before, chainId: BigInt(chainId) });
    provider.on("accountsChanged", onAccounts);
    provider.on("chainChanged", onChain);
    return () => {
      provider.removeListener("accountsChanged", onAccounts);
      provider.removeListener("chainChanged", onChain);
    };
  }, [provider]);
  return [session, setSession];
}
