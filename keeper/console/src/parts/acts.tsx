// What a signer does with a proposal, and with the vault.
import { useState } from "preact/hooks";
import type { Address } from "viem";
import type { Node } from "../vault/node.ts";
import type { Proposal } from "../vault/proposals.ts";
import type { Snapshot } from "../vault/snapshot.ts";
import { vote } from "../vault/typed.ts";
import { spanText } from "../vault/words.ts";
import { NotDone, approveCall, bringCall, cancelCall, executeCall, freezeCall, isTaken, ownNode, readVotes, revokeCall, send, sign, type Call, type Vote } from "../wallet/act.ts";
import type { Session } from "../wallet/discover.ts";
import { reason } from "../watch.ts";
import { useSay } from "../words/index.ts";
import { Notice } from "./common.tsx";

export interface Means {
  node: Node;
  session: Session | undefined;
  /** Whether nodes agree, so that something may be signed. */
  isTrusted: boolean;
  again: () => void;
}

type Run = ReturnType<typeof useAct>["run"];

/** What an act came to: one at a time. */
export function useAct(again: () => void) {
  const [said, setSaid] = useState<{ kind: "bad" | "good"; text: string }>();
  const [isBusy, setBusy] = useState(false);
  const run = async (work: (progress: (text: string) => void) => Promise<void>): Promise<void> => {
    setBusy(true);
    setSaid(undefined);
    try {
      await work((text) => setSaid({ kind: "good", text }));
      again();
    } catch (error) {
      setSaid({ kind: "bad", text: error instanceof NotDone ? error.message : reason(error) });
    } finally {
      setBusy(false);
    }
  };
  return { said, isBusy, run };
}

function Digests({ snapshot, proposal, session }: { snapshot: Snapshot; proposal: Proposal; session: Session }) {
  const say = useSay();
  const { digest, domainHash, messageHash } = toSign(snapshot, proposal, session);
  return (
    <details class="digests">
      <summary>{say("compareDigest")}</summary>
      <p class="muted">{say("voteFor", { account: session.account, epoch: snapshot.hot.epoch })}</p>
      <dl>
        <dt>{say("digest")}</dt>
        <dd class="mono">{digest}</dd>
        <dt>{say("domainHash")}</dt>
        <dd class="mono">{domainHash}</dd>
        <dt>{say("messageHash")}</dt>
        <dd class="mono">{messageHash}</dd>
      </dl>
    </details>
  );
}

function toSign({ domain, hot }: Snapshot, { batch, change }: Proposal, { account }: Session) {
  const [type, content] = change ? [`${change.kind}Change`, change.content] : ["Batch", { ...batch?.header }];
  return vote(domain, type, content, account, hot.epoch);
}

/** Asks a second time before something that cannot be taken back. */
export function Sure({ word, sure, yes, isOff, act }: { word: string; sure: string; yes: string; isOff: boolean; act: () => void }) {
  const say = useSay();
  const [isAsked, setAsked] = useState(false);
  if (!isAsked) {
    return (
      <button type="button" class="danger" disabled={isOff} onClick={() => setAsked(true)}>
        {word}
      </button>
    );
  }
  return (
    <>
      <strong>{sure}</strong>
      <button
        type="button"
        class="danger"
        onClick={() => {
          setAsked(false);
          act();
        }}
      >
        {yes}
      </button>
      <button type="button" class="quiet" onClick={() => setAsked(false)}>
        {say("cancel")}
      </button>
    </>
  );
}

/** Whether an account has a role now. */
export function rolesOf({ members, signers, block }: Snapshot, account: Address) {
  const member = members[account];
  const has = (until: bigint | undefined): boolean => (until ?? 0n) > block.time;
  const isSigner = signers.includes(account);
  return { isSigner, mayExecute: isSigner || has(member?.keeperUntil), mayPropose: isSigner || has(member?.proposerUntil), isGuardian: has(member?.guardianUntil) };
}

/** What ends a proposal: to let it be done, or to veto it. */
function Ends({ snapshot, proposal, means, run, isBusy }: { snapshot: Snapshot; proposal: Proposal; means: Means; run: Run; isBusy: boolean }) {
  const say = useSay();
  const { node, session, isTrusted } = means;
  if (!session) return null;
  const { mayExecute, isGuardian } = rolesOf(snapshot, session.account);
  const isReady = proposal.waits?.blocker === "None";
  const { domain } = snapshot;
  return (
    <>
      {mayExecute && (
        <button type="button" disabled={isBusy || !isTrusted || !isReady} onClick={() => void run((progress) => send(node, domain, session, executeCall(proposal), say, progress))}>
          {say("execute")}
        </button>
      )}
      {isGuardian && (
        <Sure
          word={say("veto")}
          sure={say("vetoSure")}
          yes={say("vetoYes")}
          isOff={isBusy}
          act={() => void run((progress) => send(ownNode(session), domain, session, cancelCall(proposal), say, progress))}
        />
      )}
    </>
  );
}

export function Acts({ snapshot, proposal, means }: { snapshot: Snapshot; proposal: Proposal; means: Means }) {
  const say = useSay();
  const { node, session, isTrusted, again } = means;
  const { said, isBusy, run } = useAct(again);
  const [votes, setVotes] = useState<Vote[]>([]);
  const [others, setOthers] = useState("");
  const { domain } = snapshot;
  if (!session) return <Print />;
  const index = snapshot.signers.indexOf(session.account);
  const isSigner = index >= 0;
  const hasVoted = isSigner && ((proposal.votes >> BigInt(index)) & 1n) === 1n;
  const off = isBusy || !isTrusted;
  const call = (made: () => Call, by = node) => () => void run((progress) => send(by, domain, session, made(), say, progress));
  const signNow = () =>
    void run(async (progress) => {
      progress(say("wait"));
      const mine = await sign(domain.chainId, session, toSign(snapshot, proposal, session), say, (made) => isTaken(node, domain.verifyingContract, proposal, made, say));
      setVotes((before) => [...before.filter(({ signer }) => signer !== mine.signer), mine]);
      progress(say("signed"));
    });
  return (
    <div class="acts">
      {!isSigner && <Notice kind="warn">{say("notSigner", { account: session.account })}</Notice>}
      {hasVoted && <p>{say("hasVoted")}</p>}
      <div class="buttons">
        <button type="button" disabled={off || !isSigner || hasVoted} onClick={call(() => approveCall(proposal))}>
          {say("approveCall")}
        </button>
        <button type="button" disabled={off || !isSigner || hasVoted} onClick={signNow}>
          {say("approveSign")}
        </button>
        <button type="button" class="quiet" disabled={isBusy || !isSigner} onClick={call(() => revokeCall(proposal), ownNode(session))}>
          {say("revoke")}
        </button>
        <Ends snapshot={snapshot} proposal={proposal} means={means} run={run} isBusy={isBusy} />
        <Print />
      </div>
      {said && <Notice kind={said.kind}>{said.text}</Notice>}
      {votes.length > 0 && (
        <>
          <pre tabIndex={0} class="votes" aria-label={say("signed")}>
            {JSON.stringify(votes)}
          </pre>
          <button type="button" disabled={off} onClick={call(() => bringCall(proposal, votes))}>
            {say("bring")}
          </button>
        </>
      )}
      <Digests snapshot={snapshot} proposal={proposal} session={session} />
      <details>
        <summary>{say("bringOthers")}</summary>
        <label>
          {say("bringHint", { example: '{"signer": "0x…", "signature": "0x…"}' })}
          <textarea rows={3} value={others} onInput={(event) => setOthers(event.currentTarget.value)} spellcheck={false} />
        </label>
        <button type="button" disabled={off} onClick={call(() => bringCall(proposal, readVotes(others, say)))}>
          {say("bringOthers")}
        </button>
      </details>
    </div>
  );
}

function Print() {
  const say = useSay();
  const print = (button: HTMLElement): void => {
    const chosen = button.closest("article");
    chosen?.classList.add("brief");
    document.body.classList.add("briefing");
    window.print();
    chosen?.classList.remove("brief");
    document.body.classList.remove("briefing");
  };
  return (
    <button type="button" class="quiet" onClick={(event) => print(event.currentTarget)}>
      {say("print")}
    </button>
  );
}

export function Freeze({ snapshot, means }: { snapshot: Snapshot; means: Means }) {
  const say = useSay();
  const { session, again } = means;
  const { said, isBusy, run } = useAct(again);
  if (!session) return null;
  const length = spanText(snapshot.policyDelay + 2n * 86_400n);
  const freeze = (): void => void run((progress) => send(ownNode(session), snapshot.domain, session, freezeCall, say, progress));
  return (
    <section class="card freeze" aria-label={say("freeze")}>
      <p>{say("freezeHint", { span: length })}</p>
      <div class="buttons">
        <Sure word={say("freeze")} sure={say("freezeSure")} yes={say("freezeYes")} isOff={isBusy} act={freeze} />
      </div>
      {said && <Notice kind={said.kind}>{said.text}</Notice>}
    </section>
  );
}
