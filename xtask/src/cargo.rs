//! Runs cargo for both halves: the front end for browsers, and the server.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::remap::Remap;

/// The cargo that started this program, and the folders that it works in.
pub struct Cargo {
    program: PathBuf,
    workspace: PathBuf,
    /// Where cargo puts what it builds.
    target: PathBuf,
}

impl Cargo {
    /// Asks cargo where the workspace is; fails outside `cargo xtask`.
    pub fn locate() -> Result<Self> {
        let hint = "start this with `cargo xtask`";
        let program = PathBuf::from(std::env::var_os("CARGO").context(hint)?);
        // Not from compile time: two checkouts may share one target folder.
        let package = std::env::var_os("CARGO_MANIFEST_DIR").context(hint)?;
        let output = Command::new(&program)
            .current_dir(&package)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .stderr(Stdio::inherit())
            .output()
            .context("cargo could not be started")?;
        ensure!(output.status.success(), "`cargo metadata` failed");
        let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo's metadata cannot be read")?;
        let folder = |name: &str| metadata[name].as_str().map(PathBuf::from).context("cargo's metadata is incomplete");
        Ok(Self { program, workspace: folder("workspace_root")?, target: folder("target_directory")? })
    }

    pub fn workspace(&self) -> &Path {
        &self.workspace
    }

    /// The folder of the files that the server hands out.
    pub fn site(&self) -> PathBuf {
        self.workspace.join("target/site")
    }

    /// Builds the crate `frontend` and returns the path of the WebAssembly module.
    pub fn build_front_end(&self, release: bool) -> Result<PathBuf> {
        let profile = if release { "wasm-release" } else { "dev" };
        let mut command = self.build();
        if release {
            self.remap()?.apply_to_all(&mut command)?;
        }
        let output = command
            .args(["--package", "frontend", "--lib", "--target", "wasm32-unknown-unknown"])
            .args(["--profile", profile, "--message-format", "json-render-diagnostics"])
            .stderr(Stdio::inherit())
            .output()
            .context("cargo could not be started")?;
        ensure!(output.status.success(), "the front end does not build");
        wasm_artifact(&String::from_utf8_lossy(&output.stdout))
            .context("cargo reported no WebAssembly module of `frontend`")
    }

    /// Builds the server, which embeds the site if it is a release.
    pub fn build_server(&self, release: bool) -> Result<()> {
        if release {
            return self.build_release("vmferry");
        }
        let built = self.build().args(["--package", "vmferry"]).status();
        ensure!(built.context("cargo could not be started")?.success(), "the server does not build");
        Ok(())
    }

    /// Builds the server and the program of this package, which tries the server, and runs it.
    pub fn run_against_server(&self, package: &str, options: &[&str]) -> Result<()> {
        let built = self.build().args(["--package", "vmferry", "--package", package]).status();
        ensure!(built.context("cargo could not be started")?.success(), "{package} does not build");
        let tried = Command::new(self.target.join("debug").join(package)).args(options).status();
        ensure!(tried.with_context(|| format!("{package} could not be started"))?.success(), "{package} found faults");
        Ok(())
    }

    /// Builds a program as a release, and runs it.
    pub fn run_release(&self, package: &str, options: &[&str]) -> Result<()> {
        self.build_release(package)?;
        let ran = Command::new(self.target.join("release").join(package)).args(options).status();
        ensure!(ran.with_context(|| format!("{package} could not be started"))?.success(), "{package} failed");
        Ok(())
    }

    /// Builds a program as a release, with the server's flags, so that it shares the server's dependencies.
    pub fn build_release(&self, package: &str) -> Result<()> {
        let mut command = self.build();
        self.remap()?.apply(&mut command);
        let built = command.args(["--release", "--package", package]).status();
        ensure!(built.context("cargo could not be started")?.success(), "{package} does not build");
        Ok(())
    }

    /// Runs those of end2end's files whose names contain `name`, with this configuration.
    pub fn measure_in_browser(&self, config: &str, name: &str) -> Result<()> {
        let mut command = Command::new("npx");
        command.current_dir(self.workspace.join("end2end")).args(["playwright", "test", "--config", config, name]);
        let measured = command.status().context("npx could not be started")?;
        ensure!(measured.success(), "{name} failed");
        Ok(())
    }

    /// Fails if there is no Playwright, so that this is known before anything is built for it.
    pub fn ensure_playwright(&self) -> Result<()> {
        let is_there = self.workspace.join("end2end/node_modules/@playwright/test").exists();
        ensure!(is_there, "Playwright is not installed: `xtask/prepare.sh test` brings it");
        Ok(())
    }

    /// Runs a bench of the server.
    pub fn bench(&self, name: &str, options: &[&str]) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.workspace).arg("bench");
        self.remap()?.apply(&mut command);
        command.args(["--package", "vmferry", "--bench", name, "--"]).args(options);
        ensure!(command.status().context("cargo could not be started")?.success(), "the bench {name} failed");
        Ok(())
    }

    fn build(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.workspace).arg("build");
        command
    }

    /// What keeps this machine's paths out of a release.
    fn remap(&self) -> Result<Remap> {
        Remap::of_this_machine(&self.workspace, &self.target)
    }
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
