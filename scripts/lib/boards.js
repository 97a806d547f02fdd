// The Grafana boards: rows of panels, each a title, a unit and what is asked of Prometheus.
"use strict";

const WIDTH = 24;
const HEIGHT = 7;

/** panel("Title", "unit", { legend: "expression" }, { width, text }) */
const panel = (title, unit, targets, more = {}) => ({ title, unit, targets, ...more });
const one = (expr) => ({ "": expr });
const AT = '{instance="$keeper"}';
const at = (labels) => `{instance="$keeper",${labels}}`;

const BOARDS = [
  {
    uid: "tidelock-business",
    title: "Tidelock: withdrawals",
    panels: [
      panel("Success rate", "percentunit", one(
        `sum(increase(tidelock_payments_settled_total${at('state="paid"')}[$__range])) / sum(increase(tidelock_payments_settled_total${AT}[$__range]))`,
      ), { kind: "stat" }),
      panel("Mean time to arrival", "s", one(
        `increase(tidelock_arrival_seconds_sum${AT}[$__range]) / increase(tidelock_arrival_seconds_count${AT}[$__range])`,
      ), { kind: "stat" }),
      panel("Abnormal rejections", "percentunit", one(
        `sum(increase(tidelock_payments_stopped_total${at('class="abnormal"')}[$__range])) / sum(increase(tidelock_requests_accepted_total${AT}[$__range]))`,
      ), { kind: "stat" }),
      panel("Audit compliance", "percentunit", one(
        `sum(increase(tidelock_payments_paid_total${at('trail="whole"')}[$__range])) / sum(increase(tidelock_payments_paid_total${AT}[$__range]))`,
      ), { kind: "stat" }),
      panel("Time to arrival", "s", {
        half: `histogram_quantile(0.5, rate(tidelock_arrival_seconds_bucket${AT}[1h]))`,
        "95 %": `histogram_quantile(0.95, rate(tidelock_arrival_seconds_bucket${AT}[1h]))`,
      }),
      panel("Payments that are not settled", "short", { "{{state}}": `tidelock_payments${AT}` }),
      panel("Taken in and paid", "short", {
        "taken in": `increase(tidelock_requests_accepted_total${AT}[5m])`,
        paid: `increase(tidelock_payments_settled_total${at('state="paid"')}[5m])`,
      }),
      panel("Stopped", "short", { "{{class}}: {{reason}}": `increase(tidelock_payments_stopped_total${AT}[1h])` }),
      panel("Headroom of each tier", "short", { "tier {{tier}}": `tidelock_tier_headroom_tokens${AT}`, "cap of tier {{tier}}": `tidelock_tier_cap_tokens${AT}` }),
      panel("The vault's balance", "short", one(`tidelock_vault_balance_tokens${AT}`)),
    ],
  },
  {
    uid: "tidelock-keeper",
    title: "Tidelock: the keeper",
    panels: [
      panel("Sends", "short", one(`tidelock_sends${AT}`), { kind: "stat" }),
      panel("Alerts", "short", one(`tidelock_alerts${AT}`), { kind: "stat" }),
      panel("Engine's last word", "s", one(`tidelock_beat_age_seconds${AT}`), { kind: "stat" }),
      panel("Age of the last final block", "s", one(`time() - tidelock_final_time_seconds${AT}`), { kind: "stat" }),
      panel("Fees", "short", { "{{what}}": `tidelock_fee_gwei${AT}` }),
      panel("Transactions", "short", {
        "in no block": `tidelock_transactions_unincluded${AT}`,
        "signed, not final": `tidelock_attempts${AT}`,
        "nonces {{state}}": `tidelock_nonces${AT}`,
      }),
      panel("Batches", "short", { "{{state}}": `tidelock_batches${AT}` }),
      panel("Reverted", "short", {
        all: `increase(tidelock_transactions_reverted_total${AT}[1h])`,
        "{{cause}}": `increase(tidelock_transactions_reverted_explained_total${AT}[1h])`,
      }),
      panel("Blocks", "short", { head: `tidelock_head_block${AT}`, final: `tidelock_final_block${AT}`, "node {{node}}": `tidelock_node_block${AT}` }),
      panel("Questions to nodes a second", "reqps", {
        "{{node}}": `rate(tidelock_node_requests_total${AT}[5m])`,
        "{{node}} unanswered": `rate(tidelock_node_unanswered_total${AT}[5m])`,
      }),
      panel("Disagreements of the nodes", "short", one(`increase(tidelock_node_disagreements_total${AT}[15m])`)),
      panel("Coins for gas", "short", { held: `tidelock_gas_balance_coins${AT}`, wanted: `tidelock_gas_reserve_coins${AT}`, "data of a full batch": `tidelock_data_fee_coins${AT}` }),
      panel("A day's gas", "short", { "{{what}}": `tidelock_gas_day_coins${AT}` }),
      panel("Entries of the log", "short", one(`tidelock_log_entries${AT}`)),
      panel("Until a role ends", "s", { "{{role}}": `tidelock_role_ends_seconds${AT} > 0 and tidelock_role_ends_seconds${AT} - time()` }),
    ],
  },
];

const SOURCE = { type: "prometheus", uid: "$source" };

function drawn({ title, unit, targets, kind = "timeseries" }, id, place) {
  return {
    id,
    title,
    type: kind,
    datasource: SOURCE,
    gridPos: place,
    fieldConfig: { defaults: { unit }, overrides: [] },
    targets: Object.entries(targets).map(([legendFormat, expr], i) => ({
      refId: String.fromCharCode(65 + i),
      datasource: SOURCE,
      expr,
      legendFormat: legendFormat || undefined,
    })),
  };
}

/** Four numbers to a row, two charts to a row. */
function board({ uid, title, panels }) {
  let [x, y] = [0, 0];
  const placed = panels.map((each, i) => {
    const w = each.kind === "stat" ? WIDTH / 4 : WIDTH / 2;
    if (x + w > WIDTH) [x, y] = [0, y + HEIGHT];
    const place = { x, y, w, h: HEIGHT };
    x += w;
    return drawn(each, i + 1, place);
  });
  const variable = (name, type, query, more) => ({ name, type, query, ...more });
  return {
    uid,
    title,
    schemaVersion: 39,
    editable: true,
    refresh: "30s",
    time: { from: "now-24h", to: "now" },
    templating: {
      list: [
        variable("source", "datasource", "prometheus"),
        variable("keeper", "query", "label_values(tidelock_build_info, instance)", { datasource: SOURCE, refresh: 2 }),
      ],
    },
    panels: placed,
  };
}

module.exports = { BOARDS, board };
