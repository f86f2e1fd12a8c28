//! Centres and programmes.

use super::{etag, int32, names, texts, time, words};
use crate::api::proto;
use crate::model::centre::{Centre, Eldership, Programme};
use crate::model::event::AttendanceRule;

pub fn centre(centre: &Centre) -> proto::Centre {
    let Centre {
        id,
        display_names,
        municipality_code,
        elderships,
        time_zone,
        languages,
        created_at,
        updated_at,
        version,
    } = centre;
    let eldership =
        |Eldership { code, name }: &Eldership| proto::Eldership { code: code.clone(), display_name: name.clone() };
    proto::Centre {
        name: names::centre(id),
        display_names: texts(display_names),
        municipality_code: municipality_code.clone(),
        elderships: elderships.iter().map(eldership).collect(),
        time_zone: time_zone.name().to_owned(),
        languages: languages.clone(),
        create_time: Some(time::instant(*created_at)),
        update_time: Some(time::instant(*updated_at)),
        etag: etag(*version),
    }
}

pub fn programme(programme: &Programme) -> proto::Programme {
    let p = programme;
    proto::Programme {
        name: names::programme(&p.id),
        titles: texts(&p.titles),
        kind: words::event_kind(p.kind).into(),
        usual_session_count: int32(p.usual_session_count),
        usual_session_duration: p.usual_session_duration.map(time::span),
        group_size_min: int32(p.group_size_min),
        group_size_max: int32(p.group_size_max),
        attendance_rule: p.attendance_rule.map(attendance_rule),
        project_code: p.project_code.clone(),
        create_time: Some(time::instant(p.created_at)),
        update_time: Some(time::instant(p.updated_at)),
        etag: etag(p.version),
    }
}

pub fn attendance_rule(rule: AttendanceRule) -> proto::AttendanceRule {
    let AttendanceRule { min_percent, makeup_sessions } = rule;
    proto::AttendanceRule { min_percent: int32(min_percent), makeup_sessions: int32(makeup_sessions) }
}
