//! Receivers by TLS, as almost all are.

use std::fs;

use super::{
    certificates::Certificates,
    publisher::{Publisher, until},
    receiver::Receiver,
    support::Kind,
};

/// Four webhooks lead to two receivers: to the one that is vouched for under its name, and past that.
#[test]
fn a_receiver_is_told_by_tls_if_somebody_vouches_for_it() {
    let mut publisher = Publisher::set_up(Kind::Sqlite);
    let secret = publisher.secret("shop.secret");
    let folder = publisher.home.folder.path().to_owned();
    for name in ["stranger", "misnamed", "unvouched"] {
        let path = folder.join(format!("{name}.secret"));
        fs::copy(folder.join("shop.secret"), path).unwrap();
    }
    let [ours, theirs] = [(); 2].map(|()| Certificates::of("DNS:localhost"));
    let shop = Receiver::by_tls(&secret, ours.folder());
    let stranger = Receiver::by_tls(&secret, theirs.folder());
    publisher.configure("[publish]\nprivate_hosts = [\"localhost\", \"127.0.0.1\"]\n");
    fs::copy(ours.authority(), folder.join("ca.pem")).unwrap();
    let (by_name, vouched) = ("https://localhost", "ca_file = \"ca.pem\"\n");
    publisher.webhook("shop", &shop.url_at(by_name), vouched);
    publisher.webhook("stranger", &stranger.url_at(by_name), vouched);
    publisher.webhook("misnamed", &shop.url_at("https://127.0.0.1"), vouched);
    publisher.webhook("unvouched", &shop.url_at(by_name), "");
    let pinged = publisher.run(&["publish", "ping", "shop"]).ok();
    assert!(
        pinged.contains("shop: taken by https://localhost:"),
        "{pinged}"
    );
    for (name, why) in [
        // Its authority has the name of ours, and another key.
        ("stranger", "BadSignature"),
        ("misnamed", "not valid for name"),
        ("unvouched", "UnknownIssuer"),
    ] {
        let refused = publisher.run(&["publish", "ping", name]);
        refused.refused(1, &[name, "not taken", "invalid peer certificate", why]);
    }
    publisher.start();
    until("not all came", || {
        let noted = publisher.status("shop");
        noted.is_some_and(|shop| shop.seq == 300 && shop.waiting == 0)
    });
    publisher.end();
    assert!(shop.taken().len() > 1, "nothing but the ping");
    // Nobody else heard anything.
    assert_eq!(stranger.journal(), Vec::<serde_json::Value>::new());
    let pings = shop.taken().into_iter();
    assert_eq!(
        pings.filter(|taken| taken.kind == "tidelock.ping").count(),
        1
    );
    let log = publisher.log();
    assert!(
        log.contains("UnknownIssuer") && !log.contains("very-secret"),
        "{log}"
    );
    // What is no certificate vouches for nobody, and that is said before anything is told.
    fs::write(folder.join("ca.pem"), "nobody").unwrap();
    publisher
        .run(&["publish"])
        .refused(2, &["shop: ca_file ", "ca.pem"]);
}
