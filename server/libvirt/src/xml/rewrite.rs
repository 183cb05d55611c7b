//! Changes to the disks in a domain's definition. They are spliced into libvirt's own text, so that all else stays byte for byte as
//! it was.

use engine::DiskCopy;
use roxmltree::{Document, Node};

use super::{
    attribute, children, find, parse,
    splice::{Changes, escaped},
};
use crate::error::LibvirtError;

/// The attributes of `<source>` that locate a file, a block device or a volume of a pool.
const PLACE: [&str; 5] = ["file", "dev", "pool", "volume", "mode"];

/// The definition with these disks at other paths. Their backing chains are left out: libvirt finds those of the new images.
///
/// # Errors
/// If there is no such disk, or if it is neither a file nor a block device nor a volume of a pool.
pub(crate) fn move_disks(definition: &str, disks: &[DiskCopy]) -> Result<String, LibvirtError> {
    let document = parse(definition)?;
    let mut changes = Changes::default();
    for disk in disks {
        let element = disk_element(&document, &disk.target).ok_or_else(|| no_disk(&disk.target))?;
        move_disk(&mut changes, definition, element, disk)?;
    }
    Ok(changes.apply(definition))
}

/// Those of these disks whose source is the same in both definitions.
pub(crate) fn same_disks(one: &str, other: &str, disks: &[DiskCopy]) -> Result<Vec<DiskCopy>, LibvirtError> {
    let (one, other) = (parse(one)?, parse(other)?);
    let is_same = |disk: &&DiskCopy| {
        let place_in_one = place(&one, &disk.target);
        place_in_one.is_some() && place_in_one == place(&other, &disk.target)
    };
    Ok(disks.iter().filter(is_same).cloned().collect())
}

/// The location of a disk's image.
fn place<'a>(document: &'a Document<'_>, target: &str) -> Option<[Option<&'a str>; PLACE.len()]> {
    let source = find(disk_element(document, target)?, &["source"])?;
    Some(PLACE.map(|name| source.attribute(name)))
}

/// The definition in which QEMU may leave holes in those of these disks that are raw files, and their targets. Without that, a copy
/// takes up its full size. Disks whose definition sets another `discard` stay as they are.
pub(crate) fn allow_holes(definition: &str, disks: &[DiskCopy]) -> Result<(String, Vec<String>), LibvirtError> {
    let document = parse(definition)?;
    let mut changes = Changes::default();
    let mut targets = Vec::new();
    for disk in disks.iter().filter(|disk| !disk.is_block) {
        let element = disk_element(&document, &disk.target).ok_or_else(|| no_disk(&disk.target))?;
        let Some(driver) = find(element, &["driver"]) else { continue };
        let Some(format) = driver.attribute_node("type").filter(|format| format.value() == "raw") else { continue };
        match driver.attribute("discard") {
            None => changes.insert(format.range().end, " discard='unmap'"),
            Some("unmap") => {}
            Some(_) => continue,
        }
        targets.push(disk.target.clone());
    }
    Ok((changes.apply(definition), targets))
}

/// The element of a drive without its medium; none if it is empty already.
///
/// # Errors
/// If there is no such drive.
pub(crate) fn emptied_drive(definition: &str, target: &str) -> Result<Option<String>, LibvirtError> {
    let document = parse(definition)?;
    let element = disk_element(&document, target).ok_or_else(|| no_disk(target))?;
    if find(element, &["source"]).is_none() {
        return Ok(None);
    }
    let mut changes = Changes::default();
    // libvirt accepts an empty drive of this type only.
    set_type(&mut changes, element, "file")?;
    for part in ["source", "backingStore"].into_iter().filter_map(|name| find(element, &[name])) {
        changes.remove(definition, part.range());
    }
    // Bytes outside of the element do not change, so that its distance from the document's end is the same as before.
    let after = definition.len() - element.range().end;
    let changed = changes.apply(definition);
    Ok(Some(changed[element.range().start..changed.len() - after].to_owned()))
}

fn move_disk(
    changes: &mut Changes,
    definition: &str,
    element: Node<'_, '_>,
    disk: &DiskCopy,
) -> Result<(), LibvirtError> {
    let unmovable = || LibvirtError::unusable(format!("disk {} is of a type that can't be moved", disk.target));
    if !matches!(element.attribute("type"), Some("file" | "block" | "volume")) {
        return Err(unmovable());
    }
    let (kind, attribute) = if disk.is_block { ("block", "dev") } else { ("file", "file") };
    set_type(changes, element, kind)?;

    let source = find(element, &["source"]).ok_or_else(unmovable)?;
    let mut place = source.attributes().filter(|attribute| PLACE.contains(&attribute.name()));
    let first = place.next().ok_or_else(unmovable)?;
    changes.replace(first.range(), format!("{attribute}='{}'", escaped(&disk.path)));
    for other in place {
        changes.remove(definition, other.range());
    }
    if let Some(backing) = find(element, &["backingStore"]) {
        changes.remove(definition, backing.range());
    }
    Ok(())
}

fn set_type(changes: &mut Changes, disk: Node<'_, '_>, kind: &str) -> Result<(), LibvirtError> {
    let attribute = disk.attribute_node("type").ok_or_else(|| LibvirtError::unusable("a disk has no type"))?;
    changes.replace(attribute.range_value(), kind.to_owned());
    Ok(())
}

fn disk_element<'a, 'input>(document: &'a Document<'input>, target: &str) -> Option<Node<'a, 'input>> {
    let devices = find(document.root_element(), &["devices"])?;
    children(devices, "disk").find(|disk| attribute(*disk, &["target"], "dev") == Some(target))
}

fn no_disk(target: &str) -> LibvirtError {
    LibvirtError::unusable(format!("the VM has no disk {target}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A running VM's definition, with what makes splicing hard: other elements of the same names, quotes, a chain of images.
    const DEFINITION: &str = r#"<domain type='kvm' id='7'>
  <name>a &amp; b</name>
  <metadata><disk type='file'><source file='/not/this'/><target dev='vda'/></disk></metadata>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' discard='unmap'/>
      <source file='/pool/it&apos;s.qcow2' index='2'>
        <seclabel model='dac' relabel='no'/>
      </source>
      <backingStore type='file' index='3'>
        <format type='raw'/>
        <source file='/pool/base.img'/>
        <backingStore/>
      </backingStore>
      <target dev='vda' bus='virtio'/>
      <!-- <source file='/not/this/either'/> -->
    </disk>
    <disk device='disk' type="volume">
      <driver type='raw'/>
      <source pool="fast" volume='x' startupPolicy='optional' mode='host'/>
      <target dev='vdb'/>
    </disk>
    <disk type='block' device='cdrom'>
      <source dev='/dev/sr0'/>
      <backingStore/>
      <target dev='sda' bus='sata' tray='closed'/>
      <readonly/>
    </disk>
    <disk type='file' device='floppy'><target dev='fda'/></disk>
    <disk type='network' device='disk'><source protocol='nbd'><host name='x'/></source><target dev='vdc'/></disk>
    <interface type='network'><source network='default'/><target dev='vda'/></interface>
  </devices>
</domain>
"#;

    fn copy(target: &str, path: &str, is_block: bool) -> DiskCopy {
        DiskCopy { target: target.to_owned(), path: path.to_owned(), is_block }
    }

    /// `DEFINITION` with the lines from `first` to `last`, which begin so, replaced by `lines`.
    fn with_lines(first: &str, last: &str, lines: &str) -> String {
        let start = DEFINITION.find(first).unwrap();
        let end = start + DEFINITION[start..].find(last).unwrap() + last.len();
        format!("{}{lines}{}", &DEFINITION[..start], &DEFINITION[end..])
    }

    #[test]
    fn a_file_moves_without_its_backing_chain() {
        let expected = with_lines(
            "<source file='/pool/it",
            "<backingStore/>\n      </backingStore>",
            "<source file='/new/a&apos;&amp;&lt;.qcow2' index='2'>\n        <seclabel model='dac' relabel='no'/>\n      </source>",
        );
        assert_eq!(move_disks(DEFINITION, &[copy("vda", "/new/a'&<.qcow2", false)]).unwrap(), expected);
    }

    #[test]
    fn a_volume_becomes_a_block_device() {
        let expected = with_lines(
            "<disk device='disk' type=\"volume\">",
            "mode='host'/>",
            "<disk device='disk' type=\"block\">\n      <driver type='raw'/>\n      <source dev='/dev/vg/x' startupPolicy='optional'/>",
        );
        assert_eq!(move_disks(DEFINITION, &[copy("vdb", "/dev/vg/x", true)]).unwrap(), expected);
    }

    #[test]
    fn several_disks_move_in_any_order() {
        let (a, b) = (copy("vda", "/new/a", false), copy("vdb", "/new/b", false));
        let both = move_disks(DEFINITION, &[b.clone(), a.clone()]).unwrap();
        let one_by_one = move_disks(&move_disks(DEFINITION, &[a]).unwrap(), &[b]).unwrap();
        assert_eq!(both, one_by_one);
    }

    #[test]
    fn a_disk_that_is_missing_or_of_another_type_is_an_error() {
        for target in ["vdz", "vdc", "fda", ""] {
            assert!(move_disks(DEFINITION, &[copy(target, "/new", false)]).is_err(), "{target}");
        }
        assert!(move_disks("<domain>", &[]).is_err());
        assert!(move_disks("<domain/>", &[copy("vda", "/new", false)]).is_err());
        assert!(emptied_drive(DEFINITION, "vdz").is_err());
    }

    #[test]
    fn only_disks_with_the_same_source_in_both_definitions_are_kept() {
        let disks = [copy("vda", "/new/a", false), copy("vdb", "/new/b", false), copy("vdz", "/new/z", false)];
        assert_eq!(same_disks(DEFINITION, DEFINITION, &disks).unwrap(), disks[..2]);
        for (here, there) in [("/pool/it&apos;s.qcow2", "/pool/next.qcow2"), ("vda", "vdy")] {
            let other = DEFINITION.replace(here, there);
            assert_eq!(same_disks(DEFINITION, &other, &disks).unwrap(), disks[1..2], "{there}");
        }
    }

    #[test]
    fn raw_files_may_have_holes() {
        let disks = [copy("vda", "/new/a", false), copy("vdb", "/new/b", false)];
        let (allowed, targets) = allow_holes(DEFINITION, &disks).unwrap();
        assert_eq!(targets, ["vdb"]);
        assert_eq!(allowed, with_lines("<driver type='raw'", "/>", "<driver type='raw' discard='unmap'/>"));
        // Not twice, not where the definition sets another value, and not on a device, which may hold old contents.
        assert_eq!(allow_holes(&allowed, &disks).unwrap(), (allowed.clone(), targets));
        let chosen = allowed.replace("'unmap'", "'ignore'");
        assert_eq!(allow_holes(&chosen, &disks).unwrap(), (chosen.clone(), Vec::new()));
        let device = [copy("vdb", "/dev/vg/b", true)];
        assert_eq!(allow_holes(DEFINITION, &device).unwrap(), (DEFINITION.to_owned(), Vec::new()));
    }

    #[test]
    fn a_drive_is_emptied() {
        let expected = "<disk type='file' device='cdrom'>\n      <target dev='sda' bus='sata' tray='closed'/>\n      \
                        <readonly/>\n    </disk>";
        assert_eq!(emptied_drive(DEFINITION, "sda").unwrap().as_deref(), Some(expected));
        assert_eq!(emptied_drive(DEFINITION, "fda").unwrap(), None);
    }

    proptest! {
        #[test]
        fn whatever_the_path_only_the_place_changes(path in "/[\\t\\n -\u{d7ff}]{0,40}", is_block: bool) {
            let disk = [copy("vdb", &path, is_block)];
            let moved = move_disks(DEFINITION, &disk).unwrap();
            prop_assert_eq!(&move_disks(&moved, &disk).unwrap(), &moved);
            let document = Document::parse(&moved).unwrap();
            let source = find(disk_element(&document, "vdb").unwrap(), &["source"]).unwrap();
            prop_assert_eq!(source.attribute(if is_block { "dev" } else { "file" }), Some(path.as_str()));
            let (before, after) = DEFINITION.split_once("    <disk device='disk' type=\"volume\">").unwrap();
            prop_assert!(moved.starts_with(before));
            prop_assert!(moved.ends_with(after.split_once("startupPolicy='optional'").unwrap().1.split_once("/>").unwrap().1));
        }
    }
}
