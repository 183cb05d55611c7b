//! The forms that are pages of their own.

use model::{
    AdHocDestination, Code, Destination, Finding, FindingCode, HostLogin, MigrationRequest, Mode, NewHost, Policy,
    Problem, Secret, SshLoginKind, TransportKind,
};

use super::{
    fake::{HostCall, KNOWN_KEY},
    *,
};

const WEB: &str = "/vms/00000000-0000-0000-0000-000000000001/elsewhere";
const SEEN: &str = "SHA256:seenseenseenseenseenseenseenseenseenseen123";
const SECRET: &str = "hunter2+is+it";

const PATHS: [&str; 7] = [
    "/hosts/add",
    "/hosts/gamma/edit",
    "/hosts/gamma/test",
    "/hosts/gamma/remove",
    "/hosts/gamma/login",
    "/hosts/gamma/key",
    WEB,
];

/// All fields that any of the forms has.
fn filled_in() -> String {
    format!(
        "name=delta&transport=ssh&address=192.0.2.9&destination=192.0.2.9&port=2222&user=mover&login=password\
         &password={SECRET}&keep_until_restart=true"
    )
}

/// The page without the elements that cut a fingerprint into groups.
pub(super) fn in_one_piece(html: &str) -> String {
    html.replace("<!>", "").replace("</span><span>", "")
}

#[tokio::test]
async fn nobody_sees_a_form_or_sends_one_without_having_logged_in() {
    let house = House::new().await;
    for path in PATHS {
        let answer = house.send(visit(path, None, "none")).await;
        let login = format!("/login?next={path}");
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, login.as_str()));
        let answer = house.send(send_form(path, None, &filled_in())).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/login"), "{path}");
    }
    assert_eq!(house.console.host_calls(), []);
}

#[tokio::test]
async fn no_other_sites_page_sends_one() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    for path in PATHS {
        let mut request = send_form(path, Some(&cookie), &filled_in());
        request.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
        request.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
        let answer = house.send(request).await;
        assert_eq!((answer.status, answer.json()["code"].as_str()), (StatusCode::FORBIDDEN, Some("foreign-origin")));
    }
    assert_eq!(house.console.host_calls(), []);
}

#[tokio::test]
async fn every_form_is_a_page_without_scripts() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    for path in PATHS {
        let page = house.send(visit(path, Some(&cookie), "same-origin")).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.body.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{}", page.body);
        assert!(page.body.contains(&format!("method=\"post\" action=\"{path}\"")), "{}", page.body);
        assert!(!page.body.contains("<script"), "{}", page.body);
        assert!(page.body.contains("<nav "), "it is in the frame of all pages: {}", page.body);
    }
    assert_eq!(house.console.host_calls(), [], "nothing is done by looking at a page");
}

#[tokio::test]
async fn what_is_typed_is_what_is_asked_for() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    for (path, leads_to) in PATHS.into_iter().zip(["/hosts?added=delta", "/hosts", "", "/hosts", "/hosts", "/hosts"]) {
        let answer = house.send(send_form(path, Some(&cookie), &filled_in())).await;
        let status = if leads_to.is_empty() { StatusCode::OK } else { StatusCode::SEE_OTHER };
        assert_eq!((answer.status, answer.header("location")), (status, leads_to), "{path}: {}", answer.body);
    }
    let calls = house.console.host_calls();
    let [
        HostCall::Add(added),
        HostCall::Change(changed, host),
        HostCall::Test(tested),
        HostCall::Remove(removed),
        HostCall::LogIn(entered, login),
        HostCall::SetUpKey(keyed, _),
    ] = calls.as_slice()
    else {
        panic!("{calls:?}");
    };
    assert_eq!(added, host);
    let NewHost { settings, login: typed } = added;
    assert_eq!((settings.name.as_str(), settings.transport), ("delta", TransportKind::Ssh));
    assert_eq!((settings.address.as_deref(), settings.port), (Some("192.0.2.9"), Some(2222)));
    assert_eq!((settings.user.as_deref(), settings.login), (Some("mover"), Some(SshLoginKind::Password)));
    let password = Some(Secret::new(SECRET.replace('+', " ")));
    assert_eq!(typed, &HostLogin { password: password.clone(), keep_until_restart: true, ..HostLogin::default() });
    assert_eq!(tested.settings.port, Some(2222), "as it is registered");
    for name in [changed, removed, entered, keyed] {
        assert_eq!(name.as_str(), "gamma");
    }
    let user = Some("mover".to_owned());
    assert_eq!(login, &HostLogin { user, password, keep_until_restart: true, fingerprint: None });
    house.send(send_form("/hosts/gamma/key", Some(&cookie), "remove=true&user=")).await;
    assert!(matches!(house.console.host_calls().as_slice(), [HostCall::RemoveKey(_, _)]));
}

#[tokio::test]
async fn a_refused_form_keeps_what_was_typed_but_never_the_password() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let problem = Problem::new(Code::LoginRefused, "192.0.2.9 refused the password.").with_fix("Type it again.");
    house.console.will_refuse(problem);
    for path in PATHS {
        let page = house.send(send_form(path, Some(&cookie), &filled_in())).await;
        assert_eq!(page.status, super::super::status::of(Code::LoginRefused), "{path}");
        assert!(page.body.contains("refused the password") && page.body.contains("Type it again."), "{}", page.body);
        assert!(!page.body.contains("hunter2"), "{path}: {}", page.body);
    }
    for path in ["/hosts/add", "/hosts/gamma/edit", WEB] {
        let page = house.send(send_form(path, Some(&cookie), &filled_in())).await;
        for typed in ["value=\"192.0.2.9\"", "value=\"2222\"", "value=\"mover\""] {
            assert!(page.body.contains(typed), "{path} {typed}: {}", page.body);
        }
    }
    // Nor where the form can't be read at all.
    let page = house.send(send_form("/hosts/add", Some(&cookie), &format!("password={SECRET}&port={SECRET}"))).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    assert!(page.body.contains("Some fields are not valid") && !page.body.contains("hunter2"), "{}", page.body);
}

#[tokio::test]
async fn a_key_that_nobody_knows_is_shown_and_confirmed() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let unknown = Problem::new(Code::HostKeyUnknown, "The console does not know this key.").with_fingerprint(SEEN);
    let confirmation = format!("type=\"checkbox\" name=\"fingerprint\" value=\"{SEEN}\"");
    for path in ["/hosts/add", "/hosts/gamma/edit", "/hosts/gamma/login", "/hosts/gamma/key", WEB] {
        house.console.will_refuse(unknown.clone());
        let page = house.send(send_form(path, Some(&cookie), &filled_in())).await;
        assert_eq!(page.status, StatusCode::CONFLICT, "{path}");
        assert!(page.body.contains(&confirmation), "{path}: {}", page.body);
        assert!(page.body.contains("ssh-keygen -lf"), "{}", page.body);
        assert!(!page.body.contains(&format!("{confirmation} checked")), "it is not confirmed yet: {}", page.body);
        house.console.will_refuse(Problem::new(Code::LoginRefused, "The password is wrong."));
        let confirmed = format!("{}&fingerprint={}", filled_in(), SEEN.replace(':', "%3A"));
        let page = house.send(send_form(path, Some(&cookie), &confirmed)).await;
        assert!(page.body.contains(&format!("{confirmation} checked")), "it is not asked again: {}", page.body);
    }
    let confirmed = house.console.host_calls().into_iter().filter(|call| match call {
        HostCall::Add(NewHost { login, .. })
        | HostCall::Change(_, NewHost { login, .. })
        | HostCall::LogIn(_, login)
        | HostCall::SetUpKey(_, login)
        | HostCall::Start(MigrationRequest {
            destination: Destination::Address(AdHocDestination { login, .. }), ..
        }) => login.fingerprint.as_deref() == Some(SEEN),
        _ => false,
    });
    assert_eq!(confirmed.count(), 5);
}

#[tokio::test]
async fn a_key_that_changed_can_not_be_accepted() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let changed = Problem::new(Code::HostKeyChanged, "gamma shows another key.").with_fix("Remove it first.");
    house.console.will_refuse(changed.with_fingerprint(SEEN));
    for path in ["/hosts/gamma/edit", "/hosts/gamma/test", "/hosts/gamma/login", "/hosts/gamma/key"] {
        let sent = format!("{}&fingerprint={SEEN}", filled_in());
        let page = house.send(send_form(path, Some(&cookie), &sent)).await;
        assert!(!page.body.contains("name=\"fingerprint\""), "{path}: {}", page.body);
        for key in [SEEN, KNOWN_KEY] {
            assert!(in_one_piece(&page.body).contains(key), "{path}: {}", page.body);
        }
    }
}

#[tokio::test]
async fn a_refusal_stands_beside_the_field_that_it_is_about() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let page =
        house.send(send_form("/hosts/add", Some(&cookie), "name=Not+A+Name&transport=ssh&address=192.0.2.9")).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    let field = r#"aria-invalid="true" aria-describedby="name-mistake""#;
    assert_eq!(page.body.matches("aria-invalid").count(), 1, "{}", page.body);
    assert!(page.body.contains(field), "{}", page.body);
    assert!(page.body.contains(r#"<small id="name-mistake""#), "{}", page.body);
    let first = house.send(visit("/hosts/add", Some(&cookie), "same-origin")).await;
    assert!(!first.body.contains("aria-invalid"), "{}", first.body);
}

#[tokio::test]
async fn a_login_leads_to_where_somebody_was() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let page = house.send(visit("/hosts/gamma/login?next=/migrations/1", Some(&cookie), "same-origin")).await;
    assert!(page.body.contains("name=\"next\" value=\"/migrations/1\""), "{}", page.body);
    for (next, leads_to) in [("/migrations/1", "/migrations/1"), ("//evil.example", "/hosts"), ("", "/hosts")] {
        let answer = house.send(send_form("/hosts/gamma/login", Some(&cookie), &format!("next={next}"))).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, leads_to));
    }
}

#[tokio::test]
async fn what_does_not_exist_has_no_form() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let nowhere = "/vms/00000000-0000-0000-0000-00000000000f/elsewhere";
    for path in ["/hosts/nobody/edit", "/hosts/nobody/login", "/hosts/a%2Fb/test", "/vms/nonsense/elsewhere", nowhere] {
        for request in [visit(path, Some(&cookie), "same-origin"), send_form(path, Some(&cookie), &filled_in())] {
            let page = house.send(request).await;
            assert!(page.status.is_client_error() && page.body.contains("Request failed"), "{path}: {}", page.status);
        }
    }
    assert_eq!(house.console.host_calls(), []);
}

#[tokio::test]
async fn a_vm_moves_to_a_host_that_nobody_registered() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let risk = Finding::warning(FindingCode::Nvram, "The UEFI variables stay behind.").needs_consent();
    house.console.will_find(vec![risk, Finding::warning(FindingCode::Encryption, "It goes in the clear.")]);
    let typed = format!(
        "destination=+192.0.2.9+&port=&user=&password={SECRET}&request[mode]=live&request[options][new_name]=\
         &request[options][bandwidth_mib_s]=16&request[options][policy]=certain&request[options][longest_pause_ms]=\
         &request[options][budget_s]=60&register=true&name=delta"
    );
    let page = house.send(send_form(WEB, Some(&cookie), &typed)).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.body.contains("The UEFI variables stay behind.") && page.body.contains("It goes in the clear."));
    assert!(page.body.contains("name=\"request[accept][]\" value=\"nvram\""), "{}", page.body);
    assert!(page.body.contains("name=\"register\" value=\"true\" checked"), "{}", page.body);
    assert!(house.console.migrations().is_empty());

    let answer = house.send(send_form(WEB, Some(&cookie), &format!("{typed}&request%5Baccept%5D%5B%5D=nvram"))).await;
    let id = house.console.migrations()[0].id;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, format!("/migrations/{id}").as_str())
    );
    let Some(HostCall::Start(request)) = house.console.host_calls().pop() else { panic!("nothing was asked for") };
    let MigrationRequest { destination: Destination::Address(destination), mode, options, accept, .. } = request else {
        panic!("{request:?}");
    };
    assert_eq!((destination.address.as_str(), destination.port), ("192.0.2.9", None));
    assert_eq!(destination.register, Some("delta".parse().unwrap()));
    assert_eq!((destination.login.user, destination.login.keep_until_restart), (None, false));
    assert_eq!((mode, accept), (Some(Mode::Live), vec![FindingCode::Nvram]));
    assert_eq!((options.bandwidth_mib_s, options.new_name, options.encrypt), (Some(16), None, None));
    let policy = (options.policy, options.longest_pause_ms, options.budget_s);
    assert_eq!(policy, (Some(Policy::Certain), None, Some(60)));
}

#[tokio::test]
async fn a_host_that_nobody_registered_can_be_checked_only() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    house.console.will_find(vec![Finding::warning(FindingCode::Encryption, "It goes in the clear.")]);
    let typed = format!("destination=192.0.2.9&password={SECRET}&request[options][encrypt]=true&check=true");
    let page = house.send(send_form(WEB, Some(&cookie), &typed)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("It goes in the clear.") && page.body.contains("Checks on 192.0.2.9"), "{}", page.body);
    assert!(!page.body.contains(SECRET), "{}", page.body);
    assert!(house.console.migrations().is_empty(), "nothing is begun");
    let Some(HostCall::Check(request)) = house.console.host_calls().pop() else { panic!("nothing was asked for") };
    assert_eq!(request.options.encrypt, Some(true));
    house.console.will_refuse(Problem::new(Code::LoginRefused, "It does not let vmferry in."));
    let page = house.send(send_form(WEB, Some(&cookie), &typed)).await;
    assert!(page.status.is_client_error() && page.body.contains("It does not let vmferry in."), "{}", page.body);
}

#[tokio::test]
async fn what_people_and_hosts_write_is_text_and_never_html() {
    let house = House::new().await;
    let cookie = house.cookie().await;
    let hostile = "\"><script>alert(1)</script>";
    let findings = vec![Finding::blocker(FindingCode::Network, hostile).with_fix(hostile)];
    let problem = Problem::new(Code::HostKeyUnknown, hostile).with_fix(hostile).with_details(hostile);
    let problems = [problem.clone(), problem.with_fingerprint(hostile).with_findings(findings)];
    let typed = filled_in().replace("192.0.2.9", "%22%3E%3Cscript%3E").replace("mover", "%22%3E%3Cscript%3E")
        + "&shared_directories=%3C/textarea%3E%3Cscript%3E&next=%22%3E%3Cscript%3E&fingerprint=%22%3E%3Cscript%3E";
    for (problem, path) in problems.iter().flat_map(|problem| PATHS.map(|path| (problem, path))) {
        house.console.will_refuse(problem.clone());
        let page = house.send(send_form(path, Some(&cookie), &typed)).await;
        assert!(page.status.is_client_error(), "{path}");
        assert!(!page.body.contains("<script"), "{path}: {}", page.body);
    }
}
