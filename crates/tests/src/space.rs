//! A place of its own for each test: a folder, a database, and keys in Redis where the run uses it.

use std::path::Path;

use mysql::Conn;
use mysql::prelude::Queryable as _;
use tempfile::TempDir;

use crate::mysql::connect;
use crate::{Look, copy};

/// Names the engines that a run of the tests uses: `sqlite` (the default), `mysql`, `sqlite+redis`, `mysql+redis`.
pub const TEST_ON: &str = "ORDERMILL_TEST_ON";
/// The address of a MySQL or MariaDB server on which tests may make databases, without a database's name.
pub const TEST_MYSQL: &str = "ORDERMILL_TEST_MYSQL";
/// The address of a Redis or Valkey server, or cluster, in which tests may make keys.
pub const TEST_REDIS: &str = "ORDERMILL_TEST_REDIS";

/// A place of one test. What was made in it goes away with it.
pub struct Space {
    folder: TempDir,
    database_url: String,
    database: Option<Database>,
    redis: Option<String>,
    word: String,
}

struct Database {
    server: String,
    name: String,
}

impl Space {
    /// An empty place on the engines that this run of the tests uses.
    pub fn new() -> Self {
        let engines = std::env::var(TEST_ON).unwrap_or_else(|_| "sqlite".to_owned());
        match engines.as_str() {
            "sqlite" => Self::on(false, false),
            "mysql" => Self::on(true, false),
            "sqlite+redis" => Self::on(false, true),
            "mysql+redis" => Self::on(true, true),
            other => panic!("{TEST_ON} is `{other}`, not one of sqlite, mysql, sqlite+redis, mysql+redis"),
        }
    }

    /// An empty place on these engines.
    pub fn on(mysql: bool, redis: bool) -> Self {
        let (mysql, redis) = (mysql.then(|| server(TEST_MYSQL)), redis.then(|| server(TEST_REDIS)));
        Self::at(mysql.as_deref(), redis)
    }

    /// An empty place on these servers.
    pub fn at(mysql: Option<&str>, redis: Option<String>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let word = folder.path().file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let word: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
        let word = format!("om{}{word}", std::process::id()).to_lowercase();
        let database = mysql.map(|server| Database::make(server, &word));
        let database_url = match &database {
            Some(database) => format!("{}/{}", database.server, database.name),
            None => folder.path().join("shop.db").display().to_string(),
        };
        Space { folder, database_url, database, redis, word }
    }

    /// A place of its own with a copy of the database, which nobody writes to meanwhile, and of the keys in Redis. The
    /// folder is empty but for that.
    pub fn copy(&self) -> Self {
        let copy = Self::at(self.database.as_ref().map(|of| of.server.as_str()), self.redis.clone());
        match (&self.database, &copy.database) {
            (Some(from), Some(to)) => copy::database(&mut reached(&from.server), &from.name, &to.name),
            _ => copy::file(Path::new(&self.database_url), Path::new(&copy.database_url)),
        }
        if let Some(redis) = &self.redis {
            copy::keys(redis, &self.word, &copy.word);
        }
        copy
    }

    /// Runs a text of statements on the database of a MySQL or MariaDB server, on a connection of its own. Some, such
    /// as those that make a trigger, can be sent as text alone.
    pub fn run_on_mysql(&self, text: &str) {
        copy::run(&mut reached(&self.database_url), text);
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The address of the database: a path, or `mysql://…`.
    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// Whether the database is a MySQL or MariaDB server's.
    pub fn is_mysql(&self) -> bool {
        self.database.is_some()
    }

    /// The database, to be read past the program. It may not be there yet, nor have its tables.
    pub fn look(&self) -> Look {
        if self.is_mysql() {
            Look::into_server(&self.database_url)
        } else {
            Look::into_file(Path::new(&self.database_url))
        }
    }

    /// The address of Redis, where the run uses it.
    pub fn redis_url(&self) -> Option<&str> {
        self.redis.as_deref()
    }

    /// What the names of the keys of this test begin with.
    pub fn redis_prefix(&self) -> &str {
        &self.word
    }

    /// The keys of this test that are in Redis; none where the run does not use it.
    pub fn redis_keys(&self) -> Vec<String> {
        let Some(url) = self.redis_url() else { return Vec::new() };
        let client = redis::Client::open(url).expect("the address of Redis");
        let mut connection = client.get_connection().expect("a connection to Redis");
        let found = redis::cmd("SCAN")
            .cursor_arg(0)
            .arg("MATCH")
            .arg(format!("*{}*", self.word))
            .clone()
            .iter(&mut connection)
            .expect("the keys of Redis");
        found.map(|key| key.expect("a key of Redis")).collect()
    }
}

impl Default for Space {
    fn default() -> Self {
        Self::new()
    }
}

impl Database {
    fn make(server: &str, name: &str) -> Self {
        let server = server.trim_end_matches('/').to_owned();
        let made = reached(&server).query_drop(format!("CREATE DATABASE {name}"));
        made.unwrap_or_else(|error| panic!("cannot make a database on {server}: {error}"));
        Database { server, name: name.to_owned() }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Database { server, name } = self;
        if let Err(error) = reached(server).query_drop(format!("DROP DATABASE IF EXISTS {name}"))
            && !std::thread::panicking()
        {
            panic!("cannot drop the database {name} of {server}: {error}");
        }
    }
}

fn reached(server: &str) -> Conn {
    connect(server).unwrap_or_else(|error| panic!("{server} cannot be used: {error}"))
}

fn server(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set; run the tests by scripts/test, which starts the servers")
    })
}
