//! Facts in a qcow2 image that libvirt does not report (QEMU's `docs/interop/qcow2.rst`). All numbers in it are big endian.

use std::ops::Range;

use engine::ImageExtras;

/// libvirt's name of the format.
pub(super) const FORMAT: &str = "qcow2";
/// How much of an image is read for its header with all extensions, in bytes: QEMU's default cluster, and they are in the first one.
pub(super) const HEADER: u64 = 64 << 10;

const MAGIC: &[u8] = b"QFI\xfb";
const VERSION: Range<usize> = 4..8;
const SNAPSHOTS: Range<usize> = 60..64;
/// The length of version 2's header, in bytes.
const HEADER_2: usize = 72;
/// Since version 3, like the header's length.
const INCOMPATIBLE_FEATURES: Range<usize> = 72..80;
const EXTERNAL_DATA_FILE: u64 = 1 << 2;
const HEADER_LENGTH: Range<usize> = 100..104;

const END_OF_EXTENSIONS: u64 = 0;
const BITMAPS: u64 = 0x2385_2875;
/// The largest bitmap directory that is read, in bytes. An entry takes 24 and its name.
const LARGEST_DIRECTORY: u64 = 1 << 20;
/// QEMU records in it what the guest writes, from the moment at which it opens the image.
const AUTO: u64 = 1 << 1;

/// Whether an image with this header keeps its contents in an external data file.
pub(super) fn has_data_file(header: &[u8]) -> bool {
    is_version_3(header)
        && number(header, INCOMPATIBLE_FEATURES).is_some_and(|features| features & EXTERNAL_DATA_FILE != 0)
}

/// What an image with this header holds beside what a guest sees; none if it does not say so in a form that is known. `read` reads
/// from an offset on, so many bytes.
///
/// While QEMU has the image open, bitmaps that it has made since are not in it.
///
/// # Errors
/// Those of `read`.
pub(super) fn extras<E>(
    header: &[u8],
    read: impl FnOnce(u64, u64) -> Result<Vec<u8>, E>,
) -> Result<Option<ImageExtras>, E> {
    let snapshots = number(header, SNAPSHOTS).and_then(|count| count.try_into().ok());
    let (Some(snapshots), Some(directory)) = (snapshots.filter(|_| header.starts_with(MAGIC)), directory(header))
    else {
        return Ok(None);
    };
    let none = ImageExtras { snapshots, ..ImageExtras::default() };
    match directory {
        None => Ok(Some(none)),
        Some(Directory { bytes, .. }) if bytes > LARGEST_DIRECTORY => Ok(None),
        Some(Directory { bitmaps, at, bytes }) => {
            let flags = flags(&read(at, bytes)?, bitmaps);
            let is_recording = |flags: &&u64| **flags & AUTO != 0;
            Ok(flags.and_then(|flags| {
                let recording_bitmaps = flags.iter().filter(is_recording).count().try_into().ok()?;
                Some(ImageExtras { recording_bitmaps, other_bitmaps: bitmaps - recording_bitmaps, ..none })
            }))
        }
    }
}

/// Where the list of bitmaps is.
struct Directory {
    bitmaps: u32,
    at: u64,
    bytes: u64,
}

/// The directory of bitmaps, in the header's extensions: the outer option is none if they are not understood.
fn directory(header: &[u8]) -> Option<Option<Directory>> {
    let length = if is_version_3(header) { number(header, HEADER_LENGTH)?.try_into().ok()? } else { HEADER_2 };
    let mut rest = header.get(length..)?;
    loop {
        let (kind, bytes) = (number(rest, 0..4)?, usize::try_from(number(rest, 4..8)?).ok()?);
        match kind {
            END_OF_EXTENSIONS => return Some(None),
            BITMAPS => {
                let [bitmaps, bytes, at] = [8..12, 16..24, 24..32].map(|field| number(rest, field));
                return Some(Some(Directory { bitmaps: bitmaps?.try_into().ok()?, at: at?, bytes: bytes? }));
            }
            _ => rest = rest.get(8 + bytes.next_multiple_of(8)..)?,
        }
    }
}

/// The flags of each bitmap in a directory; none if there are not so many.
fn flags(directory: &[u8], bitmaps: u32) -> Option<Vec<u64>> {
    let (mut rest, mut all) = (directory, Vec::new());
    for _ in 0..bitmaps {
        all.push(number(rest, 12..16)?);
        let (name, extra) = (number(rest, 18..20)?, number(rest, 20..24)?);
        let bytes = usize::try_from(24 + name + extra).ok()?.next_multiple_of(8);
        rest = rest.get(bytes..)?;
    }
    Some(all)
}

fn is_version_3(header: &[u8]) -> bool {
    header.starts_with(MAGIC) && number(header, VERSION).is_some_and(|version| version >= 3)
}

/// A number of at most 8 bytes.
fn number(bytes: &[u8], at: Range<usize>) -> Option<u64> {
    Some(bytes.get(at)?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    /// Where a test's bitmap directory is.
    const AT: u64 = 0x000a_0000;

    /// The header that `qemu-img create -f qcow2` writes, of this version, with one extension that is not known here, and the end.
    fn header(version: u8, features: u8) -> Vec<u8> {
        let mut header = vec![0; 104];
        header[..4].copy_from_slice(MAGIC);
        (header[7], header[79], header[103]) = (version, features, 104);
        if version == 2 {
            header.truncate(HEADER_2);
        }
        header.extend([0x68, 0x03, 0xf8, 0x57, 0, 0, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0]);
        header
    }

    /// A header with bitmaps whose directory has so many bytes.
    fn with_bitmaps(bitmaps: u32, bytes: u64) -> Vec<u8> {
        let mut header = header(3, 0);
        let mut push = |bytes: &[u8]| header.extend(bytes);
        push(&0x2385_2875_u32.to_be_bytes());
        push(&24_u32.to_be_bytes());
        push(&bitmaps.to_be_bytes());
        push(&[0; 4]);
        push(&bytes.to_be_bytes());
        push(&AT.to_be_bytes());
        header
    }

    /// An entry of a directory, for a bitmap with these flags.
    fn entry(flags: u32, name: &str) -> Vec<u8> {
        let mut entry = vec![0; 12];
        entry.extend(flags.to_be_bytes());
        entry.extend([1, 16]);
        entry.extend(u16::try_from(name.len()).unwrap().to_be_bytes());
        entry.extend([0; 4]);
        entry.extend(name.as_bytes());
        entry.resize(entry.len().next_multiple_of(8), 0);
        entry
    }

    fn extras_of(header: &[u8], directory: &[u8]) -> Option<ImageExtras> {
        let read = |at, bytes| {
            assert_eq!((at, usize::try_from(bytes).unwrap()), (AT, directory.len()));
            Ok::<_, Infallible>(directory.to_vec())
        };
        let mut header = header.to_vec();
        header.extend([0; 8]);
        extras(&header, read).unwrap()
    }

    #[test]
    fn an_external_data_file_is_an_incompatible_feature() {
        assert!(has_data_file(&header(3, 4)) && has_data_file(&header(3, 7)));
        assert!(!has_data_file(&header(3, 0)) && !has_data_file(&header(3, 3)));
        assert!(!has_data_file(&header(2, 4)), "version 2 has no features field");
        assert!(!has_data_file(&header(3, 4)[..79]) && !has_data_file(&[]));
        assert!(!has_data_file(&[0xff; 80]), "raw");
    }

    #[test]
    fn internal_snapshots_are_counted_in_both_versions() {
        for version in [2, 3] {
            let mut image = header(version, 0);
            assert_eq!(extras_of(&image, &[]), Some(ImageExtras::default()));
            image[60..64].copy_from_slice(&[0, 0, 1, 2]);
            assert_eq!(extras_of(&image, &[]), Some(ImageExtras { snapshots: 258, ..ImageExtras::default() }));
        }
    }

    #[test]
    fn bitmaps_are_told_apart_by_whether_they_record() {
        let directory = [entry(0, "off"), entry(2, "on"), entry(3, "in use, and on"), entry(1, "in use")].concat();
        let image = with_bitmaps(4, directory.len() as u64);
        let expected = ImageExtras { snapshots: 0, recording_bitmaps: 2, other_bitmaps: 2 };
        assert_eq!(extras_of(&image, &directory), Some(expected));
        assert_eq!(extras_of(&with_bitmaps(5, directory.len() as u64), &directory), None, "one is missing");
        assert_eq!(extras_of(&with_bitmaps(1, 2 << 20), &[]), None, "too large to be read");
    }

    #[test]
    fn what_is_not_understood_is_not_known() {
        let none = |header: &[u8]| extras(header, |_, _| Ok::<_, Infallible>(Vec::new())).unwrap().is_none();
        assert!(none(&[]) && none(&[0; 512]) && none(MAGIC));
        assert!(none(&header(3, 0)), "its extensions have no end");
        let mut odd = header(3, 0);
        odd[100..104].copy_from_slice(&[0xff; 4]);
        assert!(none(&odd));
        odd = header(3, 0);
        odd[108..112].copy_from_slice(&[0xff; 4]);
        assert!(none(&odd));
    }
}
