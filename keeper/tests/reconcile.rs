//! The log against the chain, difference by difference.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "functions shared by tests are tests too; .clippy.toml covers #[test] functions only"
)]

mod world;

use alloy::primitives::{Address, B256};
use tidelock_core::{
    abi::{Vault, header_argument, order_argument},
    domain::{
        Amount, Batch, BlockTime, Payment, PaymentNumber, PaymentRef, TierIndex, pack_payments,
    },
    event::{BlockRef, Namespace, Opening, Route},
    lifecycle::PaymentStatus,
    state::PaymentRow,
};
use tidelock_keeper::{
    chain::{ChainError, Nodes},
    reconcile::{Difference, Reconciliation, Report},
};
use world::{Mining, Office, Plan, USDT, World, expect, json_of};

fn payment(byte: u8) -> Payment {
    let recipient = Address::repeat_byte(byte);
    Payment::new(recipient, Amount(USDT), PaymentRef([byte; 16])).unwrap()
}

fn row(byte: u8, status: PaymentStatus, number: Option<PaymentNumber>) -> PaymentRow {
    PaymentRow {
        payment: payment(byte),
        arrival: u64::from(byte),
        status,
        hold: None,
        number,
        batch: None,
        returns: 0,
    }
}

/// A vault that has paid some, and what its log was opened with.
struct Books {
    world: World,
    opening: Opening,
}

impl Books {
    async fn open() -> Self {
        let world = World::start(Plan::default()).await;
        let opening = Opening {
            domain: world.domain,
            keeper: world.keys.keeper.address(),
            first_nonce: 0,
            namespace: Namespace::new(77).unwrap(),
            start: world.finalised().await,
        };
        Self { world, opening }
    }

    fn number(&self, counter: u64) -> PaymentNumber {
        self.opening
            .namespace
            .number(Route::Direct, counter)
            .unwrap()
    }

    async fn header(&self, tier: u8, first: PaymentNumber, payments: &[Payment]) -> Batch {
        let now = self.world.head().await.time.seconds();
        let expires = BlockTime::from_seconds(now + 864_000).unwrap();
        Batch::seal(
            first,
            TierIndex::new(tier).unwrap(),
            payments,
            expires,
            B256::ZERO,
        )
        .unwrap()
    }

    /// Pays under numbers from `first` on, and waits until it is final.
    async fn pay(&self, first: PaymentNumber, bytes: &[u8]) {
        let payments: Vec<_> = bytes.iter().map(|byte| payment(*byte)).collect();
        let header = self.header(0, first, &payments).await;
        let call = Vault::payCall {
            order: order_argument(&header),
            payments: pack_payments(&payments).into(),
        };
        assert!(
            self.world
                .vault_call(self.opening.keeper, &call)
                .await
                .success
        );
        self.world.mine(5).await;
    }

    /// Compares these rows, of a log that stands at the block that is final now.
    async fn compare(&self, rows: Vec<PaymentRow>) -> Report {
        let checkpoint = self.world.finalised().await;
        self.compare_at(checkpoint, rows).await.unwrap()
    }

    async fn compare_at(
        &self,
        checkpoint: BlockRef,
        rows: Vec<PaymentRow>,
    ) -> Result<Report, ChainError> {
        let nodes = Nodes::new(self.world.chain(), None);
        let mut reconciliation = Reconciliation::start(&nodes, self.opening, checkpoint).await?;
        for row in rows {
            reconciliation.take(row);
        }
        reconciliation.finish().await
    }
}

#[tokio::test]
async fn books_that_agree_show_no_difference() {
    let books = Books::open().await;
    books.pay(books.number(0), &[1, 2]).await;
    books.pay(PaymentNumber(5), &[9]).await; // somebody else's
    let report = books
        .compare(vec![
            row(1, PaymentStatus::Paid, Some(books.number(0))),
            row(2, PaymentStatus::Paid, Some(books.number(1))),
            row(3, PaymentStatus::Open, None),
            row(4, PaymentStatus::Sealed, Some(books.number(400))),
        ])
        .await;
    assert_eq!(report.differences, []);
    assert_eq!((report.payments, report.paid, report.foreign), (4, 2, 1));
    assert_eq!(report.through, books.world.finalised().await);
}

#[tokio::test]
async fn a_payment_that_only_the_log_knows_is_found() {
    let books = Books::open().await;
    books.pay(books.number(0), &[1]).await;
    let number = books.number(300);
    let reference = PaymentRef([2; 16]);
    let report = books
        .compare(vec![
            row(1, PaymentStatus::Paid, Some(books.number(0))),
            row(2, PaymentStatus::Paid, Some(number)),
        ])
        .await;
    let not_paid = Difference::NotPaid { number, reference };
    let no_log = Difference::NoLog { number, reference };
    assert_eq!(report.differences, [not_paid, no_log]);
}

#[tokio::test]
async fn a_payment_that_the_log_missed_is_found_once_the_log_has_its_block() {
    let books = Books::open().await;
    let before = books.world.finalised().await;
    books.pay(books.number(0), &[1]).await;
    let rows = || vec![row(1, PaymentStatus::Sealed, Some(books.number(0)))];
    let early = books.compare_at(before, rows()).await.unwrap();
    assert_eq!(
        early.differences,
        [],
        "the log has not taken that block in yet"
    );
    let report = books.compare(rows()).await;
    let [
        Difference::Missed {
            number,
            status: PaymentStatus::Sealed,
            ..
        },
    ] = report.differences[..]
    else {
        panic!("{:?}", report.differences)
    };
    assert_eq!(number, books.number(0));
}

#[tokio::test]
async fn another_body_number_or_ref_is_found() {
    let books = Books::open().await;
    books.pay(books.number(0), &[1]).await;
    books.pay(PaymentNumber(5), &[2]).await;
    let report = books
        .compare(vec![
            row(3, PaymentStatus::Paid, Some(books.number(0))),
            row(2, PaymentStatus::Open, None),
        ])
        .await;
    let [Difference::OtherBody { number, .. }, other] = &report.differences[..] else {
        panic!("{:?}", report.differences)
    };
    assert_eq!(*number, books.number(0));
    let reference = PaymentRef([2; 16]);
    let number = PaymentNumber(5);
    assert_eq!(*other, Difference::OtherNumber { reference, number });
    let report = books.compare(Vec::new()).await;
    let [Difference::UnknownNumber { number, .. }] = report.differences[..] else {
        panic!("{:?}", report.differences)
    };
    assert_eq!(number, books.number(0));
}

#[tokio::test]
async fn what_was_displaced_is_no_difference_if_the_vault_says_so_too() {
    let books = Books::open().await;
    books.pay(books.number(0), &[9, 2]).await;
    let displaced = |byte, counter| {
        let number = Some(books.number(counter));
        row(byte, PaymentStatus::Displaced, number)
    };
    let report = books
        .compare(vec![displaced(1, 0), displaced(2, 1), displaced(3, 2)])
        .await;
    let not_displaced = |byte: u8, counter| Difference::NotDisplaced {
        number: books.number(counter),
        reference: PaymentRef([byte; 16]),
    };
    assert_eq!(
        report.differences,
        [not_displaced(2, 1), not_displaced(3, 2)]
    );
    assert_eq!((report.displaced, report.paid), (1, 0));
}

#[tokio::test]
async fn a_proposal_made_before_the_log_was_opened_is_looked_for() {
    let mut books = Books::open().await;
    let number = PaymentNumber((1 << 63) + 1);
    let payments = [payment(1)];
    let header = books.header(1, number, &payments).await;
    let order = order_argument(&header);
    let packed = pack_payments(&payments);
    let signers: Vec<_> = books
        .world
        .keys
        .signers
        .iter()
        .map(|key| key.address())
        .collect();
    let propose = Vault::proposeCall {
        order: order.clone(),
        payments: packed.clone().into(),
    };
    assert!(books.world.vault_call(signers[0], &propose).await.success);
    let approve = Vault::approveCall {
        batch: header_argument(&header),
    };
    assert!(books.world.vault_call(signers[1], &approve).await.success);
    books.world.mine(5).await;
    books.opening.start = books.world.finalised().await;
    books.world.skip(u64::from(world::HOUR)).await;
    let execute = Vault::executeCall {
        order,
        payments: packed.into(),
        skipMask: alloy::primitives::U256::ZERO,
    };
    assert!(books.world.vault_call(signers[0], &execute).await.success);
    books.world.mine(5).await;
    let report = books
        .compare(vec![row(1, PaymentStatus::Paid, Some(number))])
        .await;
    assert_eq!(report.differences, []);
    assert_eq!(report.paid, 1);
}

#[tokio::test]
async fn another_block_at_the_checkpoint_is_found_and_a_lagging_node_is_no_answer() {
    let books = Books::open().await;
    books.world.mine(5).await;
    let checkpoint = books.world.finalised().await;
    let mut other = checkpoint;
    other.hash = B256::repeat_byte(9);
    let report = books.compare_at(other, Vec::new()).await.unwrap();
    let found = Difference::Checkpoint {
        number: checkpoint.number,
        log: other.hash,
        chain: checkpoint.hash,
    };
    assert_eq!(report.differences, [found]);
    let mut ahead = checkpoint;
    ahead.number += 1;
    let lagging = books.compare_at(ahead, Vec::new()).await.unwrap_err();
    assert!(
        matches!(lagging, ChainError::MissingBlock { .. }),
        "{lagging}"
    );
}

#[tokio::test]
async fn the_command_agrees_with_a_daemon_that_paid_and_finds_a_chain_that_forgot() {
    let office = Office::open(Plan::default()).await;
    office.world.mine(10).await;
    office.world.set_mining(Mining::ByHand).await;
    let early = office.keeper(&["reconcile"]).await;
    expect(&early, 5, "there is no such file");
    let daemon = office.daemon().await;
    office.request(vec![payment(1), payment(2)]);
    let recipient = payment(2).recipient();
    office
        .until("payment 2 is made", async || {
            office.world.mine(1).await;
            !office.world.token_balance(recipient).await.is_zero()
        })
        .await;
    office
        .until("log and chain agree that both are paid", async || {
            office.world.mine(1).await;
            let report = json_of(&office.keeper(&["reconcile", "--json"]).await);
            assert_eq!(report["differences"], serde_json::json!([]));
            report["paid"] == 2
        })
        .await;
    daemon.stop();

    let payments_and_all_after = office.world.head().await.number - 12;
    office.world.reorg(payments_and_all_after).await;
    office.world.mine(10).await;
    let forgot = office.keeper(&["reconcile"]).await;
    expect(&forgot, 1, "paid says the log, the vault has not paid it");
    expect(&forgot, 1, "the log took in");
}
