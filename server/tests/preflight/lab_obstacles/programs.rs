//! Programs and files that a VM needs on its host: a TPM, a firmware, an emulator, virtiofsd.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    thread,
};

use model::{FindingCode as Code, Severity};

use crate::{
    guest::{Guest, Parts, run_other},
    lab::{self, SANDBOX_ADDRESS},
    obstacle::{Obstacle, Outcome},
    testbed::TestBed,
};

/// Where virtiofsd may be: from Debian 13's package, and from Debian 12's QEMU.
const VIRTIOFSD: [&str; 2] = [
    "/usr/libexec/virtiofsd",
    concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools/older-qemu/usr/lib/qemu/virtiofsd"),
];

pub(super) fn programs() -> Vec<Obstacle> {
    vec![
        Obstacle::unknown("an emulated TPM", Code::Tpm, Outcome::Succeeds)
            .parts(|_, _| Parts::devices("<tpm model='tpm-tis'><backend type='emulator' version='2.0'/></tpm>")),
        Obstacle::blocker("a firmware that the destination lacks", Code::Firmware).parts(|bed, _| {
            let firmware = "/var/lib/libvirt/bios.bin";
            bed.source.lab().run("cp", &["/usr/share/seabios/bios-256k.bin", firmware]);
            Parts { os: format!("<loader type='rom'>{firmware}</loader>"), ..Parts::default() }
        }),
        Obstacle::blocker("an emulator that the destination lacks", Code::Emulator).parts(|bed, _| {
            let emulator = "/var/lib/libvirt/qemu-system-x86_64";
            bed.source.lab().run("cp", &["/usr/bin/qemu-system-x86_64", emulator]);
            Parts::devices(format!("<emulator>{emulator}</emulator>"))
        }),
    ]
}

/// A CD over HTTP, which QEMU reads with a driver that is packaged separately.
pub(super) fn drivers() -> Vec<Obstacle> {
    let cd: fn(&TestBed<'_>, &Guest) -> Parts = |_, _| Parts::devices(http_cd());
    vec![
        Obstacle::unknown("a CD over HTTP", Code::QemuDriver, Outcome::Succeeds).parts(cd),
        Obstacle::succeeds("a CD over HTTP, as another VM there has", Code::QemuDriver, Severity::Ok)
            .parts(cd)
            .make(|bed, guest| run_other(bed, guest, &http_cd())),
        Obstacle::unknown("a CD over HTTP, and no driver at the destination", Code::QemuDriver, Outcome::Fails)
            .parts(cd)
            .make(|bed, _| {
                let hide = "mount -t tmpfs tmpfs \"$(dirname /usr/lib/*-linux-gnu/qemu/block-curl.so)\"";
                bed.destination.lab().run("sh", &["-c", hide]);
            })
            .undo(|bed, _| drop(bed.destination.lab().run("sh", &["-c", "umount /usr/lib/*-linux-gnu/qemu"]))),
    ]
}

/// A CD drive with an image from a server in the sandbox, which is started with it.
fn http_cd() -> String {
    let server = TcpListener::bind((SANDBOX_ADDRESS, 0)).expect("the sandbox has this address");
    let port = server.local_addr().expect("it is bound").port();
    thread::spawn(move || server.incoming().flatten().for_each(|client| drop(thread::spawn(|| serve_zeros(client)))));
    format!(
        "<disk type='network' device='cdrom'><driver name='qemu' type='raw'/>
           <source protocol='http' name='/cd.iso'><host name='{SANDBOX_ADDRESS}' port='{port}'/></source>
           <target dev='hda' bus='ide'/></disk>"
    )
}

/// Serves a file of zeros, whole or a range of it, until the client has enough.
fn serve_zeros(client: TcpStream) -> Option<()> {
    const SIZE: usize = 64 << 10;
    let mut answers = client.try_clone().ok()?;
    let mut lines = BufReader::new(client).lines();
    loop {
        let request: Vec<String> = lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
        let is_head = request.first()?.starts_with("HEAD ");
        let range =
            request.iter().find_map(|line| line.to_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
        let range = range.as_deref().and_then(|range| range.split_once('-'));
        let from = range.map_or(0, |(from, _)| from.parse().unwrap_or(0));
        let to = range.map_or(SIZE - 1, |(_, to)| to.parse().unwrap_or(SIZE - 1).min(SIZE - 1));
        let status = if range.is_some() { "206 Partial Content" } else { "200 OK" };
        let length = (to + 1).saturating_sub(from);
        write!(
            answers,
            "HTTP/1.1 {status}\r\nAccept-Ranges: bytes\r\nContent-Length: {length}\r\nContent-Range: bytes {from}-{to}/{SIZE}\r\n\r\n"
        )
        .ok()?;
        if !is_head {
            answers.write_all(&vec![0; length]).ok()?;
        }
    }
}

/// None where virtiofsd is not installed.
pub(super) fn virtiofs() -> Option<Obstacle> {
    if virtiofsd().is_none() {
        lab::pass_over("a folder of the host (virtiofs): there is no virtiofsd here");
        return None;
    }
    Some(Obstacle::blocker("a folder of the host (virtiofs)", Code::SharedFolder).parts(|bed, _| Parts {
        elements: "<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>".to_owned(),
        devices: format!(
            "<filesystem type='mount'><driver type='virtiofs'/><binary path='{}'/>
               <source dir='{}'/><target dir='folder'/></filesystem>",
            virtiofsd().expect("it is there").display(),
            bed.shared.display()
        ),
        ..Parts::default()
    }))
}

fn virtiofsd() -> Option<PathBuf> {
    VIRTIOFSD.into_iter().map(PathBuf::from).find(|path| path.exists())
}
