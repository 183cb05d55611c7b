//! How fast a migration goes, and what it may do to finish: the plan's bandwidth, throttle, post-copy and connections as flags and
//! parameters. libvirt and QEMU refuse some of them together; what a plan asks for beyond that is left out.

use std::ffi::c_uint;

use engine::{MigrationPlan, Throttle, knows_switchover};
use model::{ControlFlow, Mode};
use virt::{domain::Domain, sys};

use crate::{connection::Connection, error::LibvirtError, ffi::typed_params::TypedParams};

/// No limit, in MiB/s, as libvirt has it for a domain that was never told one (`QEMU_DOMAIN_MIG_BANDWIDTH_MAX`).
const UNLIMITED: u64 = i64::MAX as u64 >> 20;

/// What a plan's speed depends on besides the plan.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SpeedFacts {
    /// The limit that libvirt keeps for the domain, in MiB/s: it holds where a migration names none. None where it is not known.
    default: Option<u64>,
    /// Whether libvirt and QEMU can be told what the link carries at the switch-over.
    knows_switchover: bool,
}

impl SpeedFacts {
    /// Asks the hosts. `destination` is that of a direct migration: it gets the same parameters, and refuses those it does not know.
    pub(super) fn ask(
        source: &Connection,
        destination: Option<&Connection>,
        domain: &Domain,
    ) -> Result<Self, LibvirtError> {
        Ok(Self {
            default: source.known(domain.migrate_max_speed(0).map_err(LibvirtError::from))?,
            knows_switchover: [Some(source), destination].into_iter().flatten().try_fold(true, |all, connection| {
                let libvirt = connection.lib_version()?;
                Ok::<_, LibvirtError>(all && knows_switchover(libvirt.into(), source.hyp_version()?.into()))
            })?,
        })
    }

    /// Gives the domain the limit back that libvirt kept for it before. A limit that was set while a migration ran outlives one that
    /// failed, and would hold for the next that names none.
    pub(super) fn restore_default(self, domain: &Domain) {
        let Some(default) = self.default else { return };
        let restored = match domain.migrate_max_speed(0) {
            Ok(now) if now != default => domain.migrate_set_max_speed(default, 0),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = restored {
            // It may be gone, or off.
            tracing::debug!(%error, "the default bandwidth of a domain was not restored");
        }
    }
}

pub(super) fn flags(plan: &MigrationPlan) -> c_uint {
    let when = |condition, flag| if condition { flag } else { 0 };
    when(throttle(plan).is_some(), sys::VIR_MIGRATE_AUTO_CONVERGE)
        | when(is_post_copy(plan), sys::VIR_MIGRATE_POSTCOPY)
        | when(connections(plan).is_some(), sys::VIR_MIGRATE_PARALLEL)
        | when(connections(plan).is_some() && plan.compress, sys::VIR_MIGRATE_COMPRESSED)
}

pub(super) fn add_params(
    params: &mut TypedParams,
    plan: &MigrationPlan,
    facts: SpeedFacts,
) -> Result<(), LibvirtError> {
    if plan.mode == Mode::Offline {
        return Ok(());
    }
    match plan.bandwidth_mib_s {
        Some(limit) => {
            params.add_u64(sys::VIR_MIGRATE_PARAM_BANDWIDTH, limit.into())?;
            // QEMU sends the last part without the limit, but foresees the pause by it unless it is told.
            if let Some(link) = plan.switchover_mib_s.filter(|_| facts.knows_switchover) {
                params.add_u64(sys::VIR_MIGRATE_PARAM_BANDWIDTH_AVAIL_SWITCHOVER, link.max(limit).into())?;
            }
        }
        // Else the limit that libvirt keeps for the domain would hold.
        None if facts.default.is_some_and(|default| default < UNLIMITED) => {
            params.add_u64(sys::VIR_MIGRATE_PARAM_BANDWIDTH, UNLIMITED)?;
        }
        None => {}
    }
    if is_post_copy(plan) {
        // QEMU's other limit does not hold once the VM runs at the destination. None is told, too (0): of a migration that is recovered the
        // one before would hold.
        params.add_u64(sys::VIR_MIGRATE_PARAM_BANDWIDTH_POSTCOPY, plan.bandwidth_mib_s.unwrap_or(0).into())?;
    }
    if let Some(Throttle { initial, increment }) = throttle(plan) {
        params.add_i32(sys::VIR_MIGRATE_PARAM_AUTO_CONVERGE_INITIAL, initial.into())?;
        params.add_i32(sys::VIR_MIGRATE_PARAM_AUTO_CONVERGE_INCREMENT, increment.into())?;
    }
    if let Some(connections) = connections(plan) {
        params.add_i32(sys::VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS, connections.into())?;
        if plan.compress {
            // The others are no methods of several connections.
            params.add_string(sys::VIR_MIGRATE_PARAM_COMPRESSION, "zstd")?;
        }
    }
    Ok(())
}

fn throttle(plan: &MigrationPlan) -> Option<Throttle> {
    plan.throttle.filter(|_| plan.mode == Mode::Live)
}

/// Whether QEMU connects to QEMU by TCP: neither through the daemons' connection, nor by RDMA.
fn is_native(plan: &MigrationPlan) -> bool {
    plan.mode == Mode::Live && plan.control_flow != ControlFlow::Tunnelled && !plan.rdma
}

fn is_post_copy(plan: &MigrationPlan) -> bool {
    plan.post_copy && is_native(plan)
}

/// With several connections QEMU does not observe a bandwidth limit (its work item 3364), and before 10.1 does not do post-copy.
fn connections(plan: &MigrationPlan) -> Option<u8> {
    plan.connections.filter(|_| is_native(plan) && plan.bandwidth_mib_s.is_none() && !plan.post_copy)
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;
    use crate::{
        ffi::typed_params::{number, string},
        migrate::testing::plan,
    };

    const THROTTLE: Option<Throttle> = Some(Throttle { initial: 50, increment: 20 });
    const CURRENT: SpeedFacts = SpeedFacts { default: Some(UNLIMITED), knows_switchover: true };

    /// A plan that asks for everything, and has no bandwidth limit.
    fn everything() -> MigrationPlan {
        MigrationPlan {
            bandwidth_mib_s: None,
            switchover_mib_s: Some(1_000),
            throttle: THROTTLE,
            post_copy: true,
            connections: Some(4),
            ..plan(Mode::Live)
        }
    }

    fn told(plan: &MigrationPlan, facts: SpeedFacts, name: &CStr) -> Option<u64> {
        let mut params = TypedParams::new();
        add_params(&mut params, plan, facts).unwrap();
        number(params.as_slice(), name)
    }

    fn bandwidths(plan: &MigrationPlan, facts: SpeedFacts) -> [Option<u64>; 3] {
        [
            sys::VIR_MIGRATE_PARAM_BANDWIDTH,
            sys::VIR_MIGRATE_PARAM_BANDWIDTH_POSTCOPY,
            sys::VIR_MIGRATE_PARAM_BANDWIDTH_AVAIL_SWITCHOVER,
        ]
        .map(|name| told(plan, facts, name))
    }

    #[test]
    fn memory_is_compressed_in_several_connections_only() {
        let compressed = |post_copy| {
            let plan = MigrationPlan { compress: true, post_copy, ..everything() };
            let mut params = TypedParams::new();
            add_params(&mut params, &plan, CURRENT).unwrap();
            let method = string(params.as_slice(), sys::VIR_MIGRATE_PARAM_COMPRESSION).map(str::to_owned);
            (flags(&plan) & sys::VIR_MIGRATE_COMPRESSED != 0, method)
        };
        assert_eq!(compressed(false), (true, Some("zstd".to_owned())));
        assert_eq!(compressed(true), (false, None));
    }

    #[test]
    fn the_limit_holds_in_post_copy_too() {
        let limited = MigrationPlan { bandwidth_mib_s: Some(32), switchover_mib_s: None, ..everything() };
        assert_eq!(bandwidths(&limited, CURRENT), [Some(32), Some(32), None]);
        let pre_copy = MigrationPlan { post_copy: false, ..limited };
        assert_eq!(bandwidths(&pre_copy, CURRENT), [Some(32), None, None]);
        assert_eq!(bandwidths(&MigrationPlan { mode: Mode::Offline, ..pre_copy }, CURRENT), [None; 3]);
    }

    #[test]
    fn what_the_link_carries_is_told_beside_a_limit_to_those_that_know_it() {
        let switchover = |plan: &MigrationPlan, facts| bandwidths(plan, facts)[2];
        let limited = MigrationPlan { bandwidth_mib_s: Some(32), post_copy: false, ..everything() };
        assert_eq!(switchover(&limited, CURRENT), Some(1_000));
        assert_eq!(switchover(&limited, SpeedFacts { knows_switchover: false, ..CURRENT }), None);
        assert_eq!(switchover(&MigrationPlan { switchover_mib_s: Some(8), ..limited.clone() }, CURRENT), Some(32));
        assert_eq!(switchover(&MigrationPlan { bandwidth_mib_s: None, ..limited }, CURRENT), None);
    }

    #[test]
    fn a_limit_that_libvirt_keeps_is_not_the_plan_s() {
        let unlimited = everything();
        let kept = |default| bandwidths(&unlimited, SpeedFacts { default, ..CURRENT });
        assert_eq!(kept(Some(50)), [Some(UNLIMITED), Some(0), None]);
        assert_eq!(kept(Some(UNLIMITED)), [None, Some(0), None]);
        assert_eq!(kept(None), [None, Some(0), None]);
    }

    #[test]
    fn the_guest_is_slowed_as_the_plan_says() {
        let slowed = |plan: &MigrationPlan| {
            let flag = flags(plan) & sys::VIR_MIGRATE_AUTO_CONVERGE != 0;
            let params = [sys::VIR_MIGRATE_PARAM_AUTO_CONVERGE_INITIAL, sys::VIR_MIGRATE_PARAM_AUTO_CONVERGE_INCREMENT];
            (flag, params.map(|name| told(plan, CURRENT, name)))
        };
        assert_eq!(slowed(&everything()), (true, [Some(50), Some(20)]));
        let tunnelled = MigrationPlan { control_flow: ControlFlow::Tunnelled, ..everything() };
        assert_eq!(slowed(&tunnelled), (true, [Some(50), Some(20)]));
        assert_eq!(slowed(&MigrationPlan { throttle: None, ..everything() }), (false, [None; 2]));
        assert_eq!(slowed(&MigrationPlan { mode: Mode::Offline, ..everything() }), (false, [None; 2]));
    }

    /// Every combination of what a plan may ask for, against what libvirt and QEMU refuse.
    #[test]
    fn nothing_is_asked_for_together_that_is_refused() {
        let flows = [ControlFlow::PeerToPeer, ControlFlow::Direct, ControlFlow::Tunnelled];
        let kinds = flows.into_iter().flat_map(|flow| [Mode::Live, Mode::Offline].map(|mode| (flow, mode)));
        for ((control_flow, mode), bits) in kinds.flat_map(|kind| (0..32u8).map(move |bits| (kind, bits))) {
            let is = |bit: u8| bits & (1 << bit) != 0;
            let plan = MigrationPlan {
                control_flow,
                mode,
                rdma: is(0),
                bandwidth_mib_s: is(1).then_some(32),
                post_copy: is(2),
                connections: is(3).then_some(4),
                throttle: THROTTLE.filter(|_| is(4)),
                ..everything()
            };
            let has = |flag| flags(&plan) & flag != 0;
            let is_tcp = mode == Mode::Live && control_flow != ControlFlow::Tunnelled && !plan.rdma;
            assert_eq!(has(sys::VIR_MIGRATE_POSTCOPY), plan.post_copy && is_tcp, "{plan:?}");
            let parallel = has(sys::VIR_MIGRATE_PARALLEL);
            assert_eq!(parallel, is(3) && is_tcp && !is(1) && !is(2), "{plan:?}");
            let connections = told(&plan, CURRENT, sys::VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS);
            assert_eq!(connections, parallel.then_some(4), "{plan:?}");
            let initial = told(&plan, CURRENT, sys::VIR_MIGRATE_PARAM_AUTO_CONVERGE_INITIAL);
            assert_eq!(initial.is_some(), has(sys::VIR_MIGRATE_AUTO_CONVERGE), "{plan:?}");
        }
    }
}
