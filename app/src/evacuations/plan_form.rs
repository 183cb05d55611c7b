//! The form that a plan is asked for with, as it was filled in.

use std::collections::{BTreeMap, BTreeSet};

use model::{Choice, EvacuationId, FindingCode, HostName, PlanRequest, Policy, Problem, Subject, VmId, VmQuery};
use serde::Deserialize;

use crate::ui::fields::{about, typed};
use crate::vms::selection::form::query_of;

/// The form as it was filled in. One of `hosts`, `vms`, `list` and `home` says what it is about.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct PlanForm {
    /// Hosts that are to be emptied, with commas between them.
    pub(super) hosts: String,
    /// VMs by UUID, with commas between them; those that are left out of `list`, if all of that are meant.
    pub(super) vms: String,
    /// Not empty if all VMs are meant that the list at the address `list` shows.
    pub(super) all: String,
    /// The address of the list of VMs in which they were chosen, e.g. `/?q=web&state=running` or `/hosts/beta`.
    pub(super) list: String,
    /// The evacuation whose VMs come home.
    pub(super) home: String,
    /// The host that all go to; nothing for wherever each fits best.
    pub(super) destination: String,
    pub(super) reason: String,
    pub(super) policy: Option<Policy>,
    /// By `vm-` and the VM's UUID: a key that begins with a digit is read as the place in a list.
    pub(super) choices: BTreeMap<String, Choice>,
    pub(super) accept: Vec<FindingCode>,
}

impl PlanForm {
    /// A form that empties a host.
    pub fn emptying(host: &HostName) -> Self {
        Self { hosts: host.to_string(), ..Self::default() }
    }

    /// A form that moves these VMs.
    pub fn moving(vms: &[VmId]) -> Self {
        let each_once: BTreeSet<VmId> = vms.iter().copied().collect();
        Self { vms: joined(&each_once.into_iter().collect::<Vec<_>>()), ..Self::default() }
    }

    /// A form that moves all VMs that the list at this address shows, but these.
    pub fn moving_all(list: &str, except: &[VmId]) -> Self {
        Self { all: "on".to_owned(), ..Self::moving(except).within(list) }
    }

    /// The same, asked for in the list at this address.
    #[must_use]
    pub fn within(self, list: &str) -> Self {
        Self { list: list.to_owned(), ..self }
    }

    /// The address of the list in which the VMs were chosen, if it is one.
    #[must_use]
    pub fn list(&self) -> Option<&str> {
        query_of(&self.list).is_ok().then_some(self.list.as_str())
    }

    /// The list of VMs whose matches are meant; none if the form names what it is about.
    ///
    /// # Errors
    /// `invalid-input` for what is no address of a list. What is unknown in it is refused: it would mean all VMs.
    pub fn query(&self) -> Result<Option<VmQuery>, Problem> {
        if self.all.is_empty() { Ok(None) } else { query_of(&self.list).map(Some) }
    }

    /// What is asked for. `matching` are the VMs of [`Self::query`].
    ///
    /// # Errors
    /// `invalid-input` for what is no name and no id; without a subject.
    pub fn request(&self, matching: Option<Vec<VmId>>) -> Result<PlanRequest, Problem> {
        let vms = parts(&self.vms).map(str::parse).collect::<Result<Vec<VmId>, _>>()?;
        let subject = match matching {
            Some(matching) => Subject::Vms(matching.into_iter().filter(|vm| !vms.contains(vm)).collect()),
            None if !vms.is_empty() => Subject::Vms(vms),
            None if !self.home.is_empty() => Subject::Home(self.home.parse::<EvacuationId>()?),
            None => Subject::Hosts(parts(&self.hosts).map(str::parse).collect::<Result<_, _>>()?),
        };
        Ok(PlanRequest {
            destination: typed(&self.destination).map(|host| host.parse()).transpose().map_err(about("destination"))?,
            reason: self.reason.trim().to_owned(),
            policy: self.policy,
            choices: self.choices.iter().map(chosen).collect::<Result<_, Problem>>()?,
            accept: self.accept.clone(),
            subject,
        })
    }
}

impl From<&PlanRequest> for PlanForm {
    fn from(request: &PlanRequest) -> Self {
        let mut form = Self {
            destination: request.destination.as_ref().map(ToString::to_string).unwrap_or_default(),
            reason: request.reason.clone(),
            policy: request.policy,
            choices: request.choices.iter().map(|(vm, choice)| (choice_of(*vm), *choice)).collect(),
            accept: request.accept.clone(),
            ..Self::default()
        };
        match &request.subject {
            Subject::Hosts(hosts) => form.hosts = joined(hosts),
            Subject::Vms(vms) => form.vms = joined(vms),
            Subject::Home(evacuation) => form.home = evacuation.to_string(),
        }
        form
    }
}

/// The key of a VM among the choices.
pub(super) fn choice_of(vm: VmId) -> String {
    format!("vm-{vm}")
}

fn chosen((key, choice): (&String, &Choice)) -> Result<(VmId, Choice), Problem> {
    Ok((key.strip_prefix("vm-").unwrap_or(key).parse()?, *choice))
}

fn parts(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|part| !part.is_empty())
}

fn joined<T: ToString>(list: &[T]) -> String {
    list.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::fields::read;
    use model::StateFilter;
    use uuid::Uuid;

    fn request(body: &str) -> Result<PlanRequest, Problem> {
        read::<PlanForm>(body.as_bytes())?.request(None)
    }

    fn id(number: u128) -> VmId {
        VmId(Uuid::from_u128(number))
    }

    #[test]
    fn a_form_says_what_is_to_be_planned() {
        let beta = request("hosts=beta&destination=&reason=+kernel+&policy=").unwrap();
        assert_eq!(
            beta,
            PlanRequest {
                reason: "kernel".into(),
                ..PlanRequest::plain(Subject::Hosts(vec!["beta".parse().unwrap()]))
            }
        );
        let (one, two) = (id(1), id(2));
        let chosen = request(&format!(
            "vms={one},{two}&destination=gamma&policy=gentle&choices%5Bvm-{one}%5D=shut-down&choices[vm-{two}]=leave&accept[]=stale-definition"
        ));
        let chosen = chosen.unwrap_or_else(|problem| panic!("{problem:?}"));
        assert_eq!(chosen.subject, Subject::Vms(vec![one, two]));
        assert_eq!((chosen.destination, chosen.policy), ("gamma".parse().ok(), Some(Policy::Gentle)));
        assert_eq!(chosen.choices, [(one, Choice::ShutDown), (two, Choice::Leave)].into());
        assert_eq!(chosen.accept.len(), 1);
    }

    #[test]
    fn a_request_becomes_a_form_and_a_request_again() {
        let vms = PlanRequest {
            destination: "gamma".parse().ok(),
            policy: Some(Policy::Certain),
            choices: [(id(1), Choice::MoveOffline)].into(),
            ..PlanRequest::plain(Subject::Vms(vec![id(1), id(2)]))
        };
        assert_eq!(PlanForm::from(&vms).request(None), Ok(vms));
        let home = PlanRequest::plain(Subject::Home(EvacuationId(Uuid::from_u128(3))));
        assert_eq!(PlanForm::from(&home).request(None), Ok(home));
    }

    #[test]
    fn all_that_a_list_shows_can_be_meant() {
        let form = |list: &str| PlanForm { all: "on".into(), list: list.into(), ..PlanForm::default() };
        let query = form("/hosts/beta?q=web&state=running&sort=memory&order=descending").query().unwrap().unwrap();
        assert_eq!(
            (query.host, query.search.as_str(), query.state),
            ("beta".parse().ok(), "web", StateFilter::Running)
        );
        for wrong in ["/migrations", "", "/?state=flying", "/?colour=red"] {
            assert!(form(wrong).query().is_err(), "{wrong}");
        }
        assert_eq!(PlanForm::default().query(), Ok(None));
        let but_one = PlanForm { vms: id(2).to_string(), ..PlanForm::default() };
        assert_eq!(but_one.request(Some(vec![id(1), id(2)])).unwrap().subject, Subject::Vms(vec![id(1)]));
    }

    #[test]
    fn only_the_address_of_a_list_is_led_back_to() {
        let list = |list: &str| PlanForm::moving(&[id(1)]).within(list).list().map(str::to_owned);
        assert_eq!(list("/?q=web&state=running").as_deref(), Some("/?q=web&state=running"));
        assert_eq!(
            list("/hosts/beta?q=web&sort=memory&from=50").as_deref(),
            Some("/hosts/beta?q=web&sort=memory&from=50")
        );
        for wrong in ["", "/migrations", "//example.com/", "https://example.com/", "javascript:alert(1)"] {
            assert_eq!(list(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for wrong in [
            "vms=1",
            "home=1",
            "hosts=A+b",
            "hosts=beta&destination=-",
            "hosts=beta&policy=bold",
            "hosts=b&choices[vm-1]=leave",
        ] {
            assert!(request(wrong).is_err(), "{wrong}");
        }
    }
}
