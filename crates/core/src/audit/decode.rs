//! Bytes to text: UTF-8 with or without a mark, UTF-16 with one, else Windows-1252. Binary data is refused.

use std::borrow::Cow;

use super::{AuditError, MAX_REPORT_BYTES};

/// The text of a report.
pub(crate) fn decode<'a>(report: &'a [u8], name: &str) -> Result<Cow<'a, str>, AuditError> {
    if report.len() > MAX_REPORT_BYTES {
        return Err(AuditError::TooLarge {
            name: name.to_owned(),
            size: report.len(),
            limit: MAX_REPORT_BYTES,
        });
    }
    let binary = |offset| AuditError::Binary { name: name.to_owned(), offset };
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(report) {
        let (text, broken) = encoding.decode_without_bom_handling(&report[mark..]);
        if encoding != encoding_rs::UTF_8 || !broken {
            return match text.find('\0') {
                Some(_) => Err(binary(mark)),
                None => Ok(text),
            };
        }
    }
    if let Some(offset) = report.iter().position(|&byte| never_in_text(byte)) {
        return Err(binary(offset));
    }
    match std::str::from_utf8(report) {
        Ok(text) => Ok(Cow::Borrowed(text)),
        Err(error) => {
            // A short text may be all umlauts, but whole pages of high bytes are no Western prose.
            let high = report.iter().filter(|&&byte| byte >= 0x80).count();
            if report.len() >= 64 && high * 2 > report.len() {
                return Err(binary(error.valid_up_to()));
            }
            Ok(encoding_rs::WINDOWS_1252.decode_without_bom_handling(report).0)
        }
    }
}

/// Control characters that no editor writes; tab, line ends, form feed and escape are let through.
fn never_in_text(byte: u8) -> bool {
    matches!(byte, 0x00..=0x08 | 0x0e..=0x1a | 0x1c..=0x1f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_1252_is_the_last_resort() {
        assert_eq!(decode(b"caf\xe9 \x93x\x94", "r").unwrap(), "café “x”");
    }

    #[test]
    fn utf_16_needs_its_mark() {
        assert_eq!(decode(b"\xff\xfeh\0i\0", "r").unwrap(), "hi");
        assert!(decode(b"h\0i\0", "r").is_err());
    }

    #[test]
    fn errors_name_the_report_and_the_limit() {
        let error = decode(&vec![b'a'; MAX_REPORT_BYTES + 1], "big.md").unwrap_err().to_string();
        assert!(
            error.starts_with("big.md: the report has 4194305 bytes, more than the limit of 4194304;"),
            "{error}"
        );
        let error = decode(b"PK\x03\x04", "x.zip").unwrap_err().to_string();
        assert!(error.starts_with("x.zip: byte 2 is not text"), "{error}");
    }
}
