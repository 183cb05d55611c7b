//! Failed logins, in memory.

use std::time::Duration;

use async_trait::async_trait;

use super::MemoryStore;
use crate::{
    Attempt, Counter, LoginFailures, StoreError,
    clock::{ms_ago, now_ms},
    login_failures::MOST_FAILURES,
};

#[async_trait]
impl LoginFailures for MemoryStore {
    async fn attempt(&self, counters: &[Counter], forgotten_after: Duration) -> Result<Attempt, StoreError> {
        let now = now_ms();
        let forgotten = ms_ago(forgotten_after);
        let counted = &mut self.tables().login_failures;
        counted.retain(|_, (_, last)| *last >= forgotten);
        let waits = counters.iter().filter_map(|counter| {
            let (failures, last) = *counted.get(&counter.key)?;
            Some(counter.wait_ms(failures, last, now))
        });
        if let Some(wait) = waits.max().filter(|wait| *wait > 0) {
            return Ok(Attempt::Wait(Duration::from_millis(wait.unsigned_abs())));
        }
        for Counter { key, .. } in counters {
            let (failures, last) = counted.entry(key.clone()).or_default();
            *failures = (*failures + 1).min(MOST_FAILURES);
            *last = now;
        }
        Ok(Attempt::Counted)
    }

    async fn forget_attempts(&self, account: &str, address: Option<&str>) -> Result<(), StoreError> {
        let counted = &mut self.tables().login_failures;
        counted.remove(account);
        if let Some((failures, _)) = address.and_then(|address| counted.get_mut(address)) {
            *failures = failures.saturating_sub(1);
        }
        Ok(())
    }
}
