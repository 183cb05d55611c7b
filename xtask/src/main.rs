//! `cargo xtask build [--release]`: makes the site, which is everything that the server hands out as a file.
//!
//! The site is `target/site` in the workspace, wherever cargo builds: the release server embeds it from there.

mod bindings;
mod compress;
mod site;
mod style;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use site::Site;

/// What a first visit may cost, in bytes of brotli: the program, its loader and the style sheet together.
const FIRST_VISIT_BUDGET: u64 = 300_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let built = match arguments.as_slice() {
        ["build"] => build(false),
        ["build", "--release"] => build(true),
        _ => {
            eprintln!(
                "usage: cargo xtask build [--release]\n\n\
                 Builds the site into target/site: the front end as WebAssembly, style/main.css and public/.\n\
                 --release makes it small, compresses it, and holds it to {FIRST_VISIT_BUDGET} bytes a first visit."
            );
            return ExitCode::from(2);
        }
    };
    match built {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn build(release: bool) -> Result<()> {
    // Not what was true when this was compiled: two checkouts may share one target folder.
    let package =
        std::env::var_os("CARGO_MANIFEST_DIR").context("cargo says where xtask lies: start this with `cargo xtask`")?;
    let workspace = Path::new(&package).parent().context("xtask lies in a folder of the workspace")?;
    let front_end = bindings::build(workspace, release)?;

    let mut site = Site::default();
    let js = site.add_hashed("js", front_end.js);
    let wasm = site.add_hashed("wasm", front_end.wasm);
    let css = site.add_hashed("css", style::bundle(&workspace.join("style/main.css"))?.into());
    let assets = serde_json::json!({ "js": js, "wasm": wasm, "css": css });
    site.add("assets.json", format!("{assets:#}\n").into());
    site.add_folder(&workspace.join("public"))?;

    let first_visit = [js, wasm, css];
    if release {
        site.compress(&workspace.join("target/site"))?;
    }
    site.write(&workspace.join("target/site"))?;
    report(&site, &first_visit, release)
}

/// Prints what a first visit costs and, of a release, refuses what is over budget.
fn report(site: &Site, first_visit: &[String], release: bool) -> Result<()> {
    let mut total = 0;
    for url in first_visit {
        let plain = site.size(url);
        match site.size(&format!("{url}.br")) {
            Some(brotli) => {
                total += brotli;
                println!("{url}: {} bytes, {brotli} in brotli", plain.unwrap_or_default());
            }
            None => println!("{url}: {} bytes", plain.unwrap_or_default()),
        }
    }
    if release {
        println!("a first visit: {total} of at most {FIRST_VISIT_BUDGET} bytes in brotli");
        anyhow::ensure!(
            total <= FIRST_VISIT_BUDGET,
            "a first visit costs {} bytes too many: `cargo tree -p frontend --target wasm32-unknown-unknown` shows what it carries",
            total - FIRST_VISIT_BUDGET
        );
    }
    Ok(())
}
