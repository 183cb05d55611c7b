//! `/selection`: the forms with which something is done to several VMs.

use model::{Chosen, Code, Problem, StateFilter, VmAction, VmId, VmQuery};
use uuid::Uuid;

use super::{
    fake::{SELECTION, SelectionCall},
    *,
};

const WEB: &str = "00000000-0000-0000-0000-000000000001";
const SHUT_DOWN: VmAction = VmAction::ShutDown;

fn selected() -> String {
    format!("/selection/{SELECTION}")
}

/// The forms, filled in.
fn forms() -> [(String, String); 2] {
    [("/selection".to_owned(), format!("action=shut-down&vm={WEB}")), (selected(), "seen=5".to_owned())]
}

#[tokio::test]
async fn a_stranger_selects_nothing_and_sees_nothing() {
    let house = House::new().await;
    for (path, form) in forms() {
        let answer = house.send(send_form(&path, None, &form)).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/login"), "{path}");
    }
    let answer = house.send(visit(&selected(), None, "none")).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::SEE_OTHER, ""));
    assert_eq!(house.console.selection_calls(), []);
}

#[tokio::test]
async fn no_other_sites_page_does_anything_to_vms() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    for (path, form) in forms() {
        let mut request = send_form(&path, Some(&cookie), &form);
        request.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
        request.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
        let answer = house.send(request).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (StatusCode::FORBIDDEN, Some("foreign-origin")));
    }
    assert_eq!(house.console.selection_calls(), []);
}

#[tokio::test]
async fn what_is_ticked_is_looked_at_and_then_done() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    for (path, form) in forms() {
        let answer = house.send(send_form(&path, Some(&cookie), &form)).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, selected().as_str()), "{path}");
    }
    let web = Chosen::Vms(vec![VmId(Uuid::from_u128(1))]);
    let calls = [SelectionCall::Select(web, SHUT_DOWN), SelectionCall::CarryOut(5)];
    assert_eq!(house.console.selection_calls(), calls);
    let all = "action=start&all=on&list=%2F%3Fq%3Dweb%26state%3Drunning&vms=";
    house.send(send_form("/selection", Some(&cookie), all)).await;
    let query = VmQuery { search: "web".into(), state: StateFilter::Running, ..VmQuery::default() };
    let chosen = Chosen::Matching { query, except: Vec::new() };
    assert_eq!(house.console.selection_calls(), [SelectionCall::Select(chosen, VmAction::Start)]);
}

#[tokio::test]
async fn to_move_them_a_plan_is_asked_for() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let two = "00000000-0000-0000-0000-000000000002";
    let list = "list=%2F%3Fq%3Dweb%26from%3D200";
    for (form, parts) in [
        (
            format!("vms={two}&vm={WEB}&vm={two}"),
            vec![format!("name=\"vms\" value=\"{WEB},{two}\""), "Move 2 VMs".to_owned()],
        ),
        (format!("all=on&{list}&vms={two}"), vec![format!("name=\"vms\" value=\"{two}\""), "name=\"all\"".to_owned()]),
        (format!("{list}&vm={WEB}"), vec!["href=\"/?q=web&amp;from=200\"".to_owned(), "Move 1 VM".to_owned()]),
        (format!("list=%2F%2Fexample.com%2F&vm={WEB}"), vec!["class=\"back\"><a href=\"/\"".to_owned()]),
        (format!("again={SELECTION}"), vec!["Move 3 VMs".to_owned(), format!("{WEB},{two},")]),
    ] {
        let answer = house.send(send_form("/plans/form", Some(&cookie), &form)).await;
        assert_eq!(answer.status, StatusCode::OK, "{form}");
        for part in parts {
            assert!(answer.body.contains(&part), "{part}: {}", answer.body);
        }
    }
    for nothing in [String::new(), "vm=web".to_owned(), format!("all=on&list=%2F%3Fcolour%3Dred&vm={WEB}")] {
        let answer = house.send(send_form("/plans/form", Some(&cookie), &nothing)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{nothing}");
    }
    assert_eq!(house.console.selection_calls(), []);
    let plan = house.send(send_form("/plans", Some(&cookie), &format!("vms={WEB}&{list}"))).await;
    let address = plan.header("location");
    assert!(address.starts_with("/plans/") && address.ends_with("?list=%2F%3Fq%3Dweb%26from%3D200"), "{address}");
    let list = house.send(visit("/plans/form", Some(&cookie), "same-origin")).await;
    assert_eq!((list.status, list.header("location")), (StatusCode::SEE_OTHER, "/"));
}

#[tokio::test]
async fn what_can_not_be_read_changes_nothing() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    for (path, form) in [
        ("/selection".to_owned(), format!("action=delete&vm={WEB}")),
        ("/selection".to_owned(), format!("vm={WEB}")),
        ("/selection".to_owned(), "action=start&vm=web".to_owned()),
        ("/selection".to_owned(), "action=start&all=on&list=%2F%3Fstate%3Dflying".to_owned()),
        ("/selection".to_owned(), "action=start&all=on".to_owned()),
        ("/selection/x".to_owned(), "seen=5".to_owned()),
        (selected(), String::new()),
        (selected(), "seen=now".to_owned()),
    ] {
        let answer = house.send(send_form(&path, Some(&cookie), &form)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {form}");
        assert!(answer.body.contains("Nothing was done"), "{}", answer.body);
    }
    let mut json = send_form("/selection", Some(&cookie), "{}");
    json.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
    assert_eq!(house.send(json).await.status, StatusCode::BAD_REQUEST);
    let large = format!("action=start&vms={}", format!("{WEB}+").repeat(2_000));
    assert_eq!(house.send(send_form("/selection", Some(&cookie), &large)).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(house.console.selection_calls(), []);
    house.console.will_refuse(Problem::new(Code::WrongState, "It is <too> late."));
    let refused = house.send(send_form(&selected(), Some(&cookie), "seen=5")).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(refused.body.contains("It is &lt;too&gt; late."), "{}", refused.body);
}

#[tokio::test]
async fn the_page_says_what_will_be_done_and_what_not() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let page = house.send(visit(&selected(), Some(&cookie), "same-origin")).await;
    assert_eq!((page.status, page.header("refresh")), (StatusCode::OK, ""));
    for part in [
        "Shut down 4 VMs?",
        "Shut down 2 VMs",
        "name=\"seen\" value=\"5\"",
        "two words is shut off",
        "a&lt;b",
        "Asks each guest to shut down.",
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    assert!(!page.body.contains("<script"), "{}", page.body);
    let running = house.send(visit(&format!("/selection/{WEB}"), Some(&cookie), "same-origin")).await;
    assert_eq!(running.header("refresh"), "2", "it is loaded again while something is going on");
    let list = house.send(visit("/selection", Some(&cookie), "same-origin")).await;
    assert_eq!((list.status, list.header("location")), (StatusCode::SEE_OTHER, "/"));
}

#[tokio::test]
async fn the_list_s_checkboxes_need_no_scripts() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let page = house.send(visit("/?q=w", Some(&cookie), "same-origin")).await;
    for part in [
        "form=\"selection\"",
        WEB,
        "id=\"selection\"",
        "action=\"/selection\"",
        "value=\"/?q=w\"",
        "formaction=/plans/form",
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
}
