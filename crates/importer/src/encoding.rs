//! Which encoding a text is in, and making UTF-8 of it as a stream.

use std::fmt;
use std::io::Write;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use memchr::memchr;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ReadError;
use crate::records::count_line_ends;

/// How much of a text the detector looks at; over a whole file it would be slower than all the rest.
const DETECTED: usize = 64 * 1024;

/// A character encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charset(&'static Encoding);

impl Charset {
    /// UTF-8, the encoding everything is read as in the end.
    pub const UTF_8: Self = Self(UTF_8);

    /// Finds an encoding by any of its usual names.
    pub fn parse(label: &str) -> Result<Self, ReadError> {
        let found = Encoding::for_label(label.as_bytes());
        found.map(Self).ok_or_else(|| ReadError::UnknownEncoding(label.to_owned()))
    }

    /// Its standard name, such as `UTF-8` or `windows-1252`.
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

impl fmt::Display for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Charset {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl JsonSchema for Charset {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Charset".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "A label of the WHATWG Encoding Standard, such as `windows-1252`." })
    }
}

impl<'de> Deserialize<'de> for Charset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// What the first bytes say. `claimed` encodings (by option or byte order mark) are held to their word.
struct Detected {
    charset: Charset,
    claimed: bool,
    mark: usize,
}

/// Text without a claim is taken for UTF-8 until a byte proves otherwise.
fn detect(head: &[u8], forced: Option<Charset>) -> Detected {
    let marked = Encoding::for_bom(head);
    if let Some(charset) = forced {
        let mark = marked.filter(|(encoding, _)| *encoding == charset.0).map_or(0, |(_, length)| length);
        return Detected { charset, claimed: true, mark };
    }
    if let Some((encoding, mark)) = marked {
        return Detected { charset: Charset(encoding), claimed: true, mark };
    }
    let encoding = match head {
        _ if looks_utf16(head, 1) => UTF_16LE,
        _ if looks_utf16(head, 0) => UTF_16BE,
        _ => UTF_8,
    };
    Detected { charset: Charset(encoding), claimed: false, mark: 0 }
}

/// Mostly Latin text in UTF-16 has a zero in nearly every other byte, at `parity`, and none in between.
fn looks_utf16(head: &[u8], parity: usize) -> bool {
    let zeros = |parity: usize| head.iter().skip(parity).step_by(2).filter(|&&byte| byte == 0).count();
    head.len() >= 4 && zeros(parity) * 10 >= head.len() / 2 * 6 && zeros(1 - parity) == 0
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&bytes[..bytes.len().min(DETECTED)], bytes.len() <= DETECTED);
    detector.guess(None, Utf8Detection::Deny)
}

/// Counts line ends over blocks that may cut a CRLF in two.
#[derive(Default)]
struct LineCounter {
    passed: u64,
    after_cr: bool,
}

impl LineCounter {
    fn feed(&mut self, text: &[u8]) {
        let (Some(first), Some(last)) = (text.first(), text.last()) else { return };
        self.passed += count_line_ends(text) - u64::from(self.after_cr && *first == b'\n');
        self.after_cr = *last == b'\r';
    }

    fn line(&self) -> u64 {
        self.passed + 1
    }
}

/// Makes UTF-8 without byte order mark of blocks of bytes, and refuses what is no text, with its line.
pub(crate) struct Transcoder<W> {
    out: W,
    charset: Charset,
    claimed: bool,
    decoder: Option<Decoder>,
    decoded: String,
    ascii_so_far: bool,
    lines: LineCounter,
    written: u64,
}

impl<W: Write> Transcoder<W> {
    /// Looks at the first block; gives how many of its bytes are a byte order mark.
    pub(crate) fn new(out: W, first_block: &[u8], forced: Option<Charset>) -> (Self, usize) {
        let Detected { charset, claimed, mark } = detect(first_block, forced);
        let lines = LineCounter::default();
        let (decoded, decoder) = (String::new(), None);
        let mut transcoder =
            Self { out, charset, claimed, decoder, decoded, ascii_so_far: true, lines, written: 0 };
        transcoder.switch_to(charset);
        (transcoder, mark)
    }

    pub(crate) fn charset(&self) -> Charset {
        self.charset
    }

    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    fn switch_to(&mut self, charset: Charset) {
        self.charset = charset;
        self.decoder = (charset != Charset::UTF_8).then(|| charset.0.new_decoder_without_bom_handling());
    }

    /// Takes a block and gives how much of it was used; the rest, at most three bytes, comes again with the
    /// next one.
    pub(crate) fn push(&mut self, block: &[u8], last: bool) -> Result<usize, ReadError> {
        if self.decoder.is_some() {
            return self.decode(block, last).map(|()| block.len());
        }
        let Err(error) = std::str::from_utf8(block) else {
            return self.emit(block).map(|()| block.len());
        };
        let valid = error.valid_up_to();
        self.emit(&block[..valid])?;
        if error.error_len().is_none() && !last {
            return Ok(valid);
        }
        if self.claimed || !self.ascii_so_far {
            return Err(self.not_utf8(block[valid]));
        }
        self.switch_to(Charset(guess(&block[valid..])));
        self.decode(&block[valid..], last)?;
        Ok(block.len())
    }

    fn not_utf8(&self, byte: u8) -> ReadError {
        let claim =
            if self.claimed { "although it was said to be" } else { "although the text before it is" };
        ReadError::Encoding {
            line: self.lines.line(),
            encoding: self.charset.name(),
            reason: format!(
                "it has the byte 0x{byte:02X}, {claim}. Save the file as UTF-8, or name its encoding, such as windows-1252"
            ),
        }
    }

    fn decode(&mut self, mut block: &[u8], last: bool) -> Result<(), ReadError> {
        loop {
            let Some(decoder) = &mut self.decoder else { return Ok(()) };
            let room =
                decoder.max_utf8_buffer_length_without_replacement(block.len()).unwrap_or(block.len() * 3);
            let mut decoded = std::mem::take(&mut self.decoded);
            decoded.clear();
            decoded.reserve(room);
            let (result, used) = decoder.decode_to_string_without_replacement(block, &mut decoded, last);
            let emitted = self.emit(decoded.as_bytes());
            self.decoded = decoded;
            emitted?;
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => block = &block[used..],
                DecoderResult::Malformed(..) => {
                    return Err(ReadError::Encoding {
                        line: self.lines.line(),
                        encoding: self.charset.name(),
                        reason: "it has bytes that this encoding does not have. The file is damaged or in another \
                                 encoding: name it"
                            .to_owned(),
                    });
                }
            }
        }
    }

    fn emit(&mut self, text: &[u8]) -> Result<(), ReadError> {
        if let Some(at) = memchr(0, text) {
            self.lines.feed(&text[..at]);
            return Err(ReadError::Nul { line: self.lines.line() });
        }
        self.lines.feed(text);
        self.ascii_so_far = self.ascii_so_far && text.is_ascii();
        self.written += text.len() as u64;
        self.out.write_all(text).map_err(ReadError::Write)
    }

    /// Gives the writer back, flushed.
    pub(crate) fn finish(mut self) -> Result<W, ReadError> {
        self.out.flush().map_err(ReadError::Write)?;
        Ok(self.out)
    }
}
