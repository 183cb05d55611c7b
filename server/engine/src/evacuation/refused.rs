//! Why a VM has no host where every host that was asked has refused it: in the words of the hosts.

use model::{Code, Finding, FindingCode, HostName, Preflight, Problem, Severity};

/// What can be done with a VM that no host takes.
const OTHERWISE: &str = "Leave it, or let it be shut down.";

/// What a host said of the VM.
pub(super) type Answer<'a> = (&'a HostName, &'a Result<Preflight, Problem>);

/// The problem of a VM that all of these hosts refuse; none if they said nothing against it. `accepted` are the risks that were accepted.
///
/// A host that would take it if a risk was accepted is told first, with its findings, which a person can accept.
pub(super) fn everywhere(name: &str, answers: &[Answer], accepted: &[FindingCode]) -> Option<Problem> {
    let told = |(host, answer): &Answer| against(answer, accepted).map(|said| format!("{host}: {}", said.sentence));
    let details: Vec<String> = answers.iter().filter_map(told).collect();
    let risks = risks(answers, accepted);
    let problem = match risks.first() {
        Some(risk) => {
            let or_accept = "Or accept this risk.";
            let fix = risk.fix.as_ref().map_or_else(|| or_accept.to_owned(), |fix| format!("{fix} {or_accept}"));
            Problem::new(Code::NeedsConsent, sentence(name, &risk.text)).with_fix(fix)
        }
        None => {
            let first = answers.iter().find_map(|(_, answer)| against(answer, accepted))?;
            let fix = first.fix.unwrap_or_else(|| OTHERWISE.to_owned());
            Problem::new(Code::Blocked, sentence(name, &first.sentence)).with_fix(fix)
        }
    };
    Some(problem.with_details(details.join("\n")).with_findings(risks))
}

fn sentence(name: &str, why: &str) -> String {
    format!("No host can take {name}: {why}")
}

/// What a host has against the VM: that it can't move there, or else a risk that is not accepted.
fn against(answer: &Result<Preflight, Problem>, accepted: &[FindingCode]) -> Option<Problem> {
    let preflight = match answer {
        Ok(preflight) => preflight,
        Err(problem) => return Some(problem.clone()),
    };
    let finding = preflight.of(Severity::Blocker).next().or_else(|| unaccepted(preflight, accepted).next())?;
    let problem = Problem::new(Code::Blocked, finding.text.clone());
    Some(Problem { fix: finding.fix.clone(), ..problem })
}

/// The risks, each once, of the hosts that nothing else keeps from taking it.
fn risks(answers: &[Answer], accepted: &[FindingCode]) -> Vec<Finding> {
    let mut risks: Vec<Finding> = Vec::new();
    for preflight in answers.iter().filter_map(|(_, answer)| answer.as_ref().ok()) {
        if preflight.of(Severity::Blocker).next().is_some() {
            continue;
        }
        for finding in unaccepted(preflight, accepted) {
            if !risks.iter().any(|known| known.code == finding.code) {
                risks.push(finding.clone());
            }
        }
    }
    risks
}

fn unaccepted<'a>(preflight: &'a Preflight, accepted: &'a [FindingCode]) -> impl Iterator<Item = &'a Finding> {
    preflight.findings.iter().filter(|finding| finding.consent && !accepted.contains(&finding.code))
}
