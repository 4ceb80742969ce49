//! Storage whose power can fail: at a chosen sync, what was not synced before is lost, torn or kept at random.
//!
//! For the tests of the log and for the simulation. One [`Power`] is the disk; [`Power::plug`] starts a life on it, and
//! when the power is cut every call of that life fails until the next one is plugged in.

use std::fmt;
use std::io::{Error, Result};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

use super::memory::Memory;

/// A disk with a cache that needs power.
#[derive(Clone)]
pub struct Power(Arc<Mutex<Disk>>);

struct Disk {
    durable: Memory,
    working: Memory,
    unsynced: Vec<Change>,
    syncs: u64,
    cut_at: Option<(u64, Cut)>,
    life: u64,
    dice: u64,
}

enum Change {
    Len(u64),
    Bytes(u64, Vec<u8>),
}

/// When the power fails, relative to the sync it was set for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Before anything of it is on disk, except by chance.
    Before,
    /// All of it is on disk, but nobody is told.
    After,
}

impl Power {
    /// An empty disk; `seed` decides which unsynced writes survive a cut.
    pub fn new(seed: u64) -> Power {
        Power(Arc::new(Mutex::new(Disk {
            durable: Memory::default(),
            working: Memory::default(),
            unsynced: Vec::new(),
            syncs: 0,
            cut_at: None,
            life: 0,
            dice: seed.wrapping_mul(2).wrapping_add(1),
        })))
    }

    /// Starts a new life on what the last one left behind.
    pub fn plug(&self) -> Plugged {
        let mut disk = self.disk();
        disk.lose_power();
        Plugged { life: disk.life, disk: self.clone() }
    }

    /// Cuts the power at the `n`-th sync from now, counted from 0.
    pub fn cut_at(&self, n: u64, cut: Cut) {
        let mut disk = self.disk();
        disk.cut_at = Some((disk.syncs + n, cut));
    }

    /// Cuts the power now.
    pub fn cut(&self) {
        self.disk().lose_power();
    }

    /// Syncs so far.
    pub fn syncs(&self) -> u64 {
        self.disk().syncs
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk {
    fn lose_power(&mut self) {
        for change in std::mem::take(&mut self.unsynced) {
            match self.roll() % 3 {
                0 => {}
                1 => apply(&self.durable, &change, false),
                _ => apply(&self.durable, &change, true),
            }
        }
        self.working = self.durable.fork();
        self.life += 1;
        self.cut_at = None;
    }

    /// A xorshift: which writes survive must follow from the seed.
    fn roll(&mut self) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice >> 8
    }

    fn sync(&mut self) -> Result<()> {
        let cut = self.cut_at.filter(|(n, _)| *n == self.syncs).map(|(_, cut)| cut);
        self.syncs += 1;
        if cut != Some(Cut::Before) {
            for change in std::mem::take(&mut self.unsynced) {
                apply(&self.durable, &change, true);
            }
        }
        if cut.is_some() {
            self.lose_power();
            return Err(Error::other("the power was cut"));
        }
        Ok(())
    }
}

/// Brings one write to the disk, or only its first half.
fn apply(disk: &Memory, change: &Change, whole: bool) {
    let reach = |len: u64| {
        if disk.len().is_ok_and(|now| now < len) {
            let _ = disk.set_len(len);
        }
    };
    match change {
        Change::Len(len) => drop(disk.set_len(*len)),
        Change::Bytes(offset, data) => {
            let n = if whole { data.len() } else { data.len() / 2 };
            reach(offset + n as u64);
            let _ = disk.write(*offset, &data[..n]);
        }
    }
}

/// One life on a [`Power`] disk.
pub struct Plugged {
    life: u64,
    disk: Power,
}

impl Plugged {
    fn alive(&self) -> Result<MutexGuard<'_, Disk>> {
        let disk = self.disk.disk();
        if disk.life == self.life { Ok(disk) } else { Err(Error::other("no power")) }
    }
}

impl fmt::Debug for Plugged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugged").field("life", &self.life).finish()
    }
}

impl StorageBackend for Plugged {
    fn len(&self) -> Result<u64> {
        self.alive()?.working.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        self.alive()?.working.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let mut disk = self.alive()?;
        disk.unsynced.push(Change::Len(len));
        disk.working.set_len(len)
    }

    fn sync_data(&self) -> Result<()> {
        self.alive()?.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        let mut disk = self.alive()?;
        disk.unsynced.push(Change::Bytes(offset, data.to_vec()));
        disk.working.write(offset, data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn byte(backend: &Plugged) -> Result<u8> {
        let mut out = [0];
        backend.read(0, &mut out)?;
        Ok(out[0])
    }

    #[test]
    fn synced_bytes_survive_and_an_old_life_is_dead() {
        let power = Power::new(1);
        let first = power.plug();
        first.set_len(8).unwrap();
        first.write(0, &[5; 8]).unwrap();
        first.sync_data().unwrap();
        power.cut();
        assert!(byte(&first).is_err());
        assert_eq!(byte(&power.plug()).unwrap(), 5);
    }

    #[test]
    fn unsynced_bytes_are_lost_under_some_seed() {
        let lost = (0..20).any(|seed| {
            let power = Power::new(seed);
            let first = power.plug();
            first.set_len(8).unwrap();
            first.sync_data().unwrap();
            first.write(0, &[5; 8]).unwrap();
            power.cut();
            byte(&power.plug()).unwrap() == 0
        });
        assert!(lost);
    }

    #[test]
    fn a_cut_after_the_sync_keeps_the_bytes_and_reports_an_error() {
        let power = Power::new(3);
        let first = power.plug();
        first.set_len(8).unwrap();
        first.write(0, &[5; 8]).unwrap();
        power.cut_at(0, Cut::After);
        assert!(first.sync_data().is_err());
        assert_eq!(byte(&power.plug()).unwrap(), 5);
    }
}
