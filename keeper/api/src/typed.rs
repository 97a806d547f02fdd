//! What a signer signs, as the EIP-712 JSON that wallets and signing tools take (`eth_signTypedData_v4`). Integers of more than 48 bits are
//! decimal strings: as bare JSON numbers some tools sign them wrongly. The same as `scripts/typed-data` writes.

use serde_json::{Value, json};
use tidelock_core::domain::{Address, Batch, VaultDomain};

/// A document: the batch itself, whose digest is its id, or a signer's vote for it.
pub(crate) fn document(domain: &VaultDomain, batch: &Batch, vote: Option<(Address, u32)>) -> Value {
    let field = |(name, kind): &(&str, &str)| json!({"name": name, "type": kind});
    let fields = |fields: &[(&str, &str)]| Value::from_iter(fields.iter().map(field));
    let mut types = json!({"EIP712Domain": fields(&DOMAIN), "Batch": fields(&BATCH)});
    let content = json!({
        "firstNumber": batch.first_number.0.to_string(),
        "count": batch.count,
        "tier": batch.tier.get(),
        "total": batch.total.0.to_string(),
        "recipient": batch.recipient.to_string(),
        "expiresAt": batch.expires_at.seconds(),
        "paymentsHash": batch.payments_hash.to_string(),
        "context": batch.context.to_string(),
    });
    let (primary, message) = match vote {
        None => ("Batch", content),
        Some((signer, epoch)) => {
            if let Some(types) = types.as_object_mut() {
                types.insert("Approval".to_owned(), fields(&APPROVAL));
            }
            let vote = json!({"signer": signer.to_string(), "epoch": epoch, "batch": content});
            ("Approval", vote)
        }
    };
    json!({
        "types": types,
        "primaryType": primary,
        "domain": {
            "name": VaultDomain::NAME,
            "version": VaultDomain::VERSION,
            "chainId": domain.chain_id.0.to_string(),
            "verifyingContract": domain.vault.to_string(),
        },
        "message": message,
    })
}

const DOMAIN: [(&str, &str); 4] = [
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
];
const BATCH: [(&str, &str); 8] = [
    ("firstNumber", "uint64"),
    ("count", "uint16"),
    ("tier", "uint8"),
    ("total", "uint128"),
    ("recipient", "address"),
    ("expiresAt", "uint40"),
    ("paymentsHash", "bytes32"),
    ("context", "bytes32"),
];
const APPROVAL: [(&str, &str); 3] = [
    ("signer", "address"),
    ("epoch", "uint24"),
    ("batch", "Batch"),
];
