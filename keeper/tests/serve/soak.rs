//! A soak: a real keeper on a real chain and the API beside it, under clients that are slow, broken or gone, while database, server and keeper
//! are killed again and again. At its end nothing may be lost and nothing there twice, by the word of the chain, of the API and of whoever
//! followed the events. `scripts/soak` runs it for minutes; with the other tests it takes some seconds, and shows that it can fail.

mod clients;
mod report;
mod site;

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use tokio::time::sleep;

use super::{
    api::{Stream, block_on},
    daemon::small,
    support::Kind,
};
use clients::Shared;
use report::{Heard, Memory, Report};
use site::Site;

/// How long the clients are at work, if nothing else is said. [seconds]
const SECONDS: u64 = 10;
/// Between two faults of the site: in a short soak there are some, and in a long one work is done between them. [seconds]
const PEACE: std::ops::RangeInclusive<u64> = 2..=10;

/// As long as `SOAK_SECONDS` says.
fn seconds() -> u64 {
    let given = std::env::var("SOAK_SECONDS").ok();
    given.map_or(SECONDS, |given| {
        given.parse().expect("SOAK_SECONDS: a whole number")
    })
}

pub fn nothing_is_lost_and_nothing_is_there_twice(kind: Kind) {
    let report = block_on(soak(kind, seconds()));
    report.print(kind, seconds());
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
}

async fn soak(kind: Kind, seconds: u64) -> Report {
    let mut site = Site::open(kind).await;
    let shared = Arc::new(Shared::new(&site));
    let clients = clients::start(&shared);
    let (begin, mut memory, mut faults) = (Instant::now(), Memory::default(), 0);
    let peace = (seconds / 60).clamp(*PEACE.start(), *PEACE.end());
    let peace = Duration::from_secs(peace);
    let mut next = begin + peace;
    while begin.elapsed() < Duration::from_secs(seconds) {
        if Instant::now() >= next {
            site.fault(faults);
            shared.moved(&site);
            faults += 1;
            next = Instant::now() + peace;
        }
        site.mend();
        memory.see(&site);
        sleep(Duration::from_millis(250)).await;
    }
    shared.is_over.store(true, Ordering::Relaxed);
    let filed = shared.ended(clients).await;
    let heard = site.settled(filed.len(), &shared).await;
    let mut report = Report::of(&shared, faults, &memory, &heard);
    report.cut_off(&site.api.figures().await);
    site.judge(&filed, &mut report).await;
    report.told(&filed, &heard);
    report
}

/// A row that was taken away behind everybody's back is found, and so is an event that came twice or not at all.
pub fn what_is_lost_or_there_twice_is_found(kind: Kind) {
    let found = block_on(async {
        let mut site = Site::open(kind).await;
        let shared = Arc::new(Shared::new(&site));
        let filed = small(0..12);
        for payment in &filed[..8] {
            site.api.file(&shared.key, payment).await.of(201);
        }
        site.daemon.until_count(super::PAID, 8).await;
        // Nobody takes requests in while one is taken away.
        site.daemon.kill();
        for payment in &filed[8..] {
            site.api.file(&shared.key, payment).await.of(201);
        }
        let lost = filed[10].reference().to_string();
        site.run(&without(kind, &lost[2..]));
        site.mend();
        site.daemon.until_count(super::PAID, 11).await;
        let mut heard = Heard::default();
        let url = site.api.url("/v1/events/stream?after=0");
        let mut stream = Stream::open(url, &shared.key, None).await;
        while heard.paid.len() < 11 {
            let (sequence, kind, event) = stream.next().await.unwrap();
            heard.take(sequence, &kind, &event);
        }
        let mut report = Report::of(&shared, 0, &Memory::default(), &heard);
        site.judge(&filed, &mut report).await;
        report.told(&filed, &heard);
        (lost, report.findings)
    });
    let (lost, findings) = found;
    assert!(!findings.is_empty());
    assert!(
        findings.iter().all(|finding| finding.contains(&lost)),
        "{findings:?}"
    );
    for words in ["not known", "holds 0", "told 0 times"] {
        let is_said = findings.iter().any(|finding| finding.contains(words));
        assert!(is_said, "{words}: {findings:?}");
    }
}

/// Statements that take a request away. The database refuses it before.
fn without(kind: Kind, reference: &str) -> String {
    match kind {
        Kind::Sqlite => format!(
            "DROP TRIGGER request_is_never_deleted; DELETE FROM request WHERE ref = X'{reference}'"
        ),
        Kind::Postgres => format!(
            "ALTER TABLE request DISABLE TRIGGER USER; DELETE FROM request WHERE ref = '\\x{reference}'"
        ),
    }
}

#[test]
fn a_gap_and_a_repeat_among_events_are_found() {
    let event = serde_json::json!({"data": {"refs": ["0x01"]}});
    let paid = "tidelock.withdrawal.paid";
    let mut heard = Heard::default();
    heard.take(1, paid, &event);
    heard.take(2, "tidelock.chain.advanced", &event);
    assert!(heard.findings.is_empty(), "{:?}", heard.findings);
    heard.take(2, paid, &event);
    assert!(
        heard.findings[0].contains("2 after 2"),
        "{:?}",
        heard.findings
    );
    heard.take(4, paid, &event);
    assert!(
        heard.findings[1].contains("4 after 2"),
        "{:?}",
        heard.findings
    );
    assert_eq!(heard.paid["0x01"], 3);
}
