//! Pastes the commands of README.md and docs/api.md into bash, against a real demo: each has to work as it stands there. Those that need
//! a host of the reader's are only read by bash, and have to be called examples.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    DEMO,
    support::{Demo, PASSWORD},
};

const README: &str = include_str!("../../../README.md");
const API: &str = include_str!("../../../docs/api.md");

/// The next text begins with a VM that is not being moved.
const UNTIL_IT_HAS_ENDED: &str =
    r#"while [[ $(curl -b jar $kimchi/tasks/$id) == *'"status":"running"'* ]]; do sleep 0.1; done"#;

/// The shell commands of a Markdown text: its `sh` blocks, in order.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    text.split("```sh\n").skip(1).map(|rest| rest.split_once("```").expect("a block ends").0)
}

/// The blocks of a text up to a heading that talk to a console, as one script; the console and its host delta are elsewhere.
fn script(text: &str, until: &str, demo: &Demo) -> String {
    let text = text.split_once(until).expect("the heading is there").0;
    let commands: String = blocks(text).filter(|block| block.contains("read -rs") || block.contains("curl")).collect();
    assert!(commands.contains("$kimchi/vms/web/migrate"), "{commands}");
    commands.replace("http://127.0.0.1:8080", &demo.base).replace("127.0.0.5", &demo.delta().to_string())
}

/// Runs a script as if it were pasted, with the password typed where it is read. Each request has to be answered with a 2xx, but for a
/// cancel that comes too late.
fn paste(script: &str, directory: &Path) {
    let told = r#"
        curl() {
            local status
            status=$(command curl --silent --show-error --output answer --write-out '%{http_code}' "$@") || exit 1
            cat answer
            case "$* $status" in *" 2"??) ;; *"-X DELETE "*"/tasks/"*" 409") ;; *) echo "$status: $*" >&2; exit 1 ;; esac
        }
        set -eu -o pipefail
    "#;
    let mut bash = Command::new("bash")
        .args(["-c", &format!("{told}{script}")])
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bash is installed");
    let mut stdin = bash.stdin.take().expect("it was asked for");
    writeln!(stdin, "{PASSWORD}").expect("bash reads the password");
    drop(stdin);
    let output = bash.wait_with_output().expect("bash ends");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{script}\n{}\n{}", said(&output.stdout), said(&output.stderr));
}

#[test]
fn all_commands_are_bash() {
    for block in blocks(README).chain(blocks(API)) {
        let checked = Command::new("bash").args(["-n", "-c", block]).output().expect("bash is installed");
        assert!(checked.status.success(), "{block}\n{}", String::from_utf8_lossy(&checked.stderr));
        // `<name>` would be read from a file.
        assert!(!block.lines().any(|line| line.split('#').next().unwrap_or_default().contains("/<")), "{block}");
    }
}

#[test]
fn what_needs_a_host_of_the_reader_s_is_called_an_example() {
    for section in [README, API].into_iter().flat_map(|text| text.split("\n## ")) {
        // The address is one for documentation (RFC 5737).
        let is_example = blocks(section).any(|block| block.contains('…') || block.contains("192.0.2."));
        assert!(!is_example || section.contains("are examples: put in"), "{section}");
    }
}

#[tokio::test]
async fn what_is_pasted_works() {
    let demo = DEMO.lock().await;
    for (text, until) in [(README, "## More"), (API, "## Steering a migration")] {
        paste(&[&script(text, until, &demo), UNTIL_IT_HAS_ENDED].concat(), demo.dir());
    }
}
