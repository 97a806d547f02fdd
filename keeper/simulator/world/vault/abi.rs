//! The vault's own interface, from the build of the contract, and the two encodings it rests on. Shares nothing with the
//! keeper: what both got wrong in the same way would not be seen.

use alloy_primitives::{Address, B256, FixedBytes, U256, aliases::U40, keccak256};

#[allow(missing_docs, clippy::all, reason = "generated from the ABI")]
mod generated {
    alloy_sol_types::sol!(
        #[sol(all_derives)]
        Vault,
        "../../contracts/abi/Vault.json"
    );
}

pub use generated::Vault as Abi;

/// One packed payment. [amount: base units]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Who is paid.
    pub recipient: Address,
    /// How much.
    pub amount: u128,
    /// The requester's id.
    pub reference: [u8; 16],
}

/// Reads packed payments: 20 bytes recipient, 12 bytes amount, 16 bytes ref each. Whole ones only.
pub fn unpack(packed: &[u8]) -> Vec<Item> {
    let read = |chunk: &[u8]| {
        let mut amount = [0; 16];
        amount[4..].copy_from_slice(&chunk[20..32]);
        Item {
            recipient: Address::from_slice(&chunk[..20]),
            amount: u128::from_be_bytes(amount),
            reference: chunk[32..48].try_into().expect("16 bytes"),
        }
    };
    packed.chunks_exact(48).map(read).collect()
}

/// Packs payments.
pub fn pack(items: &[Item]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(items.len() * 48);
    for item in items {
        packed.extend_from_slice(item.recipient.as_slice());
        packed.extend_from_slice(&item.amount.to_be_bytes()[4..]);
        packed.extend_from_slice(&item.reference);
    }
    packed
}

impl Abi::Order {
    /// An order of its parts. `expires_at` in seconds, of which 40 bits count.
    pub fn new(first_number: u64, expires_at: u64, tier: u8, context: B256) -> Self {
        let [_, _, _, expiry @ ..] = expires_at.to_be_bytes();
        let number = first_number.to_be_bytes();
        let mut bytes = number.into_iter().chain(expiry).chain([tier]);
        let head = core::array::from_fn(|_| bytes.next().unwrap_or_default());
        Self {
            context,
            head: FixedBytes(head),
        }
    }

    /// Number of the first payment.
    pub fn first_number(&self) -> u64 {
        let [number @ .., _, _, _, _, _, _] = self.head.0;
        u64::from_be_bytes(number)
    }

    /// First second at which nothing of the batch can be paid any more.
    pub fn expires_at(&self) -> u64 {
        let [.., a, b, c, d, e, _] = self.head.0;
        u64::from_be_bytes([0, 0, 0, a, b, c, d, e])
    }

    /// Row of the release policy.
    pub fn tier(&self) -> u8 {
        let [.., tier] = self.head.0;
        tier
    }
}

/// An order without a context.
pub fn order(first_number: u64, tier: u8, expires_at: u64) -> Abi::Order {
    Abi::Order::new(first_number, expires_at, tier, B256::ZERO)
}

/// The header that an order and packed payments come to.
pub fn header(order: &Abi::Order, payments: &[u8]) -> Abi::Batch {
    let items = unpack(payments);
    let recipient = match items.as_slice() {
        [sole] => sole.recipient,
        _ => Address::ZERO,
    };
    Abi::Batch {
        firstNumber: order.first_number(),
        count: items.len() as u16,
        tier: order.tier(),
        total: items.iter().map(|item| item.amount).sum(),
        recipient,
        expiresAt: U40::from(order.expires_at()),
        paymentsHash: keccak256(payments),
        context: order.context,
    }
}

/// The EIP-712 digest of a header, spelt out.
pub fn batch_id(chain_id: u64, vault: Address, batch: &Abi::Batch) -> B256 {
    let domain = hash_words(&[
        keccak256(
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
        ),
        keccak256("Tidelock Vault"),
        keccak256("1"),
        word(chain_id),
        vault.into_word(),
    ]);
    let header = hash_words(&[
        keccak256(
            "Batch(uint64 firstNumber,uint16 count,uint8 tier,uint128 total,address recipient,uint40 expiresAt,bytes32 paymentsHash,bytes32 context)",
        ),
        word(batch.firstNumber),
        word(u64::from(batch.count)),
        word(u64::from(batch.tier)),
        B256::from(U256::from(batch.total)),
        batch.recipient.into_word(),
        word(batch.expiresAt.to::<u64>()),
        batch.paymentsHash,
        batch.context,
    ]);
    let mut message = vec![0x19, 0x01];
    message.extend_from_slice(domain.as_slice());
    message.extend_from_slice(header.as_slice());
    keccak256(message)
}

fn word(value: u64) -> B256 {
    B256::from(U256::from(value))
}

fn hash_words(words: &[B256]) -> B256 {
    keccak256(words.iter().flat_map(|word| word.0).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;

    /// The vectors that the contract and the keeper are held to, written by an implementation that shares no code with
    /// either.
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
            let batch = Abi::Batch {
                firstNumber: field("firstNumber").parse().unwrap(),
                count: field("count").parse().unwrap(),
                tier: field("tier").parse().unwrap(),
                total: field("total").parse().unwrap(),
                recipient: field("recipient").parse().unwrap(),
                expiresAt: U40::from(field("expiresAt").parse::<u64>().unwrap()),
                paymentsHash: keccak256(&packed),
                context: field("context").parse().unwrap(),
            };
            let id = batch_id(
                field("chainId").parse().unwrap(),
                field("vault").parse().unwrap(),
                &batch,
            );
            assert_eq!(id, field("batchId").parse::<B256>().unwrap());
            assert_eq!(
                batch.paymentsHash,
                field("paymentsHash").parse::<B256>().unwrap()
            );
            let items = unpack(&packed);
            assert_eq!(pack(&items), packed);
            let columns = column("recipients").into_iter().zip(column("amounts"));
            for (item, (recipient, amount)) in items.iter().zip(columns) {
                assert_eq!(
                    item.recipient,
                    recipient.as_str().unwrap().parse::<Address>().unwrap()
                );
                assert_eq!(
                    item.amount,
                    amount.as_str().unwrap().parse::<u128>().unwrap()
                );
            }
            assert_eq!(items.len(), column("references").len());
        }
    }
}
