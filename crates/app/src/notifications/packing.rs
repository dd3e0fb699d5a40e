//! The words of a mail as the ledger keeps them: a JSON object, compressed against words that mails have in common,
//! so that a mail takes some hundred bytes.

use std::io::Read as _;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

/// The first byte of what was packed with [`DICTIONARY`].
const VERSION: u8 = 1;

/// What mails have in common. It never changes, because the ledger's bodies cannot be read without it: a better one
/// gets a version of its own.
const DICTIONARY: &[u8] = include_bytes!("packing/dictionary_1.txt");

/// No mail is larger than this.
const LARGEST: u64 = 64 << 20;

#[derive(Serialize)]
struct Words<'a> {
    text: &'a str,
    html: &'a str,
}

#[derive(Deserialize)]
struct OwnedWords {
    text: String,
    html: String,
}

/// How hard it is looked for what a mail shares with the dictionary. At 1 a mail is a fiftieth smaller and takes twice the
/// time, most of it for a code of its own for the few letters that are left.
const LEVEL: i32 = -1;

/// Packs many mails, one after the other.
pub(super) struct Packer {
    compressor: zstd::bulk::Compressor<'static>,
    json: Vec<u8>,
    frame: Vec<u8>,
}

impl Packer {
    pub(super) fn new() -> std::io::Result<Self> {
        static PREPARED: OnceLock<EncoderDictionary<'static>> = OnceLock::new();
        let dictionary = PREPARED.get_or_init(|| EncoderDictionary::copy(DICTIONARY, LEVEL));
        let mut compressor = zstd::bulk::Compressor::with_prepared_dictionary(dictionary)?;
        compressor.include_checksum(false)?;
        Ok(Packer { compressor, json: Vec::new(), frame: Vec::new() })
    }

    pub(super) fn pack(&mut self, text: &str, html: &str) -> std::io::Result<Vec<u8>> {
        self.json.clear();
        serde_json::to_writer(&mut self.json, &Words { text, html })?;
        self.frame.clear();
        self.frame.reserve(zstd::zstd_safe::compress_bound(self.json.len()));
        self.compressor.compress_to_buffer(&self.json, &mut self.frame)?;
        Ok([&[VERSION], &self.frame[..]].concat())
    }
}

/// The text and the HTML of a packed mail.
pub(super) fn unpack(packed: &[u8]) -> std::io::Result<(String, String)> {
    let unknown = |what: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, what);
    let (version, frame) = packed.split_first().ok_or_else(|| unknown("the stored mail is empty"))?;
    if *version != VERSION {
        return Err(unknown("the stored mail was packed by a newer version of ordermill"));
    }
    let dictionary = DecoderDictionary::copy(DICTIONARY);
    let reader = zstd::stream::Decoder::with_prepared_dictionary(frame, &dictionary)?;
    let words: OwnedWords = serde_json::from_reader(std::io::BufReader::new(reader.take(LARGEST)))?;
    Ok((words.text, words.html))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_unpacked_as_it_was_packed() {
        let (text, html) = ("Grüße, \"Zoë\"\n🎉\n", "<p class=\"next\">\u{0}&amp;</p>".repeat(500));
        let mut packer = Packer::new().unwrap();
        for _ in 0..2 {
            let packed = packer.pack(text, &html).unwrap();
            assert_eq!(unpack(&packed).unwrap(), (text.to_owned(), html.clone()));
        }
    }

    #[test]
    fn what_is_no_packed_mail_is_refused() {
        let mut packed = Packer::new().unwrap().pack("text", "html").unwrap();
        assert!(unpack(&[]).is_err());
        assert!(unpack(&packed[..packed.len() - 1]).is_err());
        packed[0] = VERSION + 1;
        assert!(unpack(&packed).unwrap_err().to_string().contains("newer version"));
    }
}
