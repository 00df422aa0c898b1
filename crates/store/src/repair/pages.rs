//! Reads the pages of a database file without SQLite, which gives up a whole table where one page of it is damaged.
//! The format is that of <https://sqlite.org/fileformat.html>.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::error::StoreError;

const MAGIC: &[u8] = b"SQLite format 3\0";
/// Bytes of the header of the file, at the start of page 1.
const FILE_HEADER: usize = 100;
/// The page size of every journal; used if the header cannot be read.
const USUAL_PAGE: usize = 4096;
/// The longest record that is read.
const MAX_PAYLOAD: u64 = 1 << 30;

/// The b-tree page types that hold records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A leaf of a table with rowids.
    Table,
    /// A page of an index, or of a table without rowids.
    Index,
}

/// A record as it is stored; cut off where a page of it is missing.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) kind: Kind,
    pub(super) rowid: i64,
    pub(super) payload: Vec<u8>,
}

/// The pages of a file, with those of its write-ahead log in their place.
pub(super) struct PageFile {
    file: File,
    size: usize,
    usable: usize,
    count: u32,
    /// `PRAGMA user_version`, if the header can be read.
    pub(super) user_version: Option<i32>,
    logged: HashMap<u32, Vec<u8>>,
}

impl PageFile {
    pub(super) fn open(path: &Path, log: &Path) -> Result<Self, StoreError> {
        let mut file = File::open(path)?;
        let mut header = Vec::new();
        file.by_ref().take(FILE_HEADER as u64).read_to_end(&mut header)?;
        let wal = Wal::read(log).filter(|wal| belongs(&header, wal));
        // The log has a copy of the header if page 1 is in it.
        let logged = wal.as_ref().and_then(|wal| wal.pages.get(&1));
        let header = logged.filter(|page| page.starts_with(MAGIC)).map_or(header.as_slice(), Vec::as_slice);
        let sound = header.starts_with(MAGIC) && header.len() >= FILE_HEADER;
        let size = match (sound.then(|| big_endian(header, 16, 2)).flatten(), &wal) {
            (Some(1), _) => 65_536,
            (Some(size @ 512..=32_768), _) if size.is_power_of_two() => size as usize,
            (_, Some(wal)) => wal.page_size,
            _ => USUAL_PAGE,
        };
        let reserved = header.get(20).filter(|_| sound).map_or(0, |byte| usize::from(*byte));
        let user_version = sound.then(|| big_endian(header, 60, 4)).flatten();
        let logged = wal.map(|wal| wal.pages).unwrap_or_default();
        let last = logged.keys().max().copied().unwrap_or(0);
        let pages = file.metadata()?.len().div_ceil(size as u64);
        Ok(Self {
            file,
            size,
            usable: size.saturating_sub(reserved).max(480),
            count: u32::try_from(pages).unwrap_or(u32::MAX).max(last),
            user_version: user_version.map(u32::cast_signed).filter(|version| *version != 0),
            logged,
        })
    }

    /// Calls a function with every record of every b-tree page.
    pub(super) fn each(&mut self, mut take: impl FnMut(Cell)) -> Result<(), StoreError> {
        for number in 1..=self.count {
            let Some(page) = self.page(number)? else { continue };
            let start = if number == 1 { FILE_HEADER } else { 0 };
            let (kind, header) = match page.get(start) {
                Some(0x0d) => (Kind::Table, 8),
                Some(0x0a) => (Kind::Index, 8),
                Some(0x02) => (Kind::Index, 12),
                Some(_) | None => continue,
            };
            let interior = header == 12;
            let cells = big_endian(&page, start + 3, 2).unwrap_or(0) as usize;
            for cell in 0..cells.min(self.size / 4) {
                let Some(offset) = big_endian(&page, start + header + 2 * cell, 2) else { break };
                let offset = offset as usize + if interior { 4 } else { 0 };
                if let Some(cell) = self.cell(&page, offset, kind)? {
                    take(cell);
                }
            }
        }
        Ok(())
    }

    fn page(&mut self, number: u32) -> Result<Option<Vec<u8>>, StoreError> {
        if let Some(page) = self.logged.get(&number) {
            return Ok(Some(page.clone()));
        }
        let Some(index) = number.checked_sub(1).filter(|index| *index < self.count) else { return Ok(None) };
        let mut page = Vec::with_capacity(self.size);
        let read = self
            .file
            .seek(SeekFrom::Start(u64::from(index) * self.size as u64))
            .and_then(|_| self.file.by_ref().take(self.size as u64).read_to_end(&mut page));
        // A sector that cannot be read is damage as well.
        Ok(read.is_ok_and(|n| n > 0).then(|| {
            page.resize(self.size, 0);
            page
        }))
    }

    fn cell(&mut self, page: &[u8], offset: usize, kind: Kind) -> Result<Option<Cell>, StoreError> {
        let mut at = offset;
        let Some(length) = varint(page, &mut at).filter(|n| (1..MAX_PAYLOAD).contains(n)) else { return Ok(None) };
        let length = length as usize;
        let rowid = match kind {
            Kind::Table => match varint(page, &mut at) {
                Some(rowid) => rowid.cast_signed(),
                None => return Ok(None),
            },
            Kind::Index => 0,
        };
        let usable = self.usable;
        let most = match kind {
            Kind::Table => usable - 35,
            Kind::Index => (usable - 12) * 64 / 255 - 23,
        };
        let least = (usable - 12) * 32 / 255 - 23;
        let local = if length <= most {
            length
        } else {
            let fitting = least + (length - least) % (usable - 4);
            if fitting <= most { fitting } else { least }
        };
        let Some(begin) = page.get(at..at + local) else { return Ok(None) };
        let mut payload = begin.to_vec();
        let mut next = if local < length { big_endian(page, at + local, 4).unwrap_or(0) } else { 0 };
        // The chain of a damaged page may contain any page; it ends with the length of the record.
        while payload.len() < length && next != 0 {
            let Some(overflow) = self.page(next)? else { break };
            let part = (length - payload.len()).min(usable - 4);
            let Some(bytes) = overflow.get(4..4 + part) else { break };
            payload.extend_from_slice(bytes);
            next = big_endian(&overflow, 0, 4).unwrap_or(0);
        }
        Ok(Some(Cell { kind, rowid, payload }))
    }
}

/// Whether a log is of the database with this header: both have its random number.
fn belongs(header: &[u8], wal: &Wal) -> bool {
    let number = |header: &[u8]| header.starts_with(MAGIC).then(|| big_endian(header, 60, 4)).flatten();
    match (number(header), wal.pages.get(&1).and_then(|page| number(page))) {
        (Some(file), Some(log)) => file == 0 || file == log,
        _ => true,
    }
}

/// The committed pages of a write-ahead log.
struct Wal {
    page_size: usize,
    pages: HashMap<u32, Vec<u8>>,
}

impl Wal {
    /// Reads a log up to the last commit before the first frame that is not sound; `None` if there is none.
    fn read(path: &Path) -> Option<Self> {
        const HEADER: usize = 32;
        const FRAME: usize = 24;
        let bytes = std::fs::read(path).ok()?;
        let big = match big_endian(&bytes, 0, 4)? {
            0x377f_0682 => false,
            0x377f_0683 => true,
            _ => return None,
        };
        let page_size = big_endian(&bytes, 8, 4)? as usize;
        if !page_size.is_power_of_two() || !(512..=65_536).contains(&page_size) {
            return None;
        }
        let salts = bytes.get(16..24)?;
        let mut sum = checksum(bytes.get(..24)?, (0, 0), big);
        if (big_endian(&bytes, 24, 4)?, big_endian(&bytes, 28, 4)?) != sum {
            return None;
        }
        let (mut pages, mut pending) = (HashMap::new(), Vec::new());
        for frame in bytes.get(HEADER..)?.chunks_exact(FRAME + page_size) {
            let (head, page) = frame.split_at(FRAME);
            sum = checksum(&head[..8], sum, big);
            sum = checksum(page, sum, big);
            if head.get(8..16)? != salts || (big_endian(head, 16, 4)?, big_endian(head, 20, 4)?) != sum {
                break;
            }
            pending.push((big_endian(head, 0, 4)?, page.to_vec()));
            // The last frame of a transaction carries the size of the database.
            if big_endian(head, 4, 4)? != 0 {
                pages.extend(pending.drain(..));
            }
        }
        Some(Self { page_size, pages })
    }
}

/// The checksum of a write-ahead log, <https://sqlite.org/fileformat.html#checksum_algorithm>.
fn checksum(bytes: &[u8], (mut first, mut second): (u32, u32), big: bool) -> (u32, u32) {
    for pair in bytes.chunks_exact(8) {
        let (a, b) = pair.split_at(4);
        let word = |bytes: &[u8]| {
            let number = bytes.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
            if big { number } else { number.swap_bytes() }
        };
        first = first.wrapping_add(word(a)).wrapping_add(second);
        second = second.wrapping_add(word(b)).wrapping_add(first);
    }
    (first, second)
}

/// An unsigned number of `width` bytes.
fn big_endian(bytes: &[u8], offset: usize, width: usize) -> Option<u32> {
    let bytes = bytes.get(offset..offset.checked_add(width)?)?;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}

/// SQLite's variable-length integer: 7 bits a byte, and 8 in the ninth.
pub(super) fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut number = 0_u64;
    for n in 0..9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if n == 8 {
            return Some(number << 8 | u64::from(byte));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    Some(number)
}
