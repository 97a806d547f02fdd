// Draws the gas table as bars, in a picture that follows the reader's light or dark mode.
"use strict";
const { number, sum } = require("./gas-report.js");

const SIZE = { width: 760, label: 300, bar: 18, gap: 10, value: 70, head: 34, margin: 20 }; // pixels
const STYLE = `
  .back { fill: #ffffff } text { fill: #24292f; font: 13px system-ui, sans-serif } .title { font-weight: 600 }
  .floor { fill: #c6ccd2 } .ours { fill: #0f8a76 } .peer { fill: #7d8590 }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117 } text { fill: #e6edf3 } .floor { fill: #3d444d } .ours { fill: #2bb39b } .peer { fill: #8b949e }
  }`;

const panels = (g) => [
  {
    title: "One more payment in a batch, to a holder (gas)",
    bars: [
      ["floor", "bare loop: transfers only", g.bare.holder.marginal],
      ["floor", "floor+ loop: standing and log", g.floor.holder.marginal],
      ["ours", "Tidelock, automatic", g.pay.holder.marginal],
      ["ours", "Tidelock, approved: execute", g.execute.holder.marginal],
      ["peer", "Safe 1.4.1 and MultiSendCallOnly", g.multiSend.holder.marginal],
    ],
  },
  {
    title: "One payment to a holder, all its transactions (gas)",
    bars: [
      ["ours", "Tidelock, automatic", g.pay.holder[1]],
      ["ours", "Tidelock 2-of-3, votes on chain, time lock", sum(g.withdraw)],
      ["peer", "Safe 2-of-3, both votes on chain", sum(g.safeApproved)],
      ["peer", "Safe 2-of-3, second owner executes", sum(g.safeSecondExecutes)],
      ["peer", "Safe 2-of-3, signatures off chain", g.safeSigned],
      ["peer", "TimelockController, one proposer", sum(g.timelock)],
    ],
  },
];

function drawPanel({ title, bars }, top) {
  const most = Math.max(...bars.map(([, , gas]) => gas));
  const room = SIZE.width - SIZE.label - SIZE.value - 2 * SIZE.margin;
  const lines = bars.map(([kind, name, gas], i) => {
    const y = top + SIZE.head + i * (SIZE.bar + SIZE.gap);
    const width = Math.max(1, Math.round((gas / most) * room));
    const [x, base] = [SIZE.margin + SIZE.label, y + SIZE.bar - 4];
    return [
      `  <text x="${x - 10}" y="${base}" text-anchor="end">${name}</text>`,
      `  <rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${SIZE.bar}" rx="2"/>`,
      `  <text x="${x + width + 8}" y="${base}">${number(gas)}</text>`,
    ].join("\n");
  });
  return [`  <text class="title" x="${SIZE.margin}" y="${top + 14}">${title}</text>`, ...lines].join("\n");
}

/** The picture as SVG. */
function chart(g) {
  let top = SIZE.margin;
  const drawn = panels(g).map((panel) => {
    const text = drawPanel(panel, top);
    top += SIZE.head + panel.bars.length * (SIZE.bar + SIZE.gap) + SIZE.margin;
    return text;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${top}" role="img" aria-label="Gas of payments">
  <style>${STYLE}
  </style>
  <rect class="back" width="${SIZE.width}" height="${top}"/>
${drawn.join("\n")}
</svg>
`;
}

module.exports = { chart };
