//! `vmferry evacuate`, a client of these doors.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};

use clap::Parser;
use model::{
    Choice, EvacuationCommand, EvacuationState, FindingCode, ItemState, Maintenance, PlanId, PlanRequest, Policy,
    Subject, VmId, examples,
};
use port::Principal;
use tokio::{task::JoinHandle, time::timeout};
use uuid::Uuid;

use super::{fake::HostCall, stream::Open, *};
use crate::{
    commands::{Failure, evacuate::Evacuate},
    server::Certificate,
};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    evacuate: Evacuate,
}

#[expect(clippy::disallowed_methods, reason = "a test has no session")]
fn ada() -> Principal {
    Principal::authenticated("ada".into(), None)
}

/// A file with this text, which only its owner may read.
fn private(house: &House, name: &str, text: &str) -> PathBuf {
    let path = house.directory.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// What comes of a command line of ada's.
async fn evacuate(house: &House, console: &str, arguments: &str) -> Result<u8, Failure> {
    let password = private(house, "password", &format!("{PASSWORD}\n"));
    let line = format!("evacuate {arguments} --user ada --config /nowhere/vmferry.toml --console {console}");
    let line = line.split(' ').map(str::to_owned).chain(["--password-file".into(), password.display().to_string()]);
    Line::try_parse_from(line)?.evacuate.run().await
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let open = Open::new().await;
    let (house, console) = (&open.house, format!("http://{}", open.address));
    let status = evacuate(house, &console, "alpha --dry-run --to beta --reason kernel").await.unwrap();
    assert_eq!(status, 2, "db stays");
    let plan = PlanRequest {
        destination: Some("beta".parse().unwrap()),
        reason: "kernel".into(),
        ..PlanRequest::plain(Subject::Hosts(vec!["alpha".parse().unwrap()]))
    };
    assert_eq!(house.console.host_calls(), [HostCall::Plan(plan)]);
    let refused = evacuate(house, &console, "alpha --home").await.unwrap_err().to_string();
    assert!(refused.contains("alpha is in use"), "{refused}");
    assert_eq!(house.auth.sessions_of(&ada()).await.unwrap().len(), 1, "it has logged out; one is the test's");
}

#[tokio::test]
async fn what_is_chosen_arrives_in_the_words_of_the_api() {
    let open = Open::new().await;
    let (house, console) = (&open.house, format!("http://{}", open.address));
    let vm = |number| VmId(Uuid::from_u128(number));
    let plain = PlanRequest::plain(Subject::Hosts(vec!["alpha".parse().unwrap()]));
    let both = PlanRequest {
        subject: Subject::Hosts(vec!["alpha".parse().unwrap(), "beta".parse().unwrap()]),
        ..plain.clone()
    };
    let by_name = "alpha --dry-run --policy gentle --leave größe --shut-down twin --accept maintenance";
    let by_uuid = format!("alpha beta --dry-run --move-offline {} --leave web --leave {}", vm(5), vm(3));
    for (arguments, request) in [
        (
            by_name.to_owned(),
            PlanRequest {
                policy: Some(Policy::Gentle),
                choices: [(vm(3), Choice::Leave), (vm(4), Choice::ShutDown)].into(),
                accept: vec![FindingCode::Maintenance],
                ..plain
            },
        ),
        (
            by_uuid,
            PlanRequest {
                choices: [(vm(1), Choice::Leave), (vm(3), Choice::Leave), (vm(5), Choice::MoveOffline)].into(),
                ..both
            },
        ),
    ] {
        assert_eq!(evacuate(house, &console, &arguments).await.unwrap(), 2, "{arguments}: db stays");
        assert_eq!(house.console.host_calls(), [HostCall::Plan(request)], "{arguments}");
    }
    for (arguments, why) in [
        ("alpha --leave nobody", "called nobody"),
        ("alpha beta --leave twin", "give the UUID"),
        ("alpha --leave web --shut-down web", "--leave and --shut-down"),
        ("alpha --home --leave web", "cannot be used with"),
        ("alpha --policy bold", "gentle, balanced and certain"),
    ] {
        let refused = evacuate(house, &console, arguments).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{arguments}: {refused}");
        assert!(house.console.host_calls().is_empty(), "{arguments}");
    }
}

#[tokio::test]
async fn an_evacuation_under_way_is_told_by_its_host_or_its_id() {
    let open = Open::new().await;
    let (house, console) = (&open.house, format!("http://{}", open.address));
    let id = house.console.evacuation().id;
    let vm = house.console.evacuation().items[1].vm;
    let refused = evacuate(house, &console, "alpha --pause").await.unwrap_err().to_string();
    assert!(refused.contains("alpha is in use"), "{refused}");
    house.console.will_be_in_maintenance(Maintenance { home: Some(id), ..examples::maintenance(77) });
    for (arguments, command) in [
        ("alpha --pause".to_owned(), EvacuationCommand::Pause),
        ("alpha --continue".to_owned(), EvacuationCommand::Continue),
        ("alpha --stop".to_owned(), EvacuationCommand::Stop { cancel: false }),
        ("alpha --stop --cancel".to_owned(), EvacuationCommand::Stop { cancel: true }),
        ("alpha --skip db".to_owned(), EvacuationCommand::Skip(vm)),
        (format!("alpha --retry {vm}"), EvacuationCommand::Retry(vm)),
        (format!("{id} --first db"), EvacuationCommand::First(vm)),
    ] {
        assert_eq!(evacuate(house, &console, &arguments).await.unwrap(), 0, "{arguments}");
        assert_eq!(house.console.host_calls(), [HostCall::TellEvacuation(command)], "{arguments}");
    }
    for wrong in [
        "alpha beta --pause",
        "alpha --pause --stop",
        "alpha --cancel",
        "alpha --skip nobody",
        "alpha --pause --yes",
        "alpha --watch --leave web",
        "00000000-0000-0000-0000-0000000000ff --pause",
    ] {
        assert!(evacuate(house, &console, wrong).await.is_err(), "{wrong}");
    }
    house.console.evacuation().state = EvacuationState::Stopped;
    assert_eq!(evacuate(house, &console, "alpha --watch").await.unwrap(), 2, "its VMs have not moved");
}

#[tokio::test]
async fn a_plan_is_carried_out_and_followed() {
    let open = Open::new().await;
    let (house, console) = (&open.house, format!("http://{}", open.address));
    let all_move = async {
        while house.console.host_calls().last() != Some(&HostCall::CarryOut(PlanId(Uuid::from_u128(9)))) {
            tokio::task::yield_now().await;
        }
        let mut evacuation = house.console.evacuation();
        for item in &mut evacuation.items {
            item.state = ItemState::Moved { migration: None };
        }
        evacuation.state = EvacuationState::Done;
    };
    let followed = evacuate(house, &console, "alpha --yes");
    let (status, ()) = timeout(Duration::from_secs(60), async { tokio::join!(followed, all_move) }).await.unwrap();
    assert_eq!(status.unwrap(), 0);
}

#[tokio::test]
async fn refusals_are_told() {
    let open = Open::new().await;
    let (house, console) = (&open.house, format!("http://{}", open.address));
    let outdated =
        model::Problem::new(model::Code::PlanOutdated, "This plan does not hold any more.").with_details("a\nb");
    house.console.will_refuse(outdated);
    let refused = evacuate(house, &console, "alpha --yes").await.unwrap_err().to_string();
    assert_eq!(refused, "This plan does not hold any more.\na\nb");
    let refused = evacuate(house, "http://192.0.2.7:1", "alpha").await.unwrap_err().to_string();
    assert!(refused.contains("unencrypted"), "{refused}");
    for wrong in ["", "-a", "alpha --home --to beta", "alpha --accept everything", "alpha --password secret"] {
        assert!(evacuate(house, &console, wrong).await.is_err(), "{wrong}");
    }
    let file = private(house, "password", "not the password\n");
    let arguments = ["evacuate", "alpha", "--user", "ada", "--console", &console, "--password-file"];
    let line = Line::try_parse_from(arguments.into_iter().chain([file.to_str().unwrap()])).unwrap();
    let refused = line.evacuate.run().await.unwrap_err().to_string();
    assert!(refused.contains("WOKAUTH0008E"), "{refused}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let line = Line::try_parse_from(arguments.into_iter().chain([file.to_str().unwrap()])).unwrap();
    let refused = line.evacuate.run().await.unwrap_err().to_string();
    assert!(refused.contains("chmod 600"), "{refused}");
}

/// A console with the certificate of a directory.
async fn over_tls(house: &House, name: &str) -> (String, PathBuf, JoinHandle<std::io::Result<()>>) {
    let directory = house.directory.path().join(name);
    fs::create_dir(&directory).unwrap();
    let certificate = Certificate::self_signed(&directory, [127, 0, 0, 1].into()).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let console = format!("https://{}", listener.local_addr().unwrap());
    let (router, stop) = (house.router.clone(), house.stop.clone());
    let served = tokio::spawn(crate::server::serve(listener, Some(certificate.tls()), router, None, stop));
    (console, crate::server::own_certificate(&directory), served)
}

#[tokio::test]
async fn only_the_console_that_is_known_gets_the_password() {
    let house = House::new().await;
    let (console, own, _served) = over_tls(&house, "own").await;
    let (_, other, _other_served) = over_tls(&house, "other").await;
    let with = |certificate: &PathBuf| format!("alpha --dry-run --certificate {}", certificate.display());
    assert_eq!(evacuate(&house, &console, &with(&own)).await.unwrap(), 2);
    for arguments in [with(&other), "alpha --dry-run".into()] {
        let refused = evacuate(&house, &console, &arguments).await.unwrap_err().to_string();
        assert!(refused.contains("certificate"), "{refused}");
    }
    // The configuration knows both address and certificate.
    let port = console.rsplit(':').next().unwrap();
    let data = own.parent().unwrap().display();
    let config = private(&house, "vmferry.toml", &format!("listen = \"0.0.0.0:{port}\"\ndata_dir = \"{data}\"\n"));
    let password = private(&house, "password", PASSWORD);
    let arguments = ["evacuate", "alpha", "--dry-run", "--user", "ada", "--config"];
    let files = [config.to_str().unwrap(), "--password-file", password.to_str().unwrap()];
    let line = Line::try_parse_from(arguments.into_iter().chain(files)).unwrap();
    assert_eq!(line.evacuate.run().await.unwrap(), 2);
}
