//! What publishers keep: one works for a receiver, and who has lost the turn notes nothing.

use std::time::Duration;

use tidelock_keeper::store::{
    Advance, Cursor, Delivery, Location, Outbox, StoreError, Turn, TurnTaking,
};

use super::support::{self, Kind};

const LONG: Duration = Duration::from_secs(600);

fn place(kind: Kind) -> (tempfile::TempDir, Location) {
    let (folder, location) = support::place(kind);
    support::create(&location).close().unwrap();
    (folder, location)
}

#[track_caller]
fn taken(outbox: &mut Outbox, holder: &str, lease: Duration) -> Turn {
    match outbox.take("shop", Cursor::START, holder, lease).unwrap() {
        TurnTaking::Taken(turn) => turn,
        held => panic!("{held:?}"),
    }
}

fn at(seq: u64) -> Advance {
    let hash = [seq as u8; 32].into();
    Advance {
        cursor: Some(Cursor { seq, hash }),
        ..Advance::default()
    }
}

pub fn a_cursor_only_goes_on(kind: Kind) {
    let (_folder, location) = place(kind);
    assert!(
        Outbox::beside(&location).unwrap().is_none(),
        "a look makes nothing"
    );
    let mut outbox = Outbox::open(&location).unwrap();
    let turn = taken(&mut outbox, "one", LONG);
    assert_eq!((turn.epoch, turn.cursor), (1, Cursor::START));
    outbox.commit(&turn, &at(7)).unwrap();
    outbox.commit(&turn, &at(5)).unwrap();
    outbox.give_back(&turn).unwrap();
    let turn = taken(&mut outbox, "two", LONG);
    assert_eq!((turn.epoch, turn.cursor.seq), (2, 7));
    assert_eq!(turn.cursor.hash, [7; 32]);
    let view = Outbox::beside(&location).unwrap().unwrap().sinks().unwrap();
    assert_eq!((view[0].seq, view[0].holder.as_str()), (7, "two"));
}

pub fn what_was_not_taken_is_kept(kind: Kind) {
    let (_folder, location) = place(kind);
    let mut outbox = Outbox::open(&location).unwrap();
    let turn = taken(&mut outbox, "one", LONG);
    let delivery = |seq, dead| Delivery {
        seq,
        tries: 2,
        first: 10,
        next: 30,
        why: "HTTP 500; 🐢".to_owned(),
        dead,
    };
    let advance = Advance {
        kept: vec![delivery(3, None), delivery(4, Some(40)), delivery(9, None)],
        ..at(8)
    };
    outbox.commit(&turn, &advance).unwrap();
    assert_eq!(
        outbox.waiting(&turn).unwrap(),
        [delivery(3, None), delivery(9, None)]
    );
    assert_eq!(outbox.kept_after(&turn, 8).unwrap(), [9]);
    let mut beside = Outbox::beside(&location).unwrap().unwrap();
    let dead = beside.dead(None, 10).unwrap();
    assert_eq!((dead.len(), &dead[0].delivery), (1, &delivery(4, Some(40))));
    assert_eq!(beside.dead(Some("other"), 10).unwrap(), []);
    assert_eq!(
        beside.replay("shop", Some(3)).unwrap(),
        0,
        "3 was not given up"
    );
    let parked = Delivery {
        tries: 0,
        first: 0,
        next: 0,
        ..delivery(11, None)
    };
    let advance = Advance {
        kept: vec![delivery(10, Some(50)), parked],
        ..Advance::default()
    };
    outbox.commit(&turn, &advance).unwrap();
    assert_eq!(beside.replay("shop", None).unwrap(), 2);
    // A page at a time, however many there are, and only what a person has had sent again; after a restart too.
    for (limit, expected) in [(1, vec![4]), (10, vec![4, 10])] {
        let revived = outbox.revived(&turn, limit).unwrap();
        let is_new = |one: &Delivery| one.tries == 0 && one.dead.is_none();
        assert!(revived.iter().all(is_new), "{revived:?}");
        let seqs: Vec<u64> = revived.iter().map(|one| one.seq).collect();
        assert_eq!(seqs, expected);
    }
    let waiting = outbox.waiting(&turn).unwrap();
    let seqs: Vec<u64> = waiting.iter().map(|one| one.seq).collect();
    assert_eq!(seqs, [3, 9, 11]);
    assert_eq!(outbox.sink("shop").unwrap().unwrap().waiting, 5);
    let advance = Advance {
        taken: vec![3, 4, 9, 10, 11],
        ..Advance::default()
    };
    outbox.commit(&turn, &advance).unwrap();
    assert_eq!(outbox.waiting(&turn).unwrap(), []);
}

#[test]
fn a_file_has_one_publisher() {
    let (_folder, location) = place(Kind::Sqlite);
    let _outbox = Outbox::open(&location).unwrap();
    let error = Outbox::open(&location).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
}

#[test]
fn who_has_lost_the_turn_notes_nothing() {
    let (_folder, location) = place(Kind::Postgres);
    let (mut one, mut other) = (
        Outbox::open(&location).unwrap(),
        Outbox::open(&location).unwrap(),
    );
    let turn = taken(&mut one, "one", LONG);
    let held = other.take("shop", Cursor::START, "other", LONG).unwrap();
    assert_eq!(
        held,
        TurnTaking::Held {
            by: "one".to_owned()
        }
    );
    // Its lease ends, and the other takes over.
    assert!(one.renew(&turn, Duration::ZERO).unwrap());
    let next = taken(&mut other, "other", LONG);
    assert_eq!(next.epoch, turn.epoch + 1);
    let error = one.commit(&turn, &at(3)).unwrap_err();
    assert!(matches!(error, StoreError::TurnLost { .. }), "{error}");
    assert!(!one.renew(&turn, LONG).unwrap());
    assert_eq!(other.sink("shop").unwrap().unwrap().seq, 0);
    other.commit(&next, &at(2)).unwrap();
}
