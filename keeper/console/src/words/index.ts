import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { en, type Words } from "./en.ts";
import { zh } from "./zh.ts";

export const LANGUAGES = { en: "English", zh: "中文" } as const;
export type Language = keyof typeof LANGUAGES;
const WORDS: Record<Language, Words> = { en, zh };

export type Say = (key: keyof Words, given?: Record<string, unknown>) => string;

/** What is to be said, in whichever language the page has then. */
export interface Said {
  key: keyof Words;
  given?: Record<string, unknown>;
}
const isSaid = (value: unknown): value is Said => typeof value === "object" && value !== null && "key" in value;
/** What is filled in may be words itself. */
export const words = ({ key, given = {} }: Said, say: Say): string =>
  say(key, Object.fromEntries(Object.entries(given).map(([name, value]) => [name, isSaid(value) ? words(value, say) : value])));

export const sayIn =
  (language: Language): Say =>
  (key, given = {}) =>
    WORDS[language][key].replace(/\{(\w+)\}/g, (whole, name: string) => (name in given ? String(given[name]) : whole));

/** The browser's language, if the page has it. */
export const ownLanguage = (): Language => (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

export const Saying = createContext<Say>(sayIn("en"));
export const useSay = (): Say => useContext(Saying);
