use std::sync::LazyLock;

use redis::{Arg, Cmd, ErrorKind, FromRedisValue, ServerErrorKind, ToRedisArgs};

use crate::{Error, Redis, Result};

/// A Lua script, called by its hash and sent whole only to a server that does not know it.
pub struct Script {
    text: &'static str,
    hash: LazyLock<String, Box<dyn FnOnce() -> String + Send>>,
}

impl Script {
    /// The script with this text.
    pub fn new(text: &'static str) -> Self {
        let hash = move || redis::Script::new(text).get_hash().to_owned();
        Script { text, hash: LazyLock::new(Box::new(hash)) }
    }
}

/// The arguments of a command that has no cursor.
fn simple_args(command: &Cmd) -> impl Iterator<Item = &[u8]> {
    command.args_iter().filter_map(|arg| match arg {
        Arg::Simple(arg) => Some(arg),
        _ => None,
    })
}

/// A call of a script. All its keys carry one hash tag.
pub struct Call<'a> {
    redis: &'a Redis,
    script: &'a Script,
    keys: Vec<&'a str>,
    /// One after the other in one piece of memory, however many there are.
    args: Cmd,
}

impl Redis {
    /// A call of `script`.
    pub fn call<'a>(&'a self, script: &'a Script) -> Call<'a> {
        Call { redis: self, script, keys: Vec::new(), args: Cmd::new() }
    }
}

impl<'a> Call<'a> {
    /// With one more key.
    pub fn key(mut self, key: &'a str) -> Self {
        self.keys.push(key);
        self
    }

    /// With one more argument, or several.
    pub fn arg(mut self, arg: impl ToRedisArgs) -> Self {
        self.args.arg(arg);
        self
    }

    /// With these arguments and no others.
    pub fn with(mut self, args: Cmd) -> Self {
        self.args = args;
        self
    }

    /// Runs it.
    pub async fn run<T: FromRedisValue>(self) -> Result<T> {
        let known = self.command("EVALSHA", &self.script.hash);
        match self.redis.run(&known).await {
            Err(Error::Refused { source })
                if source.kind() == ErrorKind::Server(ServerErrorKind::NoScript) =>
            {
                self.redis.run(&self.command("EVAL", self.script.text)).await
            }
            answer => answer,
        }
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(script).arg(self.keys.len());
        self.keys.iter().for_each(|key| {
            command.arg(*key);
        });
        for arg in simple_args(&self.args) {
            command.arg(arg);
        }
        command
    }
}
