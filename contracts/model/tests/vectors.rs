//! The vectors that the contract and the keeper are held to, written by an implementation that shares no code with the model.

use alloy_primitives::{B256, aliases::U40, hex, keccak256};
use tidelock_model::abi::{Batch, Content, domain, pack, unpack};

#[test]
fn ids_and_packing_are_those_of_the_vectors() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../test-fixtures/vectors/batch-id.json"
    );
    let text = std::fs::read_to_string(file).unwrap();
    let vectors: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert!(!vectors.is_empty());
    for vector in &vectors {
        let field = |name: &str| vector[name].as_str().unwrap();
        let column = |name: &str| vector[name].as_array().unwrap().clone();
        let packed = hex::decode(field("payments")).unwrap();
        let batch = Batch {
            firstNumber: field("firstNumber").parse().unwrap(),
            count: field("count").parse().unwrap(),
            tier: field("tier").parse().unwrap(),
            total: field("total").parse().unwrap(),
            recipient: field("recipient").parse().unwrap(),
            expiresAt: U40::from(field("expiresAt").parse::<u64>().unwrap()),
            paymentsHash: keccak256(&packed),
            context: field("context").parse().unwrap(),
        };
        let domain = domain(
            field("chainId").parse().unwrap(),
            field("vault").parse().unwrap(),
        );
        let id = Content::of_batch(&batch).id(&domain);
        assert_eq!(id, field("batchId").parse::<B256>().unwrap());
        assert_eq!(
            batch.paymentsHash,
            field("paymentsHash").parse::<B256>().unwrap()
        );

        let items = unpack(&packed);
        assert_eq!(pack(&items), packed);
        let columns = column("recipients").into_iter().zip(column("amounts"));
        let columns = columns.zip(column("references"));
        assert_eq!(items.len(), column("references").len());
        for (item, ((recipient, amount), reference)) in items.iter().zip(columns) {
            assert_eq!(
                item.recipient.to_string().to_lowercase(),
                text_of(&recipient)
            );
            assert_eq!(item.amount.to_string(), text_of(&amount));
            assert_eq!(hex::encode_prefixed(item.reference), text_of(&reference));
        }
    }
}

fn text_of(value: &serde_json::Value) -> String {
    value.as_str().unwrap_or_default().to_lowercase()
}
