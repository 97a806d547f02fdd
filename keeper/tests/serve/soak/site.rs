//! What is soaked: a chain, a keeper, the API, and on PostgreSQL a server of their own, each of which is killed now and then. Whoever stands
//! still is started again, as the host's service manager does.

use std::{sync::Arc, time::Duration};

use alloy::primitives::U256;
use serde_json::Value;
use tidelock_core::domain::Payment;
use tidelock_keeper::store::{self, Reader};
use tokio::time::sleep;

use super::{
    clients::Shared,
    report::{Heard, Report},
};
use crate::{
    api::Server,
    chain::{keeper, key},
    daemon::{BALANCE, Daemon, on_thread, ready},
    support::{self, Kind, postgres},
    world::{Plan, World},
};

pub struct Site {
    pub world: World,
    pub daemon: Daemon,
    pub api: Server,
    pub key: String,
    postgres: Option<(postgres::Server, String)>,
}

impl Site {
    pub async fn open(kind: Kind) -> Self {
        let world = ready(Plan::default()).await;
        let mut more = "[serve]\nlisten = \"127.0.0.1:0\"\nrequests_per_second = 1000000\n\
            metrics_listen = \"127.0.0.1:0\"\nwrite_timeout_ms = 2000\n\
            [batch]\nmax_wait_ms = 500\n"
            .to_owned();
        let mut server = None;
        let postgres = (kind == Kind::Postgres).then(|| {
            let own = postgres::Server::start(&[]);
            let database = own.database();
            (own, database)
        });
        if let Some((own, database)) = &postgres {
            let url = postgres::Server::url(own.folder(), database);
            more = format!("{more}[store]\ndatabase = \"{url}\"\nlease_ms = 3000\n");
            server = Some(store::Server::parse(&url, None, Duration::from_secs(5)).unwrap());
        }
        let mut daemon = Daemon::set_up(&world, &more);
        daemon.server = server;
        daemon.start();
        daemon.opened().await;
        let mut api = Server::in_folder(daemon.folder());
        api.start(keeper(daemon.folder()));
        let key = key(daemon.folder(), "request,read");
        Self {
            world,
            daemon,
            api,
            key,
            postgres,
        }
    }

    /// One thing breaks, each in its turn; the API once, so that what it takes can be watched for long.
    pub fn fault(&mut self, turn: usize) {
        if turn == 1 {
            self.api.kill();
            self.api.start(keeper(self.daemon.folder()));
            return;
        }
        match (turn % 2, &mut self.postgres) {
            (0, Some((server, _))) => server.restart(),
            _ => {
                self.daemon.kill();
                self.daemon.start();
            }
        }
    }

    /// Statements that only the database's owner gives.
    pub fn run(&self, statements: &str) {
        match &self.postgres {
            Some((server, database)) => server.run(database, statements).unwrap(),
            None => {
                let (location, statements) = (self.daemon.location(), statements.to_owned());
                on_thread(move || support::run(&location, &statements).unwrap());
            }
        }
    }

    /// The keeper ends by itself when its database is gone for too long, or another leads; it is started again.
    pub fn mend(&mut self) {
        if !self.daemon.is_running() {
            self.daemon.start();
        }
    }

    /// Until that many are paid, and whoever follows has heard of it.
    pub async fn settled(&mut self, paid: usize, shared: &Arc<Shared>) -> Heard {
        let paid = u64::try_from(paid).unwrap();
        for _ in 0..600 {
            self.mend();
            if self.daemon.count(crate::PAID) >= paid {
                break;
            }
            sleep(Duration::from_millis(250)).await;
        }
        let location = self.daemon.location();
        let end = on_thread(move || Reader::open(&location).unwrap().end().unwrap());
        shared.heard_up_to(end).await
    }

    /// Each payment is paid once, by the word of the API and of the chain, and nothing beside them.
    pub async fn judge(&mut self, filed: &[Payment], report: &mut Report) {
        let mut sum = U256::ZERO;
        for payment in filed {
            let reference = payment.reference();
            let place = format!("/v1/withdrawals/{reference}");
            let answer = self.api.get(&self.key, &place).await;
            let shown: Value = answer.json();
            if answer.status == 404 {
                report.find(format!("{reference}: was filed, and is not known"));
            } else if shown["status"] != "paid" {
                report.find(format!("{reference}: is {}, not paid", shown["status"]));
            }
            let expected = U256::from(payment.amount().0);
            let balance = self.world.token_balance(payment.recipient()).await;
            if balance != expected {
                report.find(format!(
                    "{reference}: {} holds {balance}, not {expected}",
                    payment.recipient()
                ));
            }
            sum += balance;
        }
        let left = self.world.token_balance(self.world.domain.vault).await;
        if left + sum != U256::from(BALANCE) {
            report.find(format!(
                "the vault has {left} left, and paid {sum} for what was filed"
            ));
        }
    }
}
