//! Evacuations, hosts in maintenance, and the rules for where VMs may be, in memory.

use async_trait::async_trait;
use model::{
    Evacuation, EvacuationEvent, EvacuationId, HookEvent, HookEventId, HostName, Maintenance, PlacementRules, VmId,
};

use super::MemoryStore;
use crate::{Action, Evacuations, StoreError};

#[async_trait]
impl Evacuations for MemoryStore {
    async fn insert_evacuation(
        &self,
        evacuation: &Evacuation,
        maintenance: &[(HostName, Maintenance)],
    ) -> Result<(), StoreError> {
        self.unless_broken()?;
        let mut tables = self.tables();
        tables.evacuations.insert(evacuation.id, (evacuation.clone(), Vec::new()));
        tables.maintenance.extend(maintenance.iter().cloned());
        tables.add_entry(&evacuation.requested_by, Action::EvacuationStarted(evacuation));
        Ok(())
    }

    async fn update_evacuation(
        &self,
        evacuation: &Evacuation,
        items: &[VmId],
        events: &[EvacuationEvent],
    ) -> Result<(), StoreError> {
        self.unless_broken()?;
        let mut tables = self.tables();
        let Some((kept, history)) = tables.evacuations.get_mut(&evacuation.id) else {
            return Err(StoreError::other(format!("there is no evacuation {}", evacuation.id)));
        };
        // What is not named is not written: who forgets to name an item shall see it here, too.
        let before = std::mem::replace(kept, evacuation.clone());
        for item in kept.items.iter_mut().filter(|item| !items.contains(&item.vm)) {
            if let Some(unchanged) = before.item(item.vm) {
                item.clone_from(unchanged);
            }
        }
        kept.items.retain(|item| items.contains(&item.vm) || before.item(item.vm).is_some());
        history.extend_from_slice(events);
        Ok(())
    }

    async fn evacuation(&self, id: EvacuationId) -> Result<Option<Evacuation>, StoreError> {
        Ok(self.tables().evacuations.get(&id).map(|(evacuation, _)| evacuation.clone()))
    }

    async fn evacuations(&self, limit: u32) -> Result<Vec<Evacuation>, StoreError> {
        let tables = self.tables();
        let newest = tables.evacuations.values().rev().take(limit as usize);
        Ok(newest.map(|(evacuation, _)| Evacuation { items: Vec::new(), ..evacuation.clone() }).collect())
    }

    async fn open_evacuations(&self) -> Result<Vec<Evacuation>, StoreError> {
        let tables = self.tables();
        let open = tables.evacuations.values().map(|(evacuation, _)| evacuation);
        Ok(open.filter(|evacuation| !evacuation.state.has_ended()).cloned().collect())
    }

    async fn evacuation_events(&self, id: EvacuationId) -> Result<Vec<EvacuationEvent>, StoreError> {
        Ok(self.tables().evacuations.get(&id).map(|(_, events)| events.clone()).unwrap_or_default())
    }

    async fn maintenance(&self) -> Result<Vec<(HostName, Maintenance)>, StoreError> {
        Ok(self.tables().maintenance.iter().map(|(host, maintenance)| (host.clone(), maintenance.clone())).collect())
    }

    async fn set_maintenance(
        &self,
        host: &HostName,
        maintenance: Option<&Maintenance>,
        event: Option<&HookEvent>,
    ) -> Result<(), StoreError> {
        self.unless_broken()?;
        let mut tables = self.tables();
        if let Some(event) = event {
            if tables.hooks_to_tell.contains_key(&event.id) {
                return Err(StoreError::other(format!("{} is to be told already", event.id)));
            }
            tables.hooks_to_tell.insert(event.id, event.clone());
        }
        match maintenance {
            Some(maintenance) => tables.maintenance.insert(host.clone(), maintenance.clone()),
            None => tables.maintenance.remove(host),
        };
        Ok(())
    }

    async fn hooks_to_tell(&self) -> Result<Vec<HookEvent>, StoreError> {
        Ok(self.tables().hooks_to_tell.values().cloned().collect())
    }

    async fn hook_told(&self, id: HookEventId) -> Result<(), StoreError> {
        self.unless_broken()?;
        self.tables().hooks_to_tell.remove(&id);
        Ok(())
    }

    async fn placement_rules(&self) -> Result<PlacementRules, StoreError> {
        Ok(self.tables().placement_rules.clone())
    }

    async fn set_placement_rules(&self, rules: &PlacementRules) -> Result<(), StoreError> {
        self.unless_broken()?;
        self.tables().placement_rules = rules.clone();
        Ok(())
    }
}
