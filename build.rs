//! Compiles proto/ with a compiler written in Rust, so that no protoc is needed: messages and services
//! for the api room, and the descriptor set that server reflection answers from. Nothing else is built here.
//!
//! A message that holds words about people, or a secret, gets a `Debug` that prints its name alone: whatever logs a message by
//! accident tells on nobody. Which fields those are stands in proto/personal.txt.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    // The migrations are embedded in the binary; cargo does not see a new file in their folder by itself.
    println!("cargo::rerun-if-changed=migrations");

    let mut compiler = protox::Compiler::new(["proto"])?;
    // Comments are the manual of the API: they go into the Rust docs and out through reflection.
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(proto_files()?)?;

    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("eile_descriptor.bin"), compiler.encode_file_descriptor_set())?;
    let set = compiler.file_descriptor_set();
    let listed = fs::read_to_string("proto/personal.txt")?;
    let messages: Vec<Message> = set
        .file
        .iter()
        .filter(|file| file.package() == PACKAGE)
        .flat_map(|file| &file.message_type)
        .map(|message| {
            let fields = message.field.iter();
            Message {
                name: message.name().to_owned(),
                fields: fields.map(|f| (f.name().to_owned(), f.type_name().to_owned())).collect(),
            }
        })
        .collect();
    let silent = silent(&messages, &listed);
    fs::write(out.join("silent.rs"), debugs(&silent)?)?;
    fs::write(out.join("printed.rs"), printed(&messages)?)?;
    let paths = silent.iter().map(|name| format!(".{PACKAGE}.{name}"));
    tonic_prost_build::configure().skip_debug(paths).compile_fds(set)?;
    Ok(())
}

const PACKAGE: &str = "eile.v1";

/// A message with its fields: their names, and of messages their types.
struct Message {
    name: String,
    fields: Vec<(String, String)>,
}

/// The messages with a personal field, and all that hold one of those.
fn silent(messages: &[Message], listed: &str) -> BTreeSet<String> {
    let personal: BTreeSet<&str> = listed.lines().filter_map(|line| line.strip_prefix("personal ")).collect();
    let is_personal = |message: &Message, field: &str| {
        personal.contains(format!("{}.{field}", message.name).as_str())
            || personal.contains(format!("*.{field}").as_str())
    };
    let mut holders: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut open = Vec::new();
    for message in messages {
        for (field, kind) in &message.fields {
            if let Some(held) = kind.strip_prefix(&format!(".{PACKAGE}.")) {
                holders.entry(held).or_default().push(&message.name);
            }
            if is_personal(message, field) {
                open.push(message.name.as_str());
            }
        }
    }
    let mut silent = BTreeSet::new();
    while let Some(name) = open.pop() {
        if silent.insert(name.to_owned()) {
            open.extend(holders.get(name).into_iter().flatten());
        }
    }
    silent
}

/// A `Debug` for each that prints its name and nothing of it.
fn debugs(silent: &BTreeSet<String>) -> Result<String, std::fmt::Error> {
    let mut code = String::new();
    for name in silent {
        writeln!(
            code,
            "impl ::core::fmt::Debug for {name} {{\n    \
             fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {{\n        \
             f.write_str(\"{name} {{ .. }}\")\n    }}\n}}"
        )?;
    }
    Ok(code)
}

/// For the test that prints every message: its name, and how bytes of it print.
fn printed(messages: &[Message]) -> Result<String, std::fmt::Error> {
    let mut code = "&[\n".to_owned();
    for Message { name, .. } in messages {
        writeln!(code, "    (\"{name}\", |bytes| format!(\"{{:?}}\", proto::{name}::decode(bytes).unwrap())),")?;
    }
    code.push_str("]\n");
    Ok(code)
}

/// Every file of the package, in name order so that builds repeat.
fn proto_files() -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir("proto/eile/v1")? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
