//! `/v1/quotes`: what a withdrawal would cost and when it would arrive, if it were filed now.

use axum::{
    Json,
    extract::{Request, State},
};
use serde::{Deserialize, Serialize};
use tidelock_core::domain::PaymentRef;
use utoipa::ToSchema;

use crate::{
    App,
    access::MayRequest,
    body::{LONGEST, must_be_json, read},
    keys::Scope,
    port::{self, AsOf, Unseen},
    problem::Problem,
};

/// What is asked about. Nothing else may be in it.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(
    dead_code,
    reason = "for the document; what is sent is read field by field"
)]
pub struct QuoteRequest {
    /// The ref that it will be filed under, so that the quote can be held to what happens; a random one, if not given.
    #[serde(rename = "ref")]
    #[schema(nullable = false, example = "01234567-89ab-cdef-0123-456789abcdef")]
    reference: Option<String>,
    /// Who would be paid.
    #[schema(example = "0x1111111111111111111111111111111111111111")]
    to: String,
    /// How much, in tokens, as a string of decimal digits with at most one point; never a number.
    #[schema(example = "12.5", pattern = r"^[0-9]+(\.[0-9]+)?$")]
    amount: String,
}

/// A quote. It promises nothing: it is kept, and held to what happens by `keeper quote --scores`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Quote {
    /// The ref to file it under.
    #[serde(rename = "ref")]
    reference: String,
    /// Who would be paid.
    to: String,
    /// How much, in tokens.
    amount: String,
    /// Why it would be held, if it would.
    held: Option<String>,
    /// What it would cost and when it would arrive; none if it would be held.
    estimate: Option<Estimate>,
}

/// What it would cost and when it would arrive. Spans are in seconds, fees in the chain's coin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Estimate {
    /// How old what it rests on is.
    pub as_of: AsOf,
    /// The tier that takes it.
    #[schema(maximum = 3)]
    pub tier: u8,
    /// Signers that must approve.
    pub approvals: u8,
    /// From the last approval to execution.
    pub delay_s: u32,
    /// Open payments before it.
    pub ahead: u64,
    /// When the tier's cap has room for it, if nothing else leaves: a time, in seconds since 1970; none if it never has.
    pub room_at: Option<u64>,
    /// Until a block holds it, from when the keeper takes it in. With a tier that asks for approvals: from the last of them.
    pub expected_s: u64,
    /// The same, if everything that is foreseen takes its longest.
    pub most_s: u64,
    /// Until that block is final, beside.
    pub finality_s: u64,
    /// Until it is final, from when the keeper takes it in (with a tier that asks for approvals: from the last of them): half of such payments
    /// are by then.
    pub p50_s: u64,
    /// And 95 of 100.
    pub p95_s: u64,
    /// Recent payments that these two rest on; 0 if too few are known, and they are what is foreseen.
    pub recent: u64,
    /// Gas of its transaction, if it is alone in it; 0 if that is not known.
    pub gas: u64,
    /// Fee if it is alone in its transaction; in a batch it shares.
    pub fee_expected: String,
    /// The same at the operator's cap.
    pub fee_most: String,
    /// What stands in its way now, in words.
    pub waits: Vec<String>,
}

/// Says what a withdrawal would cost, and when it would arrive
///
/// By the word of the server's node. The server may be set up to ask no node: then this is missing. Nothing is filed.
#[utoipa::path(post, path = "/v1/quotes", operation_id = "quoteWithdrawal", tag = "withdrawals",
    request_body(content = QuoteRequest, content_type = "application/json"),
    responses(
        (status = 200, description = "What is to be expected", body = Quote),
        (status = 404, description = "No node is asked", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value breaks a rule", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["request"])))]
pub(crate) async fn quote(
    MayRequest(caller): MayRequest,
    State(app): State<App>,
    request: Request,
) -> Result<Json<Quote>, Problem> {
    must_be_json(request.headers())?;
    let body = read(request, LONGEST).await?;
    app.must_still(&caller.key, Scope::Request).await?;
    let any = PaymentRef(rand::random()).to_string();
    let payment = app.rules.read_or(&body, &any)?;
    let lookout = port::there(app.lookout.as_ref())?;
    let (held, estimate) = match lookout.quote(payment).await {
        Ok(estimate) => (None, Some(estimate)),
        Err(Unseen::Refused(why)) => (Some(why), None),
        Err(unseen) => return Err(unseen.into()),
    };
    Ok(Json(Quote {
        reference: payment.reference().to_string(),
        to: payment.recipient().to_string(),
        amount: payment.amount().display(app.rules.decimals),
        held,
        estimate,
    }))
}
