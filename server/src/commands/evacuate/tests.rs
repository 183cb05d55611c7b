use model::{
    Code, EvacuationState, Finding, FindingCode, ItemState, PlanRequest, PlannedMove, PlannedStay, Problem, Subject,
    examples,
};

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
    assert!(lines[3].ends_with("to gamma: gamma is worked on. (needs --accept maintenance)"), "{text}");
    assert_eq!(lines[4], "db stays on alpha: No host can take db. Leave it, or let it be shut down.");
    assert_eq!(lines[5], "All in all 2.0 s (1.5 s to 3.0 s), 1.05 times the least possible (1.9 s).");
    assert_eq!(plan_text::outcome(&plan), Outcome::Left);
}

#[test]
fn a_plan_without_moves_says_what_stays() {
    let mut plan = Plan { moves: Vec::new(), ..plan() };
    plan.stays = vec![PlannedStay { problem: None, is_active: false, ..plan.stays[0].clone() }];
    assert_eq!(plan_text::of(&plan), "Nothing moves.\ndb stays on alpha, shut off.");
    assert_eq!(plan_text::outcome(&plan), Outcome::AllMoved);
    plan.shortage = Some(Problem::new(Code::NoRoom, "2 GiB are missing.").with_fix("Add a host."));
    assert!(plan_text::of(&plan).ends_with("2 GiB are missing. Add a host."));
    assert_eq!(plan_text::outcome(&plan), Outcome::Left);
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
