//! The guest's heartbeats: each is a packet that its QEMU sends, on whichever host it executes, and that is received here with the time.

use std::{
    net::{IpAddr, UdpSocket},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tokio::time::{sleep, timeout};

/// How long a guest may be silent before something is wrong.
const LIMIT: Duration = Duration::from_secs(60);

/// One heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Beat {
    at: Instant,
    host: IpAddr,
    /// The guest's phase, from 0.
    phase: u8,
}

/// What was received since it was last cleared.
#[derive(Clone)]
pub(crate) struct Heartbeats {
    beats: Arc<Mutex<Vec<Beat>>>,
    port: u16,
}

/// What the guest's heartbeat says of a move, in ms.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Seen {
    /// From its last heartbeat at the source to its first at the destination; none if it has none there.
    pub(crate) pause_ms: Option<f64>,
    /// The longest time between two other heartbeats: at the source how much it was slowed, at the destination how long it waited for its
    /// memory.
    pub(crate) slowest_ms: f64,
}

impl Heartbeats {
    /// Begins to receive.
    pub(crate) fn receive() -> Self {
        let socket = UdpSocket::bind("0.0.0.0:0").expect("a port is free");
        let port = socket.local_addr().expect("it is bound").port();
        let beats = Arc::new(Mutex::new(Vec::new()));
        let received = Self { beats, port };
        let beats = received.beats.clone();
        // A thread of its own: nothing else shall delay the clock.
        thread::spawn(move || {
            let mut packet = [0; 64];
            while let Ok((length, from)) = socket.recv_from(&mut packet) {
                let beat = |digit: &u8| Beat { at: Instant::now(), host: from.ip(), phase: digit.wrapping_sub(b'0') };
                let mut beats = beats.lock().unwrap_or_else(PoisonError::into_inner);
                beats.extend(packet[..length].last().map(beat));
            }
        });
        received
    }

    /// The UDP port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Forgets what was received.
    pub(crate) fn clear(&self) {
        self.beats.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Waits until the guest sends a heartbeat from this host.
    pub(crate) async fn until_from(&self, host: IpAddr) {
        self.until(|beats| beats.iter().any(|beat| beat.host == host)).await;
    }

    /// Waits until the guest begins with its first phase anew.
    pub(crate) async fn until_cycle_begins(&self) {
        self.clear();
        self.until(|beats| beats.windows(2).any(|pair| pair[0].phase > 0 && pair[1].phase == 0)).await;
    }

    async fn until(&self, holds: impl Fn(&[Beat]) -> bool) {
        let wait = async {
            while !holds(&self.beats.lock().unwrap_or_else(PoisonError::into_inner)) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(LIMIT, wait).await.expect("the guest beats");
    }

    /// What they say of a move to this host since they were cleared.
    pub(crate) fn seen(&self, destination: IpAddr) -> Seen {
        seen(&self.beats.lock().unwrap_or_else(PoisonError::into_inner), destination)
    }
}

fn seen(beats: &[Beat], destination: IpAddr) -> Seen {
    let (there, here): (Vec<Beat>, Vec<Beat>) = beats.iter().partition(|beat| beat.host == destination);
    let ms = |from: Instant, to: Instant| to.duration_since(from).as_secs_f64() * 1_000.0;
    let gaps = |beats: &[Beat]| beats.windows(2).map(|pair| ms(pair[0].at, pair[1].at)).fold(0.0, f64::max);
    let slowest_ms = gaps(&here).max(gaps(&there));
    let pause_ms = here.last().zip(there.first()).map(|(last, first)| ms(last.at, first.at));
    Seen { pause_ms, slowest_ms }
}
