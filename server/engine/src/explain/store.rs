//! What keeps the store from being read or written, in words.

use ::store::StoreFault;
use model::{Code, Problem};

/// Why the store can't be read or written. All but the last may pass, and are tried again.
pub(super) fn outage(fault: StoreFault) -> Problem {
    let (sentence, fix) = match fault {
        StoreFault::Full => {
            ("The disk with vmferry's database is full.", "Make room on it: vmferry tries again every few seconds.")
        }
        StoreFault::ReadOnly => (
            "vmferry's database can be read, but not written.",
            "See that its file system is mounted for writing, and that vmferry's account may write to the data directory.",
        ),
        StoreFault::Damaged => (
            "vmferry's database is damaged.",
            "Stop vmferry and restore vmferry.db from a backup. Without one, move it away together with vmferry.db-wal and \
             vmferry.db-shm: vmferry then starts with an empty database, without users, added hosts and earlier migrations.",
        ),
        StoreFault::Busy => (
            "Another program keeps vmferry's database locked.",
            "End that program; a database shell or a backup may be one. vmferry tries again every few seconds.",
        ),
        StoreFault::Io => (
            "vmferry's database can't be opened, or its disk reports errors.",
            "Look at vmferry's log and at the system's: they say which file or disk it is.",
        ),
        StoreFault::Other => {
            return Problem::new(Code::Internal, "vmferry's database did not accept a request.")
                .with_fix("vmferry's log says why.");
        }
    };
    Problem::new(Code::StoreUnavailable, sentence).with_fix(fix)
}
