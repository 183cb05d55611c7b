//! What crosses the network between hosts.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
};

use super::LabHost;

/// A running tcpdump.
pub struct Capture {
    tcpdump: Child,
    file: PathBuf,
    /// Kept open, because tcpdump prints its figures at the end.
    _errors: BufReader<ChildStderr>,
}

impl Capture {
    /// Whether tcpdump is installed.
    pub fn is_possible() -> bool {
        super::runs("tcpdump", &["--version"])
    }

    /// Starts to capture what is sent to a host's ports for migration data into this file (*.pcap).
    pub fn begin(host: &LabHost, file: &Path) -> Self {
        let mut tcpdump = Command::new("tcpdump")
            // On the sandbox's end of the host's network device; as root, with a large buffer.
            .args(["-i", host.name, "-Z", "root", "-B", "65536", "-U", "-w"])
            .arg(file)
            .arg("tcp dst portrange 49152-49215")
            .stderr(Stdio::piped())
            .spawn()
            .expect("tcpdump is installed");
        let mut line = String::new();
        let mut errors = BufReader::new(tcpdump.stderr.take().expect("it was asked for"));
        while !line.contains("listening on") {
            line.clear();
            assert_ne!(errors.read_line(&mut line).expect("it is text"), 0, "tcpdump does not listen");
        }
        Self { tcpdump, file: file.to_owned(), _errors: errors }
    }

    /// Stops tcpdump; the bytes that it captured.
    pub fn end(mut self) -> Vec<u8> {
        let pid = self.tcpdump.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill exists").success());
        self.tcpdump.wait().expect("it is our child");
        std::fs::read(&self.file).expect("tcpdump wrote it")
    }
}
