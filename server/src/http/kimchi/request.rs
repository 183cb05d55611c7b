//! The body of a request to migrate: Kimchi's fields, and what vmferry adds to them.

use model::{AdHocDestination, Code, FindingCode, HostLogin, HostName, MigrationOptions, Problem, Secret};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::super::{Refused, json::without_values};

/// All fields there are; the first five are Kimchi's.
const FIELDS: [&str; 23] = [
    "destination",
    "remote_host",
    "user",
    "password",
    "enable_rdma",
    "fingerprint",
    "port",
    "register",
    "way",
    "encrypt",
    "policy",
    "longest_pause_ms",
    "budget_s",
    "policy_as_default",
    "accept",
    "name",
    "pools",
    "eject_media",
    "remove_source_disks",
    "keep_source_definition",
    "bandwidth_mib_s",
    "connections",
    "compress",
];

/// The request.
pub(super) struct Wanted {
    /// A host, and perhaps how to log in there.
    pub(super) destination: AdHocDestination,
    pub(super) options: MigrationOptions,
    /// The warnings that the person accepts.
    pub(super) accept: Vec<FindingCode>,
}

impl Wanted {
    /// Reads a body; whatever is wrong in any of its fields refuses all of it.
    pub(super) fn read(body: Value) -> Result<Self, Refused> {
        let Value::Object(mut body) = body else {
            return Err(invalid("The request's body is not a JSON object.")
                .with_fix(r#"Send {"destination": "<host>"}."#)
                .into());
        };
        if let Some(unknown) = body.keys().find(|key| !FIELDS.contains(&key.as_str())) {
            let unknown: String = unknown.chars().filter(|c| !c.is_control()).take(40).collect();
            return Err(invalid(format!("There is no field \"{unknown}\"."))
                .with_fix(format!("There are {}.", FIELDS.join(", ")))
                .into());
        }
        let password = password(&mut body)?;
        let user = text(&body, "user", "KCHVM0059E")?;
        let options = options(&body)?;
        let address = destination(&body)?;
        let destination = AdHocDestination {
            port: field(&body, "port", "a port's number")?,
            register: register(&body, &address)?,
            login: HostLogin {
                user,
                password,
                fingerprint: field(&body, "fingerprint", "text")?,
                keep_until_restart: false,
            },
            address,
        };
        Ok(Self { destination, options, accept: field(&body, "accept", "a list of codes of findings")? })
    }
}

/// Takes the password out: it is not copied. Kimchi's may be empty, and is none then.
fn password(body: &mut Map<String, Value>) -> Result<Option<Secret>, Refused> {
    match body.remove("password") {
        None => Ok(None),
        Some(Value::String(password)) => Ok(Some(Secret::new(password))),
        Some(_) => Err(Refused::from(invalid("password is not text.")).known_as("KCHVM0069E")),
    }
}

fn destination(body: &Map<String, Value>) -> Result<String, Refused> {
    match (text(body, "destination", "KCHVM0060E")?, text(body, "remote_host", "KCHVM0060E")?) {
        (Some(one), Some(other)) if one != other => {
            Err(invalid("destination and remote_host are two names of one field, and differ.")
                .with_fix("Send one of them.")
                .into())
        }
        (Some(destination), _) | (None, Some(destination)) => Ok(destination),
        (None, None) => {
            let problem = invalid("The destination is missing.").with_fix("Name a host, or give its address.");
            Err(Refused::from(problem).known_as("KCHVM0060E"))
        }
    }
}

/// The name that the destination is registered under: the one given, or one made of its address.
fn register(body: &Map<String, Value>, destination: &str) -> Result<Option<HostName>, Refused> {
    match body.get("register") {
        Some(Value::Bool(true)) => Ok(Some(HostName::made_of(destination)?)),
        Some(Value::Bool(false)) => Ok(None),
        _ => field(body, "register", "true, false or a name for the host"),
    }
}

fn options(body: &Map<String, Value>) -> Result<MigrationOptions, Refused> {
    let rdma = field(body, "enable_rdma", "true or false").map_err(|refused| refused.known_as("KCHVM0091E"))?;
    Ok(MigrationOptions {
        keep_source_definition: field(body, "keep_source_definition", "true or false")?,
        bandwidth_mib_s: field(body, "bandwidth_mib_s", "a number of MiB/s")?,
        new_name: field(body, "name", "text")?,
        pools: field(body, "pools", "an object of disks and pools, such as {\"vda\": \"images\"}")?,
        eject_media: field(body, "eject_media", "true or false")?,
        remove_source_disks: field(body, "remove_source_disks", "true or false")?,
        control_flow: field(body, "way", "peer-to-peer, direct or tunnelled")?,
        encrypt: field(body, "encrypt", "true or false")?,
        rdma,
        policy: field(body, "policy", "gentle, balanced or certain")?,
        longest_pause_ms: field(body, "longest_pause_ms", "a number of ms")?,
        budget_s: field(body, "budget_s", "a number of seconds")?,
        connections: field(body, "connections", "a number of connections")?,
        compress: field(body, "compress", "true or false")?,
        policy_as_default: field(body, "policy_as_default", "true or false")?,
    })
}

/// A field of any type, its default where it is missing.
fn field<T: DeserializeOwned + Default>(body: &Map<String, Value>, key: &str, what: &str) -> Result<T, Refused> {
    let Some(value) = body.get(key) else { return Ok(T::default()) };
    T::deserialize(value)
        .map_err(|error| invalid(format!("{key} is not {what}.")).with_details(without_values(&error)).into())
}

/// A field that is text, and not empty.
fn text(body: &Map<String, Value>, key: &str, kimchi: &'static str) -> Result<Option<String>, Refused> {
    match body.get(key) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(Value::String(_)) => Err(Refused::from(invalid(format!("{key} is empty."))).known_as(kimchi)),
        Some(_) => Err(Refused::from(invalid(format!("{key} is not text."))).known_as(kimchi)),
    }
}

fn invalid(sentence: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidInput, sentence)
}
