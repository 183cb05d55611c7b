//! `/api/migrations` and `/api/predictions`, and the step that pages offer.

use model::{Code, DiskMove, Migration, Outcome, Phase, Problem, Step, examples};

use super::*;

fn turn_off(host: &str) -> Step {
    Step::TurnOff { host: host.parse().unwrap() }
}

/// A migration that needs attention, and what it offers.
fn doubtful() -> Migration {
    let problem = Some(Problem::new(Code::NeedsAttention, "web runs on alpha and on beta."));
    Migration { phase: Phase::NeedsAttention, problem, step: Some(turn_off("beta")), ..examples::migration(7) }
}

#[tokio::test]
async fn a_migration_is_shown_with_its_step_and_its_history() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    house.console.migrations().push(doubtful());
    let shown = house.send(get(&format!("/api/migrations/{}", doubtful().id), &cookie)).await.json();
    assert_eq!(
        (&shown["migration"]["phase"], &shown["migration"]["vm_name"]),
        (&json!("needs-attention"), &json!("web"))
    );
    assert_eq!(shown["migration"]["step"], json!({ "act": "turn-off", "host": "beta" }));
    assert_eq!(shown["history"], json!([]));
    let trace = house.send(get(&format!("/api/migrations/{}/trace", doubtful().id), &cookie)).await.json();
    let point = json!({ "elapsed_ms": 7, "pass": 1, "remaining": 9, "throughput_bytes_s": 5, "dirty_bytes_s": 0 });
    assert_eq!(trace, json!([point]));
    for id in ["x", "0190c7a0-0000-7000-8000-000000000000", "a%2Fb"] {
        for path in [format!("/api/migrations/{id}"), format!("/api/migrations/{id}/trace")] {
            let answer = house.send(get(&path, &cookie)).await;
            let found = (answer.status, answer.json()["code"].clone());
            assert_eq!(found, (StatusCode::NOT_FOUND, json!("unknown-migration")), "{path}");
        }
    }
}

#[tokio::test]
async fn only_the_step_that_is_offered_is_taken() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    house.console.migrations().push(doubtful());
    let path = format!("/api/migrations/{}/step", doubtful().id);
    for body in [json!({}), json!({ "act": "turn-off" }), json!({ "act": "erase", "host": "beta" }), json!("turn-off")]
    {
        let answer = house.send(post(&path, &cookie, &body)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}: {}", answer.body);
    }
    let answer = house.send(post(&path, &cookie, &json!(turn_off("alpha")))).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (StatusCode::CONFLICT, Some("wrong-state")));
    let answer = house.send(post(&path, &cookie, &json!(turn_off("beta")))).await;
    assert_eq!((answer.status, answer.json()["phase"].as_str()), (StatusCode::OK, Some("failed")));
    let answer = house.send(post("/api/migrations/x/step", &cookie, &json!(turn_off("beta")))).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_broken_post_copy_is_recovered_by_page_and_api() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let step = Step::Recover { host: "alpha".parse().unwrap() };
    let broken = Migration { step: Some(step.clone()), ..doubtful() };
    house.console.migrations().push(broken);
    let page = format!("/migrations/{}", doubtful().id);
    let shown = house.send(visit(&page, Some(&cookie), "same-origin")).await.body;
    assert!(shown.contains("Recover the migration from alpha"), "{shown}");
    let form = house.send(visit(&format!("{page}/step"), Some(&cookie), "same-origin")).await.body;
    for part in ["name=\"step[act]\" value=\"recover\"", "alpha sends the rest of the memory", "button primary"] {
        assert!(form.contains(part), "{part}: {form}");
    }
    let answer = house.send(post(&format!("/api{page}/step"), &cookie, &json!(step))).await;
    assert_eq!((answer.status, answer.json()["phase"].as_str()), (StatusCode::OK, Some("post-copy")));
}

/// A migration that copies what its guest writes, has copied a disk, and was not prepared for post-copy.
fn converging() -> Migration {
    let disk = DiskMove {
        target: "vda".into(),
        source: "/images/web".into(),
        pool: "images".into(),
        volume: "web".into(),
        path: None,
        created: true,
        proven: false,
    };
    Migration { phase: Phase::Converging, slows_guest: true, disks: vec![disk], ..examples::migration(7) }
}

#[tokio::test]
async fn a_migration_that_runs_is_steered() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    house.console.migrations().push(converging());
    let path = format!("/api/migrations/{}/steer", converging().id);
    for body in [
        json!({ "act": "bandwidth", "mib_s": 1_000_000 }),
        json!({ "act": "longest-pause", "ms": 500 }),
        json!({ "act": "pause-guest" }),
    ] {
        let answer = house.send(post(&path, &cookie, &body)).await;
        assert_eq!((answer.status, answer.json()["phase"].as_str()), (StatusCode::OK, Some("converging")), "{body}");
    }
    let answer = house.send(post(&path, &cookie, &json!({ "act": "policy", "policy": "certain" }))).await;
    assert_eq!((answer.status, answer.json()["policy"].as_str()), (StatusCode::OK, Some("certain")), "{}", answer.body);
    let record = house.send(get(&format!("/api/migrations/{}", converging().id), &cookie)).await.json();
    let act = json!({ "elapsed_ms": 0, "acted": "policy", "policy": "certain", "by": "ada" });
    assert_eq!(record["migration"]["acts"], json!([act]));
}

#[tokio::test]
async fn what_can_not_be_steered_is_refused_with_the_reason_and_stays() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    house.console.migrations().push(converging());
    let path = format!("/api/migrations/{}/steer", converging().id);
    for body in [
        json!({}),
        json!([]),
        json!(null),
        json!("slow-guest"),
        json!({ "act": "erase" }),
        json!({ "act": ["slow-guest"] }),
        json!({ "act": "Slow-Guest" }),
        json!({ "act": "slow-guest", "percent": 60 }),
        json!({ "act": "post-copy", "ms": 1 }),
        json!({ "act": "pause-guest", "until": "end" }),
        json!({ "act": "bandwidth" }),
        json!({ "act": "bandwidth", "mib_s": -1 }),
        json!({ "act": "bandwidth", "mib_s": 8.5 }),
        json!({ "act": "bandwidth", "mib_s": "8" }),
        json!({ "act": "bandwidth", "mib_s": null }),
        json!({ "act": "bandwidth", "mib_s": [8] }),
        json!({ "act": "bandwidth", "mib_s": 1_u64 << 32 }),
        json!({ "act": "bandwidth", "mib_s": 1e300 }),
        json!({ "act": "bandwidth", "mib_s": 8, "ms": 8 }),
        json!({ "act": "longest-pause", "mib_s": 8 }),
        json!({ "act": "longest-pause", "ms": true }),
        json!({ "act": "policy" }),
        json!({ "act": "policy", "policy": "reckless" }),
        json!({ "act": "policy", "policy": 1 }),
        // The port's own check.
        json!({ "act": "bandwidth", "mib_s": 0 }),
    ] {
        let answer = house.send(post(&path, &cookie, &body)).await;
        let found = (answer.status, answer.json()["code"].clone());
        assert_eq!(found, (StatusCode::BAD_REQUEST, json!("invalid-input")), "{body}: {}", answer.body);
    }
    for body in ["", "{", "act=slow-guest", "{\"act\":\"slow-guest\"}x"] {
        let sent = request(Method::POST, &path)
            .header(header::COOKIE, &cookie)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .unwrap();
        assert_eq!(house.send(sent).await.status, StatusCode::BAD_REQUEST, "{body}");
    }
    for (act, why) in [("post-copy", "Post-copy was not prepared"), ("slow-guest", "QEMU slows the guest already")] {
        let answer = house.send(post(&path, &cookie, &json!({ "act": act }))).await;
        let (refused, sentence) = (answer.json()["code"].clone(), answer.json()["sentence"].clone());
        assert_eq!((answer.status, refused), (StatusCode::CONFLICT, json!("wrong-state")), "{act}");
        assert!(sentence.as_str().is_some_and(|sentence| sentence.starts_with(why)), "{act}: {sentence}");
        assert!(answer.json()["fix"].is_string(), "{act}");
    }
    assert_eq!(*house.console.migrations(), [converging()]);

    house.console.migrations()[0].phase = Phase::Succeeded;
    let policy = json!({ "act": "policy", "policy": "gentle" });
    let answer = house.send(post(&path, &cookie, &policy)).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (StatusCode::CONFLICT, Some("already-ended")));
    for id in ["x", "0190c7a0-0000-7000-8000-000000000000", "a%2Fb"] {
        let answer = house.send(post(&format!("/api/migrations/{id}/steer"), &cookie, &policy)).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{id}");
    }
}

#[tokio::test]
async fn how_good_predictions_were_is_told() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let nothing = house.send(get("/api/predictions", &cookie)).await;
    let answered = json!({
        "compared": 0,
        "steered": 0,
        "coverage_percent": null,
        "median_error_percent": null,
        "pause_error_p90_ms": null,
        "wrong_verdicts": 0,
        "newest": [],
    });
    assert_eq!((nothing.status, nothing.json()), (StatusCode::OK, answered));
    let ending = examples::after(900, 1_100);
    let outcome = Outcome { total_ms: 1_000, downtime_ms: Some(40), ..Outcome::default() };
    house.console.migrations().push(Migration {
        phase: Phase::Succeeded,
        prediction: Some(examples::prediction(ending)),
        outcome: Some(outcome),
        ..examples::migration(7)
    });
    let told = house.send(get("/api/predictions", &cookie)).await.json();
    assert_eq!((&told["compared"], &told["coverage_percent"]), (&json!(1), &json!(100.0)));
    assert_eq!((&told["median_error_percent"], &told["pause_error_p90_ms"]), (&json!(0.0), &json!(260)));
    let row = &told["newest"][0];
    assert_eq!((&row["vm_name"], &row["total_ms"], &row["pause_ms"]), (&json!("web"), &json!(1_000), &json!(40)));
    assert_eq!(row["prediction"]["ending"], json!(ending));
}

#[tokio::test]
async fn a_step_is_a_form_that_works_without_scripts() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    house.console.migrations().push(doubtful());
    let page = format!("/migrations/{}", doubtful().id);
    let shown = house.send(visit(&page, Some(&cookie), "same-origin")).await.body;
    assert!(shown.contains(&format!("href=\"{page}/step\"")) && shown.contains("Turn off the copy on beta"), "{shown}");
    let form = house.send(visit(&format!("{page}/step"), Some(&cookie), "same-origin")).await.body;
    for part in ["name=\"step[act]\" value=\"turn-off\"", "name=\"step[host]\" value=\"beta\"", "is forced off"] {
        assert!(form.contains(part), "{part}: {form}");
    }
    let sent = request(Method::POST, "/_fn/app/migrations/server_fns/take_step")
        .header(header::ACCEPT, "text/html,application/xhtml+xml")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::COOKIE, &cookie)
        .header("origin", "http://127.0.0.1:8080")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(format!("id={}&step%5Bact%5D=turn-off&step%5Bhost%5D=beta", doubtful().id)))
        .unwrap();
    let answer = house.send(sent).await;
    assert!(answer.status.is_redirection() && answer.header("location") == page, "{} {}", answer.status, answer.body);
    assert_eq!(house.console.migrations()[0].phase, Phase::Failed);
    let settled = house.send(visit(&format!("{page}/step"), Some(&cookie), "same-origin")).await;
    assert!(!settled.body.contains("step[act]"), "nothing is offered any more: {}", settled.body);
}
