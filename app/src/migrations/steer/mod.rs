//! What a running migration can be told: a card of forms, the question before what hurts, and a page with both.

mod card;
mod confirm;
mod fields;
#[cfg(feature = "ssr")]
pub(crate) mod page;
mod suggestion;

pub(crate) use card::SteerCard;
pub(crate) use fields::SteeringFields;
