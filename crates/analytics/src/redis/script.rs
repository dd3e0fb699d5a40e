use std::collections::{HashMap, VecDeque};
use std::sync::LazyLock;

use redis_link::redis::FromRedisValue;
use redis_link::{Cmd, Pipeline, Redis, Script, ToRedisArgs, Value};

use crate::{Error, Result};

/// Runs commands if the state is as expected, all of them or none, and answers what they answer; nothing (nil) if it is
/// not.
///
/// `KEYS[1]` is the state, the others are those of the commands. `ARGV` is, for each command: the number of its key, its name,
/// how many arguments follow, and these; then a field and its value for each expectation (empty: not there), and how many
/// expectations there are.
static RUN: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local commands = #ARGV - 1 - 2 * ARGV[#ARGV]
for at = commands + 1, #ARGV - 1, 2 do
  if (redis.call('HGET', KEYS[1], ARGV[at]) or '') ~= ARGV[at + 1] then return false end
end
local answers, at = {}, 1
while at <= commands do
  local key, last = KEYS[tonumber(ARGV[at])], at + 2 + ARGV[at + 2]
  answers[#answers + 1] = redis.call(ARGV[at + 1], key, unpack(ARGV, at + 3, last))
  at = last + 1
end
return answers",
    )
});

/// Arguments of one command, at most: Lua's stack is short.
const ARGUMENTS: usize = 1_000;

/// Fields of the state and what they must hold.
pub(crate) type Guards = Vec<(&'static str, String)>;

/// Commands that are run together.
pub(crate) struct Commands {
    keys: Vec<String>,
    numbers: HashMap<String, usize>,
    /// One after the other in one piece of memory: there are a hundred of them for each order.
    args: Cmd,
}

/// Reads that are sent together, as plain commands: a script takes and gives each field once more, in a language of its own,
/// which costs a server as much as finding it.
#[derive(Default)]
pub(crate) struct Reads {
    commands: Pipeline,
}

/// What commands answered, in their order.
pub(crate) struct Answers(VecDeque<Value>);

impl Commands {
    /// None yet. `state` is the key of the state.
    pub(crate) fn new(state: String) -> Self {
        Commands { numbers: HashMap::from([(state.clone(), 1)]), keys: vec![state], args: Cmd::new() }
    }

    /// Adds a command on one key. Each of `args` is one argument.
    pub(crate) fn push<A: ToRedisArgs>(&mut self, name: &str, key: &str, args: impl AsRef<[A]>) {
        let (number, args) = (self.number(key), args.as_ref());
        self.args.arg(number).arg(name).arg(args.len());
        for arg in args {
            self.args.arg(arg);
        }
    }

    /// Adds a command with many arguments, in pieces. Arguments that belong together, `width` of them, stay together.
    pub(crate) fn push_many(&mut self, name: &str, key: &str, width: usize, args: &[String]) {
        for piece in args.chunks(ARGUMENTS / width * width) {
            self.push(name, key, piece);
        }
    }

    /// Adds reading fields of a hash, in pieces; [`Answers::fields`] puts them together.
    pub(crate) fn read_fields<F: ToRedisArgs>(&mut self, key: &str, fields: impl IntoIterator<Item = F>) {
        let fields: Vec<F> = fields.into_iter().collect();
        for piece in fields.chunks(ARGUMENTS) {
            self.push("HMGET", key, piece);
        }
    }

    fn number(&mut self, key: &str) -> usize {
        if let Some(number) = self.numbers.get(key) {
            return *number;
        }
        self.keys.push(key.to_owned());
        self.numbers.insert(key.to_owned(), self.keys.len());
        self.keys.len()
    }

    /// Runs them, if the state is as expected.
    pub(crate) async fn run(mut self, redis: &Redis, guards: &Guards) -> Result<Option<Answers>> {
        for (field, value) in guards {
            self.args.arg(*field).arg(value.as_str());
        }
        self.args.arg(guards.len());
        let call = redis.call(&RUN).with(self.args);
        let call = self.keys.iter().fold(call, |call, key| call.key(key));
        // Boxed, as whoever calls nests deeply enough.
        let answers: Option<Vec<Value>> = Box::pin(call.run()).await?;
        Ok(answers.map(|answers| Answers(answers.into())))
    }
}

impl Reads {
    /// Adds reading fields of a hash, in pieces; [`Answers::fields`] puts them together.
    pub(crate) fn fields<F: ToRedisArgs>(&mut self, key: &str, fields: impl IntoIterator<Item = F>) {
        let fields: Vec<F> = fields.into_iter().collect();
        for piece in fields.chunks(ARGUMENTS) {
            self.commands.cmd("HMGET").arg(key).arg(piece);
        }
    }

    /// Runs them. Others may write between two of them; whoever writes by what was read finds that out.
    pub(crate) async fn run(self, redis: &Redis) -> Result<Answers> {
        if self.commands.is_empty() {
            return Ok(Answers::none());
        }
        let answers: Vec<Value> = Box::pin(redis.run_all(&self.commands)).await?;
        Ok(Answers(answers.into()))
    }
}

impl Answers {
    /// No answers.
    pub(crate) fn none() -> Self {
        Answers(VecDeque::new())
    }

    /// The next answer.
    pub(crate) fn next<T: FromRedisValue>(&mut self) -> Result<T> {
        let value = self.0.pop_front().unwrap_or(Value::Nil);
        T::from_redis_value(value).map_err(|error| unreadable(&error.to_string()))
    }

    /// The next `count` fields, as [`Commands::read_fields`] or [`Reads::fields`] asked for them.
    pub(crate) fn fields(&mut self, count: usize) -> Result<Vec<Option<String>>> {
        let mut fields = Vec::with_capacity(count);
        while fields.len() < count {
            let piece: Vec<Option<String>> = self.next()?;
            if piece.is_empty() {
                return Err(unreadable("fewer fields than were asked for"));
            }
            fields.extend(piece);
        }
        Ok(fields)
    }
}

/// An error for what was not expected in Redis.
pub(crate) fn unreadable(found: &str) -> Error {
    Error::Unreadable { expected: "figure", found: found.chars().take(80).collect() }
}
