//! Volumes of storage pools, and what is in them.

/// A volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its name in the pool.
    pub name: String,
    /// Its path.
    pub path: String,
    /// `raw`, `qcow2`, …
    pub format: String,
    /// Its size as a guest sees it, in bytes.
    pub capacity_bytes: u64,
    /// What it takes up, in bytes.
    pub allocation_bytes: u64,
    /// How long its file or device is, which is what is read of it, in bytes; none where the host does not say.
    pub length_bytes: Option<u64>,
    /// Whether it is only what was changed of another image.
    pub has_backing: bool,
    /// When its contents were last changed, as libvirt writes it (seconds since 1970 with a fraction); none where it does not say.
    pub modified: Option<String>,
}

/// What still needs an image, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageUsers {
    /// VMs of the host, and volumes that have it in their backing chain.
    pub here: Vec<String>,
    /// Hosts that share a pool that it is in: they can't be asked.
    pub elsewhere: Vec<String>,
}

/// A volume to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewVolume {
    /// The pool, by name.
    pub pool: String,
    /// Its name there.
    pub name: String,
    /// `raw` or `qcow2`, …
    pub format: String,
    /// Its size as a guest sees it, in bytes.
    pub capacity_bytes: u64,
}

/// A piece of a volume's contents in transit between hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// Contents.
    Data(Vec<u8>),
    /// So many bytes of nothing, which take up no space.
    Hole(u64),
}
