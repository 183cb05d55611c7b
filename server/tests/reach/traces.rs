//! Traces of a password: in files, in the arguments and environment of processes, and in a process' memory.

use std::{
    fs::{self, File},
    io::{BufRead, Read, Seek, SeekFrom, Write},
    path::Path,
    process::{Command, Stdio},
};

/// How much of its surroundings is reported on either side, in bytes.
const AROUND: usize = 96;

/// A text in all encodings in which it may be left.
pub(crate) struct Traces {
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Traces {
    /// The traces of this text. Where memory was freed its first bytes may be overwritten, so its second half is searched for.
    pub(crate) fn of(text: &str) -> Self {
        let half = &text[text.len() / 2..];
        let wide: Vec<u8> = half.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let percent: String = half
            .bytes()
            .map(
                |byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") },
            )
            .collect();
        let hexadecimal: String = half.bytes().map(|byte| format!("{byte:02x}")).collect();
        let mut forms = vec![
            ("as it is", half.as_bytes().to_vec()),
            ("as UTF-16", wide),
            ("percent-encoded", percent.into_bytes()),
            ("as hexadecimal digits", hexadecimal.into_bytes()),
        ];
        // It may begin at any byte of a group of three.
        forms.extend((0..3).map(|skipped| ("as base64", base64(&half.as_bytes()[skipped..]))));
        Self { forms }
    }

    /// The encoding in which the text is in these bytes, if it is.
    pub(crate) fn in_bytes(&self, bytes: &[u8]) -> Option<&'static str> {
        self.forms.iter().find(|(_, text)| positions(text, bytes).next().is_some()).map(|(form, _)| *form)
    }

    /// Each occurrence with its encoding and surroundings, which tell which code has left it there.
    fn with_surroundings(&self, bytes: &[u8]) -> impl Iterator<Item = String> {
        self.forms.iter().flat_map(move |(form, text)| {
            positions(text, bytes).map(move |at| {
                let around = &bytes[at.saturating_sub(AROUND)..bytes.len().min(at + AROUND)];
                format!("{form} in \"{}\"", around.escape_ascii())
            })
        })
    }

    /// The files in a directory and below that have the text.
    pub(crate) fn in_files(&self, directory: &Path) -> Vec<String> {
        let mut places = Vec::new();
        for entry in fs::read_dir(directory).expect("it is a directory").flatten() {
            let path = entry.path();
            if path.is_dir() {
                places.extend(self.in_files(&path));
            } else if path.is_file() {
                let bytes = fs::read(&path).expect("root may read it");
                places.extend(self.in_bytes(&bytes).map(|form| format!("{}: {form}", path.display())));
            }
        }
        places
    }

    /// The processes, other than the test's own, that have the text in their arguments or environment.
    pub(crate) fn in_processes(&self) -> Vec<String> {
        let mut places = Vec::new();
        for process in fs::read_dir("/proc").expect("there is /proc").flatten() {
            let pid = process.file_name().to_string_lossy().into_owned();
            if pid.parse::<u32>().is_err() || pid == std::process::id().to_string() {
                continue;
            }
            for what in ["cmdline", "environ"] {
                // The process may have ended meanwhile.
                let bytes = fs::read(process.path().join(what)).unwrap_or_default();
                places.extend(self.in_bytes(&bytes).map(|form| format!("{what} of {pid}: {form}")));
            }
        }
        places
    }

    /// The occurrences in a process' memory, as a core dump would have them.
    pub(crate) fn in_memory(&self, pid: u32) -> Vec<String> {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("it runs");
        let mut memory = File::open(format!("/proc/{pid}/mem")).expect("root may read it");
        let mut places = Vec::new();
        let mut searched = 0;
        for map in maps.lines().filter(|map| map.split(' ').nth(1).is_some_and(|rights| rights.starts_with('r'))) {
            let (start, end) = map.split(' ').next().and_then(|range| range.split_once('-')).expect("a map is a range");
            let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).expect("it is hexadecimal"));
            let mut bytes = vec![0; usize::try_from(end - start).expect("it fits into an address space")];
            let found = memory.seek(SeekFrom::Start(start)).and_then(|_| memory.read_exact(&mut bytes));
            // The kernel lists some of its own pages, which can't be read.
            if found.is_ok() {
                searched += bytes.len();
                places.extend(self.with_surroundings(&bytes).map(|found| format!("memory {map}: {found}")));
            }
        }
        assert!(searched > 0, "there is nothing to be read of process {pid}");
        places
    }
}

/// The positions at which a text of at least two bytes begins. The standard library searches for its first byte, which is fast even in
/// tests that are not optimised.
pub(crate) fn positions(text: &[u8], bytes: &[u8]) -> impl Iterator<Item = usize> {
    let mut rest = bytes;
    let next = move || {
        rest.skip_until(text[0]).expect("memory can be read");
        (!rest.is_empty()).then(|| (bytes.len() - rest.len() - 1, rest.starts_with(&text[1..])))
    };
    std::iter::from_fn(next).filter_map(|(at, is_it)| is_it.then_some(at))
}

/// Base64 of all whole groups of three bytes: the rest would depend on the bytes that follow.
fn base64(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |group: &[u8]| {
        let number = u32::from_be_bytes([0, group[0], group[1], group[2]]);
        [18, 12, 6, 0].map(|shift| DIGITS[(number >> shift & 63) as usize])
    };
    bytes.chunks_exact(3).flat_map(group).collect()
}

#[test]
fn all_forms_are_found() {
    let traces = Traces::of("something+quokka/4711");
    let forms = ["quokka/4711", "x=quokka%2F4711&", "71756f6b6b612f34373131", "c29tZXRoaW5nK3F1b2trYS80NzEx"];
    for form in forms {
        assert!(traces.in_bytes(format!("...{form}...").as_bytes()).is_some(), "{form}");
    }
    let wide: Vec<u8> = "+quokka/4711".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(traces.in_bytes(&wide), Some("as UTF-16"));
    assert_eq!(traces.in_bytes(b"quokka-4711"), None);
    let all = |text: &'static [u8], bytes: &'static [u8]| positions(text, bytes).collect::<Vec<_>>();
    assert_eq!([all(b"aa", b"aaba"), all(b"ab", b"aabab"), all(b"ba", b"ab")], [vec![0], vec![1, 3], vec![]]);
}

#[test]
fn a_secret_in_a_process_is_found() {
    let text = format!("a secret of this test: {}", std::process::id());
    let mut process = Command::new("cat")
        .env("SECRET", &text)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("there is cat");
    // A process' environment is empty until its program runs, so wait for an answer.
    process.stdin.as_ref().expect("it is a pipe").write_all(b".").expect("it reads");
    process.stdout.as_mut().expect("it is a pipe").read_exact(&mut [0]).expect("it writes");
    let traces = Traces::of(&text);
    let (memory, processes) = (traces.in_memory(process.id()), traces.in_processes());
    process.kill().expect("it is our child");
    process.wait().expect("it is our child");
    assert_eq!(memory.len(), 1, "on its stack: {memory:?}");
    assert_eq!(processes, [format!("environ of {}: as it is", process.id())]);
}
