"""Holds a server to its OpenAPI document.

The document must be valid, its examples must fit their schemas, and whatever is sent, the answer must be one that the document
tells of. Usage: contract.py URL TOKEN
"""

import json
import os
import subprocess
import sys
import urllib.request

from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

SEED = 20_291_201
# Cases of an operation that are made up, besides those that its schemas' limits give.
CASES = 40
# Whether a request that fits its schema contradicts the rules is for the server to say: `positive_data_acceptance` is not asked.
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
]


def contents(operation):
    """Whatever has a schema and may have examples."""
    for parameter in operation.get("parameters", []):
        yield f"parameter {parameter['name']}", parameter
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"body {media_type}", content
    for status, answer in operation["responses"].items():
        for media_type, content in answer.get("content", {}).items():
            yield f"{status} {media_type}", content


def examples(content, known):
    if "example" in content:
        yield content["example"]
    for word in content.get("examples", {}):
        yield known[word]["value"]


def check_examples(document):
    """Each example fits its schema."""
    count, wrong = 0, []
    for address, methods in document["paths"].items():
        for method, operation in methods.items():
            for where, content in contents(operation):
                schema = {**content["schema"], "components": document["components"]}
                validator = Draft202012Validator(schema, format_checker=FormatChecker())
                for example in examples(content, document["components"]["examples"]):
                    count += 1
                    for error in validator.iter_errors(example):
                        wrong.append(f"{method} {address}, {where}: {error.json_path}: {error.message[:300]}")
    if wrong:
        sys.exit("examples that do not fit their schemas:\n" + "\n".join(wrong))
    print(f"{count} examples fit their schemas")


def main(url, token):
    request = urllib.request.Request(f"{url}/openapi.json", headers={"authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request) as answer:
        document = json.load(answer)
    OpenAPIV31SpecValidator(document).validate()
    check_examples(document)
    with open("openapi.json", "w", encoding="utf-8") as file:
        json.dump(document, file)
    program = os.path.join(os.path.dirname(sys.executable), "st")
    # The events do not end; `tests/it/events.rs` is about them.
    arguments = ["run", "openapi.json", "--url", url, "--exclude-path", "/api/events", "-H", f"Authorization: Bearer {token}"]
    arguments += ["--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing"]
    arguments += ["--seed", str(SEED), "--generation-database", "none"]
    arguments += ["--max-examples", str(CASES), "--no-shrink", "--continue-on-failure"]
    arguments += ["--warnings", "off", "--no-color", "--request-timeout", "30"]
    sys.exit(subprocess.run([program, *arguments], check=False).returncode)


if __name__ == "__main__":
    main(*sys.argv[1:])
