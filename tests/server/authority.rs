//! An authority that makes certificates for one test, and the files that they are written to.

use eile::tls::Files;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, date_time_ymd};
use std::path::PathBuf;
use std::time::Duration;
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub pem: String,
}

/// A certificate and its key, in PEM.
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut wanted = CertificateParams::new(Vec::new()).unwrap();
        wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = wanted.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(wanted, key), pem }
    }

    /// A certificate for the loopback address.
    pub fn server(&self) -> Pair {
        self.certificate(ExtendedKeyUsagePurpose::ServerAuth, 2100)
    }

    /// One that a client may show, until the first of January of that year.
    pub fn client(&self, until: i32) -> Pair {
        self.certificate(ExtendedKeyUsagePurpose::ClientAuth, until)
    }

    pub fn certificate(&self, purpose: ExtendedKeyUsagePurpose, until: i32) -> Pair {
        let seconds = date_time_ymd(until, 1, 1).unix_timestamp();
        self.until(purpose, seconds)
    }

    /// The same, until that second since 1970.
    pub fn until(&self, purpose: ExtendedKeyUsagePurpose, seconds: i64) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut wanted = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        wanted.extended_key_usages = vec![purpose];
        wanted.not_before = date_time_ymd(2000, 1, 1);
        let since_1970 = Duration::from_secs(seconds.try_into().unwrap());
        wanted.not_after = date_time_ymd(1970, 1, 1) + since_1970;
        let certificate = wanted.signed_by(&key, &self.issuer).unwrap().pem();
        Pair { certificate, key: key.serialize_pem() }
    }

    /// What a client needs to know of it, and what it shows.
    pub fn trusted(&self, shown: Option<&Pair>) -> ClientTlsConfig {
        let config = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(&self.pem));
        match shown {
            Some(pair) => config.identity(Identity::from_pem(&pair.certificate, &pair.key)),
            None => config,
        }
    }
}

/// Files in a folder that goes with them.
pub struct Written {
    pub folder: tempfile::TempDir,
}

impl Written {
    pub fn new(pair: &Pair) -> Self {
        let written = Self { folder: tempfile::tempdir().unwrap() };
        written.write(&pair.certificate, &pair.key);
        written
    }

    pub fn write(&self, certificate: &str, key: &str) {
        std::fs::write(self.path("certificate.pem"), certificate).unwrap();
        std::fs::write(self.path("key.pem"), key).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn files(&self) -> Files {
        Files { certificate: self.path("certificate.pem"), key: self.path("key.pem"), client_ca: None }
    }

    /// Clients may show certificates of this authority.
    pub fn files_with(&self, clients: &Authority) -> Files {
        std::fs::write(self.path("clients.pem"), &clients.pem).unwrap();
        Files { client_ca: Some(self.path("clients.pem")), ..self.files() }
    }
}
