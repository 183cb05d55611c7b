//! The body of a request to migrate: Kimchi's fields, and what vmferry adds to them.

use model::{Code, FindingCode, MigrationOptions, Problem};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::super::Refused;

/// All fields there are; the first five are Kimchi's.
const FIELDS: [&str; 12] = [
    "destination",
    "remote_host",
    "user",
    "password",
    "enable_rdma",
    "accept",
    "name",
    "pools",
    "eject_media",
    "remove_source_disks",
    "keep_source_definition",
    "bandwidth_mib_s",
];

/// What somebody asks for.
pub(super) struct Wanted {
    /// A host's name or address.
    pub(super) destination: String,
    pub(super) options: MigrationOptions,
    /// The warnings that the person accepts.
    pub(super) accept: Vec<FindingCode>,
}

impl Wanted {
    /// Reads a body; whatever is wrong in any of its fields refuses all of it.
    pub(super) fn read(body: &Value) -> Result<Self, Refused> {
        let body = body.as_object().ok_or_else(|| {
            invalid("The request's body is not a JSON object.").with_fix(r#"Send {"destination": "<host>"}."#)
        })?;
        if let Some(unknown) = body.keys().find(|key| !FIELDS.contains(&key.as_str())) {
            let unknown: String = unknown.chars().filter(|c| !c.is_control()).take(40).collect();
            return Err(invalid(format!("There is no field \"{unknown}\"."))
                .with_fix(format!("There are {}.", FIELDS.join(", ")))
                .into());
        }
        let login = (text(body, "user", "KCHVM0059E", false)?, text(body, "password", "KCHVM0069E", true)?);
        let rdma: bool =
            field(body, "enable_rdma", "true or false").map_err(|refused| refused.known_as("KCHVM0091E"))?;
        let destination = destination(body)?;
        let accept = field(body, "accept", "a list of codes of findings")?;
        let options = options(body)?;
        if login != (None, None) {
            return Err(Problem::new(Code::NotSupported, "A login at the destination can't be given yet.")
                .with_fix("Leave out user and password; the hosts use the logins that they are configured with.")
                .into());
        }
        if rdma {
            return Err(Problem::new(Code::NotSupported, "RDMA is not supported yet.")
                .with_fix("Leave out enable_rdma, or send false.")
                .into());
        }
        Ok(Self { destination: destination.to_owned(), options, accept })
    }
}

fn destination(body: &Map<String, Value>) -> Result<&str, Refused> {
    match (text(body, "destination", "KCHVM0060E", false)?, text(body, "remote_host", "KCHVM0060E", false)?) {
        (Some(one), Some(other)) if one != other => {
            Err(invalid("destination and remote_host are two names of one field, and differ.")
                .with_fix("Send one of them.")
                .into())
        }
        (Some(destination), _) | (None, Some(destination)) => Ok(destination),
        (None, None) => {
            let problem = invalid("The destination is missing.").with_fix("Name a registered host.");
            Err(Refused::from(problem).known_as("KCHVM0060E"))
        }
    }
}

fn options(body: &Map<String, Value>) -> Result<MigrationOptions, Refused> {
    Ok(MigrationOptions {
        keep_source_definition: field(body, "keep_source_definition", "true or false")?,
        bandwidth_mib_s: field(body, "bandwidth_mib_s", "a number of MiB/s")?,
        new_name: field(body, "name", "text")?,
        pools: field(body, "pools", "an object of disks and pools, such as {\"vda\": \"images\"}")?,
        eject_media: field(body, "eject_media", "true or false")?,
        remove_source_disks: field(body, "remove_source_disks", "true or false")?,
        ..MigrationOptions::default()
    })
}

/// A field of any type, its default where it is missing.
fn field<T: DeserializeOwned + Default>(body: &Map<String, Value>, key: &str, what: &str) -> Result<T, Refused> {
    let Some(value) = body.get(key) else { return Ok(T::default()) };
    T::deserialize(value)
        .map_err(|error| invalid(format!("{key} is not {what}.")).with_details(error.to_string()).into())
}

/// A field that is text, not empty unless it may be.
fn text<'a>(
    body: &'a Map<String, Value>,
    key: &str,
    kimchi: &'static str,
    may_be_empty: bool,
) -> Result<Option<&'a str>, Refused> {
    match body.get(key) {
        None => Ok(None),
        Some(Value::String(text)) if may_be_empty || !text.is_empty() => Ok(Some(text)),
        Some(Value::String(_)) => Err(Refused::from(invalid(format!("{key} is empty."))).known_as(kimchi)),
        Some(_) => Err(Refused::from(invalid(format!("{key} is not text."))).known_as(kimchi)),
    }
}

fn invalid(sentence: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidInput, sentence)
}
