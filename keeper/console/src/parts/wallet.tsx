import { shortAddress } from "../vault/words.ts";
import { asked, switchChain } from "../wallet/act.ts";
import { open, useWallets, type Session } from "../wallet/discover.ts";
import { useSay } from "../words/index.ts";
import { useAct } from "./acts.tsx";
import { Notice } from "./common.tsx";

interface Given {
  session: Session | undefined;
  setSession: (session: Session | undefined) => void;
  chainId: bigint | undefined;
}

export function WalletBar({ session, setSession, chainId }: Given) {
  const say = useSay();
  const wallets = useWallets();
  const { said, isBusy, run } = useAct(() => undefined);
  const connect = (wallet: (typeof wallets)[number]) => () => void run(async () => setSession(await asked(say, () => open(wallet))));
  return (
    <div class="wallet">
      {session ? (
        <>
          <span title={session.account}>{say("connected", { account: shortAddress(session.account), name: session.wallet.name })}</span>
          <button type="button" class="quiet" onClick={() => setSession(undefined)}>
            {say("disconnect")}
          </button>
        </>
      ) : (
        wallets.map((wallet) => (
          <button type="button" key={wallet.id} disabled={isBusy} onClick={connect(wallet)}>
            {say("connect", { name: wallet.name })}
          </button>
        ))
      )}
      {!session && wallets.length === 0 && <span class="muted">{say("noWallet")}</span>}
      {session && chainId !== undefined && session.chainId !== chainId && (
        <Notice kind="warn">
          {say("wrongChain", { wallet: session.chainId, vault: chainId })}{" "}
          <button type="button" disabled={isBusy} onClick={() => void run(() => switchChain(session, chainId, say))}>
            {say("switchChain")}
          </button>
        </Notice>
      )}
      {said && <Notice kind={said.kind}>{said.text}</Notice>}
    </div>
  );
}
