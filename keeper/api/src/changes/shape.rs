//! A policy change as its signers sign it (EIP-712): which fields it has, what they say, and its digest. The vault logs a change as the ABI encoding
//! of its struct; what is read here is held to the id that the vault gave it, which is its digest.

use alloy_primitives::{Address, B256, Keccak256, U256, keccak256};
use serde_json::{Value, json};
use tidelock_core::domain::VaultDomain;

/// A field: its name and its type.
type Field = (&'static str, &'static str);

/// The kinds of change, in the order of `ChangeKind` (contracts/src/types/VaultTypes.sol), each with the struct that is signed. A list is the first field.
const KINDS: [(&str, &[Field]); 9] = [
    (
        "SignersChange",
        &[
            ("signers", "address[]"),
            ("threshold", "uint8"),
            NONCE,
            EXPIRY,
        ],
    ),
    (
        "TiersChange",
        &[
            ("tiers", "Tier[]"),
            ("policyDelay", "uint32"),
            ("oldTermsChangedAt", "uint40"),
            NONCE,
            EXPIRY,
        ],
    ),
    (
        "RecipientsChange",
        &[
            ("recipients", "address[]"),
            ("oldStanding", "uint8"),
            ("standing", "uint8"),
            NONCE,
            EXPIRY,
        ],
    ),
    (
        "RoleChange",
        &[
            ("account", "address"),
            ("role", "uint8"),
            ("oldUntil", "uint40"),
            ("until", "uint40"),
            NONCE,
            EXPIRY,
        ],
    ),
    (
        "GuardiansChange",
        &[
            ("guardians", "address[]"),
            ("until", "uint40"),
            NONCE,
            EXPIRY,
        ],
    ),
    (
        "UnfreezeChange",
        &[("haltedUntil", "uint40"), NONCE, EXPIRY],
    ),
    (
        "SuccessorChange",
        &[("successor", "address"), NONCE, EXPIRY],
    ),
    ("SweepChange", &[("token", "address"), NONCE, EXPIRY]),
    ("TightenChange", &[("tiers", "Tier[]"), NONCE, EXPIRY]),
];
const NONCE: Field = ("nonce", "uint64");
const EXPIRY: Field = ("expiresAt", "uint40");
const TIER: [Field; 5] = [
    ("maxKnown", "uint128"),
    ("maxUnknown", "uint128"),
    ("cap", "uint128"),
    ("approvals", "uint8"),
    ("delay", "uint32"),
];
/// Elements of a list; the vault takes fewer.
const MOST: usize = 1_024;

/// A change that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its struct's name.
    name: &'static str,
    fields: &'static [Field],
    /// What each field says.
    values: Vec<Said>,
}

/// What a field says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Word(B256),
    /// Elements of one word, or of a tier's five.
    List(Vec<Vec<B256>>),
}

impl Change {
    /// Reads the one encoding of a kind's struct; none if it is another.
    pub fn read(kind: u8, encoded: &[u8]) -> Option<Self> {
        let (name, fields) = *KINDS.get(usize::from(kind))?;
        let (words, rest) = encoded.as_chunks::<32>();
        if !rest.is_empty() {
            return None;
        }
        let mut words = words.iter().map(|word| B256::from(*word));
        let width = match fields.first()?.1 {
            "address[]" => 1,
            "Tier[]" => TIER.len(),
            _ => 0,
        };
        if width > 0 && number(words.next()?) != Some(32) {
            return None;
        }
        let mut values = Vec::new();
        for _ in fields {
            values.push(Said::Word(words.next()?));
        }
        if width > 0 {
            let Some(Said::Word(offset)) = values.first() else {
                return None;
            };
            if number(*offset)? != fields.len().checked_mul(32)? {
                return None;
            }
            let count = number(words.next()?).filter(|count| *count <= MOST)?;
            let mut list = Vec::new();
            for _ in 0..count {
                let element: Vec<B256> = words.by_ref().take(width).collect();
                list.push(element);
            }
            if list.iter().any(|element| element.len() != width) {
                return None;
            }
            *values.first_mut()? = Said::List(list);
        }
        words.next().is_none().then_some(Self {
            name,
            fields,
            values,
        })
    }

    /// The kind, as the vault's enumeration names it.
    pub fn kind(&self) -> String {
        self.name.trim_end_matches("Change").to_lowercase()
    }

    /// First second at which it can be executed no more; none if nobody lives so long.
    pub fn expires_at(&self) -> u64 {
        match self.values.last() {
            Some(Said::Word(word)) => {
                u64::try_from(U256::from_be_bytes(word.0)).unwrap_or(u64::MAX)
            }
            _ => 0,
        }
    }

    /// The digest that the vault names it by.
    pub fn id(&self, domain: &VaultDomain) -> B256 {
        digest(domain, self.hash())
    }

    /// What a signer of that signer set signs to vote for it off chain.
    pub fn vote_digest(&self, domain: &VaultDomain, signer: Address, epoch: u32) -> B256 {
        let mut hasher = Keccak256::new();
        hasher.update(keccak256(self.vote_type()));
        hasher.update(signer.into_word());
        hasher.update(B256::from(U256::from(epoch)));
        hasher.update(self.hash());
        digest(domain, hasher.finalize())
    }

    /// As `eth_signTypedData_v4` takes it: the change itself, or a signer's vote for it.
    pub fn document(&self, domain: &VaultDomain, vote: Option<(Address, u32)>) -> Value {
        let own = signature(self.name, self.fields);
        let tier = self.has_tiers().then(|| signature("Tier", &TIER));
        let (voted, message) = match vote {
            None => (None, self.message()),
            Some((signer, epoch)) => {
                let vote =
                    json!({"signer": signer.to_string(), "epoch": epoch, "change": self.message()});
                (
                    Some(signature(&self.vote_name(), &self.vote_fields())),
                    vote,
                )
            }
        };
        let types = [voted.as_deref(), Some(&own), tier.as_deref()];
        let types: Vec<&str> = types.into_iter().flatten().collect();
        domain.typed_data(&types, message)
    }

    fn message(&self) -> Value {
        let each = self.fields.iter().zip(&self.values);
        let each = each.map(|((name, kind), said)| {
            let value =
                match said {
                    Said::Word(word) => value(kind, *word),
                    Said::List(list) => {
                        Value::from_iter(list.iter().map(|element| match element.as_slice() {
                            [one] => value("address", *one),
                            tier => Value::from_iter(TIER.iter().zip(tier).map(
                                |((name, kind), word)| ((*name).to_owned(), value(kind, *word)),
                            )),
                        }))
                    }
                };
            ((*name).to_owned(), value)
        });
        Value::from_iter(each)
    }

    fn has_tiers(&self) -> bool {
        self.fields.iter().any(|(_, kind)| *kind == "Tier[]")
    }

    fn vote_name(&self) -> String {
        self.name.replace("Change", "Approval")
    }

    fn vote_fields(&self) -> [Field; 3] {
        [
            ("signer", "address"),
            ("epoch", "uint24"),
            ("change", self.name),
        ]
    }

    /// Types that it refers to come behind, by name: of two, `Tier` is the first.
    fn own_type(&self) -> String {
        let tier = if self.has_tiers() {
            signature("Tier", &TIER)
        } else {
            String::new()
        };
        format!("{}{tier}", signature(self.name, self.fields))
    }

    fn vote_type(&self) -> String {
        let tier = if self.has_tiers() {
            signature("Tier", &TIER)
        } else {
            String::new()
        };
        format!(
            "{}{tier}{}",
            signature(&self.vote_name(), &self.vote_fields()),
            signature(self.name, self.fields)
        )
    }

    fn hash(&self) -> B256 {
        let mut hasher = Keccak256::new();
        hasher.update(keccak256(self.own_type()));
        for said in &self.values {
            hasher.update(match said {
                Said::Word(word) => *word,
                Said::List(list) => hash_of(list),
            });
        }
        hasher.finalize()
    }
}

/// Of addresses, or of tiers, each of which is a struct.
fn hash_of(list: &[Vec<B256>]) -> B256 {
    let mut hasher = Keccak256::new();
    for element in list {
        match element.as_slice() {
            [one] => hasher.update(one),
            tier => {
                let mut inner = Keccak256::new();
                inner.update(keccak256(signature("Tier", &TIER)));
                tier.iter().for_each(|word| inner.update(word));
                hasher.update(inner.finalize());
            }
        }
    }
    hasher.finalize()
}

fn digest(domain: &VaultDomain, hash: B256) -> B256 {
    let mut hasher = Keccak256::new();
    hasher.update([0x19, 0x01]);
    hasher.update(domain.separator());
    hasher.update(hash);
    hasher.finalize()
}

fn number(word: B256) -> Option<usize> {
    usize::try_from(U256::from_be_bytes(word.0)).ok()
}

fn signature(name: &str, fields: &[Field]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(name, kind)| format!("{kind} {name}"))
        .collect();
    format!("{name}({})", fields.join(","))
}

/// Integers of more than 48 bits are decimal strings: as bare JSON numbers some tools sign them wrongly.
fn value(kind: &str, word: B256) -> Value {
    let number = U256::from_be_bytes(word.0);
    match (kind, u64::try_from(number)) {
        ("address", _) => Value::from(Address::from_word(word).to_string()),
        ("uint64" | "uint128", _) | (_, Err(_)) => Value::from(number.to_string()),
        (_, Ok(number)) => Value::from(number),
    }
}

#[cfg(test)]
mod tests {
    use tidelock_core::domain::ChainId;

    use super::*;

    /// Vectors of an implementation that shares no code with this one.
    fn vectors(text: &str) -> Vec<Value> {
        serde_json::from_str(text).unwrap()
    }

    fn text<'v>(vector: &'v Value, field: &str) -> &'v str {
        vector[field].as_str().unwrap()
    }

    fn domain(vector: &Value) -> VaultDomain {
        VaultDomain {
            chain_id: ChainId(text(vector, "chainId").parse().unwrap()),
            vault: text(vector, "vault").parse().unwrap(),
        }
    }

    /// The vectors have every number as a string.
    fn in_strings(value: &Value) -> Value {
        match value {
            Value::Number(number) => Value::from(number.to_string()),
            Value::Array(all) => all.iter().map(in_strings).collect(),
            Value::Object(all) => {
                let all = all
                    .iter()
                    .map(|(name, value)| (name.clone(), in_strings(value)));
                Value::from_iter(all)
            }
            other => other.clone(),
        }
    }

    #[test]
    fn ids_votes_and_words_are_those_of_the_vectors() {
        let changes = vectors(include_str!(
            "../../../../test-fixtures/vectors/change-id.json"
        ));
        let votes = vectors(include_str!(
            "../../../../test-fixtures/vectors/approval.json"
        ));
        let (mut kinds, mut voted) = (std::collections::BTreeSet::new(), 0);
        for vector in &changes {
            let kind: u8 = text(vector, "kind").parse().unwrap();
            let encoded = alloy_primitives::hex::decode(text(vector, "change")).unwrap();
            let change = Change::read(kind, &encoded).unwrap();
            let domain = domain(vector);
            let name = text(vector, "name");
            assert_eq!(
                change.id(&domain).to_string(),
                text(vector, "changeId"),
                "{name}"
            );
            assert_eq!(
                change.expires_at().to_string(),
                text(vector, "expiresAt"),
                "{name}"
            );
            let said: Value = serde_json::from_str(text(vector, "message")).unwrap();
            assert_eq!(in_strings(&change.message()), said, "{name}");
            kinds.insert(kind);
            let own = |vote: &&Value| {
                vote["contentHash"] == vector["structHash"]
                    && vote["domainSeparator"] == vector["domainSeparator"]
            };
            for vote in votes.iter().filter(own) {
                let epoch = text(vote, "epoch").parse().unwrap();
                let signer = text(vote, "signer").parse().unwrap();
                let digest = change.vote_digest(&domain, signer, epoch);
                assert_eq!(digest.to_string(), text(vote, "digest"), "{name}");
                voted += 1;
            }
            // No other encoding is read.
            for other in [
                &encoded[..encoded.len() - 1],
                &encoded[32..],
                &[&encoded[..], &[0; 32]].concat(),
            ] {
                assert_eq!(Change::read(kind, other), None, "{name}");
            }
        }
        assert_eq!(kinds.len(), 9);
        assert!(voted > 9, "{voted}");
        assert_eq!(Change::read(9, &[0; 96]), None);
    }
}
