//! Files, directories, sockets and device files that the definition names: libvirt copies none of them.

use model::{Finding, FindingCode};

use super::input::PreflightInput;
use crate::hypervisor::{FileReference, FileUsage};

/// Device files that every host has.
const EVERYWHERE: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

pub(super) fn findings(input: &PreflightInput) -> Vec<Finding> {
    let files = input.domain.references.files.iter();
    let is_needed = |file: &&FileReference| file.usage != FileUsage::Template || !has_nvram(input);
    files.filter(is_needed).map(|file| finding(input, file)).collect()
}

/// Whether the destination has the file of the UEFI variables, so that libvirt makes none from the template.
fn has_nvram(input: &PreflightInput) -> bool {
    let there = &input.destination.survey.provided.files;
    let is_there = |path: &String| there.get(path) == Some(&true) || input.same_file(path).is_some();
    input.domain.nvram.as_ref().is_some_and(is_there)
}

fn finding(input: &PreflightInput, file: &FileReference) -> Finding {
    let FileReference { purpose, path, usage } = file;
    let destination = input.destination_name();
    let is_there = input.destination.survey.provided.files.get(file.required_path()).copied();
    match usage {
        FileUsage::Read | FileUsage::Template | FileUsage::Directory => required(input, file, is_there),
        FileUsage::Made => made(input, file, is_there),
        FileUsage::Served if is_there == Some(false) => input
            .lacking(
                FindingCode::HostSocket,
                format!("Nothing on {destination} listens at {path} ({purpose}): it has no such directory."),
            )
            .with_fix("Start the same program there, or detach the device."),
        FileUsage::Served => Finding::unknown(
            FindingCode::HostSocket,
            format!("Whether a program on {destination} listens at {path} ({purpose}) can't be seen from libvirt."),
        )
        .with_fix("Start the same program there first."),
        FileUsage::Device if EVERYWHERE.contains(&path.as_str()) => {
            Finding::ok(FindingCode::DeviceFile, format!("Every host has {path} ({purpose})."))
        }
        FileUsage::Device => Finding::unknown(
            FindingCode::DeviceFile,
            format!("Whether {destination} has {path} ({purpose}) can't be told: libvirt does not list such devices."),
        )
        .with_fix("Look there, or detach the device."),
    }
}

fn required(input: &PreflightInput, file: &FileReference, is_there: Option<bool>) -> Finding {
    let FileReference { purpose, path, usage } = file;
    let (code, destination) = (FindingCode::HostFile, input.destination_name());
    match is_there {
        Some(true) if *usage == FileUsage::Directory => {
            Finding::ok(code, format!("{destination} has the directory {path} ({purpose})."))
        }
        Some(true) => {
            Finding::ok(code, format!("{destination} has {path} ({purpose}); the contents were not compared."))
        }
        Some(false) => input
            .lacking(code, format!("{destination} has no {path} ({purpose}), which {} needs to start.", input.vm.name))
            .with_fix("Copy it to the same path there."),
        None => unseen(input, file).with_fix("Look there, and copy it to the same path if it is missing."),
    }
}

fn made(input: &PreflightInput, file: &FileReference, is_there: Option<bool>) -> Finding {
    let FileReference { purpose, path, .. } = file;
    let (code, destination, directory) = (FindingCode::HostFile, input.destination_name(), file.required_path());
    match is_there {
        Some(true) => Finding::ok(code, format!("{destination} has a directory for {path} ({purpose}).")),
        Some(false) => input
            .lacking(code, format!("{destination} has no directory {directory} to make {path} in ({purpose})."))
            .with_fix("Make that directory there."),
        None => unseen(input, file).with_fix("Look there, and make the directory if it is missing."),
    }
}

fn unseen(input: &PreflightInput, file: &FileReference) -> Finding {
    let (destination, purpose) = (input.destination_name(), &file.purpose);
    let text = format!(
        "Whether {destination} has {} ({purpose}) can't be told: libvirt does not show that directory.",
        file.required_path()
    );
    Finding::unknown(FindingCode::HostFile, text)
}
