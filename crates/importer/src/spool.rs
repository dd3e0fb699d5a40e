//! Making a file readable by ranges: unpacked, decoded to UTF-8, hashed and checked on the way.

use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::compression::{Compression, Unpacked, with_unpacked};
use crate::encoding::{Charset, Transcoder};
use crate::{ReadError, ReadOptions, foreign};

const BLOCK: usize = 256 * 1024;

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spooled {
    /// Bytes of decoded text, without byte order mark.
    pub bytes: u64,
    /// SHA-256 of the file as it was given, compressed or not.
    pub sha256: [u8; 32],
    /// How it was compressed.
    pub compression: Compression,
    /// The encoding it was in.
    pub encoding: Charset,
}

impl Spooled {
    /// Whether the file itself can be read by ranges, because it is plain UTF-8 already.
    pub fn readable_in_place(&self) -> bool {
        self.compression == Compression::None && self.encoding == Charset::UTF_8
    }
}

/// Streams the file's text, unpacked and as UTF-8 without byte order mark, to `out`, and checks all of it.
///
/// A plain UTF-8 file need not be copied: pass [`std::io::sink`], and read it in place if the answer is
/// [`Spooled::readable_in_place`]. Memory does not grow with the file.
pub fn spool(path: &Path, options: &ReadOptions, out: impl Write) -> Result<Spooled, ReadError> {
    let mut hash = Sha256::new();
    let (bytes, compression, encoding) =
        with_unpacked(path, options.max_bytes, Some(&mut hash), |unpacked| {
            let compression = unpacked.compression;
            let transcoder = transcode(unpacked, options.encoding, out)?;
            let answer = (transcoder.written(), compression, transcoder.charset());
            transcoder.finish()?;
            Ok(answer)
        })?;
    Ok(Spooled { bytes, sha256: hash.finalize().into(), compression, encoding })
}

fn transcode<W: Write>(
    unpacked: &mut Unpacked<'_>,
    forced: Option<Charset>,
    out: W,
) -> Result<Transcoder<W>, ReadError> {
    let mut block = vec![0; BLOCK];
    let mut held = unpacked.fill(&mut block)?;
    let mut last = held < BLOCK;
    foreign::refuse_signature(&block[..held])?;
    let (mut transcoder, mark) = Transcoder::new(out, &block[..held], forced);
    let mut used = mark + transcoder.push(&block[mark..held], last)?;
    while !last {
        block.copy_within(used..held, 0);
        held -= used;
        held += unpacked.fill(&mut block[held..])?;
        last = held < BLOCK;
        used = transcoder.push(&block[..held], last)?;
    }
    Ok(transcoder)
}

/// The beginning of the file's text, as much as one block gives, with what it was made from.
pub(crate) fn head(path: &Path, options: &ReadOptions) -> Result<Head, ReadError> {
    with_unpacked(path, options.max_bytes, None, |unpacked| {
        let mut block = vec![0; BLOCK];
        let held = unpacked.fill(&mut block)?;
        let whole = held < BLOCK;
        foreign::refuse_signature(&block[..held])?;
        let (mut transcoder, mark) = Transcoder::new(Vec::new(), &block[..held], options.encoding);
        refuse_binary(&block[mark..held], transcoder.charset())?;
        transcoder.push(&block[mark..held], whole)?;
        let encoding = transcoder.charset();
        let text = String::from_utf8_lossy(&transcoder.finish()?).into_owned();
        Ok(Head { text, whole, compression: unpacked.compression, encoding })
    })
}

pub(crate) struct Head {
    pub(crate) text: String,
    pub(crate) whole: bool,
    pub(crate) compression: Compression,
    pub(crate) encoding: Charset,
}

/// Text of a single-byte encoding has hardly a control byte; a fifth of them is no text.
fn refuse_binary(bytes: &[u8], encoding: Charset) -> Result<(), ReadError> {
    if encoding.name().starts_with("UTF-16") {
        return Ok(());
    }
    let start = &bytes[..bytes.len().min(4096)];
    let is_control = |&&byte: &&u8| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0C);
    if start.iter().filter(is_control).count() * 10 > start.len() {
        Err(ReadError::Binary { line: 1 })
    } else {
        Ok(())
    }
}
