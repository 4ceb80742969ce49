//! Metric families in the making: every series added by name, labels in order.

use std::collections::BTreeMap;

use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};

use crate::model::units::Fraction;

/// Families by name; a family appears with its first series.
#[derive(Default)]
pub(super) struct Families(BTreeMap<String, MetricFamily>);

impl Families {
    /// Adds one series; a name that ends in `_total` is a counter.
    pub(super) fn add(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: f64) {
        let name = format!("shiftpulse_{}", sane(name));
        let counts = name.ends_with("_total");
        let family = self.0.entry(name.clone()).or_insert_with(|| {
            let mut family = MetricFamily::default();
            family.set_name(name);
            family.set_help(help.to_owned());
            family.set_field_type(if counts { MetricType::COUNTER } else { MetricType::GAUGE });
            family
        });
        let mut metric = Metric::default();
        let mut labels = labels.to_vec();
        labels.sort_unstable();
        metric.set_label(labels.into_iter().map(|(name, text)| pair(name, text)).collect());
        if counts {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        family.mut_metric().push(metric);
    }

    pub(super) fn ratio(&mut self, name: &str, help: &str, labels: &[(&str, &str)], value: Fraction) {
        if let Some(value) = value.quotient() {
            self.add(name, help, labels, value);
        }
    }

    pub(super) fn finish(self) -> Vec<MetricFamily> {
        self.0.into_values().collect()
    }
}

/// Names of measures are data; a metric name has letters, digits and underscores.
fn sane(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

fn pair(name: &str, value: &str) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}
