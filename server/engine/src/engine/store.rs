//! Tells when the store can't be written, and writes what was kept until it can.

use std::sync::Arc;

use ::store::StoreFault;
use model::StoreOutage;

use crate::{context::Context, error::Error};

/// Runs for as long as the engine does.
pub(super) async fn keep_writing(context: Arc<Context>) {
    loop {
        let mut fault = context.records().fails().await;
        let since_ms = context.now_ms();
        tracing::error!(reason = <&str>::from(fault), "the store can't be written");
        loop {
            context.inventory().set_store_outage(Some(outage(since_ms, fault)));
            match context.records().try_again().await {
                Ok(()) => break,
                Err(still) => fault = still,
            }
        }
        tracing::info!("the store can be written again");
        context.inventory().set_store_outage(None);
    }
}

fn outage(since_ms: u64, fault: StoreFault) -> StoreOutage {
    StoreOutage { since_ms, problem: Error::Store(fault).into() }
}
