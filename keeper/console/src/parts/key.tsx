// What is asked of the keeper takes a key, which a person types in.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Client } from "../keeper/client.ts";
import type { Keeper } from "../keeper/session.ts";
import { useSay } from "../words/index.ts";
import { Notice } from "./common.tsx";

interface Given {
  id: string;
  head: string;
  hint: string;
  keeper: Keeper;
  children: (client: Client) => ComponentChildren;
}

export function WithKey({ id, head, hint, keeper, children }: Given) {
  const say = useSay();
  const [typed, setTyped] = useState("");
  const { served, client, use } = keeper;
  if (served === false) return <Notice kind="warn">{say("keeperNone")}</Notice>;
  const submit = (event: Event): void => {
    event.preventDefault();
    if (typed.trim() !== "") use(typed.trim());
    setTyped("");
  };
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{head}</h2>
      <p class="muted">{hint}</p>
      {client ? (
        <>
          <button type="button" class="quiet" onClick={() => use(undefined)}>
            {say("apiKeyForget")}
          </button>
          {children(client)}
        </>
      ) : (
        <form class="card" noValidate onSubmit={submit}>
          <p class="muted">{say("apiKeyHint")}</p>
          <label>
            {say("apiKey")}
            <input type="password" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} autocomplete="off" />
          </label>
          <button type="submit">{say("apiKeyUse")}</button>
        </form>
      )}
    </section>
  );
}
