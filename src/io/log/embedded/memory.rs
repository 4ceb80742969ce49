//! Storage in memory that grows by whole chunks.
//!
//! The library's own memory backend is one growing vector, and each growth copies it: stalls of up to seconds.

use std::fmt;
use std::io::{Error, ErrorKind, Result};
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use redb::StorageBackend;

const CHUNK: usize = 1 << 20;

/// Bytes in memory. Clones share them, so that a log can be closed and opened again on what it wrote.
#[derive(Clone, Default)]
pub struct Memory(Arc<RwLock<Image>>);

#[derive(Clone, Default)]
struct Image {
    chunks: Vec<Box<[u8]>>,
    len: u64,
}

impl Memory {
    /// A copy that shares nothing.
    pub fn fork(&self) -> Memory {
        let image = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        Memory(Arc::new(RwLock::new(image)))
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let image = self.0.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Memory").field("len", &image.len).finish()
    }
}

impl Image {
    fn resize(&mut self, len: u64) {
        let whole = usize::try_from(len.div_ceil(CHUNK as u64)).unwrap_or(usize::MAX);
        self.chunks.truncate(whole);
        self.chunks.resize_with(whole, || vec![0; CHUNK].into_boxed_slice());
        if len < self.len && !len.is_multiple_of(CHUNK as u64) {
            let kept = (len % CHUNK as u64) as usize;
            self.chunks[whole - 1][kept..].fill(0);
        }
        self.len = len;
    }
}

/// The pieces of `offset..offset + len`: chunk, range in the chunk, range in the caller's buffer.
fn pieces(offset: u64, len: usize) -> impl Iterator<Item = (usize, Range<usize>, Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == len {
            return None;
        }
        let at = offset as usize + done;
        let start = at % CHUNK;
        let n = (CHUNK - start).min(len - done);
        done += n;
        Some((at / CHUNK, start..start + n, done - n..done))
    })
}

fn inside(image: &Image, offset: u64, len: usize) -> Result<()> {
    match offset.checked_add(len as u64) {
        Some(end) if end <= image.len => Ok(()),
        _ => Err(Error::new(ErrorKind::UnexpectedEof, "beyond the end of the storage")),
    }
}

impl StorageBackend for Memory {
    fn len(&self) -> Result<u64> {
        Ok(self.0.read().unwrap_or_else(PoisonError::into_inner).len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let image = self.0.read().unwrap_or_else(PoisonError::into_inner);
        inside(&image, offset, out.len())?;
        for (chunk, from, to) in pieces(offset, out.len()) {
            out[to].copy_from_slice(&image.chunks[chunk][from]);
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.0.write().unwrap_or_else(PoisonError::into_inner).resize(len);
        Ok(())
    }

    fn sync_data(&self) -> Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        let mut image = self.0.write().unwrap_or_else(PoisonError::into_inner);
        inside(&image, offset, data.len())?;
        for (chunk, to, from) in pieces(offset, data.len()) {
            image.chunks[chunk][to].copy_from_slice(&data[from]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_across_chunks_reads_back() {
        let memory = Memory::default();
        memory.set_len(3 * CHUNK as u64).unwrap();
        let data: Vec<u8> = (0..CHUNK + 10).map(|i| i as u8 | 1).collect();
        memory.write(CHUNK as u64 - 5, &data).unwrap();
        let mut back = vec![0; data.len()];
        memory.read(CHUNK as u64 - 5, &mut back).unwrap();
        assert!(back == data);
        let mut edge = [9; 6];
        memory.read(CHUNK as u64 - 11, &mut edge).unwrap();
        assert_eq!(edge, [0; 6]);
    }

    #[test]
    fn what_was_cut_off_comes_back_as_zeros() {
        let memory = Memory::default();
        memory.set_len(100).unwrap();
        memory.write(0, &[7; 100]).unwrap();
        memory.set_len(50).unwrap();
        memory.set_len(100).unwrap();
        let mut out = [1; 100];
        memory.read(0, &mut out).unwrap();
        assert_eq!((out[49], out[50], out[99]), (7, 0, 0));
    }

    #[test]
    fn beyond_the_end_is_an_error() {
        let memory = Memory::default();
        memory.set_len(10).unwrap();
        assert!(memory.read(8, &mut [0; 3]).is_err());
        assert!(memory.write(u64::MAX, &[0; 3]).is_err());
    }
}
