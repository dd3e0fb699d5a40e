use queue::{Settings, State};

use super::server::Server;
use super::{base, with_a_server_of_its_own};
use crate::lab::{Lab, WithRedis, job};

const WAITING: usize = 1_000_000;

/// Gives a waiting job many brothers, which Redis is told of without the engine. The names of the keys are those of the
/// table in the documentation of `queue::redis`.
const MULTIPLY: &str = "
local base, from, to = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local text = redis.call('HGET', base .. 's', string.format('%019d', 1))
local place = string.sub(redis.call('ZRANGE', base .. 'z1', 0, 0)[1], 1, 21)
for first = from, to, 1000 do
  local texts, places = {}, {}
  for number = first, math.min(first + 999, to) do
    local id = string.format('%019d', number)
    local n = #texts
    texts[n + 1], texts[n + 2] = id, text
    places[n + 1], places[n + 2] = 0, place .. id
    local hundred = string.sub(id, 1, -3)
    redis.call('HINCRBY', base .. 'n', hundred, 1)
    redis.call('ZADD', base .. 'i', 0, hundred)
  end
  redis.call('HSET', base .. 's', unpack(texts))
  redis.call('ZADD', base .. 'z1', unpack(places))
end
return to";

fn fill(server: &Server, base: &str, from: usize, to: usize) {
    for from in (from..=to).step_by(50_000) {
        let (from, to) = (from.to_string(), (from + 49_999).min(to).to_string());
        server.command(&["EVAL", MULTIPLY, "1", base, &from, &to]);
    }
}

/// What the server does for a claim of 100 jobs and their completion, a look at the queue included.
async fn work(lab: &Lab<WithRedis>, server: &Server) -> u64 {
    let before = server.commands_run();
    let jobs = lab.claim(100).await;
    assert_eq!(jobs.len(), 100);
    let changes = vec![Some(queue::backend::Change::HandBack); jobs.len()];
    lab.queue.settle(jobs.into(), changes.into()).await.unwrap();
    lab.queue.depths(None).await.unwrap();
    lab.queue.promote(100).await.unwrap();
    lab.queue.reap(100).await.unwrap();
    server.commands_run() - before
}

#[tokio::test]
async fn a_million_waiting_jobs_cost_as_many_commands_as_a_hundred() {
    let (lab, server) = with_a_server_of_its_own(Settings::default()).await;
    lab.queue.push(vec![job("a"); 100]).await.unwrap();
    work(&lab, &server).await;
    let few = work(&lab, &server).await;
    let base = base(&lab);
    fill(&server, &base, 101, WAITING);
    assert_eq!(lab.queue.depths(None).await.unwrap()[0].count(State::Available), WAITING);
    assert_eq!(work(&lab, &server).await, few);
}
