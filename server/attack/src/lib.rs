//! Attacks on a console: hostile requests (`requests.txt`), and floods. `cargo xtask attack` runs all of it against a console that it
//! starts; `make test` sends the requests to the real doors over simulated hosts.
//!
//! Everything stays on the loopback device and is bounded: in connections, bytes and time. Start reading at [`list::send_all`] and
//! [`floods::ALL`].

pub mod client;
pub mod escapes;
pub mod floods;
pub mod http2;
pub mod list;
pub mod neighbour;
pub mod process;
pub mod request;
pub mod state;
