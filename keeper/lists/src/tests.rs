use super::*;

const REF: &str = "0x000102030405060708090a0b0c0d0e0f";
const PAYEE: &str = "0x1111111111111111111111111111111111111111";
const OTHER: &str = "01234567-89ab-cdef-0123-456789abcdef";

/// Each payment's line and amount, or what is wrong.
fn read(text: impl AsRef<[u8]>) -> Result<Vec<(u64, u128)>, CsvError> {
    let rows = Rows::new(text.as_ref(), 6)?;
    rows.map(|row| row.map(|(line, payment)| (line, payment.amount().0)))
        .collect()
}

#[test]
fn it_reads_what_spreadsheets_write() {
    let text = format!(
        "\u{feff}ref,recipient,amount\r\n{REF}, {PAYEE} ,12.5\r\n\r\n{OTHER},{PAYEE},1\r\n,,\r\n  \r\n"
    );
    assert_eq!(read(&text).unwrap(), [(2, 12_500_000), (4, 1_000_000)]);
    let (_, payment) = Rows::new(text.as_bytes(), 6)
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(payment.reference().to_string(), REF);
    assert_eq!(payment.recipient().to_string().to_lowercase(), PAYEE);
}

#[test]
fn quoted_names_may_follow_a_byte_order_mark() {
    let text = format!("\u{feff}\"ref\",recipient,amount\n\"{REF}\",{PAYEE},\"1\"\r\n");
    assert_eq!(read(&text).unwrap(), [(2, 1_000_000)]);
}

#[test]
fn columns_are_found_by_their_names() {
    let text = format!(
        "Amount,note,Recipient,\"ref\",\n\"12.5\",\"rent, \"\"May\"\"\nand June\",{PAYEE},\"{REF}\",\n1,\u{fffd},{PAYEE},{OTHER},x"
    );
    let mut bytes = text.into_bytes();
    let note = bytes
        .windows(3)
        .rposition(|bytes| bytes == [0xef, 0xbf, 0xbd]);
    bytes[note.unwrap()] = 0xff; // what is ignored need not be text
    assert_eq!(read(&bytes).unwrap(), [(2, 12_500_000), (4, 1_000_000)]);
    assert_eq!(
        Rows::new(bytes.as_slice(), 6).unwrap().ignored(),
        ["note", ""]
    );
}

#[test]
fn lines_count_whichever_way_they_end() {
    for end in ["\n", "\r\n", "\r"] {
        let lines = [
            "",
            "ref,recipient,amount",
            "",
            &format!("{REF},{PAYEE},1"),
            "",
            "x",
        ];
        let error = Rows::new(lines.join(end).as_bytes(), 6).unwrap().last();
        let error = error.unwrap().unwrap_err().to_string();
        assert!(error.starts_with("line 6: 1 fields"), "{end:?}: {error}");
    }
}

#[test]
fn it_names_line_field_value_and_rule() {
    let long = "1".repeat(201);
    for (lines, words) in [
        (
            "recipient,amount\n",
            "line 1 \"recipient,amount\": must name",
        ),
        ("ref;recipient;amount\n", "separated by commas"),
        ("ref,amount,recipient,amount\n", "once each"),
        ("", "line 1 \"\": must name"),
        ("HEAD\nGOOD,x", "line 2: 4 fields; the header has 3"),
        ("HEAD\nREF,PAYEE", "line 2: 2 fields"),
        ("HEAD\nabc,PAYEE,1", "line 2: ref \"abc\""),
        ("HEAD\nREF,0x11,1", "line 2: recipient \"0x11\""),
        (
            "HEAD\nREF,PAYEE,1.0000001",
            "more decimals than the token has",
        ),
        ("HEAD\nREF,PAYEE,1e3", "line 2: amount \"1e3\""),
        ("HEAD\nREF,PAYEE,\"1,000\"", "line 2: amount \"1,000\""),
        ("HEAD\nREF,PAYEE,0", "line 2: amount 0"),
        ("HEAD\nREF,PAYEE,\"12", "line 2: a quote must open a field"),
        (
            "HEAD\nREF,PAYEE,\"1\"2",
            "line 2: a quote must open a field",
        ),
        (
            "HEAD\nREF,PAYEE,1\"2\"",
            "line 2: a quote must open a field",
        ),
        (
            "HEAD\n\"REF\",PAYEE,\"1\"\"",
            "line 2: a quote must open a field",
        ),
        ("HEAD\nREF,PAYEE,LONG", "line 2: amount: has 201 bytes"),
    ] {
        let lines = lines
            .replace("HEAD", "ref,recipient,amount")
            .replace("GOOD", "REF,PAYEE,1")
            .replace("REF", REF)
            .replace("PAYEE", PAYEE)
            .replace("LONG", &long);
        let error = read(&lines).unwrap_err().to_string();
        assert!(error.contains(words), "{lines:?}: {error}");
    }
    let mut bytes = format!("ref,recipient,amount\n\n{REF},{PAYEE},1").into_bytes();
    *bytes.last_mut().unwrap() = 0xff;
    let error = read(&bytes).unwrap_err().to_string();
    assert_eq!(error, "line 3: amount: must be UTF-8 text");
    let wide: Vec<u8> = "ref,recipient,amount\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let error = read(&wide).unwrap_err().to_string();
    assert!(error.starts_with("line 1"), "{error}");
}

/// Fails after some bytes.
struct Torn<'a>(&'a [u8]);

impl Read for Torn<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(std::io::Error::other("the cable came off")),
            count => Ok(count),
        }
    }
}

#[test]
fn what_cannot_be_read_on_is_not_taken_for_the_end() {
    let text = format!("ref,recipient,amount\n{REF},{PAYEE},1\n");
    let rows: Vec<_> = Rows::new(Torn(text.as_bytes()), 6).unwrap().collect();
    assert_eq!(rows.len(), 2);
    let error = rows[1].as_ref().unwrap_err().to_string();
    assert_eq!(error, "from line 3 on: the cable came off");
}
