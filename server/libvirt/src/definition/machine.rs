//! The machine in a VM's definition: CPU, memory, firmware.

use engine::DomainFacts;
use model::VmId;
use roxmltree::Node;

use crate::xml;

/// The facts in `<domain>` beside its devices.
pub(super) fn machine(domain: Node<'_, '_>, vm: VmId) -> DomainFacts {
    let cpu = xml::find(domain, &["cpu"]);
    let owned = |value: Option<&str>| value.unwrap_or_default().to_owned();
    DomainFacts {
        vm,
        name: owned(xml::text(domain, &["name"])),
        arch: owned(xml::attribute(domain, &["os", "type"], "arch")),
        virt_type: owned(domain.attribute("type")),
        emulator: owned(xml::text(domain, &["devices", "emulator"])),
        machine: owned(xml::attribute(domain, &["os", "type"], "machine")),
        firmware: xml::text(domain, &["os", "loader"]).map(str::to_owned),
        nvram: nvram(domain),
        nvram_has_template: ["nvram", "varstore"]
            .iter()
            .any(|store| xml::attribute(domain, &["os", store], "template").is_some()),
        cpu: cpu.map(written),
        cpu_passthrough: cpu.and_then(|cpu| cpu.attribute("mode")) == Some("host-passthrough"),
        invtsc_without_frequency: cpu.is_some_and(has_invtsc) && !has_tsc_frequency(domain),
        memory_bytes: xml::bytes(domain, &["memory"]).unwrap_or(0),
        memory_has_hard_limit: xml::find(domain, &["memtune", "hard_limit"]).is_some(),
        huge_page_bytes: huge_page_bytes(domain),
        vcpus: vcpus(domain).unwrap_or(0),
        ..DomainFacts::default()
    }
}

/// The CPU as libvirt wrote it.
pub(super) fn cpu(domain: Node<'_, '_>) -> Option<String> {
    xml::find(domain, &["cpu"]).map(written)
}

fn written(node: Node<'_, '_>) -> String {
    node.document().input_text()[node.range()].to_owned()
}

/// The file or block device with the firmware's variables, for which libvirt has several forms; none if it is reached over the network.
fn nvram(domain: Node<'_, '_>) -> Option<String> {
    if let Some(store) = xml::find(domain, &["os", "varstore"]) {
        return store.attribute("path").map(str::to_owned);
    }
    let nvram = xml::find(domain, &["os", "nvram"])?;
    let source = |attribute| xml::attribute(nvram, &["source"], attribute);
    let path = source("file").or_else(|| source("dev")).or_else(|| nvram.text().map(str::trim))?;
    (!path.is_empty()).then(|| path.to_owned())
}

fn has_invtsc(cpu: Node<'_, '_>) -> bool {
    xml::children(cpu, "feature").any(|feature| {
        feature.attribute("name") == Some("invtsc") && matches!(feature.attribute("policy"), Some("require" | "force"))
    })
}

fn has_tsc_frequency(domain: Node<'_, '_>) -> bool {
    xml::find(domain, &["clock"]).is_some_and(|clock| {
        xml::children(clock, "timer")
            .any(|timer| timer.attribute("name") == Some("tsc") && timer.attribute("frequency").is_some())
    })
}

/// The size of the first kind of huge pages, in bytes; 0 where the definition leaves it to the host.
fn huge_page_bytes(domain: Node<'_, '_>) -> Option<u64> {
    let pages = xml::find(domain, &["memoryBacking", "hugepages"])?;
    let Some(page) = xml::find(pages, &["page"]) else { return Some(0) };
    xml::scaled(page.attribute("size")?.parse().ok()?, page.attribute("unit"))
}

/// The number of CPUs that are plugged in.
fn vcpus(domain: Node<'_, '_>) -> Option<u32> {
    let vcpu = xml::find(domain, &["vcpu"])?;
    vcpu.attribute("current").or_else(|| vcpu.text())?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(xml: &str) -> DomainFacts {
        machine(xml::parse(xml).unwrap().root_element(), VmId(uuid::Uuid::nil()))
    }

    #[test]
    fn an_invariant_counter_needs_a_frequency() {
        let with = |clock: &str, policy: &str| {
            facts(&format!(
                "<domain><cpu><feature policy='{policy}' name='invtsc'/></cpu><clock offset='utc'>{clock}</clock></domain>"
            ))
            .invtsc_without_frequency
        };
        assert!(with("", "require"));
        assert!(with("<timer name='tsc' mode='native'/>", "require"));
        assert!(!with("<timer name='tsc' frequency='2600000000'/>", "require"));
        assert!(!with("", "disable"));
    }

    #[test]
    fn a_hard_limit_is_one_of_memory() {
        let limited = |tune: &str| facts(&format!("<domain>{tune}</domain>")).memory_has_hard_limit;
        assert!(limited("<memtune><hard_limit unit='KiB'>1048576</hard_limit></memtune>"));
        assert!(!limited("<memtune><soft_limit unit='KiB'>1048576</soft_limit></memtune>"));
        assert!(!limited(""));
    }

    #[test]
    fn huge_pages_have_a_size_or_the_hosts() {
        let with = |backing: &str| facts(&format!("<domain>{backing}</domain>")).huge_page_bytes;
        assert_eq!(with(""), None);
        assert_eq!(with("<memoryBacking><locked/></memoryBacking>"), None);
        assert_eq!(with("<memoryBacking><hugepages/></memoryBacking>"), Some(0));
        let page = "<memoryBacking><hugepages><page size='1' unit='G' nodeset='0'/></hugepages></memoryBacking>";
        assert_eq!(with(page), Some(1 << 30));
    }

    #[test]
    fn variables_are_found_in_both_forms() {
        let with = |nvram: &str| facts(&format!("<domain><os>{nvram}</os></domain>")).nvram;
        assert_eq!(with("<nvram template='/t'>/var/one</nvram>").as_deref(), Some("/var/one"));
        assert_eq!(with("<nvram type='file'> <source file='/var/two'/> </nvram>").as_deref(), Some("/var/two"));
        assert_eq!(with("<nvram type='block'><source dev='/dev/vg/vars'/></nvram>").as_deref(), Some("/dev/vg/vars"));
        assert_eq!(with("<varstore template='/t' path='/var/three'/>").as_deref(), Some("/var/three"));
        assert_eq!(with("<nvram type='network'><source protocol='nbd' name='vars'/></nvram>"), None);
        assert_eq!(with("<nvram/>"), None);
        assert!(facts("<domain><os><nvram template='/t'>/a</nvram></os></domain>").nvram_has_template);
        assert!(!facts("<domain><os><nvram>/a</nvram></os></domain>").nvram_has_template);
    }

    #[test]
    fn plugged_cpus_count() {
        assert_eq!(facts("<domain><vcpu placement='static' current='2'>8</vcpu></domain>").vcpus, 2);
        assert_eq!(facts("<domain><vcpu>8</vcpu></domain>").vcpus, 8);
    }
}
