//! What was delivered, by what is wrong with it.

/// Deliveries by what is wrong with them, up to some delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Counts {
    /// Everything delivered.
    pub delivered: u64,
    /// Distinct sound events.
    pub events: u64,
    /// Exact repeats.
    pub duplicates: u64,
    /// Sound events that were overtaken by later ones, late ones included.
    pub disordered: u64,
    /// Of these, sound events that came minutes to hours late.
    pub late: u64,
    /// Corrections (`fact.replaced`).
    pub replaced: u64,
    /// Withdrawals (`fact.voided`).
    pub voided: u64,
    /// Records that no processor can use: each belongs into the dead letters.
    pub broken: u64,
}

/// What one delivery was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::io::traffic) enum Delivered {
    Sound { delayed: bool, late: bool, replaces: bool, voids: bool },
    Duplicate,
    Broken,
}

impl Counts {
    pub(super) fn add(&mut self, kind: Delivered) {
        self.delivered += 1;
        match kind {
            Delivered::Duplicate => self.duplicates += 1,
            Delivered::Broken => self.broken += 1,
            Delivered::Sound { delayed, late, replaces, voids } => {
                self.events += 1;
                self.disordered += u64::from(delayed);
                self.late += u64::from(late);
                self.replaced += u64::from(replaces);
                self.voided += u64::from(voids);
            }
        }
    }
}
