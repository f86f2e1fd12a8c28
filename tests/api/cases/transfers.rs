//! What a party that moves must say to the event that it moves to.

use crate::house::{House, no};
use crate::samples::*;
use eile::api::proto::RegistrationState as State;
use eile::api::proto::*;

fn question(id: &str, required: bool) -> Question {
    Question { question_id: id.into(), texts: lt("Klausimas?"), required, max_length: 10 }
}

fn answer(id: &str, text: &str) -> Answer {
    Answer { question_id: id.into(), text: text.into() }
}

pub async fn a_party_that_moves_answers_what_the_target_asks(mut h: House) {
    let asks = |ids: [(&'static str, bool); 2]| {
        move |e: &mut Event| e.questions = ids.iter().map(|(id, required)| question(id, *required)).collect()
    };
    let from = h.open_with(2, asks([("kada", false), ("tik-cia", false)])).await;
    let to = h.open_with(2, asks([("kada", false), ("kiek", true)])).await;
    let moving = Registration { answers: vec![answer("kada", "Vakare"), answer("tik-cia", "Taip")], ..party(1) };
    let name = h.sign_up(&from, moving).await.registration.unwrap().name;
    let transfer = |answers: Vec<Answer>| TransferRegistrationRequest {
        name: name.clone(),
        target_event: to.clone(),
        request_id: id(),
        answers,
        ..Default::default()
    };
    for validate_only in [true, false] {
        let silent = TransferRegistrationRequest { validate_only, ..transfer(vec![]) };
        let refused = no(h.registrations.transfer_registration(silent).await);
        assert_eq!((refused.reason.as_str(), refused.fields), ("INVALID_FIELDS", vec!["answers".to_owned()]));
    }
    let wrong = vec![answer("kiek", "daugiau nei galima"), answer("tik-cia", "Taip")];
    let wrong = no(h.registrations.transfer_registration(transfer(wrong)).await);
    assert_eq!(wrong.fields, ["answers[0].text", "answers[1].question_id"]);
    let code = no(h.registrations.transfer_registration(transfer(vec![answer("kiek", "38703181745")])).await);
    assert_eq!(code.reason, "PERSONAL_CODE_REFUSED");
    let request = transfer(vec![answer("kiek", "Du")]);
    let moved = h.registrations.transfer_registration(request.clone()).await.unwrap().into_inner();
    let new = moved.registration.clone().unwrap();
    assert_eq!(new.state(), State::Confirmed);
    let full = h.look(&new.name, RegistrationView::Full).await;
    assert_eq!(full.answers, [answer("kiek", "Du"), answer("kada", "Vakare")], "what both ask is said already");
    // Whoever has moved is answered as first, though more is asked now.
    let more = Event { name: to.clone(), questions: vec![question("dar", true)], ..Default::default() };
    h.update(more, &["questions"]).await;
    assert_eq!(h.registrations.transfer_registration(request).await.unwrap().into_inner(), moved);
}
