// Draws the gas table as bars, two for each row, in a picture that follows the reader's light or dark mode.
"use strict";
const { FORKS } = require("./gas-measure.js");
const { number, sum } = require("./gas-report.js");

const SIZE = { width: 760, label: 300, bar: 12, gap: 12, value: 80, head: 34, margin: 20 }; // pixels
const STYLE = `
  .back { fill: #ffffff } text { fill: #24292f; font: 13px system-ui, sans-serif } .title { font-weight: 600 }
  .number { font-size: 11px }
  .floor { fill: #c6ccd2 } .ours { fill: #0f8a76 } .peer { fill: #7d8590 } .amsterdam { opacity: 0.55 }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117 } text { fill: #e6edf3 } .floor { fill: #3d444d } .ours { fill: #2bb39b } .peer { fill: #8b949e }
  }`;

const marginalBars = (kind) => [
  ["floor", "bare loop: transfers only", (g) => g.bare[kind].marginal],
  ["floor", "floor+ loop: standing and log", (g) => g.floor[kind].marginal],
  ["ours", "Tidelock, automatic", (g) => g.pay[kind].marginal],
  ["ours", "Tidelock, approved: execute", (g) => g.execute[kind].marginal],
  ["peer", "Safe 1.4.1 and MultiSendCallOnly", (g) => g.multiSend[kind].marginal],
];

const PANELS = [
  { title: "One more payment in a batch, to a holder", bars: marginalBars("holder") },
  { title: "One more payment in a batch, to a new holder", bars: marginalBars("newcomer") },
  {
    title: "One payment to a holder, all its transactions",
    bars: [
      ["ours", "Tidelock, automatic", (g) => g.pay.holder[1]],
      ["ours", "Tidelock, two signatures, no delay", (g) => g.payBySig.holder[1]],
      ["ours", "Tidelock 2-of-3, two signatures, time lock", (g) => sum(g.withdrawBySig)],
      ["ours", "Tidelock 2-of-3, votes on chain, time lock", (g) => sum(g.withdraw)],
      ["peer", "Safe 2-of-3, both votes on chain", (g) => sum(g.safeApproved)],
      ["peer", "Safe 2-of-3, second owner executes", (g) => sum(g.safeSecondExecutes)],
      ["peer", "Safe 2-of-3, signatures off chain", (g) => g.safeSigned],
      ["peer", "TimelockController, one proposer", (g) => sum(g.timelock)],
    ],
  },
];

const ROW = 2 * SIZE.bar + SIZE.gap;

function drawPanel({ title, bars }, run, top) {
  const most = Math.max(...bars.flatMap(([, , gas]) => FORKS.map((fork) => gas(run[fork]))));
  const room = SIZE.width - SIZE.label - SIZE.value - 2 * SIZE.margin;
  const x = SIZE.margin + SIZE.label;
  const lines = bars.map(([kind, name, gas], i) => {
    const y = top + SIZE.head + i * ROW;
    const drawn = FORKS.map((fork, j) => {
      const width = Math.max(1, Math.round((gas(run[fork]) / most) * room));
      const edge = y + j * SIZE.bar;
      return [
        `  <rect class="${kind} ${fork}" x="${x}" y="${edge}" width="${width}" height="${SIZE.bar - 1}" rx="2"/>`,
        `  <text class="number" x="${x + width + 8}" y="${edge + SIZE.bar - 2}">${number(gas(run[fork]))}</text>`,
      ].join("\n");
    });
    return [`  <text x="${x - 10}" y="${y + SIZE.bar + 4}" text-anchor="end">${name}</text>`, ...drawn].join("\n");
  });
  return [`  <text class="title" x="${SIZE.margin}" y="${top + 14}">${title}</text>`, ...lines].join("\n");
}

/** The picture as SVG. */
function chart(run) {
  let top = SIZE.margin + 24;
  const drawn = PANELS.map((panel) => {
    const text = drawPanel(panel, run, top);
    top += SIZE.head + panel.bars.length * ROW + SIZE.margin;
    return text;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${top}" role="img" aria-label="Gas of payments on Osaka and Amsterdam">
  <style>${STYLE}
  </style>
  <rect class="back" width="${SIZE.width}" height="${top}"/>
  <text x="${SIZE.margin}" y="${SIZE.margin + 8}">Gas. Of each two bars the upper is Osaka's, the lower, paler one Amsterdam's.</text>
${drawn.join("\n")}
</svg>
`;
}

module.exports = { chart };
