//! The end of the line of an alert: a loopback HTTP receiver that remembers what was posted to it, and when.

use super::wait;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::Uri;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// One request that arrived.
#[derive(Clone, Debug)]
pub struct Post {
    /// The path asked for.
    pub path: String,
    /// Its body; `null` when that is no JSON.
    pub body: Value,
    /// When it arrived.
    pub at: Instant,
}

type Posts = Arc<Mutex<Vec<Post>>>;

/// A receiver that answers every request with 200 and keeps it. It stops when dropped.
pub struct Webhook {
    address: String,
    posts: Posts,
    _stop: oneshot::Sender<()>,
}

impl Webhook {
    /// Starts it on a free loopback port.
    pub fn start() -> Webhook {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        listener.set_nonblocking(true).expect("a socket for the runtime");
        let address = listener.local_addr().expect("the port just bound").to_string();
        let posts = Posts::default();
        let (stop, stopped) = oneshot::channel();
        let router = Router::new().fallback(record).with_state(Arc::clone(&posts));
        std::thread::spawn(move || serve(listener, router, stopped));
        Webhook { address, posts, _stop: stop }
    }

    /// Its address for a path, which starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All that arrived so far, in that order.
    pub fn posts(&self) -> Vec<Post> {
        self.posts.lock().expect("no handler panics").clone()
    }

    /// The first request that `fits`; panics with all that arrived at the deadline.
    #[track_caller]
    pub fn wait_for(&self, what: &str, deadline: Duration, fits: impl Fn(&Post) -> bool) -> Post {
        wait::until(what, deadline, || {
            let posts = self.posts();
            posts.iter().find(|post| fits(post)).cloned().ok_or_else(|| format!("arrived so far: {posts:#?}"))
        })
    }
}

async fn record(State(posts): State<Posts>, path: Uri, body: Bytes) {
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let post = Post { path: path.path().into(), body, at: Instant::now() };
    posts.lock().expect("no handler panics").push(post);
}

fn serve(listener: std::net::TcpListener, router: Router, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a socket for the runtime");
        let server = std::future::IntoFuture::into_future(axum::serve(listener, router));
        tokio::select! {
            ended = server => ended.expect("the receiver serves"),
            _ = stopped => (),
        }
    });
}
