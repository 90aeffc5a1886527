//! The genuine clients against the facade: both versions of `gh` and octokit. `measure/conformance.sh` installs them; without them
//! these tests prove nothing and say so, and with `CI` set they fail.

mod gh;
mod octokit;
mod table;

use crate::world::World;
use std::{path::PathBuf, sync::Arc};
use tokio::{
    net::{TcpListener, UnixListener},
    task::JoinHandle,
};

/// A world whose facade is served on a Unix socket and on a port of this host.
struct Served {
    world: Arc<World>,
    socket: PathBuf,
    port: u16,
    serving: [JoinHandle<()>; 2],
}

impl Served {
    async fn new() -> Self {
        let world = Arc::new(World::new().await);
        let socket = world.dir.path().join("socket");
        let local = UnixListener::bind(&socket).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = tcp.local_addr().unwrap().port();
        let (on_socket, on_port) = (world.over_socket(), world.over_tcp());
        let serving = [
            tokio::spawn(async move { axum::serve(local, on_socket).await.unwrap() }),
            tokio::spawn(async move { axum::serve(tcp, on_port).await.unwrap() }),
        ];
        Self { world, socket, port, serving }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.serving.iter().for_each(JoinHandle::abort);
    }
}
