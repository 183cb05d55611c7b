//! A password is used for one task only, and is nowhere afterwards.

use serde_json::json;

use super::{
    obstacles::assert_refused,
    site::{PASSWORD, Site},
    traces::Traces,
};

/// A wrong password.
const WRONG: &str = "blue%Zyzzyva-wombat?0815";

#[tokio::test]
async fn no_password_is_left_after_the_task() {
    let Some(mut site) = Site::enter("secrets::no_password_is_left_after_the_task").await else { return };
    let traces = [PASSWORD, WRONG].map(Traces::of);
    let mut answers = String::new();

    let unknown = assert_refused(site.migrate(json!({"password": PASSWORD})).await, "host-key-unknown");
    let refused = assert_refused(site.migrate_with_password(json!({"password": WRONG})).await, "KCHVM0056E");
    let begun = site.migrate_with_password(json!({"bandwidth_mib_s": 16})).await;
    answers += &format!("{unknown} {refused} {}", begun.1);
    let during: Vec<_> = traces.iter().flat_map(Traces::in_processes).collect();
    answers += &site.arrives(begun).await.to_string();
    site.until_hosts_are(&["red"]).await;
    for address in ["/plugins/kimchi/tasks", "/plugins/kimchi/vms", "/migrations", "/"] {
        answers += &site.text(address).await;
    }
    // A connection keeps what it received in its buffers as long as it is open.
    site.hang_up().await;

    let mut found = during;
    for traces in &traces {
        found.extend(traces.in_bytes(answers.as_bytes()).map(|form| format!("answers: {form}")));
        found.extend(traces.in_bytes(&site.log()).map(|form| format!("log: {form}")));
        found.extend(traces.in_files(&site.data()));
        found.extend(traces.in_processes());
        found.extend(traces.in_memory(site.console()));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(site.log().len() > 100_000, "everything was logged");
}
