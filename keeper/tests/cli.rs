//! The command line as its users meet it: the real binary, its answers, its refusals and its exit codes.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod support;

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
    thread,
};

use serde_json::Value;
use support::{
    History,
    home::{Done, Home},
    payment, tamper,
};
use tidelock_core::{event::Event, store::Store};
use tidelock_keeper::{
    config::{Config, KeyHolder},
    heartbeat::Heartbeat,
    store::LogStore,
};

const PAYEE: &str = "0x1111111111111111111111111111111111111111";
const OTHER_PAYEE: &str = "0x2222222222222222222222222222222222222222";
const REF: &str = "0x00000000000000000000000000000001";

#[test]
fn init_writes_what_it_can_read_and_touches_nothing_that_is_there() {
    let home = Home::empty();
    let path = home.folder.path().join("keeper.toml");
    home.init(&[])
        .refused(2, &["chain.allow_single_node", "false", "second_rpc_url"]);
    assert!(!path.exists());
    home.init(&["--allow-single-node"]).ok();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("\nallow_single_node = true"), "{text}");
    home.init(&["--allow-single-node"])
        .refused(3, &["keeper.toml", "exists already"]);
    assert_eq!(text, fs::read_to_string(&path).unwrap());
    let two = [
        "--config",
        "two.toml",
        "--second-rpc-url",
        "http://127.0.0.1:2",
    ];
    home.init(&two).ok();
    let two = fs::read_to_string(home.folder.path().join("two.toml")).unwrap();
    assert!(
        two.contains("\nsecond_rpc_url = \"http://127.0.0.1:2\""),
        "{two}"
    );
    home.run(&["status"])
        .refused(5, &["keeper.db", "keeper run"]);
}

#[test]
fn what_init_comments_out_is_the_default() {
    let home = Home::new();
    let path = home.folder.path().join("keeper.toml");
    let text = fs::read_to_string(&path).unwrap();
    let plain = Config::parse(&path, &text).unwrap();
    let shown: String = text
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(field) if field.contains(" = ") => format!("{field}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let mut shown = Config::parse(&path, &shown).unwrap();
    // These have no default; their examples are examples.
    assert!(shown.chain.second_rpc_url.take().is_some());
    assert!(shown.chain.final_depth.take().is_some());
    let KeyHolder::Keystore(keystore) = &mut shown.key.holder else {
        panic!("the default is a keystore");
    };
    assert!(keystore.password_file.take().is_some());
    assert!(shown.batch.escalate_after_s.take().is_some());
    assert!(shown.max_gas_cost_per_day.take().is_some());
    assert!(shown.operations.listen.take().is_some());
    assert!(shown.operations.traces_url.take().is_some());
    assert!(shown.publish.listen.take().is_some());
    assert!(shown.serve.tls.take().is_some());
    assert!(shown.serve.metrics_listen.take().is_some());
    assert!(!std::mem::take(&mut shown.serve.proxies).is_empty());
    // Given, it holds under any rules; without it, the chain's profile says what holds under which.
    let (most, given) = (plain.gas.transaction, shown.gas.transaction);
    assert_eq!((given.osaka, given.amsterdam), (most.osaka, most.osaka));
    shown.gas = plain.gas;
    let server = shown.store.server.take().unwrap();
    let unnamed = "[store]\ndatabase = \"postgres://localhost/keeper\"";
    let least = Config::parse(&path, &text.replacen("[store]", unnamed, 1)).unwrap();
    assert_eq!(server.lease, least.store.server.unwrap().lease);
    assert_eq!(plain, shown);
}

#[test]
fn init_refuses_what_a_configuration_may_not_say() {
    for (arguments, code, words) in [
        (
            &["--chain-id", "0"][..],
            2,
            &["chain.chain_id", "0", "must be"][..],
        ),
        (
            &["--token", "0x00"],
            2,
            &["vault.token", "0x00", "40 hexadecimal"],
        ),
        (
            &["--rpc-url", "ftp://user:hunter2@x"],
            2,
            &["chain.rpc_url", "http://"],
        ),
    ] {
        let home = Home::empty();
        let vault = support::VAULT.to_string();
        let mut all = vec![
            ("--rpc-url", "http://127.0.0.1:1"),
            ("--chain-id", "1"),
            ("--vault", &vault),
            ("--lens", "0x00000000000000000000000000000000000000a2"),
            ("--token", "0x00000000000000000000000000000000000000a3"),
        ];
        all.retain(|(name, _)| *name != arguments[0]);
        let mut line = vec!["init", "--allow-single-node"];
        line.extend(all.iter().flat_map(|(name, value)| [*name, *value]));
        line.extend(arguments);
        let done = home.run(&line);
        assert!(!done.err.contains("hunter2"), "{}", done.err);
        done.refused(code, words);
        assert_eq!(fs::read_dir(home.folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn no_configuration_is_written_without_a_node() {
    let home = Home::empty();
    let address = support::VAULT.to_string();
    let addresses = ["--vault", &address, "--lens", &address, "--token", &address];
    let mut line = vec!["init", "--allow-single-node", "--chain-id", "1"];
    line.extend(addresses);
    home.run(&line)
        .refused(2, &["--rpc-url", "KEEPER_CHAIN__RPC_URL", "must be given"]);
    assert_eq!(fs::read_dir(home.folder.path()).unwrap().count(), 0);
}

// ── Requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_request_is_filed_once_and_says_so() {
    let home = Home::new();
    let first = home
        .run(&["--json", "request", PAYEE, "12.5", "--ref", REF])
        .json();
    assert_eq!(first["known"], false);
    assert_eq!(first["amount"], "12.5");
    let again = home
        .run(&["--json", "request", PAYEE, "12.50", "--ref", REF])
        .json();
    assert_eq!(again["known"], true);
    assert_eq!(again["arrival"], first["arrival"]);
    let random = home.run(&["--json", "request", PAYEE, "12.5"]).json();
    assert_ne!(random["ref"], first["ref"]);
    let other = home.run(&["request", PAYEE, "12.6", "--ref", REF]);
    other.refused(
        3,
        &[
            "nothing was filed",
            REF,
            "12.5",
            "12.6",
            PAYEE,
            "one payment, ever",
        ],
    );
    let status = home.run(&["status", "--json"]).json();
    assert_eq!(status["counts"]["waiting"], 2);
    assert_eq!(status["payments"].as_array().unwrap().len(), 2);
}

#[test]
fn a_bad_request_is_refused_by_field_value_and_rule() {
    let home = Home::new();
    let vault = support::VAULT.to_string();
    for (recipient, amount, reference, words) in [
        (
            "0x1111",
            "1",
            REF,
            ["recipient \"0x1111\"", "40 hexadecimal digits"],
        ),
        (
            "1111111111111111111111111111111111111111",
            "1",
            REF,
            ["recipient \"1111", "must start with 0x"],
        ),
        (
            "0xdAC17F958D2ee523a2206206994597C13D831eC7",
            "1",
            REF,
            ["0xdAC17F958D2ee523a2206206994597C13D831eC7", "checksum"],
        ),
        (
            "0x0000000000000000000000000000000000000000",
            "1",
            REF,
            ["recipient", "zero address is never paid"],
        ),
        (&vault, "1", REF, ["recipient", "is the vault itself"]),
        (PAYEE, "0", REF, ["amount 0", "more than 0"]),
        (PAYEE, "0.000000", REF, ["amount 0", "more than 0"]),
        (
            PAYEE,
            "1.0000001",
            REF,
            [
                "amount \"1.0000001\"",
                "more decimals than the token has, which is 6",
            ],
        ),
        (PAYEE, "1e6", REF, ["amount \"1e6\"", "only digits"]),
        (PAYEE, "1,5", REF, ["amount \"1,5\"", "only digits"]),
        (
            PAYEE,
            "79228162514264337593544",
            REF,
            [
                "\"79228162514264337593544\"",
                "below 79228162514264337593543.950336 tokens",
            ],
        ),
        (PAYEE, "1", "12", ["ref \"12\"", "32 hexadecimal digits"]),
    ] {
        let done = home.run(&["request", recipient, amount, "--ref", reference]);
        done.refused(2, &words);
    }
    home.run(&["request", PAYEE, "-1"])
        .refused(2, &["amount \"-1\"", "only digits"]);
    home.run(&["request", PAYEE]).refused(2, &["<AMOUNT>"]);
    home.run(&["request"]).refused(2, &["<RECIPIENT>"]);
    let status = home.run(&["status", "--json"]).json();
    assert_eq!(status["counts"]["waiting"], 0);
}

#[test]
fn a_file_with_a_bad_line_is_not_taken_at_all() {
    let home = Home::new();
    let line = |index: u64, amount: &str| {
        let payment = payment(index);
        format!("{},{},{amount}\n", payment.reference(), payment.recipient())
    };
    let many: String = (0..3_000).map(|index| line(index, "1.5")).collect();
    home.write("good.csv", &format!("ref,recipient,amount\n{many}"));
    let told = home
        .run(&["--json", "request", "--file", "good.csv"])
        .json();
    assert_eq!((&told["filed"], &told["known"]), (&3_000.into(), &0.into()));
    let told = home
        .run(&["--json", "request", "--file", "good.csv"])
        .json();
    assert_eq!((&told["filed"], &told["known"]), (&0.into(), &3_000.into()));

    let bad = format!(
        "{}{}{}",
        line(5_000, "1"),
        line(5_001, "x"),
        line(5_002, "0")
    );
    home.write("bad.csv", &format!("ref,recipient,amount\n{bad}"));
    let done = home.run(&["request", "--file", "bad.csv"]);
    done.refused(2, &["bad.csv", "line 3: amount \"x\"", "line 4: amount 0"]);

    let taken = format!("{}{}", line(5_000, "1"), line(7, "2"));
    home.write("taken.csv", &format!("ref,recipient,amount\n{taken}"));
    let reference = payment(7).reference().to_string();
    let done = home.run(&["request", "--file", "taken.csv"]);
    done.refused(
        3,
        &["nothing was filed", "line 3", &reference, "1.5", "2 to"],
    );

    home.run(&["request", "--file", "none.csv"])
        .refused(2, &["none.csv"]);
    home.run(&["request", PAYEE, "1", "--file", "good.csv"])
        .refused(2, &["cannot be used with"]);
    let status = home.run(&["status", "--json"]).json();
    assert_eq!(status["counts"]["waiting"], 3_000);
    assert_eq!(status["payments"].as_array().unwrap().len(), 50);
}

#[test]
fn a_list_says_what_it_comes_to_before_it_is_filed() {
    let home = Home::new();
    let line = |index: u64, amount: &str| {
        let payment = payment(index);
        format!(
            "{amount},\"{}\",\"a, b\",{}\n",
            payment.recipient(),
            payment.reference()
        )
    };
    home.write(
        "one.csv",
        &format!("amount,recipient,note,ref\n{}", line(1, "2")),
    );
    home.run(&["request", "--file", "one.csv"]).ok();
    let text = format!(
        "amount,recipient,note,ref\n{}{}{}",
        line(1, "2"),
        line(2, "7.5"),
        line(3, "0.25")
    );
    home.write("list.csv", &text);
    let said = home
        .run(&["request", "--dry-run", "--file", "list.csv"])
        .ok();
    for part in [
        "3 payments, 9.75 in all; largest 7.5 (line 3), smallest 0.25 (line 4)",
        "columns ignored: note",
        "2 would be filed; 1 were filed before; nothing was filed",
    ] {
        assert!(said.contains(part), "{said}\nlacks {part}");
    }
    let said = home
        .run(&["--json", "request", "--dry-run", "--file", "list.csv"])
        .json();
    assert_eq!(
        (&said["sum"], &said["would_file"]),
        (&"9.75".into(), &2.into())
    );
    let status = home.run(&["status", "--json"]).json();
    assert_eq!(status["counts"]["waiting"], 1);

    let mut command = home.command();
    command.args(["request", "--rows", "--file", "-"]);
    let done = fed(command, &text);
    for part in [
        "9.75 in all",
        "line 2: ref",
        "was filed before",
        "line 4: ref",
        "2 requests filed; 1 were",
    ] {
        assert!(
            done.out.contains(part),
            "{}{}\nlacks {part}",
            done.out,
            done.err
        );
    }
    let said = home
        .run(&["--json", "request", "--file", "list.csv"])
        .json();
    let rows = said["payments"].as_array().unwrap();
    assert_eq!(
        (&rows[2]["line"], &rows[2]["arrival"]),
        (&4.into(), &3.into())
    );
    assert_eq!(said["largest"]["line"], 3);
    home.run(&["request", PAYEE, "1", "--dry-run"])
        .refused(2, &["--dry-run", "cannot be used with"]);
}

/// What it comes to when it is given that text to read.
fn fed(mut command: Command, text: &str) -> Done {
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap().into()
}

#[test]
fn a_list_that_broke_off_is_filed_again() {
    let home = Home::new();
    let line = |index: u64| {
        let payment = payment(index);
        format!("{},{},1\n", payment.reference(), payment.recipient())
    };
    let lines: String = (0..5_000).map(line).collect();
    home.write("many.csv", &format!("ref,recipient,amount\n{lines}"));
    // The database refuses the piece with that request.
    tamper(
        &home.database(),
        "CREATE TRIGGER other BEFORE INSERT ON request WHEN NEW.arrival = 4000 BEGIN SELECT RAISE(ABORT, 'torn'); END",
    );
    let done = home.run(&["request", "--file", "many.csv"]);
    assert!(
        done.out.contains("5000 payments, 5000 in all"),
        "{}",
        done.out
    );
    done.refused(
        5,
        &["of 5000 requests are filed;", "none is filed twice", "torn"],
    );
    let status = home.run(&["status", "--json"]).json();
    let filed = status["counts"]["waiting"].as_u64().unwrap();
    assert!((1..4_000).contains(&filed), "{filed}");
    tamper(&home.database(), "DROP TRIGGER other");
    let told = home
        .run(&["--json", "request", "--file", "many.csv"])
        .json();
    assert_eq!(
        (&told["known"], &told["filed"]),
        (&filed.into(), &(5_000 - filed).into())
    );
    let arrivals: Vec<u64> = told["payments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["arrival"].as_u64().unwrap())
        .collect();
    assert_eq!(arrivals, (1..=5_000).collect::<Vec<_>>());
}

#[test]
fn a_store_belongs_to_one_vault() {
    let home = Home::new();
    let mut command = home.command();
    command
        .env("KEEPER_VAULT__ADDRESS", PAYEE)
        .args(["request", PAYEE, "1"]);
    let done = Done::from(command.output().unwrap());
    done.refused(
        2,
        &[
            "vault.address",
            PAYEE,
            &support::VAULT.to_string(),
            "one vault",
        ],
    );
}

#[test]
fn a_bad_configuration_is_refused_by_field_value_and_rule() {
    let home = Home::new();
    let text = fs::read_to_string(home.folder.path().join("keeper.toml")).unwrap();
    for (more, words) in [
        (
            "[batch]\nmax_payments = 300",
            ["batch.max_payments", "300", "1 to 256"],
        ),
        (
            "[batch]\nmax_paymints = 3",
            ["batch.max_paymints", "no such field", "max_payments"],
        ),
        (
            "[fees]\nmax_fee_gwei = 3",
            ["fees.max_fee_gwei", "signed int `3`", "string"],
        ),
        ("[mystery]\na = 1", ["mystery", "no such field", "chain"]),
    ] {
        let section = more.lines().next().unwrap();
        let rest = more.lines().nth(1).unwrap();
        let changed = if text.contains(section) {
            text.replace(section, more)
        } else {
            format!("{text}\n{section}\n{rest}\n")
        };
        home.write("bad.toml", &changed);
        home.run(&["--config", "bad.toml", "status"])
            .refused(2, &words);
    }
    home.run(&["--config", "none.toml", "status"])
        .refused(2, &["none.toml", "keeper init"]);
    let done = home.run(&["--config", "none.toml", "--json", "status"]);
    assert_eq!(done.code, 2);
    let error: Value = serde_json::from_str(&done.err).unwrap();
    assert_eq!(error["exit"], 2);
}

// ── Commands, status, explain ────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn commands_wait_for_a_keeper_that_does_not_run() {
    let home = Home::new();
    home.run(&["request", PAYEE, "1", "--ref", REF]).ok();
    let told = home
        .run(&["--json", "hold", REF, "--reason", "is it right?"])
        .json();
    assert_eq!(
        (&told["command"], &told["state"]),
        (&1.into(), &"waiting".into())
    );
    home.run(&["resume", "--reason", "go"]).ok();
    let mut store = LogStore::open(&home.database()).unwrap();
    assert_eq!(store.unread_commands(0, 10).unwrap().items.len(), 2);
    let unknown = "0x00000000000000000000000000000002";
    home.run(&["cancel", unknown, "--reason", "x"])
        .refused(3, &[unknown, "no payment was ever requested"]);
    home.run(&["halt", "--reason", " "])
        .refused(2, &["--reason", "must say why"]);
    home.run(&["halt", "--reason", "a\nb"])
        .refused(2, &["--reason", "one line"]);
    home.run(&["halt"]).refused(2, &["--reason"]);
    home.run(&["hold", "12", "--reason", "x"])
        .refused(2, &["ref \"12\""]);
}

#[test]
fn a_running_keeper_answers_commands() {
    let home = Home::new();
    home.run(&["request", PAYEE, "1", "--ref", REF]).ok();
    let (mut store, mut history) = home.log();
    let unanswered = home.run(&["halt", "--reason", "x", "--wait", "0"]);
    unanswered.refused(1, &["command 1", "has not answered"]);
    for (refused, code, words) in [
        (None, 0, "done, by entry"),
        (
            Some("it is paid already".to_owned()),
            3,
            "refuses it: it is paid already",
        ),
    ] {
        let command = thread::scope(|scope| {
            let asked =
                scope.spawn(|| home.run(&["release", REF, "--reason", "fine", "--wait", "60"]));
            let taken = loop {
                let unread = store.unread_commands(history.state.commands(), 10).unwrap();
                let last = unread.items.last().cloned();
                if let Some((arrival, command)) = last.filter(|(arrival, _)| *arrival > 1) {
                    break Event::CommandTaken {
                        arrival,
                        command,
                        refused,
                    };
                }
            };
            let entry = history.apply(&taken);
            store
                .commit(&[entry], &history.state.take_changes())
                .unwrap();
            asked.join().unwrap()
        });
        assert_eq!(command.code, code, "{}{}", command.out, command.err);
        assert!(format!("{}{}", command.out, command.err).contains(words));
    }
}

fn beat(history: &History, observes: bool) -> Heartbeat {
    Heartbeat {
        written_at: u64::MAX,
        observes,
        tip: history.state.finalised(),
        unincluded: 0,
        reverted: 0,
        token_fee: None,
        waits: Vec::new(),
        alerts: Vec::new(),
        failure: None,
    }
}

#[test]
fn status_and_explain_tell_the_same_story() {
    let home = Home::new();
    home.run(&["request", PAYEE, "1234.5", "--ref", REF]).ok();
    let (mut store, mut history) = home.log();
    let refs = vec![REF.parse().unwrap()];
    let held = history.apply(&Event::Held {
        refs: refs.clone(),
        reason: tidelock_core::event::HoldReason::RecipientBlocked,
    });
    store
        .commit(&[held], &history.state.take_changes())
        .unwrap();
    beat(&history, true).write(&home.database()).unwrap();
    let status = home.run(&["status"]).ok();
    assert!(
        status.contains("keeper  running; sends nothing, by --observe"),
        "{status}"
    );
    beat(&history, false).write(&home.database()).unwrap();
    let status = home.run(&["status"]).ok();
    for part in [
        "keeper  running; sends\n",
        "held 1",
        "1234.5",
        PAYEE,
        REF,
        "the vault blocks the recipient",
    ] {
        assert!(status.contains(part), "{status}\nlacks {part}");
    }
    let explained = home.run(&["explain", REF]).ok();
    for part in [
        "1234.5 to 0x1111",
        "held",
        "the vault blocks the recipient",
        "accepted, with 1 requests",
    ] {
        assert!(explained.contains(part), "{explained}\nlacks {part}");
    }
    let json = home.run(&["--json", "explain", REF]).json();
    assert_eq!(json["payment"]["status"], "held");
    assert_eq!(json["events"].as_array().unwrap().len(), 2);
    assert_eq!(json["events"][1]["kind"], "held");

    let gone = history.apply(&Event::Cancelled { refs });
    store
        .commit(&[gone], &history.state.take_changes())
        .unwrap();
    drop(store);
    let stopped = home.run(&["status"]).ok();
    assert!(
        stopped.contains("keeper  not running, sends nothing;"),
        "{stopped}"
    );
    let status = home.run(&["status", "--json"]).json();
    assert_eq!(
        (&status["running"], &status["counts"]["cancelled"]),
        (&false.into(), &1.into())
    );
    assert_eq!(status["payments"].as_array().unwrap().len(), 0);
    let all = home.run(&["status", "--json", "--all"]).json();
    assert_eq!(all["payments"][0]["status"], "cancelled");
    home.run(&["explain", "0x00000000000000000000000000000002"])
        .refused(3, &["no payment"]);
}

#[test]
fn status_lists_what_is_asked_for() {
    let home = Home::new();
    home.run(&["request", PAYEE, "1234.5", "--ref", REF]).ok();
    let (mut store, mut history) = home.log();
    let refs = vec![REF.parse().unwrap()];
    let gone = history.apply(&Event::Cancelled { refs });
    let rows = history.state.take_changes();
    store.commit(&[gone], &rows).unwrap();
    drop(store);
    // The log's one block is of 2023.
    let all = home.run(&["status", "--json", "--all"]).json();
    assert_eq!(all["payments"][0]["accepted_at"], 1_700_000_100);
    let listed = |arguments: &[&str]| {
        let status = home
            .run(&[&["status", "--json"], arguments].concat())
            .json();
        status["payments"].as_array().unwrap().len()
    };
    for (arguments, count) in [
        (&["--state", "cancelled"][..], 1),
        (&["--state", "held", "--state", "open"], 0),
        (&["--state", "cancelled", "--recipient", PAYEE], 1),
        (&["--all", "--recipient", OTHER_PAYEE], 0),
        (&["--state", "cancelled", "--older-than", "365d"], 1),
        (&["--state", "cancelled", "--older-than", "365000d"], 0),
    ] {
        assert_eq!(listed(arguments), count, "{arguments:?}");
    }
    home.run(&["status", "--older-than", "5"])
        .refused(2, &["--older-than", "one of s, min, h and d"]);
    home.run(&["status", "--state", "lost"])
        .refused(2, &["--state", "displaced"]);
}

#[test]
fn explain_finds_what_happened_to_the_batch_too() {
    let home = Home::new();
    let mut store = LogStore::open(&home.database()).unwrap();
    let (mut history, first) = History::open(11);
    let mut entries = vec![first];
    while history
        .state
        .slots()
        .all(|slot| slot.attempts.is_empty() || slot.attempts[0].job.batch().is_none())
    {
        entries.push(history.step());
    }
    let signed = history
        .state
        .slots()
        .find_map(|slot| slot.attempts.first()?.job.batch())
        .unwrap();
    let batch = history.state.open_batch(&signed).unwrap().clone();
    // A payment that was displaced has another in its place.
    let refs = batch.payments.iter().map(|payment| payment.reference());
    let mut known = refs.filter(|known| history.state.open_payment(known).is_some());
    let reference = known.next_back().unwrap().to_string();
    store
        .commit(&entries, &history.state.take_changes())
        .unwrap();
    let text = home.run(&["explain", &reference]).ok();
    assert!(text.contains("2023-11-14 22:1"), "{text}");
    let json = home.run(&["--json", "explain", &reference]).json();
    let kinds: Vec<&str> = json["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    assert!(kinds.contains(&"attempt_signed"), "{kinds:?}");
    assert!(
        kinds.contains(&"batch_sealed") || kinds.contains(&"adopted"),
        "{kinds:?}"
    );
}

// ── A damaged or crowded store ───────────────────────────────────────────────────────────────────────────────────────

#[test]
fn verify_log_names_the_first_bad_entry() {
    let home = Home::new();
    let (mut store, mut history) = home.log();
    let entries: Vec<_> = (0..50).map(|_| history.step()).collect();
    store
        .commit(&entries, &history.state.take_changes())
        .unwrap();
    drop(store);
    let good = home.run(&["--json", "verify-log"]).json();
    assert_eq!(good["entries"], 52);
    assert_eq!(good["findings"], Value::Array(vec![]));
    home.run(&["verify-log", "--hashes-only"]).ok();
    home.run(&["verify-log", "--chain"])
        .refused(4, &["127.0.0.1:1"]);
    tamper(
        &home.database(),
        "DROP TRIGGER event_is_never_updated; UPDATE event SET body = replace(body, '}', ' }') WHERE seq = 30",
    );
    let bad = home.run(&["verify-log"]);
    assert_eq!(bad.code, 5, "{}{}", bad.out, bad.err);
    assert!(
        bad.out
            .contains("BAD entry 30: its hash is not that of its body"),
        "{}",
        bad.out
    );
}

#[test]
fn a_missing_or_broken_store_is_named() {
    let home = Home::new();
    fs::remove_file(home.database()).unwrap();
    home.run(&["status"])
        .refused(5, &["keeper.db", "keeper run"]);
    home.run(&["request", PAYEE, "1"])
        .refused(5, &["keeper.db", "keeper run"]);
    home.write("keeper.db", &"not a database at all".repeat(500));
    home.run(&["status"]).refused(5, &["damaged file"]);
}

/// The limit holds for any file that the process writes, so the database meets it as it would meet a full disk.
#[test]
fn a_full_disk_loses_nothing_and_is_named() {
    let home = Home::new();
    home.run(&["request", PAYEE, "1", "--ref", REF]).ok();
    let line = |index: u64| format!("{},{PAYEE},1\n", payment(index).reference());
    let many: String = (0..20_000).map(line).collect();
    home.write("many.csv", &format!("ref,recipient,amount\n{many}"));
    let done = Command::new("sh")
        .current_dir(home.folder.path())
        // The limit's own signal would end the process before it can say anything.
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 4096; exec \"$0\" request --file many.csv",
        ])
        .arg(env!("CARGO_BIN_EXE_keeper"))
        .output()
        .unwrap();
    let done = Done::from(done);
    // Lines about progress may come before it.
    let last = done.err.lines().last().unwrap();
    assert_eq!(last.matches("store: ").count(), 1, "{last}");
    let filed: u64 = last.split(' ').nth(1).unwrap().parse().unwrap();
    done.refused(5, &["store: ", "file the same list again"]);
    let status = home.run(&["status", "--json"]).json();
    assert_eq!(status["counts"]["waiting"], 1 + filed);
    home.run(&["request", "--file", "many.csv"]).ok();
    let status = home.run(&["status", "--json"]).json();
    assert_eq!(status["counts"]["waiting"], 20_001);
}

#[test]
fn a_key_is_named_as_the_command_line_names_it() {
    let home = Home::new();
    let id = format!("0x{}", "0".repeat(64));
    let mut command = home.command();
    command
        .env("KEEPER_PASSWORD", "x")
        .args(["revoke", &id, "--keystore", "none.json"]);
    let done = Done::from(command.output().unwrap());
    assert!(!done.err.contains("key."), "{}", done.err);
    assert_eq!(done.err.matches("No such file").count(), 1, "{}", done.err);
    done.refused(2, &["--keystore none.json: "]);
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    let home = Home::new();
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    let done = home
        .command()
        .env("KEEPER_LOG", "trace")
        .arg("status")
        .stderr(full.unwrap())
        .output();
    Done::from(done.unwrap()).ok();
    let logged = home
        .command()
        .env("KEEPER_LOG", "trace")
        .arg("status")
        .output();
    assert!(!logged.unwrap().stderr.is_empty(), "nothing was logged");
}

#[test]
fn an_unknown_command_is_refused() {
    let home = Home::new();
    home.run(&["frobnicate"]).refused(2, &["frobnicate"]);
    assert!(home.run(&["--help"]).ok().contains("Exit codes:"));
}
