use crate::house::{House, No, as_portal, no};
use crate::samples::*;
use eile::api::proto::RegistrationState as State;
use eile::api::proto::*;
use eile::model::time::Span;

fn full_party() -> Registration {
    Registration {
        contact: Some(Contact {
            display_name: "Živilė „Žymeklytė“".into(),
            email: "Zivile.Zymeklyte@Example.org".into(),
            phone: "8 612 34567".into(),
        }),
        language: "pl".into(),
        channel: Channel::Phone.into(),
        on_behalf_of: OnBehalfOf::Child.into(),
        members: vec![
            Member {
                display_name: "Łukasz Łańcuch".into(),
                birth_year: Some(2019),
                sex: Sex::Male.into(),
                role: "child".into(),
                municipality_code: "42".into(),
                eldership_code: "42-1".into(),
                person_ref: "crm:7".into(),
                ..Default::default()
            },
            Member { display_name: "Їванна".into(), ..Default::default() },
        ],
        acceptable_pools: vec!["b".into(), "a".into()],
        willing_elsewhere: true,
        municipality_code: "42".into(),
        eldership_code: "42-1".into(),
        services: Some(ServiceWishes { childcare_children: 1, rides: 2 }),
        answers: vec![Answer { question_id: "kada".into(), text: "Vakare".into() }],
        ..Default::default()
    }
}

async fn asking(h: &mut House) -> String {
    h.open_with(1, |e| {
        e.seat_pools = vec![pool("a", 3), pool("b", 3)];
        e.questions = vec![Question { question_id: "kada".into(), texts: lt("Kada?"), required: true, max_length: 10 }];
    })
    .await
}

pub async fn a_sign_up_is_answered_once_and_read_in_two_views(mut h: House) {
    let event = asking(&mut h).await;
    let given = full_party();
    let answer = h.sign_up(&event, given.clone()).await;
    let made = answer.registration.unwrap();
    assert_eq!((made.state(), made.position, made.accepted_number), (State::Confirmed, 0, 1));
    assert_eq!((made.pool_id.as_str(), made.party_size, made.journal_number), ("b", 2, 3));
    assert!(made.name.starts_with(&format!("{event}/registrations/00000001-")));
    assert_eq!(answer.management_token.len(), 43);
    assert_eq!(made.contact, None, "no personal data in BASIC");
    assert_eq!(h.look(&made.name, RegistrationView::Basic).await, made);
    let mut full = h.look(&made.name, RegistrationView::Full).await;
    for member in &mut full.members {
        assert!(std::mem::take(&mut member.person).starts_with("persons/"), "each has its person");
    }
    let expected = Registration {
        name: made.name.clone(),
        event: event.clone(),
        state: made.state,
        accepted_number: 1,
        journal_number: 3,
        party_size: 2,
        pool_id: "b".into(),
        create_time: full.create_time,
        update_time: full.update_time,
        ..given
    };
    assert_eq!(full, expected, "everything comes back as it was given");
    assert_eq!(full.create_time, at("2031-01-10T08:00:00Z"));
}

pub async fn a_repeated_sign_up_is_answered_as_the_first_time(mut h: House) {
    let event = h.open_with(1, |_| {}).await;
    let confirmed = h.joins(&event, 1).await;
    let request = sign_up(&event, party(1));
    let first = h.registrations.create_registration(request.clone()).await.unwrap().into_inner();
    let waiting = first.registration.clone().unwrap();
    assert_eq!((waiting.state(), waiting.position), (State::Waitlisted, 1));
    h.cancel(&confirmed).await;
    assert_eq!(h.state(&waiting).await, State::Confirmed);
    let again = h.registrations.create_registration(request.clone()).await.unwrap().into_inner();
    assert_eq!(again, first, "state, position, numbers and token as first answered");
    assert_eq!(h.get(&event).await.counts.unwrap().applied_parties, 2);
    let other = CreateRegistrationRequest { registration: Some(party(2)), ..request.clone() };
    let reused = no(h.registrations.create_registration(other).await);
    assert_eq!((reused.reason.as_str(), &reused.metadata["request_id"]), ("REQUEST_ID_REUSED", &request.request_id));
    // In another event the same id is another request.
    let elsewhere = h.open_with(1, |_| {}).await;
    let free = CreateRegistrationRequest { parent: elsewhere, ..request };
    h.registrations.create_registration(free).await.unwrap();
}

pub async fn trying_a_sign_up_out_changes_nothing(mut h: House) {
    let event = h.open_with(1, |_| {}).await;
    let tried = CreateRegistrationRequest { validate_only: true, ..sign_up(&event, party(1)) };
    let answer = h.registrations.create_registration(tried.clone()).await.unwrap().into_inner();
    let registration = answer.registration.unwrap();
    assert_eq!((registration.state(), registration.name.as_str()), (State::Confirmed, ""));
    assert_eq!(answer.management_token, "");
    assert_eq!(h.get(&event).await.counts.unwrap().applied_parties, 0);
    let real = CreateRegistrationRequest { validate_only: false, ..tried };
    assert!(!h.registrations.create_registration(real).await.unwrap().into_inner().management_token.is_empty());
    let second = CreateRegistrationRequest { validate_only: true, ..sign_up(&event, party(1)) };
    let waiting = h.registrations.create_registration(second).await.unwrap().into_inner().registration.unwrap();
    assert_eq!((waiting.state(), waiting.position), (State::Waitlisted, 1));
}

pub async fn the_ladder_of_refusals_goes_in_its_order(mut h: House) {
    let centre = h.centre().await;
    let window = |open: &str| Some(RegistrationWindow { open_time: at(open), close_time: None });
    let draft = Event {
        registration_window: window("2031-01-11T00:00:00Z"),
        party_limits: Some(PartyLimits { min_size: 1, max_size: 2 }),
        waitlist_policy: Some(WaitlistPolicy { waitlist_limit: Some(0), ..Default::default() }),
        ..event(&centre, 2)
    };
    let event = h.draft(draft).await.name;
    let first = party(2);
    let bad = |size, parent: &str| {
        let wishes = vec!["none".to_owned()];
        sign_up(parent, Registration { acceptable_pools: wishes, ..party(size) })
    };
    let nowhere = format!("events/{}", id());
    let broken = CreateRegistrationRequest { registration: None, ..bad(5, &nowhere) };
    assert_eq!(no(h.registrations.create_registration(broken).await).reason, "INVALID_FIELDS");
    assert_eq!(no(h.registrations.create_registration(bad(5, &nowhere)).await).reason, "EVENT_NOT_FOUND");
    assert_eq!(no(h.registrations.create_registration(bad(5, &event)).await).reason, "EVENT_NOT_PUBLISHED");
    let stranger = no(h.registrations.create_registration(as_portal(bad(5, &event))).await);
    let absent = no(h.registrations.create_registration(as_portal(bad(5, &nowhere))).await);
    let unnamed = |no: &No, name: &str| (no.code, no.status.message().replace(name, ""), no.reason.clone());
    assert_eq!(unnamed(&stranger, &event), unnamed(&absent, &nowhere), "a draft is not there");
    let publish = PublishEventRequest { name: event.clone(), request_id: id(), ..Default::default() };
    h.events.publish_event(publish).await.unwrap();
    let early = no(h.registrations.create_registration(bad(5, &event)).await);
    assert_eq!(
        (early.reason.as_str(), early.metadata["open_time"].as_str()),
        ("REGISTRATION_NOT_OPEN", "2031-01-11T00:00:00Z")
    );
    h.pass(Span::hours(24)).await;
    assert_eq!(no(h.registrations.create_registration(bad(5, &event)).await).reason, "PARTY_TOO_LARGE");
    let unknown = no(h.registrations.create_registration(bad(2, &event)).await);
    assert_eq!((unknown.reason.as_str(), unknown.metadata["pool_id"].as_str()), ("POOL_NOT_FOUND", "none"));
    let seated = h.sign_up(&event, first.clone()).await.registration.unwrap();
    let twin = no(h.registrations.create_registration(sign_up(&event, first)).await);
    assert_eq!((twin.reason.as_str(), &twin.metadata["registration"]), ("ALREADY_REGISTERED", &seated.name));
    let full = no(h.registrations.create_registration(sign_up(&event, party(1))).await);
    assert_eq!((full.reason.as_str(), full.metadata["waitlist_limit"].as_str()), ("WAITLIST_FULL", "0"));
    let cancel =
        CancelEventRequest { name: event.clone(), reason: "nevyks".into(), request_id: id(), ..Default::default() };
    h.events.cancel_event(cancel).await.unwrap();
    assert_eq!(no(h.registrations.create_registration(sign_up(&event, party(1))).await).reason, "EVENT_CANCELLED");
}

fn amend(name: &str, registration: Registration, paths: &[&str]) -> UpdateRegistrationRequest {
    UpdateRegistrationRequest {
        registration: Some(Registration { name: name.into(), ..registration }),
        update_mask: mask(paths),
        request_id: id(),
        ..Default::default()
    }
}

pub async fn a_party_is_corrected_field_by_field(mut h: House) {
    let event = asking(&mut h).await;
    let made = h.sign_up(&event, full_party()).await.registration.unwrap();
    let answers = vec![Answer { question_id: "kada".into(), text: "Ryte".into() }];
    let change =
        Registration { answers, members: vec![Member::default()], language: "lt".into(), ..Default::default() };
    let request = amend(&made.name, change, &["answers", "members"]);
    let after = h.registrations.update_registration(request.clone()).await.unwrap().into_inner().registration.unwrap();
    assert_eq!(
        (after.party_size, after.state(), after.journal_number > made.journal_number),
        (1, State::Confirmed, true)
    );
    let again = h.registrations.update_registration(request).await.unwrap().into_inner().registration.unwrap();
    assert_eq!(again, after);
    let full = h.look(&made.name, RegistrationView::Full).await;
    assert_eq!((full.answers[0].text.as_str(), full.language.as_str(), full.members.len()), ("Ryte", "pl", 1));
    assert_eq!(full.contact, full_party().contact);
    let table = [
        (amend(&made.name, Registration::default(), &["answers"]), "registration.answers"),
        (amend(&made.name, Registration::default(), &["contact"]), "registration.contact"),
        (amend(&made.name, Registration::default(), &["members"]), "registration.members"),
        (amend(&made.name, Registration::default(), &["state"]), "update_mask"),
        (amend(&made.name, Registration::default(), &[]), "update_mask"),
    ];
    for (request, field) in table {
        assert_eq!(no(h.registrations.update_registration(request).await).fields, [field]);
    }
    let heads = Registration { head_count: Some(HeadCount { adults: 2, children: 0 }), ..Default::default() };
    let larger = h.registrations.update_registration(amend(&made.name, heads, &["head_count"])).await.unwrap();
    assert_eq!(larger.into_inner().registration.unwrap().party_size, 2);
    let five = Registration { members: vec![Member::default(); 5], ..Default::default() };
    let too_many = no(h.registrations.update_registration(amend(&made.name, five, &["members"])).await);
    assert_eq!((too_many.reason.as_str(), too_many.metadata["seats_needed"].as_str()), ("SEATS_NOT_FREE", "3"));
}

pub async fn a_party_acts_by_its_token_alone(mut h: House) {
    let event = h.open_with(5, |_| {}).await;
    let mine = h.sign_up(&event, party(1)).await;
    let other = h.sign_up(&event, party(1)).await;
    let name = mine.registration.unwrap().name;
    let get = |token: &str| GetRegistrationRequest {
        name: name.clone(),
        management_token: token.into(),
        ..Default::default()
    };
    let seen = h.registrations.get_registration(as_portal(get(&mine.management_token))).await;
    assert_eq!(seen.unwrap().into_inner().registration.unwrap().state(), State::Confirmed);
    for token in [other.management_token.as_str(), "", "nonsense", &"x".repeat(10_000)] {
        let refused = no(h.registrations.get_registration(as_portal(get(token))).await);
        assert_eq!((refused.reason.as_str(), &refused.metadata["registration"]), ("TOKEN_INVALID", &name));
    }
    // A wrong token is refused from staff too: whoever bears one acts as the party.
    assert_eq!(no(h.registrations.get_registration(get("nonsense")).await).reason, "TOKEN_INVALID");
    // Another registration's number with this secret is nobody's.
    let mut guessed = name.clone();
    let at = guessed.rfind("00000001").unwrap();
    guessed.replace_range(at..at + 8, "00000002");
    let request = GetRegistrationRequest { name: guessed, ..Default::default() };
    assert_eq!(no(h.registrations.get_registration(request).await).reason, "REGISTRATION_NOT_FOUND");
    let cancel = CancelRegistrationRequest {
        name: name.clone(),
        reason: CancelReason::CannotCome.into(),
        request_id: id(),
        management_token: mine.management_token,
    };
    let gone = h.registrations.cancel_registration(as_portal(cancel)).await.unwrap().into_inner().registration.unwrap();
    assert_eq!((gone.state(), gone.end_reason.as_str()), (State::Cancelled, "CANNOT_COME"));
}

pub async fn a_portal_does_what_anyone_may_and_learns_nothing(mut h: House) {
    let event = h.open_with(2, |_| {}).await;
    let who = party(1);
    let first = h.sign_up(&event, who.clone()).await.registration.unwrap();
    let mut twins = Vec::new();
    for (state, position) in [(State::Confirmed, 0), (State::Waitlisted, 1)] {
        let twin = h.registrations.create_registration(as_portal(sign_up(&event, who.clone()))).await.unwrap();
        let twin = twin.into_inner();
        let told = twin.registration.unwrap();
        assert_eq!((told.state(), told.position, told.possible_duplicate), (state, position, false), "as any newcomer");
        assert!(h.look(&told.name, RegistrationView::Basic).await.possible_duplicate, "staff see it");
        twins.push((told, twin.management_token));
    }
    let [(seated, _), (twin, token)] = twins.try_into().unwrap();
    let explain = ExplainRegistrationRequest { name: twin.name.clone(), management_token: token };
    let told = h.registrations.explain_registration(as_portal(explain)).await.unwrap().into_inner();
    assert_eq!(told.needed.unwrap().reason(), NeededReason::Seats, "what anybody reads");
    let explain = ExplainRegistrationRequest { name: twin.name.clone(), ..Default::default() };
    let told = h.registrations.explain_registration(explain).await.unwrap().into_inner();
    assert_eq!(told.needed.unwrap().reason(), NeededReason::Duplicate);
    // The first of them has the contact next, then the second.
    h.cancel(&first).await;
    assert_eq!((h.state(&seated).await, h.state(&twin).await), (State::Confirmed, State::Waitlisted));
    h.cancel(&seated).await;
    assert_eq!(h.state(&twin).await, State::Confirmed);
    let explain = ExplainRegistrationRequest { name: twin.name.clone(), ..Default::default() };
    let steps = h.registrations.explain_registration(explain).await.unwrap().into_inner().steps;
    assert!(steps.iter().any(|s| s.kind() == StepKind::DuplicateChanged && s.because == "twin_ended"));
}

pub async fn an_offer_is_accepted_declined_or_missed(mut h: House) {
    let event = h.open_with(3, |e| e.waitlist_policy = Some(offers())).await;
    let seated = [h.joins(&event, 1).await, h.joins(&event, 1).await, h.joins(&event, 1).await];
    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(h.joins(&event, 1).await);
    }
    for s in &seated {
        h.cancel(s).await;
    }
    let offered = h.look(&waiting[0].name, RegistrationView::Basic).await;
    assert_eq!((offered.state(), offered.offer_expire_time), (State::Offered, at("2031-01-10T09:00:00Z")));
    let accept = |r: &Registration| AcceptOfferRequest { name: r.name.clone(), request_id: id(), ..Default::default() };
    let taken = h.registrations.accept_offer(accept(&waiting[0])).await.unwrap().into_inner().registration.unwrap();
    assert_eq!((taken.state(), taken.pool_id.as_str(), taken.offer_expire_time), (State::Confirmed, "main", None));
    let twice = no(h.registrations.accept_offer(accept(&waiting[0])).await);
    assert_eq!((twice.reason.as_str(), twice.metadata["state"].as_str()), ("NO_LIVE_OFFER", "CONFIRMED"));
    let decline = DeclineOfferRequest { name: waiting[1].name.clone(), request_id: id(), ..Default::default() };
    let declined = h.registrations.decline_offer(decline).await.unwrap().into_inner().registration.unwrap();
    assert_eq!((declined.state(), declined.end_reason.as_str()), (State::Declined, "OTHER"));
    h.pass(Span::hours(2)).await;
    let missed = h.look(&waiting[2].name, RegistrationView::Basic).await;
    assert_eq!((missed.state(), missed.end_reason.as_str()), (State::Expired, "OFFER_MISSED"));
    let late = no(h.registrations.accept_offer(accept(&waiting[2])).await);
    assert_eq!(
        (late.reason.as_str(), late.metadata["expire_time"].as_str()),
        ("OFFER_EXPIRED", "2031-01-10T09:00:00Z")
    );
}

pub async fn staff_decide_with_reasons(mut h: House) {
    let event = h
        .open_with(1, |e| {
            e.approval_required = true;
            e.waitlist_policy = Some(WaitlistPolicy {
                promotion: Promotion::Manual.into(),
                class_order: vec!["mandated".into()],
                ..Default::default()
            });
        })
        .await;
    let all = [h.joins(&event, 1).await, h.joins(&event, 1).await, h.joins(&event, 1).await, h.joins(&event, 1).await];
    for r in &all[..3] {
        let approve = ApproveRegistrationRequest { name: r.name.clone(), request_id: id() };
        h.registrations.approve_registration(approve).await.unwrap();
    }
    let reject = |reason: RejectReason| RejectRegistrationRequest {
        name: all[3].name.clone(),
        reason: reason.into(),
        request_id: id(),
    };
    assert_eq!(no(h.registrations.reject_registration(reject(RejectReason::Unspecified)).await).fields, ["reason"]);
    let gone = h.registrations.reject_registration(reject(RejectReason::OutsideArea)).await.unwrap().into_inner();
    assert_eq!(gone.registration.unwrap().end_reason, "OUTSIDE_AREA");
    h.cancel(&all[0]).await;
    let promote = |i: usize, reason: &str, pool_id: &str| PromoteRegistrationRequest {
        name: all[i].name.clone(),
        pool_id: pool_id.into(),
        reason: reason.into(),
        request_id: id(),
        ..Default::default()
    };
    let needed = no(h.registrations.promote_registration(promote(2, "", "")).await);
    assert_eq!((needed.reason.as_str(), needed.metadata["position"].as_str()), ("REASON_REQUIRED", "2"));
    let nowhere = no(h.registrations.promote_registration(promote(2, "x", "balcony")).await);
    assert_eq!((nowhere.reason.as_str(), nowhere.metadata["pool_id"].as_str()), ("POOL_NOT_FOUND", "balcony"));
    let set_class = |class: &str| SetRegistrationClassRequest {
        name: all[2].name.clone(),
        class: class.into(),
        reason: "teismo įpareigojimas".into(),
        request_id: id(),
        ..Default::default()
    };
    let unknown = no(h.registrations.set_registration_class(set_class("vip")).await);
    assert_eq!((unknown.reason.as_str(), unknown.metadata["known"].as_str()), ("CLASS_UNKNOWN", "mandated"));
    let first = h.registrations.set_registration_class(set_class("mandated")).await.unwrap().into_inner();
    let first = first.registration.unwrap();
    assert_eq!((first.class.as_str(), first.position), ("mandated", 1));
    let seated = h.registrations.promote_registration(promote(2, "", "main")).await.unwrap().into_inner();
    assert_eq!(seated.registration.unwrap().state(), State::Confirmed);
    let full = no(h.registrations.promote_registration(promote(1, "", "")).await);
    assert_eq!((full.reason.as_str(), full.metadata["seats_free"].as_str()), ("SEATS_NOT_FREE", "0"));
}

pub async fn a_transfer_moves_the_party_and_answers_both_ends(mut h: House) {
    let from = h.open_with(2, |_| {}).await;
    let to = h.open_with(1, |e| e.seat_pools = vec![pool("rytas", 2), pool("vakaras", 2)]).await;
    let moving = h.sign_up(&from, full_party_without_answers()).await;
    let waiting = h.joins(&from, 1).await;
    let name = moving.registration.unwrap().name;
    let transfer = |wish: &str, target: &str| TransferRegistrationRequest {
        name: name.clone(),
        target_event: target.into(),
        acceptable_pools: vec![wish.into()],
        request_id: id(),
        management_token: moving.management_token.clone(),
        ..Default::default()
    };
    let nowhere = no(h.registrations.transfer_registration(transfer("naktis", &to)).await);
    assert_eq!((nowhere.reason.as_str(), nowhere.metadata["pool_id"].as_str()), ("POOL_NOT_FOUND", "naktis"));
    assert_eq!(no(h.registrations.transfer_registration(transfer("main", &from)).await).reason, "SAME_EVENT");
    let lost = format!("events/{}", id());
    assert_eq!(no(h.registrations.transfer_registration(transfer("main", &lost)).await).metadata["event"], lost);
    let tried = TransferRegistrationRequest { validate_only: true, ..transfer("vakaras", &to) };
    let answer = h.registrations.transfer_registration(tried).await.unwrap().into_inner();
    assert_eq!(answer.registration.unwrap().state(), State::Confirmed);
    assert_eq!(h.get(&to).await.counts.unwrap().applied_parties, 0);
    let source = h.look(&transfer("vakaras", &to).name, RegistrationView::Full).await;
    let before: Vec<String> = source.members.iter().map(|m| m.person.clone()).collect();
    let request = transfer("vakaras", &to);
    let moved = h.registrations.transfer_registration(request.clone()).await.unwrap().into_inner();
    let (new, old) = (moved.registration.clone().unwrap(), moved.source.clone().unwrap());
    assert_eq!((new.state(), new.pool_id.as_str(), &new.event), (State::Confirmed, "vakaras", &to));
    assert_eq!((old.state(), &old.transferred_to), (State::Transferred, &new.name));
    assert_eq!(h.state(&waiting).await, State::Confirmed, "its seat moved on");
    assert_eq!(h.registrations.transfer_registration(request).await.unwrap().into_inner(), moved);
    let mut party = h.look(&new.name, RegistrationView::Full).await;
    let persons: Vec<String> = party.members.iter_mut().map(|m| std::mem::take(&mut m.person)).collect();
    assert_eq!(persons, before, "they stay who they are");
    assert_eq!((party.contact, party.members), (full_party().contact, full_party().members));
    let get = GetRegistrationRequest { name: new.name, management_token: moved.management_token, ..Default::default() };
    h.registrations.get_registration(as_portal(get)).await.unwrap();
    let again = no(h.registrations.transfer_registration(transfer("rytas", &to)).await);
    assert_eq!((again.reason.as_str(), again.metadata["state"].as_str()), ("ILLEGAL_STATE", "TRANSFERRED"));
}

/// Whoever bears a token acts as its party, whatever the metadata say: a transfer to an event where its contact is
/// registered already is answered as one to an event where it is not.
pub async fn a_transfer_by_token_learns_nothing_of_who_is_registered(mut h: House) {
    let (from, to) = (h.open_with(2, |_| {}).await, h.open_with(5, |_| {}).await);
    let victim = party(1);
    h.sign_up(&to, victim.clone()).await;
    let joined = h.sign_up(&from, victim).await;
    let by_token = |management_token: &str, request_id: String| TransferRegistrationRequest {
        name: joined.registration.clone().unwrap().name,
        target_event: to.clone(),
        management_token: management_token.into(),
        request_id,
        ..Default::default()
    };
    let known = no(h.registrations.transfer_registration(by_token("", id())).await);
    assert_eq!(known.reason, "ALREADY_REGISTERED", "staff are told");
    let moved = h.registrations.transfer_registration(by_token(&joined.management_token, id())).await;
    let moved = moved.unwrap().into_inner().registration.unwrap();
    assert_eq!((moved.state(), moved.possible_duplicate), (State::Confirmed, false));
    assert!(h.look(&moved.name, RegistrationView::Basic).await.possible_duplicate, "staff see it");
}

fn full_party_without_answers() -> Registration {
    Registration { answers: Vec::new(), acceptable_pools: Vec::new(), members: full_party().members, ..full_party() }
}

pub async fn a_line_is_explained_by_numbers(mut h: House) {
    let event = h.open_with(2, |_| {}).await;
    let seated = h.joins(&event, 2).await;
    let first = h.joins(&event, 2).await;
    let second = h.joins(&event, 1).await;
    let explain = |r: &Registration| ExplainRegistrationRequest { name: r.name.clone(), ..Default::default() };
    let told = h.registrations.explain_registration(explain(&second)).await.unwrap().into_inner();
    assert_eq!((told.state(), told.position, told.parties_before, told.accepted_number), (State::Waitlisted, 2, 1, 3));
    assert_eq!(told.ahead, vec![PartyAhead { accepted_number: first.accepted_number, party_size: 2 }]);
    let needed = told.needed.unwrap();
    assert_eq!((needed.reason(), needed.seats, needed.persons_before), (NeededReason::PartiesBefore, 3, 2));
    let kinds: Vec<_> = told.steps.iter().map(|s| s.kind()).collect();
    assert_eq!(kinds, [StepKind::Received, StepKind::Waitlisted]);
    assert_eq!(
        told.text[1].text,
        "Laukiama eilėje, vieta eilėje: 2. Priekyje dar 1 registracija; turi atsilaisvinti 3 vietos."
    );
    h.cancel(&seated).await;
    let told = h.registrations.explain_registration(explain(&first)).await.unwrap().into_inner();
    assert_eq!((told.needed.unwrap().reason(), told.position), (NeededReason::Nothing, 0));
    let last = told.steps.last().unwrap();
    assert_eq!(
        (last.kind(), last.because.as_str(), last.seats, last.pool_id.as_str()),
        (StepKind::Confirmed, "first_in_line", 2, "main")
    );
    assert_eq!(last.actor_kind(), ActorKind::System);
    let told = h.registrations.explain_registration(explain(&seated)).await.unwrap().into_inner();
    assert_eq!((told.needed, told.state()), (None, State::Cancelled));
    let kinds: Vec<_> = told.steps.iter().map(|s| (s.kind(), s.seats)).collect();
    assert_eq!(kinds, [(StepKind::Received, 0), (StepKind::Confirmed, 2), (StepKind::Cancelled, -2)]);
}

pub async fn lists_go_by_line_name_and_time_and_find_people(mut h: House) {
    let event = h
        .open_with(1, |e| {
            e.waitlist_policy = Some(WaitlistPolicy { class_order: vec!["mandated".into()], ..Default::default() })
        })
        .await;
    let names = ["Ona Žemaitė", "Łucja Łańcuszkowska", "ąžuolas Petras", "Їванна Щеглова", "Zita Ėjimaitienė"];
    let mut all = Vec::new();
    for (i, name) in names.iter().enumerate() {
        let contact = Contact { display_name: (*name).into(), phone: format!("8 612 3370{i}"), ..Default::default() };
        let channel = if i % 2 == 0 { Channel::Web } else { Channel::Phone };
        let party = Registration { contact: Some(contact), channel: channel.into(), ..party(1) };
        all.push(h.sign_up(&event, party).await.registration.unwrap().name);
    }
    let class = SetRegistrationClassRequest {
        name: all[3].clone(),
        class: "mandated".into(),
        reason: "žinoma".into(),
        request_id: id(),
        ..Default::default()
    };
    h.registrations.set_registration_class(class).await.unwrap();
    let table: [(&str, &str, &[usize]); 17] = [
        ("line", "", &[3, 0, 1, 2, 4]),
        ("", "state = WAITLISTED", &[3, 1, 2, 4]),
        ("time", "", &[0, 1, 2, 3, 4]),
        ("name", "", &[2, 1, 0, 4, 3]),
        ("name", "state != CONFIRMED", &[2, 1, 4, 3]),
        ("time", "channel = PHONE", &[1, 3]),
        ("line", "channel != PHONE AND state = WAITLISTED", &[2, 4]),
        ("time", "class = mandated", &[3]),
        ("time", "class = \"\"", &[0, 1, 2, 4]),
        ("time", "pool = main", &[0]),
        ("time", "pool = \"\"", &[1, 2, 3, 4]),
        ("time", "language != lt", &[]),
        ("time", "search : zemait", &[0]),
        ("name", "search : \"LUCJA lancuszkowska\"", &[1]),
        ("line", "search : щеглова", &[3]),
        ("line", "search : 37061233704", &[4]),
        ("line", "search : \"ejimaitien niekas\"", &[]),
    ];
    for (order_by, filter, expected) in table {
        for page_size in [0, 2] {
            let mut found = Vec::new();
            let mut token = String::new();
            loop {
                let request = ListRegistrationsRequest {
                    parent: event.clone(),
                    page_size,
                    page_token: token,
                    filter: filter.into(),
                    order_by: order_by.into(),
                    ..Default::default()
                };
                let page = h.registrations.list_registrations(request).await.unwrap().into_inner();
                found.extend(page.registrations.iter().map(|r| all.iter().position(|n| *n == r.name).unwrap()));
                token = page.next_page_token;
                if token.is_empty() {
                    break;
                }
            }
            assert_eq!(found, expected, "{order_by} {filter} {page_size}");
        }
    }
    let full =
        ListRegistrationsRequest { parent: event.clone(), view: RegistrationView::Full.into(), ..Default::default() };
    let page = h.registrations.list_registrations(full).await.unwrap().into_inner();
    assert_eq!(page.registrations[0], h.look(&all[3], RegistrationView::Full).await);
    for (filter, order_by) in [("state = HAPPY", ""), ("search = ona", ""), ("", "age")] {
        let request = ListRegistrationsRequest {
            parent: event.clone(),
            filter: filter.into(),
            order_by: order_by.into(),
            ..Default::default()
        };
        assert_eq!(no(h.registrations.list_registrations(request).await).reason, "FILTER_INVALID", "{filter}");
    }
}

/// Each correction writes the whole party: whoever read it before another wrote would take the other's words back.
pub async fn corrections_of_different_fields_at_the_same_moment_are_all_kept(mut h: House) {
    let questions =
        vec![Question { question_id: "q".into(), texts: lt("Kaip?"), max_length: 100, ..Default::default() }];
    let event = h.open_with(9, |e| e.questions = questions).await;
    let name = h.joins(&event, 1).await.name;
    for round in 1..=8 {
        let contact = Contact { email: format!("r{round}@example.org"), ..contact() };
        let language = ["lt", "pl", "ru", "uk"][round % 4].to_owned();
        let members: Vec<_> =
            (0..round).map(|n| Member { display_name: format!("Narė {n}"), ..Default::default() }).collect();
        let services = Some(ServiceWishes { childcare_children: round as i32, rides: 1 });
        let answers = vec![Answer { question_id: "q".into(), text: format!("Nr. {round}") }];
        let wanted = Registration {
            name: name.clone(),
            contact: Some(contact),
            language,
            members,
            services,
            answers,
            willing_elsewhere: round % 2 == 1,
            ..Default::default()
        };
        let calls = ["contact", "language", "members", "services", "answers", "willing_elsewhere"].map(|field| {
            let (mut client, registration) = (h.registrations.clone(), Some(wanted.clone()));
            let request = UpdateRegistrationRequest {
                registration,
                update_mask: mask(&[field]),
                request_id: id(),
                ..Default::default()
            };
            tokio::spawn(async move { client.update_registration(request).await.unwrap() })
        });
        for call in calls {
            call.await.unwrap();
        }
        let now = h.look(&name, RegistrationView::Full).await;
        let of = |r: &Registration| {
            let Registration { contact, language, mut members, services, answers, willing_elsewhere, .. } = r.clone();
            members.iter_mut().for_each(|member| member.person.clear());
            (contact, language, members, services, answers, willing_elsewhere)
        };
        assert_eq!(of(&now), of(&wanted), "round {round}");
    }
}

/// One corrects to a contact of its own, another to one that is taken: nothing that a party can ask for differs.
pub async fn a_contact_that_is_taken_is_corrected_to_without_a_word_of_it(mut h: House) {
    for seats in [4, 1] {
        let mut seen = Vec::new();
        for is_taken in [false, true] {
            let event = h.open_with(seats, |_| {}).await;
            let taken = party(1);
            let first = h.sign_up(&event, taken.clone()).await.registration.unwrap();
            let joined = h.sign_up(&event, party(1)).await;
            let (name, management_token) = (joined.registration.unwrap().name, joined.management_token);
            let contact = if is_taken { taken.contact } else { Some(contact()) };
            let amend = UpdateRegistrationRequest {
                registration: Some(Registration { name: name.clone(), contact, ..Default::default() }),
                update_mask: mask(&["contact"]),
                request_id: id(),
                management_token,
                ..Default::default()
            };
            let answer = h.registrations.update_registration(as_portal(amend.clone())).await.unwrap().into_inner();
            let management_token = answer.management_token.clone();
            let explain = ExplainRegistrationRequest { name: name.clone(), management_token: management_token.clone() };
            let told = h.registrations.explain_registration(as_portal(explain)).await.unwrap().into_inner();
            seen.push((without_names(answer.clone().registration.unwrap()), without_times(told)));
            h.a_mark_is_for_staff_and_ends_in_a_drop(&event, &name, management_token, is_taken).await;
            let again = h.registrations.update_registration(as_portal(amend)).await.unwrap().into_inner();
            assert_eq!(again, answer, "also when it has gone");
            assert_eq!(h.state(&first).await, State::Confirmed);
        }
        assert_eq!(seen[0], seen[1], "{seats}");
    }
}

fn without_names(r: Registration) -> Registration {
    Registration { name: String::new(), event: String::new(), ..r }
}

fn without_times(mut told: ExplainRegistrationResponse) -> ExplainRegistrationResponse {
    told.steps.iter_mut().for_each(|s| s.time = None);
    told
}

impl House {
    async fn a_mark_is_for_staff_and_ends_in_a_drop(
        &mut self,
        event: &str,
        name: &str,
        management_token: String,
        is_marked: bool,
    ) {
        let before = self.look(name, RegistrationView::Basic).await;
        assert_eq!(before.possible_duplicate, is_marked, "staff see it");
        let held = self.get(event).await.counts.unwrap().confirmed_persons;
        let explain = ExplainRegistrationRequest { name: name.into(), ..Default::default() };
        let told = self.registrations.explain_registration(explain).await.unwrap().into_inner();
        let word = if is_marked { "contact_taken" } else { "details_corrected" };
        assert_eq!(told.steps.last().unwrap().because, word);
        self.pass(Span::hours(24)).await;
        let look = GetRegistrationRequest { name: name.into(), management_token, ..Default::default() };
        let after = self.registrations.get_registration(as_portal(look)).await.unwrap().into_inner();
        let after = after.registration.unwrap();
        let expected = if is_marked { State::Expired } else { before.state() };
        assert_eq!((after.state(), after.end_reason.as_str()), (expected, ""));
        let freed = i32::from(is_marked && before.state() == State::Confirmed);
        assert_eq!(self.get(event).await.counts.unwrap().confirmed_persons, held - freed);
    }
}
