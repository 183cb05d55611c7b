//! Which disks are shared, which are copied and where to, and what prevents the move.

use model::{DiskPlan, Finding, FindingCode, Mode, Severity, Treatment};

use super::{Bench, disk, file, pool, volume};
use crate::hypervisor::{Disk, DiskDevice, DiskSource, Pool};

const GIB: u64 = 1 << 30;

/// The one disk's plan and the worst that was found.
fn one(bench: &Bench) -> (DiskPlan, Finding) {
    let (mut disks, findings) = bench.plan();
    assert_eq!(disks.len(), 1, "{disks:?}");
    (disks.remove(0), findings.into_iter().max_by_key(|finding| finding.severity).unwrap())
}

/// That the disk stays where it is, for a reason that has these words.
#[track_caller]
fn is_shared(bench: &Bench, words: &str) {
    match one(bench) {
        (DiskPlan { treatment: Treatment::Shared { evidence }, .. }, worst) => {
            assert!(evidence.contains(words), "{evidence}");
            assert_eq!((worst.code, worst.severity), (FindingCode::DiskShared, Severity::Ok));
        }
        other => panic!("{other:?}"),
    }
}

/// That the disk is copied to this pool, under this name.
#[track_caller]
fn is_copied(bench: &Bench, to: &str, name: &str) {
    match one(bench) {
        (DiskPlan { treatment: Treatment::Copy { pool, volume, .. }, .. }, worst) => {
            assert_eq!((pool.as_str(), volume.as_str()), (to, name));
            assert!(worst.severity < Severity::Blocker, "{worst:?}");
        }
        other => panic!("{other:?}"),
    }
}

/// That the disk can do neither, by this code, with these words in sentence or advice.
#[track_caller]
fn is_stuck(bench: &Bench, code: FindingCode, words: &str) {
    let (plan, worst) = one(bench);
    assert_eq!(plan.treatment, Treatment::Stuck, "{worst:?}");
    assert_eq!((worst.code, worst.severity), (code, Severity::Blocker), "{worst:?}");
    let said = format!("{} {}", worst.text, worst.fix.unwrap_or_default());
    assert!(said.contains(words), "{said}");
}

fn netfs(name: &str, path: &str, source: &str) -> Pool {
    Pool { kind: "netfs".into(), source: Some(source.into()), ..pool(name, path) }
}

fn inactive(pool: Pool) -> Pool {
    Pool { active: false, available_bytes: 0, volumes: Vec::new(), ..pool }
}

fn with_volumes(pool: Pool, paths: &[(&str, u64)]) -> Pool {
    Pool { volumes: paths.iter().map(|(path, capacity)| volume(path, *capacity)).collect(), ..pool }
}

fn logical(name: &str) -> Pool {
    Pool { kind: "logical".into(), ..pool(name, &format!("/dev/{name}")) }
}

fn block(path: &str) -> Disk {
    Disk { format: "raw".into(), source: DiskSource::Block { path: path.into() }, ..disk() }
}

#[test]
fn a_network_disk_is_shared() {
    let network = |is_local| DiskSource::Network { protocol: "nbd".into(), name: "db".into(), is_local };
    is_shared(&Bench::of(Disk { source: network(false), ..disk() }), "over the network (nbd)");
    // What is on each host under the same address may be two things.
    let mut bench = Bench::of(Disk { source: network(true), ..disk() });
    let (_, worst) = one(&bench);
    assert_eq!((worst.code, worst.severity), (FindingCode::DiskShared, Severity::Unknown));
    // A socket in a directory that both are said to share is one.
    let source = DiskSource::Network { protocol: "nbd".into(), name: "/srv/sockets/db".into(), is_local: true };
    bench.domain.disks = vec![Disk { source, ..disk() }];
    for host in [&mut bench.source, &mut bench.destination] {
        host.shared_directories = vec!["/srv/sockets".into()];
    }
    is_shared(&bench, "over the network (nbd)");
    assert!(!bench.decide().trusts_settings(), "libvirt minds no network disk");
}

#[test]
fn an_image_with_a_data_file_may_stay_where_it_is() {
    let mut bench = Bench::of(Disk { has_data_file_or_slice: true, ..file("/srv/vms/web.qcow2") });
    let pools = vec![netfs("nfs", "/srv/vms", "filer:/vms")];
    (bench.source_pools, bench.destination_pools) = (pools.clone(), pools);
    is_shared(&bench, "from filer:/vms");
}

#[test]
fn what_a_shared_image_stands_on_was_not_looked_at() {
    let mut bench = Bench::of(Disk { has_backing: true, ..file("/srv/vms/web.qcow2") });
    let pools = vec![netfs("nfs", "/srv/vms", "filer:/vms")];
    (bench.source_pools, bench.destination_pools) = (pools.clone(), pools);
    let (_, worst) = one(&bench);
    assert_eq!((worst.code, worst.severity), (FindingCode::BackingChain, Severity::Unknown));
}

#[test]
fn a_pool_from_the_same_server_at_the_same_path_is_evidence() {
    let mut bench = Bench::of(file("/srv/vms/web.qcow2"));
    bench.source_pools = vec![netfs("nfs", "/srv/vms", "filer:/vms")];
    for name in ["nfs", "other"] {
        bench.destination_pools = vec![netfs(name, "/srv/vms", "filer:/vms")];
        is_shared(&bench, "from filer:/vms");
    }
    // Below the mount is on it, too.
    bench.domain.disks = vec![file("/srv/vms/team/web.qcow2")];
    is_shared(&bench, "from filer:/vms");
}

#[test]
fn a_pool_from_the_same_server_that_is_not_ready() {
    let mut bench = Bench::of(file("/srv/vms/web.qcow2"));
    bench.source_pools = vec![netfs("nfs", "/srv/vms", "filer:/vms")];
    bench.destination_pools = vec![inactive(netfs("nfs", "/srv/vms", "filer:/vms"))];
    is_stuck(&bench, FindingCode::Pool, "Start the pool nfs on beta");
    bench.destination_pools = vec![netfs("nfs", "/mnt/vms", "filer:/vms")];
    is_stuck(&bench, FindingCode::Pool, "whose target path is /srv/vms");
    // Something else is mounted over the disk's directory there.
    bench.domain.disks = vec![file("/srv/vms/team/web.qcow2")];
    let over = Pool { kind: "fs".into(), ..pool("team", "/srv/vms/team") };
    bench.destination_pools = vec![netfs("nfs", "/srv/vms", "filer:/vms"), over];
    is_stuck(&bench, FindingCode::Pool, "mounted over");
}

#[test]
fn what_is_no_evidence() {
    let mut bench = Bench::of(file("/srv/vms/web.qcow2"));
    bench.source_pools = vec![netfs("nfs", "/srv/vms", "filer:/vms")];
    // Another export, or another kind, of the same name at the same path.
    bench.destination_pools = vec![netfs("nfs", "/srv/vms", "filer:/other")];
    is_copied(&bench, "nfs", "web.qcow2");
    bench.destination_pools = vec![pool("nfs", "/srv/vms")];
    is_copied(&bench, "nfs", "web.qcow2");
    // A source pool that is not active proves nothing.
    bench.source_pools = vec![inactive(netfs("nfs", "/srv/vms", "filer:/vms"))];
    bench.destination_pools = vec![netfs("nfs", "/srv/vms", "filer:/vms")];
    is_copied(&bench, "nfs", "web.qcow2");
    // A path that only begins alike, or that climbs out.
    bench.source_pools = vec![netfs("nfs", "/srv/vm", "filer:/vms")];
    bench.destination_pools = vec![netfs("nfs", "/srv/vm", "filer:/vms")];
    is_copied(&bench, "nfs", "web.qcow2");
    bench.domain.disks = vec![file("/srv/vm/../web.qcow2")];
    is_copied(&bench, "nfs", "web.qcow2");
}

#[test]
fn a_blank_file_of_that_name_is_not_the_disk() {
    let mut bench = Bench::of(file("/srv/vms/web.qcow2"));
    bench.source_pools = vec![with_volumes(pool("vms", "/srv/vms"), &[("/srv/vms/web.qcow2", GIB)])];
    bench.destination_pools = bench.source_pools.clone();
    is_stuck(&bench, FindingCode::DiskExists, "web.qcow2 of 1 GiB already");
    bench.destination_pools = vec![with_volumes(pool("vms", "/srv/vms"), &[("/srv/vms/web.qcow2", GIB / 2)])];
    is_stuck(&bench, FindingCode::DiskExists, "512 MiB (vda has 1 GiB)");
    bench.left_volumes = vec![("vms".into(), "web.qcow2".into())];
    is_stuck(&bench, FindingCode::DiskExists, "vmferry is removing it");
}

#[test]
fn shared_directories_have_to_be_named_by_both() {
    let mut bench = Bench::of(file("/srv/vms/web.qcow2"));
    bench.source_pools = vec![pool("here", "/srv/vms")];
    bench.destination_pools = vec![pool("there", "/srv/vms")];
    bench.source.shared_directories = vec!["/srv/vms".into()];
    is_copied(&bench, "there", "web.qcow2");
    bench.destination.shared_directories = vec!["/srv/vm".into()];
    is_copied(&bench, "there", "web.qcow2");
    bench.destination.shared_directories = vec!["/srv/vms".into()];
    is_shared(&bench, "share /srv/vms");
    let plan = bench.decide();
    let proof = plan.disks[0].proof().unwrap();
    assert_eq!((proof.source.as_str(), proof.destination.as_str()), ("here", "there"));
    assert!(plan.trusts_settings());
}

#[test]
fn which_pool_a_copy_goes_to() {
    let mut bench = Bench::of(file("/srv/vms/web.qcow2"));
    bench.source_pools = vec![pool("vms", "/srv/vms")];
    let small = Pool { available_bytes: 2 * GIB, ..pool("small", "/a") };
    let large = Pool { available_bytes: 9 * GIB, ..pool("large", "/b") };
    bench.destination_pools = vec![small, large, logical("vg")];
    is_copied(&bench, "large", "web.qcow2");
    bench.destination_pools.push(Pool { available_bytes: 2 * GIB, ..pool("vms", "/c") });
    is_copied(&bench, "vms", "web.qcow2");
    bench.destination_pools.push(Pool { available_bytes: 2 * GIB, ..pool("other", "/srv/vms") });
    is_copied(&bench, "other", "web.qcow2");
    bench.options.pools.insert("vda".into(), "small".into());
    is_copied(&bench, "small", "web.qcow2");
    let (plan, _) = one(&bench);
    let Treatment::Copy { other_pools, .. } = plan.treatment else { panic!("{plan:?}") };
    let names: Vec<&str> = other_pools.iter().map(|choice| choice.pool.as_str()).collect();
    assert_eq!(names, ["large", "vms", "other"], "a qcow2 image can't go to a volume group");
}

#[test]
fn pools_that_will_not_do() {
    let mut bench = Bench::of(file("/srv/vms/web.qcow2"));
    is_stuck(&bench, FindingCode::Pool, "no active storage pool");
    bench.destination_pools = vec![inactive(pool("vms", "/srv/vms")), pool("other", "/a")];
    is_stuck(&bench, FindingCode::Pool, "Start the pool vms on beta");
    for (picked, words) in [("nowhere", "no pool called nowhere"), ("vms", "not active"), ("vg", "type logical")] {
        bench.destination_pools.push(logical("vg"));
        bench.options.pools.insert("vda".into(), picked.into());
        is_stuck(&bench, FindingCode::Pool, words);
    }
}

#[test]
fn room_is_counted_over_all_disks() {
    let mut bench = Bench::of(Disk { allocation_bytes: GIB / 2, ..file("/srv/vms/web.qcow2") });
    bench.destination_pools = vec![Pool { available_bytes: GIB / 2, ..pool("vms", "/srv/vms") }];
    is_stuck(&bench, FindingCode::DiskSpace, "only 512 MiB");
    bench.destination_pools[0].available_bytes = GIB - 1;
    is_copied(&bench, "vms", "web.qcow2");
    let second = Disk { target: "vdb".into(), ..bench.domain.disks[0].clone() };
    bench.domain.disks.push(Disk { source: DiskSource::File { path: "/srv/data/web.qcow2".into() }, ..second });
    let (disks, findings) = bench.plan();
    assert_eq!(disks[1].treatment, Treatment::Stuck, "together they don't fit");
    assert!(findings.iter().any(|finding| finding.code == FindingCode::DiskSpace && finding.text.contains("vdb")));
    bench.destination_pools[0].available_bytes = 2 * GIB;
    let (disks, _) = bench.plan();
    assert!(
        matches!(&disks[1].treatment, Treatment::Copy { volume, .. } if volume == "vdb-web.qcow2"),
        "two images of one name become two volumes: {disks:?}"
    );
}

#[test]
fn a_chain_of_images_becomes_one() {
    let mut bench = Bench::of(Disk { has_backing: true, ..file("/srv/vms/web.qcow2") });
    bench.source_pools = vec![with_volumes(pool("vms", "/srv/vms"), &[("/srv/vms/web.qcow2", GIB)])];
    bench.destination_pools = vec![Pool { available_bytes: 2 * GIB, ..pool("vms", "/srv/vms") }];
    let (_, worst) = one(&bench);
    assert_eq!((worst.code, worst.severity), (FindingCode::BackingChain, Severity::Warning));
    bench.destination_pools[0].available_bytes = GIB;
    let (_, findings) = bench.plan();
    assert!(findings.iter().any(|found| (found.code, found.severity) == (FindingCode::DiskSpace, Severity::Warning)));
    bench.mode = Mode::Offline;
    is_stuck(&bench, FindingCode::BackingChain, "while it runs");
}

#[test]
fn a_shut_off_vm_needs_its_images_in_a_pool() {
    let mut bench = Bench::of(file("/srv/vms/web.qcow2"));
    bench.mode = Mode::Offline;
    bench.destination_pools = vec![pool("vms", "/srv/vms")];
    is_stuck(&bench, FindingCode::Pool, "Define and start a pool for /srv/vms on alpha");
    bench.source_pools = vec![with_volumes(pool("here", "/srv/vms"), &[("/srv/vms/web.qcow2", GIB)])];
    is_copied(&bench, "vms", "web.qcow2");
    assert_eq!(bench.decide().copies().next().unwrap().1.origin, Some(("here".into(), "web.qcow2".into())));
}

#[test]
fn an_image_that_can_not_be_removed_is_told_of() {
    let mut bench = Bench::of(file("/srv/vms/web.qcow2"));
    bench.destination_pools = vec![pool("vms", "/srv/vms")];
    bench.options.remove_source_disks = true;
    let (_, worst) = one(&bench);
    assert_eq!((worst.code, worst.severity), (FindingCode::Pool, Severity::Warning));
    bench.source_pools = vec![with_volumes(pool("vms", "/srv/vms"), &[("/srv/vms/web.qcow2", GIB)])];
    assert_eq!(one(&bench).1.severity, Severity::Ok);
}

#[test]
fn block_devices() {
    let path = "/dev/disk/by-path/ip-192.0.2.1-lun-1";
    let mut bench = Bench::of(block(path));
    let iscsi = |source: &str| Pool {
        kind: "iscsi".into(),
        source: Some(source.into()),
        ..with_volumes(pool("san", "/dev/disk/by-path"), &[(path, GIB)])
    };
    bench.source_pools = vec![iscsi("192.0.2.1/iqn.a")];
    bench.destination_pools = vec![iscsi("192.0.2.1/iqn.a")];
    is_shared(&bench, "from 192.0.2.1/iqn.a");
    bench.destination_pools = vec![iscsi("192.0.2.1/iqn.b"), pool("vms", "/srv/vms")];
    is_stuck(&bench, FindingCode::Pool, "is a block device");
    bench.source.shared_directories = vec!["/dev/disk".into()];
    bench.destination.shared_directories = vec!["/dev/disk".into()];
    is_shared(&bench, "share /dev/disk");

    let mut bench = Bench::of(block("/dev/vg/web"));
    bench.source_pools = vec![logical("vg")];
    bench.destination_pools = vec![logical("other"), pool("vms", "/srv/vms")];
    is_stuck(&bench, FindingCode::Pool, "volume group");
    bench.destination_pools.push(logical("vg"));
    is_copied(&bench, "vg", "web");
    bench.destination_pools[2].available_bytes = GIB - 1;
    is_stuck(&bench, FindingCode::DiskSpace, "at least 1 GiB");
}

#[test]
fn volumes_by_name() {
    let mut bench =
        Bench::of(Disk { source: DiskSource::Volume { pool: "vms".into(), volume: "web".into() }, ..disk() });
    let rbd = |source: &str| Pool { kind: "rbd".into(), path: None, source: Some(source.into()), ..pool("vms", "") };
    bench.source_pools = vec![rbd("mon1/vms")];
    bench.destination_pools = vec![rbd("mon1/vms")];
    is_shared(&bench, "from mon1/vms");
    bench.destination_pools = vec![inactive(rbd("mon1/vms"))];
    is_stuck(&bench, FindingCode::Pool, "Start the pool vms on beta");
    bench.destination_pools = vec![rbd("mon2/vms")];
    is_stuck(&bench, FindingCode::Pool, "no active storage pool");
    bench.source_pools = vec![pool("vms", "/srv/vms")];
    bench.destination_pools = vec![pool("vms", "/srv/vms")];
    is_copied(&bench, "vms", "web");
    assert_eq!(one(&bench).0.source, "/srv/vms/web");
}

#[test]
fn disks_for_the_next_start_stay_behind_and_that_is_told() {
    let mut bench = Bench::of(file("/srv/vms/web.qcow2"));
    for host in [&mut bench.source, &mut bench.destination] {
        host.shared_directories = vec!["/srv/vms".into()];
    }
    bench.domain.later_disks = vec![
        Disk { target: "vdb".into(), ..file("/local/data.qcow2") },
        Disk { target: "vdc".into(), ..file("/srv/vms/shared.qcow2") },
        Disk { target: "vdd".into(), optional: true, ..file("/local/missing.iso") },
    ];
    let (disks, findings) = bench.plan();
    assert_eq!(disks.len(), 1, "libvirt moves what the VM has now");
    let told: Vec<_> = findings.iter().filter(|finding| finding.code == FindingCode::LaterDisks).collect();
    assert_eq!((told.len(), told[0].severity), (1, Severity::Warning), "{told:?}");
    assert!(told[0].text.contains("vdb (/local/data.qcow2)"), "{told:?}");
}

#[test]
fn one_file_under_two_names_is_not_copied_twice() {
    let mut bench = Bench::of(file("/srv/vms/web.qcow2"));
    bench.domain.disks.push(Disk { target: "vdb".into(), ..file("/srv/vms/web.qcow2") });
    bench.destination_pools = vec![pool("vms", "/srv/vms")];
    let (disks, findings) = bench.plan();
    assert!(disks.iter().all(|disk| disk.treatment == Treatment::Stuck), "{disks:?}");
    for (finding, words) in findings.iter().zip(["vda and vdb are the same image", "vdb and vda are the same image"]) {
        assert_eq!((finding.code, finding.severity), (FindingCode::DiskKind, Severity::Blocker));
        assert!(finding.text.contains(words), "{finding:?}");
    }
    // Where it stays, it stays one.
    for host in [&mut bench.source, &mut bench.destination] {
        host.shared_directories = vec!["/srv/vms".into()];
    }
    assert!(bench.plan().1.iter().all(|finding| finding.severity == Severity::Ok));
}

#[test]
fn a_transient_disk_moves_while_the_vm_is_off() {
    let bench = Bench { mode: Mode::Offline, ..Bench::of(Disk { transient: true, ..file("/srv/vms/web.qcow2") }) };
    let (_, findings) = bench.plan();
    assert!(findings.iter().all(|finding| finding.code != FindingCode::DiskKind), "{findings:?}");
}

#[test]
fn disks_that_can_not_be_copied() {
    let other = DiskSource::Other { kind: "nvme".into() };
    let lun = Disk { device: DiskDevice::Lun, ..block("/dev/sda") };
    let cases = [
        (Disk { transient: true, ..file("/srv/vms/web.qcow2") }, FindingCode::DiskKind, "transient"),
        (Disk { source: other, ..disk() }, FindingCode::DiskKind, "type nvme"),
        (Disk { shareable: true, ..file("/srv/vms/web.qcow2") }, FindingCode::DiskKind, "several VMs"),
        (lun, FindingCode::DiskKind, "SCSI device"),
        (
            Disk { has_data_file_or_slice: true, ..file("/srv/vms/web.qcow2") },
            FindingCode::DiskKind,
            "not a single file",
        ),
        (
            Disk { format: "qcow2".into(), ..block("/dev/vg/web") },
            FindingCode::DiskKind,
            "qcow2 image on a block device",
        ),
        (Disk { capacity_bytes: 0, ..file("/srv/vms/web.qcow2") }, FindingCode::DiskCopied, "how large"),
    ];
    for (disk, code, words) in cases {
        let mut bench = Bench::of(disk);
        bench.destination_pools = vec![pool("vms", "/srv/vms"), logical("vg")];
        is_stuck(&bench, code, words);
    }
    let mut bench = Bench::of(file("/srv/vms/web.qcow2"));
    bench.destination_pools = vec![pool("vms", "/srv/vms")];
    bench.domain.secrets = vec![crate::hypervisor::SecretUse { target: "vda".into(), uuid: None, usage: None }];
    is_stuck(&bench, FindingCode::DiskKind, "encrypted");
}

#[test]
fn a_host_that_does_not_tell_its_pools() {
    let mut bench = Bench::of(file("/srv/vms/web.qcow2"));
    bench.destination_tells = false;
    let (plan, worst) = one(&bench);
    assert_eq!((plan.treatment, worst.severity), (Treatment::Stuck, Severity::Unknown));
}
