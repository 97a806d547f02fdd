//! A table as a XLSX file. Every cell is text, which no spreadsheet computes.

use rust_xlsxwriter::{Format, Workbook, XlsxError};

/// Characters of a cell that a spreadsheet takes.
const LONGEST: usize = 32_767;

pub(crate) fn write(columns: &[&str], rows: &[Vec<String>]) -> Result<Vec<u8>, String> {
    table(columns, rows).map_err(|error| error.to_string())
}

fn table(columns: &[&str], rows: &[Vec<String>]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // Also if somebody goes into a cell and leaves it, it stays text.
    let text = Format::new().set_num_format("@").set_quote_prefix();
    let sheet = book.add_worksheet();
    sheet.set_name("withdrawals")?;
    for (column, name) in (0_u16..).zip(columns) {
        sheet.write_string(0, column, *name)?;
    }
    for (row, cells) in (1_u32..).zip(rows) {
        for (column, cell) in (0_u16..).zip(cells) {
            if !cell.is_empty() {
                let cell: String = cell.chars().take(LONGEST).collect();
                sheet.write_string_with_format(row, column, cell, &text)?;
            }
        }
    }
    book.save_to_buffer()
}
