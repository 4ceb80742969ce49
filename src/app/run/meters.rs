//! What feeders and pushers have counted, for `/metrics`.

use crate::io::alertmanager::PushCounters;
use crate::io::http::ServiceValue;
use crate::io::intake::Counts;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Counters of the parts of the service that have no domain.
#[derive(Debug, Default)]
pub struct Meters {
    intakes: Mutex<BTreeMap<String, Counts>>,
    pushers: Mutex<BTreeMap<String, Arc<PushCounters>>>,
}

impl Meters {
    /// Notes how far the intake of a source has counted.
    pub fn intake(&self, source: &str, counts: &Counts) {
        let mut intakes = self.intakes.lock().unwrap_or_else(PoisonError::into_inner);
        if intakes.get(source) != Some(counts) {
            intakes.insert(source.to_owned(), counts.clone());
        }
    }

    /// The counters of the pusher to an Alertmanager.
    pub fn pusher(&self, url: &str) -> Arc<PushCounters> {
        let mut pushers = self.pushers.lock().unwrap_or_else(PoisonError::into_inner);
        pushers.entry(url.to_owned()).or_default().clone()
    }

    /// All of them as series.
    pub fn values(&self) -> Vec<ServiceValue> {
        let intakes = self.intakes.lock().unwrap_or_else(PoisonError::into_inner);
        let pushers = self.pushers.lock().unwrap_or_else(PoisonError::into_inner);
        let intakes = intakes.iter().flat_map(|(source, counts)| intake_values(source, counts));
        intakes.chain(pushers.iter().flat_map(|(url, counters)| pusher_values(url, counters))).collect()
    }
}

/// A part of the service that is kept from working.
pub fn trouble(part: &str) -> ServiceValue {
    ServiceValue {
        name: "trouble".to_owned(),
        help: "1 while a part of the service is kept from working; /readyz says why.",
        labels: vec![("part", part.to_owned())],
        value: 1.0,
    }
}

fn intake_values(source: &str, counts: &Counts) -> Vec<ServiceValue> {
    let value = |name: &str, help, value: u64| counted(name, help, &[("source", source)], value);
    let mut values = vec![
        value("intake_facts_total", "Events taken as facts.", counts.facts),
        value("intake_repeated_total", "Events whose position was read before.", counts.repeated),
        value("intake_batches_total", "Batches with facts.", counts.batches),
        value("intake_heartbeats_total", "Batches without facts.", counts.heartbeats),
        value("intake_bytes_total", "Bytes of all batches.", counts.bytes),
        value("intake_sent_again_total", "Records sent again after the log had stopped.", counts.sent_again),
        value("dead_letters_total", "Events refused by the intake.", counts.refused.values().sum()),
    ];
    values.extend(counts.refused.iter().map(|(reason, n)| {
        let labels = [("source", source), ("reason", *reason)];
        counted("dead_letters_by_reason_total", "Events refused by the intake.", &labels, *n)
    }));
    values
}

fn pusher_values(url: &str, counters: &PushCounters) -> Vec<ServiceValue> {
    let value = |name: &str, help, counter: &AtomicU64| {
        counted(name, help, &[("url", url)], counter.load(Ordering::Relaxed))
    };
    vec![
        value("alertmanager_accepted_total", "Alerts that Alertmanager took.", &counters.accepted),
        value("alertmanager_failed_total", "Posts to Alertmanager that failed.", &counters.failed),
        value("alertmanager_unreadable_total", "Alerts that could not be read.", &counters.unreadable),
    ]
}

fn counted(name: &str, help: &'static str, labels: &[(&'static str, &str)], value: u64) -> ServiceValue {
    let labels = labels.iter().map(|(label, text)| (*label, (*text).to_owned())).collect();
    ServiceValue { name: name.to_owned(), help, labels, value: value as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_without_dead_letters_has_a_nought_so_that_the_first_one_is_a_rise() {
        let meters = Meters::default();
        meters.intake("http", &Counts::default());
        let letters = |meters: &Meters| {
            let values = meters.values().into_iter();
            let of = values.filter(|value| value.name == "dead_letters_total").map(|value| value.value);
            of.collect::<Vec<_>>()
        };
        assert_eq!(letters(&meters), [0.0]);
        let refused = [("not_json", 2), ("missing", 1)].into();
        meters.intake("http", &Counts { refused, ..Counts::default() });
        assert_eq!(letters(&meters), [3.0]);
    }

    #[test]
    fn a_pusher_counts_where_the_meters_look() {
        let meters = Meters::default();
        meters.pusher("http://a").failed.fetch_add(2, Ordering::Relaxed);
        let failed = meters.values().into_iter().find(|value| value.name == "alertmanager_failed_total");
        assert_eq!(
            failed.map(|value| (value.labels, value.value)),
            Some((vec![("url", "http://a".into())], 2.0))
        );
    }
}
