use model::{
    Code, EvacuationEvent, EvacuationState, Finding, FindingCode, ItemState, Mode, PlannedMove, Problem, VmId, examples,
};
use uuid::Uuid;

use super::{follow::Follow, *};

fn plan() -> Plan {
    examples::plan(PlanRequest::plain(Subject::Hosts(vec!["alpha".parse().unwrap()])))
}

#[test]
fn a_plan_is_a_numbered_table() {
    let mut plan = plan();
    let risk = Finding::warning(FindingCode::Maintenance, "gamma is worked on.");
    plan.moves.push(PlannedMove {
        vm_name: "a longer\u{1b}[2J name".into(),
        destination: "gamma".parse().unwrap(),
        via: Some("beta".parse().unwrap()),
        at_ms: [2_000, 65_000],
        prediction: Some(examples::prediction(examples::after(1_000, 3_000))),
        findings: vec![Finding { consent: true, ..risk }],
        ..plan.moves[0].clone()
    });
    let text = plan_text::of(&plan);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "   VM                 FROM   TO               AT     TAKES           PAUSE         WHY");
    assert_eq!(
        lines[1],
        "1  web                alpha  beta             0 ms   2.0 s           not known     the only host that can take it"
    );
    assert!(
        lines[2]
            .starts_with("2  a longer\u{fffd}[2J name  alpha  gamma (by beta)  2.0 s  1.0 s to 3.0 s  up to 300 ms"),
        "{text}"
    );
    assert!(lines[3].ends_with("to gamma: gamma is worked on. (accepted)"), "{text}");
    assert_eq!(lines[4], "db stays on alpha: No host can take db. Leave it, or let it be shut down.");
    assert_eq!(lines[5], "    Options: --leave db, --shut-down db");
    assert_eq!(lines[6], "All in all 2.0 s (1.5 s to 3.0 s), 1.05 times the least possible (1.9 s).");
    assert_eq!(plan_text::outcome(&plan), Outcome::Left);
}

#[test]
fn a_plan_without_moves_says_what_stays() {
    let mut plan = Plan { moves: Vec::new(), ..plan() };
    let choices = vec![Choice::Leave, Choice::MoveOffline];
    plan.stays = vec![PlannedStay { problem: None, is_active: false, choices, ..plan.stays[0].clone() }];
    let off = "Nothing moves.\ndb stays on alpha, shut off.\n    Options: --move-offline db";
    assert_eq!(plan_text::of(&plan), off);
    assert_eq!(plan_text::outcome(&plan), Outcome::AllMoved);
    plan.shortage = Some(Problem::new(Code::NoRoom, "2 GiB are missing.").with_fix("Add a host."));
    assert!(plan_text::of(&plan).ends_with("2 GiB are missing. Add a host."));
    assert_eq!(plan_text::outcome(&plan), Outcome::Left);
}

#[test]
fn a_vm_that_stays_has_its_options() {
    let mut plan = Plan { moves: Vec::new(), ..plan() };
    let mut options = |stays: PlannedStay| {
        plan.stays = vec![stays];
        plan_text::of(&plan).lines().nth(2).map(str::to_owned)
    };
    let stays = examples::plan(PlanRequest::plain(Subject::Vms(Vec::new()))).stays.remove(0);
    let risk = Finding { consent: true, ..Finding::warning(FindingCode::StaleDefinition, "beta has another db.") };
    let for_a_risk = Problem::new(Code::NeedsConsent, "beta has another db.").with_findings(vec![risk]);
    assert_eq!(
        options(PlannedStay { problem: Some(for_a_risk), ..stays.clone() }).unwrap(),
        "    Options: --accept stale-definition, --leave db, --shut-down db"
    );
    let chosen = PlannedStay { problem: None, choice: Some(Choice::ShutDown), ..stays.clone() };
    assert_eq!(options(chosen).unwrap(), "    Options: --leave db");
    assert_eq!(options(PlannedStay { choices: Vec::new(), ..stays.clone() }), None);
    for name in ["two words", "$(reboot)", "-rf"] {
        let line = options(PlannedStay { vm_name: name.into(), ..stays.clone() }).unwrap();
        assert!(line.ends_with(&format!("--shut-down {}", stays.vm)), "{line}");
    }
}

#[test]
fn what_was_shut_down_is_started_when_all_come_home() {
    let mut plan = Plan { moves: Vec::new(), ..plan() };
    let off =
        PlannedStay { problem: None, choice: Some(Choice::ShutDown), choices: Vec::new(), ..plan.stays[0].clone() };
    plan.stays = vec![off];
    assert_eq!(plan_text::of(&plan), "Nothing moves.\ndb stays on alpha, and is shut down.");
    plan.request.subject = Subject::Home(EvacuationId(Uuid::from_u128(1)));
    assert_eq!(plan_text::of(&plan), "Nothing moves.\ndb was shut down on alpha, and is started again.");
}

#[test]
fn a_vm_is_named_by_its_name_or_its_uuid() {
    let [one, two] = [1, 2].map(|number| VmId(Uuid::from_u128(number)));
    let find =
        |named: &str| choices::find([("web", one), ("db", one), ("twin", one), ("twin", two)].into_iter(), named);
    assert_eq!((find("web"), find(&two.to_string())), (Ok(one), Ok(two)));
    for (named, why) in [("cache", "called cache"), ("", "called"), ("twin", "give the UUID")] {
        assert!(find(named).unwrap_err().contains(why), "{named}");
    }
}

#[test]
fn a_choice_without_an_effect_is_told() {
    let mut plan = plan();
    let [web, db, gone] = [plan.moves[0].vm, plan.stays[0].vm, VmId(Uuid::from_u128(7))];
    plan.request.choices = [(web, Choice::MoveOffline), (db, Choice::ShutDown), (gone, Choice::Leave)].into();
    assert_eq!(
        choices::unused(&plan),
        [
            "--move-offline web has no effect: it moves while it runs.".to_owned(),
            "--shut-down db has no effect: it can't be chosen for this VM.".to_owned(),
            format!("--leave {gone} has no effect: the plan is not about this VM."),
        ]
    );
    (plan.moves[0].mode, plan.stays[0].choice) = (Mode::Offline, Some(Choice::ShutDown));
    plan.request.choices.remove(&gone);
    assert!(choices::unused(&plan).is_empty());
}

#[test]
fn each_change_is_a_line_once() {
    let evacuation = examples::evacuation(1, &["web"]);
    let event =
        |after_ms: u64, text: &str| EvacuationEvent { at_ms: evacuation.created_at_ms + after_ms, text: text.into() };
    let mut history = vec![event(0, "begun"), event(1_500, "web moves")];
    let mut follow = Follow::default();
    assert_eq!(follow.news(&evacuation, &history), ["      0 ms  begun", "     1.5 s  web moves"]);
    assert!(follow.news(&evacuation, &history).is_empty());
    history.push(event(61_000, "web has moved"));
    assert_eq!(follow.news(&evacuation, &history), ["1 min 1 s  web has moved"].map(|line| format!(" {line}")));
}

#[test]
fn it_ends_when_a_person_has_to_act() {
    let mut evacuation = examples::evacuation(1, &["web", "db", "cache"]);
    assert_eq!(follow::end(&evacuation), None);
    assert_eq!(follow::bar(&evacuation), "[                        ] 0 %, 3 of 3 left");
    evacuation.items[0].state = ItemState::Moved { migration: None };
    evacuation.items[1].state = ItemState::Gone { sentence: "db was shut down.".into() };
    (evacuation.fraction, evacuation.left_ms) = (0.5, Some(90_000));
    assert_eq!(follow::bar(&evacuation), "[============            ] 50 %, 1 of 3 left, about 1 min 30 s");
    let problem = Problem::new(Code::Hypervisor, "libvirt refused.").with_fix("Look there.");
    evacuation.items[2].state = ItemState::WaitsForPerson { problem };
    let (outcome, lines) = follow::end(&evacuation).unwrap();
    assert_eq!((outcome.status(), lines.len()), (2, 2));
    assert_eq!(lines[0], "cache waits for you: libvirt refused. Look there.");
    evacuation.items[2].state = ItemState::Moved { migration: None };
    assert_eq!(follow::end(&evacuation), None, "until the console says so");
    evacuation.state = EvacuationState::Done;
    assert_eq!(follow::end(&evacuation), Some((Outcome::AllMoved, vec!["2 of 3 VMs have moved.".into()])));
    evacuation.state = EvacuationState::Stopped;
    assert_eq!(follow::end(&evacuation).unwrap().0.status(), 2);
}
