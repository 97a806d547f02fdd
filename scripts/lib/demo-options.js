// What `scripts/demo` is called with. Run by itself it only says whether the options are good, before anything is built.
"use strict";
const { parseArgs } = require("node:util");

const USAGE_STATUS = 2;
const FEWEST = 20; // withdrawals that show every case
const MOST = 5000;

const OPTIONS = {
  payments: { type: "string", default: "200" },
  seed: { type: "string", default: "1" },
  kill: { type: "boolean", default: false },
  keep: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
};

/** The options, or an error that names the one that is wrong. */
function parse(args) {
  const { values } = parseArgs({ args, options: OPTIONS });
  if (!/^\d{1,6}$/.test(values.payments) || Number(values.payments) < FEWEST || Number(values.payments) > MOST) {
    throw new Error(`--payments ${values.payments}: must be a whole number from ${FEWEST} to ${MOST}`);
  }
  return { ...values, payments: Number(values.payments) };
}

/** The options of this process; wrong ones end it. */
function readOptions() {
  try {
    return parse(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`scripts/demo: ${error.message}\n`);
    return process.exit(USAGE_STATUS);
  }
}

if (require.main === module) readOptions();

module.exports = { readOptions };
