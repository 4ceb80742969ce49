//! Committing: outputs and offset in one durable write, for the newest owner only. And the state topic.

use std::collections::BTreeSet;
use std::sync::Arc;

use redb::WriteTransaction;

use super::super::snapshots::StateTopic;
use super::super::{CommitError, Committer, Domain, Output, Reader, Retry, Topic, Transaction, accept};
use super::reader::EmbeddedReader;
use super::store::{self, New};
use super::{Ends, Shared, WriteError, take_offset};

pub(super) struct EmbeddedCommitter {
    shared: Arc<Shared>,
    domain: Domain,
    epoch: u64,
    /// Set once this committer is used up.
    over: Option<CommitError>,
}

impl EmbeddedCommitter {
    pub(super) fn new(shared: &Arc<Shared>, domain: Domain, epoch: u64) -> EmbeddedCommitter {
        EmbeddedCommitter { shared: Arc::clone(shared), domain, epoch, over: None }
    }

    fn try_commit(&self, transaction: &Transaction) -> Result<(), CommitError> {
        let metadata = accept(transaction)?;
        let mut writer = self.shared.writer();
        if writer.epochs.get(&self.domain) != Some(&self.epoch) {
            return Err(CommitError::Lost(format!("domain {} has a newer owner", self.domain)));
        }
        let append_ms = self.shared.stamp(&mut self.shared.queue());
        let written = self.shared.write(&mut writer, |tx, next| {
            self.put_outputs(tx, next, append_ms, &transaction.outputs)?;
            store::put_committed(tx, self.domain, transaction.next, &metadata)
        });
        written.map_err(|e| match e {
            WriteError::NotTried(_) => CommitError::Retry(e.to_string()),
            WriteError::Unknown(_) => CommitError::Restore(e.to_string()),
        })
    }

    fn put_outputs(
        &self,
        tx: &WriteTransaction,
        next: &mut Ends,
        append_ms: i64,
        outputs: &[Output],
    ) -> Result<(), redb::Error> {
        let mut touched = BTreeSet::new();
        for Output { topic, key, value } in outputs {
            let new = New { topic: *topic, domain: self.domain, append_ms, key: Some(key), value };
            store::put(tx, take_offset(next, *topic, self.domain), &new)?;
            touched.insert(*topic);
        }
        // A broker's transaction marker takes an offset too; readers must not count on dense ones.
        for topic in touched {
            take_offset(next, topic, self.domain);
        }
        Ok(())
    }
}

impl Committer for EmbeddedCommitter {
    fn commit(&mut self, transaction: &Transaction) -> Result<(), CommitError> {
        if let Some(over) = &self.over {
            return Err(over.clone());
        }
        let done = self.try_commit(transaction);
        if let Err(e @ (CommitError::Restore(_) | CommitError::Lost(_))) = &done {
            self.over = Some(e.clone());
        }
        done
    }
}

pub(super) struct EmbeddedState {
    shared: Arc<Shared>,
    domain: Domain,
}

impl EmbeddedState {
    pub(super) fn new(shared: &Arc<Shared>, domain: Domain) -> EmbeddedState {
        EmbeddedState { shared: Arc::clone(shared), domain }
    }
}

impl StateTopic for EmbeddedState {
    fn put(&mut self, records: &[(String, Vec<u8>)]) -> Result<(), Retry> {
        let append_ms = self.shared.stamp(&mut self.shared.queue());
        let (topic, domain) = (Topic::State, self.domain);
        let written = self.shared.write(&mut self.shared.writer(), |tx, next| {
            records.iter().try_for_each(|(key, value)| {
                let new = New { topic, domain, append_ms, key: Some(key), value };
                store::put(tx, take_offset(next, topic, domain), &new)
            })
        });
        written.map_err(|e| Retry(e.to_string()))
    }

    fn reader(&mut self) -> Result<Box<dyn Reader>, Retry> {
        Ok(Box::new(EmbeddedReader::new(&self.shared, Topic::State, self.domain)))
    }
}
