//! `/v1/vaults`: what a vault's policy is, what may leave under it, and who may do what.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;
use tidelock_core::domain::parse_address;
use utoipa::ToSchema;

use crate::{
    App,
    access::MayRead,
    port::{self, AsOf},
    problem::Problem,
};

/// A vault that this server files withdrawals for.
#[derive(Debug, Serialize, ToSchema)]
pub struct VaultName {
    /// Its address.
    #[schema(example = "0x1111111111111111111111111111111111111111")]
    id: String,
    /// The chain it is on.
    chain_id: u64,
    /// The token it pays.
    token: String,
    /// The token's decimals.
    decimals: u8,
}

/// The vaults that are served.
#[derive(Debug, Serialize, ToSchema)]
pub struct VaultList {
    /// One, today.
    items: Vec<VaultName>,
}

/// A vault as the chain has it. Amounts are in tokens, times in seconds since 1970, spans in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Vault {
    /// Its address.
    pub id: String,
    /// The chain it is on.
    pub chain_id: u64,
    /// The token it pays.
    pub token: String,
    /// The token's decimals.
    pub decimals: u8,
    /// How old all of this is.
    pub as_of: AsOf,
    /// What it holds.
    pub balance: String,
    /// When payments flow again, if it is frozen.
    pub frozen_until: Option<u64>,
    /// The rows of the release policy, the loosest first.
    pub tiers: Vec<Tier>,
    /// Most that can leave in any 24 hours from now on.
    pub most_per_day: MostPerDay,
    /// What changes of the policy are held to.
    pub policy: Policy,
    /// Signers, guardians and the keeper, each once.
    pub parties: Vec<Party>,
}

/// A row of the release policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Tier {
    /// Its place, from 0.
    #[schema(maximum = 3)]
    pub index: u8,
    /// Largest payment to a known recipient.
    pub most_known: String,
    /// Largest payment to an unknown recipient; 0 means none.
    pub most_unknown: String,
    /// Most that leaves under it in any 24 hours.
    pub cap: String,
    /// The cap in force: for 28 hours after a change of tiers the smaller of old and new.
    pub cap_in_force: String,
    /// Signers that must approve; 0, with no delay, is automatic.
    pub approvals: u8,
    /// From the last approval to execution.
    pub delay_s: u32,
    /// What may leave under it now.
    pub headroom: String,
    /// What may leave under it later, if nothing else leaves: each time at which that changes, in order.
    pub returns: Vec<Return>,
}

/// Room that comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Return {
    /// From when on.
    pub from: u64,
    /// What may leave then.
    pub headroom: String,
}

/// Most that can leave in any 24 hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MostPerDay {
    /// With the keeper's key alone.
    pub automatic: String,
    /// Under today's policy, whoever approves.
    pub policy: String,
    /// With every key stolen, whatever the policy is changed to.
    pub ceiling: String,
}

/// What changes of the policy are held to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Policy {
    /// Approvals that a change needs.
    pub threshold: u8,
    /// How long a change waits.
    pub delay_s: u64,
    /// The least delay that can ever be set.
    pub delay_floor_s: u64,
    /// Counts signer sets from 1.
    pub signer_epoch: u64,
    /// When the tiers may change again; 0 if they never did.
    pub tiers_settled_at: u64,
    /// Where sweeps of other tokens go, if that is set.
    pub successor: Option<String>,
}

/// Somebody with a right in the vault. Of each role the first second without it; none if it was never granted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Party {
    /// Who.
    pub account: String,
    /// Whether votes count.
    pub signer: bool,
    /// Until when payments may be made.
    pub keeper_until: Option<u64>,
    /// Until when batches may be proposed.
    pub proposer_until: Option<u64>,
    /// Until when everything may be stopped.
    pub guardian_until: Option<u64>,
    /// When the party may freeze again; 0 or past for now.
    pub freeze_again_at: u64,
}

/// Lists the vaults that are served
#[utoipa::path(get, path = "/v1/vaults", operation_id = "listVaults", tag = "vaults",
    responses(
        (status = 200, description = "The vaults", body = VaultList),
        (status = "default", description = "Any refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["read"])))]
pub(crate) async fn list(_: MayRead, State(app): State<App>) -> Json<VaultList> {
    let identity = &app.identity;
    Json(VaultList {
        items: vec![VaultName {
            id: identity.domain.vault.to_string(),
            chain_id: identity.domain.chain_id.0,
            token: identity.token.to_string(),
            decimals: identity.decimals,
        }],
    })
}

/// Shows a vault's policy, and what may leave
///
/// By the word of the server's node, after its newest block. The server may be set up to ask no node: then this is missing.
#[utoipa::path(get, path = "/v1/vaults/{id}", operation_id = "getVault", tag = "vaults",
    params(("id" = String, Path, description = "The vault's address")),
    responses(
        (status = 200, description = "The vault", body = Vault),
        (status = 404, description = "Another vault, or no node is asked", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["read"])))]
pub(crate) async fn show(
    _: MayRead,
    State(app): State<App>,
    Path(text): Path<String>,
) -> Result<Json<Vault>, Problem> {
    let asked =
        parse_address(&text).map_err(|_| Problem::broken("id", &text, "must be an address"))?;
    if asked != app.identity.domain.vault {
        return Err(Problem::missing(format!(
            "vault {asked}: this server serves another"
        )));
    }
    let lookout = port::there(app.lookout.as_ref())?;
    Ok(Json(lookout.vault().await?))
}
