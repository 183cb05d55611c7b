//! How long the Migrate window takes to show its preflight reports with 20 registered hosts, of which three do not answer: one refuses
//! connections, one accepts them and sends nothing, and one was stopped after the console had connected. The others are real libvirt
//! daemons.

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, TcpListener},
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

use futures::{StreamExt, stream};
use model::Host;
use support::{Api, Demo, Served};

/// The hosts have the addresses from 127.0.39.2 on; the first three are alpha, beta and gamma of a demo.
const NETWORK: u8 = 39;
const HOSTS: u8 = 20;
/// The daemon that is stopped.
const STOPPED: u8 = 17;
/// The port that accepts connections and sends nothing. At the last host, 19, nothing listens.
const SILENT: u8 = 18;
/// How many requests browsers make to one server at a time (HTTP/1.1).
const BROWSER: usize = 6;
const ROUNDS: usize = 5;

#[tokio::main]
async fn main() {
    let demo = Demo::start(NETWORK);
    let _daemons: Vec<_> = (3..=STOPPED).map(|number| start_daemon(&demo, number)).collect();
    let _silent = TcpListener::bind((address(SILENT), 16509)).expect("the address is free");
    let directory = demo.dir().join("bench");
    fs::create_dir(&directory).expect("the demo's directory takes files");
    let names: Vec<_> = (0..HOSTS).map(name).collect();
    let served = Served::start(
        &directory,
        names.iter().zip(0..).map(|(name, number)| (name.as_str(), address(number), "session")),
    );
    let api = served.login().await;
    let mut stream = api.stream().await;

    let mut figures = Vec::new();
    for _ in 0..ROUNDS {
        for name in &names[..=usize::from(STOPPED)] {
            stream.until_host(name, Host::is_connected).await;
        }
        stream.until_vm("web", |vm| vm.state.is_active()).await;
        signal(&demo, "-STOP");
        figures.push(open_window(&api, &names[1..]).await);
        signal(&demo, "-CONT");
        stream.until_host(&names[usize::from(STOPPED)], |host| !host.is_connected()).await;
    }
    for (index, what) in ["first findings", "all that answer", "all 19"].into_iter().enumerate() {
        let mut times: Vec<_> = figures.iter().map(|figures| figures[index]).collect();
        times.sort();
        println!("{what}: {:?} ms (median {} ms)", times, times[ROUNDS / 2]);
    }
}

/// Asks for each destination in a request of its own, as the window does. Returns after how many ms there were the first answer,
/// the answers of all destinations that are up, and all answers.
async fn open_window(api: &Api, destinations: &[String]) -> [u128; 3] {
    let begun = Instant::now();
    let asked = destinations.iter().zip(1..).map(|(name, number)| async move {
        let (status, answer) = api.get(&format!("/plugins/kimchi/vms/web/migrate?destination={name}")).await;
        assert!(status.is_success(), "{answer}");
        (number, begun.elapsed().as_millis())
    });
    let answers: Vec<(u8, u128)> = stream::iter(asked).buffer_unordered(BROWSER).collect().await;
    let latest = |among: &dyn Fn(u8) -> bool| {
        answers.iter().filter(|(number, _)| among(*number)).map(|(_, time)| *time).max().unwrap_or_default()
    };
    let first = answers.iter().filter(|(number, _)| *number < STOPPED).map(|(_, time)| *time).min();
    [first.unwrap_or_default(), latest(&|number| number < STOPPED), latest(&|_| true)]
}

fn address(number: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, NETWORK, number + 2).into()
}

fn name(number: u8) -> String {
    match number {
        0 => "alpha".to_owned(),
        1 => "beta".to_owned(),
        2 => "gamma".to_owned(),
        number => format!("host-{number}"),
    }
}

/// One more libvirt daemon in session mode, as the demo's are. Its HOME is in the demo's directory: the demo ends it, too.
fn start_daemon(demo: &Demo, number: u8) -> Child {
    let model = demo.dir().join("alpha");
    let owner = fs::metadata(&model).expect("the demo has it");
    let home = demo.dir().join(name(number));
    let configuration = home.join("config/libvirt");
    fs::create_dir_all(&configuration).expect("the demo's directory takes files");
    let text = format!(
        "host_uuid = \"766d6665-7272-4904-8000-0000000000{number:02x}\"\nlisten_tls = 0\nlisten_tcp = 1\n\
         listen_addr = \"{}\"\nauth_tcp = \"none\"\n",
        address(number)
    );
    fs::write(configuration.join("libvirtd.conf"), text).expect("the demo's directory takes files");
    // alpha's cache of what its QEMU can do, so that not every daemon has to start QEMU.
    copy(&model.join("cache"), &home);
    for path in ["", "config", "config/libvirt", "cache", "data", "run"] {
        let path = home.join(path);
        fs::create_dir_all(&path).expect("the demo's directory takes files");
        chown(&path, Some(owner.uid()), Some(owner.gid())).expect("only root has daemons of another user");
    }
    let variables = ["config", "cache", "data", "run"].map(|part| {
        let variable =
            if part == "run" { "XDG_RUNTIME_DIR".to_owned() } else { format!("XDG_{}_HOME", part.to_uppercase()) };
        (variable, home.join(part))
    });
    Command::new("libvirtd")
        .args(["--listen", "--pid-file"])
        .arg(home.join("run/libvirtd.pid"))
        .env("HOME", &home)
        .envs(variables)
        .uid(owner.uid())
        .gid(owner.gid())
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("libvirtd is installed")
}

fn copy(directory: &Path, to: &Path) {
    let status = Command::new("cp").arg("--archive").args([directory, to]).status().expect("cp exists");
    assert!(status.success());
}

fn signal(demo: &Demo, signal: &str) {
    demo.signal_daemon(&name(STOPPED), signal);
}
