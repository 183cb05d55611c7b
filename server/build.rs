//! Sees to it that the server is built again when what it embeds has changed.

use std::path::Path;

fn main() {
    // Without the web assets the server still builds; it says at the start what is missing.
    let site = Path::new("../target/site");
    std::fs::create_dir_all(site).expect("the workspace's target folder can be written");
    println!("cargo:rerun-if-changed={}", site.display());
}
