//! What nodes mean by their errors. JSON-RPC leaves codes and words to each, so this is a table of what was seen: who says
//! it, how, and what it means. What a node says of a sent transaction is read by `tidelock_core::submit::classify`.

use super::RpcError;

/// What an error means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The node does not know the method, or does not offer it.
    NoMethod,
    /// The contract ended the call.
    Reverted,
    /// The call ran out of gas.
    OutOfGas,
    /// The node takes no block by its hash in questions about state (EIP-1898).
    NoBlockByHash,
    /// The node does not understand what it is asked with.
    BadParameters,
}

use Meaning::{BadParameters, NoBlockByHash, NoMethod, OutOfGas, Reverted};

/// One way of saying it: a code, words in lower case, or both.
struct Saying {
    /// Who was seen saying so.
    who: &'static str,
    code: Option<i64>,
    words: &'static str,
    means: Meaning,
}

const fn code(who: &'static str, code: i64, means: Meaning) -> Saying {
    Saying {
        who,
        code: Some(code),
        words: "",
        means,
    }
}

const fn words(who: &'static str, words: &'static str, means: Meaning) -> Saying {
    Saying {
        who,
        code: None,
        words,
        means,
    }
}

const SAYINGS: &[Saying] = &[
    code("JSON-RPC 2.0: geth, reth, erigon, anvil", -32601, NoMethod),
    code("EIP-1474: hardhat, several providers", -32004, NoMethod),
    code("besu, for a group that is switched off", -32604, NoMethod),
    words(
        "geth, under any code of a proxy",
        "does not exist/is not available",
        NoMethod,
    ),
    words("providers", "method not found", NoMethod),
    words("providers", "method not supported", NoMethod),
    words("providers", "unsupported method", NoMethod),
    code("geth, reth, erigon, anvil", 3, Reverted),
    code("nethermind, openethereum", -32015, Reverted),
    words("besu, hardhat, geth without data", "revert", Reverted),
    // Old contracts end a call by an invalid instruction, which geth gives no code of its own.
    words("geth", "invalid opcode", Reverted),
    words("geth, besu, nethermind", "out of gas", OutOfGas),
    words("reth, anvil", "outofgas", OutOfGas),
    // revm's name for a write with 2,300 gas or less left (EIP-2200).
    words("reth, anvil", "reentrancysentryoog", OutOfGas),
    words("geth", "gas required exceeds", OutOfGas),
    words("geth, reth", "intrinsic gas", OutOfGas),
    words("ganache", "as a json-rpc type", NoBlockByHash),
    code(
        "JSON-RPC 2.0: geth, anvil, pallet-revive-eth-rpc",
        -32602,
        BadParameters,
    ),
];

/// Whether the node's error means that.
pub(super) fn means(error: &RpcError, meaning: Meaning) -> bool {
    let RpcError::Refused { code, message, .. } = error else {
        return false;
    };
    let message = message.to_lowercase();
    SAYINGS
        .iter()
        .filter(|saying| saying.means == meaning)
        .any(|saying| {
            let is_said =
                saying.code.is_none_or(|said| said == *code) && message.contains(saying.words);
            if is_said {
                tracing::trace!(who = saying.who, ?meaning, "understood");
            }
            is_said
        })
}

/// None if the node does not know the method.
pub(super) fn known<T>(answer: Result<T, RpcError>) -> Result<Option<T>, RpcError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if means(&error, NoMethod) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: i64, message: &str) -> RpcError {
        RpcError::Refused {
            method: "eth_any",
            code,
            message: message.to_owned(),
            data: None,
        }
    }

    #[test]
    fn errors_mean_what_the_table_says() {
        for (error, meaning) in [
            (
                said(-32601, "the method eth_a does not exist/is not available"),
                NoMethod,
            ),
            (
                said(-32004, "Method eth_maxPriorityFeePerGas is not supported"),
                NoMethod,
            ),
            (said(-32604, "Method not enabled"), NoMethod),
            (said(-32000, "Unsupported method: eth_a"), NoMethod),
            (said(3, "anything"), Reverted),
            (said(-32000, "Execution Reverted"), Reverted),
            (said(-32003, "EVM error OutOfGas"), OutOfGas),
            (
                said(-32700, "Cannot wrap a \"object\" as a json-rpc type"),
                NoBlockByHash,
            ),
            (said(-32602, "Invalid params"), BadParameters),
        ] {
            for other in [NoMethod, Reverted, OutOfGas, NoBlockByHash, BadParameters] {
                assert_eq!(means(&error, other), other == meaning, "{error} {other:?}");
            }
        }
        let silent = RpcError::Timeout {
            method: "eth_any",
            timeout_ms: 1,
        };
        assert!(!means(&silent, NoMethod));
        assert!(matches!(known(Ok(5)), Ok(Some(5))));
        assert!(matches!(known::<u8>(Err(said(-32004, "no"))), Ok(None)));
        assert!(known::<u8>(Err(said(-32000, "header not found"))).is_err());
    }
}
