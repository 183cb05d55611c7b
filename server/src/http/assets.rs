//! The files of the site: the browser's half of the program, the style sheet, icons. `cargo xtask build` makes them; a release
//! has them inside, a debug build reads them from the disk.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../target/site"]
struct Site;

tokio::task_local! {
    /// See [`say_whether_simulated`].
    static SIMULATED: bool;
}

/// Names of these carry a hash of what is in them, so that they never change.
const HASHED: &str = "/pkg/";

/// Where the browser finds its half.
pub(super) fn addresses() -> app::Assets {
    #[derive(serde::Deserialize)]
    struct Addresses {
        js: String,
        wasm: String,
        css: String,
    }
    let file = Site::get("assets.json").and_then(|file| serde_json::from_slice::<Addresses>(&file.data).ok());
    let Addresses { js, wasm, css } = file.unwrap_or_else(|| {
        tracing::warn!("the web assets are missing: pages will have no style; build them with `cargo xtask build`");
        Addresses { js: "/pkg/vmferry.js".into(), wasm: "/pkg/vmferry.wasm".into(), css: "/pkg/vmferry.css".into() }
    });
    app::Assets { js, wasm, css, simulated: SIMULATED.try_with(|simulated| *simulated).unwrap_or(false) }
}

/// A layer that lets the pages within say whether the console's hosts are simulated, also those that are made of a failure and know no
/// console.
pub(super) async fn say_whether_simulated(State(simulated): State<bool>, request: Request, next: Next) -> Response {
    SIMULATED.scope(simulated, next.run(request)).await
}

/// A layer that answers with the file at the request's address, if there is one, and lets all else through. Files are for everyone.
pub(super) async fn files_first(request: Request, next: Next) -> Response {
    match serve(&request) {
        Some(file) => file,
        None => next.run(request).await,
    }
}

/// The file at the request's address, if there is one.
fn serve(request: &Request) -> Option<Response> {
    let path = request.uri().path();
    let plain = file(path)?;
    let content_type = plain.metadata.mimetype().to_owned();
    let (file, encoding) = match compressed(path, request.headers()) {
        Some((file, encoding)) => (file, Some(encoding)),
        None => (plain, None),
    };
    let etag = etag(&file);

    let mut headers = HeaderMap::new();
    let keep = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    headers.insert(header::ETAG, HeaderValue::from_str(&etag).ok()?);
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|known| known.trim() == etag)) {
        return Some((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(&content_type).ok()?);
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some((headers, Body::from(file.data.into_owned())).into_response())
}

fn file(path: &str) -> Option<EmbeddedFile> {
    Site::get(path.strip_prefix('/')?)
}

/// The smallest form of the file that the browser can read.
fn compressed(path: &str, headers: &HeaderMap) -> Option<(EmbeddedFile, &'static str)> {
    let accepted = headers.get(header::ACCEPT_ENCODING)?.to_str().ok()?;
    let accepts = |encoding: &str| {
        accepted.split(',').any(|one| {
            let (name, quality) = one.split_once(';').unwrap_or((one, ""));
            name.trim().eq_ignore_ascii_case(encoding) && quality.trim().trim_end_matches(['0', '.']) != "q="
        })
    };
    [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .filter(|(encoding, _)| accepts(encoding))
        .find_map(|(encoding, suffix)| Some((file(&format!("{path}.{suffix}"))?, encoding)))
}

fn etag(file: &EmbeddedFile) -> String {
    let hash: String = file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hash}\"")
}
