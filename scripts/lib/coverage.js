// What forge's coverage reports (lcov) say about each line, branch and function, and what follows from it.
"use strict";

/** @typedef {{ lines: Map<number, number>, branches: Map<string, { line: number, ways: number[] }>, functions: Map<string, number> }} Hits */

/** A report's hits by file. */
function parse(text) {
  const files = new Map();
  let hits;
  for (const line of text.split("\n")) {
    const [, kind, rest] = line.match(/^(\w+):(.*)$/) ?? [];
    const fields = rest?.split(",");
    if (kind === "SF") files.set(rest, (hits = { lines: new Map(), branches: new Map(), functions: new Map() }));
    if (kind === "DA") hits.lines.set(Number(fields[0]), Number(fields[1]));
    if (kind === "FNDA") hits.functions.set(fields[1], Number(fields[0]));
    if (kind === "BRDA") {
      const key = `${fields[0]},${fields[1]}`;
      const branch = hits.branches.get(key) ?? { line: Number(fields[0]), ways: [] };
      branch.ways[Number(fields[2])] = fields[3] === "-" ? 0 : Number(fields[3]);
      hits.branches.set(key, branch);
    }
  }
  return files;
}

const indentOf = (text) => text.length - text.trimStart().length;
const isClosing = (text) => /^[)}\]]/.test(text.trim());
const isComment = (text) => /^\/\//.test(text.trim());

/** The line number where the next statement of the same block begins; undefined after the last. forge fmt makes indentation tell. */
function nextStatement(source, number) {
  const indent = indentOf(source[number - 1]);
  for (let i = number; i < source.length; i += 1) {
    const text = source[i];
    if (text.trim() === "" || isComment(text) || indentOf(text) > indent) continue;
    if (indentOf(text) < indent) return undefined;
    if (!isClosing(text)) return i + 1;
  }
  return undefined;
}

/** Whether what an `if` runs never goes on with the next statement. */
function leaves(source, number) {
  const next = nextStatement(source, number) ?? number + 1;
  const body = source.slice(number - 1, next - 1).filter((text) => text.trim() !== "" && !isComment(text) && !isClosing(text));
  const words = /\b(return|revert|continue|break)\b|\b_revert\w*\(/;
  return words.test(body.length === 1 ? body[0] : body[body.length - 1]);
}

/**
 * What follows from forge's counts, one file at a time. Both hold because a statement runs only after the one before it in its block:
 * - A line that forge sees nothing of was reached if one of its branches was, or the next statement.
 * - Forge counts what an `if` without `else` guards, and not how often it is passed by. It was, if the `if` ran more often than what it
 *   guards; or if the next statement ran, more often than that when what is guarded goes on there.
 */
function judgeFile({ lines, branches, functions }, source) {
  const seen = new Map(lines);
  const numbers = [...lines.keys()].sort((a, b) => b - a); // from below, so that what follows is known
  for (const number of numbers) {
    if (lines.get(number) !== 0 || isClosing(source[number - 1])) continue;
    const ways = [...branches.values()].filter(({ line }) => line === number).flatMap((branch) => branch.ways);
    seen.set(number, Math.max(0, ...ways, seen.get(nextStatement(source, number)) ?? 0));
  }
  const both = [...branches].map(([key, { line, ways }]) => {
    if (ways.length > 1) return [key, { line, ways: ways.map((hits) => hits > 0) }];
    const after = seen.get(nextStatement(source, line)) ?? 0;
    const passed = lines.get(line) > ways[0] || after > (leaves(source, line) ? 0 : ways[0]);
    return [key, { line, ways: [ways[0] > 0, passed] }];
  });
  const reached = (counts) => new Map([...counts].map(([key, hits]) => [key, hits > 0]));
  return { lines: reached(seen), branches: new Map(both), functions: reached(functions) };
}

const judge = (files, sourceOf) => new Map([...files].map(([file, hits]) => [file, judgeFile(hits, sourceOf(file))]));

/** What any of the runs reaches. */
function merge(judged) {
  const names = [...new Set(judged.flatMap((files) => [...files.keys()]))].sort();
  return new Map(names.map((name) => [name, judged.map((files) => files.get(name)).filter(Boolean).reduce(either)]));
}

function either(one, other) {
  const any = (a, b) => new Map([...new Set([...a.keys(), ...b.keys()])].map((key) => [key, Boolean(a.get(key) || b.get(key))]));
  // The number of a branch is a run's own: its line, and its place among those of the line, are not.
  const [mine, theirs] = [one, other].map(({ branches }) => byPlace(branches));
  const places = [...new Set([...mine.keys(), ...theirs.keys()])];
  const branches = places.map((key) => {
    const [{ line }, ways] = [mine.get(key) ?? theirs.get(key), [mine.get(key)?.ways ?? [], theirs.get(key)?.ways ?? []]];
    return [key, { line, ways: [0, 1].map((way) => Boolean(ways[0][way] || ways[1][way])) }];
  });
  return { lines: any(one.lines, other.lines), branches: new Map(branches), functions: any(one.functions, other.functions) };
}

function byPlace(branches) {
  const count = new Map();
  return new Map(
    [...branches.values()].map((branch) => {
      const place = count.get(branch.line) ?? 0;
      count.set(branch.line, place + 1);
      return [`${branch.line} ${place}`, branch];
    }),
  );
}

const HEADER = /^ *(?:function (\w+)|(constructor|receive|fallback)\b|modifier (\w+))/;

/** The function that a line is in: the last one that begins above it. */
function functionAt(source, number) {
  for (let i = number - 1; i >= 0; i -= 1) {
    const match = source[i].match(HEADER);
    if (match) return match[1] ?? match[2] ?? match[3];
  }
  return "";
}

/** How many lines of a function have this text. */
const linesWith = (source, name, text) =>
  source.filter((line, i) => line.trim() === text && functionAt(source, i + 1) === name).length;

const WAYS = ["never taken", "never passed by"];

/** Lines that are not reached, and branches of reached lines of which a way is not. */
function missing(files, sourceOf) {
  return [...files].flatMap(([file, { lines, branches }]) => {
    const source = sourceOf(file);
    const place = (number, what) => ({ file, function: functionAt(source, number), line: source[number - 1].trim(), what });
    const dark = [...lines].filter(([, reached]) => !reached).map(([number]) => place(number, "line"));
    const ways = [...branches.values()].filter(({ line }) => lines.get(line));
    return [...dark, ...ways.flatMap(({ line, ways }) => WAYS.filter((_, way) => !ways[way]).map((what) => place(line, what)))];
  });
}

module.exports = { functionAt, judge, linesWith, merge, missing, parse };
