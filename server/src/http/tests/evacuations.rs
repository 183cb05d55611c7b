//! `/api/evacuations`, `/api/placement`, and hosts in maintenance.

use model::{
    Choice, Code, EvacuationCommand, FindingCode, HostName, MaintenanceCommand, PlacementKind, PlacementRule,
    PlacementRules, PlanId, PlanRequest, Policy, Problem, Subject, VmId,
};
use uuid::Uuid;

use super::{fake::HostCall, *};

const PLANS: &str = "/api/evacuations/plans";
/// The ids of the only plan and the only evacuation.
const PLAN: &str = "00000000-0000-0000-0000-000000000009";
const EVACUATION: &str = "00000000-0000-0000-0000-000000000001";
/// A VM.
const WEB: &str = "00000000-0000-0000-0000-000000000064";

fn name(name: &str) -> HostName {
    name.parse().unwrap()
}

fn vm(number: u128) -> VmId {
    VmId(Uuid::from_u128(number))
}

#[tokio::test]
async fn a_plan_is_a_dry_run_until_it_is_carried_out() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let made = house.send(post(PLANS, &cookie, &json!({"subject": {"hosts": ["alpha"]}}))).await;
    assert_eq!((made.status, made.header("location")), (StatusCode::CREATED, &*format!("{PLANS}/{PLAN}")));
    assert_eq!(house.console.host_calls(), [HostCall::Plan(PlanRequest::plain(Subject::Hosts(vec![name("alpha")])))]);
    let plan = house.send(get(made.header("location"), &cookie)).await.json();
    assert_eq!(plan, made.json());
    assert_eq!((&plan["moves"][0]["vm_name"], &plan["moves"][0]["destination"]), (&json!("web"), &json!("beta")));
    assert_eq!(plan["stays"][0]["problem"]["code"], "blocked");
    let begun = house.send(post("/api/evacuations", &cookie, &json!({"plan": PLAN}))).await;
    let address = format!("/api/evacuations/{EVACUATION}");
    assert_eq!((begun.status, begun.header("location")), (StatusCode::ACCEPTED, address.as_str()));
    assert_eq!(house.console.host_calls(), [HostCall::CarryOut(PlanId(Uuid::from_u128(9)))]);
    let shown = house.send(get(&address, &cookie)).await.json();
    assert_eq!(shown["evacuation"], begun.json());
    assert_eq!(shown["history"][0]["text"], "web has moved to beta.");
    let listed = house.send(get("/api/evacuations?limit=5", &cookie)).await.json();
    assert_eq!((&listed[0]["id"], &listed[0]["items"]), (&json!(EVACUATION), &json!([])));
}

#[tokio::test]
async fn all_that_is_asked_for_arrives() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let full = json!({
        "subject": {"vms": [vm(1)]}, "destination": "beta", "reason": "kernel update", "policy": "gentle",
        "choices": {WEB: "shut-down"}, "accept": ["maintenance"],
    });
    let expected = PlanRequest {
        destination: Some(name("beta")),
        reason: "kernel update".into(),
        policy: Some(Policy::Gentle),
        choices: [(vm(100), Choice::ShutDown)].into(),
        accept: vec![FindingCode::Maintenance],
        ..PlanRequest::plain(Subject::Vms(vec![vm(1)]))
    };
    let home = json!({"subject": {"home": EVACUATION}});
    let home_expected = PlanRequest::plain(Subject::Home(EVACUATION.parse().unwrap()));
    for (body, expected) in [(full, expected), (home, home_expected)] {
        assert_eq!(house.send(post(PLANS, &cookie, &body)).await.status, StatusCode::CREATED, "{body}");
        assert_eq!(house.console.host_calls(), [HostCall::Plan(expected)]);
    }
    for (word, body, command) in [
        ("pause", "", EvacuationCommand::Pause),
        ("continue", "", EvacuationCommand::Continue),
        ("stop", "", EvacuationCommand::Stop { cancel: false }),
        ("stop", r#"{"cancel": true}"#, EvacuationCommand::Stop { cancel: true }),
        ("skip", r#"{"vm": "00000000-0000-0000-0000-000000000064"}"#, EvacuationCommand::Skip(vm(100))),
        ("retry", r#"{"vm": "00000000-0000-0000-0000-000000000064"}"#, EvacuationCommand::Retry(vm(100))),
        ("first", r#"{"vm": "00000000-0000-0000-0000-000000000064"}"#, EvacuationCommand::First(vm(100))),
    ] {
        let path = format!("/api/evacuations/{EVACUATION}/{word}");
        let answer = house.send(send_json(Method::POST, &path, &cookie, body)).await;
        assert_eq!((answer.status, &answer.json()["id"]), (StatusCode::OK, &json!(EVACUATION)), "{path}");
        assert_eq!(house.console.host_calls(), [HostCall::TellEvacuation(command)]);
    }
    for (word, said) in [("begin", MaintenanceCommand::Begin), ("end", MaintenanceCommand::End)] {
        let answer = house.send(post("/api/hosts/alpha/maintenance", &cookie, &json!({"command": word}))).await;
        assert_eq!((answer.status, &answer.json()["settings"]["name"]), (StatusCode::OK, &json!("alpha")));
        assert_eq!(house.console.host_calls(), [HostCall::Maintain(name("alpha"), said)]);
    }
}

#[tokio::test]
async fn rules_are_replaced_as_a_whole() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let rule = |name: &str, kind| PlacementRule { name: name.into(), vms: vec![vm(1), vm(2)], kind };
    let rules = PlacementRules {
        rules: vec![
            rule("databases", PlacementKind::KeepApart),
            rule("shop", PlacementKind::KeepTogether),
            rule("licence", PlacementKind::MayRunOn(vec![name("alpha")])),
        ],
        priorities: [(vm(1), -7)].into(),
    };
    let written = json!({
        "rules": [
            {"name": "databases", "vms": [vm(1), vm(2)], "kind": "keep-apart"},
            {"name": "shop", "vms": [vm(1), vm(2)], "kind": "keep-together"},
            {"name": "licence", "vms": [vm(1), vm(2)], "kind": {"may-run-on": ["alpha"]}},
        ],
        "priorities": {vm(1).to_string(): -7},
    });
    let answer = house.send(send_json(Method::PUT, "/api/placement", &cookie, &written.to_string())).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!(PlacementRules::default())), "as they are kept");
    assert_eq!(house.console.host_calls(), [HostCall::Place(rules)]);
    assert_eq!(house.send(get("/api/placement", &cookie)).await.json(), json!({"rules": [], "priorities": {}}));
}

#[tokio::test]
async fn a_refusal_says_what_has_changed() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let outdated = Problem::new(Code::PlanOutdated, "web is on gamma now.").with_details("web is on gamma now.");
    house.console.will_refuse(outdated.clone());
    let answer = house.send(post("/api/evacuations", &cookie, &json!({"plan": PLAN}))).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::CONFLICT, json!(outdated)));
    house.console.will_refuse(None);
    for (path, code) in [
        (format!("{PLANS}/{WEB}"), "unknown-plan"),
        (format!("{PLANS}/x"), "unknown-plan"),
        (format!("/api/evacuations/{WEB}"), "unknown-evacuation"),
        ("/api/evacuations/..%2fhosts".into(), "unknown-evacuation"),
    ] {
        let answer = house.send(get(&path, &cookie)).await;
        assert_eq!((answer.status, &answer.json()["code"]), (StatusCode::NOT_FOUND, &json!(code)), "{path}");
    }
    for (path, body, code) in [
        ("/api/evacuations", json!({"plan": WEB}), "unknown-plan"),
        ("/api/evacuations/x/pause", json!({}), "unknown-evacuation"),
        ("/api/hosts/delta/maintenance", json!({"command": "end"}), "unknown-host"),
    ] {
        let answer = house.send(post(path, &cookie, &body)).await;
        assert_eq!((answer.status, &answer.json()["code"]), (StatusCode::NOT_FOUND, &json!(code)), "{path}");
    }
}

#[tokio::test]
async fn what_makes_no_sense_plans_nothing() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let told = |word: &str| format!("/api/evacuations/{EVACUATION}/{word}");
    let post_to = |path: &str, body: &str| (Method::POST, path.to_owned(), body.to_owned());
    let mut requests = vec![
        post_to("/api/evacuations", "{}"),
        post_to("/api/evacuations", r#"{"plan": "x"}"#),
        post_to(&told("stop"), r#"{"cancel": 1}"#),
        post_to(&told("stop"), r#"{"cancle": true}"#),
        post_to(&told("skip"), "{}"),
        post_to(&told("first"), r#"{"vm": "web"}"#),
        post_to("/api/hosts/alpha/maintenance", "{}"),
        post_to("/api/hosts/alpha/maintenance", r#"{"command": "begin", "force": true}"#),
        (Method::PUT, "/api/placement".into(), r#"{"rule": []}"#.into()),
        (Method::PUT, "/api/placement".into(), r#"{"rules": [{"name": "a", "vms": [], "kind": "keep"}]}"#.into()),
        (Method::GET, "/api/evacuations?limit=many".into(), String::new()),
    ];
    for plan in [
        "{}",
        r#"{"subject": {}}"#,
        r#"{"subject": {"hosts": "alpha"}}"#,
        r#"{"subject": {"hosts": ["-a"]}}"#,
        r#"{"subject": {"hosts": ["a"], "vms": []}}"#,
        r#"{"subject": {"vms": ["web"]}}"#,
        r#"{"subject": {"hosts": ["a"]}, "choices": {"web": "leave"}}"#,
        r#"{"subject": {"hosts": ["a"]}, "accept": ["everything"]}"#,
        r#"{"subject": {"hosts": ["a"]}, "destinaton": "beta"}"#,
        r#"{"subject": {"hosts": ["a"]}, "hook": {"url": "http://192.0.2.1/"}}"#,
    ] {
        requests.push(post_to(PLANS, plan));
    }
    for (method, path, body) in requests {
        let answer = house.send(send_json(method.clone(), &path, &cookie, &body)).await;
        let found = (answer.status, answer.json()["code"].clone());
        assert_eq!(found, (StatusCode::BAD_REQUEST, json!("invalid-input")), "{method} {path} {body}");
    }
    assert!(house.console.host_calls().is_empty());
}

/// Ten thousand VMs can be named where that makes sense, by a user; a stranger's body is not even read.
#[tokio::test]
async fn a_whole_fleet_can_be_named() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let all: Vec<VmId> = (0..10_000).map(|number| vm(u128::MAX - number)).collect();
    let plan = json!({"subject": {"vms": all}});
    let rule = json!({"rules": [{"name": "all", "vms": all, "kind": "keep-apart"}]});
    assert_eq!(house.send(post(PLANS, &cookie, &plan)).await.status, StatusCode::CREATED);
    let answer = house.send(send_json(Method::PUT, "/api/placement", &cookie, &rule.to_string())).await;
    assert_eq!(answer.status, StatusCode::OK);
    let longer = json!({"subject": {"vms": all}, "reason": "x".repeat(1 << 20)});
    let refused = |answer: Answer| (answer.status, answer.json()["code"].clone());
    let too_large = (StatusCode::PAYLOAD_TOO_LARGE, json!("too-large"));
    assert_eq!(refused(house.send(post(PLANS, &cookie, &longer)).await), too_large);
    assert_eq!(refused(house.send(post("/api/evacuations", &cookie, &plan)).await), too_large, "elsewhere");
    let never = futures::stream::pending::<Result<Vec<u8>, std::io::Error>>();
    let stranger = request(Method::POST, PLANS).body(Body::from_stream(never)).unwrap();
    assert_eq!(house.send(stranger).await.status, StatusCode::UNAUTHORIZED);
}
