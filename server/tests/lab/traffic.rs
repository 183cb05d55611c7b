//! What crosses the network between hosts.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
};

use super::LabHost;

/// A capture under way.
pub struct Capture {
    tcpdump: Child,
    file: PathBuf,
    /// It says something at the end, too.
    _errors: BufReader<ChildStderr>,
}

impl Capture {
    /// Whether there is what it takes.
    pub fn is_possible() -> bool {
        super::runs("tcpdump", &["--version"])
    }

    /// Begins to write all that goes to a host's ports for migration data into a file, which is named *.pcap.
    pub fn begin(host: &LabHost, file: &Path) -> Self {
        let mut tcpdump = Command::new("tcpdump")
            // The other end of the host's cable; as root, and with room for what is not written yet.
            .args(["-i", host.name, "-Z", "root", "-B", "65536", "-U", "-w"])
            .arg(file)
            .arg("tcp dst portrange 49152-49215")
            .stderr(Stdio::piped())
            .spawn()
            .expect("tcpdump is installed");
        let mut said = String::new();
        let mut errors = BufReader::new(tcpdump.stderr.take().expect("it was asked for"));
        while !said.contains("listening on") {
            said.clear();
            assert_ne!(errors.read_line(&mut said).expect("it is text"), 0, "tcpdump does not listen");
        }
        Self { tcpdump, file: file.to_owned(), _errors: errors }
    }

    /// Ends it; all that was captured.
    pub fn end(mut self) -> Vec<u8> {
        let pid = self.tcpdump.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill exists").success());
        self.tcpdump.wait().expect("it is our child");
        std::fs::read(&self.file).expect("tcpdump wrote it")
    }
}
