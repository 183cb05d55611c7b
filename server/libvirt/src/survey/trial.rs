//! A trial of a VM's definition on a host.

use engine::{DomainFacts, MachineFit};
use virt::sys;

use crate::{connection::Connection, error::LibvirtError};

/// Whether libvirt accepts the definition: it reads it, checks it against its QEMU, and builds the command line that would start
/// it. None if libvirt can't do that, or if the machine does not fit anyway.
pub(super) fn definition(
    connection: &Connection,
    vm: &DomainFacts,
    machine: &MachineFit,
) -> Result<Option<Result<(), String>>, LibvirtError> {
    let Some(trial) = vm.trial.as_deref().filter(|_| *machine == MachineFit::Fits) else { return Ok(None) };
    // The command line itself is not used.
    match connection.domain_xml_to_native("qemu-argv", trial, 0).map_err(LibvirtError::from) {
        Ok(_) => Ok(Some(Ok(()))),
        Err(error) if !connection.is_open() => Err(error),
        Err(error) => Ok(is_about_the_definition(&error).then_some(Err(error.message))),
    }
}

/// Whether libvirt refuses the definition. A CPU that does not fit is another finding.
fn is_about_the_definition(error: &LibvirtError) -> bool {
    !matches!(
        error.number,
        sys::VIR_ERR_NO_SUPPORT
            | sys::VIR_ERR_OPERATION_DENIED
            | sys::VIR_ERR_ACCESS_DENIED
            | sys::VIR_ERR_CPU_INCOMPATIBLE
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::testing;

    #[test]
    fn a_driver_that_can_not_try_says_nothing() {
        let trial = |trial: Option<&str>, machine: &MachineFit| {
            let vm = DomainFacts { trial: trial.map(str::to_owned), ..DomainFacts::default() };
            definition(&testing::connection(), &vm, machine).unwrap()
        };
        assert_eq!(trial(Some("<domain/>"), &MachineFit::Fits), None);
        assert_eq!(trial(Some("<domain/>"), &MachineFit::NoMachine), None);
        assert_eq!(trial(None, &MachineFit::Fits), None);
    }

    #[test]
    fn refusals_are_told_apart() {
        let error = |number| LibvirtError { number, domain: 0, int1: 0, message: String::new() };
        assert!(is_about_the_definition(&error(sys::VIR_ERR_CONFIG_UNSUPPORTED)));
        assert!(!is_about_the_definition(&error(sys::VIR_ERR_OPERATION_DENIED)));
        assert!(!is_about_the_definition(&error(sys::VIR_ERR_CPU_INCOMPATIBLE)));
    }
}
