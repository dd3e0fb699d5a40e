//! The document as a whole.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::operation::{Answer, Operation, Schemas};
use crate::api::Endpoint;
use crate::problem::{Kind, Problem, kinds};

/// Real answers to real requests, by operation. A test writes them.
const EXAMPLES: &str = include_str!("examples.json");

/// The description of these endpoints, as OpenAPI 3.1.
pub(super) fn write(endpoints: &[Endpoint]) -> Value {
    let examples: Value = serde_json::from_str(EXAMPLES).expect("a test has written it");
    let mut schemas = Schemas::new();
    let problem = schemas.answered::<Problem>();
    let mut paths: Map<String, Value> = Map::new();
    let mut tags: Vec<&str> = Vec::new();
    for endpoint in endpoints {
        let (tag, _) = name(endpoint);
        if !tags.contains(&tag) {
            tags.push(tag);
        }
        let operation = operation(endpoint, &mut schemas, &problem, &examples);
        let methods = paths.entry(endpoint.address()).or_insert_with(|| json!({}));
        methods[endpoint.method.as_str().to_ascii_lowercase()] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "ordermill",
            "summary": "Orders, their stock, payments, refunds and mails, and the business that they make.",
            "description": include_str!("introduction.md"),
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": "/", "description": "The server that this comes from." }],
        "tags": tags.into_iter().map(|tag| json!({ "name": tag })).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas.take(),
            "headers": { "x-request-id": {
                "description": "Names the request in the log; taken from the request where it brings one.",
                "required": true,
                "schema": { "type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$" },
            } },
            "examples": problems(),
            "securitySchemes": security_schemes(),
        },
    })
}

/// What problems look like, by their word.
fn problems() -> Map<String, Value> {
    let example = |kind: &Kind| json!({ "summary": kind.title, "value": Problem::example(*kind) });
    kinds::ALL.iter().map(|kind| (kind.word.to_owned(), example(kind))).collect()
}

/// How callers show who they are.
fn security_schemes() -> Value {
    json!({
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of `ordermill token create`.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "ordermill_session",
            "description": "The session of a browser in which somebody has signed in; over HTTPS `__Host-ordermill_session`.",
        },
        "csrf": {
            "type": "apiKey",
            "in": "header",
            "name": "x-csrf-token",
            "description": "The token of the session, of `GET /api/session`: whatever changes something brings it.",
        },
        "signature": {
            "type": "apiKey",
            "in": "header",
            "name": "webhook-signature",
            "description": "`v1,` and the base64 of HMAC-SHA256 over `webhook-id.webhook-timestamp.body` (Standard Webhooks).",
        },
    })
}

/// What tools call an endpoint: its noun and its handler's name.
fn name(endpoint: &Endpoint) -> (&'static str, String) {
    let path = endpoint.handler_name;
    let below = path.split_once("::api::").map_or(path, |(_, below)| below);
    let (modules, handler) = below.rsplit_once("::").unwrap_or_default();
    let noun = if below == path { modules.rsplit("::").next() } else { modules.split("::").next() };
    let noun = noun.unwrap_or_default();
    (noun, format!("{noun}_{handler}"))
}

fn operation(endpoint: &Endpoint, schemas: &mut Schemas, problem: &Value, examples: &Value) -> Value {
    let (tag, id) = name(endpoint);
    let mut operation = Operation::new(endpoint.path, schemas);
    endpoint.describe(&mut operation);
    operation.refuses(&[kinds::INTERNAL, kinds::INVALID_REQUEST, kinds::UNAVAILABLE]);
    let examples = &examples[&id];
    let mut described = json!({
        "operationId": id,
        "summary": endpoint.summary,
        "tags": [tag],
        "security": security(endpoint, &mut operation),
        "responses": responses(&operation, problem, &examples["answers"]),
    });
    if let Some(role) = endpoint.needs {
        described["x-role"] = role.as_str().into();
    }
    if !operation.description.is_empty() {
        described["description"] = operation.description.into();
    }
    if !operation.parameters.is_empty() {
        described["parameters"] = parameters(operation.parameters, &examples["parameters"]);
    }
    if let Some(mut body) = operation.body {
        for (media_type, content) in body["content"].as_object_mut().into_iter().flatten() {
            set_example(content, &examples["requests"][media_type]);
        }
        described["requestBody"] = body;
    }
    described
}

fn security(endpoint: &Endpoint, operation: &mut Operation<'_>) -> Value {
    match (endpoint.needs, operation.scheme) {
        (Some(role), _) => {
            operation.refuses(&[kinds::UNAUTHENTICATED, kinds::TOO_MANY_REQUESTS]);
            if role > domain::Role::Viewer {
                operation.refuses(&[kinds::FORBIDDEN]);
            }
            if !endpoint.method.is_safe() {
                operation.refuses(&[kinds::CROSS_ORIGIN, kinds::CSRF_TOKEN]);
                return json!([{ "token": [] }, { "session": [], "csrf": [] }]);
            }
            json!([{ "token": [] }, { "session": [] }])
        }
        (None, Some(scheme)) => json!([{ scheme: [] }]),
        (None, None) => json!([]),
    }
}

fn parameters(mut parameters: Vec<Value>, examples: &Value) -> Value {
    for parameter in &mut parameters {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        if let Some(example) = examples.get(&name) {
            parameter["example"] = example.clone();
        }
        if name == "order" {
            parameter["description"] = "An id, or `SOURCE:EXTERNAL_ID`.".into();
        }
    }
    parameters.into()
}

fn responses(operation: &Operation<'_>, problem: &Value, examples: &Value) -> Value {
    let mut responses = Map::new();
    for (status, answer) in &operation.answers {
        let example = &examples[status.to_string()];
        responses.insert(status.to_string(), good(answer, &operation.headers, example));
    }
    if operation.is_tagged {
        let unchanged = json!({
            "description": "It is still what `If-None-Match` names.", "headers": { "x-request-id": request_id() },
        });
        responses.insert("304".to_owned(), unchanged);
    }
    let mut problems: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
    for kind in &operation.problems {
        problems.entry(kind.status.as_u16()).or_default().push(*kind);
    }
    for (status, kinds) in problems {
        responses.insert(status.to_string(), bad(&kinds, problem));
    }
    responses.into()
}

fn good(answer: &Answer, headers: &Map<String, Value>, example: &Value) -> Value {
    let schema = match &answer.schemas[..] {
        [only] => only.clone(),
        several => json!({ "anyOf": several }),
    };
    let mut headers = headers.clone();
    headers.insert("x-request-id".to_owned(), request_id());
    let mut content = json!({ "schema": schema });
    set_example(&mut content, example);
    json!({
        "description": answer.description,
        "headers": headers,
        "content": { answer.media_type: content },
    })
}

fn set_example(content: &mut Value, example: &Value) {
    if !example.is_null() {
        content["example"] = example.clone();
    }
}

fn bad(kinds: &[Kind], problem: &Value) -> Value {
    let titles: Vec<_> = kinds.iter().map(|kind| kind.title).collect();
    let urns: Vec<_> = kinds.iter().map(|kind| kind.urn()).collect();
    let mut headers = json!({ "x-request-id": request_id() });
    if kinds.iter().any(|kind| kind.asks_again()) {
        let description = "Seconds after which the same request may be sent again.";
        headers["retry-after"] =
            json!({ "description": description, "required": true, "schema": { "type": "integer" } });
    }
    let reference = |kind: &Kind| json!({ "$ref": format!("#/components/examples/{}", kind.word) });
    let examples: Map<_, _> = kinds.iter().map(|kind| (kind.word.to_owned(), reference(kind))).collect();
    json!({
        "description": format!("{}.", titles.join(", or ")),
        "headers": headers,
        "content": { "application/problem+json": {
            "schema": { "allOf": [problem, { "properties": { "type": { "enum": urns } } }] },
            "examples": examples,
        } },
    })
}

fn request_id() -> Value {
    json!({ "$ref": "#/components/headers/x-request-id" })
}
