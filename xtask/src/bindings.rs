//! The front end as WebAssembly, and the JavaScript that loads it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use wasm_bindgen_cli_support::Bindgen;

/// What the browser needs to run the front end.
pub struct FrontEnd {
    /// A module whose default export takes the address of `wasm`; it knows no file name itself, as names carry hashes.
    pub js: Vec<u8>,
    pub wasm: Vec<u8>,
}

/// Builds the crate `frontend` and generates its bindings.
pub fn build(workspace: &Path, release: bool) -> Result<FrontEnd> {
    let module = compile(workspace, if release { "wasm-release" } else { "dev" })?;
    let mut output = Bindgen::new()
        .input_path(&module)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        .remove_name_section(release)
        .remove_producers_section(release)
        .generate_output()
        .with_context(|| format!("wasm-bindgen could not read {}", module.display()))?;
    let with_files = output.snippets().iter().filter(|(_, files)| !files.is_empty()).map(|(name, _)| name);
    let with_files: Vec<&String> = with_files.chain(output.local_modules().keys()).collect();
    ensure!(
        with_files.is_empty(),
        "these crates bring JavaScript files of their own, which would be loaded under names without a hash: {with_files:?}"
    );
    Ok(FrontEnd { js: output.js().into(), wasm: output.wasm_mut().emit_wasm() })
}

/// Runs cargo and returns the path of the module that it made.
fn compile(workspace: &Path, profile: &str) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").context("cargo sets CARGO: start this with `cargo xtask`")?;
    let output = Command::new(cargo)
        .current_dir(workspace)
        .args(["build", "--package", "frontend", "--lib", "--target", "wasm32-unknown-unknown"])
        .args(["--profile", profile, "--message-format", "json-render-diagnostics"])
        .stderr(Stdio::inherit())
        .output()
        .context("cargo could not be started")?;
    if !output.status.success() {
        bail!("the front end does not build");
    }
    wasm_artifact(&String::from_utf8_lossy(&output.stdout))
        .context("cargo reported no WebAssembly module of `frontend`")
}

/// Finds the module of `frontend` in cargo's messages, one JSON object a line.
fn wasm_artifact(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact" && message["target"]["name"] == "frontend")
        .filter_map(|message| {
            message["filenames"]
                .as_array()?
                .iter()
                .filter_map(Value::as_str)
                .find(|name| name.ends_with(".wasm"))
                .map(PathBuf::from)
        })
        .next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_is_found_among_other_artifacts() {
        let messages = r#"
            {"reason":"compiler-artifact","target":{"name":"app"},"filenames":["/t/libapp.rlib"]}
            {"reason":"build-script-executed"}
            {"reason":"compiler-artifact","target":{"name":"frontend"},"filenames":["/t/frontend.wasm","/t/libfrontend.rlib"]}
            {"reason":"build-finished","success":true}"#;
        assert_eq!(wasm_artifact(messages), Some(PathBuf::from("/t/frontend.wasm")));
    }

    #[test]
    fn a_library_alone_is_no_module() {
        let messages =
            r#"{"reason":"compiler-artifact","target":{"name":"frontend"},"filenames":["/t/libfrontend.rlib"]}"#;
        assert_eq!(wasm_artifact(messages), None);
    }
}
