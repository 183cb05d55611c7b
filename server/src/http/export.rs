//! `GET /api/migrations`: the migrations that a query lets through, newest first, as JSON, CSV or NDJSON.

use axum::{
    Extension, Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use futures::stream;
use model::{Code, Migration, MigrationId, MigrationQuery, Mode, Problem};
use port::Principal;
use serde::Deserialize;

use super::{Doors, Refused};

/// How many are read at once, and how many JSON has at most.
const AT_ONCE: u32 = 500;

/// What is wanted.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(flatten)]
    query: MigrationQuery,
    #[serde(default)]
    format: Format,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Format {
    /// The newest, as an array.
    #[default]
    Json,
    /// All of them, a line each, under a line with the names of the columns.
    Csv,
    /// All of them, a JSON object a line.
    Ndjson,
}

pub(super) async fn list(
    State(doors): State<Doors>,
    Extension(who): Extension<Principal>,
    asked: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Refused> {
    let unreadable = |error: QueryRejection| {
        Problem::new(Code::InvalidInput, "This query can't be read.").with_details(error.body_text())
    };
    let Query(Wanted { query, format }) = asked.map_err(unreadable)?;
    let filter = query.filter(now_ms(), AT_ONCE)?;
    let first = doors.console.migrations(&who, &filter).await?;
    let (head, line, kind, file): (_, fn(&Migration) -> String, _, _) = match format {
        Format::Json => return Ok(Json(first).into_response()),
        Format::Csv => (csv_head(), csv_line, "text/csv; charset=utf-8", "migrations.csv"),
        Format::Ndjson => (String::new(), json_line, "application/x-ndjson", "migrations.ndjson"),
    };
    // A page at a time: the history of years is not held in memory.
    let pages = stream::unfold(Some((first, head)), move |page| {
        let (doors, who, filter) = (doors.clone(), who.clone(), filter.clone());
        async move {
            let (page, mut text) = page?;
            text.extend(page.iter().map(line));
            let last: Option<MigrationId> = page.last().map(|last| last.id);
            let next = match last.filter(|_| page.len() == AT_ONCE as usize) {
                None => None,
                // A page that can't be read ends the file early, which the client sees by the connection.
                before => match doors.console.migrations(&who, &model::MigrationFilter { before, ..filter }).await {
                    Ok(page) => Some((page, String::new())),
                    Err(problem) => return Some((Err(std::io::Error::other(problem.sentence)), None)),
                },
            };
            Some((Ok(text), next))
        }
    });
    let headers = [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\""))];
    Ok((headers, Body::from_stream(pages)).into_response())
}

fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

fn json_line(migration: &Migration) -> String {
    serde_json::to_string(migration).map(|line| line + "\n").unwrap_or_default()
}

const COLUMNS: [&str; 16] = [
    "id",
    "vm",
    "vm_name",
    "source",
    "destination",
    "mode",
    "policy",
    "phase",
    "requested_by",
    "created_at_ms",
    "ended_at_ms",
    "total_ms",
    "downtime_ms",
    "bytes",
    "reason",
    "sentence",
];

fn csv_head() -> String {
    COLUMNS.join(",") + "\r\n"
}

fn csv_line(migration: &Migration) -> String {
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let outcome = migration.outcome;
    let problem = migration.problem.as_ref();
    let mode = if migration.mode == Mode::Live { "live" } else { "offline" };
    let cells: [String; COLUMNS.len()] = [
        migration.id.to_string(),
        migration.vm.to_string(),
        migration.vm_name.clone(),
        migration.source.to_string(),
        migration.destination.to_string(),
        mode.to_owned(),
        migration.policy.as_str().to_owned(),
        migration.phase.as_str().to_owned(),
        migration.requested_by.clone(),
        migration.created_at_ms.to_string(),
        number(migration.ended_at_ms),
        number(outcome.map(|outcome| outcome.total_ms)),
        number(outcome.and_then(|outcome| outcome.downtime_ms)),
        number(outcome.map(|outcome| outcome.bytes)),
        problem.map(|problem| problem.code.as_str().to_owned()).unwrap_or_default(),
        problem.map(|problem| problem.sentence.clone()).unwrap_or_default(),
    ];
    cells.map(|cell| csv_cell(&cell)).join(",") + "\r\n"
}

/// A cell as RFC 4180 has it. What a spreadsheet would take for a formula gets an apostrophe (OWASP, CSV injection): anyone may name a VM.
fn csv_cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if text.contains([',', '"', '\n', '\r']) || !guard.is_empty() {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::examples;

    #[test]
    fn a_cell_is_never_a_formula_nor_two_cells() {
        assert_eq!(csv_cell("web"), "web");
        assert_eq!(csv_cell("a,b \"c\""), "\"a,b \"\"c\"\"\"");
        assert_eq!(csv_cell("=1+1"), "\"'=1+1\"");
    }

    #[test]
    fn a_line_has_a_cell_for_each_column() {
        let line = csv_line(&examples::migration(1));
        assert_eq!(line.trim_end().split(',').count(), COLUMNS.len(), "{line}");
        assert!(line.contains(",web,alpha,beta,live,balanced,queued,"), "{line}");
    }
}
