//! `/api/migrations`, and the step that pages offer.

use model::{Code, Migration, Phase, Problem, Step, examples};

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
    for id in ["x", "0190c7a0-0000-7000-8000-000000000000", "a%2Fb"] {
        let answer = house.send(get(&format!("/api/migrations/{id}"), &cookie)).await;
        let found = (answer.status, answer.json()["code"].clone());
        assert_eq!(found, (StatusCode::NOT_FOUND, json!("unknown-migration")), "{id}");
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
