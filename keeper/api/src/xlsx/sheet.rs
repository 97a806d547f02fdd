//! The rows of the first sheet: a header that names ref, recipient and amount, then one payment a row.

use quick_xml::events::{BytesStart, Event};

use super::{
    Texts,
    package::{Refused, Workbook, attribute, each},
    shows::{Shown, exactly},
};
use crate::problem::Broken;

const COLUMNS: [&str; 3] = ["ref", "recipient", "amount"];
const AMOUNT: usize = 2;
/// Columns of a sheet, as spreadsheets have them.
const MOST_COLUMNS: u32 = 16_384;
/// What a column may be called to be looked at. [bytes]
const LONGEST_NAME: usize = 64;

/// A cell while it is read.
#[derive(Debug, Default)]
struct Cell {
    /// From 0.
    column: u32,
    kind: String,
    style: usize,
    is_formula: bool,
    text: String,
}

/// A row while it is read.
#[derive(Debug, Default)]
struct Row {
    /// From 1.
    number: u64,
    is_hidden: bool,
    cells: Vec<Cell>,
}

/// Reads the rows one by one, and gives each to `put`, which may end it.
pub(crate) fn rows(
    bytes: &[u8],
    mut put: impl FnMut(Result<Texts, Vec<Broken>>) -> Result<(), Vec<Broken>>,
) -> Result<(), Vec<Broken>> {
    let as_whole = |rule: Refused| vec![Broken::new("body", "", rule)];
    let book = Workbook::open(bytes).map_err(as_whole)?;
    let mut sheet = Sheet {
        book: &book,
        row: Row::default(),
        cell: None,
        is_value: false,
        places: None,
        ended: None,
    };
    let read = each(&book.sheet, |event, text| sheet.take(event, text, &mut put));
    match sheet.ended {
        Some(broken) => Err(broken),
        None => read.map_err(as_whole),
    }
}

struct Sheet<'b> {
    book: &'b Workbook,
    row: Row,
    cell: Option<Cell>,
    /// What comes is a cell's text.
    is_value: bool,
    /// The columns, once a header was found.
    places: Option<[u32; 3]>,
    /// Why nothing more is read.
    ended: Option<Vec<Broken>>,
}

impl Sheet<'_> {
    fn take(
        &mut self,
        event: &Event<'_>,
        text: Option<&str>,
        put: &mut impl FnMut(Result<Texts, Vec<Broken>>) -> Result<(), Vec<Broken>>,
    ) -> Result<(), Refused> {
        match event {
            Event::Start(start) => self.begin(start)?,
            // It has nothing in it, so only a row's number matters.
            Event::Empty(start) if start.local_name().as_ref() == "row" => self.begin(start)?,
            Event::Empty(start) if start.local_name().as_ref() == "f" => self.formula(),
            Event::End(end) => match end.local_name().as_ref() {
                "v" | "t" => self.is_value = false,
                "c" => self.row.cells.extend(self.cell.take()),
                "row" => {
                    if let Err(broken) = self.row_ends(put) {
                        self.ended = Some(broken);
                        return Err(String::new());
                    }
                }
                _ => {}
            },
            _ => {}
        }
        if let (true, Some(text), Some(cell)) = (self.is_value, text, &mut self.cell) {
            cell.text.push_str(text);
        }
        Ok(())
    }

    fn formula(&mut self) {
        if let Some(cell) = &mut self.cell {
            cell.is_formula = true;
        }
    }

    fn begin(&mut self, start: &BytesStart<'_>) -> Result<(), Refused> {
        match start.local_name().as_ref() {
            "row" => {
                let number = match attribute(start, "r")? {
                    Some(text) => text
                        .parse()
                        .map_err(|_| format!("row {text}: must be a number"))?,
                    None => self.row.number.saturating_add(1),
                };
                if number <= self.row.number {
                    return Err(format!(
                        "row {number}: must come after row {}",
                        self.row.number
                    ));
                }
                let is_hidden = attribute(start, "hidden")?;
                self.row = Row {
                    number,
                    is_hidden: is_hidden.is_some_and(|flag| flag != "0" && flag != "false"),
                    cells: Vec::new(),
                };
            }
            "c" => {
                let next = self
                    .row
                    .cells
                    .last()
                    .map_or(0, |cell| cell.column.saturating_add(1));
                let column = match attribute(start, "r")? {
                    Some(place) => {
                        column(&place).ok_or_else(|| format!("cell {place}: is nowhere"))?
                    }
                    None => next,
                };
                if column >= MOST_COLUMNS {
                    return Err(format!(
                        "row {}: has more than {MOST_COLUMNS} columns",
                        self.row.number
                    ));
                }
                if column < next {
                    return Err(format!(
                        "row {}: its cells must be in order",
                        self.row.number
                    ));
                }
                let style = attribute(start, "s")?.and_then(|text| text.parse().ok());
                self.cell = Some(Cell {
                    column,
                    kind: attribute(start, "t")?.unwrap_or_default(),
                    style: style.unwrap_or_default(),
                    ..Cell::default()
                });
            }
            "f" => self.formula(),
            "v" | "t" => self.is_value = self.cell.is_some(),
            _ => {}
        }
        Ok(())
    }

    fn row_ends(
        &mut self,
        put: &mut impl FnMut(Result<Texts, Vec<Broken>>) -> Result<(), Vec<Broken>>,
    ) -> Result<(), Vec<Broken>> {
        let line = self.row.number;
        let cells = std::mem::take(&mut self.row.cells);
        let is_filled = |cell: &&Cell| !cell.text.is_empty() || cell.is_formula;
        let Some(places) = self.places else {
            if cells.iter().any(|cell| is_filled(&cell)) {
                let header = self.header(&cells);
                self.places = Some(header.map_err(|broken| vec![broken.on_line(line)])?);
            }
            return Ok(());
        };
        let found = places.map(|place| {
            cells
                .iter()
                .filter(is_filled)
                .find(|cell| cell.column == place)
        });
        if found.iter().all(Option::is_none) {
            return Ok(());
        }
        let mut broken = Vec::new();
        if self.row.is_hidden {
            broken.push(Broken::new("row", "", "is hidden: show it, or delete it").on_line(line));
        }
        let mut texts = [None, None, None];
        for (at, (cell, name)) in found.into_iter().zip(COLUMNS).enumerate() {
            match cell.map(|cell| self.text(cell, at == AMOUNT)).transpose() {
                Ok(text) => {
                    if let Some(place) = texts.get_mut(at) {
                        *place = text;
                    }
                }
                Err(rule) => {
                    let shown = cell.map_or("", |cell| cell.text.as_str());
                    broken.push(Broken::new(name, shown, rule).on_line(line));
                }
            }
        }
        put(if broken.is_empty() {
            Ok((line, texts))
        } else {
            Err(broken)
        })
    }

    fn header(&self, cells: &[Cell]) -> Result<[u32; 3], Broken> {
        let names: Vec<(u32, String)> = cells
            .iter()
            .filter_map(|cell| Some((cell.column, self.text(cell, false).ok()?)))
            .filter(|(_, name)| name.len() <= LONGEST_NAME)
            .collect();
        let mut places = [0; 3];
        for (column, place) in COLUMNS.iter().zip(&mut places) {
            let mut named = names
                .iter()
                .filter(|(_, name)| name.eq_ignore_ascii_case(column));
            match (named.next(), named.next()) {
                (Some((at, _)), None) => *place = *at,
                _ => {
                    let found: Vec<&str> = names.iter().map(|(_, name)| name.as_str()).collect();
                    let rule = "must name the columns ref, recipient and amount once each";
                    return Err(Broken::new("header", &found.join(","), rule));
                }
            }
        }
        Ok(places)
    }

    /// What a cell says, or the rule that it breaks.
    fn text(&self, cell: &Cell, may_be_number: bool) -> Result<String, &'static str> {
        if cell.is_formula {
            return Err("is a formula: paste its value in its place");
        }
        let text = match cell.kind.as_str() {
            "s" => {
                let place = cell.text.parse::<usize>().ok();
                let text = place.and_then(|place| self.book.texts.get(place));
                text.cloned()
                    .ok_or("is a text that the file does not have")?
            }
            "inlineStr" | "str" => cell.text.clone(),
            "" | "n" if may_be_number => {
                let shown = self.book.styles.get(cell.style);
                exactly(&cell.text, shown.copied().unwrap_or(Shown::General))?
            }
            "" | "n" => return Err("must be text: a number may not keep its value"),
            _ => return Err("must be text"),
        };
        Ok(text.trim().to_owned())
    }
}

/// The column of a place such as C12, from 0.
fn column(place: &str) -> Option<u32> {
    let letters = place.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let number = letters.bytes().try_fold(0_u32, |sum, letter| {
        let of = u32::from(letter.checked_sub(b'A').filter(|of| *of < 26)?);
        sum.checked_mul(26)?.checked_add(of)?.checked_add(1)
    })?;
    number.checked_sub(1)
}
