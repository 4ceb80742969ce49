//! The browser is a real one: it has Chinese letters, colours, sizes, cookies and a console.

use crate::support::chromium::Browser;
use axum::Router;
use axum::http::HeaderMap;
use axum::response::Html;
use axum::routing::get;
use serde_json::json;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);
const PAGE: &str = r#"<!doctype html><html lang="zh"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>班次看板</title>
<h1>排队 3</h1><script>
setTimeout(() => { document.body.dataset.ready = "yes"; console.warn("late", 7); nowhere(); }, 50);
</script>"#;

/// Serves the page, and what cookies arrived under `/cookies`, for as long as the test process lives.
fn site() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    listener.set_nonblocking(true).expect("a socket for the runtime");
    let address = format!("http://{}", listener.local_addr().expect("the port just bound"));
    let cookies = |headers: HeaderMap| async move {
        format!("{:?} {:?}", headers.get("cookie"), headers.get("accept-language"))
    };
    let icon = get(|| async { "" });
    let router = Router::new()
        .route("/", get(|| async { Html(PAGE) }))
        .route("/cookies", get(cookies))
        .route("/favicon.ico", icon);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a socket for the runtime");
            axum::serve(listener, router).await.expect("the site serves");
        });
    });
    address
}

#[test]
fn a_page_is_seen_as_a_person_sees_it() {
    let (browser, site) = (Browser::start(), site());
    let mut page = browser.page();
    page.viewport(390, 844);
    page.color_scheme("dark");
    page.cookie(&site, "language", "zh");
    page.languages("zh-CN");
    page.go(&site);

    assert_eq!(page.evaluate("document.title"), "班次看板");
    assert_eq!(page.text("h1").as_deref(), Some("排队 3"));
    assert_eq!(page.text("h2"), None);
    assert_eq!(
        page.evaluate("[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]"),
        json!([390, true])
    );
    let seen = page.evaluate("fetch('/cookies').then(answer => answer.text())");
    assert_eq!(seen, "Some(\"language=zh\") Some(\"zh-CN\")");

    page.wait_for("the page's script", "document.body.dataset.ready", SOON);
    let console = page.console();
    assert_eq!(console[0], "warning: late 7");
    assert!(console[1].starts_with("exception: ReferenceError: nowhere"), "{console:?}");
    assert_eq!(page.console().len(), 0, "each message is told once");
}

#[test]
fn chinese_letters_have_shapes_of_their_own() {
    let browser = Browser::start();
    let mut page = browser.page();
    page.go("data:text/html;charset=utf-8,<canvas>");
    // Letters without a font are all drawn as the same box.
    let pixels = |letter: &str| {
        format!(
            "(() => {{ const pen = document.querySelector('canvas').getContext('2d'); pen.clearRect(0, 0, 99, 99); \
         pen.font = '40px sans-serif'; pen.fillText('{letter}', 5, 50); \
         return pen.getImageData(0, 0, 99, 99).data.join(''); }})()"
        )
    };
    assert_ne!(page.evaluate(&pixels("班")), page.evaluate(&pixels("次")));
    let picture = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("smoke.png");
    page.screenshot(&picture);
    let png = std::fs::read(&picture).expect("the picture");
    assert!(png.starts_with(b"\x89PNG"));
}
