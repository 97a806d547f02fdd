// audits/coverage.md: what is reached, what is not and why, how it is measured, and what that cannot tell.
"use strict";

const percent = (reached, all) => (all === 0 ? "–" : `${((100 * reached) / all).toFixed(1)} %`);

/** Reached and all: lines, ways of branches, functions. */
function counts({ lines, branches, functions }) {
  const ways = [...branches.values()].flatMap((branch) => branch.ways);
  return [[...lines.values()], ways, [...functions.values()]].map((all) => [all.filter(Boolean).length, all.length]);
}

const cells = (all) => all.map(([reached, of]) => `${reached} of ${of} | ${percent(reached, of)}`).join(" | ");

function table(files) {
  const rows = [...files].map(([file, hits]) => [file.replace("contracts/src/", ""), counts(hits)]);
  const total = [0, 1, 2].map((kind) => [0, 1].map((n) => rows.reduce((sum, [, all]) => sum + all[kind][n], 0)));
  const lines = [...rows, ["**all**", total]].map(([name, all]) => `| ${name} | ${cells(all)} |`);
  return `| file | lines | | ways of branches | | functions | |\n|---|--:|--:|--:|--:|--:|--:|\n${lines.join("\n")}`;
}

/** The places that have a reason. */
function listed(reasons) {
  if (reasons.length === 0) return "Nothing.";
  const rows = reasons.map(
    ({ file, function: name, line, what, reason }) => `| ${file.replace("contracts/src/", "")} | ${name} | \`${line}\` | ${what} | ${reason} |`,
  );
  return `| file | function | line | what | why |\n|---|---|---|---|---|\n${rows.join("\n")}`;
}

function document(runs, files, reasons) {
  const [vault, plain] = runs.map(({ tests }) => tests);
  const raw = (files) => counts({ lines: hit(files, "lines"), branches: new Map(), functions: new Map() })[0].join(" of ");
  const left = runs.flatMap(({ leftOut }) => leftOut).map((name) => `\`${name}\``);
  return `# Coverage

Which lines, branches and functions of contracts/src the tests in contracts/test/unit and contracts/test/attacks reach. Written by
\`scripts/coverage --write\`, which takes some minutes and is no part of \`scripts/test\`; \`scripts/coverage\` fails when something is not
reached and has no reason in [coverage.json](coverage.json). Interfaces and types without code have no row.

${table(files)}

## What is not reached

${listed(reasons)}

## How it is measured

\`forge coverage\` compiles sources and tests anew, in one way for all. Two runs, and what one of them reaches is reached:

- **vault**: by the IR with the least optimisation (\`--ir-minimum\`), ${vault} tests. The vault that tests create is the one that is measured.
  By itself forge reports ${raw(runs[0].files)} lines here: in an assembly block it sees none, because each has the place of the whole block.
- **plain**: without IR and optimizer, ${plain} tests, everything but Vault.sol, for which the stack is too deep; tests create the vault
  from the production build. This measures libraries with assembly by their own tests, the factory and the lens, line by line. By
  itself forge reports ${raw(runs[1].files)} lines: what is in the vault only is not seen here.

Two things are concluded from forge's counts, since a statement runs only after the one before it in its block: a line that
forge sees nothing of is reached if its branch or the statement after it is; and an \`if\` without \`else\`, of which forge counts one way, was
passed by if it ran more often than what it guards, or the statement after it did.

## What it cannot tell

- It is not the deployed bytecode that is measured but the same sources, compiled otherwise. The IR's places are forge's best guess.
- An assembly library is reached by its own tests in the plain run, which is not to say that the vault reaches each of its lines.
- Both ways of \`? :\`, \`&&\`, \`||\` and of loops are not told apart.
- Fuzz tests do 100 runs. Invariants, recorded traces, the trial in revm and the proofs do not count.
- These tests are left out of the first run, since they fail as it compiles them: ${left.join(", ")}.
- Reached is not checked: [mutants.json](../contracts/test/mutants.json) and \`scripts/mutants\` ask whether a test fails.
`;
}

const hit = (files, kind) =>
  new Map([...files].flatMap(([file, hits]) => [...hits[kind]].map(([key, count]) => [`${file} ${key}`, count > 0])));

module.exports = { document, listed, table };
