//! HTTP: board, API, metrics, and the door for events. Serves until the process is told to stop.

use super::Service;
use crate::app::config::Naming;
use crate::io::http::{self, ServiceValue, Site};
use crate::io::source::http::Door;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

impl http::Service for Service {
    fn ready(&self) -> Result<(), String> {
        let mut why: Vec<String> = self.statuses().iter().filter_map(|status| status.trouble()).collect();
        let troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        why.extend(troubles.iter().map(|(part, trouble)| format!("{part}: {trouble}")));
        if why.is_empty() { Ok(()) } else { Err(why.join("; ")) }
    }

    fn values(&self) -> Vec<ServiceValue> {
        let mut values: Vec<_> = self.statuses().iter().flat_map(|status| status.values()).collect();
        values.extend(self.meters.values());
        let troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        values.extend(troubles.keys().map(|part| super::meters::trouble(part)));
        values
    }
}

/// Serves until SIGTERM, Ctrl-C, or until the service stops by itself.
pub async fn serve(service: &Arc<Service>, door: Option<Door>) -> std::io::Result<()> {
    let (say_stop, stop) = watch::channel(false);
    let agents =
        if service.config.metrics.agent_names == Naming::Hidden { 0 } else { service.config.metrics.agents };
    let mut site = Site::new(service.model.clone(), service.clock.clone())
        .with_gauges(service.view.clone())
        .with_service(service.clone())
        .with_agent_series(agents)
        .with_control(service.log.clone())
        .with_stop(stop);
    if let Some(door) = door {
        site = site.with_events(door);
    }
    let listener = TcpListener::bind(service.config.http.listen).await?;
    tracing::info!(address = %listener.local_addr()?, "serving");
    println!("shiftpulse on http://{}/", listener.local_addr()?);
    let service = service.clone();
    axum::serve(listener, http::router(Arc::new(site)))
        .with_graceful_shutdown(async move {
            until_stop(&service).await;
            service.stop.store(true, Ordering::Relaxed);
            let _ = say_stop.send(true);
        })
        .await
}

/// Waits until the process is told to stop or the service stops by itself.
async fn until_stop(service: &Service) {
    let stopped = async {
        while !service.stop.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = told_to_stop() => tracing::info!("told to stop: draining"),
        () = stopped => {}
    }
}

/// Waits for SIGTERM or Ctrl-C.
pub async fn told_to_stop() {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
    let terminated = async {
        match &mut terminate {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
