//! The build, as `cargo xtask`: `build` makes the server and the site, which is everything that the server hands out as a file.
//!
//! The site is `target/site` in the workspace, wherever cargo builds: the release server embeds it from there. Start reading
//! at [`build`]; `bindings` makes the browser's half, `cargo` runs cargo, `remap` keeps the builder's paths out of both halves.

mod bindings;
mod cargo;
mod compress;
mod first_visit;
mod remap;
mod site;
mod style;

use std::process::ExitCode;

use anyhow::Result;

use cargo::Cargo;
use site::Site;

const USAGE: &str = "\
usage: cargo xtask build [--release]   builds the site, then the server
       cargo xtask build --release fleet  builds that program, with the site that there is
       cargo xtask site [--release]    builds the site only: the front end as WebAssembly, style/main.css and public/
       cargo xtask first-visit         fails if a first visit to the release site loads too many bytes
       cargo xtask attack [OPTION…]    attacks a console with hostile requests and floods, and says what is left of them
       cargo xtask fleet [OPTION…]     runs the console over hundreds of simulated hosts (--help lists the options; docs/fleet.md)
       cargo xtask faults [OPTION…]    moves VMs while things go wrong, and judges what comes of it (--help lists the options)
       cargo xtask bench NAME [OPTION…]  measures: `fleet`, `evacuation`, `migration` (--help lists their options) or `preflight`

The site is written to target/site. With --release it is small and compressed, the server embeds it, and neither
contains a path of this machine.";

fn main() -> ExitCode {
    if let Err(error) = remap::run_as_wrapper() {
        eprintln!("error: {error:#}");
        return ExitCode::FAILURE;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["build"] => build(false),
        ["build", "--release"] => build(true),
        ["build", "--release", "fleet"] => Cargo::locate().and_then(|cargo| cargo.build_release("fleet")),
        ["site"] => site(false),
        ["site", "--release"] => site(true),
        [package @ ("attack" | "faults"), options @ ..] => {
            Cargo::locate().and_then(|cargo| cargo.run_against_server(package, options))
        }
        ["fleet", options @ ..] => fleet(options),
        ["bench", "fleet"] => bench_fleet(),
        ["bench", name, options @ ..] => bench(name, options),
        ["first-visit"] => Cargo::locate().and_then(|cargo| first_visit::check(&cargo.site())),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Builds the site if there is none, and runs the console over a simulated fleet.
fn fleet(options: &[&str]) -> Result<()> {
    let cargo = Cargo::locate()?;
    if !cargo.site().exists() {
        site(true)?;
    }
    cargo.run_release("fleet", options)
}

/// Builds the site and the fleet, and measures it in Chromium.
fn bench_fleet() -> Result<()> {
    let cargo = Cargo::locate()?;
    cargo.ensure_playwright()?;
    site(true)?;
    cargo.build_release("fleet")?;
    cargo.measure_in_browser("fleet.config.ts", "measure")
}

/// Builds the site if there is none, which the server embeds, and runs a bench of the server, built as a release.
fn bench(name: &str, options: &[&str]) -> Result<()> {
    let cargo = Cargo::locate()?;
    if !cargo.site().exists() {
        site(true)?;
    }
    cargo.bench(name, options)
}

/// Builds the site and the server.
fn build(release: bool) -> Result<()> {
    site(release)?;
    Cargo::locate()?.build_server(release)
}

/// Builds the site and prints the sizes of what a first visit loads.
fn site(release: bool) -> Result<()> {
    let cargo = Cargo::locate()?;
    let front_end = bindings::generate(&cargo.build_front_end(release)?, release)?;

    let mut site = Site::default();
    let js = site.add_hashed("js", front_end.js);
    let wasm = site.add_hashed("wasm", front_end.wasm);
    let css = site.add_hashed("css", style::bundle(&cargo.workspace().join("style/main.css"))?.into());
    let assets = serde_json::json!({ "js": js, "wasm": wasm, "css": css });
    site.add("assets.json", format!("{assets:#}\n").into());
    site.add_folder(&cargo.workspace().join("public"))?;
    if release {
        site.compress(&cargo.site())?;
    }
    site.write(&cargo.site())?;

    for url in [js, wasm, css] {
        let size = site.size(&url).unwrap_or_default();
        match site.size(&format!("{url}.br")) {
            Some(brotli) => println!("{url}: {size} bytes, {brotli} in brotli"),
            None => println!("{url}: {size} bytes"),
        }
    }
    Ok(())
}
