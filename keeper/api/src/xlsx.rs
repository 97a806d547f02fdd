//! Lists as XLSX (ECMA-376), in and out; only with the feature `xlsx`. What is read is bounded in every way: a file is a ZIP archive of XML, and
//! says of itself what it likes.

#[cfg(feature = "xlsx")]
mod package;
#[cfg(feature = "xlsx")]
mod sheet;
#[cfg(feature = "xlsx")]
mod shows;
#[cfg(feature = "xlsx")]
mod write;

/// What such a file is sent as.
pub(crate) const MEDIA_TYPE: &str =
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// Files that are read or written at a time: each may take tens of megabytes meanwhile.
pub(crate) const AT_A_TIME: usize = 2;

#[cfg(feature = "xlsx")]
pub(crate) use self::{sheet::rows, write::write};

/// A row whose texts were found: its place, ref, recipient and amount.
#[cfg_attr(not(feature = "xlsx"), allow(dead_code, reason = "nothing is read"))]
pub(crate) type Texts = (u64, [Option<String>; 3]);

#[cfg(not(feature = "xlsx"))]
pub(crate) use self::none::{rows, write};

/// Nothing: this build reads and writes no XLSX.
#[cfg(not(feature = "xlsx"))]
mod none {
    use super::Texts;
    use crate::problem::Broken;

    const RULE: &str = "this server was built without XLSX (feature xlsx); use CSV";

    pub(crate) fn rows(
        _: &[u8],
        _: impl FnMut(Result<Texts, Vec<Broken>>) -> Result<(), Vec<Broken>>,
    ) -> Result<(), Vec<Broken>> {
        Err(vec![Broken::new("body", "", RULE)])
    }

    pub(crate) fn write(_: &[&str], _: &[Vec<String>]) -> Result<Vec<u8>, String> {
        Err(RULE.to_owned())
    }
}
