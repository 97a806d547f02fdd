//! `/v1/withdrawals/export`: withdrawals as a table for a spreadsheet. Nothing in it is computed by whoever opens it.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    http::{
        HeaderValue,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tidelock_store::Page;
use utoipa::IntoParams;

use crate::{
    App,
    access::MayRead,
    problem::Problem,
    shown::{Withdrawal, word},
    withdrawals::{Asked, items},
    xlsx,
};

/// Rows of one file: all of them are in memory at once.
const MOST: usize = 20_000;
/// The first three are those that a list is filed by.
const COLUMNS: [&str; 13] = [
    "ref",
    "recipient",
    "amount",
    "status",
    "hold",
    "hold_detail",
    "number",
    "batch",
    "tier",
    "route",
    "returns",
    "arrival",
    "metadata",
];

/// What is exported, and as what.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "read by name, so that each bad one is told")]
pub struct ExportParameters {
    /// csv, or nothing, or xlsx
    #[param(pattern = "^(csv|xlsx)$")]
    format: Option<String>,
    /// Standing so: waiting, requested, held, open, sealed, paid, rejected, cancelled or displaced
    status: Option<String>,
    /// To this address
    to: Option<String>,
    /// Taken in after this time, in seconds since 1970 of the chain's clock
    since: Option<u64>,
    /// Taken in up to this time
    until: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Csv,
    Xlsx,
}

/// Exports withdrawals for a spreadsheet, the newest first
///
/// As CSV or XLSX, at most 20,000; more are refused, and can be told in parts by `since` and `until`. Every cell of a XLSX is text. In a CSV a text that a
/// spreadsheet might compute (it begins with `=`, `+`, `-` or `@`) has a `'` before it.
#[utoipa::path(get, path = "/v1/withdrawals/export", operation_id = "exportWithdrawals", tag = "withdrawals",
    params(ExportParameters),
    responses(
        (status = 200, description = "The table", content((String = "text/csv"), (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
        (status = 409, description = "They are too many for one table", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A parameter breaks a rule", body = Problem, content_type = "application/problem+json"),
        (status = "default", description = "Any other refusal", body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = ["read"])))]
pub(crate) async fn export(
    _: MayRead,
    State(app): State<App>,
    Query(given): Query<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let (form, asked) = read(&given)?;
    let turn = Arc::clone(&app.sheets).acquire_owned().await;
    let turn = turn.map_err(|_| Problem::internal())?;
    let rows = collect(&app, asked).await?;
    let made = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        match form {
            Form::Csv => csv_of(&rows),
            Form::Xlsx => xlsx::write(&COLUMNS, &rows),
        }
    });
    let made = made.await.map_err(|_| Problem::internal())?;
    let bytes = made.map_err(|rule| Problem::broken("format", "", rule))?;
    let (kind, name) = match form {
        Form::Csv => (
            "text/csv; charset=utf-8",
            "attachment; filename=\"withdrawals.csv\"",
        ),
        Form::Xlsx => (
            xlsx::MEDIA_TYPE,
            "attachment; filename=\"withdrawals.xlsx\"",
        ),
    };
    let headers = [(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, name)];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    Ok((headers, bytes).into_response())
}

const KNOWN: &str = "format, status, to, since, until";

fn read(given: &[(String, String)]) -> Result<(Form, Asked), Problem> {
    let mut form = Form::Csv;
    let asked = Asked::read_with(given, KNOWN, |asked, name, text| match name {
        "format" => Some(match text {
            "csv" => Ok(()),
            "xlsx" => {
                form = Form::Xlsx;
                Ok(())
            }
            _ => Err("must be csv or xlsx"),
        }),
        "batch" | "limit" | "cursor" => None,
        _ => asked.take(name, text),
    })?;
    Ok((form, asked))
}

async fn collect(app: &App, mut asked: Asked) -> Result<Vec<Vec<String>>, Problem> {
    let decimals = app.rules.decimals;
    let mut rows = Vec::new();
    loop {
        let question = asked.clone();
        let (page, next) = app
            .readers
            .ask(move |reader| {
                let page: Page = question.page(reader)?;
                Ok((items(reader, &page, decimals)?, page.next))
            })
            .await?;
        rows.extend(page.iter().map(row));
        if rows.len() > MOST {
            let words = format!("more than {MOST} withdrawals: narrow them by since and until");
            return Err(Problem::conflict("too-many", words));
        }
        match next {
            None => return Ok(rows),
            next => asked.before = next,
        }
    }
}

fn row(shown: &Withdrawal) -> Vec<String> {
    let or_nothing = |text: &Option<String>| text.clone().unwrap_or_default();
    let hold = shown.hold.as_ref();
    let metadata = shown.metadata.as_ref().map(serde_json::to_string);
    vec![
        shown.reference.clone(),
        shown.to.clone(),
        shown.amount.clone(),
        word(shown.status),
        hold.map(|hold| word(hold.reason)).unwrap_or_default(),
        hold.and_then(|hold| hold.detail.clone())
            .unwrap_or_default(),
        or_nothing(&shown.number),
        or_nothing(&shown.batch),
        shown.tier.map(|tier| tier.to_string()).unwrap_or_default(),
        shown.route.map(word).unwrap_or_default(),
        shown.returns.to_string(),
        shown.arrival.to_string(),
        metadata.transpose().ok().flatten().unwrap_or_default(),
    ]
}

fn csv_of(rows: &[Vec<String>]) -> Result<Vec<u8>, String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let write = |writer: &mut csv::Writer<Vec<u8>>| {
        writer.write_record(COLUMNS)?;
        for row in rows {
            writer.write_record(row.iter().map(|cell| harmless(cell)))?;
        }
        Ok::<_, csv::Error>(())
    };
    write(&mut writer).map_err(|error| error.to_string())?;
    writer.into_inner().map_err(|error| error.to_string())
}

/// A text that no spreadsheet computes (OWASP, CSV Injection): what might be a formula begins with a quote instead.
fn harmless(text: &str) -> String {
    const BEGINS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let first = text.trim_start().chars().next();
    let is_harmful =
        first.is_some_and(|first| BEGINS.contains(&first)) || text.starts_with(['\t', '\r', '\n']);
    if is_harmful {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_might_be_a_formula_is_text() {
        for harmful in [
            "=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r", "＝1", "\n=1",
        ] {
            assert!(harmless(harmful).starts_with('\''), "{harmful:?}");
        }
        for good in ["", "0x12", "12.5", "{\"a\":\"=1\"}", "a=1"] {
            assert_eq!(harmless(good), good);
        }
    }
}
