//! Where a webhook may not lead, and what may not be published.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt};

use super::{
    publisher::{Publisher, until},
    receiver::{Library, Receiver},
    support::{self, Kind, run},
};

const LOCAL: &str = "[publish]\nprivate_hosts = [\"127.0.0.1\"]\n";

pub fn nothing_is_redirected_and_nothing_private_is_reached(kind: Kind) {
    let publisher = Publisher::set_up(kind);
    let receiver = Receiver::start(Library::Npm, &publisher.secret("shop.secret"));
    fs::copy(
        publisher.home.folder.path().join("shop.secret"),
        publisher.home.folder.path().join("local.secret"),
    )
    .unwrap();
    publisher.configure(LOCAL);
    publisher.webhook("shop", &receiver.url(), "");
    // Nobody may even be connected to: what listens there would see it.
    let behind = TcpListener::bind("127.0.0.1:0").unwrap();
    behind.set_nonblocking(true).unwrap();
    let port = behind.local_addr().unwrap().port();
    publisher.webhook("local", &format!("https://localhost:{port}/"), "");
    receiver.order(r#"{"redirect": true}"#);
    let refused = publisher.run(&["publish", "ping", "shop"]);
    refused.refused(
        1,
        &["shop: not taken", "HTTP 302: redirects are not followed"],
    );
    assert_eq!(receiver.journal(), Vec::<serde_json::Value>::new());
    let refused = publisher.run(&["publish", "ping", "local"]);
    refused.refused(
        1,
        &[
            "localhost leads to a private address",
            "publish.private_hosts",
        ],
    );
    assert!(behind.accept().is_err(), "it was connected to");
    // An address in the URL itself is refused before anything starts, and no part of the URL is repeated.
    publisher.webhook("literal", "https://169.254.169.254/very-secret", "");
    let refused = publisher.run(&["publish"]);
    assert!(!refused.err.contains("very-secret"), "{}", refused.err);
    refused.refused(2, &["publish.webhook.url", "private address"]);
}

#[test]
fn secrets_are_places_and_others_may_not_read_them() {
    let publisher = Publisher::set_up(Kind::Sqlite);
    let secret = publisher.secret("shop.secret");
    let before = fs::read_to_string(publisher.home.folder.path().join("keeper.toml")).unwrap();
    let url = "https://shop.example/";
    publisher.configure(&format!(
        "[[publish.webhook]]\nname = \"shop\"\nurl = \"{url}\"\nsecrets = [\"{secret}\"]\n"
    ));
    let refused = publisher.run(&["publish"]);
    assert!(!refused.err.contains(&secret), "{}", refused.err);
    refused.refused(2, &["publish.webhook.secrets", "where the secret is"]);
    publisher.home.write("keeper.toml", &before);
    publisher.webhook("shop", url, "");
    let path = publisher.home.folder.path().join("shop.secret");
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = publisher.run(&["publish"]);
    assert!(!refused.err.contains(&secret), "{}", refused.err);
    refused.refused(2, &["shop.secret", "chmod 600"]);
}

pub fn another_log_is_refused(kind: Kind) {
    let mut publisher = Publisher::set_up(kind);
    let receiver = Receiver::start(Library::Npm, &publisher.secret("shop.secret"));
    publisher.configure(LOCAL);
    publisher.webhook("shop", &receiver.url(), "");
    publisher.start();
    until("it is not done", || {
        publisher.status("shop").is_some_and(|shop| shop.seq > 100)
    });
    publisher.end();
    let seq = publisher.status("shop").unwrap().seq;
    let mut place = publisher.location.clone();
    if place.server.is_none() {
        place.path = tidelock_keeper::store::beside(&place.path, ".publish");
    }
    run(
        &place,
        &format!("UPDATE publish_sink SET seq = {}", seq - 1),
    )
    .unwrap();
    publisher.start();
    assert_eq!(publisher.ended(), 5);
    let log = publisher.log();
    assert!(log.contains("this is another log"), "{log}");
}

/// Its tries end by themselves, and others are told meanwhile.
pub fn one_that_never_answers_holds_up_nobody_else(kind: Kind) {
    let mut publisher = Publisher::set_up(kind);
    let mute = Receiver::start(Library::Npm, &publisher.secret("mute.secret"));
    let shop = Receiver::start(Library::Npm, &publisher.secret("shop.secret"));
    mute.order(r#"{"mute": true}"#);
    publisher.configure(LOCAL);
    publisher.webhook("mute", &mute.url(), "timeout_ms = 200\n");
    publisher.webhook("shop", &shop.url(), "");
    publisher.start();
    until("it goes on waiting", || {
        publisher.log().contains("no answer in time")
    });
    until("the other is held up", || publisher.is_told("shop", 300));
    until("nothing is tried again", || {
        publisher
            .status("mute")
            .is_some_and(|mute| mute.waiting > 0)
    });
    publisher.end();
}

/// With a database's role that may read the log and write tables of its own: all that a publisher needs, and nothing that pays.
#[test]
fn a_publisher_needs_no_right_to_file_or_to_write_the_log() {
    let mut publisher = Publisher::set_up(Kind::Postgres);
    run(
        &publisher.location,
        "DROP ROLE IF EXISTS teller; CREATE ROLE teller LOGIN; GRANT USAGE, CREATE ON SCHEMA public TO teller; \
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO teller",
    )
    .unwrap();
    let receiver = Receiver::start(Library::Npm, &publisher.secret("shop.secret"));
    publisher.configure(LOCAL);
    publisher.webhook("shop", &receiver.url(), "");
    let url = support::url(&publisher.location).unwrap();
    publisher
        .variables
        .push(("KEEPER_STORE__DATABASE", url.replace("keeper@", "teller@")));
    publisher.start();
    until("it is not done", || publisher.is_told("shop", 300));
    publisher.kill();
    let to = "0x1111111111111111111111111111111111111111";
    let asks = [
        "request",
        to,
        "1",
        "--ref",
        "0x000102030405060708090a0b0c0d0e0f",
    ];
    for arguments in [&asks[..], &["halt", "--reason", "x"]] {
        let done = publisher.run(arguments);
        assert!(done.code != 0, "{}", done.out);
        assert!(done.err.contains("permission denied"), "{}", done.err);
    }
    // It is the role that is refused, not what was asked for.
    publisher.variables.clear();
    publisher.run(&asks).ok();
}
