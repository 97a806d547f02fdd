//! Whom the token freezes. Many accounts are asked about in one call: a few bytes of code, run by the node and deployed
//! nowhere, ask the token about each. A node that runs none is asked about one account at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
};

use alloy::primitives::{Address, Bytes};
use alloy_sol_types::{SolCall, sol};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use tidelock_core::event::BlockRef;

use super::{ChainError, PARALLEL, RpcChain, RpcError, wire::by_hash};

sol! {
    /// Of USDT on Ethereum and Tron.
    function isBlackListed(address account) external view returns (bool);
    /// Of USDT on Polygon, Avalanche, Arbitrum and Optimism.
    function isBlocked(address account) external view returns (bool);
    /// Of tokens that can be paused.
    function paused() external view returns (bool);
}

/// Accounts in one call: code of at most 49,152 bytes (EIP-3860), of which each takes 20.
const ACCOUNTS: usize = 1_000;

/// How the token tells whom it freezes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blacklist {
    /// By `isBlackListed`.
    BlackListed,
    /// By `isBlocked`.
    Blocked,
    /// It does not, or has no such list.
    None,
}

/// Both there are.
const LISTS: [(Blacklist, [u8; 4]); 2] = [
    (Blacklist::BlackListed, isBlackListedCall::SELECTOR),
    (Blacklist::Blocked, isBlockedCall::SELECTOR),
];

impl RpcChain {
    /// Whether the token has each account on its list.
    pub(super) async fn blacklisted(
        &self,
        at: BlockRef,
        accounts: BTreeSet<Address>,
    ) -> Result<BTreeMap<Address, bool>, ChainError> {
        if accounts.is_empty() {
            return Ok(BTreeMap::new());
        }
        // The vault, of which every list must tell, is asked about first.
        let vault = self.parties.domain.vault;
        let asked: Vec<Address> = [vault].into_iter().chain(accounts.clone()).collect();
        for (list, selector) in LISTS {
            let Some(told) = self.ask_at_once(at, selector, &asked).await? else {
                return self.ask_singly(at, accounts).await;
            };
            if !matches!(told.first(), Some(Some(_))) {
                continue;
            }
            self.has_told_blacklist.store(true, Ordering::Relaxed);
            let mut listed = BTreeMap::new();
            for (account, told) in asked.into_iter().zip(told) {
                let told = match told {
                    Some(told) => told,
                    None => self.is_listed(list, at, account).await?,
                };
                listed.insert(account, told);
            }
            return Ok(listed);
        }
        self.has_none()?;
        Ok(BTreeMap::new())
    }

    async fn ask_singly(
        &self,
        at: BlockRef,
        accounts: BTreeSet<Address>,
    ) -> Result<BTreeMap<Address, bool>, ChainError> {
        let list = self.find_blacklist(at).await?;
        stream::iter(accounts)
            .map(|account| async move { Ok((account, self.is_listed(list, at, account).await?)) })
            .buffered(PARALLEL)
            .try_collect()
            .await
    }

    /// What the function says of each account; none of one for which it reverts or answers something else than a truth
    /// value. None at all if the node does not run the question.
    async fn ask_at_once(
        &self,
        at: BlockRef,
        selector: [u8; 4],
        accounts: &[Address],
    ) -> Result<Option<Vec<Option<bool>>>, ChainError> {
        let mut told = Vec::with_capacity(accounts.len());
        for accounts in accounts.chunks(ACCOUNTS) {
            let code = question(self.parties.token, selector, accounts);
            let params = json!([{ "data": code }, by_hash(at.hash)]);
            let answer = match self.rpc.request::<Bytes>("eth_call", params).await {
                Ok(answer) => answer,
                Err(RpcError::Refused { .. } | RpcError::Malformed { .. }) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            if answer.len() != accounts.len() {
                return Ok(None);
            }
            told.extend(answer.iter().map(|byte| match byte {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            }));
        }
        Ok(Some(told))
    }

    /// Asked anew each time: a token can be upgraded. One that reverts or answers something else than a truth value has no
    /// such function.
    pub(super) async fn find_blacklist(&self, at: BlockRef) -> Result<Blacklist, ChainError> {
        for (list, _) in LISTS {
            let vault = self.parties.domain.vault;
            match self.is_listed(list, at, vault).await {
                Ok(_) => {
                    self.has_told_blacklist.store(true, Ordering::Relaxed);
                    return Ok(list);
                }
                Err(ChainError::Reverted { .. } | ChainError::Undecodable { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        self.has_none()?;
        Ok(Blacklist::None)
    }

    /// Once the token has told, an answer that it has no list is a node's failure or something for a person to look at, and
    /// nothing is concluded from it.
    fn has_none(&self) -> Result<(), ChainError> {
        if self.has_told_blacklist.load(Ordering::Relaxed) {
            return Err(ChainError::Field {
                field: "blacklist of the token",
                value: "none".to_owned(),
                rule: "it told whom it freezes before; if it really does not any more, start the keeper again",
            });
        }
        Ok(())
    }

    /// Whether the token is paused; none if it does not tell.
    pub async fn is_token_paused(&self, at: BlockRef) -> Result<Option<bool>, ChainError> {
        match self.call(at.hash, self.parties.token, pausedCall {}).await {
            Ok(is_paused) => Ok(Some(is_paused)),
            Err(ChainError::Reverted { .. } | ChainError::Undecodable { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn is_listed(
        &self,
        list: Blacklist,
        at: BlockRef,
        account: Address,
    ) -> Result<bool, ChainError> {
        let token = self.parties.token;
        match list {
            Blacklist::BlackListed => {
                let call = isBlackListedCall { account };
                self.call(at.hash, token, call).await
            }
            Blacklist::Blocked => {
                let call = isBlockedCall { account };
                self.call(at.hash, token, call).await
            }
            Blacklist::None => Ok(false),
        }
    }
}

/// Length of the code before the accounts.
const LENGTH: u8 = 108;

/// From the loop's start on. It asks the token about each account that follows the code, and returns a byte for each: what it
/// was told, or 2.
///
/// Memory: the call in 28 to 63, its answer in 64 to 95, the bytes from 128 on. Beside each line the stack after it, its top
/// on the right: the token, and where in the code the next account is.
const LOOP: [&[u8]; 17] = [
    &[0x5b],                                     // JUMPDEST 31                 | t i
    &[0x38, 0x81, 0x10, 0x15],                   // CODESIZE DUP2 LT ISZERO     | t i done
    &[0x60, 97, 0x57],                           // 97 JUMPI                    | t i
    &[0x60, 20, 0x81, 0x60, 44, 0x39],           // 20 DUP2 44 CODECOPY         | t i
    &[0x60, 32, 0x60, 64, 0x60, 36, 0x60, 28],   // 32 64 36 28                 | t i 32 64 36 28
    &[0x85, 0x5a, 0xfa],                         // DUP6 GAS STATICCALL         | t i ok
    &[0x3d, 0x60, 31, 0x10, 0x16],               // RETURNDATASIZE 31 LT AND    | t i ok
    &[0x60, 64, 0x51],                           // 64 MLOAD                    | t i ok v
    &[0x80, 0x60, 2, 0x11, 0x82, 0x16],          // DUP1 2 GT DUP3 AND          | t i ok v good
    &[0x90, 0x81, 0x02],                         // SWAP1 DUP2 MUL              | t i ok good v·good
    &[0x90, 0x15, 0x60, 1, 0x1b, 0x01],          // SWAP1 ISZERO 1 SHL ADD      | t i ok byte
    &[0x60, 20, 0x60, LENGTH, 0x84, 0x03, 0x04], // 20 LENGTH DUP5 SUB DIV      | t i ok byte n
    &[0x60, 128, 0x01, 0x53, 0x50],              // 128 ADD MSTORE8 POP         | t i
    &[0x60, 20, 0x01, 0x60, 31, 0x56],           // 20 ADD 31 JUMP              | t i
    &[0x5b],                                     // JUMPDEST 97                 | t i
    &[0x60, 20, 0x60, LENGTH, 0x82, 0x03, 0x04], // 20 LENGTH DUP3 SUB DIV      | t i n
    &[0x60, 128, 0xf3],                          // 128 RETURN
];

/// Code that asks a token's function about accounts.
fn question(token: Address, selector: [u8; 4], accounts: &[Address]) -> Bytes {
    let mut code = vec![0x63]; // PUSH4 selector 0 MSTORE
    code.extend(selector);
    code.extend([0x60, 0, 0x52]);
    code.push(0x73); // PUSH20 token
    code.extend(token);
    code.extend([0x60, LENGTH]);
    code.extend(LOOP.concat());
    code.extend(accounts.iter().flat_map(|account| account.0.0));
    code.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_that_the_code_names_are_where_they_should_be() {
        let code = question(Address::ZERO, [1, 2, 3, 4], &[]);
        assert_eq!(code.len(), usize::from(LENGTH));
        for jump in [31, 97] {
            assert_eq!(code[jump], 0x5b);
        }
        let whole = question(Address::ZERO, [0; 4], &[Address::ZERO; ACCOUNTS]);
        assert!(whole.len() <= 49_152);
    }
}
