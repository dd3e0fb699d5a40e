use axum::body::Bytes;
use serde::Serialize;

use super::Topic;

/// Something that listeners are told, as it goes to all of them.
#[derive(Debug)]
pub(crate) struct Message {
    /// Who wants it; everybody where it is about nothing.
    pub(super) topic: Option<Topic>,
    /// What stands for having heard it; 0 where it tells how something stands rather than what has happened.
    pub(super) number: i64,
    /// How many messages came before it in this process.
    pub(super) sequence: u64,
    /// As it is sent.
    pub(super) text: Bytes,
}

impl Message {
    /// An event as it is sent. JSON has no line breaks of its own, so it is one line of data.
    pub(crate) fn render(id: Option<i64>, event: &str, data: &impl Serialize) -> Bytes {
        let data = serde_json::to_string(data).expect("what is told is plain data");
        let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
        format!("{id}event: {event}\ndata: {data}\n\n").into()
    }

    /// What keeps a connection open through which nothing is told: a comment.
    pub(super) fn heartbeat() -> Bytes {
        Bytes::from_static(b":\n\n")
    }
}
