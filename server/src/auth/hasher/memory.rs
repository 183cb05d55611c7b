//! The memory that hashes are made in.
//!
//! argon2 wants a large piece of memory for each hash. Taken from the allocator for each login, on whichever thread there is, it would
//! stay with glibc, which keeps what is freed for each of its arenas (measured: 700 MB after ten times ten logins).

use std::sync::{Arc, Mutex, PoisonError};

use argon2::Block;
use tokio::{sync::Semaphore, task::spawn_blocking};

/// How many hashes are made at once, and how many pieces of memory there are.
pub(super) const AT_ONCE: usize = 2;

/// Pieces of memory that are used again and again. One exists for each permit at most: it is taken and given back under it.
#[derive(Clone, Debug)]
pub(super) struct HashMemory {
    permits: Arc<Semaphore>,
    free: Arc<Mutex<Vec<Vec<Block>>>>,
}

impl Default for HashMemory {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(AT_ONCE)), free: Arc::default() }
    }
}

impl HashMemory {
    /// Runs `work` with a piece of memory, on a thread that may block, when it is its turn.
    pub(super) async fn work<T: Send + 'static>(&self, work: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static) -> T {
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("the semaphore is never closed");
        let pool = self.clone();
        let done = spawn_blocking(move || {
            // Held by the work, not by the caller: the caller may leave, and the work goes on.
            let _permit = permit;
            let mut memory = pool.free().pop().unwrap_or_default();
            let result = work(&mut memory);
            // What is in it was made of a password.
            memory.fill(Block::new());
            pool.free().push(memory);
            result
        });
        done.await.expect("hashing does not panic, and the runtime waits for it")
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<Vec<Block>>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many blocks each free piece has.
    #[cfg(test)]
    pub(super) fn kept_blocks(&self) -> Vec<usize> {
        self.free().iter().map(Vec::len).collect()
    }
}
