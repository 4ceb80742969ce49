//! Style, script, font and icons, from the binary: the board needs no other origin.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};

use crate::model::units::hash64;

/// Name, content type, content.
const ASSETS: [(&str, &str, &[u8]); 5] = [
    ("board.css", "text/css; charset=utf-8", include_bytes!("assets/board.css")),
    ("board.js", "text/javascript; charset=utf-8", include_bytes!("assets/board.js")),
    ("inter.woff2", "font/woff2", include_bytes!("assets/inter.woff2")),
    ("icon.svg", "image/svg+xml", include_bytes!("assets/icon.svg")),
    ("icon-alert.svg", "image/svg+xml", include_bytes!("assets/icon-alert.svg")),
];

static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mix = |seed: u64, (_, _, content): &(_, _, &[u8])| {
        hash64(&format!("{seed:x}{}", String::from_utf8_lossy(content)))
    };
    format!("{:012x}", ASSETS.iter().fold(0, mix) >> 16)
});

/// Changes with any content, so that a browser may keep what it has for ever.
pub fn version() -> &'static str {
    &VERSION
}

/// The address of an asset in this version.
pub fn address(name: &str) -> String {
    format!("/assets/{name}?v={}", version())
}

/// `GET /assets/{name}`.
pub(super) async fn asset(Path(name): Path<String>) -> Response {
    match ASSETS.iter().find(|(known, _, _)| *known == name) {
        Some((_, kind, content)) => {
            let headers = [
                (header::CONTENT_TYPE, *kind),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ];
            (headers, *content).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// `GET /favicon.ico`, which browsers ask for by themselves.
pub(super) async fn favicon() -> Redirect {
    Redirect::permanent(&address("icon.svg"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn script_and_font_keep_to_their_size() {
        let size = |wanted: &str| {
            ASSETS.iter().find(|(name, _, _)| *name == wanted).map_or(0, |asset| asset.2.len())
        };
        assert!((1..8 * 1024).contains(&size("board.js")), "{}", size("board.js"));
        assert!((1..120 * 1024).contains(&size("inter.woff2")));
    }

    #[test]
    fn the_script_writes_no_markup() {
        let script = String::from_utf8_lossy(ASSETS[1].2);
        for banned in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
            assert!(!script.contains(banned), "{banned}");
        }
    }
}
