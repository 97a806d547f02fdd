// Figures as Prometheus's text format has them.

export interface Figure {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const plain = (text: string): string => text.replace(/\\(.)/g, (_, each: string) => (each === "n" ? "\n" : each));

export function readFigures(text: string): Figure[] {
  return text.split("\n").flatMap((line) => {
    const [, name, labels = "", value] = line.startsWith("#") ? [] : (line.match(LINE) ?? []);
    if (name === undefined) return [];
    const pairs = [...labels.matchAll(LABEL)].map(([, label = "", words = ""]) => [label, plain(words)]);
    return [{ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }];
  });
}

/** A look-up by name and labels. */
export class Figures {
  constructor(private readonly all: Figure[]) {}

  get isEmpty(): boolean {
    return this.all.length === 0;
  }

  each(name: string, labels: Record<string, string> = {}): Figure[] {
    return this.all.filter((each) => each.name === `tidelock_${name}` && Object.entries(labels).every(([label, word]) => each.labels[label] === word));
  }

  one(name: string, labels?: Record<string, string>): number | undefined {
    return this.each(name, labels)[0]?.value;
  }
}
