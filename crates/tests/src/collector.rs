//! A collector of traces, as OpenTelemetry sends them over HTTP.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1 as sent;
pub use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use prost::Message as _;

/// A collector on a free port, which keeps what it is sent.
pub struct Collector {
    url: String,
    spans: Arc<Mutex<Vec<Span>>>,
}

/// A span that was sent. Ids are in hexadecimal digits.
#[derive(Debug, Clone)]
pub struct Span {
    /// What the program that sent it calls itself.
    pub service: String,
    /// Its trace.
    pub trace: String,
    /// Its own id.
    pub id: String,
    /// The id of the span that it is a part of, or follows from.
    pub parent: Option<String>,
    /// What it is.
    pub name: String,
    /// What it is to others.
    pub kind: SpanKind,
    /// What is said about it.
    pub attributes: BTreeMap<String, String>,
    /// Ids of spans that it is linked with.
    pub links: Vec<String>,
    /// Why it failed, if it did.
    pub failure: Option<String>,
}

impl Collector {
    /// One that takes all it is sent.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port on the loopback interface");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let spans = Arc::<Mutex<Vec<Span>>>::default();
        let kept = Arc::clone(&spans);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || converse(&stream, &kept));
            }
        });
        Collector { url, spans }
    }

    /// Its address, without the path of traces.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it was sent so far.
    pub fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Takes spans until the other side is gone.
fn converse(stream: &TcpStream, spans: &Mutex<Vec<Span>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
            if line.trim().is_empty() {
                break;
            }
            head.push(line.trim().to_ascii_lowercase());
        }
        assert_eq!(head.first().map(String::as_str), Some("post /v1/traces http/1.1"));
        assert!(head.contains(&"content-type: application/x-protobuf".to_owned()), "{head:?}");
        let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())?;
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let request = ExportTraceServiceRequest::decode(body.as_slice()).expect("an export of traces");
        spans.lock().unwrap_or_else(PoisonError::into_inner).extend(read(request));
        let mut stream = stream;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").ok()?;
    }
}

fn read(request: ExportTraceServiceRequest) -> Vec<Span> {
    let of_resource = |spans: sent::ResourceSpans| {
        let service = service(spans.resource);
        let all = spans.scope_spans.into_iter().flat_map(|scope| scope.spans);
        all.map(|span| Span::of(service.clone(), span)).collect::<Vec<_>>()
    };
    request.resource_spans.into_iter().flat_map(of_resource).collect()
}

fn service(resource: Option<Resource>) -> String {
    let attributes = texts(resource.unwrap_or_default().attributes);
    attributes.get("service.name").cloned().unwrap_or_default()
}

impl Span {
    fn of(service: String, span: sent::Span) -> Self {
        let parent = (!span.parent_span_id.is_empty()).then(|| hex(&span.parent_span_id));
        let failed = span.status.clone().filter(|status| status.code() == StatusCode::Error);
        Span {
            service,
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent,
            kind: span.kind(),
            links: span.links.iter().map(|link| hex(&link.span_id)).collect(),
            failure: failed.map(|status| status.message),
            attributes: texts(span.attributes),
            name: span.name,
        }
    }
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value: AnyValue| match value.value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes.into_iter().map(|one| (one.key, one.value.map(text).unwrap_or_default())).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes all");
        text
    })
}
