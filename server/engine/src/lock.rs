//! Locking.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks. A panic elsewhere does not make the contents wrong: every change is complete before anything can panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
