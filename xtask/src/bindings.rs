//! The front end as WebAssembly, and the JavaScript that loads it.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use wasm_bindgen_cli_support::Bindgen;

/// What the browser needs to run the front end.
pub struct FrontEnd {
    /// A module whose default export takes the address of `wasm`; it knows no file name itself, as names carry hashes.
    pub js: Vec<u8>,
    pub wasm: Vec<u8>,
}

/// Generates the bindings of a module that cargo built.
pub fn generate(module: &Path, release: bool) -> Result<FrontEnd> {
    let mut output = Bindgen::new()
        .input_path(module)
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
