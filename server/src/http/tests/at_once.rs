//! Many visitors at once.

use futures::future::join_all;

use super::*;

/// Pages failed now and then when several were rendered at the same time (500: a title read on another thread) or while another router was
/// being made (504: see `ROUTES`).
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_asked_for_at_once_all_come() {
    let house = Arc::new(House::new().await);
    let cookie = house.cookie().await;
    let paths = ["/", "/vms/00000000-0000-0000-0000-000000000001/migrate", "/migrations", "/hosts", "/account"];
    let visits = (0..100).map(|number| {
        let (house, page) = (Arc::clone(&house), visit(paths[number % paths.len()], Some(&cookie), "same-origin"));
        tokio::spawn(async move { house.send(page).await.status })
    });
    for status in join_all(visits).await {
        assert_eq!(status.unwrap(), StatusCode::OK);
    }
}
