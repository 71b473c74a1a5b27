//! Where the vendors run: one thread with a runtime of its own, which ends with everything on it.

use std::io;
use std::net::TcpListener;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use crate::connection;

/// A port and what answers on it.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) listener: TcpListener,
    pub(crate) router: Router,
}

/// The running thread. Dropping it ends the thread, and with it all listeners, connections and handlers.
#[derive(Debug)]
pub(crate) struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) async fn start(sites: Vec<Site>) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (report, ready) = oneshot::channel();
        let thread = thread::Builder::new().name("keymux-emulator".to_owned()).spawn(move || match open(sites) {
            // If nobody waits for the report any more, the sender of `stopped` is gone too.
            Ok(runtime) => {
                let _ = report.send(Ok(()));
                let _ = runtime.block_on(stopped);
            }
            Err(error) => {
                let _ = report.send(Err(error));
            }
        })?;
        let server = Self { stop: Some(stop), thread: Some(thread) };
        ready.await.map_err(io::Error::other)??;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Waiting makes sure that the ports are closed. Handlers do not block, so that it takes microseconds.
            let _ = thread.join();
        }
    }
}

fn open(sites: Vec<Site>) -> io::Result<Runtime> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    {
        let _entered = runtime.enter();
        for Site { listener, router } in sites {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            runtime.spawn(accept(listener, router));
        }
    }
    Ok(runtime)
}

async fn accept(listener: tokio::net::TcpListener, router: Router) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection::serve(stream, router.clone()));
            }
            // A client that was gone before its turn fails as well as a process without free descriptors. The pause keeps
            // the latter from spinning.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}
