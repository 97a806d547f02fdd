use super::*;

/// 2026-11-29
const NOW: u64 = 1_795_910_400;

fn refused(from: &str, to: &str) -> String {
    assert!(EXAMPLE.contains(from), "{from}");
    let text = EXAMPLE.replacen(from, to, 1);
    Policy::parse(&text, NOW).unwrap_err().to_string()
}

#[test]
fn the_example_is_accepted() {
    let policy = Policy::parse(EXAMPLE, NOW).unwrap();
    let c = &policy.configuration;
    assert_eq!(policy.chain_id, 31_337);
    assert_eq!(c.unit, 10_000);
    assert_eq!(c.hardCeiling, 2_600_000_000_000);
    assert_eq!(c.tiers[1].delay, 3_600);
    assert_eq!(c.signers.len(), 3);
    assert_eq!(c.grants.len(), 2);
    assert_eq!(policy.names[&c.grants[0].account], "keeper");
}

/// What is edited, into what, and what is said.
const CASES: &[(&str, &str, &str)] = &[
    (
        "unit = \"0.01\"",
        "unit = \"0.0000001\"",
        "vault.unit = 0.0000001: must be an amount",
    ),
    (
        "unit = \"0.01\"",
        "unit = \"0\"",
        "vault.unit = 0: must be 0.000001 to",
    ),
    (
        "cap = \"100000\"",
        "cap = \"100000.005\"",
        "tier[0].cap = 100,000.005: must be a whole multiple of vault.unit, 0.01",
    ),
    (
        "hard_ceiling = \"2600000\"",
        "hard_ceiling = \"2500000\"",
        "tier.cap = 2,600,000: all caps together must be at most vault.hard_ceiling, 2,500,000",
    ),
    (
        "policy_delay = \"2 days\"",
        "policy_delay = \"12 hours\"",
        "vault.policy_delay = 12 hours: must be 1 day to 523 hours",
    ),
    (
        "policy_delay_floor = \"1 day\"",
        "policy_delay_floor = \"1 hour\"",
        "vault.policy_delay_floor = 1 hour: must be 1 day to",
    ),
    (
        "threshold = 2",
        "threshold = 4",
        "vault.threshold = 4: must be 1 to the number of signers, 3",
    ),
    (
        "approvals = 3",
        "approvals = 1",
        "tier[2].approvals = 1: must be 2 to 3",
    ),
    (
        "approvals = 3",
        "approvals = 4",
        "tier[2].approvals = 4: must be 2 to 3",
    ),
    (
        "delay = \"1 day\"\n\n# Who",
        "delay = \"1 minute\"\n\n# Who",
        "tier[2].delay = 1 minute: must be 1 hour to",
    ),
    (
        "max_unknown = \"20000\"",
        "max_unknown = \"200\"",
        "tier[1].max_unknown = 200: must be 1,000 to 100,000",
    ),
    (
        "guardians_until = \"2027-06-01\"",
        "guardians_until = \"2026-06-01\"",
        "vault.guardians_until = 2026-06-01T00:00:00Z: must be after now",
    ),
    (
        "guardians_until = \"2027-06-01\"",
        "guardians_until = \"2028-06-01\"",
        "at most 400 days later",
    ),
    (
        "guardians_until = \"2027-06-01\"",
        "guardians_until = \"June\"",
        "vault.guardians_until = June: must be a UTC time",
    ),
    (
        "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
        "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
        "signer[1].address = 0x70997970C51812dc3A010C7d01b50e0d17dc79C8: is listed twice",
    ),
    (
        "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
        "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293Bc",
        "its capitals (EIP-55) are those of no address",
    ),
    (
        "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
        "0x0000000000000000000000000000000000000000",
        "signer[1].address = 0x0000000000000000000000000000000000000000: must not be the zero address",
    ),
    (
        "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
        "0x5FbDB2315678afecb367f032d93F642f64180aa3",
        "known[0].address = 0x5FbDB2315678afecb367f032d93F642f64180aa3: must not be the token",
    ),
    ("threshold = 2", "treshold = 2", "treshold"),
    (
        "decimals = 6",
        "decimals = 60",
        "token.decimals = 60: must be at most 24",
    ),
];

#[test]
fn refusals_name_field_value_and_rule() {
    for (from, to, words) in CASES {
        let said = refused(from, to);
        assert!(said.contains(words), "{to}\nsays   {said}\nwithout {words}");
    }
}

#[test]
fn every_broken_rule_is_said_at_once() {
    let said = refused("threshold = 2", "threshold = 9");
    assert!(
        said.contains("vault.threshold = 9") && said.contains("tier[2].approvals = 3"),
        "{said}"
    );
}
