//! A withdrawal as the API shows it.

use std::collections::BTreeMap;

use serde::Serialize;
use tidelock_core::{
    domain::{Amount, Payment, PaymentRef},
    event::{HoldReason, Request, Route},
    lifecycle::{AttemptStatus, PaymentStatus},
};
use tidelock_store::{PaymentView, Reader, Standing, Stands, StoreError};
use utoipa::ToSchema;

use crate::metadata::{self, Metadata};

/// A withdrawal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Withdrawal {
    /// The requester's id of it, as 32 hexadecimal digits; a UUID or a ULID is the same 16 bytes.
    #[serde(rename = "ref")]
    #[schema(example = "0x0123456789abcdef0123456789abcdef")]
    pub reference: String,
    /// Who is paid.
    #[schema(example = "0x1111111111111111111111111111111111111111")]
    pub to: String,
    /// How much, in tokens.
    #[schema(example = "12.5")]
    pub amount: String,
    /// Where it stands. `paid` only once the block that paid it is final.
    pub status: Status,
    /// Why it is held, while it is.
    pub hold: Option<Hold>,
    /// The number of its payment in the vault, for life, once it has one.
    #[schema(example = "4294967297")]
    pub number: Option<String>,
    /// The last batch it was in.
    pub batch: Option<String>,
    /// The tier of that batch.
    #[schema(maximum = 3)]
    pub tier: Option<u8>,
    /// How that batch is paid.
    pub route: Option<Way>,
    /// The transaction that paid it, or the last one that was signed for its batch; of one withdrawal only, not of a list.
    pub transaction: Option<String>,
    /// How often a batch paid others and left it behind.
    pub returns: u32,
    /// Its place among all requests; 0 if it was not requested here.
    pub arrival: u64,
    /// When it was taken in: time of the last block that was final then, in seconds since 1970; of one withdrawal only.
    pub accepted_at: Option<u64>,
    /// What its requester noted beside it.
    pub metadata: Option<BTreeMap<String, String>>,
}

/// Where a withdrawal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Filed and durable; the keeper has not taken it in yet.
    Waiting,
    /// Filed, and never taken in: its row was damaged. A person has to look.
    LeftOut,
    /// Taken in, not looked at.
    Requested,
    /// Waits for a person, or for what held it to go away; see `hold`.
    Held,
    /// May be put into a batch.
    Open,
    /// In a batch that can still pay it.
    Sealed,
    /// Paid, by the word of a final block.
    Paid,
    /// Refused: it can never be paid.
    Rejected,
    /// Withdrawn by an operator.
    Cancelled,
    /// Another key paid something else under its number: it can never be paid.
    Displaced,
}

impl Status {
    const ALL: [(&'static str, Stands); 9] = [
        ("waiting", Stands::Waiting),
        ("requested", Stands::Taken(PaymentStatus::Requested)),
        ("held", Stands::Taken(PaymentStatus::Held)),
        ("open", Stands::Taken(PaymentStatus::Open)),
        ("sealed", Stands::Taken(PaymentStatus::Sealed)),
        ("paid", Stands::Taken(PaymentStatus::Paid)),
        ("rejected", Stands::Taken(PaymentStatus::Rejected)),
        ("cancelled", Stands::Taken(PaymentStatus::Cancelled)),
        ("displaced", Stands::Taken(PaymentStatus::Displaced)),
    ];

    /// What a list is narrowed to by that word.
    pub(crate) fn narrow(word: &str) -> Option<Stands> {
        let found = Self::ALL.into_iter().find(|(known, _)| *known == word);
        found.map(|(_, stands)| stands)
    }
}

impl From<PaymentStatus> for Status {
    fn from(status: PaymentStatus) -> Self {
        match status {
            PaymentStatus::Requested => Self::Requested,
            PaymentStatus::Held => Self::Held,
            PaymentStatus::Open => Self::Open,
            PaymentStatus::Sealed => Self::Sealed,
            PaymentStatus::Paid => Self::Paid,
            PaymentStatus::Rejected => Self::Rejected,
            PaymentStatus::Cancelled => Self::Cancelled,
            PaymentStatus::Displaced => Self::Displaced,
        }
    }
}

/// How a batch is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// At once, in an automatic tier.
    Direct,
    /// After approvals and a delay.
    Proposal,
}

/// Why a withdrawal is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Hold {
    /// The reason.
    pub reason: HoldWord,
    /// What there is to say beside: an operator's words, the vault's answer, or the number it was paid under.
    pub detail: Option<String>,
}

/// A reason to hold a withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldWord {
    /// The vault blocks the recipient.
    RecipientBlocked,
    /// No tier takes the amount for a recipient of that standing.
    AboveLimit,
    /// The token would pay, and freeze what it paid.
    TokenBlacklist,
    /// The token refuses this transfer.
    TokenRefuses,
    /// No batch with it can be simulated.
    CannotSimulate,
    /// It came back unpaid too often.
    KeepsFailing,
    /// A guardian vetoed the batch it was in.
    Vetoed,
    /// Somebody else proposed the same ref under another number.
    ForeignProposal,
    /// The vault paid this ref already, under another number.
    PaidElsewhere,
    /// An operator holds it.
    Operator,
}

impl From<&HoldReason> for Hold {
    fn from(reason: &HoldReason) -> Self {
        let (reason, detail) = match reason {
            HoldReason::RecipientBlocked => (HoldWord::RecipientBlocked, None),
            HoldReason::AboveLimit => (HoldWord::AboveLimit, None),
            HoldReason::TokenBlacklist => (HoldWord::TokenBlacklist, None),
            HoldReason::TokenRefuses => (HoldWord::TokenRefuses, None),
            HoldReason::CannotSimulate { answer } => {
                (HoldWord::CannotSimulate, Some(answer.clone()))
            }
            HoldReason::KeepsFailing => (HoldWord::KeepsFailing, None),
            HoldReason::Vetoed => (HoldWord::Vetoed, None),
            HoldReason::ForeignProposal => (HoldWord::ForeignProposal, None),
            HoldReason::PaidElsewhere { number } => {
                (HoldWord::PaidElsewhere, Some(number.to_string()))
            }
            HoldReason::Operator { note } => (HoldWord::Operator, Some(note.clone())),
        };
        Self { reason, detail }
    }
}

impl Withdrawal {
    /// One that was just filed.
    pub(crate) fn waiting(payment: &Payment, arrival: u64, decimals: u8) -> Self {
        Self {
            reference: payment.reference().to_string(),
            to: payment.recipient().to_string(),
            amount: in_tokens(payment.amount(), decimals),
            status: Status::Waiting,
            hold: None,
            number: None,
            batch: None,
            tier: None,
            route: None,
            transaction: None,
            returns: 0,
            arrival,
            accepted_at: None,
            metadata: None,
        }
    }

    /// The same with what was noted beside it.
    pub(crate) fn noted(self, metadata: Option<Metadata>) -> Self {
        Self { metadata, ..self }
    }

    fn of_request(request: &Request, status: Status, decimals: u8) -> Self {
        Self {
            status,
            ..Self::waiting(&request.payment, request.arrival, decimals)
        }
    }

    fn of_view(view: &PaymentView, decimals: u8) -> Self {
        let row = &view.row;
        Self {
            status: row.status.into(),
            hold: row.hold.as_ref().map(Hold::from),
            number: row.number.map(|number| number.to_string()),
            batch: row.batch.map(|batch| batch.to_string()),
            tier: view.tier.map(|tier| tier.get()),
            route: view.route.map(|route| match route {
                Route::Direct => Way::Direct,
                Route::Proposal => Way::Proposal,
            }),
            returns: row.returns,
            ..Self::waiting(&row.payment, row.arrival, decimals)
        }
    }

    /// None of a ref that nobody asked for.
    pub(crate) fn of(standing: &Standing, decimals: u8) -> Option<Self> {
        match standing {
            Standing::Unknown => None,
            Standing::Waiting(request) => {
                Some(Self::of_request(request, Status::Waiting, decimals))
            }
            Standing::LeftOut(request) => {
                Some(Self::of_request(request, Status::LeftOut, decimals))
            }
            Standing::Taken(view) => Some(Self::of_view(view, decimals)),
        }
    }

    /// Where a ref stands, with what it travels in.
    pub(crate) fn find(
        reader: &mut Reader,
        reference: &PaymentRef,
    ) -> Result<Option<Self>, StoreError> {
        let decimals = reader.identity().decimals;
        let standing = reader.standing(reference)?;
        let Some(mut found) = Self::of(&standing, decimals) else {
            return Ok(None);
        };
        let notes = reader.metadata(&[*reference])?;
        found.metadata = metadata::shown(notes.get(reference));
        if let Standing::Taken(view) = &standing {
            if view.row.arrival > 0 {
                let accepted = reader.accepted_at(view.row.arrival)?;
                found.accepted_at = accepted.map(|time| time.seconds());
            }
            if let Some(batch) = &view.row.batch {
                let signed = reader.signed_for(batch)?;
                let landed = signed
                    .iter()
                    .find(|one| one.status == AttemptStatus::Consumed);
                found.transaction = landed.or(signed.last()).map(|one| one.hash.to_string());
            }
        }
        Ok(Some(found))
    }
}

fn in_tokens(amount: Amount, decimals: u8) -> String {
    amount.display(decimals)
}

/// The word that a thing is sent as.
pub(crate) fn word(of: impl Serialize) -> String {
    let word = serde_json::to_value(of).ok();
    let word = word.and_then(|word| word.as_str().map(str::to_owned));
    word.unwrap_or_default()
}
