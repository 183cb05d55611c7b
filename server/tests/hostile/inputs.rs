//! Hostile values, by the field that they are sent in.

use serde_json::{Value, json};

/// Valid neither as an address nor as an account, a name or a fingerprint.
pub const HOSTILE: &[&str] = &[
    "",
    " ",
    "-",
    "-oProxyCommand=touch /tmp/x",
    "--",
    "--help",
    "-l root",
    "alpha;reboot",
    "alpha|reboot",
    "alpha&reboot",
    "alpha&&reboot",
    "$(reboot)",
    "${IFS}",
    "$HOME",
    "`reboot`",
    "alpha reboot",
    " alpha",
    "alpha ",
    "alpha\treboot",
    "alpha\nreboot",
    "alpha\r\nHost: beta",
    "alpha\0",
    "\0",
    "'",
    "\"",
    "al'pha",
    "alpha\"",
    "alpha\\beta",
    "<alpha>",
    "</uri><emulator>/bin/sh</emulator>",
    "alpha?command=/bin/sh",
    "alpha?socket=/run/x",
    "alpha/system?no_verify=1",
    "alpha#x",
    "/../etc/passwd",
    "../alpha",
    "alpha/../beta",
    "/etc/passwd",
    "~root",
    "root@alpha",
    "@alpha",
    "alpha@",
    "alpha:22",
    "qemu:///system",
    "qemu+ssh://root@alpha/system",
    "qemu+ext:///system?command=/bin/sh",
    "test:///default",
    "http://alpha/",
    "file:///etc/passwd",
    "alpha%2fbeta",
    "alpha%00",
    "%61lpha",
    "alpha*",
    "*",
    "alpha,beta",
    "alpha=beta",
    "{alpha}",
    "[::1]",
    "[alpha]",
    "fe80::1%eth0",
    "fe80::1%25eth0",
    "\u{202e}ahpla",
    "al\u{200b}pha",
    "\u{feff}alpha",
    "аlpha", // the first letter is Cyrillic
    "ａｌｐｈａ",
    "bücher",
    "alpha。beta",
    "ß",
    "🦀",
];

/// More that is not the address of another machine.
const NOT_ADDRESSES: &[&str] = &[
    "127.1",
    "127.0.1",
    "0x7f.1",
    "0x7f000001",
    "0x7f.0.0.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "127.0.0.01",
    "1.2.3.4.5",
    "256.1.1.1",
    "192.0.2.256",
    "192.0.2.7.",
    "2001:db8::7/64",
    "1.2.3",
    "0",
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "::",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:0.0.0.0",
    "localhost",
    "LOCALHOST",
    "vm.localhost",
    "localhost.localdomain",
    "alpha..beta",
    ".alpha",
    "alpha.",
    "-alpha.example",
    "alpha-.example",
    "al_pha",
    "192.0.2.7:22",
    "192.0.2.7/24",
    "2001:db8::7:::",
];

/// JSON that is not a string.
fn not_strings() -> [Value; 5] {
    [json!(7), json!(-1.5), json!([]), json!(["alpha"]), json!({ "alpha": 1 })]
}

fn not_ports() -> [Value; 10] {
    let huge: Value = serde_json::from_str("1e99").expect("it is a number");
    [
        json!(0),
        json!(-1),
        json!(65536),
        json!(u64::MAX),
        huge,
        json!(22.5),
        json!("22"),
        json!(true),
        json!([22]),
        json!({}),
    ]
}

/// Names that are too long, as a whole or in one label.
pub fn too_long() -> [String; 3] {
    ["a".repeat(300), format!("{}.example", "a".repeat(64)), vec!["a".repeat(60); 5].join(".")]
}

/// All hostile values of a field.
pub fn hostile(field: &str) -> Vec<Value> {
    let mut values: Vec<Value> = HOSTILE.iter().map(|text| json!(text)).collect();
    match field {
        "port" | "peer_port" => return not_ports().to_vec(),
        "destination" | "remote_host" | "address" | "peer_address" => {
            values.extend(NOT_ADDRESSES.iter().map(|text| json!(text)));
        }
        "user" | "peer_user" => values
            .extend(["Root", "0root", "root:x", "al.pha", "abcdefghijklmnopqrstuvwxyzabcdefg"].map(|text| json!(text))),
        "name" | "register" => values.extend(["Alpha", "-alpha", "alpha-", "al_pha", "al.pha"].map(|text| json!(text))),
        "fingerprint" => values.extend(fingerprints()),
        other => panic!("no field is called {other}"),
    }
    values.extend(too_long().map(Value::from));
    values.extend(not_strings());
    values
}

fn fingerprints() -> Vec<Value> {
    let md5 = "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48";
    let [short, long, padded] = ["A".repeat(42), "A".repeat(44), format!("{}=", "A".repeat(43))];
    let lowercase = format!("sha256:{}", "A".repeat(43));
    let of = |hash: &str| format!("SHA256:{hash}");
    [md5.to_owned(), lowercase, of(&short), of(&long), of(&padded), of(""), of(&"-".repeat(43))]
        .map(Value::from)
        .to_vec()
}

/// Settings that are refused for a combination of fields, for a field that does not exist, or while the console runs.
pub fn refused_settings() -> [Value; 9] {
    [
        json!({ "name": "gamma", "transport": "tcp", "address": "192.0.2.7" }),
        json!({ "name": "gamma", "transport": "tls", "address": "192.0.2.7", "peer_transport": "tcp" }),
        json!({ "name": "gamma", "transport": "ssh", "address": "192.0.2.7", "login": "program" }),
        json!({ "name": "gamma", "transport": "local" }),
        json!({ "name": "gamma", "transport": "local", "peer_transport": "local", "peer_address": "192.0.2.7" }),
        json!({ "name": "gamma", "transport": "ssh", "address": "192.0.2.7", "shared_directories": ["/a/../b"] }),
        json!({ "name": "gamma", "transport": "ext", "address": "192.0.2.7" }),
        json!({ "name": "gamma", "transport": "ssh", "address": "192.0.2.7", "command": "/bin/sh" }),
        json!({ "name": "gamma", "transport": "ssh", "address": "192.0.2.7", "keyfile": "/etc/shadow" }),
    ]
}
