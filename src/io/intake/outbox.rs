//! What was sealed and is not yet durable, in order: sent when the log has room, sent again after it had stopped.

use super::Broken;
use super::lane::Sealed;
use crate::io::log::{AppendError, Appender, Stopped, Ticket};
use crate::wire::batch;
use std::collections::VecDeque;

/// No more events are taken while so many bytes wait to become durable.
const ROOM: usize = 16 << 20;
/// A batch that waited longer than this, in ms of the append clock, is no longer the newest that its source has.
const LATE: i64 = 2_000;

/// A record on its way.
pub(super) struct Parcel {
    what: What,
    ticket: Ticket,
}

enum What {
    Batch { lane: usize, sealed: Sealed },
    Letter { key: String, value: Vec<u8> },
}

impl Parcel {
    pub(super) fn batch(lane: usize, sealed: Sealed) -> Self {
        Self { what: What::Batch { lane, sealed }, ticket: Ticket(0) }
    }

    pub(super) fn letter(key: String, value: Vec<u8>) -> Self {
        Self { what: What::Letter { key, value }, ticket: Ticket(0) }
    }

    fn bytes(&self) -> usize {
        match &self.what {
            What::Batch { sealed, .. } => sealed.bytes.len(),
            What::Letter { value, .. } => value.len(),
        }
    }

    fn send(&mut self, appender: &mut dyn Appender, now: i64) -> Result<Ticket, AppendError> {
        match &mut self.what {
            What::Batch { sealed, .. } => {
                sealed.grow_late(now);
                appender.append(&sealed.bytes)
            }
            What::Letter { key, value } => appender.dead_letter(key, value),
        }
    }
}

impl Sealed {
    /// A batch that was kept waiting cannot say that its source has no more: events have come meanwhile.
    fn grow_late(&mut self, now: i64) {
        if now - self.at > LATE
            && let Some(progress) = self.late_progress.take()
            && let Ok(bytes) = batch::belated(&self.bytes, progress)
        {
            self.bytes = bytes;
        }
    }
}

/// See the module.
pub(super) struct Outbox {
    appender: Box<dyn Appender>,
    /// The first `sent` have tickets.
    queue: VecDeque<Parcel>,
    sent: usize,
    bytes: usize,
    trouble: Option<String>,
}

impl Outbox {
    pub(super) fn new(appender: Box<dyn Appender>) -> Self {
        Self { appender, queue: VecDeque::new(), sent: 0, bytes: 0, trouble: None }
    }

    pub(super) fn push(&mut self, parcel: Parcel) {
        self.bytes += parcel.bytes();
        self.queue.push_back(parcel);
    }

    pub(super) fn has_room(&self) -> bool {
        self.bytes < ROOM
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Sends what there is room for and tells `durable` of every lane and position that is safe. Gives how many records
    /// have to be sent again.
    pub(super) fn pump(&mut self, now: i64, mut durable: impl FnMut(usize, i64)) -> Result<u64, Broken> {
        if self.queue.is_empty() {
            return Ok(0);
        }
        self.send(now)?;
        match self.appender.acked() {
            Ok(ticket) => {
                self.settle(ticket, &mut durable);
                self.send(now)?;
                Ok(0)
            }
            Err(Stopped { acked, reason }) => {
                self.settle(acked, &mut durable);
                let again = std::mem::take(&mut self.sent);
                tracing::warn!(again, "the log stopped: {reason}");
                self.trouble = Some(reason);
                if let Err(retry) = self.appender.resume() {
                    self.trouble = Some(retry.to_string());
                }
                Ok(again as u64)
            }
        }
    }

    fn send(&mut self, now: i64) -> Result<(), Broken> {
        while let Some(parcel) = self.queue.get_mut(self.sent) {
            let before = parcel.bytes();
            match parcel.send(&mut *self.appender, now) {
                Ok(ticket) => parcel.ticket = ticket,
                Err(AppendError::Full | AppendError::Stopped) => return Ok(()),
                Err(error @ AppendError::TooLarge { .. }) => return Err(Broken(error.to_string())),
            }
            self.bytes = self.bytes + parcel.bytes() - before;
            self.sent += 1;
        }
        Ok(())
    }

    /// Lets go of all up to a ticket.
    fn settle(&mut self, ticket: Ticket, durable: &mut impl FnMut(usize, i64)) {
        while self.sent > 0 && self.queue.front().is_some_and(|parcel| parcel.ticket <= ticket) {
            let Some(parcel) = self.queue.pop_front() else { return };
            (self.sent, self.bytes) = (self.sent - 1, self.bytes - parcel.bytes());
            self.trouble = None;
            if let What::Batch { lane, sealed } = parcel.what {
                durable(lane, sealed.to);
            }
        }
    }
}
