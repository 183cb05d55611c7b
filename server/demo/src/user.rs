//! Who the daemons run as.

use std::{fs, os::unix::fs::chown, path::Path};

use crate::DemoError;

/// The user that root gives the daemons to: libvirt runs in session mode only for users other than root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unprivileged {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Unprivileged {
    /// The user "nobody" for root; `None` for other users, as whom the daemons can run.
    pub(crate) fn find() -> Result<Option<Self>, DemoError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let users = fs::read_to_string("/etc/passwd").map_err(DemoError::io("read", "/etc/passwd"))?;
        Self::from_passwd(&users).map(Some).ok_or(DemoError::UserMissing)
    }

    fn from_passwd(passwd: &str) -> Option<Self> {
        let mut fields = passwd.lines().find(|line| line.starts_with("nobody:"))?.split(':').skip(2);
        Some(Self { uid: fields.next()?.parse().ok()?, gid: fields.next()?.parse().ok()? })
    }
}

/// Makes a directory that only the daemons (and root) can use.
pub(crate) fn make_directory(path: &Path, owner: Option<Unprivileged>) -> Result<(), DemoError> {
    fs::create_dir(path).map_err(DemoError::io("make", path))?;
    give(path, owner, 0o700)
}

/// Writes a file that only the daemons (and root) can use.
pub(crate) fn write_file(path: &Path, content: &[u8], owner: Option<Unprivileged>) -> Result<(), DemoError> {
    fs::write(path, content).map_err(DemoError::io("write", path))?;
    give(path, owner, 0o600)
}

fn give(path: &Path, owner: Option<Unprivileged>, mode: u32) -> Result<(), DemoError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(DemoError::io("change", path))?;
    match owner {
        Some(user) => chown(path, Some(user.uid), Some(user.gid)).map_err(DemoError::io("change", path)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_nobody_among_the_users() {
        let passwd =
            "root:x:0:0:root:/root:/bin/bash\nnobodyelse:x:5:6::/:/bin/sh\nnobody:x:65534:65533:nobody:/:/bin/false\n";
        assert_eq!(Unprivileged::from_passwd(passwd), Some(Unprivileged { uid: 65534, gid: 65533 }));
        assert_eq!(Unprivileged::from_passwd("root:x:0:0:root:/root:/bin/bash\n"), None);
        assert_eq!(Unprivileged::from_passwd("nobody:x:many:0::/:/bin/false\n"), None);
    }
}
