//! `eile metrics`: what an instance has measured, as it is.

use super::failure::{Failure, Verdict};
use super::options::Reach;
use super::wire::Wire;
use crate::api::proto;
use std::io::Write;

const EXAMPLES: &str = "\
Examples:
  eile metrics                                              with EILE_KEY, or --key, of the role operator
  eile metrics > /var/lib/node_exporter/eile.prom           for the collector of text files";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    reach: Reach,
}

pub async fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.reach)?;
    let answer = wire.get_metrics(proto::GetMetricsRequest {}).await?;
    std::io::stdout().write_all(answer.text.as_bytes())?;
    Ok(Verdict::Done)
}
