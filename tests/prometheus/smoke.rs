//! A scrape is a query away, and a query that finds nothing or is wrong says so.

use crate::support::prometheus::Prometheus;
use axum::Router;
use axum::routing::get;
use std::time::Duration;

const TO_SCRAPE: Duration = Duration::from_secs(30);

/// Serves one gauge for as long as the test process lives; `host:port`.
fn exporter() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    listener.set_nonblocking(true).expect("a socket for the runtime");
    let address = listener.local_addr().expect("the port just bound").to_string();
    let router = Router::new().route("/metrics", get(|| async { "queue_waiting{queue=\"billing\"} 3\n" }));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a socket for the runtime");
            axum::serve(listener, router).await.expect("the exporter serves");
        });
    });
    address
}

#[test]
fn a_scraped_gauge_is_returned_by_its_query() {
    let prometheus = Prometheus::start(&Prometheus::scraping("smoke", &exporter()));
    prometheus.wait_for("queue_waiting", TO_SCRAPE);

    assert_eq!(prometheus.value("sum(queue_waiting{queue=\"billing\"}) + 1"), Ok(4.0));
    assert_eq!(prometheus.query("queue_waiting{queue=\"sales\"}"), Ok(vec![]));
    assert!(prometheus.query("sum(").is_err());
}
