//! Compresses the site's files when they are built, so that the server does not have to.

use std::io::{Read, Write};

use anyhow::Result;
use brotli::enc::backward_references::BrotliEncoderMode::{BROTLI_FORCE_MSB_PRIOR, BROTLI_MODE_GENERIC};
use flate2::{Compression, write::GzEncoder};

/// Brotli's slowest level, with the smallest output.
const BROTLI_QUALITY: i32 = 11;

/// The largest window that every browser accepts: 2^22 bytes.
const BROTLI_WINDOW_BITS: i32 = 22;

/// Whether a file of this name shrinks; images and fonts are compressed already.
pub fn is_compressible(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    matches!(extension, Some("css" | "html" | "js" | "json" | "svg" | "txt" | "wasm" | "webmanifest"))
}

/// Of WebAssembly the high bits of the byte before say most of what follows (measured: 428 kB instead of 436); of text the encoder chooses.
pub fn brotli(name: &str, plain: &[u8]) -> Result<Vec<u8>> {
    let is_wasm = name.ends_with(".wasm");
    let parameters = brotli::enc::BrotliEncoderParams {
        mode: if is_wasm { BROTLI_FORCE_MSB_PRIOR } else { BROTLI_MODE_GENERIC },
        quality: BROTLI_QUALITY,
        lgwin: BROTLI_WINDOW_BITS,
        size_hint: plain.len(),
        ..Default::default()
    };
    let mut compressed = Vec::new();
    brotli::CompressorReader::with_params(plain, 64 * 1024, &parameters).read_to_end(&mut compressed)?;
    Ok(compressed)
}

pub fn gzip(_name: &str, plain: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain)?;
    Ok(encoder.finish()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_compressed_comes_back() {
        let plain = b"a virtual machine on the move ".repeat(5_000);
        let (mut from_brotli, mut from_gzip) = (Vec::new(), Vec::new());
        let gzip = gzip("a.js", &plain).unwrap();
        flate2::read::GzDecoder::new(gzip.as_slice()).read_to_end(&mut from_gzip).unwrap();
        assert!(from_gzip == plain && gzip.len() < plain.len() / 100);
        for name in ["a.wasm", "a.js"] {
            let brotli = brotli(name, &plain).unwrap();
            from_brotli.clear();
            brotli::Decompressor::new(brotli.as_slice(), 4096).read_to_end(&mut from_brotli).unwrap();
            assert!(from_brotli == plain && brotli.len() < plain.len() / 100, "{name}");
        }
    }

    #[test]
    fn pictures_are_left_alone() {
        assert!(is_compressible("pkg/vmferry.0a.wasm") && is_compressible("icon.svg"));
        assert!(!is_compressible("icon-192.png") && !is_compressible("LICENSE"));
    }
}
