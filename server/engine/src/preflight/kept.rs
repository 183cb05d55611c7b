//! What a guest keeps in files of its host beside its disks, and whether it goes along. UEFI variables: `machine.rs`; the TPM and
//! folders: `devices.rs`.
//!
//! QEMU sends what it maps as memory, and writes it to the file at the destination only where it maps that shared (measured with
//! QEMU 10.0). It does not send what is behind virtio-pmem.

use model::{Finding, FindingCode};

use super::input::PreflightInput;
use crate::hypervisor::{KeptFile, KeptIn};

pub(super) fn findings(input: &PreflightInput) -> Vec<Finding> {
    let files = input.domain.kept_files.iter();
    files.filter_map(|file| if input.is_live() { live(input, file) } else { Some(offline(input, file)) }).collect()
}

fn offline(input: &PreflightInput, file: &KeptFile) -> Finding {
    let (code, what, destination) = (code(file), what(input, file), input.destination_name());
    if let Some(evidence) = input.same_file(&file.path) {
        return Finding::ok(code, format!("{what}: {evidence}."));
    }
    let text = format!("{what}, which does not move: on {destination} the guest finds it empty.");
    let also = if is_sent(file.kind) { " Or move the VM while it runs." } else { "" };
    let fix = format!("Copy the file to the same path on {destination} before the VM starts there.{also}");
    Finding::warning(code, text).with_fix(fix).needs_consent()
}

fn live(input: &PreflightInput, file: &KeptFile) -> Option<Finding> {
    let (code, what, destination) = (code(file), what(input, file), input.destination_name());
    let risk = |text: String, fix: String| Finding::warning(code, text).with_fix(fix).needs_consent();
    let copy = format!("Move the VM while it is off, and copy the file to the same path on {destination}.");
    Some(match (file.kind, input.same_file(&file.path)) {
        // Sent, or refused by another finding.
        (KeptIn::SharedMemory, _) => return None,
        (KeptIn::VirtioPmem | KeptIn::PrivateNvdimm, Some(evidence)) => {
            Finding::ok(code, format!("{what}: {evidence}."))
        }
        (KeptIn::VirtioPmem, None) => risk(
            format!("{what}. QEMU does not send it: on {destination} the guest finds it empty while it runs."),
            copy,
        ),
        (KeptIn::PrivateNvdimm, None) => risk(
            format!(
                "{what}. The file does not move: from its next start on {destination} on, the guest finds it empty."
            ),
            copy,
        ),
        (KeptIn::Nvdimm | KeptIn::Pstore, None) => {
            let text = format!(
                "{what}. It goes along with the memory, into a file of that path on {destination}; whether that is the same file can't \
                 be seen, and then what the guest writes during the move may be lost."
            );
            Finding::unknown(code, text).with_fix("If both hosts share it, move the VM while it is off.")
        }
        (KeptIn::Nvdimm | KeptIn::Pstore, Some(evidence)) => risk(
            format!(
                "{what}: {evidence}. Both QEMUs write to it during the move, so what the guest writes then may be lost."
            ),
            "Move the VM while it is off: then nothing is lost.".to_owned(),
        ),
    })
}

/// Whether QEMU sends it, in full, to a VM that runs on.
fn is_sent(kind: KeptIn) -> bool {
    matches!(kind, KeptIn::Nvdimm | KeptIn::Pstore)
}

fn code(file: &KeptFile) -> FindingCode {
    match file.kind {
        KeptIn::SharedMemory => FindingCode::SharedMemory,
        KeptIn::Nvdimm | KeptIn::PrivateNvdimm | KeptIn::VirtioPmem | KeptIn::Pstore => FindingCode::PersistentMemory,
    }
}

/// What is kept where: the beginning of a sentence.
fn what(input: &PreflightInput, KeptFile { path, kind }: &KeptFile) -> String {
    let device = match kind {
        KeptIn::Nvdimm | KeptIn::PrivateNvdimm => "NVDIMM",
        KeptIn::VirtioPmem => "persistent memory (virtio-pmem)",
        KeptIn::Pstore => "store for its kernel's last messages (pstore)",
        KeptIn::SharedMemory => "shared memory",
    };
    format!("The {device} of {} is in the file {path} of {}", input.vm.name, input.source.config.name)
}
