//! The file of a SQLite database: who may read it, whose it is, and that one process has it, by whatever name.
#![cfg(unix)]

use crate::process::{Served, run, text};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

fn rights(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn a_new_database_is_read_by_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    // `umask 022` is what most shells have, and tests too.
    let mut served = Served::start(folder.path(), &["--database", "new/deep/eile.db"]);
    for made in ["new", "new/deep"] {
        assert_eq!(rights(&folder.path().join(made)), 0o700, "{made}");
    }
    for file in ["eile.db", "eile.db-wal", "eile.db-shm", "eile.db.lock"] {
        assert_eq!(rights(&folder.path().join("new/deep").join(file)), 0o600, "{file}");
    }
    served.stop();
}

#[test]
fn a_second_name_of_a_file_is_no_second_database() {
    let folder = tempfile::tempdir().unwrap();
    let mut served = Served::start(folder.path(), &["--database", "eile.db"]);
    symlink("eile.db", folder.path().join("other.db")).unwrap();
    let second = run(folder.path(), &["check", "--database", "other.db"]);
    assert!(!second.status.success());
    assert!(text(&second.stderr).contains("stop it first"), "{}", text(&second.stderr));
    served.stop();
    assert!(run(folder.path(), &["check", "--database", "other.db"]).status.success());
    std::fs::hard_link(folder.path().join("eile.db"), folder.path().join("third.db")).unwrap();
    let third = run(folder.path(), &["check", "--database", "third.db"]);
    assert!(!third.status.success() && text(&third.stderr).contains("2 names"), "{}", text(&third.stderr));
}

#[test]
fn a_wrong_path_is_noticed_and_nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let missed = run(folder.path(), &["check", "--database", "nope.db"]);
    assert!(!missed.status.success());
    assert!(text(&missed.stderr).contains("no such database file"), "{}", text(&missed.stderr));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "not even a lock file");
    let mut served = Served::start(folder.path(), &[]);
    assert!(served.says("a new database"));
    served.stop();
}

#[tokio::test]
async fn a_file_of_another_program_is_refused_and_stays_as_it_is() {
    use sqlx::{Connection, Executor};
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("letter.txt"), "Miela Ona, rašau tau ilgą laišką. ".repeat(100)).unwrap();
    let url = format!("sqlite:{}?mode=rwc", folder.path().join("theirs.db").display());
    let mut theirs = sqlx::SqliteConnection::connect(&url).await.unwrap();
    theirs.execute("create table recipes (name text)").await.unwrap();
    theirs.close().await.unwrap();
    for file in ["letter.txt", "theirs.db"] {
        let before = std::fs::read(folder.path().join(file)).unwrap();
        for command in ["serve", "migrate", "check"] {
            let refused = run(folder.path(), &[command, "--database", file]);
            assert!(!refused.status.success(), "{command} {file}");
            assert!(text(&refused.stderr).contains("not a database of this program"), "{}", text(&refused.stderr));
        }
        assert_eq!(std::fs::read(folder.path().join(file)).unwrap(), before, "{file}");
    }
}
