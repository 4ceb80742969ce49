//! `GET /`: who reads (language, window, theme), and the page for them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use serde::Deserialize;
use tokio::time::Instant;

use super::Site;
use super::cells::{Cells, View};
use super::demo::Frame;
use super::format;
use super::layout::Layout;
use super::page::{self, Look, WINDOWS};
use super::texts::Lang;

/// The window that is shown first.
const FIRST_WINDOW: &str = "30m";
/// How long a choice of language or theme is kept.
const COOKIE: &str = "Path=/; Max-Age=31536000; SameSite=Lax";

/// What the address says.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    lang: Option<String>,
    window: Option<String>,
    theme: Option<String>,
}

/// Cells by language and window, made anew at most twice a second, however many read them.
#[derive(Debug)]
pub(super) struct Renderings {
    made: Mutex<HashMap<(Lang, &'static str), Made>>,
    pub(super) fresh: Duration,
}

/// When, and what.
type Made = (Instant, Arc<Cells>);

impl Default for Renderings {
    fn default() -> Self {
        Self { made: Mutex::default(), fresh: Duration::from_millis(500) }
    }
}

impl Wanted {
    pub(super) fn lang(&self, headers: &HeaderMap) -> Lang {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let chosen = [self.lang.as_deref(), cookie(headers, "lang"), accepted];
        chosen.into_iter().flatten().find_map(Lang::of).unwrap_or(Lang::En)
    }

    pub(super) fn window(&self) -> &'static str {
        let wanted = self.window.as_deref().unwrap_or(FIRST_WINDOW);
        WINDOWS.into_iter().find(|window| *window == wanted).unwrap_or(FIRST_WINDOW)
    }

    fn theme(&self, headers: &HeaderMap) -> Option<&'static str> {
        let chosen = self.theme.as_deref().or_else(|| cookie(headers, "theme"));
        ["light", "dark"].into_iter().find(|theme| Some(*theme) == chosen)
    }

    /// What was chosen by address is kept, so that it also holds for the next page.
    fn cookies(&self, lang: Lang, theme: Option<&str>) -> Vec<String> {
        let lang = self.lang.as_ref().map(|_| format!("lang={}; {COOKIE}", lang.code()));
        let theme = self.theme.as_ref().and(theme).map(|theme| format!("theme={theme}; {COOKIE}"));
        lang.into_iter().chain(theme).collect()
    }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// `GET /`.
pub(super) async fn page(
    State(site): State<Arc<Site>>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let (lang, theme) = (wanted.lang(&headers), wanted.theme(&headers));
    let markup = site.view(lang, wanted.window(), |view| {
        let cells = Cells::of(view);
        page::render(view, &cells, Look { theme })
    });
    let mut response = Html(markup.into_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for cookie in wanted.cookies(lang, theme) {
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            headers.append(header::SET_COOKIE, value);
        }
    }
    response
}

impl Site {
    /// Makes a view of the newest documents and hands it on.
    fn view<T>(&self, lang: Lang, window: &'static str, look: impl FnOnce(&View<'_>) -> T) -> T {
        let mut documents = self.model.snapshot();
        let frame = self.demo.as_ref().map(|demo| Frame::of(demo.as_ref()));
        if let Some(comparison) = frame.as_ref().and_then(|frame| frame.comparison.as_ref()) {
            // Numbers and truths are shown as of the same offset, or they could not be equal.
            let ours = comparison.subjects.iter().filter_map(|pair| pair.ours.clone());
            documents = Arc::new((*documents).clone().with_lives(ours));
        }
        let layout = Layout::of(&documents);
        look(&View {
            documents: &documents,
            layout: &layout,
            lang,
            window,
            zone: format::zone(&documents.definitions.unit.zone),
            clock: documents.live_clock().map(|clock| clock.0),
            now: self.now(),
            rate: self.rate(),
            demo: frame.as_ref(),
        })
    }

    /// The cells for a reader; not older than half a second.
    pub(super) fn cells(&self, lang: Lang, window: &'static str) -> Arc<Cells> {
        let mut made = self.renderings.made.lock().unwrap_or_else(PoisonError::into_inner);
        let known = made.get(&(lang, window)).filter(|(at, _)| at.elapsed() < self.renderings.fresh);
        if let Some((_, cells)) = known {
            return cells.clone();
        }
        let cells = Arc::new(self.view(lang, window, Cells::of));
        made.insert((lang, window), (Instant::now(), cells.clone()));
        cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn the_address_outranks_the_cookie_and_the_cookie_the_browser() {
        let wanted = |lang: Option<&str>| Wanted { lang: lang.map(str::to_owned), ..Wanted::default() };
        let both = headers(&[(header::COOKIE, "theme=dark; lang=zh"), (header::ACCEPT_LANGUAGE, "en-GB,en")]);
        assert_eq!(wanted(Some("en")).lang(&both), Lang::En);
        assert_eq!(wanted(None).lang(&both), Lang::Zh);
        assert_eq!(wanted(None).lang(&headers(&[(header::ACCEPT_LANGUAGE, "zh-CN")])), Lang::Zh);
        assert_eq!(wanted(Some("xx")).lang(&headers(&[])), Lang::En);
        assert_eq!(wanted(None).theme(&both), Some("dark"));
    }

    #[test]
    fn an_unknown_window_or_theme_is_not_taken() {
        let wanted = Wanted { window: Some("2y".into()), theme: Some("<b>".into()), lang: None };
        assert_eq!((wanted.window(), wanted.theme(&HeaderMap::new())), (FIRST_WINDOW, None));
        assert!(wanted.cookies(Lang::En, None).is_empty());
    }
}
