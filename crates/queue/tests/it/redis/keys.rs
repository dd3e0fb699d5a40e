use queue::{Settings, State};

use super::{base, with_a_server_of_its_own};
use crate::lab::{discard, job, retry};

/// The table of keys.
const TABLE: &str = include_str!("../../../src/redis/mod.rs");

/// A script with what all of them share before it, as the queue sends it.
macro_rules! script {
    ($file:literal) => {
        concat!(
            include_str!("../../../src/redis/scripts/lib.lua"),
            include_str!(concat!("../../../src/redis/scripts/", $file))
        )
    };
}

#[tokio::test]
async fn every_key_is_in_the_table_and_none_of_a_job_is_left_when_it_is_gone() {
    let settings = Settings { keep_completed: std::time::Duration::from_secs(9), ..Settings::default() };
    let (lab, server) = with_a_server_of_its_own(settings).await;
    lab.queue.push(vec![job("a").tag("t"); 6]).await.unwrap();
    lab.push(job("a").run_at(lab.in_seconds(9))).await;
    let jobs = lab.claim(5).await;
    assert!(lab.settle(&jobs[0], retry("x", lab.in_seconds(9))).await);
    assert!(lab.settle(&jobs[1], discard("x")).await);
    assert_eq!(lab.land(&jobs[2..3]).await.unwrap(), 1);
    lab.queue.cancel(queue::Selection::Ids(vec![jobs[3].id]), "no").await.unwrap();
    lab.advance(31);
    lab.queue.reap(1).await.unwrap();
    lab.queue.pause_queue("default").await.unwrap();
    let depths = lab.queue.depths(None).await.unwrap();
    assert!(State::ALL.into_iter().all(|state| depths[0].count(state) > 0), "{depths:?}");
    let of_jobs = keys(&lab, &server);
    for key in &of_jobs {
        let written = if key.starts_with("t:") { "`t:TAG`".to_owned() } else { format!("`{key}`") };
        let listed = TABLE.contains(&written) || ["z3", "z4", "z5"].contains(&key.as_str());
        assert!(listed, "the table lacks {key}");
    }
    lab.queue.continue_queue("default").await.unwrap();
    for claimed in lab.claim(9).await {
        assert_eq!(lab.land(&[claimed]).await.unwrap(), 1);
    }
    let all = queue::Selection::Matching(queue::Filter::default());
    lab.advance(31);
    lab.queue.reap(9).await.unwrap();
    lab.queue.forget(all).await.unwrap();
    assert_eq!(keys(&lab, &server), ["e"]);
}

/// The sweeper may offer a job that was on its way to Redis when it looked.
#[tokio::test]
async fn a_job_that_waits_and_is_offered_again_is_left_alone() {
    let (lab, server) = with_a_server_of_its_own(Settings::default()).await;
    lab.push(job("a")).await;
    let base = base(&lab);
    let member = first_text(&server.command(&["ZRANGE", &format!("{base}z1"), "0", "0"]));
    let (place, id) = member.split_at(21);
    let text = first_text(&server.command(&["HGET", &format!("{base}s"), id]));
    let offered = ["EVAL", script!("offer.lua"), "1", &base, "0", "1", id, place, &text];
    let nothing = "*0\r\n";
    assert!(server.command(&offered).starts_with(nothing), "while it waits");
    assert_eq!(lab.claim(9).await.len(), 1);
    assert!(server.command(&offered).starts_with(nothing), "while it executes");
    lab.advance(31);
    lab.queue.reap(9).await.unwrap();
    lab.queue.forget(queue::Selection::Matching(queue::Filter::default())).await.unwrap();
    assert_eq!(keys(&lab, &server), ["e"]);
}

/// Words of endings may come late: after another worker was given the job, or when it is gone.
#[tokio::test]
async fn a_job_ends_under_its_token_alone() {
    let (lab, server) = with_a_server_of_its_own(Settings::default()).await;
    for _ in 0..3 {
        lab.push(job("a")).await;
    }
    let jobs = lab.claim(2).await;
    let base = base(&lab);
    let ids: Vec<String> = (0..3).map(|at| format!("{:019}", jobs[0].id.0 + at)).collect();
    let words =
        ["EVAL", script!("complete.lua"), "1", &base, &ids[0], "1", &ids[1], "2", &ids[2], "1", "0", "1"];
    assert_eq!(first_text(&server.command(&words)), "100-", "ended, another's, waiting, unknown");
    assert!(lab.is_gone(jobs[0].id).await);
    assert_eq!(lab.state(jobs[1].id).await, State::Executing);
    assert_eq!(first_text(&server.command(&words)), "-00-");
}

/// The first text of an answer as it comes from the server.
fn first_text(answer: &str) -> String {
    let (length, rest) = answer.split_once('$').unwrap().1.split_once("\r\n").unwrap();
    rest[..length.parse().unwrap()].to_owned()
}

/// The keys of the queue, without what they all begin with.
fn keys(lab: &crate::lab::Lab<crate::lab::WithRedis>, server: &super::Server) -> Vec<String> {
    let base = base(lab);
    let answer = server.command(&["KEYS", "*"]);
    let mut keys: Vec<String> =
        answer.lines().filter_map(|line| line.strip_prefix(&base).map(str::to_owned)).collect();
    keys.sort_unstable();
    keys
}
