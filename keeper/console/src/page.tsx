import { useEffect, useMemo, useState } from "preact/hooks";
import { cameBackTo, useKeeper } from "./keeper/session.ts";
import { Freeze, type Means } from "./parts/acts.tsx";
import { Auditor } from "./parts/auditor.tsx";
import { BusinessPart } from "./parts/business.tsx";
import { Account, Notice } from "./parts/common.tsx";
import { Operator } from "./parts/operator.tsx";
import { PassingForm } from "./parts/passing.tsx";
import { Payments } from "./parts/payments.tsx";
import { Proposals } from "./parts/proposals.tsx";
import { Roles } from "./parts/roles.tsx";
import { Rooms } from "./parts/rooms.tsx";
import { SettingsForm } from "./parts/settings.tsx";
import { Trust, isTrusted } from "./parts/trust.tsx";
import { WalletBar } from "./parts/wallet.tsx";
import { parse, proposed, stored, type Settings } from "./settings.ts";
import { spanText, timeText } from "./vault/words.ts";
import type { Snapshot } from "./vault/snapshot.ts";
import { useSession } from "./wallet/discover.ts";
import { useNow, useView } from "./watch.ts";
import { LANGUAGES, Saying, ownLanguage, sayIn, useSay, type Language } from "./words/index.ts";

const TABS = ["tabVault", "tabProposals", "tabRoles", "tabPayments", "tabBusiness", "tabOperator", "tabAuditor", "tabSettings"] as const;
type Tab = (typeof TABS)[number];
/** Parts that ask the keeper, as they call themselves. */
const ASKING: Record<string, Tab> = { payments: "tabPayments", business: "tabBusiness", operator: "tabOperator", auditor: "tabAuditor" };
const THEMES = ["themeAuto", "themeLight", "themeDark"] as const;

/** A choice that this browser remembers. */
function useChoice<T extends string>(name: string, choices: readonly T[], first: T): [T, (choice: T) => void] {
  const [choice, setChoice] = useState<T>(() => {
    const kept = localStorage.getItem(name) as T;
    return choices.includes(kept) ? kept : first;
  });
  const choose = (next: T): void => {
    localStorage.setItem(name, next);
    setChoice(next);
  };
  return [choice, choose];
}

function State({ snapshot, now }: { snapshot: Snapshot; now: bigint }) {
  const say = useSay();
  const { haltedUntil } = snapshot.hot;
  if (haltedUntil <= now) return <Notice kind="good">{say("notFrozen")}</Notice>;
  return <Notice kind="bad">{say("frozen", { time: timeText(haltedUntil), span: spanText(haltedUntil - now) })}</Notice>;
}

export function Page() {
  const languages = Object.keys(LANGUAGES) as Language[];
  const [language, setLanguage] = useChoice("tidelock.language", languages, ownLanguage());
  const [theme, setTheme] = useChoice("tidelock.theme", THEMES, "themeAuto");
  const say = useMemo(() => sayIn(language), [language]);
  const link = useMemo(() => proposed(location.hash), []);
  const [settings, setSettings] = useState<Settings | undefined>(() => {
    const known = link ? { broken: [] } : parse(stored(), say);
    return "settings" in known ? known.settings : undefined;
  });
  const [tab, setTab] = useState<Tab>(() => ASKING[cameBackTo() ?? ""] ?? (settings ? "tabVault" : "tabSettings"));
  const { view, again } = useView(settings);
  const now = useNow(view);
  const [session, setSession] = useSession();
  const keeper = useKeeper();
  const snapshot = view?.snapshot;
  useEffect(() => {
    document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
    document.title = `Tidelock – ${say("title")}`;
  }, [language, say]);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  const use = (chosen: Settings): void => {
    // A link has done its work; what is used is what was read over.
    history.replaceState(null, "", location.pathname);
    setSettings(chosen);
    setTab("tabVault");
  };
  const means: Means | undefined = view && { node: view.node, session, isTrusted: isTrusted(view), again };
  return (
    <Saying.Provider value={say}>
      <a class="skip" href="#content">
        {say("skip")}
      </a>
      <header>
        <h1>
          <span class="brand">Tidelock</span> {settings && <Account address={settings.vault} />}
        </h1>
        <WalletBar session={session} setSession={setSession} chainId={snapshot?.domain.chainId} />
        <div class="choices">
          <label>
            {say("language")}{" "}
            <select value={language} onChange={(event) => setLanguage(event.currentTarget.value as Language)}>
              {languages.map((each) => (
                <option key={each} value={each} selected={each === language}>
                  {LANGUAGES[each]}
                </option>
              ))}
            </select>
          </label>
          <label>
            {say("theme")}{" "}
            <select value={theme} onChange={(event) => setTheme(event.currentTarget.value as (typeof THEMES)[number])}>
              {THEMES.map((each) => (
                <option key={each} value={each} selected={each === theme}>
                  {say(each)}
                </option>
              ))}
            </select>
          </label>
        </div>
      </header>
      <nav aria-label={say("tabs")}>
        {TABS.map((each) => (
          <button type="button" key={each} aria-current={each === tab ? "page" : undefined} onClick={() => setTab(each)}>
            {say(each)}
            {each === "tabProposals" && snapshot && snapshot.proposals.length > 0 && ` (${snapshot.proposals.length})`}
          </button>
        ))}
      </nav>
      <main id="content" tabIndex={-1}>
        {view && tab !== "tabSettings" && <Trust view={view} now={now} />}
        {snapshot && tab !== "tabSettings" && <State snapshot={snapshot} now={now} />}
        {settings && !view && tab !== "tabSettings" && <p role="status">{say("loading")}</p>}
        {tab === "tabSettings" && <SettingsForm draft={link ?? stored()} fromLink={link !== undefined && !settings} use={use} />}
        {snapshot && means && tab === "tabVault" && (
          <>
            <Rooms snapshot={snapshot} now={now} />
            {settings && <PassingForm snapshot={snapshot} node={means.node} lens={settings.lens} />}
            <Freeze snapshot={snapshot} means={means} />
          </>
        )}
        {snapshot && means && tab === "tabProposals" && <Proposals snapshot={snapshot} now={now} means={means} />}
        {tab === "tabPayments" && <Payments keeper={keeper} snapshot={snapshot} />}
        {tab === "tabBusiness" && <BusinessPart keeper={keeper} />}
        {tab === "tabOperator" && <Operator keeper={keeper} />}
        {tab === "tabAuditor" && <Auditor keeper={keeper} settings={settings} snapshot={snapshot} />}
        {snapshot && tab === "tabRoles" && <Roles snapshot={snapshot} now={now} me={session?.account} />}
      </main>
    </Saying.Provider>
  );
}
