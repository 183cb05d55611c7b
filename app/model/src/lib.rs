//! The words of vmferry: hosts, VMs, migrations, progress, problems.
//!
//! Types that travel between engine, store, browser and programs, and pure functions over them. No I/O, no Leptos, so that
//! the same code runs in the server and, as WASM, in the browser.

mod account;
mod act;
mod autostart;
mod by_name;
mod completion;
mod destination;
mod destinations;
mod evacuation;
#[cfg(any(test, feature = "examples"))]
pub mod examples;
mod finding;
mod hook;
mod host;
mod host_details;
mod id;
mod leftover;
mod maintenance;
mod migration;
mod migration_filter;
mod migration_request;
#[cfg(test)]
mod names;
mod phase;
mod placement;
mod plan;
mod policy;
mod policy_defaults;
mod predictions;
mod preflight;
mod problem;
mod progress;
mod refusal;
mod registration;
mod scope;
mod search;
mod secret;
mod selection;
mod steering;
mod step;
mod terminal;
pub mod text;
mod transitions;
mod update;
mod vm;
mod vm_details;
mod vm_query;

pub use account::{Credentials, PasswordChange, SessionInfo};
pub use act::{Act, Acted, TracePoint};
pub use autostart::Autostart;
pub use completion::completions;
pub use destination::{AdHocDestination, Destination};
pub use destinations::{DestinationReport, Destinations, recommended};
pub use evacuation::{
    Evacuation, EvacuationCommand, EvacuationEvent, EvacuationItem, EvacuationState, ItemState, MOST_TRIES, Tried,
};
pub use finding::{Finding, FindingCode, Severity};
pub use hook::{HookEvent, HookKind};
pub use host::{ConnectionState, Host};
pub use host_details::{
    HostBridge, HostCertificate, HostConnectionError, HostDetails, HostNetwork, HostPool, HostResources, KnownBug,
};
pub use id::{EvacuationId, HookEventId, HostName, MigrationId, PlanId, SelectionId, VmId};
pub use leftover::{Leftover, LeftoverKind};
pub use maintenance::{Maintenance, MaintenanceCommand, MaintenanceStage};
pub use migration::{DiskMove, Migration, MigrationEvent, Outcome};
pub use migration_filter::{MigrationFilter, MigrationQuery};
pub use migration_request::{ControlFlow, MigrationOptions, MigrationRequest, Mode};
pub use phase::Phase;
pub use placement::{PlacementKind, PlacementRule, PlacementRules};
pub use plan::{Choice, Plan, PlanRequest, PlannedMove, PlannedStay, Subject, Why};
pub use policy::Policy;
pub use policy_defaults::PolicyDefaults;
pub use predictions::{Predicted, Predictions};
pub use preflight::{DiskPlan, Ending, PolicyPrediction, PoolChoice, Prediction, Preflight, Treatment};
pub use problem::{Code, Problem};
pub use progress::{Convergence, Progress, TimeLeft};
pub use refusal::{Refusal, refusal};
pub use registration::{
    DaemonKind, HostBudget, HostLogin, HostOrigin, HostSettings, HostTest, NewHost, RegisteredHost, SshLoginKind,
    TransportKind,
};
pub use scope::{Attention, EndedBadly, Letter, Scope, Summary, Unreachable, VmList, VmRow, Window};
pub use search::{Field, Search};
pub use secret::Secret;
pub use selection::{Chosen, SelectedVm, Selection, Stage, Turn};
pub use steering::Steering;
pub use step::Step;
pub use terminal::{TerminalEvent, TerminalKind, TerminalStatus};
pub use update::{Change, Resume, Snapshot, StoreOutage, StreamMessage, Update};
pub use vm::{Copy, Vm, VmAction, VmState};
pub use vm_details::{GuestFacts, Started, UsagePoint, VmDetails, VmDisk, VmFacts, VmInterface};
pub use vm_query::{Column, Selected, StateFilter, VmQuery};
