//! What a signer signs, as the EIP-712 JSON that wallets and signing tools take (`eth_signTypedData_v4`). The same as `scripts/typed-data` writes.

use alloy_sol_types::SolStruct as _;
use serde_json::{Map, Value, json};

use super::{
    Address, Batch, VaultDomain,
    batch::typed::{Approval, Batch as TypedBatch},
};

impl VaultDomain {
    /// A document of typed data under this vault's domain. `types` are those of the message, each in the words of EIP-712's
    /// `encodeType`: `Name(type field,type field)`. The first one is the message's.
    pub fn typed_data(&self, types: &[&str], message: Value) -> Value {
        let domain = self.eip712();
        let own = domain.encode_type();
        let all = types.iter().copied().chain([own.as_str()]);
        let primary = types.first().map_or("", |first| name_of(first));
        json!({
            "types": Map::from_iter(all.map(|each| (name_of(each).to_owned(), fields_of(each)))),
            "primaryType": primary,
            "domain": {
                "name": Self::NAME,
                "version": Self::VERSION,
                "chainId": self.chain_id.0.to_string(),
                "verifyingContract": self.vault.to_string(),
            },
            "message": message,
        })
    }
}

impl Batch {
    /// The header by the names of its EIP-712 type. Integers of more than 48 bits are decimal strings: as bare JSON numbers some
    /// tools sign them wrongly.
    pub fn message(&self) -> Value {
        json!({
            "firstNumber": self.first_number.0.to_string(),
            "count": self.count,
            "tier": self.tier.get(),
            "total": self.total.0.to_string(),
            "recipient": self.recipient.to_string(),
            "expiresAt": self.expires_at.seconds(),
            "paymentsHash": self.payments_hash.to_string(),
            "context": self.context.to_string(),
        })
    }

    /// The document whose digest is the batch's id, or that of a signer's vote for it.
    pub fn typed_data(&self, domain: &VaultDomain, vote: Option<(Address, u32)>) -> Value {
        let batch = TypedBatch::eip712_root_type();
        let Some((signer, epoch)) = vote else {
            return domain.typed_data(&[&batch], self.message());
        };
        let vote = json!({"signer": signer.to_string(), "epoch": epoch, "batch": self.message()});
        domain.typed_data(&[&Approval::eip712_root_type(), &batch], vote)
    }
}

fn name_of(encoded: &str) -> &str {
    encoded.split_once('(').map_or(encoded, |(name, _)| name)
}

fn fields_of(encoded: &str) -> Value {
    let inside = encoded.split_once('(').map_or("", |(_, rest)| rest);
    let fields = inside.trim_end_matches(')').split(',');
    let fields = fields.filter_map(|field| field.split_once(' '));
    Value::from_iter(fields.map(|(kind, name)| json!({"name": name, "type": kind})))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use alloy_primitives::B256;

    use super::*;
    use crate::domain::{
        Amount, BlockTime, ChainId, Payment, PaymentNumber, PaymentRef, TierIndex,
    };

    #[test]
    fn a_document_has_the_types_that_are_hashed_and_their_fields() {
        let recipient = Address::repeat_byte(1);
        let payment = Payment::new(recipient, Amount(5), PaymentRef([2; 16])).unwrap();
        let batch = Batch::seal(
            PaymentNumber((1 << 63) + 1),
            TierIndex::new(0).unwrap(),
            &[payment],
            BlockTime::from_seconds(7).unwrap(),
            B256::repeat_byte(3),
        )
        .unwrap();
        let domain = VaultDomain {
            chain_id: ChainId(31_337),
            vault: Address::repeat_byte(4),
        };
        // The words of `encodeType` again, from a document's fields.
        let encoded = |document: &Value, name: &str| {
            let fields = document["types"][name].as_array().unwrap().iter();
            let text = |field: &Value, part: &str| field[part].as_str().unwrap().to_owned();
            let fields =
                fields.map(|field| format!("{} {}", text(field, "type"), text(field, "name")));
            format!("{name}({})", fields.collect::<Vec<_>>().join(","))
        };
        let own = batch.typed_data(&domain, None);
        let vote = batch.typed_data(&domain, Some((recipient, 5)));
        assert_eq!(own["primaryType"], "Batch");
        assert_eq!(vote["primaryType"], "Approval");
        assert_eq!(encoded(&own, "EIP712Domain"), domain.eip712().encode_type());
        let types = ["Approval", "Batch"].map(|name| encoded(&vote, name));
        assert_eq!(types.concat(), Approval::eip712_encode_type());
        assert_eq!(own["message"]["firstNumber"], "9223372036854775809");
        assert_eq!(vote["message"]["batch"], own["message"]);
        let named: BTreeSet<&str> = (own["types"]["Batch"].as_array().unwrap().iter())
            .map(|field| field["name"].as_str().unwrap())
            .collect();
        let said = own["message"].as_object().unwrap().keys();
        assert_eq!(named, said.map(String::as_str).collect());
    }
}
