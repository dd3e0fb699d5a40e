//! Opening a file that may be compressed: gzip (of several members too), zstd, or a zip with one CSV in it.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zip::ZipArchive;

use crate::{ReadError, foreign};

/// How a file is compressed, told by its first bytes and not by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Plain.
    None,
    /// gzip, of one or more members.
    Gzip,
    /// Zstandard.
    Zstd,
    /// A zip archive that holds one CSV file.
    Zip,
}

impl Compression {
    /// Its name: `plain`, `gzip`, `zstd` or `zip`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Zip => "zip",
        }
    }

    fn of(magic: &[u8]) -> Self {
        match magic {
            [0x1F, 0x8B, ..] => Self::Gzip,
            [0x28, 0xB5, 0x2F, 0xFD] => Self::Zstd,
            [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6] => Self::Zip,
            _ => Self::None,
        }
    }
}

/// The plain bytes of a file, whatever it was compressed with.
pub(crate) struct Unpacked<'a> {
    reader: &'a mut dyn Read,
    pub(crate) compression: Compression,
    left: u64,
    limit: u64,
}

impl Unpacked<'_> {
    /// Reads until `buf` is full or nothing is left; gives how many bytes were read.
    pub(crate) fn fill(&mut self, buf: &mut [u8]) -> Result<usize, ReadError> {
        let mut filled = 0;
        while filled < buf.len() {
            match self.reader.read(&mut buf[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(decoding_error(self.compression, error)),
            }
        }
        let name = self.compression.as_str();
        self.left = self
            .left
            .checked_sub(filled as u64)
            .ok_or(ReadError::TooLarge { compression: name, limit: self.limit })?;
        Ok(filled)
    }
}

/// A decoder reports bad data as an IO error; one of the operating system stays one.
fn decoding_error(compression: Compression, error: io::Error) -> ReadError {
    if compression == Compression::None || error.raw_os_error().is_some() {
        return ReadError::Io(error);
    }
    let compression = compression.as_str();
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ReadError::Truncated { compression },
        _ => ReadError::Damaged { compression, reason: error.to_string() },
    }
}

/// Opens `path` and hands its unpacked bytes to `read`. With `hash`, the file's bytes as they stand on disk are
/// hashed to their end. At most `limit` bytes come out of a compressed file.
pub(crate) fn with_unpacked<T>(
    path: &Path,
    limit: u64,
    hash: Option<&mut Sha256>,
    read: impl FnOnce(&mut Unpacked<'_>) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    let mut file = File::open(path).map_err(|source| ReadError::Open { path: path.to_owned(), source })?;
    let mut magic = Vec::with_capacity(4);
    (&file).take(4).read_to_end(&mut magic).map_err(ReadError::Io)?;
    file.seek(SeekFrom::Start(0)).map_err(ReadError::Io)?;
    let compression = Compression::of(&magic);
    let limit = if compression == Compression::None { u64::MAX } else { limit };
    let unpack = |reader: &mut dyn Read| read(&mut Unpacked { reader, compression, left: limit, limit });

    if compression == Compression::Zip {
        let result = with_zip_member(&file, unpack)?;
        if let Some(hash) = hash {
            file.seek(SeekFrom::Start(0)).map_err(ReadError::Io)?;
            drain(&mut HashingReader { file: &file, hash: Some(hash) })?;
        }
        return Ok(result);
    }
    let wanted = hash.is_some();
    let mut hashing = HashingReader { file: &file, hash };
    let result = match compression {
        Compression::Gzip => unpack(&mut MultiGzDecoder::new(BufReader::new(&mut hashing))),
        Compression::Zstd => {
            let mut decoder = zstd::Decoder::new(&mut hashing).map_err(ReadError::Io)?;
            unpack(&mut decoder)
        }
        Compression::None | Compression::Zip => unpack(&mut hashing),
    }?;
    if wanted {
        drain(&mut hashing)?;
    }
    Ok(result)
}

fn drain(reader: &mut impl Read) -> Result<(), ReadError> {
    io::copy(reader, &mut io::sink()).map_err(ReadError::Io)?;
    Ok(())
}

struct HashingReader<'a> {
    file: &'a File,
    hash: Option<&'a mut Sha256>,
}

impl Read for HashingReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buf)?;
        if let Some(hash) = &mut self.hash {
            hash.update(&buf[..read]);
        }
        Ok(read)
    }
}

fn with_zip_member<T>(
    file: &File,
    unpack: impl FnOnce(&mut dyn Read) -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(damaged_zip)?;
    let names = archive
        .file_names()
        .map(|name| name.map(std::borrow::Cow::into_owned).map_err(damaged_zip))
        .collect::<Result<Vec<String>, ReadError>>()?;
    for name in &names {
        foreign::refuse_office_member(name)?;
    }
    let index = choose_member(&names)?;
    let mut member = archive.by_index(index).map_err(damaged_zip)?;
    unpack(&mut member)
}

fn damaged_zip(error: zip::result::ZipError) -> ReadError {
    match error {
        zip::result::ZipError::Io(error) => decoding_error(Compression::Zip, error),
        error => ReadError::Damaged { compression: Compression::Zip.as_str(), reason: error.to_string() },
    }
}

/// The only file, or the only one that is named like a CSV; what operating systems add does not count.
fn choose_member(names: &[String]) -> Result<usize, ReadError> {
    let base = |name: &str| name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let files: Vec<usize> = (0..names.len())
        .filter(|&index| {
            let name = &names[index];
            !name.ends_with('/') && !name.starts_with("__MACOSX/") && !base(name).starts_with('.')
        })
        .collect();
    let is_csv = |&index: &usize| {
        Path::new(&base(&names[index]))
            .extension()
            .is_some_and(|end| end == "csv" || end == "tsv" || end == "txt")
    };
    let csvs: Vec<usize> = files.iter().copied().filter(is_csv).collect();
    match (files.as_slice(), csvs.as_slice()) {
        ([only], _) | (_, [only]) => Ok(*only),
        ([], _) => Err(ReadError::ZipMembers { found: "no file".to_owned() }),
        _ => {
            let listed: Vec<&str> = files.iter().take(5).map(|&index| names[index].as_str()).collect();
            let more = if files.len() > listed.len() { ", …" } else { "" };
            let found = format!("{} files ({}{more})", files.len(), listed.join(", "));
            Err(ReadError::ZipMembers { found })
        }
    }
}
