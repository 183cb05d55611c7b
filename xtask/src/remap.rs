//! Keeps the builder's paths out of what is built, so that two machines build the same bytes, and no panic message has the builder's
//! home in it. Cargo's own `trim-paths` is not stable yet.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The environment variable with the flags to add, set when cargo calls this program as the compiler's wrapper.
const WRAPPER_FLAGS: &str = "VMFERRY_XTASK_RUSTC_FLAGS";

/// The environment variable in which cargo gives the compiler the path of `Cargo.toml`.
const MANIFEST: &str = "CARGO_MANIFEST_PATH";

/// The compiler's flag, before `folder=name`.
const FLAG: &str = "--remap-path-prefix=";

/// As in `CARGO_ENCODED_RUSTFLAGS`: a character that is in no path.
const SEPARATOR: char = '\x1f';

/// Folders of this machine, each with the name that stands for it in what is built.
pub struct Remap(Vec<(PathBuf, String)>);

impl Remap {
    /// Finds the folders that the compiler reads sources from: the checkout, what build scripts generate, the dependencies and,
    /// where rustup or Debian has put its source, the standard library.
    pub fn of_this_machine(workspace: &Path, target: &Path) -> Result<Self> {
        let mut folders = Vec::new();
        // The compiler takes the last flag that matches, so the general ones come first.
        if let Some(cargo_home) = cargo_home() {
            folders.push((cargo_home.clone(), "/cargo".into()));
            // A folder for each registry, with the name of the mirror that packages came from.
            for registry in subfolders(&cargo_home.join("registry/src")) {
                folders.push((registry, "/crates".into()));
            }
        }
        folders.push(standard_library()?);
        folders.push((workspace.into(), "/vmferry".into()));
        folders.push((target.into(), "/target".into()));
        Ok(Self(
            folders
                .into_iter()
                .flat_map(|(folder, name)| spellings(folder).map(move |path| (path, name.clone())))
                .collect(),
        ))
    }

    /// Adds the names to a call of cargo that builds for this machine.
    ///
    /// They join the flags of `.cargo/config.toml`. `RUSTFLAGS` in the environment would replace both, so its flags are handed
    /// over in the same way.
    pub fn apply(&self, command: &mut Command) {
        let given = std::env::var("RUSTFLAGS").unwrap_or_default();
        let flags: Vec<String> = self.rustc_flags().chain(given.split_whitespace().map(Into::into)).collect();
        // A list of strings in JSON is one in TOML, too.
        command.env_remove("RUSTFLAGS").arg("--config").arg(format!("build.rustflags={}", serde_json::json!(flags)));
    }

    /// Adds the names to a call of cargo that builds for another target, by [`Remap::apply`] and [`run_as_wrapper`]: macros and
    /// build scripts are for this machine then, and get no flags from the configuration. A macro's hash is part of the crates
    /// that use it, and decides the order of functions in the WebAssembly. A wrapper in the environment is not used.
    pub fn apply_to_all(&self, command: &mut Command) -> Result<()> {
        self.apply(command);
        let flags: Vec<String> = self.rustc_flags().collect();
        let this_program = std::env::current_exe().context("this program has no path")?;
        command.env("RUSTC_WRAPPER", this_program).env(WRAPPER_FLAGS, flags.join(&SEPARATOR.to_string()));
        Ok(())
    }

    fn rustc_flags(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(folder, name)| format!("{FLAG}{}={name}", folder.display()))
    }
}

/// Becomes the compiler with more flags if cargo called this program as its wrapper; returns otherwise.
pub fn run_as_wrapper() -> Result<()> {
    let Ok(flags) = std::env::var(WRAPPER_FLAGS) else { return Ok(()) };
    let mut arguments = std::env::args_os().skip(1);
    let compiler = arguments.next().context("cargo names the compiler to its wrapper")?;
    let mut command = Command::new(&compiler);
    command.args(arguments).args(flags.split(SEPARATOR)).env_remove(WRAPPER_FLAGS);
    // A macro of Leptos' makes a symbol of a hash of this path (wasm_split_macros 0.2.2, `version_stamp`). Nothing opens it.
    if let Ok(manifest) = std::env::var(MANIFEST) {
        command.env(MANIFEST, renamed(&manifest, &flags));
    }
    let error = command.exec();
    Err(error).with_context(|| format!("{} could not be started", compiler.display()))
}

/// A path as the compiler renames it by these flags: the last that matches counts.
fn renamed(path: &str, flags: &str) -> String {
    flags
        .split(SEPARATOR)
        .filter_map(|flag| flag.strip_prefix(FLAG)?.rsplit_once('='))
        .filter_map(|(folder, name)| Some((name, path.strip_prefix(folder)?)))
        .rfind(|(_, rest)| rest.starts_with('/'))
        .map_or_else(|| path.into(), |(name, rest)| format!("{name}{rest}"))
}

/// A folder as given, and its real path if that differs because of links.
fn spellings(folder: PathBuf) -> impl Iterator<Item = PathBuf> {
    let real = folder.canonicalize().ok().filter(|real| *real != folder);
    std::iter::once(folder).chain(real)
}

fn cargo_home() -> Option<PathBuf> {
    let set = std::env::var_os("CARGO_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    set.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")))
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort();
    folders
}

/// Where the compiler looks for the source of its standard library, and the name that it gives to it where there is none.
fn standard_library() -> Result<(PathBuf, String)> {
    let sysroot = rustc(&["--print", "sysroot"])?;
    let version = rustc(&["--version", "--verbose"])?;
    let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or("unknown");
    Ok((Path::new(sysroot.trim()).join("lib/rustlib/src/rust"), format!("/rustc/{commit}")))
}

/// What rustc prints.
fn rustc(arguments: &[&str]) -> Result<String> {
    let program = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(program).args(arguments).output().context("rustc could not be started")?;
    ensure!(output.status.success(), "`rustc {}` failed", arguments.join(" "));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_specific_name_comes_last() {
        let remap = Remap::of_this_machine(Path::new("/w"), Path::new("/w/target")).unwrap();
        let flags: Vec<String> = remap.rustc_flags().collect();
        let position = |flag: &str| flags.iter().position(|other| other == flag).unwrap();
        assert!(position("--remap-path-prefix=/w=/vmferry") < position("--remap-path-prefix=/w/target=/target"));
    }

    #[test]
    fn flags_join_those_of_the_configuration() {
        let mut command = Command::new("cargo");
        Remap(vec![("/some where".into(), "/vmferry".into())]).apply(&mut command);
        let arguments: Vec<_> = command.get_args().map(|argument| argument.to_str().unwrap()).collect();
        assert_eq!(arguments[0], "--config");
        assert!(arguments[1].starts_with(r#"build.rustflags=["--remap-path-prefix=/some where=/vmferry""#));
        assert!(command.get_envs().any(|(name, value)| name == "RUSTFLAGS" && value.is_none()));
    }

    #[test]
    fn a_path_is_renamed_by_the_last_flag_that_matches() {
        let flags = "--remap-path-prefix=/h=/cargo\x1f--remap-path-prefix=/h/src/x=y=/crates\x1f--remap-path-prefix=/h/s=/other";
        assert_eq!(renamed("/h/src/x=y/a-1.0/Cargo.toml", flags), "/crates/a-1.0/Cargo.toml");
        assert_eq!(renamed("/h/b/Cargo.toml", flags), "/cargo/b/Cargo.toml");
        assert_eq!(renamed("/elsewhere/Cargo.toml", flags), "/elsewhere/Cargo.toml");
    }

    #[test]
    fn macros_get_the_names_from_the_wrapper() {
        let mut command = Command::new("cargo");
        Remap(vec![("/a".into(), "/vmferry".into()), ("/b".into(), "/target".into())])
            .apply_to_all(&mut command)
            .unwrap();
        let variables: Vec<_> = command.get_envs().filter_map(|(name, value)| Some((name, value?))).collect();
        let flags = "--remap-path-prefix=/a=/vmferry\x1f--remap-path-prefix=/b=/target";
        assert!(variables.contains(&(WRAPPER_FLAGS.as_ref(), flags.as_ref())));
        assert!(variables.iter().any(|(name, _)| *name == "RUSTC_WRAPPER"));
    }
}
