use engine::{Address, Ssh, SshLogin, Transport};
use model::{Policy, PolicyDefaults};

use super::*;

const HOST: &str = "[[hosts]]\nname = \"alpha\"\n";

fn hosts(text: &str) -> Result<Vec<HostConfig>, String> {
    format!("{HOST}{text}").parse::<Config>().and_then(|config| config.hosts()).map_err(|error| error.to_string())
}

#[test]
fn an_empty_file_is_a_configuration() {
    let config: Config = "".parse().unwrap();
    assert!(config.speaks_https());
    assert_eq!(config.session_limits(), SessionLimits::default());
    let address: Address = "192.0.2.7".parse().unwrap();
    let host = hosts("transport = \"tls\"\naddress = \"192.0.2.7\"").unwrap().remove(0);
    assert_eq!(host.transport, Transport::Tls { address: address.clone(), port: 16514 });
    assert_eq!((host.peer_transport, host.peer_address), (host.transport, address));
}

#[test]
fn allowed_hosts_are_names() {
    let read = |names: &str| format!("allowed_hosts = [{names}]").parse::<Config>();
    assert!(read(r#""ferry.example.org", "*.example.org", "rack1""#).is_ok());
    for wrong in ["https://ferry.example.org", "ferry.example.org:8443", "a b", "", "*", "*.*"] {
        let error = read(&format!("{wrong:?}")).unwrap_err().to_string();
        assert!(error.contains("allowed_hosts"), "{wrong}: {error}");
    }
}

#[test]
fn peers_may_use_another_transport() {
    let host = hosts(
        "transport = \"local\"\npeer_address = \"10.0.0.7\"\npeer_transport = \"ssh\"\npeer_user = \"root\"\nbandwidth_mib_s = 100",
    )
    .unwrap()
    .remove(0);
    assert_eq!(host.transport, Transport::Local);
    let (address, user) = ("10.0.0.7".parse().unwrap(), "root".parse().unwrap());
    let ssh = Ssh { address, port: 22, user, login: SshLogin::Program, fingerprint: None };
    assert_eq!(host.peer_transport, Transport::Ssh(ssh));
    assert_eq!(host.bandwidth_mib_s, Some(100));
}

#[test]
fn a_host_may_have_a_policy() {
    let read = |lines: &str| hosts(&format!("transport = \"tls\"\naddress = \"a\"\n{lines}")).unwrap().remove(0);
    assert_eq!(read("").policy_defaults, PolicyDefaults::default());
    let expected = PolicyDefaults { policy: Some(Policy::Certain), longest_pause_ms: Some(2_000), budget_s: Some(900) };
    let host = read("policy = \"certain\"\nlongest_pause_ms = 2000\nbudget_s = 900");
    assert_eq!(host.policy_defaults, expected);
    assert_eq!(host.settings().policy_defaults(), expected, "as it was written");
}

#[test]
fn shared_directories_are_paths_that_can_be_compared() {
    let shared = |directories: &str| {
        hosts(&format!("transport = \"tls\"\naddress = \"a\"\nshared_directories = [{directories}]"))
    };
    assert_eq!(shared("").unwrap()[0].shared_directories, [""; 0]);
    let expected = ["/srv/vm images", "/mnt/..hidden"];
    assert_eq!(shared("\"/srv/vm images\", \"/mnt/..hidden\"").unwrap()[0].shared_directories, expected);
    for wrong in
        ["/", "", "//", "srv", "/srv/", "/srv//images", "/srv/./images", "/srv/../etc", "/..", "/srv\\n", "/\\u0000"]
    {
        let error = shared(&format!("\"/srv\", \"{wrong}\"")).unwrap_err();
        assert!(error.contains("Host alpha: shared_directories has"), "{wrong}: {error}");
    }
}

#[test]
fn errors_say_where_and_what() {
    let cases = [
        ("transport = \"tls\"\naddress = \"192.0.2.7\"\nadress = \"x\"", "adress"),
        ("transport = \"tls\"\naddress = \"a b\"", "Host alpha: address"),
        ("transport = \"carrier pigeon\"", "carrier pigeon"),
        ("transport = \"tls\"", "address is missing"),
        ("transport = \"ssh\"\naddress = \"a\"", "user is missing"),
        ("transport = \"tls\"\naddress = \"a\"\nuser = \"root\"", "user is for"),
        ("transport = \"tls\"\naddress = \"a\"\ndaemon = \"session\"", "daemon is for"),
        ("transport = \"local\"", "peer_transport is missing"),
        ("transport = \"tls\"\naddress = \"a\"\nbandwidth_mib_s = 0", "no limit"),
        ("transport = \"tls\"\naddress = \"a\"\npolicy = \"brave\"", "brave"),
        ("transport = \"tls\"\naddress = \"a\"\nlongest_pause_ms = 2000001", "longest pause"),
        ("transport = \"tls\"\naddress = \"a\"\nbudget_s = 0", "budget"),
        ("transport = \"tls\"\naddress = \"a\"\nport = 0", "port 0"),
        (
            "transport = \"tls\"\naddress = \"a\"\n[[hosts]]\nname = \"alpha\"\ntransport = \"tls\"\naddress = \"b\"",
            "Two hosts",
        ),
        (
            "transport = \"tls\"\naddress = \"a\"\n[[hosts]]\nname = \"beta\"\ntransport = \"tls\"\naddress = \"a\"\nport = 7",
            "alpha and beta",
        ),
        (
            "transport = \"tls\"\naddress = \"a\"\n[[hosts]]\nname = \"beta\"\ntransport = \"tls\"\naddress = \"b\"\npeer_address = \"a\"",
            "alpha and beta",
        ),
    ];
    for (text, expected) in cases {
        let error = hosts(text).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn plain_http_stays_on_this_machine() {
    let site = |text: &str, listen: &str| text.parse::<Config>().unwrap().site(listen.parse().unwrap());
    assert!(!site("protocol = \"http\"", "127.0.0.1:80").unwrap().https);
    assert!(!site("protocol = \"http\"", "[::1]:80").unwrap().https);
    assert!(site("", "0.0.0.0:8443").unwrap().https);
    let refused = site("protocol = \"http\"", "192.0.2.1:80").unwrap_err().to_string();
    assert!(refused.contains("cookie"), "{refused}");
    let proxied = "public_url = \"https://a.example\"\nproxy = \"192.0.2.9\"";
    assert!(site(proxied, "192.0.2.1:80").unwrap().https);
    assert!(!proxied.parse::<Config>().unwrap().speaks_https());
    assert!(site("public_url = \"https://a.example\"", "127.0.0.1:80").is_err());
    assert!("public_url = \"http://a.example\"".parse::<Config>().is_err());
}

#[test]
fn networks_are_listed_in_cidr_notation() {
    let allowed = |text: &str| text.parse::<Config>().map(|config| config.allowed_networks());
    assert_eq!(allowed("").unwrap(), AllowedNetworks::Routed);
    let listed = allowed("allowed_networks = [\"10.0.0.0/8\", \"2001:db8::/32\"]").unwrap();
    for (address, expected) in [("10.1.2.3", true), ("2001:db8::7", true), ("192.0.2.7", false), ("127.0.0.1", false)] {
        assert_eq!(listed.allow(address.parse().unwrap()), expected, "{address}");
    }
    assert_eq!(allowed("allowed_networks = []").unwrap(), AllowedNetworks::Listed(Vec::new()));
    for wrong in ["10.0.0.0/33", "10.0.0.1", "example.org/8", "/8", ""] {
        let error = allowed(&format!("allowed_networks = [\"{wrong}\"]")).unwrap_err().to_string();
        assert!(error.contains("allowed_networks"), "{wrong}: {error}");
    }
}

#[test]
fn hooks_are_programs_or_addresses() {
    let read = |lines: &str| format!("[[hooks]]\n{lines}").parse::<Config>().and_then(|config| config.hooks());
    let on = vec![HookOn::Empty, HookOn::Home];
    let hooks = read("on = [\"empty\", \"home\"]\ncommand = [\"/usr/bin/logger\", \"a b\"]").unwrap();
    let target = HookTarget::Command { program: "/usr/bin/logger".into(), arguments: vec!["a b".into()] };
    assert_eq!(hooks, [Hook { on, target }]);
    for url in ["https://hooks.example.org/x?y=z", "http://127.0.0.1:9/", "http://[::1]/", "http://localhost/"] {
        let hooks = read(&format!("on = [\"home\"]\nurl = \"{url}\"")).unwrap();
        assert!(matches!(&hooks[..], [Hook { target: HookTarget::Url(read), .. }] if read.as_str() == url), "{url}");
    }
    for wrong in [
        "command = [\"/bin/true\"]",
        "on = []\ncommand = [\"/bin/true\"]",
        "on = [\"full\"]\ncommand = [\"/bin/true\"]",
        "on = [\"empty\"]",
        "on = [\"empty\"]\ncommand = []",
        "on = [\"empty\"]\ncommand = [\"true\"]",
        "on = [\"empty\"]\ncommand = \"/bin/true\"",
        "on = [\"empty\"]\ncommand = [\"/bin/true\", \"a\\u0000b\"]",
        "on = [\"empty\"]\ncommand = [\"/bin/true\"]\nurl = \"https://a/\"",
        "on = [\"empty\"]\nurl = \"http://192.0.2.7/\"",
        "on = [\"empty\"]\nurl = \"http://127.0.0.1.example.org/\"",
        "on = [\"empty\"]\nurl = \"file:///etc/passwd\"",
        "on = [\"empty\"]\nurl = \"hooks\"",
        "on = [\"empty\"]\nurl = \"https://a/\"\nmethod = \"GET\"",
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}
