//! `vmferry pki`: certificates for hosts that have none.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use clap::Args;
use time::OffsetDateTime;

use super::{CONFIG, Failure, say};
use crate::{
    config::Config,
    pki::{AUTHORITIES, AUTHORITY_VALID, CertifiedHost, HOST_VALID, Pki},
};

/// Makes certificates for hosts and the authorities that sign them, laid out as libvirt and QEMU look for them, and says how to put
/// them there. Run again with the same directory, it renews certificates and adds hosts.
#[derive(Debug, Args)]
pub struct PkiCommand {
    /// The directory of the authorities; they are made in it the first time, and never overwritten.
    directory: PathBuf,
    /// Hosts, each as name=address[,address…]; the hosts of the configuration file if none is given.
    hosts: Vec<CertifiedHost>,
    /// The configuration file.
    #[arg(long, default_value = CONFIG)]
    config: PathBuf,
}

impl PkiCommand {
    pub(super) fn run(self) -> Result<(), Failure> {
        let hosts = self.hosts()?;
        let directory = std::path::absolute(&self.directory)?;
        let pki = Pki::open(&directory, OffsetDateTime::now_utc())?;
        let mut text = String::from("Copy to each host, here as root:\n");
        for host in &hosts {
            text += &format!("\n  {}\n", copy_command(&pki.certify(host)?, host));
        }
        text += &console_text(&pki.certify_console()?);
        text += &closing_text(&directory.join(AUTHORITIES), &pki);
        say(&text);
        Ok(())
    }

    fn hosts(&self) -> Result<Vec<CertifiedHost>, Failure> {
        let hosts = match self.hosts.as_slice() {
            [] => Config::read(&self.config)?.hosts()?.iter().map(CertifiedHost::from).collect(),
            given => given.to_vec(),
        };
        if hosts.is_empty() {
            return Err("There is no host to make certificates for: give some as name=address.".into());
        }
        let mut names = BTreeSet::new();
        match hosts.iter().find(|host| !names.insert(&host.name)) {
            Some(twice) => Err(format!("{} is given twice: give all its addresses at once.", twice.name).into()),
            None => Ok(hosts),
        }
    }
}

/// What copies a tree over a host's `/`: owned by root, with the modes it has; directories that exist are left as they are. QEMU's
/// group is libvirt-qemu on Debian and Ubuntu and qemu on other systems.
fn copy_command(tree: &Path, host: &CertifiedHost) -> String {
    format!(
        "tar -C {} -c etc | ssh root@{} 'tar -C / -x -p --no-same-owner --no-overwrite-dir && cd /etc/pki/qemu && \
         (chgrp libvirt-qemu *-key.pem || chgrp qemu *-key.pem)'",
        quoted(tree),
        host.addresses[0]
    )
}

fn console_text(files: &Path) -> String {
    let files = quoted(files);
    format!(
        "\nA console that reaches hosts by transport = \"tls\" and runs as an account of its own, here vmferry, needs:\n\n\
         \x20 install -d -o vmferry -m 0700 ~vmferry/.pki/libvirt\n\
         \x20 install -o vmferry -m 0600 -t ~vmferry/.pki/libvirt {files}/*.pem\n"
    )
}

fn closing_text(authorities: &Path, pki: &Pki) -> String {
    let (years, authority_years) = (HOST_VALID.as_secs() / 31_536_000, AUTHORITY_VALID.as_secs() / 31_536_000);
    format!(
        "\nQEMU reads its files when a migration begins; nothing has to be restarted. For transport = \"tls\" let libvirt listen, \
         on each host:\n\n\
         \x20 systemctl stop libvirtd && systemctl enable --now libvirtd-tls.socket && systemctl start libvirtd\n\n\
         (virtproxyd and virtproxyd-tls.socket where the daemons are modular). virt-pki-validate checks the files there; it complains\n\
         that not everybody may read clientkey.pem, but who can read it is root on all hosts.\n\n\
         The certificates are valid until {} ({years} years, or as long as the authorities, which are made once for\n\
         {authority_years}). To renew them: the same command again, copy again, then `virt-admin server-update-tls libvirtd` on each host.\n\n\
         Anyone who has the keys in {} can control all hosts: keep them where no other account can read,\n\
         and remove the other directories beside it once they are copied.",
        pki.valid_until(),
        quoted(authorities),
    )
}

/// A path as a shell takes it for one word.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
