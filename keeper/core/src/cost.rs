//! What transactions cost their sender: gas, and on some chains their bytes beside it. Whole numbers, and no step rounds down.

use alloy_primitives::U256;

/// Full-sized transactions at the fee cap that a key should be able to pay.
pub const RESERVE: u64 = 5;
/// How much dearer data may get until a transaction is in a block, in what is quoted at most. Our choice: it follows the fees of another
/// chain, and nothing caps it. [times]
const DEARER: u128 = 2;

/// What one transaction pays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// Gas.
    pub gas: u64,
    /// What a unit of it costs now. [wei]
    pub price: u128,
    /// The most that it may cost, by the operator's cap. [wei]
    pub cap: u128,
    /// What is taken now beside gas, for its bytes. [wei]
    pub data: u128,
}

impl Charge {
    /// As things are now. [wei]
    pub fn expected(&self) -> u128 {
        self.of_gas(self.price).saturating_add(self.data)
    }

    /// With gas at its cap, and data twice as dear as now. [wei]
    pub fn most(&self) -> u128 {
        let data = self.data.saturating_mul(DEARER);
        self.of_gas(self.cap).saturating_add(data)
    }

    /// With gas at its cap, and data as it is now. [wei]
    pub fn at_cap(&self) -> u128 {
        self.of_gas(self.cap).saturating_add(self.data)
    }

    fn of_gas(&self, price: u128) -> u128 {
        price.saturating_mul(u128::from(self.gas))
    }

    /// What a key should hold, if this is a full-sized transaction. [wei]
    pub fn reserve(&self) -> U256 {
        U256::from(self.at_cap()).saturating_mul(U256::from(RESERVE))
    }

    /// How many such transactions a balance pays for, all at the cap. [wei]
    pub fn affordable(&self, balance: U256) -> u64 {
        let each = U256::from(self.at_cap());
        let count = balance.checked_div(each);
        count.map_or(u64::MAX, |count| count.saturating_to())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHARGE: Charge = Charge {
        gas: 50_000,
        price: 3,
        cap: 10,
        data: 7_000,
    };

    #[test]
    fn data_is_paid_beside_gas() {
        assert_eq!(CHARGE.expected(), 157_000);
        assert_eq!(CHARGE.at_cap(), 507_000);
        assert_eq!(CHARGE.most(), 514_000);
        assert_eq!(CHARGE.reserve(), U256::from(5 * 507_000));
        let without = Charge { data: 0, ..CHARGE };
        assert_eq!((without.expected(), without.most()), (150_000, 500_000));
    }

    #[test]
    fn what_a_balance_pays_for_is_rounded_down() {
        for (balance, count) in [(0, 0), (506_999, 0), (507_000, 1), (1_013_999, 1)] {
            assert_eq!(CHARGE.affordable(U256::from(balance)), count, "{balance}");
        }
        let free = Charge {
            gas: 0,
            data: 0,
            ..CHARGE
        };
        assert_eq!(free.affordable(U256::ZERO), u64::MAX);
        let endless = Charge {
            cap: u128::MAX,
            data: u128::MAX,
            ..CHARGE
        };
        assert_eq!(endless.most(), u128::MAX);
        assert_eq!(endless.affordable(U256::MAX), u64::MAX);
    }
}
