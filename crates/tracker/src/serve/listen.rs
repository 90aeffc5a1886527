//! Takes connections: so many at a time, each with so much patience, until told to stop.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use std::{
    future::Future, io, net::SocketAddr, os::unix::fs::PermissionsExt as _, path::Path, pin::pin, sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
    select,
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};

/// Connections at a time; further ones wait to be taken.
const CONNECTIONS: usize = 256;
/// How long the head of a request may take, and a connection may lie idle.
const HEAD: Duration = Duration::from_secs(10);
/// How long a connection may last, for clients that do not read their answers.
const LIFE: Duration = Duration::from_secs(300);
/// How long requests under way get when the server is to stop.
const GRACE: Duration = Duration::from_secs(5);
/// Pause after a connection could not be taken, such as when no file descriptor is free.
const PAUSE: Duration = Duration::from_millis(100);

/// A server that listens already, so that its address is known, and does not answer yet.
pub struct Listening(Listener);

enum Listener {
    Tcp(TcpListener),
    Socket(UnixListener),
}

/// A connection of either kind.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl Listener {
    async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match self {
            Self::Tcp(listener) => Box::new(listener.accept().await?.0),
            Self::Socket(listener) => Box::new(listener.accept().await?.0),
        })
    }
}

impl Listening {
    /// Begins to listen.
    pub async fn on(address: SocketAddr) -> io::Result<Self> {
        Ok(Self(Listener::Tcp(TcpListener::bind(address).await?)))
    }

    /// Begins to listen on a Unix socket of mode 600, in a folder that only its owner can enter. There must be no file of that name.
    pub fn on_socket(path: &Path) -> io::Result<Self> {
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self(Listener::Socket(listener)))
    }

    /// Where it listens; an error for a Unix socket.
    pub fn address(&self) -> io::Result<SocketAddr> {
        match &self.0 {
            Listener::Tcp(listener) => listener.local_addr(),
            Listener::Socket(_) => Err(io::ErrorKind::AddrNotAvailable.into()),
        }
    }

    /// Serves until `stop` is there; requests under way are finished.
    pub async fn serve(self, app: Router, stop: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        let mut connections = JoinSet::new();
        let mut stop = pin!(stop);
        loop {
            let next = async {
                let place = Arc::clone(&room).acquire_owned().await;
                (place, self.0.accept().await)
            };
            let (place, accepted) = select! {
                next = next => next,
                () = &mut stop => break,
                // What has ended is let go.
                Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            };
            let (Ok(place), Ok(stream)) = (place, accepted) else {
                select! {
                    () = sleep(PAUSE) => continue,
                    () = &mut stop => break,
                }
            };
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD)
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app.clone()));
            let connection = graceful.watch(connection);
            connections.spawn(async move {
                // A client that breaks off is nothing to tell.
                let _ = timeout(LIFE, connection).await;
                drop(place);
            });
        }
        drop(self.0);
        if timeout(GRACE, graceful.shutdown()).await.is_err() {
            tracing::info!("requests under way were cut off");
        }
        connections.shutdown().await;
    }
}
