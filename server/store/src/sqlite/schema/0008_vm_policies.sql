-- The policies of migrations that choose none, of VMs that have their own (model::PolicyDefaults as JSON).
CREATE TABLE vm_policies (
    vm       TEXT PRIMARY KEY,
    defaults TEXT NOT NULL
) STRICT;
