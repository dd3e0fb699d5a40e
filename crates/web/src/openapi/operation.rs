//! The description of one method of one address.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::problem::{Kind, kinds};

/// The schemas of a document. What is answered has its schema among the components; what is asked has its own in
/// place, because a type that is both may be read more freely than it is written.
pub(crate) struct Schemas {
    answered: SchemaGenerator,
    asked: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = || SchemaSettings::draft2020_12().with(|settings| settings.meta_schema = None);
        let answered = settings()
            .with(|settings| settings.definitions_path = "/components/schemas".into())
            .for_serialize();
        let asked = settings().with(|settings| settings.inline_subschemas = true).for_deserialize();
        Schemas { answered: answered.into_generator(), asked: asked.into_generator() }
    }

    /// The schema of something that is answered.
    pub(super) fn answered<T: JsonSchema>(&mut self) -> Value {
        self.answered.subschema_for::<T>().into()
    }

    fn asked<T: JsonSchema>(&mut self) -> Value {
        let mut schema = self.asked.root_schema_for::<T>();
        schema.remove("$schema");
        schema.remove("title");
        schema.into()
    }

    /// The components.
    pub(super) fn take(mut self) -> Map<String, Value> {
        self.answered.take_definitions(true)
    }
}

/// What is known of one method of one address.
pub(crate) struct Operation<'s> {
    schemas: &'s mut Schemas,
    path: &'static str,
    pub(super) description: &'static str,
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Value>,
    pub(super) answers: BTreeMap<u16, Answer>,
    pub(super) headers: Map<String, Value>,
    pub(super) problems: BTreeSet<Kind>,
    /// Whether it is not sent again to who has it.
    pub(super) is_tagged: bool,
    /// The security scheme that holds instead of a token.
    pub(super) scheme: Option<&'static str>,
}

/// An answer that is no problem.
pub(super) struct Answer {
    pub(super) description: &'static str,
    pub(super) media_type: &'static str,
    pub(super) schemas: Vec<Value>,
}

impl<'s> Operation<'s> {
    pub(super) fn new(path: &'static str, schemas: &'s mut Schemas) -> Self {
        Operation {
            schemas,
            path,
            description: "",
            parameters: Vec::new(),
            body: None,
            answers: BTreeMap::new(),
            headers: Map::new(),
            problems: BTreeSet::new(),
            is_tagged: false,
            scheme: None,
        }
    }

    /// Says more than the summary.
    pub(crate) fn says(&mut self, description: &'static str) -> &mut Self {
        self.description = description;
        self
    }

    /// A part of the address. The route tells its name.
    pub(crate) fn takes_part<T: JsonSchema>(&mut self) -> &mut Self {
        let named = self.path.split(['{', '}']).skip(1).step_by(2);
        let name = named.last().expect("a handler that takes a part is routed to one");
        let schema = self.schemas.asked::<T>();
        let part = json!({ "name": name, "in": "path", "required": true, "schema": schema });
        self.parameters.push(part);
        self.refuses(&[kinds::NOT_FOUND])
    }

    /// The parameters behind the `?` that the fields of `T` are.
    pub(crate) fn takes_parameters<T: JsonSchema>(&mut self) -> &mut Self {
        let schema = self.schemas.asked::<T>();
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let fields = schema["properties"].as_object().cloned().unwrap_or_default();
        for (name, mut schema) in fields {
            remove_null(&mut schema);
            let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            let mut parameter = json!({ "name": name, "in": "query", "schema": schema });
            if required.contains(&name.into()) {
                parameter["required"] = true.into();
            }
            if let Some(description) = description {
                parameter["description"] = description;
            }
            self.parameters.push(parameter);
        }
        self
    }

    /// A header that the request may bring, or must.
    pub(crate) fn takes_header<T: JsonSchema>(
        &mut self,
        name: &str,
        is_required: bool,
        description: &str,
    ) -> &mut Self {
        let schema = self.schemas.asked::<T>();
        self.parameters.push(json!({
            "name": name, "in": "header", "required": is_required, "description": description, "schema": schema,
        }));
        self
    }

    /// A JSON body of at most `limit` bytes.
    pub(crate) fn takes_json<T: JsonSchema>(&mut self, is_required: bool, limit: usize) -> &mut Self {
        let schema = self.schemas.asked::<T>();
        self.takes_body("application/json", is_required, &format!("At most {} KiB.", limit / 1024), schema);
        self.refuses(&[
            kinds::BODY_BROKEN_OFF,
            kinds::BODY_TOO_LARGE,
            kinds::BODY_TOO_SLOW,
            kinds::MALFORMED_JSON,
            kinds::UNFIT_BODY,
            kinds::UNSUPPORTED_MEDIA_TYPE,
        ])
    }

    /// A form of `file`, and of `options` as JSON.
    pub(crate) fn takes_form<Options: JsonSchema>(&mut self) -> &mut Self {
        let schema = json!({
            "type": "object",
            "properties": {
                "file": { "type": "string", "contentMediaType": "application/octet-stream" },
                "options": self.schemas.asked::<Options>(),
            },
            "required": ["file"],
            "additionalProperties": false,
        });
        self.takes_body(
            "multipart/form-data",
            true,
            "A file of any size, and how it is to be taken.",
            schema,
        );
        self.refuses(&[
            kinds::BAD_FORM,
            kinds::BODY_BROKEN_OFF,
            kinds::BODY_TOO_LARGE,
            kinds::BODY_TOO_SLOW,
            kinds::MALFORMED_JSON,
            kinds::UNFIT_BODY,
            kinds::UNSUPPORTED_MEDIA_TYPE,
        ])
    }

    fn takes_body(&mut self, media_type: &str, is_required: bool, description: &str, schema: Value) {
        let none = || json!({ "description": description, "required": is_required, "content": {} });
        self.body.get_or_insert_with(none)["content"][media_type] = json!({ "schema": schema });
    }

    /// A JSON answer. Called again for a status, it adds another form that the answer may have.
    pub(crate) fn answers<T: JsonSchema>(
        &mut self,
        status: StatusCode,
        description: &'static str,
    ) -> &mut Self {
        let schema = self.schemas.answered::<T>();
        self.answers_as(status, "application/json", description, schema)
    }

    /// An answer of another type.
    pub(crate) fn answers_as(
        &mut self,
        status: StatusCode,
        media_type: &'static str,
        description: &'static str,
        schema: Value,
    ) -> &mut Self {
        let none = || Answer { description, media_type, schemas: Vec::new() };
        self.answers.entry(status.as_u16()).or_insert_with(none).schemas.push(schema);
        self
    }

    /// A header that answers carry which are no problems.
    pub(crate) fn carries(&mut self, name: &str, is_always: bool, description: &str) -> &mut Self {
        let header =
            json!({ "description": description, "required": is_always, "schema": { "type": "string" } });
        self.headers.insert(name.to_owned(), header);
        self
    }

    /// An answer that is not sent again to who has it: see [`crate::fixed`].
    pub(crate) fn is_tagged(&mut self) -> &mut Self {
        self.is_tagged = true;
        let description = "The `etag` of the answer that the client has.";
        self.takes_header::<String>("If-None-Match", false, description).carries(
            "etag",
            true,
            "Names the content.",
        )
    }

    /// Problems that can be the answer.
    pub(crate) fn refuses(&mut self, problems: &[Kind]) -> &mut Self {
        self.problems.extend(problems);
        self
    }

    /// The scheme that holds instead of a token.
    pub(crate) fn is_secured_by(&mut self, scheme: &'static str) -> &mut Self {
        self.scheme = Some(scheme);
        self
    }
}

/// A parameter that is left out is not there; it cannot be null.
fn remove_null(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|one| one != "null");
        if let [only] = &types[..] {
            schema["type"] = only.clone();
        }
    }
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.retain(|word| !word.is_null());
    }
    let Some(forms) = schema.get_mut("anyOf").and_then(Value::as_array_mut) else { return };
    forms.retain(|form| form["type"] != "null");
    if let [Value::Object(only)] = &forms[..] {
        let only = only.clone();
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("anyOf");
            for (key, value) in only {
                schema.entry(key).or_insert(value);
            }
        }
    }
}
