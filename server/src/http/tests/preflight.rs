//! What the migrate form shows of a preflight, and what it sends.

use model::{Finding, FindingCode};

use super::*;

const WEB: &str = "00000000-0000-0000-0000-000000000001";

/// Sends the form to a server function, as the page does.
fn form(function: &str, cookie: &str, fields: &str) -> Request<Body> {
    request(Method::POST, &format!("/_fn/app/migrations/server_fns/{function}"))
        .header(header::COOKIE, cookie)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json")
        .body(Body::from(format!("request[vm]={WEB}&request[destination]=beta{fields}")))
        .unwrap()
}

fn risk() -> Finding {
    Finding::warning(FindingCode::Nvram, "The UEFI variables stay behind.").needs_consent()
}

#[tokio::test]
async fn what_libvirt_and_people_write_is_text_and_never_html() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let hostile = "\"><script>alert(1)</script>";
    for finding in [
        Finding::warning(FindingCode::Cpu, hostile).with_fix(hostile).with_details(hostile),
        Finding::warning(FindingCode::Cpu, hostile).needs_consent(),
        Finding::blocker(FindingCode::NameTaken, hostile).with_fix(hostile),
        Finding::ok(FindingCode::Network, hostile),
    ] {
        house.console.will_find(vec![finding]);
        let name = "&request[options][new_name]=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
        let path = format!("/vms/{WEB}/migrate?request[vm]={WEB}&request[destination]=beta{name}");
        let page = house.send(visit(&path, Some(&cookie), "same-origin")).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(!page.body.contains("<script>alert"), "{}", page.body);
        assert!(page.body.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{}", page.body);
    }
}

#[tokio::test]
async fn a_risk_is_accepted_in_the_form() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    house.console.will_find(vec![risk()]);
    let checked = house.send(form("preflight", &cookie, "")).await.json();
    assert_eq!(checked["report"]["preflight"]["Ok"]["findings"], json!([risk()]));
    assert_eq!(checked["request"]["destination"], "beta", "what was asked comes back");
    let box_of = |page: &str| {
        let input = page.split("<input").find(|input| input.contains(r#"value="nvram""#)).unwrap();
        input.split('>').next().unwrap().to_owned()
    };
    let path = format!("/vms/{WEB}/migrate?request[vm]={WEB}&request[destination]=beta");
    let page = house.send(visit(&path, Some(&cookie), "same-origin")).await.body;
    assert!(box_of(&page).contains(r#"name="request[accept][]""#) && !box_of(&page).contains("checked"), "{page}");
    let page = house.send(visit(&(path + "&request[accept][]=nvram"), Some(&cookie), "same-origin")).await.body;
    assert!(box_of(&page).contains("checked"), "a tick survives another check: {page}");

    let answer = house.send(form("start", &cookie, "")).await;
    assert_eq!((answer.status, answer.json()["code"].as_str()), (StatusCode::CONFLICT, Some("needs-consent")));
    assert_eq!(answer.json()["findings"], json!([risk()]));
    // The ticks are for another host, whose findings the form without WASM still showed.
    let answer = house.send(form("start", &cookie, "&request[accept][]=nvram&looked_at=gamma")).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert!(house.console.migrations().is_empty());
    let fields = "&looked_at=beta&request[accept][]=cpu&request[accept][]=nvram&request[options][pools][vda]=images\
                  &request[options][new_name]=web2&request[options][bandwidth_mib_s]=\
                  &request[options][policy]=&request[options][longest_pause_ms]=&request[options][budget_s]=";
    let answer = house.send(form("start", &cookie, fields)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let options = house.console.migrations()[0].options.clone();
    assert_eq!((options.new_name.as_deref(), options.bandwidth_mib_s), (Some("web2"), None));
    assert_eq!((options.policy, options.longest_pause_ms, options.budget_s), (None, None, None));
    assert_eq!(options.pools.get("vda").map(String::as_str), Some("images"));
}

#[tokio::test]
async fn what_stands_in_the_way_is_on_the_card_with_what_helps() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let blocker = Finding::blocker(FindingCode::Network, "So it would fail.").with_fix("Do this.");
    house.console.will_find(vec![blocker]);
    let page = house.send(visit(&format!("/vms/{WEB}/migrate"), Some(&cookie), "same-origin")).await.body;
    assert!(page.contains("<summary>So it would fail.") && page.contains("Do this."), "{page}");
}

#[tokio::test]
async fn the_page_comes_with_the_findings() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    house.console.will_find(vec![Finding::ok(FindingCode::Network, "All networks are there.")]);
    let path = format!("/vms/{WEB}/migrate");
    let page = house.send(visit(&path, Some(&cookie), "same-origin")).await;
    assert!(page.body.contains("Checks on beta") && page.body.contains("1 check passed"), "{}", page.body);
    let query = format!(
        "?request%5Bvm%5D={WEB}&request%5Bdestination%5D=beta&request%5Boptions%5D%5Bkeep_source_definition%5D=true\
         &request[options][eject_media]=false"
    );
    let page = house.send(visit(&(path + &query), Some(&cookie), "same-origin")).await;
    assert!(page.body.contains("alpha keeps its definition."), "{}", page.body);
    for path in ["/vms/nonsense/migrate", "/vms/00000000-0000-0000-0000-00000000000f/migrate"] {
        let page = house.send(visit(path, Some(&cookie), "same-origin")).await;
        assert!(page.status.is_client_error() && page.body.contains("Request failed"), "{path}: {}", page.status);
    }
}
