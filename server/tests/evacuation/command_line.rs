//! The same by `vmferry evacuate`: its exit status, what it says, and virsh.

use std::{
    io::Write,
    process::{Command, Stdio},
    time::Duration,
};

use tokio::time::{sleep, timeout};

use super::{
    DEMO, running,
    support::{Demo, LIMIT, PASSWORD},
};

/// What comes of a command line: exit status, output, errors.
fn evacuate(demo: &Demo, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vmferry"));
    command.arg("evacuate").args(arguments).args(["--config", "/nowhere/vmferry.toml", "--console", &demo.base]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("it was asked for");
    stdin.write_all(format!("{PASSWORD}\n").as_bytes()).expect("it reads the password");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it is text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// By virsh, once a guest that was asked to shut down has done so.
async fn until_running(demo: &Demo, host: &str, expected: &[String]) {
    let poll = async {
        while running(demo, host) != expected {
            sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(LIMIT, poll).await.unwrap_or_else(|_| panic!("{host} runs {:?}, not {expected:?}", running(demo, host)));
}

#[tokio::test]
async fn a_host_is_emptied_with_choices_and_its_vms_come_home() {
    let demo = DEMO.lock().await;
    let before = running(&demo, "beta");
    let [left, off, moved @ ..] = &before[..] else { panic!("{before:?}") };
    assert!(!moved.is_empty(), "{before:?}");
    let uuid = demo.virsh_succeeds("beta", &["domuuid", off]).trim().to_owned();
    let choices = ["beta", "--policy", "gentle", "--leave", left, "--shut-down", &uuid];

    let (status, plan, errors) = evacuate(&demo, &[&choices[..], &["--dry-run"]].concat());
    assert_eq!((status, errors.as_str()), (Some(0), ""), "{plan}");
    assert!(plan.contains(&format!("{left} stays on beta, as chosen.\n    Options: --shut-down {left}\n")), "{plan}");
    assert!(plan.contains(&format!("{off} stays on beta, and is shut down.\n    Options: --leave {off}\n")), "{plan}");
    assert_eq!(running(&demo, "beta"), before, "a dry run changes nothing");

    let (status, output, errors) = evacuate(&demo, &[&choices[..], &["--yes", "--reason", "kernel update"]].concat());
    assert_eq!((status, errors.as_str()), (Some(0), ""), "{output}");
    assert!(output.ends_with("beta: Draining.\n"), "one VM was left there:\n{output}");
    until_running(&demo, "beta", std::slice::from_ref(left)).await;
    for vm in moved {
        assert_eq!(demo.runs_on(vm).len(), 1, "{vm}");
    }
    assert_eq!(demo.virsh_succeeds("beta", &["domstate", off]).trim(), "shut off");
    let (status, _, errors) = evacuate(&demo, &["beta", "--pause"]);
    assert_eq!(status, Some(1), "it is over");
    assert!(!errors.is_empty());

    let (status, output, errors) = evacuate(&demo, &["--home", "beta", "--yes"]);
    assert_eq!((status, errors.as_str()), (Some(0), ""), "{output}");
    assert!(output.ends_with("beta is in use.\n"), "{output}");
    // The one that was shut down, too.
    until_running(&demo, "beta", &before).await;
}

#[tokio::test]
async fn what_can_not_be_done_changes_nothing() {
    let demo = DEMO.lock().await;
    let before = running(&demo, "gamma");
    for (arguments, said) in [
        (&["delta", "--dry-run"][..], "delta"),
        (&["gamma", "--leave", "nobody", "--yes"][..], "nobody"),
        (&["gamma", "--home", "--yes"][..], "gamma is in use"),
        (&["gamma", "--stop"][..], "gamma is in use"),
        // Without a terminal nobody can say yes.
        (&["gamma"][..], "--yes"),
    ] {
        let (status, output, errors) = evacuate(&demo, arguments);
        assert_eq!(status, Some(1), "{arguments:?}: {output}");
        assert!(errors.contains(said), "{arguments:?}: {errors}");
    }
    let (status, ..) = evacuate(&demo, &["gamma", "--policy", "bold"]);
    assert_eq!(status, Some(2), "clap's own");
    assert_eq!(running(&demo, "gamma"), before);
}
