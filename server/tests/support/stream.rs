//! The stream of updates, as a browser gets it.

use std::collections::VecDeque;

use futures::{SinkExt, StreamExt};
use model::{Change, Host, Migration, MigrationId, Resume, Snapshot, StreamMessage, Vm};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite};

use super::LIMIT;

/// A WebSocket.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens a WebSocket of the console at `base` as its own pages do.
pub(super) async fn connect(base: &str, path: &str, cookie: &str) -> Socket {
    let url = format!("{}{path}", base.replace("http://", "ws://"));
    let mut request = tungstenite::client::IntoClientRequest::into_client_request(url).expect("an address");
    let headers = request.headers_mut();
    headers.insert("cookie", cookie.parse().expect("a cookie"));
    headers.insert("origin", base.parse().expect("an origin"));
    tokio_tungstenite::connect_async(request).await.expect("the stream opens").0
}

/// The stream, and the state that a page would show.
pub struct Stream {
    socket: Socket,
    now: Snapshot,
    /// Those that have arrived and are not looked at yet.
    arrived: VecDeque<Change>,
}

impl Stream {
    pub(super) async fn open(base: &str, cookie: &str) -> Self {
        let mut socket = connect(base, "/ws", cookie).await;
        let resume = serde_json::to_string(&Resume::default()).expect("it is plain data");
        socket.send(tungstenite::Message::text(resume)).await.expect("the stream takes it");
        Self { socket, now: Snapshot::default(), arrived: VecDeque::new() }
    }

    pub async fn next(&mut self) -> Change {
        loop {
            if let Some(change) = self.arrived.pop_front() {
                self.apply(&change);
                return match change {
                    Change::Progress(id, _) => Change::Migration(Box::new(self.migration(id).clone())),
                    change => change,
                };
            }
            let message = timeout(LIMIT, self.socket.next()).await.expect("an update arrives");
            let message = message.expect("the stream goes on").expect("the stream is sound");
            let tungstenite::Message::Text(text) = message else { continue };
            if let StreamMessage::Update(update) =
                serde_json::from_str(&text).expect("an update is in the form of the model")
            {
                self.arrived.extend(update.changes);
            }
        }
    }

    fn migration(&mut self, id: MigrationId) -> &mut Migration {
        self.now.migrations.iter_mut().find(|known| known.id == id).expect("it was told whole before")
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Snapshot(snapshot) => self.now.clone_from(snapshot),
            Change::Summary(summary) => self.now.summary.clone_from(summary),
            Change::Host(host) => {
                self.now.hosts.retain(|known| known.name != host.name);
                self.now.hosts.push((**host).clone());
            }
            Change::Vm(vm) => {
                self.now.vms.retain(|known| known.id != vm.id);
                self.now.vms.push(vm.clone());
            }
            Change::HostGone(name) => self.now.hosts.retain(|known| known.name != *name),
            Change::VmGone(id) => self.now.vms.retain(|known| known.id != *id),
            Change::Migration(migration) => {
                self.now.migrations.retain(|known| known.id != migration.id);
                self.now.migrations.push((**migration).clone());
            }
            Change::Progress(id, progress) => {
                self.migration(*id).progress.clone_from(progress);
            }
            Change::List(list) => self.now.list = Some(list.clone()),
            Change::StoreOutage(outage) => self.now.store_outage.clone_from(outage),
        }
    }

    /// Waits until a host is as wanted.
    pub async fn until_host(&mut self, name: &str, wanted: impl Fn(&Host) -> bool) {
        self.until(|now| now.hosts.iter().any(|host| host.name.as_str() == name && wanted(host))).await;
    }

    /// Waits until a VM is as wanted.
    pub async fn until_vm(&mut self, name: &str, wanted: impl Fn(&Vm) -> bool) {
        self.until(|now| now.vms.iter().any(|vm| vm.name == name && wanted(vm))).await;
    }

    /// Waits until the state is as wanted. Before the first update it is empty.
    pub async fn until(&mut self, mut wanted: impl FnMut(&Snapshot) -> bool) {
        let wait = async {
            while !wanted(&self.now) {
                self.next().await;
            }
        };
        timeout(LIMIT, wait).await.expect("it happens");
    }

    /// Waits until a VM's next migration is as wanted.
    pub async fn until_migration(&mut self, vm: &str, mut wanted: impl FnMut(&Migration) -> bool) -> Migration {
        let wait = async {
            loop {
                let Change::Migration(migration) = self.next().await else { continue };
                if migration.vm_name == vm && wanted(&migration) {
                    return *migration;
                }
            }
        };
        timeout(LIMIT, wait).await.expect("it happens")
    }

    /// All states of the next migration of a VM, from its beginning to its end.
    pub async fn migration_of(&mut self, vm: &str) -> Vec<Migration> {
        let mut states = Vec::new();
        loop {
            let Change::Migration(migration) = self.next().await else { continue };
            if migration.vm_name == vm {
                states.push(*migration);
                if states.last().is_some_and(|state| state.phase.has_ended()) {
                    return states;
                }
            }
        }
    }
}
