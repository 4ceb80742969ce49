//! The log in virtual time: nobody waits for the wall, what is not there is not there.

use shiftpulse::io::log::{
    Appender, Committed, Domain, Log, Membership, Owned, ReadError, Reader, Record, Retry, Start, Topic,
};
use std::time::Duration;

/// A log whose readers never wait.
pub struct Impatient<L>(pub L);

struct Now(Box<dyn Reader>);

impl Reader for Now {
    fn poll(&mut self, _wait: Duration) -> Result<Option<Record>, ReadError> {
        self.0.poll(Duration::ZERO)
    }
    fn caught_up(&self) -> bool {
        self.0.caught_up()
    }
    fn seek(&mut self, from: Start) -> Result<(), ReadError> {
        self.0.seek(from)
    }
    fn bounds(&mut self) -> Result<(i64, i64), ReadError> {
        self.0.bounds()
    }
}

impl<L: Log> Log for Impatient<L> {
    fn domains(&self) -> u32 {
        self.0.domains()
    }
    fn appender(&self, domain: Domain) -> Box<dyn Appender> {
        self.0.appender(domain)
    }
    fn own(&self, domain: Domain) -> Result<Owned, Retry> {
        let owned = self.0.own(domain)?;
        Ok(Owned { facts: Box::new(Now(owned.facts)), ..owned })
    }
    fn committed(&self, domain: Domain) -> Result<Option<Committed>, Retry> {
        self.0.committed(domain)
    }
    fn tail(&self, topic: Topic, domain: Domain, from: Start) -> Result<Box<dyn Reader>, Retry> {
        Ok(Box::new(Now(self.0.tail(topic, domain, from)?)))
    }
    fn join(&self) -> Result<Box<dyn Membership>, Retry> {
        self.0.join()
    }
}
