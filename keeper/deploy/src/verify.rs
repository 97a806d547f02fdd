//! Proof that what is on the chain is what the policy says: code, configuration hash, events of the creation, and every field as
//! the vault answers it now.

use alloy_primitives::{Address, U256, keccak256};
use alloy_sol_types::SolCall;

use crate::{
    DeployError, Deployment, Step, Vault,
    chain::{Chain, narrow},
    record::Record,
    units::time_shown,
};

impl Deployment {
    /// Verifies everything; any difference is an error that lists all.
    pub async fn verify(&self, chain: Chain<'_>) -> Result<Record, DeployError> {
        let standing = self.standing(chain).await?;
        for step in [Step::Factory, Step::Vault, Step::Lens] {
            if !standing.has(step) {
                return Err(DeployError::Missing {
                    what: step.name(),
                    address: self.address(step),
                });
            }
        }
        let code = chain.code(self.at.vault).await?;
        let mut wrong = self.check_immutables(&code);
        self.check_rules(chain).await?;
        let receipt = self.creation(chain).await?;
        wrong.extend(self.check_events(&receipt));
        wrong.extend(self.check_fields(chain).await?);
        if !wrong.is_empty() {
            return Err(DeployError::Differs(wrong));
        }
        let final_block: u64 = narrow("number", chain.block("finalized").await?.number)?;
        let block = narrow("blockNumber", receipt.block_number)?;
        Ok(Record::new(self, &receipt, block, block <= final_block))
    }

    /// The code's immutables: each one value, and among them the rules and the token.
    fn check_immutables(&self, code: &[u8]) -> Vec<String> {
        let Some(values) = self.release.vault.immutables_of(code) else {
            return vec!["an immutable of its code has two values".to_owned()];
        };
        let wanted = [
            ("its rules", self.at.rules),
            ("its token", self.policy.configuration.token),
            ("itself", self.at.vault),
        ];
        let missing = wanted
            .into_iter()
            .filter(|(_, address)| !values.contains(&address.into_word()));
        missing
            .map(|(what, address)| format!("no immutable of its code is {what}, {address}"))
            .collect()
    }

    /// The rules that the vault created for itself are the release's.
    async fn check_rules(&self, chain: Chain<'_>) -> Result<(), DeployError> {
        let address = self.at.rules;
        let found = keccak256(chain.code(address).await?);
        let expected = self.release.rules.masked_hash();
        if found != expected {
            return Err(DeployError::CodeDiffers {
                what: "rules of the vault",
                address,
                found,
                expected,
            });
        }
        Ok(())
    }

    /// Every field of the configuration as the vault answers it now.
    async fn check_fields(&self, chain: Chain<'_>) -> Result<Vec<String>, DeployError> {
        let c = &self.policy.configuration;
        let mut fields = Fields {
            chain,
            vault: self.at.vault,
            wrong: Vec::new(),
        };
        fields.same("token", &Vault::tokenCall {}, c.token).await?;
        fields
            .same("unit", &Vault::unitCall {}, U256::from(c.unit))
            .await?;
        fields
            .same(
                "hard ceiling",
                &Vault::hardCeilingCall {},
                U256::from(c.hardCeiling),
            )
            .await?;
        let floor = U256::from(c.policyDelayFloor);
        fields
            .same(
                "floor of the policy delay",
                &Vault::policyDelayFloorCall {},
                floor,
            )
            .await?;
        fields
            .same("policy delay", &Vault::policyDelayCall {}, c.policyDelay)
            .await?;
        fields
            .same("threshold", &Vault::thresholdCall {}, c.threshold)
            .await?;
        fields
            .same("signers", &Vault::signersCall {}, c.signers.clone())
            .await?;
        fields
            .same("guardians", &Vault::guardiansCall {}, c.guardians.clone())
            .await?;
        fields
            .same("successor", &Vault::successorCall {}, c.successor)
            .await?;
        self.check_rows(&mut fields).await?;
        Ok(fields.wrong)
    }

    /// The same of tiers, recipients and roles.
    async fn check_rows(&self, fields: &mut Fields<'_>) -> Result<(), DeployError> {
        let c = &self.policy.configuration;
        let count = u8::try_from(c.tiers.len()).unwrap_or(u8::MAX);
        fields
            .same("number of tiers", &Vault::tierCountCall {}, count)
            .await?;
        for (k, tier) in c.tiers.iter().enumerate() {
            let index = U256::from(k);
            fields
                .same(
                    &format!("tier {k}"),
                    &Vault::tierCall { index },
                    tier.clone(),
                )
                .await?;
        }
        for recipient in &c.known {
            let call = Vault::standingOfCall {
                recipient: *recipient,
            };
            fields
                .same(&format!("standing of {recipient}"), &call, 1)
                .await?;
        }
        for account in &c.guardians {
            fields.until(*account, 2, c.guardiansUntil.to()).await?;
        }
        for grant in &c.grants {
            fields
                .until(grant.account, grant.role, grant.until.to())
                .await?;
        }
        Ok(())
    }
}

struct Fields<'a> {
    chain: Chain<'a>,
    vault: Address,
    wrong: Vec<String>,
}

impl Fields<'_> {
    async fn same<C>(
        &mut self,
        name: &str,
        call: &C,
        expected: C::Return,
    ) -> Result<(), DeployError>
    where
        C: SolCall,
        C::Return: PartialEq + std::fmt::Debug,
    {
        let found = self.chain.read(self.vault, call).await?;
        if found != expected {
            self.wrong.push(format!(
                "{name}: is {found:?} now, and was to be {expected:?}"
            ));
        }
        Ok(())
    }

    /// The end of a role: 40 bits for each in the party's word.
    async fn until(
        &mut self,
        account: Address,
        role: u8,
        expected: u64,
    ) -> Result<(), DeployError> {
        let member = self
            .chain
            .read(self.vault, &Vault::memberCall { account })
            .await?;
        let shift = 40_usize.saturating_mul(role.into());
        let [lowest, ..] = *U256::from(member).wrapping_shr(shift).as_limbs();
        let found = lowest & ((1 << 40) - 1);
        if found != expected {
            let role = ["keeper", "proposer", "guardian"]
                .get(usize::from(role))
                .copied();
            self.wrong.push(format!(
                "role of {account} as {}: lasts until {} now, and was to last until {}",
                role.unwrap_or("?"),
                time_shown(found),
                time_shown(expected)
            ));
        }
        Ok(())
    }
}

/// What was verified, in words.
pub fn verified_words(record: &Record) -> Vec<String> {
    let finality = if record.is_final {
        "final"
    } else {
        "not final yet: verify again once it is"
    };
    vec![
        format!(
            "vault {} on chain {}, for the token {}",
            record.vault, record.chain_id, record.token
        ),
        format!(
            "created by transaction {} in block {}, {finality}",
            record.transaction, record.block
        ),
        "code of factory, lens, vault and its rules is the release's".to_owned(),
        "the factory has the policy's configuration hash for it".to_owned(),
        "the events of its creation say the policy".to_owned(),
        "every field that it answers is the policy's".to_owned(),
    ]
}
