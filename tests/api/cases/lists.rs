//! Pages that end by bytes: whatever is stored can be read by a client as it comes, which takes 4 MiB a message.

use crate::house::House;
use crate::samples::*;
use eile::api::proto::*;
use prost::Message;

/// What a page may have at most: its bound and one message more.
const PAGE_MAX: usize = 1024 * 1024 + 300_000;

pub async fn a_list_of_long_events_ends_its_pages_by_bytes(mut h: House) {
    let centre = h.centre().await;
    let languages = ["lt", "en", "pl", "ru", "uk", "lv", "et", "de", "fr", "es"];
    let long = |language: &str| LocalizedText { language: language.into(), text: "ž".repeat(5000) };
    for _ in 0..45 {
        let descriptions = languages.iter().map(|language| long(language)).collect();
        h.draft(Event { descriptions, ..event(&centre, 2) }).await;
    }
    let (mut names, mut request) = (Vec::new(), ListEventsRequest { page_size: 500, ..Default::default() });
    request.filter = format!("centre = \"{centre}\"");
    loop {
        let page = h.events.list_events(request.clone()).await.unwrap().into_inner();
        assert!(page.encoded_len() <= PAGE_MAX, "{} bytes", page.encoded_len());
        assert!(!page.events.is_empty());
        names.extend(page.events.into_iter().map(|e| e.name));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 45, "each once");
}

pub async fn a_list_of_large_parties_ends_its_pages_by_bytes(mut h: House) {
    let event = h.open_with(5000, |_| {}).await;
    for _ in 0..60 {
        let member = Member { display_name: "ž".repeat(200), person_ref: "ž".repeat(64), ..Default::default() };
        let request = sign_up(&event, Registration { members: vec![member; 50], ..party(1) });
        h.registrations.create_registration(request).await.unwrap();
    }
    for order_by in ["line", "name", "time"] {
        let (mut found, mut token) = (0, String::new());
        loop {
            let request = ListRegistrationsRequest {
                parent: event.clone(),
                page_size: 500,
                page_token: token,
                order_by: order_by.into(),
                view: RegistrationView::Full.into(),
                ..Default::default()
            };
            let page = h.registrations.list_registrations(request).await.unwrap().into_inner();
            assert!(page.encoded_len() <= PAGE_MAX, "{} bytes", page.encoded_len());
            found += page.registrations.len();
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(found, 60, "{order_by}");
    }
    let (mut found, mut token) = (0, String::new());
    loop {
        let request =
            GetRosterRequest { parent: event.clone(), session_id: "s1".into(), page_size: 500, page_token: token };
        let page = h.attendance.get_roster(request).await.unwrap().into_inner();
        assert!(page.encoded_len() <= PAGE_MAX, "{} bytes", page.encoded_len());
        found += page.entries.len();
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(found, 60);
}
