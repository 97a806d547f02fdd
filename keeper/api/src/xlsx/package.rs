//! The parts of a XLSX file, found as it says itself (Open Packaging Conventions): the workbook, and from there its first sheet, its texts
//! and its formats.

use std::{
    collections::HashMap,
    io::{Cursor, Read},
};

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};
use zip::ZipArchive;

use super::shows::Shown;

/// Bytes of all parts that are read, once they are expanded: a small archive may hold very much.
const EXPANDED: u64 = 33_554_432;
/// Texts that cells share.
const MOST_TEXTS: usize = 262_144;
/// Characters of one of them: more than a spreadsheet's cell holds. [bytes]
const LONGEST_TEXT: usize = 131_072;
/// Parts that one part names, and the length of their folder: a path is kept for each.
const MOST_RELATIONS: usize = 1_024;
const LONGEST_FOLDER: usize = 255;
/// Ways that cells are shown.
const MOST_STYLES: usize = 65_536;

/// What a file may be refused for as a whole, in words.
pub(super) type Refused = String;

/// What is needed of a file.
#[derive(Debug)]
pub(super) struct Workbook {
    /// The first sheet, as XML.
    pub sheet: String,
    /// The texts that cells share.
    pub texts: Vec<String>,
    /// How each style shows numbers.
    pub styles: Vec<Shown>,
}

struct Package<'b> {
    archive: ZipArchive<Cursor<&'b [u8]>>,
    /// Bytes that may still be expanded.
    left: u64,
}

/// Where a part leads.
struct Relation {
    kind: String,
    id: String,
    target: String,
}

impl Workbook {
    pub fn open(bytes: &[u8]) -> Result<Self, Refused> {
        let archive = ZipArchive::new(Cursor::new(bytes));
        let archive = archive.map_err(|error| format!("must be a XLSX file: {error}"))?;
        let mut package = Package {
            archive,
            left: EXPANDED,
        };
        let roots = package.relations("_rels/.rels", "")?;
        let book = roots.into_iter().find(|one| one.is("/officeDocument"));
        let book = book.ok_or("must be a XLSX file: it names no workbook")?;
        let (folder, name) = book.target.rsplit_once('/').unwrap_or(("", &book.target));
        let relations = package.relations(&format!("{folder}/_rels/{name}.rels"), folder)?;
        let id = first_sheet(&package.must(&book.target)?)?;
        let sheet = relations.iter().find(|one| one.id == id);
        let sheet = sheet.ok_or("must be a XLSX file: its first sheet is nowhere")?;
        if !sheet.is("/worksheet") {
            return Err("its first sheet must be a table of cells".to_owned());
        }
        let part = |kind| relations.iter().find(|one| one.is(kind));
        let texts = match part("/sharedStrings") {
            Some(part) => texts(&package.must(&part.target)?)?,
            None => Vec::new(),
        };
        let styles = match part("/styles") {
            Some(part) => styles(&package.must(&part.target)?)?,
            None => Vec::new(),
        };
        let sheet = package.must(&sheet.target)?;
        Ok(Self {
            sheet,
            texts,
            styles,
        })
    }
}

impl Relation {
    /// The last word of its type: the rest of it differs between the strict and the transitional form.
    fn is(&self, kind: &str) -> bool {
        self.kind.ends_with(kind)
    }
}

impl Package<'_> {
    /// A part that must be there, as text.
    fn must(&mut self, path: &str) -> Result<String, Refused> {
        let part = self.archive.by_name(path.trim_start_matches('/'));
        let part = part.map_err(|error| format!("must be a XLSX file: {path}: {error}"))?;
        let mut bytes = Vec::new();
        // What the archive says of its length is only its word.
        let read = part
            .take(self.left.saturating_add(1))
            .read_to_end(&mut bytes);
        read.map_err(|error| format!("must be a XLSX file: {path}: {error}"))?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.left = self.left.checked_sub(length).ok_or_else(|| {
            format!("expands to more than {EXPANDED} bytes; file it in several lists")
        })?;
        String::from_utf8(bytes).map_err(|_| format!("{path}: must be UTF-8 text"))
    }

    fn relations(&mut self, path: &str, folder: &str) -> Result<Vec<Relation>, Refused> {
        if folder.len() > LONGEST_FOLDER {
            return Err(format!(
                "must be a XLSX file: a folder's name has more than {LONGEST_FOLDER} bytes"
            ));
        }
        let mut found = Vec::new();
        each(&self.must(path)?, |event, _| {
            if let Event::Start(start) | Event::Empty(start) = event
                && start.local_name().as_ref() == "Relationship"
            {
                let of = |name| attribute(start, name).map(Option::unwrap_or_default);
                let target = of("Target")?;
                let target = match target.strip_prefix('/') {
                    Some(whole) => whole.to_owned(),
                    None => format!("{folder}/{target}")
                        .trim_start_matches('/')
                        .to_owned(),
                };
                found.push(Relation {
                    kind: of("Type")?,
                    id: of("Id")?,
                    target,
                });
            }
            if found.len() > MOST_RELATIONS {
                return Err(format!(
                    "has a part that names more than {MOST_RELATIONS} others"
                ));
            }
            Ok(())
        })?;
        Ok(found)
    }
}

/// What an element says by that name; prefixes of namespaces do not matter.
pub(super) fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, Refused> {
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| not_xml(&error))?;
        if attribute.key.local_name().as_ref() == name {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            return Ok(Some(value.map_err(|error| not_xml(&error))?.into_owned()));
        }
    }
    Ok(None)
}

fn not_xml(error: &dyn std::error::Error) -> Refused {
    format!("must be a XLSX file: {error}")
}

/// Each event of a part, with the text that it adds.
pub(super) fn each(
    part: &str,
    mut take: impl FnMut(&Event<'_>, Option<&str>) -> Result<(), Refused>,
) -> Result<(), Refused> {
    let mut reader = Reader::from_str(part);
    loop {
        let event = reader.read_event().map_err(|error| not_xml(&error))?;
        match &event {
            Event::Eof => return Ok(()),
            Event::Text(text) => take(&event, Some(&text.xml10_content()))?,
            Event::CData(text) => take(&event, Some(&text.xml10_content()))?,
            Event::GeneralRef(name) => {
                let letter = name.resolve_char_ref().map_err(|error| not_xml(&error))?;
                let text = match (letter, name.as_ref()) {
                    (Some(letter), _) => letter.to_string(),
                    (None, "lt") => "<".to_owned(),
                    (None, "gt") => ">".to_owned(),
                    (None, "amp") => "&".to_owned(),
                    (None, "apos") => "'".to_owned(),
                    (None, "quot") => "\"".to_owned(),
                    (None, _) => return Err("must be a XLSX file: unknown entity".to_owned()),
                };
                take(&event, Some(&text))?;
            }
            _ => take(&event, None)?,
        }
    }
}

/// The relation of the sheet that a person sees first.
fn first_sheet(book: &str) -> Result<String, Refused> {
    let mut first: Option<String> = None;
    each(book, |event, _| {
        if let Event::Start(start) | Event::Empty(start) = event
            && start.local_name().as_ref() == "sheet"
            && first.is_none()
        {
            if attribute(start, "state")?.is_some_and(|state| state != "visible") {
                return Err("its first sheet is hidden: show it, or delete it".to_owned());
            }
            first = Some(attribute(start, "id")?.unwrap_or_default());
        }
        Ok(())
    })?;
    first.ok_or_else(|| "must have a sheet".to_owned())
}

fn texts(part: &str) -> Result<Vec<String>, Refused> {
    let mut texts = Vec::new();
    let (mut is_text, mut is_phonetic) = (false, false);
    each(part, |event, text| {
        match event {
            Event::Empty(start) if start.local_name().as_ref() == "si" => texts.push(String::new()),
            Event::Start(start) => match start.local_name().as_ref() {
                "si" => texts.push(String::new()),
                "t" => is_text = !is_phonetic,
                "rPh" => is_phonetic = true,
                _ => {}
            },
            Event::End(end) => match end.local_name().as_ref() {
                "t" => is_text = false,
                "rPh" => is_phonetic = false,
                _ => {}
            },
            _ => {}
        }
        if let (true, Some(more), Some(last)) = (is_text, text, texts.last_mut()) {
            last.push_str(more);
            if last.len() > LONGEST_TEXT {
                return Err(format!("has a text of more than {LONGEST_TEXT} bytes"));
            }
        }
        if texts.len() > MOST_TEXTS {
            return Err(format!("has more than {MOST_TEXTS} texts"));
        }
        Ok(())
    })?;
    Ok(texts)
}

fn styles(part: &str) -> Result<Vec<Shown>, Refused> {
    let mut own = HashMap::new();
    let mut styles = Vec::new();
    let mut is_of_cells = false;
    each(part, |event, _| {
        match event {
            Event::Start(start) | Event::Empty(start) => {
                let number = |name| -> Result<u32, Refused> {
                    let text = attribute(start, name)?.unwrap_or_default();
                    Ok(text.parse().unwrap_or_default())
                };
                match start.local_name().as_ref() {
                    "numFmt" => {
                        let code = attribute(start, "formatCode")?.unwrap_or_default();
                        own.insert(number("numFmtId")?, Shown::by_code(&code));
                    }
                    "cellXfs" => is_of_cells = true,
                    "xf" if is_of_cells => {
                        let id = number("numFmtId")?;
                        let known = own.get(&id).copied();
                        styles.push(known.unwrap_or_else(|| Shown::built_in(id)));
                    }
                    _ => {}
                }
            }
            Event::End(end) if end.local_name().as_ref() == "cellXfs" => is_of_cells = false,
            _ => {}
        }
        if styles.len().max(own.len()) > MOST_STYLES {
            return Err(format!("has more than {MOST_STYLES} styles"));
        }
        Ok(())
    })?;
    Ok(styles)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    /// Why a file of these parts is refused.
    fn refusal(parts: &[(&str, String)]) -> String {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in parts {
            let options = SimpleFileOptions::default();
            archive.start_file(*name, options).unwrap();
            archive.write_all(text.as_bytes()).unwrap();
        }
        Workbook::open(&archive.finish().unwrap().into_inner()).unwrap_err()
    }

    fn relation(kind: &str, target: &str) -> String {
        format!(r#"<Relationship Type="x/{kind}" Id="{kind}" Target="{target}"/>"#)
    }

    /// What a small file makes a reader keep grows with none of its parts without bound.
    #[test]
    fn a_part_names_few_others_and_no_text_is_longer_than_a_cell() {
        let root = |target: &str| {
            let text = relation("officeDocument", target);
            (
                "_rels/.rels",
                format!("<Relationships>{text}</Relationships>"),
            )
        };
        let book = || {
            let text = r#"<workbook><sheets><sheet id="worksheet"/></sheets></workbook>"#;
            ("xl/workbook.xml", text.to_owned())
        };
        let others = |text: String| ("xl/_rels/workbook.xml.rels", format!("<r>{text}</r>"));
        let many = relation("theme", "t").repeat(MOST_RELATIONS + 1);
        let said = refusal(&[root("xl/workbook.xml"), others(many)]);
        assert!(said.contains("1024 others"), "{said}");
        let deep = format!("{}/workbook.xml", "x".repeat(LONGEST_FOLDER + 1));
        let said = refusal(&[root(&deep)]);
        assert!(said.contains("255 bytes"), "{said}");
        let long = format!(
            "<sst><si><t>{}</t></si></sst>",
            "x".repeat(LONGEST_TEXT + 1)
        );
        let parts = [
            relation("worksheet", "s.xml"),
            relation("sharedStrings", "t.xml"),
        ];
        let said = refusal(&[
            root("xl/workbook.xml"),
            book(),
            others(parts.concat()),
            ("xl/t.xml", long),
        ]);
        assert!(said.contains("131072 bytes"), "{said}");
    }
}
