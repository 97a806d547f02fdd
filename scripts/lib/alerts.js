// The alerts: what is asked of Prometheus, for how long it must be so, and who is woken. `fires` and `quiet` are series (a minute
// apart, in promtool's notation) on which the alert must and must not fire after `at` minutes.
"use strict";

const NOW = 1_000_000; // series that hold times are tested from here on: promtool's clock begins at 0
const LABELS = 'job="keeper",instance="k"';
/** series("name", "values", 'more="labels"') */
const series = (name, values, more = "") => ({ series: `${name}{${LABELS}${more && `,${more}`}}`, values });
const flat = (name, value, more) => series(name, `${value}x6000`, more);

const ALERTS = [
  {
    name: "KeeperDown", severity: "page", for: "2m", at: 5,
    expr: 'up{job="keeper"} == 0',
    summary: "Nobody answers for the keeper",
    fires: [flat("up", 0)], quiet: [flat("up", 1)],
  },
  {
    name: "KeeperHangs", severity: "page", for: "1m", at: 5,
    expr: "tidelock_beat_age_seconds > 15",
    summary: "The keeper runs, and its engine says nothing",
    fires: [flat("tidelock_beat_age_seconds", 16)], quiet: [flat("tidelock_beat_age_seconds", 1)],
  },
  {
    name: "KeeperStarts", severity: "page", for: "15m", at: 30,
    expr: 'up{job="keeper"} == 1 unless on (job, instance) tidelock_sends',
    summary: "The keeper has started, and its engine does not turn yet",
    fires: [flat("up", 1)], quiet: [flat("up", 1), flat("tidelock_sends", 1)],
  },
  {
    name: "KeeperHalted", severity: "page", for: "1m", at: 5,
    expr: 'tidelock_halted{cause!~"restored|reopened|operator"} == 1',
    summary: "The keeper has halted itself and sends nothing",
    fires: [flat("tidelock_halted", 1, 'cause="foreign nonce"')], quiet: [flat("tidelock_halted", 1, 'cause="operator"')],
    labels: { cause: "foreign nonce" },
  },
  {
    name: "LogReopened", severity: "page", for: "1m", at: 5,
    expr: 'tidelock_halted{cause="reopened"} == 1',
    summary: "The keeper's log was opened anew, and nothing is sent until somebody has restored what an earlier one knew and resumes",
    fires: [flat("tidelock_halted", 1, 'cause="reopened"')], quiet: [flat("tidelock_halted", 1, 'cause="restored"')],
    labels: { cause: "reopened" },
  },
  {
    name: "KeeperHaltedLong", severity: "ticket", for: "6h", at: 400,
    expr: 'tidelock_halted{cause=~"restored|operator"} == 1',
    summary: "The keeper has been halted for six hours, by an operator or by the wait after its log was opened anew",
    fires: [flat("tidelock_halted", 1, 'cause="operator"')], quiet: [flat("tidelock_halted", 0, 'cause="operator"')],
    labels: { cause: "operator" },
  },
  {
    name: "KeeperAlerts", severity: "page", for: "0m", at: 1,
    expr: "tidelock_alerts > 0",
    summary: "Something that a person must look at; keeper status names it",
    fires: [flat("tidelock_alerts", 1)], quiet: [flat("tidelock_alerts", 0)],
  },
  {
    name: "StoreUnreadable", severity: "page", for: "5m", at: 10,
    expr: "tidelock_store_readable == 0 and on (job, instance) tidelock_sends",
    summary: "The keeper's log cannot be read beside it",
    fires: [flat("tidelock_store_readable", 0), flat("tidelock_sends", 1)],
    quiet: [flat("tidelock_store_readable", 1), flat("tidelock_sends", 1)],
  },
  {
    name: "NoUsableAnswer", severity: "page", for: "10m", at: 20,
    expr: "tidelock_failing == 1",
    summary: "No answer of node or key could be used for ten minutes",
    fires: [flat("tidelock_failing", 1)], quiet: [series("tidelock_failing", "1x5 0x6000")],
  },
  {
    name: "NodesDisagree", severity: "page", for: "0m", at: 20,
    expr: "increase(tidelock_node_disagreements_total[15m]) > 0",
    summary: "The two nodes have said what cannot both be true",
    fires: [series("tidelock_node_disagreements_total", "0x10 1x6000")], quiet: [flat("tidelock_node_disagreements_total", 7)],
  },
  {
    name: "NodeBehind", severity: "ticket", for: "10m", at: 30,
    expr:
      "max by (job, instance) (tidelock_node_time_seconds) - min by (job, instance) (tidelock_node_time_seconds) > 120",
    summary: "One node is two minutes behind the other",
    fires: [flat("tidelock_node_time_seconds", NOW, 'node="first"'), flat("tidelock_node_time_seconds", NOW - 200, 'node="second"')],
    quiet: [flat("tidelock_node_time_seconds", NOW, 'node="first"'), flat("tidelock_node_time_seconds", NOW - 60, 'node="second"')],
  },
  {
    name: "NodeSilent", severity: "ticket", for: "10m", at: 30,
    expr: "rate(tidelock_node_unanswered_total[5m]) > 0.2 * rate(tidelock_node_requests_total[5m])",
    summary: "A node leaves more than a fifth of the questions without a usable answer",
    fires: [series("tidelock_node_unanswered_total", "0+30x6000", 'node="first"'), series("tidelock_node_requests_total", "0+60x6000", 'node="first"')],
    quiet: [series("tidelock_node_unanswered_total", "0+1x6000", 'node="first"'), series("tidelock_node_requests_total", "0+60x6000", 'node="first"')],
    labels: { node: "first" },
  },
  {
    name: "FinalityStandsStill", severity: "page", for: "5m", at: 100,
    expr: "time() - tidelock_final_time_seconds > 3600",
    summary: "The last block taken in for good is an hour old",
    fires: [flat("tidelock_final_time_seconds", 60)], quiet: [series("tidelock_final_time_seconds", "0+60x6000")],
  },
  {
    name: "TransactionReverted", severity: "ticket", for: "0m", at: 30,
    expr: "increase(tidelock_transactions_reverted_total[1h]) > 0",
    summary: "A transaction of the keeper's reverted and paid for its gas",
    fires: [series("tidelock_transactions_reverted_total", "0x10 1x6000")], quiet: [flat("tidelock_transactions_reverted_total", 1)],
  },
  {
    name: "TransactionStuck", severity: "page", for: "30m", at: 70,
    // Not by the log's growth: each final block is an entry of it.
    expr:
      "tidelock_transactions_unincluded > 0" +
      ' and on (job, instance) increase(tidelock_payments_settled_total{state="paid"}[30m]) == 0',
    summary: "For half an hour transactions have been in no block, and for an hour nothing was paid",
    fires: [
      flat("tidelock_transactions_unincluded", 1), flat("tidelock_payments_settled_total", 9, 'state="paid"'),
      series("tidelock_log_entries", "0+1x6000"),
    ],
    quiet: [flat("tidelock_transactions_unincluded", 1), series("tidelock_payments_settled_total", "0+1x6000", 'state="paid"')],
  },
  {
    name: "FeeAtCap", severity: "ticket", for: "15m", at: 30,
    expr: 'tidelock_fee_gwei{what="needed"} > ignoring (what) tidelock_fee_gwei{what="payment cap"}',
    summary: "Gas costs more than a payment may offer: it waits",
    fires: [flat("tidelock_fee_gwei", 95, 'what="needed"'), flat("tidelock_fee_gwei", 90.9, 'what="payment cap"'), flat("tidelock_fee_gwei", 100, 'what="cap"')],
    quiet: [flat("tidelock_fee_gwei", 20, 'what="needed"'), flat("tidelock_fee_gwei", 90.9, 'what="payment cap"')],
  },
  {
    name: "GasLow", severity: "ticket", for: "10m", at: 20,
    expr: "tidelock_gas_balance_coins < tidelock_gas_reserve_coins",
    summary: "The key holds less than five transactions of most gas may cost",
    fires: [flat("tidelock_gas_balance_coins", 0.5), flat("tidelock_gas_reserve_coins", 8)],
    quiet: [flat("tidelock_gas_balance_coins", 9), flat("tidelock_gas_reserve_coins", 8)],
  },
  {
    name: "GasBudget", severity: "ticket", for: "10m", at: 20,
    expr: 'sum without (what) (tidelock_gas_day_coins{what!="budget"}) > ignoring (what) 0.9 * tidelock_gas_day_coins{what="budget"}',
    summary: "Nine tenths of the day's budget for gas are spent or under way: soon nothing more is sent",
    fires: [
      flat("tidelock_gas_day_coins", 0.7, 'what="spent"'), flat("tidelock_gas_day_coins", 0.25, 'what="under way"'),
      flat("tidelock_gas_day_coins", 1, 'what="budget"'),
    ],
    quiet: [
      flat("tidelock_gas_day_coins", 0.7, 'what="spent"'), flat("tidelock_gas_day_coins", 0.1, 'what="under way"'),
      flat("tidelock_gas_day_coins", 1, 'what="budget"'),
    ],
  },
  {
    name: "RoleEnds", severity: "ticket", for: "0m", at: 5,
    expr: "tidelock_role_ends_seconds > 0 and tidelock_role_ends_seconds - time() < 30 * 86400",
    summary: "A role of the key ends within 30 days, or has ended",
    fires: [flat("tidelock_role_ends_seconds", 86_400, 'role="keeper"')],
    quiet: [flat("tidelock_role_ends_seconds", 40 * 86_400, 'role="keeper"'), flat("tidelock_role_ends_seconds", 0, 'role="proposer"')],
    labels: { role: "keeper" },
  },
  {
    name: "PaymentsHeld", severity: "ticket", for: "1h", at: 90,
    expr: 'tidelock_payments{state="held"} > 0',
    summary: "Payments are held for an operator",
    fires: [flat("tidelock_payments", 2, 'state="held"')], quiet: [flat("tidelock_payments", 0, 'state="held"')],
    labels: { state: "held" },
  },
  {
    name: "NothingIsPaid", severity: "page", for: "30m", at: 200,
    expr:
      'sum by (job, instance) (tidelock_payments{state=~"waiting|requested|open"}) > 0' +
      ' and on (job, instance) increase(tidelock_payments_settled_total{state="paid"}[2h]) == 0',
    summary: "Payments wait, and none was paid for two hours",
    fires: [flat("tidelock_payments", 4, 'state="open"'), flat("tidelock_payments_settled_total", 9, 'state="paid"')],
    quiet: [flat("tidelock_payments", 4, 'state="open"'), series("tidelock_payments_settled_total", "0+1x6000", 'state="paid"')],
  },
  {
    name: "CapNearlyUsed", severity: "ticket", for: "30m", at: 60,
    expr: "tidelock_tier_headroom_tokens < 0.1 * tidelock_tier_cap_tokens",
    summary: "Less than a tenth of a tier's daily cap is left",
    fires: [flat("tidelock_tier_headroom_tokens", 9, 'tier="0"'), flat("tidelock_tier_cap_tokens", 100, 'tier="0"')],
    quiet: [flat("tidelock_tier_headroom_tokens", 10, 'tier="0"'), flat("tidelock_tier_cap_tokens", 100, 'tier="0"')],
    labels: { tier: "0" },
  },
  {
    name: "VaultNeedsMoney", severity: "ticket", for: "30m", at: 60,
    expr: 'tidelock_vault_balance_tokens < on (job, instance) tidelock_tier_headroom_tokens{tier="0"}',
    summary: "The vault holds less than may leave under its first tier now",
    fires: [flat("tidelock_vault_balance_tokens", 50), flat("tidelock_tier_headroom_tokens", 60, 'tier="0"')],
    quiet: [flat("tidelock_vault_balance_tokens", 60), flat("tidelock_tier_headroom_tokens", 60, 'tier="0"')],
  },
  {
    name: "VaultFrozen", severity: "page", for: "0m", at: 5,
    expr: "tidelock_vault_frozen_until_seconds > time()",
    summary: "Somebody has frozen the vault",
    fires: [flat("tidelock_vault_frozen_until_seconds", NOW)], quiet: [flat("tidelock_vault_frozen_until_seconds", 0)],
  },
  {
    name: "AbnormalRejections", severity: "ticket", for: "0m", at: 30,
    expr: 'sum by (job, instance) (increase(tidelock_payments_stopped_total{class="abnormal"}[1h])) > 0',
    summary: "A payment was stopped by nothing that a rule or a person wanted",
    fires: [series("tidelock_payments_stopped_total", "0x10 1x6000", 'class="abnormal",reason="keeps failing"')],
    quiet: [series("tidelock_payments_stopped_total", "0x10 1x6000", 'class="policy",reason="above limit"')],
  },
  {
    name: "AuditTrailBroken", severity: "page", for: "0m", at: 30,
    expr: 'increase(tidelock_payments_paid_total{trail="broken"}[1h]) > 0',
    summary: "The vault paid what no request of the log explains",
    fires: [series("tidelock_payments_paid_total", "0x10 1x6000", 'trail="broken"')],
    quiet: [series("tidelock_payments_paid_total", "0+1x6000", 'trail="whole"')],
    labels: { trail: "broken" },
  },
  {
    name: "SuccessRateLow", severity: "ticket", for: "15m", at: 1500,
    expr:
      'sum by (job, instance) (increase(tidelock_payments_settled_total{state="paid"}[1d]))' +
      " < 0.99 * sum by (job, instance) (increase(tidelock_payments_settled_total[1d]))",
    summary: "Less than 99 % of the payments settled in a day were paid",
    fires: [series("tidelock_payments_settled_total", "0+9x6000", 'state="paid"'), series("tidelock_payments_settled_total", "0+1x6000", 'state="rejected"')],
    quiet: [series("tidelock_payments_settled_total", "0+9x6000", 'state="paid"'), flat("tidelock_payments_settled_total", 5, 'state="rejected"')],
  },
  {
    name: "ArrivalSlow", severity: "ticket", for: "30m", at: 300,
    expr: "rate(tidelock_arrival_seconds_sum[1h]) > 86400 * rate(tidelock_arrival_seconds_count[1h])",
    summary: "Payments of the last hour took more than a day on average; set the time to what your tiers promise",
    fires: [series("tidelock_arrival_seconds_sum", "0+100000x6000"), series("tidelock_arrival_seconds_count", "0+1x6000")],
    quiet: [series("tidelock_arrival_seconds_sum", "0+100x6000"), series("tidelock_arrival_seconds_count", "0+1x6000")],
  },
  {
    name: "ReceiverBehind", severity: "ticket", for: "10m", at: 30,
    expr: "tidelock_publish_lag_seconds > 900",
    summary: "A receiver has not been told for a quarter of an hour what the log says",
    fires: [flat("tidelock_publish_lag_seconds", 901, 'sink="shop"')], quiet: [flat("tidelock_publish_lag_seconds", 900, 'sink="shop"')],
    labels: { sink: "shop" },
  },
  {
    name: "DeadLetters", severity: "ticket", for: "0m", at: 1,
    expr: "tidelock_publish_dead_letters > 0",
    summary: "Events were given up; keeper publish dead lists them",
    fires: [flat("tidelock_publish_dead_letters", 1, 'sink="shop"')], quiet: [flat("tidelock_publish_dead_letters", 0, 'sink="shop"')],
    labels: { sink: "shop" },
  },
  {
    name: "SourceUnread", severity: "ticket", for: "10m", at: 20,
    expr: "tidelock_consume_connected == 0",
    summary: "For ten minutes a consumer has had no connection to its broker",
    fires: [flat("tidelock_consume_connected", 0, 'source="shop"')], quiet: [flat("tidelock_consume_connected", 1, 'source="shop"')],
    labels: { source: "shop" },
  },
  {
    name: "MessagesRetried", severity: "ticket", for: "10m", at: 20,
    expr: "tidelock_consume_retrying > 0",
    summary: "For ten minutes messages could neither be filed nor put among the dead letters",
    fires: [flat("tidelock_consume_retrying", 3, 'source="shop"')], quiet: [flat("tidelock_consume_retrying", 0, 'source="shop"')],
    labels: { source: "shop" },
  },
  {
    name: "RequestsRefused", severity: "ticket", for: "0m", at: 30,
    expr: "increase(tidelock_consume_dead_letters_total[1h]) > 0",
    summary: "Messages were refused for good and put among the dead letters",
    fires: [series("tidelock_consume_dead_letters_total", "0x10 1x6000", 'source="shop"')],
    quiet: [flat("tidelock_consume_dead_letters_total", 7, 'source="shop"')],
    labels: { source: "shop" },
  },
];

const RUNBOOK = "docs/runbooks.md#";
const runbook = ({ name }) => `${RUNBOOK}${name.toLowerCase()}`;
/** JSON's strings are YAML's. */
const text = (value) => JSON.stringify(value);

function rules() {
  const each = ALERTS.map(
    (alert) => `      - alert: ${alert.name}
        expr: ${text(alert.expr)}
        for: ${alert.for}
        labels:
          severity: ${alert.severity}
        annotations:
          summary: ${text(alert.summary)}
          runbook: ${text(runbook(alert))}
`,
  );
  return `# Alerts of the keeper for Prometheus, whose scrape job is called "keeper". Written by scripts/operations.
# page: wake somebody. ticket: within the working day. Each has its section in docs/runbooks.md.
groups:
  - name: keeper
    rules:
${each.join("")}`;
}

function test(alert, isFiring) {
  const input = isFiring ? alert.fires : alert.quiet;
  const lines = input.map(({ series, values }) => `      - series: ${text(series)}\n        values: ${text(values)}\n`);
  const labels = Object.entries({ severity: alert.severity, job: "keeper", instance: "k", ...alert.labels });
  const expected = isFiring
    ? `          - exp_labels:
${labels.map(([name, value]) => `              ${name}: ${text(value)}\n`).join("")}            exp_annotations:
              summary: ${text(alert.summary)}
              runbook: ${text(runbook(alert))}
`
    : "";
  return `  - interval: 1m
    input_series:
${lines.join("")}    alert_rule_test:
      - eval_time: ${alert.at}m
        alertname: ${alert.name}
        exp_alerts:${isFiring ? `\n${expected}` : " []\n"}`;
}

function tests() {
  const each = ALERTS.flatMap((alert) => [test(alert, true), test(alert, false)]);
  return `# On which series each alert fires, and on which it does not. Written by scripts/operations; run by promtool.
rule_files:
  - alerts.yml
evaluation_interval: 1m
tests:
${each.join("")}`;
}

module.exports = { ALERTS, rules, tests };
