//! `eile completions`: what a shell needs to know to finish words.

use super::failure::{Failure, Verdict};
use clap_complete::Shell;
use std::io::Write;

const EXAMPLES: &str = "\
Examples:
  eile completions bash > ~/.local/share/bash-completion/completions/eile
  eile completions zsh > ~/.zfunc/_eile
  eile completions fish > ~/.config/fish/completions/eile.fish";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

pub fn run(arguments: &Arguments, mut command: clap::Command) -> Result<Verdict, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "eile", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(Verdict::Done)
}
