// What is asked of the keeper takes a person who has signed in, or a key, which a person types in.
import { Fragment, type ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Client } from "../keeper/client.ts";
import { leave, type Keeper } from "../keeper/session.ts";
import { spanText, timeText } from "../vault/words.ts";
import { useSay } from "../words/index.ts";
import { Notice } from "./common.tsx";

interface Given {
  id: string;
  head: string;
  hint: string;
  keeper: Keeper;
  children: (client: Client) => ComponentChildren;
}

function KeyForm({ use }: { use: Keeper["use"] }) {
  const say = useSay();
  const [typed, setTyped] = useState("");
  const submit = (event: Event): void => {
    event.preventDefault();
    if (typed.trim() !== "") use(typed.trim());
    setTyped("");
  };
  return (
    <form class="card" noValidate onSubmit={submit}>
      <p class="muted">{say("apiKeyHint")}</p>
      <label>
        {say("apiKey")}
        <input type="password" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} autocomplete="off" />
      </label>
      <button type="submit">{say("apiKeyUse")}</button>
    </form>
  );
}

/** Who is signed in, for how long, and what they may. */
function SignedIn({ keeper: { person, signOut, use } }: { keeper: Keeper }) {
  const say = useSay();
  const [trouble, setTrouble] = useState<string>();
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 1_000);
    return () => window.clearInterval(timer);
  }, []);
  if (!person) return null;
  const left = spanText(Math.round(person.ends_at - now / 1_000));
  return (
    <div class="card">
      <p>
        {say("signedIn", { name: person.name })} <span class="muted">{say("signedInFor", { time: timeText(person.ends_at), span: left, scopes: person.scopes.join(", ") })}</span>
      </p>
      <div class="buttons">
        <button type="button" class="quiet" onClick={() => void signOut().catch((error: Error) => setTrouble(error.message))}>
          {say("signOut")}
        </button>
      </div>
      {trouble && <Notice kind="bad">{trouble}</Notice>}
      <details>
        <summary>{say("keyInstead")}</summary>
        <KeyForm use={use} />
      </details>
    </div>
  );
}

export function WithKey({ id, head, hint, keeper, children }: Given) {
  const say = useSay();
  const { served, offer, person, replaced, client, hasKey, use, look } = keeper;
  useEffect(look, []);
  if (served === false) return <Notice kind="warn">{say("keeperNone")}</Notice>;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{head}</h2>
      <p class="muted">{hint}</p>
      {hasKey && (
        <button type="button" class="quiet" onClick={() => use(undefined)}>
          {say("apiKeyForget")}
        </button>
      )}
      {!hasKey && person && <SignedIn key={person.id} keeper={keeper} />}
      {!hasKey && person && replaced !== undefined && <Notice kind="warn">{say("personReplaced", { name: person.name, before: replaced })}</Notice>}
      {!client && offer !== undefined && (
        <div class="card">
          <p class="muted">{say("signInHint")}</p>
          <a class="button" href={offer} onClick={() => leave(id)}>
            {say("signIn")}
          </a>
        </div>
      )}
      {!client && <KeyForm use={use} />}
      {/* What one has typed and was shown is not another's. */}
      {client && <Fragment key={hasKey ? "key" : person?.id}>{children(client)}</Fragment>}
    </section>
  );
}
