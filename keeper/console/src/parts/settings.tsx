import { useState } from "preact/hooks";
import { parse, store, type Draft, type Settings } from "../settings.ts";
import { useSay } from "../words/index.ts";
import { Notice } from "./common.tsx";

interface Given {
  draft: Draft;
  fromLink: boolean;
  use: (settings: Settings) => void;
}

export function SettingsForm({ draft: given, fromLink, use }: Given) {
  const say = useSay();
  const [draft, setDraft] = useState(given);
  const [broken, setBroken] = useState<string[]>([]);
  const set = (name: keyof Draft) => (event: { currentTarget: { value: string } }) => setDraft({ ...draft, [name]: event.currentTarget.value });
  const submit = (event: Event): void => {
    event.preventDefault();
    const result = parse(draft, say);
    if ("broken" in result) return setBroken(result.broken);
    setBroken([]);
    store(draft);
    use(result.settings);
  };
  return (
    <form class="card" onSubmit={submit} aria-labelledby="settings" noValidate>
      <h2 id="settings">{say("settingsHead")}</h2>
      <p class="muted">{say("settingsHint")}</p>
      {fromLink && <Notice kind="warn">{say("settingsFromLink")}</Notice>}
      <label>
        {say("vaultAddress")}
        <input value={draft.vault} onInput={set("vault")} spellcheck={false} autocomplete="off" />
      </label>
      <label>
        {say("nodeUrls")}
        <textarea rows={2} value={draft.nodes} onInput={set("nodes")} spellcheck={false} />
      </label>
      <label>
        {say("lensAddress")}
        <input value={draft.lens} onInput={set("lens")} spellcheck={false} autocomplete="off" />
      </label>
      <label>
        {say("fromBlock")}
        <input value={draft.from} onInput={set("from")} inputMode="numeric" autocomplete="off" />
      </label>
      {broken.map((rule) => (
        <Notice key={rule} kind="bad">
          {rule}
        </Notice>
      ))}
      <button type="submit">{say("open")}</button>
    </form>
  );
}
