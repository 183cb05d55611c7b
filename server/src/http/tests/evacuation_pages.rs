//! The pages of plans, evacuations, hosts in maintenance and rules.

use model::{
    Choice, Code, EvacuationCommand, EvacuationId, MaintenanceCommand, PlacementKind, PlacementRules, PlanId,
    PlanRequest, Policy, Problem, Subject, VmId,
};
use uuid::Uuid;

use super::{fake::HostCall, forms::in_one_piece, send_form, *};

const PLAN: &str = "/plans/00000000-0000-0000-0000-000000000009";
const EVACUATION: &str = "/evacuations/00000000-0000-0000-0000-000000000001";
const WEB: &str = "00000000-0000-0000-0000-000000000001";

/// Every form that is sent, with what it sends.
fn forms() -> [(String, String); 11] {
    let tell = format!("{EVACUATION}/tell");
    let one = |path: &str, body: &str| (path.to_owned(), body.to_owned());
    [
        one("/plans", "hosts=alpha&reason=kernel&destination=&policy="),
        one("/plans", &format!("vms={WEB}&destination=beta&policy=gentle&choices%5Bvm-{WEB}%5D=leave")),
        one(&format!("{PLAN}/carry-out"), ""),
        one(&tell, "command=pause"),
        one(&tell, "command=continue"),
        one(&tell, "command=stop&cancel=true"),
        one(&tell, &format!("command=skip&vm={WEB}")),
        one(&tell, &format!("command=retry&vm={WEB}")),
        one(&tell, &format!("command=first&vm={WEB}")),
        one("/hosts/alpha/maintenance", "command=begin"),
        one("/placement", "command=add&name=webs&kind=keep-apart&vms=web%0D%0Atwo+words&hosts="),
    ]
}

/// Looks at a page, and returns it as text without the comments between its parts.
async fn page(house: &House, path: &str) -> String {
    let answer = house.send(visit(path, Some(&house.cookie().await), "same-origin")).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    in_one_piece(&answer.body)
}

#[tokio::test]
async fn a_form_arrives_as_it_was_filled_in() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let web = VmId(Uuid::from_u128(1));
    let told = |command| HostCall::TellEvacuation(command);
    let hosts =
        PlanRequest { reason: "kernel".into(), ..PlanRequest::plain(Subject::Hosts(vec!["alpha".parse().unwrap()])) };
    let vms = PlanRequest {
        destination: "beta".parse().ok(),
        policy: Some(Policy::Gentle),
        choices: [(web, Choice::Leave)].into(),
        ..PlanRequest::plain(Subject::Vms(vec![web]))
    };
    let rule = model::PlacementRule {
        name: "webs".into(),
        vms: vec![web, VmId(Uuid::from_u128(2))],
        kind: PlacementKind::KeepApart,
    };
    let in_list = format!("{EVACUATION}#vm-{WEB}");
    let expected = [
        (HostCall::Plan(hosts), PLAN),
        (HostCall::Plan(vms), PLAN),
        (HostCall::CarryOut(PlanId(Uuid::from_u128(9))), EVACUATION),
        (told(EvacuationCommand::Pause), EVACUATION),
        (told(EvacuationCommand::Continue), EVACUATION),
        (told(EvacuationCommand::Stop { cancel: true }), EVACUATION),
        (told(EvacuationCommand::Skip(web)), &in_list),
        (told(EvacuationCommand::Retry(web)), &in_list),
        (told(EvacuationCommand::First(web)), &in_list),
        (HostCall::Maintain("alpha".parse().unwrap(), MaintenanceCommand::Begin), "/hosts/alpha"),
        (HostCall::Place(PlacementRules { rules: vec![rule], ..PlacementRules::default() }), "/placement"),
    ];
    for ((path, body), (call, leads_to)) in forms().into_iter().zip(expected) {
        let answer = house.send(send_form(&path, Some(&cookie), &body)).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, leads_to), "{path} {body}");
        assert_eq!(house.console.host_calls(), [call], "{path} {body}");
    }
}

#[tokio::test]
async fn all_that_a_list_shows_is_planned() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    house.send(send_form("/plans", Some(&cookie), &format!("all=on&list=/%3Fq%3Dw&vms={WEB}"))).await;
    let calls = house.console.host_calls();
    let [HostCall::Plan(PlanRequest { subject: Subject::Vms(vms), .. })] = calls.as_slice() else {
        panic!("{calls:?}")
    };
    assert_eq!(vms.len(), 4, "all of the list but web: {vms:?}");
    let answer = house.send(send_form("/plans", Some(&cookie), "all=on&list=/%3Fstate%3Dflying")).await;
    assert_eq!((answer.status, house.console.host_calls()), (StatusCode::BAD_REQUEST, Vec::new()));
}

#[tokio::test]
async fn without_a_login_and_from_other_sites_nothing_arrives() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    for (path, body) in forms() {
        let answer = house.send(send_form(&path, None, &body)).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/login"), "{path}");
        let mut foreign = send_form(&path, Some(&cookie), &body);
        foreign.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
        foreign.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
        let answer = house.send(foreign).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (StatusCode::FORBIDDEN, Some("foreign-origin")));
    }
    assert_eq!(house.console.host_calls(), []);
}

#[tokio::test]
async fn a_refusal_is_told_and_what_was_typed_is_kept() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    house.console.will_refuse(Problem::new(Code::WrongState, "Not now.").with_fix("Wait."));
    for (path, body) in forms() {
        let answer = house.send(send_form(&path, Some(&cookie), &body)).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{path} {body}");
        assert!(answer.body.contains("Not now.") && answer.body.contains("Wait."), "{}", answer.body);
    }
    let (path, body) = &forms()[0];
    let again = house.send(send_form(path, Some(&cookie), body)).await.body;
    assert!(again.contains("value=\"kernel\"") && again.contains("name=\"hosts\" value=\"alpha\""), "{again}");
    let (path, body) = &forms()[10];
    let again = house.send(send_form(path, Some(&cookie), body)).await.body;
    assert!(again.contains("value=\"webs\"") && again.contains("two words"), "{again}");
}

/// The field of a page that is told to be wrong, if there is exactly one, that has the focus, and that refers to a sentence on the page.
fn wrong_field(page: &str) -> Option<String> {
    let (before, after) =
        page.split_once("aria-invalid=\"true\"").filter(|(_, after)| !after.contains("aria-invalid"))?;
    let tag = &page[before.rfind('<')?..page.len() - after.len() + after.find('>')?];
    let name = tag.split_once(" name=\"")?.1.split_once('"')?.0;
    let refers = tag.contains(&format!("aria-describedby=\"{name}-mistake\"")) && tag.contains("autofocus");
    (refers && page.contains(&format!("id=\"{name}-mistake\""))).then(|| name.to_owned())
}

#[tokio::test]
async fn what_is_wrong_is_told_at_its_field() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let post = async |path: &str, body: &str| house.send(send_form(path, Some(&cookie), body)).await.body;
    let (path, plan) = &forms()[0];
    assert_eq!(wrong_field(&post("/plans", "hosts=alpha&destination=A+b").await).as_deref(), Some("destination"));
    let add = |fields: &str| format!("command=add&kind=may-run-on&{fields}");
    for (body, field) in
        [(add("name=webs&vms=nobody&hosts=alpha"), "vms"), (add("name=webs&vms=web&hosts=A+b"), "hosts")]
    {
        assert_eq!(wrong_field(&post("/placement", &body).await).as_deref(), Some(field), "{body}");
    }
    let priority = "command=set&vms=nobody&priority=3";
    let page = post("/placement", priority).await;
    assert_eq!(wrong_field(&page).as_deref(), Some("vms"), "of the second form only");
    assert!(page.contains(">nobody</textarea>") && page.contains("value=\"3\""), "{page}");
    for (path, body, problem, field) in [
        (
            path.as_str(),
            plan.as_str(),
            Problem::new(Code::InvalidInput, "Too long.").with_field("reason"),
            Some("reason"),
        ),
        (
            "/plans",
            "hosts=alpha&destination=gone",
            Problem::new(Code::UnknownHost, "No such host."),
            Some("destination"),
        ),
        ("/plans", "hosts=alpha&destination=beta", Problem::new(Code::UnknownHost, "No such host."), None),
        (
            "/placement",
            "command=set&vms=web&priority=120",
            Problem::new(Code::InvalidInput, "Too much.").with_field("priority"),
            Some("priority"),
        ),
    ] {
        house.console.will_refuse(problem);
        assert_eq!(wrong_field(&post(path, body).await).as_deref(), field, "{path} {body}");
    }
}

#[tokio::test]
async fn what_no_form_sends_is_refused_before_anything_is_done() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    for (path, body) in [
        ("/plans", "vms=1"),
        ("/plans", "hosts=alpha&policy=bold"),
        ("/hosts/alpha/maintenance", "command=explode"),
        ("/hosts/A%20b/maintenance", "command=begin"),
        (&format!("{EVACUATION}/tell"), "command=skip"),
        (&format!("{EVACUATION}/tell"), ""),
        ("/evacuations/1/tell", "command=pause"),
        ("/plans/1/carry-out", ""),
        ("/placement", "command=drop"),
    ] {
        let answer = house.send(send_form(path, Some(&cookie), body)).await;
        assert_eq!((answer.status, house.console.host_calls()), (StatusCode::BAD_REQUEST, Vec::new()), "{path} {body}");
    }
    let answer = house.send(send_form("/placement", Some(&cookie), "command=set&vms=twin&priority=1")).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "two VMs have this name: {}", answer.body);
}

#[tokio::test]
async fn a_plan_that_does_not_hold_shows_the_difference() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let problem = Problem::new(Code::PlanOutdated, "This plan does not hold any more: web is on beta now.");
    house.console.will_refuse(problem.with_details("web is on beta now.\ndb is not there any more."));
    let answer = house.send(send_form(&format!("{PLAN}/carry-out"), Some(&cookie), "")).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    for part in ["db is not there any more.", "Make a new plan", "name=\"hosts\" value=\"alpha\""] {
        assert!(answer.body.contains(part), "{part}: {}", answer.body);
    }
    assert!(!answer.body.contains("Carry it out"), "{}", answer.body);
}

#[tokio::test]
async fn a_plan_names_what_moves_and_what_stays_and_chooses_nothing() {
    let house = House::new().await;
    let plan = page(&house, PLAN).await;
    assert!(!plan.contains("<script"), "{plan}");
    for part in [
        "Plan: empty alpha",
        "5 % longer than the least possible",
        "the only host that can take it",
        "No host can take db.",
        "Shut it down",
        "alpha will not be empty: db stays and runs.",
        "Carry it out",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    assert!(!plan.contains("checked"), "{plan}");
}

#[tokio::test]
async fn pages_show_how_far_an_evacuation_is() {
    let house = House::new().await;
    let evacuation = page(&house, EVACUATION).await;
    for part in ["2 of 2 left", "Pause", "/stop", "web has moved to beta.", "First", "Skip", "<progress"] {
        assert!(evacuation.contains(part), "{part}: {evacuation}");
    }
    let stop = page(&house, &format!("{EVACUATION}/stop")).await;
    assert!(stop.contains("Let what moves go on") && stop.contains("value=\"false\" checked"), "{stop}");
    assert!(page(&house, "/evacuations").await.contains(EVACUATION));
    assert!(page(&house, "/").await.contains("alpha is being emptied: 2 of 2 left"));
    let unknown = EvacuationId(Uuid::from_u128(7));
    let cookie = house.cookie().await;
    for (path, status) in [
        (format!("/evacuations/{unknown}"), StatusCode::NOT_FOUND),
        (format!("/evacuations/{unknown}/stop"), StatusCode::NOT_FOUND),
        ("/evacuations/1".to_owned(), StatusCode::BAD_REQUEST),
        (format!("/plans/{unknown}"), StatusCode::NOT_FOUND),
        ("/hosts/nowhere/empty".to_owned(), StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(house.send(visit(&path, Some(&cookie), "same-origin")).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_host_shows_its_stage() {
    let house = House::new().await;
    assert!(page(&house, "/hosts/alpha").await.contains("href=\"/hosts/alpha/empty\""));
    let form = page(&house, "/hosts/alpha/empty").await;
    assert!(form.contains("<option value=\"beta\"") && !form.contains("<option value=\"alpha\""), "{form}");
    house.console.will_be_in_maintenance(model::examples::maintenance(1));
    let draining = page(&house, "/hosts/alpha").await;
    for part in ["Draining", "kernel update", "2 of 2 left", "Pause", EVACUATION] {
        assert!(draining.contains(part), "{part}: {draining}");
    }
    assert!(!draining.contains("/hosts/alpha/empty"), "{draining}");
    assert!(page(&house, "/hosts").await.contains("Draining"));
}

#[tokio::test]
async fn rules_are_shown_and_changed() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let shown = page(&house, "/placement").await;
    assert!(shown.contains("There are no rules yet.") && !shown.contains("<script"), "{shown}");
    let set = "command=set&vms=größe&priority=-7";
    assert_eq!(house.send(send_form("/placement", Some(&cookie), set)).await.status, StatusCode::SEE_OTHER);
    let calls = house.console.host_calls();
    let [HostCall::Place(rules)] = calls.as_slice() else { panic!("{calls:?}") };
    assert_eq!(rules.priorities, [(VmId(Uuid::from_u128(3)), -7)].into());
}
