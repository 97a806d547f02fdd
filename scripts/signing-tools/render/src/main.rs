//! Shows EIP-712 documents and calls as a wallet with an ERC-7730 descriptor would: reads `{descriptor, token, documents}`, writes
//! for each document its intent and the lines of the screen, or why it cannot be shown. A call is `{to, data}`.

use clear_signing::eip712::TypedData;
use clear_signing::token::{StaticTokenSource, TokenMeta};
use clear_signing::{
    Descriptor, DisplayEntry, DisplayItem, FormatOutcome, ResolvedDescriptor, TransactionContext,
    format_calldata, format_typed_data,
};
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error>;

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, Failure> {
    value[name]
        .as_str()
        .ok_or_else(|| format!("{name} is missing").into())
}

fn line(item: &DisplayItem) -> Value {
    json!([item.label, item.value])
}

fn lines(entry: &DisplayEntry) -> Vec<Value> {
    match entry {
        DisplayEntry::Item(item) => vec![line(item)],
        DisplayEntry::Group { items, .. } => items.iter().map(line).collect(),
        DisplayEntry::Nested { entries, .. } => entries.iter().flat_map(lines).collect(),
    }
}

fn screen(outcome: &FormatOutcome) -> Value {
    let shown: Vec<Value> = outcome.model().entries.iter().flat_map(lines).collect();
    let clear = matches!(outcome, FormatOutcome::ClearSigned { .. });
    let remarks: Vec<String> = outcome
        .diagnostics()
        .iter()
        .map(|d| format!("{d:?}"))
        .collect();
    json!({ "clear": clear, "intent": outcome.model().intent, "lines": shown, "remarks": remarks })
}

async fn show(
    resolved: &ResolvedDescriptor,
    tokens: &StaticTokenSource,
    document: &Value,
) -> Result<Value, Failure> {
    let descriptors = std::slice::from_ref(resolved);
    let outcome = if document["data"].is_string() {
        let calldata = hex::decode(text(document, "data")?.trim_start_matches("0x"))?;
        let call = TransactionContext {
            chain_id: resolved.chain_id,
            to: text(document, "to")?,
            calldata: &calldata,
            value: None,
            from: None,
            implementation_address: None,
        };
        format_calldata(descriptors, &call, tokens).await
    } else {
        let data: TypedData = serde_json::from_value(document.clone())?;
        format_typed_data(descriptors, &data, tokens).await
    };
    Ok(outcome.map_or_else(
        |failure| json!({ "error": format!("{failure:?}") }),
        |shown| screen(&shown),
    ))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let given: Value = serde_json::from_reader(std::io::stdin())?;
    let descriptor = Descriptor::from_json(&given["descriptor"].to_string())?;
    let deployment = descriptor
        .context
        .deployments()
        .first()
        .ok_or("the descriptor names no deployment")?
        .clone();
    let resolved = ResolvedDescriptor {
        descriptor,
        chain_id: deployment.chain_id,
        address: deployment.address,
    };
    let token = &given["token"];
    let decimals = u8::try_from(token["decimals"].as_u64().ok_or("decimals are missing")?)?;
    let symbol = text(token, "symbol")?.to_owned();
    let mut tokens = StaticTokenSource::new();
    tokens.insert(
        deployment.chain_id,
        text(token, "address")?,
        TokenMeta {
            name: symbol.clone(),
            symbol,
            decimals,
        },
    );
    let mut screens = Vec::new();
    for document in given["documents"]
        .as_array()
        .ok_or("documents are missing")?
    {
        screens.push(show(&resolved, &tokens, document).await?);
    }
    serde_json::to_writer(std::io::stdout(), &screens)?;
    Ok(())
}
