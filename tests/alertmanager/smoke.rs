//! An alert that is posted pages once, and its end is told once.

use crate::support::alertmanager::Alertmanager;
use crate::support::webhook::{Post, Webhook};
use serde_json::{Value, json};
use std::time::Duration;

const TO_ARRIVE: Duration = Duration::from_secs(30);

fn told(status: &'static str) -> impl Fn(&Post) -> bool {
    move |post| post.body["status"] == status && post.body["alerts"][0]["labels"]["queue"] == "billing"
}

fn alert(ends_at: &str) -> Value {
    let labels = json!({ "alertname": "answer_rate_low", "queue": "billing" });
    json!([{ "labels": labels, "startsAt": "2026-01-01T00:00:00Z", "endsAt": ends_at }])
}

#[test]
fn an_alert_reaches_the_webhook_and_resolves_when_its_end_is_posted() {
    let webhook = Webhook::start();
    let alertmanager = Alertmanager::start(&Alertmanager::routing_to(&webhook.url("/page")));

    alertmanager.post(&alert("2999-01-01T00:00:00Z"));
    let page = webhook.wait_for("the page", TO_ARRIVE, told("firing"));
    assert_eq!(page.path, "/page");
    assert_eq!(alertmanager.alerts().len(), 1);

    alertmanager.post(&alert("2026-01-01T00:01:00Z"));
    webhook.wait_for("the resolution", TO_ARRIVE, told("resolved"));
    assert_eq!(webhook.posts().len(), 2);
}
