//! Who may call what, as documents tell it: docs/rights.md, and the Permission of every rpc. Both are what src/api/rights.rs
//! says, or a test is red; `EILE_WRITE_DOCS=1 cargo test --test api rights` writes the page anew.

use eile::api::{FILE_DESCRIPTOR_SET, rights_table};
use eile::model::access::Role;
use eile::model::access_log::AccessKind;
use prost::Message;
use std::fmt::Write;
use std::path::PathBuf;

const HEAD: &str = "\
# Who may call what

Made from `src/api/rights.rs` by `EILE_WRITE_DOCS=1 cargo test --test api rights`; a test fails when it is stale.

- **yes**: a key of that role may call, for what the key reaches: its centres; of leaders and psychologists the events that it names.
  What it does not reach is answered as what does not exist. Roles are explained in
  [`Role`](../proto/eile/v1/admin.proto), why it is so in [0017](decisions/0017-keys-and-rights.md).
- **party**: also whoever shows the management token of that registration, without a key. A portal acts on a registration with its token
  only.
- **log**: what a call by staff leaves in the access log (`eile access-log`): a read of personal data, or a decision.
- Whoever signs in by OpenID Connect has the role that the settings map ([0020](decisions/0020-oidc.md)). A sensitive event hides its
  people from roles that it does not name ([0026](decisions/0026-sensitive-events.md)), a restriction from all but heads
  ([0028](decisions/0028-restriction.md)).
- Health (`grpc.health.v1`) and reflection ask for no key. Before the first key is made, whoever reaches the loopback address may
  call everything.
";

fn word(role: Role) -> String {
    format!("{role:?}").to_lowercase()
}

/// The services with their rpcs, in the order of proto/, each with the comment above it.
fn services() -> Vec<(String, Vec<String>)> {
    let set = prost_types::FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let services = set.file.iter().filter(|file| file.package() == "eile.v1").flat_map(|file| &file.service);
    let told = services.map(|service| {
        (service.name().to_owned(), service.method.iter().map(|method| method.name().to_owned()).collect())
    });
    let mut all: Vec<_> = told.collect();
    all.sort();
    all
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for (service, methods) in services() {
        let roles: Vec<_> = Role::ALL.into_iter().map(word).collect();
        let _ = write!(page, "\n## {service}\n\n| rpc | {} | party | log |\n|---|", roles.join(" | "));
        let _ = writeln!(page, "{}", "---|".repeat(roles.len() + 2));
        for method in methods {
            let (_, held, by_token, kind) = rights_table().find(|row| row.0 == method).unwrap();
            let yes = |is: bool| if is { "yes" } else { "" };
            let cells: Vec<_> = Role::ALL.into_iter().map(|role| yes(held.contains(&role))).collect();
            let kind = match kind {
                Some(AccessKind::Read) => "read",
                Some(AccessKind::Decision) => "decision",
                None => "",
            };
            let _ = writeln!(page, "| {method} | {} | {} | {kind} |", cells.join(" | "), yes(by_token));
        }
    }
    page
}

fn path(of: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(of)
}

#[test]
fn the_page_of_rights_says_what_the_table_says() {
    let page = page();
    if std::env::var_os("EILE_WRITE_DOCS").is_some() {
        std::fs::write(path("docs/rights.md"), &page).unwrap();
    }
    let stored = std::fs::read_to_string(path("docs/rights.md")).unwrap_or_default();
    assert!(stored == page, "docs/rights.md is stale: EILE_WRITE_DOCS=1 cargo test --test api rights");
}

/// What the comment of an rpc says under Permission, on one line.
fn permission(comment: &[&str]) -> String {
    let lines = comment.iter().map(|line| line.trim().trim_start_matches("//").trim());
    let text: Vec<_> = lines.skip_while(|line| !line.starts_with("Permission:")).collect();
    let end = text.iter().position(|line| line.starts_with("Refusals:")).unwrap_or(text.len());
    text[..end].join(" ")
}

#[test]
fn the_comment_of_every_rpc_names_the_roles_of_the_table() {
    let mut told = 0;
    for file in std::fs::read_dir(path("proto/eile/v1")).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (n, line) in lines.iter().enumerate() {
            let Some(method) = line.trim().strip_prefix("rpc ").and_then(|rest| rest.split('(').next()) else {
                continue;
            };
            let begin = lines[..n].iter().rposition(|line| !line.trim().starts_with("//")).unwrap();
            let (_, held, by_token, _) = rights_table().find(|row| row.0 == method).unwrap();
            let roles: Vec<_> = held.iter().map(|role| word(*role)).collect();
            let all_but_one = Role::ALL.into_iter().filter(|role| *role != Role::Operator).eq(held);
            let roles = if all_but_one { "every role but operator".to_owned() } else { roles.join(", ") };
            let token = if by_token { "; also the party by its management_token, without a key" } else { "" };
            let expected = format!("Permission: {roles}{token}.");
            let said = permission(&lines[begin + 1..n]);
            assert!(said.starts_with(&expected), "{method} says\n  {said}\nand the table says\n  {expected}");
            told += 1;
        }
    }
    assert_eq!(told, rights_table().count());
}
