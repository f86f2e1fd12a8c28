//! The rules of the house as tests, with kind messages.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The code of a file without its comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn names(code: &str, word: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(i, _)| {
        let before = code[..i].chars().next_back().is_none_or(|c| !is_word(c));
        let after = code[i + word.len()..].chars().next().is_none_or(|c| !is_word(c));
        before && after
    })
}

/// A room and what it must not name.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "src/model",
        &[
            "sqlx",
            "tonic",
            "tokio",
            "prost",
            "tracing",
            "crate::admission",
            "crate::storage",
            "crate::desk",
            "crate::feed",
            "crate::api",
        ],
    ),
    (
        "src/admission",
        &[
            "sqlx",
            "tonic",
            "tokio",
            "prost",
            "tracing",
            "async",
            "crate::storage",
            "crate::desk",
            "crate::feed",
            "crate::api",
            "crate::clock",
            "crate::keys",
            "SystemTime",
            "Instant",
        ],
    ),
    ("src/storage", &["tonic", "prost", "crate::desk", "crate::feed", "crate::api", "crate::cli"]),
    ("src/desk", &["sqlx", "tonic", "prost", "crate::feed", "crate::api", "crate::cli"]),
    ("src/feed", &["sqlx", "tonic", "prost", "crate::api", "crate::cli"]),
    ("src/access_log", &["sqlx", "tonic", "prost", "crate::api", "crate::cli", "crate::desk", "crate::feed"]),
    ("src/audit", &["sqlx", "tonic", "prost", "crate::api", "crate::cli", "crate::desk", "crate::feed"]),
    ("src/report", &["sqlx", "tonic", "prost", "crate::api", "crate::cli", "crate::desk", "crate::feed"]),
    (
        "src/oidc",
        &[
            "sqlx",
            "tonic",
            "prost",
            "crate::storage",
            "crate::desk",
            "crate::feed",
            "crate::api",
            "crate::config",
            "crate::clock",
        ],
    ),
    ("src/privacy", &["sqlx", "tonic", "prost", "crate::api", "crate::cli", "crate::feed", "crate::report"]),
    ("src/api", &["sqlx", "crate::cli", "crate::demo", "crate::client"]),
    (
        "src/client",
        &[
            "sqlx",
            "crate::admission",
            "crate::storage",
            "crate::desk",
            "crate::feed",
            "crate::audit",
            "crate::report",
            "crate::keys",
            "crate::config",
            "crate::cli",
        ],
    ),
    ("src/cli", &["sqlx"]),
    ("src/demo", &["sqlx"]),
];

#[test]
fn a_room_imports_only_from_the_rooms_below_it() {
    let mut wrong = Vec::new();
    for (room, words) in FORBIDDEN {
        let alone = format!("{room}.rs");
        let here = if Path::new(env!("CARGO_MANIFEST_DIR")).join(room).is_dir() {
            files(room, "rs")
        } else {
            files("src", "rs").into_iter().filter(|p| p.ends_with(&alone)).collect()
        };
        for path in here {
            let code = code(&path);
            for word in words.iter().filter(|w| names(&code, w)) {
                wrong.push(format!("{} names `{word}`", path.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "Imports go one way (ARCHITECTURE.md). Please pass a value instead, or move the code up a room:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn status_codes_are_chosen_in_one_place() {
    let allowed = ["status.rs", "refuse.rs"];
    let strays: Vec<_> = files("src/api", "rs")
        .into_iter()
        .filter(|p| !allowed.iter().any(|a| p.ends_with(a)) && names(&code(p), "Code"))
        .collect();
    assert!(strays.is_empty(), "Please let src/api/status.rs choose the code: {strays:?}");
}

/// What only SQLite has: statements that go to the connection's thread together, and whose texts are therefore
/// joined; each of them is static text.
const SCRIPT: &str = "script.rs";
/// What only PostgreSQL has: somebody at the other end of a wire, who may fall silent.
const HELD: &str = "held.rs";
/// And roles, and policies that bind them.
const WALL: &str = "wall.rs";

#[test]
fn the_two_dialects_mirror_each_other() {
    for (folder, ending) in [("src/storage", "rs"), ("migrations", "sql")] {
        let list = |dialect: &str| -> BTreeSet<PathBuf> {
            let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(dialect);
            files(&format!("{folder}/{dialect}"), ending)
                .into_iter()
                .map(|p| p.strip_prefix(&root).unwrap().to_owned())
                .filter(|p| ![SCRIPT, HELD, WALL].iter().any(|alone| p == Path::new(alone)))
                .collect()
        };
        assert_eq!(
            list("sqlite"),
            list("postgres"),
            "What one dialect has in {folder}, the other has too, under the same name"
        );
    }
}

#[test]
fn sql_is_static_text_that_says_its_name() {
    for path in files("src/storage", "rs").into_iter().filter(|p| !p.ends_with(Path::new("sqlite").join(SCRIPT))) {
        let code = code(&path);
        assert!(!names(&code, "AssertSqlSafe"), "{}: SQL is never put together from values", path.display());
    }
}

#[test]
fn every_rpc_says_who_may_call_it_and_when_it_refuses() {
    for path in files("proto", "proto") {
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (i, line) in lines.iter().enumerate().filter(|(_, l)| l.trim_start().starts_with("rpc ")) {
            let comment: Vec<_> = lines[..i].iter().rev().take_while(|l| l.trim_start().starts_with("//")).collect();
            for part in ["Permission:", "Refusals:", "Idempotency:", "Bounds:"] {
                assert!(
                    comment.iter().any(|l| l.contains(part)),
                    "{}: please tell of `{}` its {part}",
                    path.display(),
                    line.trim()
                );
            }
        }
    }
}

#[test]
fn every_dependency_says_what_it_is_for() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line.contains("dependencies");
        } else if inside && line.contains('=') {
            assert!(line.contains('#'), "please say what it is for: {line}");
        }
    }
}

#[test]
fn nothing_is_left_unfinished_and_no_machine_is_named() {
    let unfinished = [concat!("todo", "!("), concat!("unimplemented", "!("), concat!("FIX", "ME"), concat!("XX", "X")];
    let places = [concat!("/wo", "rk/"), concat!("/tmp/", "bash"), concat!("/root", "/")];
    for path in files("src", "rs").into_iter().chain(files("tests", "rs")).chain(files("docs", "md")) {
        let text = fs::read_to_string(&path).unwrap();
        for word in unfinished.iter().chain(&places) {
            assert!(!text.contains(word), "{} holds `{word}`", path.display());
        }
    }
}

/// Types that hold words about people, or secrets.
const SILENT: &[(&str, &[&str])] = &[
    ("src/model/party.rs", &["Party", "Contact", "Who", "Member", "Answer"]),
    ("src/desk/job.rs", &["Papers", "SignUp", "PartyPapers", "LeftBehind", "Job", "TransferJob"]),
    ("src/storage/transaction.rs", &["EventWrite", "NewRegistration", "PartyWrite", "PartyRow", "Reason"]),
    ("src/storage/codec/batch.rs", &["Batch", "PartyColumns", "ReasonColumns", "TokenColumns"]),
    ("src/keys.rs", &["Keys", "TokenKey"]),
    ("src/keys/access.rs", &["NewSecret"]),
    ("src/api/filter.rs", &["Term"]),
];

/// What stands before a type: its attributes, and its body up to the closing brace at the beginning of a line.
fn derived(code: &str, name: &str) -> (String, String) {
    let is_it = |line: &str| {
        let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        words.windows(2).any(|pair| matches!(pair[0], "struct" | "enum") && pair[1] == name)
    };
    let lines: Vec<&str> = code.lines().collect();
    let at = lines.iter().position(|line| is_it(line)).unwrap_or_else(|| panic!("there is no type {name}"));
    let before = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
    let body = lines[at..].iter().take_while(|line| **line != "}");
    (before.copied().collect(), body.copied().collect())
}

#[test]
fn what_holds_words_about_people_derives_no_debug() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (file, types) in SILENT {
        let code = code(&root.join(file));
        for name in *types {
            let (attributes, _) = derived(&code, name);
            assert!(!names(&attributes, "Debug"), "{file}: {name} holds words about people; please print none of them");
        }
    }
    // A type of parties that derives it holds no text.
    let code = code(&root.join("src/model/party.rs"));
    let all = code.lines().filter_map(|line| line.strip_prefix("pub struct ").or(line.strip_prefix("pub enum ")));
    for name in all.map(|rest| rest.split(|c: char| !c.is_alphanumeric()).next().unwrap()) {
        let (attributes, body) = derived(&code, name);
        let holds_text = names(&body, "String") || names(&body, "Member") || names(&body, "Contact");
        assert!(!(holds_text && names(&attributes, "Debug")), "src/model/party.rs: {name} derives Debug");
    }
}

#[test]
fn what_operators_are_told_to_alarm_on_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let told = fs::read_to_string(root.join("docs/operations.md")).unwrap();
    let source: String = files("src", "rs").iter().map(|path| code(path)).collect();
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let metrics: BTreeSet<&str> = told
        .split(|c: char| !is_part(c))
        .filter(|word| word.starts_with("eile_") || word.starts_with("grpc_server_"))
        .map(|word| word.strip_suffix("_total").or(word.strip_suffix("_info")).unwrap_or(word))
        .collect();
    assert!(metrics.len() > 10, "{metrics:?}");
    for metric in metrics {
        assert!(source.contains(&format!("\"{metric}\"")), "docs/operations.md names {metric}, which nobody measures");
    }
}

#[test]
fn every_mutant_finds_its_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list: toml::Table = fs::read_to_string(root.join("tests/mutants/mutants.toml")).unwrap().parse().unwrap();
    let mut ids = BTreeSet::new();
    let mut astray = Vec::new();
    for mutant in list["mutant"].as_array().unwrap() {
        let id = mutant["id"].as_str().unwrap();
        let one = std::slice::from_ref(mutant);
        let edits = mutant.get("edit").map_or(one, |edits| edits.as_array().unwrap());
        let found = |edit: &toml::Value| {
            let text = fs::read_to_string(root.join(edit["file"].as_str().unwrap())).unwrap_or_default();
            text.matches(edit["from"].as_str().unwrap()).count() == 1
        };
        if !ids.insert(id) || !edits.iter().all(found) {
            astray.push(id);
        }
    }
    assert!(
        ids.len() > 150 && astray.is_empty(),
        "tests/mutants/mutants.toml: what these change is elsewhere: {astray:?}"
    );
}
