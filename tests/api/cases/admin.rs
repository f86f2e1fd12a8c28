use crate::house::{House, no};
use crate::samples::*;
use eile::api::proto::*;

pub async fn a_centre_is_kept_and_changed_by_its_mask(mut h: House) {
    let given = Centre {
        elderships: vec![Eldership { code: "42-1".into(), display_name: "Kietaviškių seniūnija".into() }],
        ..centre()
    };
    let request = CreateCentreRequest {
        centre: Some(given.clone()),
        centre_id: "elk".into(),
        request_id: id(),
        ..Default::default()
    };
    let made = h.admin.create_centre(request.clone()).await.unwrap().into_inner().centre.unwrap();
    assert_eq!(
        (made.name.as_str(), made.time_zone.as_str(), made.etag.as_str()),
        ("centres/elk", "Europe/Vilnius", "\"1\"")
    );
    assert_eq!((made.languages.clone(), &made.elderships), (vec!["lt".to_owned()], &given.elderships));
    let again = h.admin.create_centre(request).await.unwrap().into_inner().centre.unwrap();
    assert_eq!(again, made);

    h.clock.advance(eile::model::time::Span::seconds(5));
    let changed = Centre {
        name: made.name.clone(),
        languages: vec!["lt".into(), "pl".into()],
        municipality_code: "not named by the mask".into(),
        ..Default::default()
    };
    let request = UpdateCentreRequest {
        centre: Some(changed),
        update_mask: mask(&["languages", "elderships"]),
        request_id: id(),
        ..Default::default()
    };
    let updated = h.admin.update_centre(request.clone()).await.unwrap().into_inner().centre.unwrap();
    assert_eq!((updated.languages.len(), updated.elderships.len(), updated.etag.as_str()), (2, 0, "\"2\""));
    assert_eq!((&updated.municipality_code, &updated.display_names), (&made.municipality_code, &made.display_names));
    assert!(updated.update_time.unwrap().seconds == made.update_time.unwrap().seconds + 5);
    let again = h.admin.update_centre(request).await.unwrap().into_inner().centre.unwrap();
    assert_eq!(again, updated, "a repeated update is done once");
    let got = h.admin.get_centre(GetCentreRequest { name: made.name }).await.unwrap().into_inner().centre.unwrap();
    assert_eq!(got, updated);
}

pub async fn a_programme_is_kept_and_changed_by_its_mask(mut h: House) {
    let given = Programme {
        usual_session_count: 8,
        usual_session_duration: hours(2),
        group_size_min: 6,
        group_size_max: 14,
        attendance_rule: Some(AttendanceRule { min_percent: 80, makeup_sessions: 1 }),
        project_code: "ESF-09.4.3".into(),
        ..programme()
    };
    let request = CreateProgrammeRequest {
        programme: Some(given.clone()),
        programme_id: "p01".into(),
        request_id: id(),
        ..Default::default()
    };
    let made = h.admin.create_programme(request).await.unwrap().into_inner().programme.unwrap();
    let expected = Programme {
        name: "programmes/p01".into(),
        etag: "\"1\"".into(),
        create_time: made.create_time,
        update_time: made.update_time,
        ..given
    };
    assert_eq!(made, expected);
    let request = UpdateProgrammeRequest {
        programme: Some(Programme { name: made.name.clone(), etag: made.etag.clone(), ..Default::default() }),
        update_mask: mask(&["usual_session_duration", "attendance_rule"]),
        request_id: id(),
        ..Default::default()
    };
    let updated = h.admin.update_programme(request).await.unwrap().into_inner().programme.unwrap();
    assert_eq!((updated.usual_session_duration, updated.attendance_rule), (None, None));
    assert_eq!(updated.usual_session_count, 8);
}

pub async fn a_taken_id_and_a_stale_etag_are_told(mut h: House) {
    let request = |validate_only| CreateCentreRequest {
        centre: Some(centre()),
        centre_id: "elk".into(),
        request_id: id(),
        validate_only,
    };
    h.admin.create_centre(request(true)).await.unwrap();
    h.admin.create_centre(request(false)).await.unwrap();
    for validate_only in [true, false] {
        let taken = no(h.admin.create_centre(request(validate_only)).await);
        assert_eq!((taken.reason.as_str(), taken.metadata["name"].as_str()), ("ALREADY_EXISTS", "centres/elk"));
        let stale = UpdateCentreRequest {
            centre: Some(Centre { name: "centres/elk".into(), etag: "\"9\"".into(), ..centre() }),
            update_mask: mask(&["display_names"]),
            request_id: id(),
            validate_only,
        };
        let stale = no(h.admin.update_centre(stale).await);
        assert_eq!((stale.reason.as_str(), stale.metadata["etag"].as_str()), ("ETAG_MISMATCH", "\"1\""));
    }
    let nobody = no(h.admin.get_centre(GetCentreRequest { name: "centres/none".into() }).await);
    assert_eq!(nobody.reason, "CENTRE_NOT_FOUND");
    let first = request(false);
    let other = CreateCentreRequest { centre_id: "other".into(), ..first.clone() };
    h.admin.create_centre(other).await.unwrap();
    assert_eq!(no(h.admin.create_centre(first).await).reason, "REQUEST_ID_REUSED");
}

pub async fn lists_go_page_by_page_and_tokens_belong_to_their_query(mut h: House) {
    for i in 0..5 {
        let request = CreateCentreRequest {
            centre: Some(centre()),
            centre_id: format!("c{i}"),
            request_id: id(),
            ..Default::default()
        };
        h.admin.create_centre(request).await.unwrap();
    }
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let request = ListCentresRequest { page_size: 2, page_token: token.clone() };
        let page = h.admin.list_centres(request).await.unwrap().into_inner();
        names.extend(page.centres.into_iter().map(|c| c.name));
        if page.next_page_token.is_empty() {
            break;
        }
        token = page.next_page_token;
    }
    assert_eq!(names, ["centres/c0", "centres/c1", "centres/c2", "centres/c3", "centres/c4"]);
    let other = no(h.admin.list_programmes(ListProgrammesRequest { page_size: 2, page_token: token }).await);
    assert_eq!(other.reason, "PAGE_TOKEN_INVALID");
    let negative = no(h.admin.list_centres(ListCentresRequest { page_size: -1, ..Default::default() }).await);
    assert_eq!(negative.fields, ["page_size"]);
}
