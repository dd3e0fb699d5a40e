use std::collections::{HashMap, VecDeque};
use std::sync::LazyLock;

use redis_link::redis::FromRedisValue;
use redis_link::{Cmd, Redis, Script, ToRedisArgs, Value, simple_args};

use crate::{Error, Result};

/// Runs commands if the state is as expected, all of them or none, and answers what they answer; nothing (nil) if it is
/// not.
///
/// `KEYS[1]` is the state, the others are those of the commands. `ARGV` is the number of expectations, then a field and
/// its value for each (empty: not there); then, for each command, the number of its key, its name, how many arguments
/// follow, and these.
static RUN: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local at = 2
for _ = 1, tonumber(ARGV[1]) do
  if (redis.call('HGET', KEYS[1], ARGV[at]) or '') ~= ARGV[at + 1] then return false end
  at = at + 2
end
local answers = {}
while at <= #ARGV do
  local last = at + 2 + tonumber(ARGV[at + 2])
  answers[#answers + 1] = redis.call(ARGV[at + 1], KEYS[tonumber(ARGV[at])], unpack(ARGV, at + 3, last))
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

/// What commands answered, in their order.
pub(crate) struct Answers(VecDeque<Value>);

impl Commands {
    /// None yet. `state` is the key of the state.
    pub(crate) fn new(state: String) -> Self {
        Commands { numbers: HashMap::from([(state.clone(), 1)]), keys: vec![state], args: Cmd::new() }
    }

    /// Adds a command on one key.
    pub(crate) fn push<A: ToRedisArgs>(&mut self, name: &str, key: &str, args: impl IntoIterator<Item = A>) {
        let number = self.number(key);
        let mut own = Cmd::new();
        for arg in args {
            own.arg(arg);
        }
        self.args.arg(number).arg(name).arg(own.args_iter().len());
        for arg in simple_args(&own) {
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
    pub(crate) async fn run(self, redis: &Redis, guards: &Guards) -> Result<Option<Answers>> {
        let mut call = redis.call(&RUN);
        for key in &self.keys {
            call = call.key(key);
        }
        call = call.arg(guards.len());
        for (field, value) in guards {
            call = call.arg(*field).arg(value.as_str());
        }
        for arg in simple_args(&self.args) {
            call = call.arg(arg);
        }
        // Boxed, as whoever calls nests deeply enough.
        let answers: Option<Vec<Value>> = Box::pin(call.run()).await?;
        Ok(answers.map(|answers| Answers(answers.into())))
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

    /// The next `count` fields, as [`Commands::read_fields`] asked for them.
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
