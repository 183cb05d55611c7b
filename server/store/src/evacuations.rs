//! Evacuations, hosts in maintenance, and the rules for where VMs may be.

use async_trait::async_trait;
use model::{
    Evacuation, EvacuationEvent, EvacuationId, HookEvent, HookEventId, HostName, Maintenance, PlacementRules, VmId,
};

use crate::StoreError;

/// Evacuations, kept for ever; hosts in maintenance; rules. All methods fail when the database does.
#[async_trait]
pub trait Evacuations: Send + Sync + 'static {
    /// Adds an evacuation with its items, and puts the hosts that it empties into maintenance; to the audit log that it was started. All of
    /// it or nothing.
    async fn insert_evacuation(
        &self,
        evacuation: &Evacuation,
        maintenance: &[(HostName, Maintenance)],
    ) -> Result<(), StoreError>;

    /// Replaces what is kept of an evacuation itself, and of the items of these VMs, where an item that is new is added at its place; adds
    /// events to its history, oldest first. All of it or nothing.
    async fn update_evacuation(
        &self,
        evacuation: &Evacuation,
        items: &[VmId],
        events: &[EvacuationEvent],
    ) -> Result<(), StoreError>;

    /// One evacuation with its items, in their order.
    async fn evacuation(&self, id: EvacuationId) -> Result<Option<Evacuation>, StoreError>;

    /// The newest evacuations, newest first, without their items.
    async fn evacuations(&self, limit: u32) -> Result<Vec<Evacuation>, StoreError>;

    /// All evacuations that have not ended, with their items, oldest first.
    async fn open_evacuations(&self) -> Result<Vec<Evacuation>, StoreError>;

    /// An evacuation's history, oldest first.
    async fn evacuation_events(&self, id: EvacuationId) -> Result<Vec<EvacuationEvent>, StoreError>;

    /// The hosts in maintenance, by name.
    async fn maintenance(&self) -> Result<Vec<(HostName, Maintenance)>, StoreError>;

    /// A host is in this stage of maintenance, or (none) in use again, which hooks are to be told, if there is an event. Both or nothing.
    async fn set_maintenance(
        &self,
        host: &HostName,
        maintenance: Option<&Maintenance>,
        event: Option<&HookEvent>,
    ) -> Result<(), StoreError>;

    /// What hooks are to be told still, oldest first.
    async fn hooks_to_tell(&self) -> Result<Vec<HookEvent>, StoreError>;

    /// Hooks were told this.
    async fn hook_told(&self, id: HookEventId) -> Result<(), StoreError>;

    /// The rules for where VMs may be.
    async fn placement_rules(&self) -> Result<PlacementRules, StoreError>;

    /// Replaces the rules for where VMs may be.
    async fn set_placement_rules(&self, rules: &PlacementRules) -> Result<(), StoreError>;
}
