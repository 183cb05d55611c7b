//! The statistics of a migration, as libvirt passes them with a call and with an event.

use engine::Statistics;
use virt::sys;

use super::typed_params::number;

/// Whether these are the statistics of a migration, incoming or outgoing.
pub(crate) fn is_migration(list: &[sys::virTypedParameter]) -> bool {
    let operation = number(list, sys::VIR_DOMAIN_JOB_OPERATION);
    [sys::VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN, sys::VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT]
        .into_iter()
        .any(|migration| operation == Some(migration.into()))
}

/// The statistics in the engine's form. What libvirt leaves out is 0.
pub(crate) fn statistics(list: &[sys::virTypedParameter]) -> Statistics {
    let value = |name| number(list, name).unwrap_or(0);
    Statistics {
        elapsed_ms: value(sys::VIR_DOMAIN_JOB_TIME_ELAPSED),
        data_total: value(sys::VIR_DOMAIN_JOB_DATA_TOTAL),
        data_processed: value(sys::VIR_DOMAIN_JOB_DATA_PROCESSED),
        data_remaining: value(sys::VIR_DOMAIN_JOB_DATA_REMAINING),
        memory_total: value(sys::VIR_DOMAIN_JOB_MEMORY_TOTAL),
        memory_processed: value(sys::VIR_DOMAIN_JOB_MEMORY_PROCESSED),
        memory_remaining: value(sys::VIR_DOMAIN_JOB_MEMORY_REMAINING),
        disk_total: value(sys::VIR_DOMAIN_JOB_DISK_TOTAL),
        disk_processed: value(sys::VIR_DOMAIN_JOB_DISK_PROCESSED),
        disk_remaining: value(sys::VIR_DOMAIN_JOB_DISK_REMAINING),
        memory_bytes_s: value(sys::VIR_DOMAIN_JOB_MEMORY_BPS),
        dirty_pages_s: value(sys::VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE),
        page_bytes: value(sys::VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE),
        memory_pass: value(sys::VIR_DOMAIN_JOB_MEMORY_ITERATION),
        downtime_ms: number(list, sys::VIR_DOMAIN_JOB_DOWNTIME),
        throttle_percent: value(sys::VIR_DOMAIN_JOB_AUTO_CONVERGE_THROTTLE).try_into().unwrap_or(99),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::typed_params::TypedParams;

    fn list(values: &[(&std::ffi::CStr, u64)]) -> TypedParams {
        let mut list = TypedParams::new();
        for (name, value) in values {
            list.add_u64(name, *value).unwrap();
        }
        list
    }

    #[test]
    fn statistics_are_read_by_name() {
        let given = list(&[
            (sys::VIR_DOMAIN_JOB_MEMORY_TOTAL, 128 << 20),
            (sys::VIR_DOMAIN_JOB_MEMORY_REMAINING, 5 << 20),
            (sys::VIR_DOMAIN_JOB_TIME_ELAPSED, 1_400),
            (sys::VIR_DOMAIN_JOB_DOWNTIME, 23),
            (c"some_future_figure", 1),
        ]);
        let expected = Statistics {
            memory_total: 128 << 20,
            memory_remaining: 5 << 20,
            elapsed_ms: 1_400,
            downtime_ms: Some(23),
            ..Statistics::default()
        };
        assert_eq!(statistics(given.as_slice()), expected);
        assert_eq!(statistics(&[]), Statistics::default());
    }

    #[test]
    fn only_migrations_count() {
        let of = |operation: sys::virDomainJobOperation| list(&[(sys::VIR_DOMAIN_JOB_OPERATION, operation.into())]);
        assert!(is_migration(of(sys::VIR_DOMAIN_JOB_OPERATION_MIGRATION_IN).as_slice()));
        assert!(is_migration(of(sys::VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT).as_slice()));
        assert!(!is_migration(of(sys::VIR_DOMAIN_JOB_OPERATION_BACKUP).as_slice()));
        assert!(!is_migration(&[]));
    }
}
