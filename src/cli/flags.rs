//! The flags that settings can be given by. Common ones have a name of their own; every other goes by
//! `--set`.

use crate::config::{self, Config, ConfigError, Setting};
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Clone, Debug, Default)]
pub struct Flags {
    /// Settings file (TOML); config.sample.toml shows every setting.
    #[arg(long, value_name = "FILE", env = "EILE_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// Where calls are taken; elsewhere than on loopback only over TLS or with --behind-proxy [default: 127.0.0.1:7443].
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// A proxy in front of it does TLS; whoever calls needs an access key.
    #[arg(long)]
    pub behind_proxy: bool,
    /// The certificate for TLS, and those between it and its authority, in PEM.
    #[arg(long, value_name = "FILE")]
    pub tls_certificate: Option<String>,
    /// The private key of that certificate, in PEM.
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<String>,
    /// Who vouches for certificates of clients, in PEM.
    #[arg(long, value_name = "FILE")]
    pub tls_client_ca: Option<String>,
    /// A file, or postgres://user:password@host/name [default: eile-data/eile.db].
    #[arg(long, value_name = "FILE|URL")]
    pub database: Option<String>,
    /// Refuse to start where the tables are not up to date, instead of bringing them there.
    #[arg(long)]
    pub no_migrate: bool,
    /// Loopback address for /metrics, /livez and /readyz [default: none].
    #[arg(long, value_name = "ADDRESS")]
    pub metrics_listen: Option<String>,
    /// A web site whose scripts may call by gRPC-Web; may be given several times.
    #[arg(long = "cors-origin", value_name = "ORIGIN")]
    pub cors_origins: Vec<String>,
    /// human or json.
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// error, warn, info, debug, trace; also per room: info,eile::api=debug.
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// Any other setting, such as desk.batch_max=256; may be given several times.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub set: Vec<String>,
}

impl Flags {
    /// The settings: defaults < file < environment < these flags.
    pub fn load(&self) -> Result<Config, ConfigError> {
        config::load(self.config.as_deref(), std::env::vars_os().filter_map(readable), &self.settings()?)
    }

    fn settings(&self) -> Result<Vec<Setting>, ConfigError> {
        let mut all = Vec::new();
        for pair in &self.set {
            let Some((name, value)) = pair.split_once('=') else {
                return Err(ConfigError::Refused(format!("--set {pair}: give NAME=VALUE")));
            };
            all.push((name.trim().to_owned(), value.to_owned()));
        }
        let named = [
            ("listen", &self.listen),
            ("database", &self.database),
            ("tls.certificate_file", &self.tls_certificate),
            ("tls.key_file", &self.tls_key),
            ("tls.client_ca_file", &self.tls_client_ca),
            ("metrics.listen", &self.metrics_listen),
            ("log.format", &self.log_format),
            ("log.level", &self.log_level),
        ];
        for (name, value) in named {
            all.extend(value.as_ref().map(|value| (name.to_owned(), value.clone())));
        }
        if !self.cors_origins.is_empty() {
            all.push(("web.cors_origins".to_owned(), self.cors_origins.join(",")));
        }
        if self.behind_proxy {
            all.push(("behind_proxy".to_owned(), "true".to_owned()));
        }
        if self.no_migrate {
            all.push(("migrate".to_owned(), "false".to_owned()));
        }
        Ok(all)
    }
}

/// Variables that are no text are none of ours.
fn readable((name, value): (std::ffi::OsString, std::ffi::OsString)) -> Option<(String, String)> {
    Some((name.into_string().ok()?, value.into_string().ok()?))
}
