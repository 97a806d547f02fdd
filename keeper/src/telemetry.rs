//! What the keeper says about itself while it works: to standard error, so that standard output holds answers only.

use std::io;

use tracing_subscriber::{
    Layer as _, Registry,
    filter::{LevelFilter, Targets},
    fmt::time::SystemTime,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

/// Names what is logged, in the manner of `RUST_LOG`, for example `info,tidelock_keeper=debug`.
pub const FILTER_VARIABLE: &str = "KEEPER_LOG";

/// What is logged unless that variable says otherwise.
const DEFAULT_FILTER: &str = "info,sqlx=warn";

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error(
        "{FILTER_VARIABLE} {text:?}: must be a list of levels and targets, such as info,tidelock_keeper=debug"
    )]
    Filter {
        /// What it says.
        text: String,
    },
    /// Something else logs in this process already.
    #[error("logging was started twice in one process")]
    Twice,
}

/// Reads a filter. The library takes any word for a target of which everything is logged; here a level must be named.
fn filter(text: String) -> Result<Targets, TelemetryError> {
    let is_level = |word: &str| {
        let word = word.trim();
        !word.is_empty() && word.parse::<LevelFilter>().is_ok()
    };
    let is_directive = |part: &str| {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level);
        is_level(level)
    };
    match text.parse::<Targets>() {
        Ok(filter) if text.split(',').all(is_directive) => Ok(filter),
        _ => Err(TelemetryError::Filter { text }),
    }
}

/// Starts logging for this process.
pub fn start(format: LogFormat) -> Result<(), TelemetryError> {
    let text = std::env::var(FILTER_VARIABLE).ok();
    let text = text.filter(|text| !text.is_empty());
    let text = text.unwrap_or_else(|| DEFAULT_FILTER.to_owned());
    // The client of RabbitMQ tells all that is in a message that comes back: refs, recipients and metadata, which are in no log.
    let filter = filter(text)?.with_target("lapin::returned_messages", LevelFilter::OFF);
    let lines = tracing_subscriber::fmt::layer()
        .with_timer(SystemTime)
        // A line that cannot be written is lost. Saying so on the same standard error would end the process.
        .log_internal_errors(false)
        .with_writer(io::stderr);
    let lines = match format {
        LogFormat::Text => lines
            .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
            .boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let started = Registry::default()
        .with(lines.with_filter(filter))
        .try_init();
    started.map_err(|_| TelemetryError::Twice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_names_levels() {
        for good in [
            "info",
            "INFO",
            "off",
            "warn,tidelock_keeper=debug",
            DEFAULT_FILTER,
        ] {
            assert!(filter(good.to_owned()).is_ok(), "{good}");
        }
        for bad in [
            "",
            "nonsense",
            "info,nonsense",
            "tidelock_keeper=loud",
            "info;warn",
            "7",
        ] {
            let error = filter(bad.to_owned()).unwrap_err().to_string();
            assert!(error.contains(&format!("KEEPER_LOG {bad:?}")), "{error}");
        }
    }
}
