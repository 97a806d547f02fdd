//! docs/chains.md, made from the profiles.

use std::fmt::Write as _;

use tidelock_core::domain::ChainId;

use super::{Market, Profile, ProfileError};

const HEAD: &str = "\
# Chains

<!-- Made from keeper/profiles by `UPDATE_FIXTURES=1 cargo test -p tidelock-keeper --lib profile`. Do not edit. -->

What the keeper knows of a chain beyond what its nodes tell. The data is in [keeper/profiles](../keeper/profiles), one file for each chain;
no other part of the keeper knows one chain from another. What is not set in `keeper.toml` is taken from here. `keeper check` shows
a profile beside what the node says.

None of this has been tried on the public chains themselves: it is read from what the sources say, and from what was [tried](#what-was-tried)
here. The fee bounds are our choice, within what the sources say nodes take.
";

/// The document.
pub fn document() -> Result<String, ProfileError> {
    let profiles = Profile::all()?;
    let mut text = HEAD.to_owned();
    overview(&mut text, &profiles);
    gas(&mut text, &profiles);
    tried(&mut text, &profiles);
    unknown(&mut text)?;
    refused(&mut text)?;
    sources(&mut text, &profiles);
    Ok(text)
}

/// Writing to a string cannot fail.
fn line(text: &mut String, line: impl std::fmt::Display) {
    let _ = writeln!(text, "{line}");
}

fn overview(text: &mut String, profiles: &[Profile]) {
    line(
        text,
        "\n## Blocks and tokens\n\nA block is final when the node's `finalized` names it or one after it.\n\n\
         | chain | id | blocks every | final after about | `chain.block_checks` | state proofs | nodes announce again | usual USDT | decimals |\n\
         |---|---|---|---|---|---|---|---|---|",
    );
    for profile in profiles {
        let (usdt, decimals) = match profile.usdt {
            Some(usdt) => (format!("`{}`", usdt.address), usdt.decimals.to_string()),
            None => (String::new(), String::new()),
        };
        line(
            text,
            format_args!(
                "| {} | {} | {} | {} | `{}` | {} | {} | {usdt} | {decimals} |",
                profile.name,
                profile.chain_id,
                profile.block_time(),
                profile.final_after(),
                profile.checks.blocks,
                yes(profile.checks.proofs),
                profile.nodes.rebroadcast.map_or("not known", yes),
            ),
        );
    }
    notes(text, profiles);
}

fn gas(text: &mut String, profiles: &[Profile]) {
    line(
        text,
        "\n## Gas\n\n\
         | chain | coin | price of gas | least tip, most tip, most in all [gwei] | for data | gas of a transaction, up to Osaka | from Amsterdam on | sent again after, replaced after [blocks] |\n\
         |---|---|---|---|---|---|---|---|",
    );
    for profile in profiles {
        let most = profile.transaction_gas();
        let fees = &profile.fees;
        line(
            text,
            format_args!(
                "| {} | {} | {} | {}, {}, {} | {} | {} | {} | {}, {} |",
                profile.name,
                profile.coin,
                fees.market,
                fees.min_tip_gwei,
                fees.max_tip_gwei,
                fees.max_fee_gwei,
                fees.data,
                most.osaka,
                most.amsterdam,
                profile.rebroadcast_blocks(),
                profile.replace_blocks(),
            ),
        );
    }
    line(
        text,
        "\nWhether a block follows Amsterdam's rules is read off its header, which names an access list from then on (EIP-7928). From then on \
         the bound of EIP-7825 is on execution alone, and a transaction may ask for more for new state (EIP-8037): for as much as nodes \
         run a call with, and no more than a block holds. Where it is not known that a chain takes over Amsterdam's rules, the bound stays.",
    );
}

fn notes(text: &mut String, profiles: &[Profile]) {
    line(text, "");
    for profile in profiles {
        for (section, note) in profile.notes() {
            line(text, format_args!("- {}, {section}: {note}.", profile.name));
        }
    }
}

fn tried(text: &mut String, profiles: &[Profile]) {
    line(
        text,
        "\n## What was tried\n\nNodes of the chains' own software, run here as networks of their own, and answers of real nodes that are recorded.\n",
    );
    for profile in profiles {
        if let Some(tried) = &profile.tried {
            line(text, format_args!("- {}: {tried}.", profile.name));
        }
    }
}

fn unknown(text: &mut String) -> Result<(), ProfileError> {
    let unknown = Profile::of_unknown(ChainId(0))?;
    let most = unknown.transaction_gas();
    line(
        text,
        format_args!(
            "\n## A chain without a profile\n\nIt gets `{}`, at most {} gas for a transaction under any rules, tips of {} to {} gwei and no \
             more than {} gwei in all, and a warning by `keeper check`. Nothing is assumed of its block time, its data fee or its token.",
            unknown.checks.blocks,
            most.osaka,
            unknown.fees.min_tip_gwei,
            unknown.fees.max_tip_gwei,
            unknown.fees.max_fee_gwei,
        ),
    );
    Ok(())
}

fn refused(text: &mut String) -> Result<(), ProfileError> {
    line(
        text,
        "\n## Chains that are refused\n\nEvery command that reads `keeper.toml` refuses them, and so do `keeper init` and, but for `example`, each part of `keeper deploy`.\n",
    );
    for chain in Profile::refused()? {
        line(
            text,
            format_args!(
                "- {} ({}): {}. Sources: {}.",
                chain.name,
                chain.chain_id,
                chain.reason,
                chain.sources.join(", ")
            ),
        );
    }
    Ok(())
}

fn sources(text: &mut String, profiles: &[Profile]) {
    line(text, "\n## Sources");
    for profile in profiles {
        line(text, format_args!("\n{}:\n", profile.name));
        for (section, sources) in &profile.sources {
            line(
                text,
                format_args!("- {}: {}", section.replace('_', " "), sources.join(", ")),
            );
        }
    }
}

fn yes(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

impl std::fmt::Display for Market {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::BaseFee => "base fee and tip",
            Self::BaseFeeZero => "tip, base fee 0",
            Self::Fixed => "the chain sets it",
        })
    }
}

impl Profile {
    /// As people read it.
    pub fn block_time(&self) -> String {
        self.block_time_ms
            .map_or_else(|| "as started".to_owned(), |time| format!("{time} ms"))
    }

    /// As people read it.
    pub fn final_after(&self) -> String {
        self.finality
            .final_after_s
            .map_or_else(|| "as started".to_owned(), |seconds| format!("{seconds} s"))
    }

    /// What people should know, by section.
    fn notes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("finality", &self.finality.note),
            ("checks", &self.checks.note),
            ("gas of a transaction", &self.transaction_gas.note),
            ("fees", &self.fees.note),
            ("nodes", &self.nodes.note),
        ];
        all.into_iter()
            .filter_map(|(section, note)| Some((section, note.as_deref()?)))
    }
}
