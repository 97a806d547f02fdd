//! What a vault on a chain answers without changing anything, as contracts/src/interfaces/IVault.sol has it.

use alloc::string::String;

use crate::{
    Revert, Vault,
    abi::{self, Content, VaultCalls as Call},
    changes::read_change,
    memory::Memory,
    packed::{Packed, store::Store},
};
use alloy_primitives::{Bytes, FixedBytes, U256, fixed_bytes};
use alloy_sol_types::{SolError, SolValue};

/// ERC-165's id of itself and of `IVault`, by which the Solidity vault is known.
const INTERFACES: [FixedBytes<4>; 2] = [fixed_bytes!("01ffc9a7"), fixed_bytes!("f7cef45b")];

/// The answer to a view at a time; nothing if the call is none. [seconds]
pub fn answer<S: Store>(
    vault: &Vault<Packed<S>>,
    chain_id: u64,
    time: u64,
    call: &Call,
) -> Option<Result<Bytes, Revert>> {
    let (memory, fixed) = (vault.memory(), vault.fixed());
    let settings = || memory.settings();
    Some(Ok(match call {
        Call::VERSION(_) => encoded(String::from("1")),
        Call::token(_) => encoded(fixed.token),
        Call::unit(_) => encoded(U256::from(fixed.unit)),
        Call::hardCeiling(_) => encoded(U256::from(fixed.hard_ceiling)),
        Call::policyDelayFloor(_) => encoded(U256::from(fixed.policy_delay_floor)),
        Call::hot(_) => encoded(memory.hot()),
        Call::member(c) => encoded(memory.member(c.account)),
        Call::proposal(c) => encoded(memory.proposal_word(c.id)),
        Call::packedTier(c) => {
            encoded(small(c.index).map_or(U256::ZERO, |k| memory.packed_tier(k)))
        }
        Call::window(c) => encoded(small(c.index).map_or(U256::ZERO, |k| memory.window(k))),
        Call::signers(_) => encoded(memory.signers()),
        Call::guardians(_) => encoded(memory.guardians()),
        Call::successor(_) => encoded(settings().successor),
        Call::threshold(_) => encoded(U256::from(settings().threshold)),
        Call::policyDelay(_) => encoded(U256::from(settings().policy_delay)),
        Call::termsChangedAt(_) => encoded(U256::from(settings().terms_changed_at)),
        Call::tierCount(_) => encoded(U256::from(memory.tier_count())),
        Call::tier(c) => return Some(tier(memory, c.index)),
        Call::headroom(c) => encoded(U256::from(
            small(c.index).map_or(0, |k| vault.headroom(k, time)),
        )),
        Call::standingOf(c) => encoded(U256::from(vault.standing(c.recipient).number())),
        Call::isPaid(c) => encoded(!memory.paid_mask(c.number, 1).is_zero()),
        Call::paidMask(c) => return Some(paid_mask(memory, c.firstNumber, c.count)),
        Call::stateOf(c) => encoded(U256::from(vault.state(c.id, time).number())),
        Call::hashBatch(c) => encoded(Content::of_batch(&c.batch).id(vault.domain())),
        Call::hashChange(c) => match read_change(c.kind, &c.change) {
            Ok(content) => encoded(content.id(vault.domain())),
            Err(revert) => return Some(Err(revert)),
        },
        Call::supportsInterface(c) => encoded(INTERFACES.contains(&c.interfaceId)),
        Call::eip712Domain(_) => domain(chain_id, fixed.address),
        _ => return None,
    }))
}

fn encoded<V: SolValue>(value: V) -> Bytes {
    value.abi_encode().into()
}

fn small(index: U256) -> Option<u8> {
    u8::try_from(index).ok()
}

fn tier<S: Store>(memory: &Packed<S>, index: U256) -> Result<Bytes, Revert> {
    match small(index).and_then(|k| memory.tier(k)) {
        Some(limits) => Ok(encoded(limits.row())),
        None => refused(abi::VaultTierUnknown {
            tier: index,
            tiers: U256::from(memory.tier_count()),
        }),
    }
}

fn paid_mask<S: Store>(memory: &Packed<S>, first: u64, count: u16) -> Result<Bytes, Revert> {
    if (1..=256).contains(&count) {
        return Ok(encoded(memory.paid_mask(first, count.into())));
    }
    refused(abi::VaultCountInvalid {
        count: U256::from(count),
        paymentsBytes: U256::ZERO,
    })
}

fn refused<E: SolError>(error: E) -> Result<Bytes, Revert> {
    Err(error.abi_encode().into())
}

/// ERC-5267: name, version, chain id and contract are what the domain has.
fn domain(chain_id: u64, vault: alloy_primitives::Address) -> Bytes {
    let fields: FixedBytes<1> = fixed_bytes!("0f");
    let (name, version) = (String::from("Tidelock Vault"), String::from("1"));
    let no_extensions: alloc::vec::Vec<U256> = alloc::vec::Vec::new();
    (
        fields,
        name,
        version,
        U256::from(chain_id),
        vault,
        FixedBytes::<32>::ZERO,
        no_extensions,
    )
        .abi_encode_params()
        .into()
}
