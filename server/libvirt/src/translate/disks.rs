//! Errors about disks, volumes and pools.

use virt::sys::{
    VIR_ERR_MIGRATE_UNSAFE, VIR_ERR_NO_STORAGE_POOL, VIR_ERR_NO_STORAGE_VOL, VIR_ERR_STORAGE_VOL_EXIST,
    VIR_FROM_STORAGE,
};

use super::meaning::{Meaning, errno, numbered, saying, system};

const MOUNT_IT: &str =
    "If it is on shared storage, mount that on {destination} at the same path; if not, have it copied.";

const NOT_ALLOWED: &str = "{destination} may not open a file of this VM's disks.";
const LET_QEMU_READ: &str =
    "Let the account that QEMU runs as on {destination} read and write it; an NFS export may need no_root_squash.";

const NO_VOLUME: &str = "{destination} does not have the volume {volume}.";
const LOOK_FOR_VOLUME: &str = "Refresh the pool there, and look whether the file is where it was.";

const NO_SPACE: &str = "There is not enough free space for a disk of this VM on {destination}.";
const FREE_SPACE: &str = "Free space there, or choose another pool for the disk.";

/// The first that fits counts.
pub(super) static MEANINGS: &[Meaning] = &[
    saying("Cannot access storage file '{path}' (as uid:{}): Permission denied").tell(
        "{destination} may not open {path}, a disk of this VM.",
        LET_QEMU_READ,
    ),
    saying("Cannot access backing file '{path}' of storage file '{disk}'").tell(
        "{destination} can't open {path}, which is in the backing chain of {disk}.",
        MOUNT_IT,
    ),
    saying("Cannot access storage file '{path}'").tell("{destination} can't open {path}, a disk of this VM.", MOUNT_IT),
    saying("no storage pool with matching target path '{path}'").tell(
        "{destination} has no storage pool for the directory {path}, where a disk of this VM would go.",
        "Define and start a pool of this directory there, or choose another pool for the disk.",
    ),
    saying("no storage pool with matching name '{pool}'").tell(
        "{destination} has no storage pool called {pool}.",
        "Define and start a pool of this name there, or choose another pool for the disk.",
    ),
    numbered(VIR_ERR_NO_STORAGE_POOL).tell(
        "{destination} does not have a storage pool that a disk of this VM needs.",
        "Define and start the pool there, or choose another pool for the disk.",
    ),
    saying("storage pool '{pool}' is not active").tell(
        "The storage pool {pool} is not started on {destination}.",
        "Start it there.",
    ),
    saying("pool '{pool}' has asynchronous jobs running").tell(
        "A volume is being made in the storage pool {pool} on {destination}.",
        "Wait until that has ended, then try again.",
    ),
    saying("no storage vol with matching {} '{volume}'").tell(NO_VOLUME, LOOK_FOR_VOLUME),
    numbered(VIR_ERR_NO_STORAGE_VOL).tell(
        "{destination} does not have a volume that is needed.",
        LOOK_FOR_VOLUME,
    ),
    saying("storage volume '{volume}' exists already").tell(
        "{destination} has a volume called {volume} already.",
        "Remove or rename it there, if no one needs it, or choose another pool for the disk.",
    ),
    numbered(VIR_ERR_STORAGE_VOL_EXIST).tell(
        "{destination} has a volume of this name already.",
        "Remove or rename it there, if no one needs it, or choose another pool for the disk.",
    ),
    saying("No space left on device").tell(NO_SPACE, FREE_SPACE),
    saying("Not enough free space in pool").tell(NO_SPACE, FREE_SPACE),
    saying("Not enough space left in storage pool").tell(NO_SPACE, FREE_SPACE),
    system(VIR_FROM_STORAGE, errno::NO_SPACE).tell(NO_SPACE, FREE_SPACE),
    saying("migration of disk {disk} failed: Source and target image have different sizes").tell(
        "{destination} has a volume for disk {disk} that is of another size.",
        "Remove or rename the volume there, if no one needs it, or choose another pool for the disk.",
    ),
    saying("pre-creation of storage target for incremental storage migration of disk '{disk}'").tell(
        "Disk {disk} has a backing image, and {destination} has no overlay prepared for it.",
        "Copy the disk as a whole.",
    ),
    saying("Failed to get \"write\" lock").tell(
        "A disk of this VM is in use by another program or VM.",
        "Find out on both hosts which program has it open, and end that first.",
    ),
    numbered(VIR_ERR_MIGRATE_UNSAFE).and_says("cache other than none").tell(
        "A disk of this VM uses the host's cache, and QEMU here can't drop that.",
        "Set the disk's cache to none or directsync, or install a newer QEMU.",
    ),
    numbered(VIR_ERR_MIGRATE_UNSAFE).tell(
        "A disk of this VM is not on storage that both hosts share.",
        "Have it copied. If it is shared and libvirt can't detect that, list its directory in shared_directories of both hosts in \
         vmferry.toml.",
    ),
    saying("migration of disk {disk} failed: {reason}").tell(
        "Disk {disk} could not be copied: {reason}.",
        "Check the disk on {host}, and its pool on {destination}.",
    ),
    system(VIR_FROM_STORAGE, errno::NOT_THERE).tell("{destination} lacks a file of this VM's disks.", MOUNT_IT),
    system(VIR_FROM_STORAGE, errno::NOT_ALLOWED).tell(NOT_ALLOWED, LET_QEMU_READ),
];

#[cfg(test)]
mod tests {
    use engine::HostErrorKind::Refused;

    use crate::translate::testing::check;

    #[test]
    #[rustfmt::skip]
    fn every_row_has_its_words() {
        check(super::MEANINGS, &[
            // disk missing on dst
            (38, 18, 2, "Cannot access storage file '/srv/web.img': No such file or directory",
                Refused, "beta can't open /srv/web.img, a disk of this VM.", "mount that on beta"),
            (38, 18, 13, "Cannot access storage file '/srv/web.img' (as uid:64055, gid:64055): Permission denied",
                Refused, "beta may not open /srv/web.img, a disk of this VM.", "no_root_squash"),
            (38, 18, 2, "Cannot access backing file '/srv/base.img' of storage file '/srv/web.img': No such file or directory",
                Refused, "beta can't open /srv/base.img, which is in the backing chain of /srv/web.img.", "same path"),
            (38, 18, 2, "Auf Speicherdatei '/srv/web.img' kann nicht zugegriffen werden: Datei oder Verzeichnis nicht gefunden",
                Refused, "beta lacks a file of this VM's disks.", "same path"),
            (38, 18, 13, "Auf Speicherdatei '/srv/web.img' kann nicht zugegriffen werden: Keine Berechtigung",
                Refused, "beta may not open a file of this VM's disks.", "read and write it"),
            // no pool for pre-create
            (49, 18, 0, "Storage pool not found: no storage pool with matching target path '/srv/images'",
                Refused, "beta has no storage pool for the directory /srv/images, where a disk of this VM would go.", "Define and start"),
            (49, 18, 0, "Storage pool not found: no storage pool with matching name 'images'",
                Refused, "beta has no storage pool called images.", "Define and start"),
            (49, 18, 0, "Speicherpool nicht gefunden",
                Refused, "beta does not have a storage pool that a disk of this VM needs.", "Define and start"),
            // size mismatch
            (9, 10, 0, "operation failed: migration of disk vda failed: Source and target image have different sizes",
                Refused, "beta has a volume for disk vda that is of another size.", "Remove or rename"),
            // inc copy w/o pre-created
            (84, 10, 0, "Operation not supported: pre-creation of storage target for incremental storage migration of disk 'vda' is not \
                 supported",
                Refused, "Disk vda has a backing image, and beta has no overlay prepared for it.", "as a whole"),
            // unsafe
            (81, 10, 0, "Unsafe migration: Migration without shared storage is unsafe",
                Refused, "A disk of this VM is not on storage that both hosts share.", "shared_directories"),
            (81, 10, 0, "Unsafe migration: Migration may lead to data corruption if disks use cache other than none or directsync",
                Refused, "A disk of this VM uses the host's cache, and QEMU here can't drop that.", "directsync"),
            // Also: what happens to volumes and pools, and locks.
            (55, 18, 0, "Requested operation is not valid: storage pool 'images' is not active",
                Refused, "The storage pool images is not started on beta.", "Start it there"),
            (1, 18, 0, "internal error: pool 'images' has asynchronous jobs running.",
                Refused, "A volume is being made in the storage pool images on beta.", "Wait"),
            (50, 18, 0, "Storage volume not found: no storage vol with matching name 'web.qcow2'",
                Refused, "beta does not have the volume web.qcow2.", "Refresh the pool"),
            (50, 18, 0, "Storage volume not found: no storage vol with matching path '/srv/web.qcow2'",
                Refused, "beta does not have the volume /srv/web.qcow2.", "Refresh the pool"),
            (50, 18, 0, "Storage volume not found",
                Refused, "beta does not have a volume that is needed.", "Refresh the pool"),
            (90, 18, 0, "storage volume 'web.qcow2' exists already",
                Refused, "beta has a volume called web.qcow2 already.", "another pool"),
            (90, 18, 0, "Speicherdatenträger existiert bereits",
                Refused, "beta has a volume of this name already.", "another pool"),
            (9, 10, 0, "operation failed: migration of disk vda failed: No space left on device",
                Refused, "There is not enough free space for a disk of this VM on beta.", "Free space"),
            (38, 18, 28, "cannot allocate 1073741824 bytes in file '/srv/web.img': Auf dem Gerät ist kein Speicherplatz mehr verfügbar",
                Refused, "There is not enough free space for a disk of this VM on beta.", "Free space"),
            (9, 18, 0, "operation failed: Not enough free space in pool for volume 'web.img'",
                Refused, "There is not enough free space for a disk of this VM on beta.", "Free space"),
            (1, 18, 0, "internal error: Not enough space left in storage pool",
                Refused, "There is not enough free space for a disk of this VM on beta.", "another pool"),
            (1, 10, 0, "internal error: process exited while connecting to monitor: 2026-11-23T07:00:00.000000Z qemu-system-x86_64: -device \
                 {\"driver\":\"virtio-blk-pci\"}: Failed to get \"write\" lock\nIs another process using the image [/srv/web.img]?",
                Refused, "A disk of this VM is in use by another program or VM.", "which program has it open"),
            (9, 10, 0, "operation failed: migration of disk vda failed: Input/output error",
                Refused, "Disk vda could not be copied: Input/output error.", "its pool on beta"),
        ]);
    }
}
