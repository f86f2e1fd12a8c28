//! Every way to be told no, and its exit code.

use crate::house::{House, command, run};
use crate::support::service::{self, Database};

#[test]
fn exit_codes_are_those_that_the_help_promises() {
    service::run(async {
        let house = House::open(Database::Sqlite).await;
        let event = house.event.as_str();
        let nobody = "events/0198c2f4-6d1e-4c3a-9f00-2b6f5d1c7e11";
        let signup = ["signup", event, "--name", "Ona"];
        let table: Vec<(Vec<&str>, i32, &str)> = vec![
            (vec!["event", "show", "elk"], 2, "events/{uuid}"),
            (vec!["event", "show"], 2, "EVENT"),
            (vec!["events", "--format", "pdf"], 2, "possible values: table, json, csv, xlsx"),
            (vec!["events", "--from", "tomorrow"], 2, "YYYY-MM-DD"),
            (vec!["events", "--from", "2025-03-30T03:30"], 2, "skip 2025-03-30T03:30"),
            (vec!["events", "--time-zone", "Mars/Base"], 2, "no such time zone"),
            (vec!["events", "--server", "ftp://127.0.0.1:1"], 2, "https://"),
            (vec!["events", "--server", "https://127.0.0.1:1", "--patience", "0"], 5, "cannot be reached"),
            (vec!["events", "--server", "nonsense"], 2, "http://ADDRESS:PORT"),
            (vec!["events", "--filter", "colour = red"], 3, "[FILTER_INVALID]"),
            (vec!["events", "--state", "open"], 3, "[FILTER_INVALID]"),
            (vec!["event", "show", nobody], 4, "[EVENT_NOT_FOUND]"),
            (vec!["line", nobody], 4, "[EVENT_NOT_FOUND]"),
            (vec!["roster", event, "--session", "s9"], 4, "[SESSION_NOT_FOUND]"),
            (signup.to_vec(), 2, "--phone"),
            ([&signup[..], &["--phone", "12"]].concat(), 3, "registration.contact.phone"),
            ([&signup[..], &["--email", "p0@example.org"]].concat(), 3, "[ALREADY_REGISTERED]"),
            ([&signup[..], &["--email", "ona@example.org", "--pool", "attic"]].concat(), 4, "[POOL_NOT_FOUND]"),
            ([&signup[..], &["--email", "ona@example.org", "--adults", "7"]].concat(), 3, "[PARTY_LARGER_THAN_POOL]"),
            ([&signup[..], &["--email", "o@example.org", "--member", "Jonas:abc"]].concat(), 2, "year of birth"),
            ([&signup[..], &["--email", "o@example.org", "--request-id", "7"]].concat(), 2, "--request-id"),
            (vec!["checkin", event], 2, "CODE"),
            (vec!["changes", "--cursor", "nonsense"], 3, "[CURSOR_INVALID]"),
            (vec!["changes", "--kind", "sneezed"], 2, "no such kind"),
            (vec!["changes", "--follow", "--format", "xlsx"], 2, "--follow"),
            (vec!["changes", "--follow", "--output", "x"], 2, "standard output"),
            (vec!["completions", "cmd.exe"], 2, "possible values"),
            (vec!["sign-up"], 2, "unrecognized subcommand"),
        ];
        for (arguments, code, words) in table {
            let said = house.run(&arguments).await;
            assert_eq!(said.code, code, "{arguments:?}: {}{}", said.text(), said.error);
            assert!(said.error.contains(words), "{arguments:?}: no `{words}` in {}", said.error);
        }
        house.service.finish().await;
    });
}

#[test]
fn every_wrong_field_of_a_sign_up_is_told_at_once() {
    service::run(async {
        let house = House::open(Database::Sqlite).await;
        let wrong = ["--email", "nobody", "--phone", "12", "--member", "Jonas:1200", "--municipality", "?"];
        let arguments = [&["signup", &house.event, "--name", "Ona"][..], &wrong].concat();
        let said = house.run(&arguments).await.ended(3, "[INVALID_FIELDS]");
        for field in ["contact.email", "contact.phone", "members[0].birth_year", "municipality_code"] {
            assert!(said.error.contains(&format!("\n  registration.{field}: ")), "{}", said.error);
        }
        house.service.finish().await;
    });
}

#[tokio::test]
async fn a_change_that_may_have_been_done_names_the_id_to_repeat_it_under() {
    let folder = tempfile::tempdir().unwrap();
    let id = "0198c2f4-6d1e-4c3a-9f00-2b6f5d1c7e11";
    // A door that takes every call and answers none.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", silent.local_addr().unwrap());
    let slam = tokio::spawn(async move {
        loop {
            drop(silent.accept().await.unwrap());
        }
    });
    let arguments =
        ["attendance", "mark", id, "--session", "s1", "--registration", id, "--member", "1", "--mark", "present"];
    let reach = ["--server", server.as_str(), "--patience", "1", "--request-id", id];
    let begun = std::time::Instant::now();
    run(command(folder.path(), &[&arguments[..], &reach].concat())).await.ended(5, "cannot be reached");
    assert!(begun.elapsed() >= std::time::Duration::from_millis(300), "it tried again");
    slam.abort();
}
