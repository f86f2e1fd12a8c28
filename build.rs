//! Compiles proto/ with a compiler written in Rust, so that no protoc is needed: messages and services
//! for the api room, and the descriptor set that server reflection answers from. Nothing else is built here.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    // The migrations are embedded in the binary; cargo does not see a new file in their folder by itself.
    println!("cargo::rerun-if-changed=migrations");

    let mut compiler = protox::Compiler::new(["proto"])?;
    // Comments are the manual of the API: they go into the Rust docs and out through reflection.
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(proto_files()?)?;

    let descriptor = PathBuf::from(env::var("OUT_DIR")?).join("eile_descriptor.bin");
    fs::write(descriptor, compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure().compile_fds(compiler.file_descriptor_set())?;
    Ok(())
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
