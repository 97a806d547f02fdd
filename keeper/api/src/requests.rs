//! Requests that come another way than over HTTP: read, held to the same rules and filed as `POST /v1/withdrawals` does, by the same code.

use std::{io, thread::JoinHandle};

use tidelock_store::{Filed, Identity, Location, Noted};

use crate::{
    body::{LONGEST, Rules},
    intake::Intake,
    problem::Problem,
};

/// Takes requests in. Whatever a request says, no more can come of it than an API key with the scope `request` could ask for.
#[derive(Clone)]
pub struct Requests {
    rules: Rules,
    intake: Intake,
}

impl Requests {
    /// Begins to take in. The thread files what it was given and ends once all of these are gone.
    pub fn start(store: Location, identity: &Identity) -> io::Result<(Self, JoinHandle<()>)> {
        let (intake, thread) = Intake::start(store)?;
        let rules = Rules {
            decimals: identity.decimals,
            vault: identity.domain.vault,
            token: identity.token,
        };
        Ok((Self { rules, intake }, thread))
    }

    /// Files a request, whose body is that of `POST /v1/withdrawals`; it is durable when this returns. If nobody filed it before, it is noted
    /// beside it who did.
    pub async fn file(&self, body: &[u8], filed_by: &str) -> Result<Filed, Problem> {
        if body.len() > LONGEST {
            return Err(Problem::too_large(LONGEST));
        }
        let asked = self.rules.read(body, None)?;
        let filed_by = Some(filed_by.to_owned());
        let noted = Noted {
            filed_by,
            ..asked.into()
        };
        self.intake.file_one(noted).await
    }
}
