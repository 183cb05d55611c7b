//! Evacuations, hosts in maintenance, and the rules for where VMs may be, in SQLite.

use async_trait::async_trait;
use model::{
    Evacuation, EvacuationEvent, EvacuationId, EvacuationItem, HookEvent, HookEventId, HostName, Maintenance,
    PlacementRules, VmId,
};

use super::{SqliteStore, audit, fault::failed, from_json, to_json, to_ms, writing::Writing};
use crate::{Action, Evacuations, StoreError};

/// The record without its items.
const RECORD: &str = "INSERT INTO evacuations (id, open, document) VALUES (?1, ?2, ?3) \
                      ON CONFLICT DO UPDATE SET open = ?2, document = ?3";
const ITEM: &str = "INSERT INTO evacuation_items (evacuation, vm, place, document) VALUES (?1, ?2, ?3, ?4) \
                    ON CONFLICT DO UPDATE SET place = ?3, document = ?4";

#[async_trait]
impl Evacuations for SqliteStore {
    async fn insert_evacuation(
        &self,
        evacuation: &Evacuation,
        maintenance: &[(HostName, Maintenance)],
    ) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        write_record(&mut writing, evacuation).await?;
        for place in 0..evacuation.items.len() {
            write_item(&mut writing, evacuation, place).await?;
        }
        for (host, maintenance) in maintenance {
            write_maintenance(&mut writing, host, maintenance).await?;
        }
        audit::write(&mut writing, &evacuation.requested_by, Action::EvacuationStarted(evacuation)).await?;
        writing.commit().await
    }

    async fn update_evacuation(
        &self,
        evacuation: &Evacuation,
        items: &[VmId],
        events: &[EvacuationEvent],
    ) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        sqlx::query_scalar::<_, i64>("SELECT 1 FROM evacuations WHERE id = ?")
            .bind(evacuation.id.to_string())
            .fetch_one(&mut *writing)
            .await
            .map_err(|error| writing.failed(error))?;
        write_record(&mut writing, evacuation).await?;
        for (place, _) in evacuation.items.iter().enumerate().filter(|(_, item)| items.contains(&item.vm)) {
            write_item(&mut writing, evacuation, place).await?;
        }
        for event in events {
            let insert = sqlx::query("INSERT INTO evacuation_events (evacuation, at_ms, text) VALUES (?, ?, ?)")
                .bind(evacuation.id.to_string())
                .bind(to_ms(event.at_ms))
                .bind(&event.text);
            writing.execute(insert).await?;
        }
        writing.commit().await
    }

    async fn evacuation(&self, id: EvacuationId) -> Result<Option<Evacuation>, StoreError> {
        let document: Option<String> = sqlx::query_scalar("SELECT document FROM evacuations WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        match document {
            Some(document) => Ok(Some(self.with_items(from_json(&document)?).await?)),
            None => Ok(None),
        }
    }

    async fn evacuations(&self, limit: u32) -> Result<Vec<Evacuation>, StoreError> {
        let documents: Vec<String> = sqlx::query_scalar("SELECT document FROM evacuations ORDER BY id DESC LIMIT ?")
            .bind(limit)
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        documents.iter().map(|document| from_json(document)).collect()
    }

    async fn open_evacuations(&self) -> Result<Vec<Evacuation>, StoreError> {
        let documents: Vec<String> = sqlx::query_scalar("SELECT document FROM evacuations WHERE open ORDER BY id")
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        let mut open = Vec::with_capacity(documents.len());
        for document in documents {
            open.push(self.with_items(from_json(&document)?).await?);
        }
        Ok(open)
    }

    async fn evacuation_events(&self, id: EvacuationId) -> Result<Vec<EvacuationEvent>, StoreError> {
        let rows: Vec<(i64, String)> =
            sqlx::query_as("SELECT at_ms, text FROM evacuation_events WHERE evacuation = ? ORDER BY number")
                .bind(id.to_string())
                .fetch_all(&self.readers)
                .await
                .map_err(failed)?;
        Ok(rows.into_iter().map(|(at_ms, text)| EvacuationEvent { at_ms: at_ms.unsigned_abs(), text }).collect())
    }

    async fn maintenance(&self) -> Result<Vec<(HostName, Maintenance)>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as("SELECT host, document FROM maintenance ORDER BY host")
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        let read = |(host, document): &(String, String)| {
            Ok((host.parse().map_err(|_| StoreError::other("a host's name is damaged"))?, from_json(document)?))
        };
        rows.iter().map(read).collect()
    }

    async fn set_maintenance(
        &self,
        host: &HostName,
        maintenance: Option<&Maintenance>,
        event: Option<&HookEvent>,
    ) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        match maintenance {
            Some(maintenance) => write_maintenance(&mut writing, host, maintenance).await?,
            None => {
                writing.execute(sqlx::query("DELETE FROM maintenance WHERE host = ?").bind(host.as_str())).await?;
            }
        }
        if let Some(event) = event {
            let insert = sqlx::query("INSERT INTO hooks_to_tell (id, document) VALUES (?, ?)");
            writing.execute(insert.bind(event.id.to_string()).bind(to_json(event)?)).await?;
        }
        writing.commit().await
    }

    async fn hooks_to_tell(&self) -> Result<Vec<HookEvent>, StoreError> {
        let documents: Vec<String> = sqlx::query_scalar("SELECT document FROM hooks_to_tell ORDER BY id")
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        documents.iter().map(|document| from_json(document)).collect()
    }

    async fn hook_told(&self, id: HookEventId) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        writing.execute(sqlx::query("DELETE FROM hooks_to_tell WHERE id = ?").bind(id.to_string())).await?;
        writing.commit().await
    }

    async fn placement_rules(&self) -> Result<PlacementRules, StoreError> {
        let document: Option<String> = sqlx::query_scalar("SELECT document FROM placement_rules")
            .fetch_optional(&self.readers)
            .await
            .map_err(failed)?;
        document.map_or_else(|| Ok(PlacementRules::default()), |document| from_json(&document))
    }

    async fn set_placement_rules(&self, rules: &PlacementRules) -> Result<(), StoreError> {
        let mut writing = self.write().await?;
        let put = sqlx::query("INSERT OR REPLACE INTO placement_rules (only, document) VALUES (1, ?)");
        writing.execute(put.bind(to_json(rules)?)).await?;
        writing.commit().await
    }
}

impl SqliteStore {
    async fn with_items(&self, evacuation: Evacuation) -> Result<Evacuation, StoreError> {
        let documents: Vec<String> =
            sqlx::query_scalar("SELECT document FROM evacuation_items WHERE evacuation = ? ORDER BY place, rowid")
                .bind(evacuation.id.to_string())
                .fetch_all(&self.readers)
                .await
                .map_err(failed)?;
        let items: Result<Vec<EvacuationItem>, StoreError> = documents.iter().map(|item| from_json(item)).collect();
        Ok(Evacuation { items: items?, ..evacuation })
    }
}

async fn write_record(writing: &mut Writing, evacuation: &Evacuation) -> Result<(), StoreError> {
    let alone = Evacuation { items: Vec::new(), ..evacuation.clone() };
    let put =
        sqlx::query(RECORD).bind(evacuation.id.to_string()).bind(!evacuation.state.has_ended()).bind(to_json(&alone)?);
    writing.execute(put).await?;
    Ok(())
}

async fn write_item(writing: &mut Writing, evacuation: &Evacuation, place: usize) -> Result<(), StoreError> {
    let Some(item) = evacuation.items.get(place) else { return Ok(()) };
    let put = sqlx::query(ITEM)
        .bind(evacuation.id.to_string())
        .bind(item.vm.to_string())
        .bind(i64::try_from(place).unwrap_or(i64::MAX))
        .bind(to_json(item)?);
    writing.execute(put).await?;
    Ok(())
}

async fn write_maintenance(
    writing: &mut Writing,
    host: &HostName,
    maintenance: &Maintenance,
) -> Result<(), StoreError> {
    let put = sqlx::query("INSERT OR REPLACE INTO maintenance (host, document) VALUES (?, ?)")
        .bind(host.as_str())
        .bind(to_json(maintenance)?);
    writing.execute(put).await?;
    Ok(())
}
