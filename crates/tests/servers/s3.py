"""An object store for tests: moto's S3, behind a door that checks signatures with Amazon's own code.

Prints its port once it listens. What is read must be signed with the key `key-id` and `key-secret`; whoever writes needs no
signature. Some objects are special: one whose key holds `breaks` breaks off in the middle when it is read for the first
time, one whose key holds `stalls` stops there and says nothing for long, one whose key holds `busy` is answered 503 then;
with `changes` in the key it is another object after it broke off. The folder that is given gets a file `requests` with a line for each request: method, path, range, status.
"""

import argparse
import io
import os
import sys
import time
from urllib.parse import parse_qsl, quote, unquote

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

KEY_ID, SECRET = "key-id", "key-secret"
AUTHORIZATION = f"AWS4-HMAC-SHA256 Credential={KEY_ID}/20300101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


def is_signed(environ):
    query = environ.get("QUERY_STRING", "")
    given = dict(parse_qsl(query, keep_blank_values=True))
    scope = given.get("X-Amz-Credential", "").split("/")
    if len(scope) != 5 or scope[0] != KEY_ID or "X-Amz-Signature" not in given:
        return False
    rest = "&".join(part for part in query.split("&") if not part.startswith("X-Amz-Signature="))
    host = environ["HTTP_HOST"]
    request = AWSRequest(
        method=environ["REQUEST_METHOD"], url=f"http://{host}{environ['RAW_URI'].split('?')[0]}?{rest}", headers={"host": host}
    )
    request.context["timestamp"] = given["X-Amz-Date"]
    signer = S3SigV4QueryAuth(Credentials(KEY_ID, SECRET), "s3", scope[2], expires=int(given["X-Amz-Expires"]))
    text = signer.string_to_sign(request, signer.canonical_request(request))
    return signer.signature(text, request) == given["X-Amz-Signature"]


def refuse(start_response, status, code):
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode()
    start_response(status, [("content-type", "application/xml"), ("content-length", str(len(body)))])
    return [body]


class Door:
    def __init__(self, folder):
        self.inner = DomainDispatcherApplication(create_backend_app)
        self.folder = folder
        self.seen = set()

    def __call__(self, environ, start_response):
        def told(status, headers, *rest):
            with open(os.path.join(self.folder, "requests"), "a") as log:
                words = (environ["REQUEST_METHOD"], environ["RAW_URI"].split("?")[0], environ.get("HTTP_RANGE", "-"))
                log.write(" ".join(words) + f" {status.split()[0]}\n")
            return start_response(status, headers, *rest)

        path = unquote(environ["RAW_URI"].split("?")[0])
        is_read = environ["REQUEST_METHOD"] in ("GET", "HEAD")
        if is_read and not is_signed(environ):
            return refuse(told, "403 Forbidden", "SignatureDoesNotMatch")
        if not is_read:
            # moto lets only those who say who they are write over an object; it does not look at the signature.
            environ["HTTP_AUTHORIZATION"] = AUTHORIZATION
        is_first = is_read and path not in self.seen
        if is_read:
            self.seen.add(path)
        if is_first and "busy" in path:
            return refuse(told, "503 Slow Down", "SlowDown")
        # What asks for a part of a version is answered as moto answers it, but its precondition comes first.
        answer = self.inner(environ, told)
        if is_first and "stalls" in path:
            return self.stalled(answer)
        if is_first and "breaks" in path:
            return self.broken(environ, path, answer)
        return answer

    def broken(self, environ, path, answer):
        body = b"".join(answer)
        yield body[: len(body) // 2]
        if "changes" in path:
            self.put(environ, path, body + b"\n")
        raise ConnectionAbortedError("the store breaks off")

    def stalled(self, answer):
        body = b"".join(answer)
        yield body[: len(body) * 7 // 8]
        time.sleep(3600)

    def put(self, environ, path, body):
        again = {
            **environ,
            "HTTP_AUTHORIZATION": AUTHORIZATION,
            "REQUEST_METHOD": "PUT",
            "QUERY_STRING": "",
            "RAW_URI": quote(path),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        for name in ("HTTP_RANGE", "HTTP_IF_MATCH"):
            again.pop(name, None)
        list(self.inner(again, lambda *_: None))


arguments = argparse.ArgumentParser()
arguments.add_argument("folder")
arguments.add_argument("port", type=int)
given = arguments.parse_args()
# moto itself must not look for anybody's keys.
os.environ.update(AWS_ACCESS_KEY_ID=KEY_ID, AWS_SECRET_ACCESS_KEY=SECRET)
server = make_server("127.0.0.1", given.port, Door(given.folder), threaded=True)
print(server.port, flush=True)
sys.stderr = open(os.devnull, "w")
server.serve_forever()
