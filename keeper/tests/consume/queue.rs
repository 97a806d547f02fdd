//! What becomes of messages.

use std::fs;

use serde_json::{Value, json};
use tidelock_consume::HEADERS;
use tidelock_keeper::store::Desk;

use super::{
    broker::{self, Message, Queues},
    consumer::{Consumers, until},
    messages::{bad, good, reference, refused, request},
    support::{Kind, payment, tamper},
};

#[allow(clippy::too_many_lines, reason = "one story, in its order")]
pub fn each_message_is_filed_once_or_put_away_with_its_reason(kind: Kind) {
    let queues = Queues::of(&broker::shared().broker);
    let mut consumers = Consumers::set_up(kind);
    consumers.source(&queues, "");
    // One of them came by another way before.
    let mut desk = Desk::open(&consumers.location).unwrap();
    desk.file(&[payment(0), payment(1)]).unwrap();
    desk.close().unwrap();
    let mut noted = request(2);
    noted["metadata"] = json!({"order": "A-1"});
    let mut messages = vec![Message::new(noted.to_string())];
    messages.extend((0..100).filter(|index| *index != 2).map(good));
    let refused = refused();
    messages.extend(refused.iter().map(|(message, ..)| message.clone()));
    messages.extend((0..100).filter(|index| *index != 2).map(good));
    queues.send(&messages);
    consumers.start();
    consumers.start();
    until("not all are put away", || {
        queues.ready(&queues.dead) == refused.len() as u64
    });
    until("not all are filed", || {
        consumers.filed() == 100 && queues.ready(&queues.requests) == 0
    });
    consumers.end();
    // What was held without being acknowledged would be there again.
    assert_eq!(queues.ready(&queues.requests), 0);
    let requests = consumers.requests();
    assert_eq!(requests.len(), 100);
    for index in 0..100 {
        let (to, amount, note) = &requests[&reference(index)];
        let payment = payment(index);
        assert_eq!(
            (to, *amount),
            (&payment.recipient().to_string(), payment.amount().0)
        );
        let note: Value = note
            .as_deref()
            .map_or(Value::Null, |note| serde_json::from_str(note).unwrap());
        let wanted = match index {
            0 | 1 => Value::Null,
            2 => json!({"@filed_by": "the shop", "order": "A-1"}),
            _ => json!({"@filed_by": "the shop"}),
        };
        assert_eq!(note, wanted, "{index}");
    }
    let mut letters = queues.dead_letters();
    for (message, field, rule) in refused {
        let place = letters.iter().position(|letter| {
            let is_long = message.body.len() > letter.body.len();
            letter.body == message.body
                || (is_long && !letter.body.is_empty() && message.body.starts_with(&letter.body))
        });
        let shown = String::from_utf8_lossy(&message.body)
            .chars()
            .take(200)
            .collect::<String>();
        let letter = letters.remove(place.unwrap_or_else(|| panic!("{shown}")));
        let header = |name: &str| letter.headers.get(name).cloned().unwrap_or_default();
        assert!(
            header("tidelock-field").starts_with(field),
            "{shown}: {:?}",
            letter.headers
        );
        assert!(
            header("tidelock-rule").contains(rule),
            "{shown}: {:?}",
            letter.headers
        );
        assert_eq!(header("tidelock-source"), "shop");
        assert_eq!(header("tidelock-from"), queues.requests);
        assert!(header("tidelock-problem").starts_with("urn:tidelock:problem:"));
        let known: Vec<&str> = HEADERS.iter().map(|(name, _)| *name).collect();
        assert!(
            letter
                .headers
                .keys()
                .all(|name| known.contains(&name.as_str()))
        );
        assert!(letter.is_persistent);
        let said: usize = letter.headers.values().map(String::len).sum();
        assert!(said < 20_000, "{shown}: {said}");
        if message.body.len() > 65_536 {
            assert_eq!(
                (header("tidelock-length"), letter.body.len()),
                (message.body.len().to_string(), 65_536)
            );
        }
    }
    assert!(letters.is_empty(), "{letters:?}");
}

pub fn what_cannot_be_taken_now_is_tried_again_and_few_are_held(kind: Kind) {
    let queues = Queues::of(&broker::shared().broker);
    let mut consumers = Consumers::set_up(kind);
    consumers.source(&queues, "at_once = 16\n");
    let messages: Vec<_> = (0..100).map(good).collect();
    queues.send(&messages);
    tamper(
        &consumers.location,
        "ALTER TABLE request RENAME TO request_away",
    );
    consumers.start();
    until("it holds another number", || {
        queues.ready(&queues.requests) == 84
    });
    until("it does not try again", || {
        consumers.log().matches("not now").count() > 40
    });
    assert_eq!(queues.ready(&queues.requests), 84);
    // However it ends, the broker has them all.
    consumers.kill();
    until("some are lost", || queues.ready(&queues.requests) == 100);
    consumers.start();
    until("it holds another number", || {
        queues.ready(&queues.requests) == 84
    });
    tamper(
        &consumers.location,
        "ALTER TABLE request_away RENAME TO request",
    );
    until("some are skipped", || consumers.filed() == 100);
    consumers.end();
    assert_eq!(queues.ready(&queues.requests), 0);
    assert_eq!(queues.ready(&queues.dead), 0);
}

#[test]
fn without_a_place_for_dead_letters_they_stay_where_they_are_and_the_others_go_on() {
    let queues = Queues::of(&broker::shared().broker);
    queues.delete_dead();
    let mut consumers = Consumers::set_up(Kind::Sqlite);
    consumers.source(&queues, "");
    let mut messages = vec![bad(500)];
    messages.extend((0..50).map(good));
    queues.send(&messages);
    consumers.start();
    until("it does not say why", || {
        consumers
            .log()
            .contains("there is no queue for dead letters")
    });
    until("the others wait", || consumers.filed() == 50);
    consumers.kill();
    until("it is lost", || queues.ready(&queues.requests) >= 1);
    consumers.start();
    until("it is not held", || queues.ready(&queues.requests) == 0);
    queues.declare_dead();
    until("it is not put away", || queues.ready(&queues.dead) == 1);
    consumers.end();
    assert_eq!(queues.ready(&queues.requests), 0);
    assert_eq!(queues.dead_letters()[0].body, bad(500).body);
}

#[test]
fn passwords_are_read_where_they_are_and_told_nowhere() {
    let queues = Queues::of(&broker::shared().broker);
    let mut consumers = Consumers::that_tell_all(Kind::Sqlite);
    consumers.source(&queues, "");
    queues.send(&[good(1)]);
    consumers.password("wrong-horse-battery");
    consumers.start();
    until("it is let in", || {
        consumers.log().contains("ACCESS_REFUSED")
    });
    assert_eq!(consumers.filed(), 0);
    consumers.password(broker::PASSWORD);
    until("it is not read anew", || consumers.filed() == 1);
    let id = consumers.processes[0].id();
    let arguments = fs::read_to_string(format!("/proc/{id}/cmdline")).unwrap_or_default();
    consumers.end();
    let log = consumers.log();
    assert!(!format!("{arguments}{log}").contains("horse"));
    let path = consumers.folder().path().join("rabbitmq.password");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(path, open).unwrap();
    consumers
        .run(&["consume"])
        .refused(2, &["shop: secret file:", "chmod 600"]);
}

#[test]
fn brokers_are_known_by_who_vouches_for_them() {
    let shared = broker::shared();
    let queues = Queues::of(&shared.broker);
    let url = format!("amqps://keeper@localhost:{}/%2f", shared.tls_port.number());
    queues.send(&[good(1)]);
    let mut stranger = Consumers::set_up(Kind::Sqlite);
    stranger.source_at(&queues, &url, "");
    stranger.start();
    until("it trusts a stranger", || {
        stranger.log().contains("not now")
    });
    let log = stranger.log();
    assert!(
        log.contains("certificate") && stranger.filed() == 0,
        "{log}"
    );
    stranger.end();
    let mut consumers = Consumers::set_up(Kind::Sqlite);
    let authority = format!("ca_file = \"{}\"\n", shared.authority.display());
    consumers.source_at(&queues, &url, &authority);
    consumers.start();
    until("it is not filed", || consumers.filed() == 1);
    consumers.end();
}
