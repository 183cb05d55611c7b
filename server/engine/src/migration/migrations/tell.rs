//! What users tell a migration that is under way, or that needs attention.

use std::sync::Arc;

use model::{Code, Migration, MigrationId, Phase, Problem, Steering, Step};

use super::{
    super::{
        steer,
        take_step::{Taken, take_step},
    },
    Entry, Migrations,
};
use crate::{commands::Command, error::Error};

impl Migrations {
    /// Asks for a migration to be cancelled.
    pub(crate) async fn cancel(&self, id: MigrationId, by: &str) -> Result<Migration, Error> {
        let known = self.context.inventory().migration(id).cloned();
        if let Some(Migration { vm_name, destination, .. }) = known.filter(|known| known.phase == Phase::PostCopy) {
            let sentence =
                format!("{vm_name} runs on {destination} already: its source has only a part of its memory.");
            let problem = Problem::new(Code::WrongState, sentence).with_fix("Wait until the rest of it has followed.");
            return Err(Error::Known(Box::new(problem)));
        }
        // The migration itself writes it down: it alone changes a record that is under way.
        if !self.context.commands().send(id, Command::Cancel { by: by.to_owned() }) {
            let (migration, _) = self.get(id).await?;
            return Err(Error::AlreadyEnded(Box::new(migration)));
        }
        let known = self.context.inventory().migration(id).cloned();
        known.map(|migration| Migration { cancel_requested: true, ..migration }).ok_or(Error::UnknownMigration(id))
    }

    /// Tells a migration that runs to go on otherwise.
    pub(crate) async fn steer(&self, id: MigrationId, steering: Steering, by: &str) -> Result<Migration, Error> {
        steer::check_range(steering)?;
        let known = self.context.inventory().migration(id).cloned();
        let migration = match known {
            Some(migration) => migration,
            None => self.get(id).await?.0,
        };
        steer::check_possible(steering, &migration)?;
        // The migration itself does it, and writes it down: it alone changes a record that is under way.
        if !self.context.commands().send(id, Command::Steer { steering, by: Some(by.to_owned()) }) {
            let (migration, _) = self.get(id).await?;
            return Err(Error::AlreadyEnded(Box::new(migration)));
        }
        Ok(migration)
    }

    /// Lets a migration use more of the links, as others have ended. It does so if that is possible when it comes to it.
    pub(crate) fn raise(&self, id: MigrationId, mib_s: u32) {
        let steering = Steering::Bandwidth { mib_s };
        // One that has ended needs no more.
        self.context.commands().send(id, Command::Steer { steering, by: None });
    }

    /// Takes the step that a migration offers which needs attention. It is taken to its end, also when the caller leaves.
    pub(crate) async fn take_step(self: &Arc<Self>, id: MigrationId, step: Step, by: &str) -> Result<Migration, Error> {
        let Some(case) = self.aftercare.case(id) else {
            return Err(Error::NotTheStep(Box::new(self.get(id).await?.0)));
        };
        let (migrations, by) = (Arc::clone(self), by.to_owned());
        let taken = async move {
            let mut journal = case.lock().await;
            let taken = take_step(&migrations.context, &mut journal, &step, &by).await?;
            let record = journal.record().clone();
            if taken == Taken::GoesOn {
                migrations.aftercare.forget(id, &case);
                migrations.spawn(record.clone(), Entry::Recovered);
            }
            Ok(record)
        };
        self.context.tasks().spawn_to_completion(taken).await
    }
}
