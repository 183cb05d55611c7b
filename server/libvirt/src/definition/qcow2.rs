//! Facts in the header of a qcow2 image that libvirt does not report while no VM has it open (QEMU's `docs/interop/qcow2.rst`).

use std::ops::Range;

const MAGIC: &[u8] = b"QFI\xfb";
const VERSION: Range<usize> = 4..8;
/// Since version 3.
const INCOMPATIBLE_FEATURES: Range<usize> = 72..80;
const EXTERNAL_DATA_FILE: u64 = 1 << 2;

/// How much of an image has to be read for that, in bytes.
pub(super) const HEADER: u64 = INCOMPATIBLE_FEATURES.end as u64;

/// Whether an image with this header keeps its contents in an external data file.
pub(super) fn has_data_file(header: &[u8]) -> bool {
    let number =
        |at: Range<usize>| header.get(at).map(|bytes| bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)));
    header.starts_with(MAGIC)
        && number(VERSION).is_some_and(|version| version >= 3)
        && number(INCOMPATIBLE_FEATURES).is_some_and(|features| features & EXTERNAL_DATA_FILE != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header that `qemu-img create -f qcow2` writes, of this version.
    fn header(version: u8, features: u8) -> Vec<u8> {
        let mut header = vec![0; 80];
        header[..4].copy_from_slice(MAGIC);
        (header[7], header[79]) = (version, features);
        header
    }

    #[test]
    fn an_external_data_file_is_an_incompatible_feature() {
        assert!(has_data_file(&header(3, 4)) && has_data_file(&header(3, 7)));
        assert!(!has_data_file(&header(3, 0)) && !has_data_file(&header(3, 3)));
        assert!(!has_data_file(&header(2, 4)), "version 2 has no features field");
        assert!(!has_data_file(&header(3, 4)[..79]) && !has_data_file(&[]));
        assert!(!has_data_file(&[0xff; 80]), "raw");
    }
}
