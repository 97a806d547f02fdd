//! The chain's runtime: accounts with balances, a clock, fees, and pallet-revive, which runs contracts. Amounts are planck, 10^10 to
//! a whole coin; Ethereum's wallets see 10^18 to a coin.
#![allow(missing_docs, reason = "named by the framework's traits and macros")]

use frame_support::{
    derive_impl, parameter_types,
    traits::{ConstBool, ConstU32, ConstU64, ConstU128, FindAuthor},
    weights::{FixedFee, Weight, constants::WEIGHT_REF_TIME_PER_SECOND},
};
use pallet_revive::evm::{
    fees::{BlockRatioFee, Info},
    runtime::{EthExtra, SetWeightLimit},
    tx_extension::SetOrigin,
};
use pallet_transaction_payment::{ChargeTransactionPayment, ConstFeeMultiplier, Multiplier};
use polkadot_sdk::*;
use sp_runtime::{
    AccountId32, MultiAddress, MultiSignature,
    generic::Header,
    traits::{AccountIdLookup, BlakeTwo256, InvalidVersion},
};

/// Id of the chain, as wallets know it: that of development chains in this repository.
pub const CHAIN_ID: u64 = 31_337;
/// Planck to a coin.
const COIN: u128 = 10_000_000_000;

pub type Balance = u128;
pub type Signature = MultiSignature;
pub type Address = MultiAddress<AccountId32, ()>;
pub type Block = sp_runtime::generic::Block<Header<u32, BlakeTwo256>, UncheckedExtrinsic>;
/// What checks a transaction before it runs, and charges for it.
pub type Extension = (
    frame_system::CheckNonce<Runtime>,
    ChargeTransactionPayment<Runtime>,
    SetOrigin<Runtime>,
);
pub type UncheckedExtrinsic =
    pallet_revive::evm::runtime::UncheckedExtrinsic<Address, Signature, Extra>;
pub type Executive = frame_executive::Executive<
    Runtime,
    Block,
    frame_system::ChainContext<Runtime>,
    Runtime,
    AllPalletsWithSystem,
>;

/// How an Ethereum transaction becomes one of the framework's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Extra;

impl EthExtra for Extra {
    type Config = Runtime;
    type ExtensionV0 = Extension;
    type ExtensionOtherVersions = InvalidVersion;

    fn get_eth_extension(nonce: u32, tip: Balance) -> Extension {
        (
            frame_system::CheckNonce::from(nonce),
            ChargeTransactionPayment::from(tip),
            SetOrigin::new_from_eth_transaction(),
        )
    }
}

frame_support::construct_runtime!(
    pub enum Runtime {
        System: frame_system,
        Timestamp: pallet_timestamp,
        Balances: pallet_balances,
        TransactionPayment: pallet_transaction_payment,
        Revive: pallet_revive,
    }
);

parameter_types! {
    /// Two seconds of computing and 10 MiB of proof, as parachains have.
    pub BlockWeights: frame_system::limits::BlockWeights = frame_system::limits::BlockWeights::simple_max(
        Weight::from_parts(2 * WEIGHT_REF_TIME_PER_SECOND, 10 * 1024 * 1024),
    );
    pub FeeMultiplier: Multiplier = Multiplier::from_u32(1);
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
    type Block = Block;
    type BlockWeights = BlockWeights;
    type BlockHashCount = ConstU32<4096>;
    type DbWeight = frame_support::weights::constants::RocksDbWeight;
    type AccountId = AccountId32;
    type Lookup = AccountIdLookup<AccountId32, ()>;
    type Nonce = u32;
    type AccountData = pallet_balances::AccountData<Balance>;
    type Version = Version;
}

parameter_types! {
    pub Version: sp_version::RuntimeVersion = sp_version::RuntimeVersion {
        spec_name: "tidelock-hub".into(),
        impl_name: "tidelock-hub".into(),
        spec_version: 1,
        ..Default::default()
    };
}

#[derive_impl(pallet_timestamp::config_preludes::TestDefaultConfig)]
impl pallet_timestamp::Config for Runtime {
    /// Blocks may share a second. [milliseconds]
    type MinimumPeriod = ConstU64<0>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Runtime {
    type Balance = Balance;
    type AccountStore = System;
    /// A hundredth of a coin.
    type ExistentialDeposit = ConstU128<{ COIN / 100 }>;
    type RuntimeHoldReason = RuntimeHoldReason;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type FreezeIdentifier = RuntimeFreezeReason;
    /// As many as there are reasons, or the pallet's own test of integrity fails.
    type MaxFreezes = frame_support::traits::VariantCountOf<RuntimeFreezeReason>;
}

#[derive_impl(pallet_transaction_payment::config_preludes::TestDefaultConfig)]
impl pallet_transaction_payment::Config for Runtime {
    type OnChargeTransaction = pallet_transaction_payment::FungibleAdapter<Balances, ()>;
    /// The one mapping of weight to fee that pallet-revive allows.
    type WeightToFee = BlockRatioFee<1, 1, Self, Balance>;
    type LengthToFee = FixedFee<100, Balance>;
    type FeeMultiplierUpdate = ConstFeeMultiplier<FeeMultiplier>;
}

/// Names the author of every block.
pub struct Author;

impl FindAuthor<AccountId32> for Author {
    fn find_author<'a, I>(_: I) -> Option<AccountId32>
    where
        I: 'a + IntoIterator<Item = (frame_support::ConsensusEngineId, &'a [u8])>,
    {
        Some(AccountId32::new([0xee; 32]))
    }
}

#[derive_impl(pallet_revive::config_preludes::TestDefaultConfig)]
impl pallet_revive::Config for Runtime {
    type Time = Timestamp;
    type Balance = Balance;
    type Currency = Balances;
    type AddressMapper = pallet_revive::AccountId32Mapper<Self>;
    type AllowEVMBytecode = ConstBool<true>;
    type ChainId = ConstU64<CHAIN_ID>;
    type NativeToEthRatio = ConstU32<100_000_000>;
    /// A thousandth of a coin for each item of storage, a hundred-thousandth for each byte.
    type DepositPerItem = ConstU128<{ COIN / 1_000 }>;
    type DepositPerChildTrieItem = ConstU128<{ COIN / 1_000 }>;
    type DepositPerByte = ConstU128<{ COIN / 100_000 }>;
    type FindAuthor = Author;
    type UploadOrigin = frame_system::EnsureSigned<AccountId32>;
    type InstantiateOrigin = frame_system::EnsureSigned<AccountId32>;
    type FeeInfo = Info<Address, Signature, Extra>;
    type WeightInfo = pallet_revive::weights::SubstrateWeight<Self>;
}

impl TryFrom<RuntimeCall> for pallet_revive::Call<Runtime> {
    type Error = ();

    fn try_from(call: RuntimeCall) -> Result<Self, ()> {
        match call {
            RuntimeCall::Revive(call) => Ok(call),
            _ => Err(()),
        }
    }
}

impl SetWeightLimit for RuntimeCall {
    fn set_weight_limit(&mut self, next: Weight) -> Weight {
        use pallet_revive::Call;
        match self {
            Self::Revive(
                Call::eth_call { weight_limit, .. }
                | Call::eth_instantiate_with_code { weight_limit, .. },
            ) => core::mem::replace(weight_limit, next),
            _ => Weight::zero(),
        }
    }
}
