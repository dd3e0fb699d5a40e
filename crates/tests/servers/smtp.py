"""A mail server for tests: keeps each mail as a JSON file, as Python's own parser reads it.

Prints its port once it listens. Some recipients are special:
`refused@…` is refused for good, `later@…` for now, `unwanted@…` after its words were seen, and of a mail to
`silent@…` nobody ever hears an answer, though it is kept (`silent-once@…`: of the first one). `slow…@…` is answered
late.
"""

import argparse
import asyncio
import email
import email.policy
import itertools
import json
import os
import ssl
import warnings

from aiosmtpd.smtp import SMTP, AuthResult

# Logging in without TLS is what some tests are about.
warnings.simplefilter("ignore")

numbers = itertools.count(1)


class Mailbox:
    def __init__(self, folder):
        self.folder = folder
        self.is_silent_once = True

    async def handle_RCPT(self, server, session, envelope, address, options):
        who = address.split("@")[0]
        if who == "refused":
            return "550 5.1.1 nobody of that name lives here"
        if who == "later":
            return "451 4.3.0 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        who = envelope.rcpt_tos[0].split("@")[0]
        if who == "unwanted":
            return "554 5.7.1 these words are not welcome"
        self.keep(envelope)
        if who == "silent" or (who == "silent-once" and self.is_silent_once):
            self.is_silent_once = False
            await asyncio.sleep(3600)
        if who.startswith("slow"):
            await asyncio.sleep(0.1)
        return "250 OK"

    def keep(self, envelope):
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = [part for part in parsed.walk() if not part.is_multipart()]
        bodies = {part.get_content_type(): part.get_content().replace("\r\n", "\n") for part in parts}
        kept = {
            "sender": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "headers": [[name, str(value)] for name, value in parsed.items()],
            "text": bodies.get("text/plain"),
            "html": bodies.get("text/html"),
            "raw": envelope.content.decode("utf-8", "replace"),
        }
        # Names run on across restarts, and a file is whole once it has its name.
        path = os.path.join(self.folder, f"{os.getpid()}-{next(numbers):06}.json")
        with open(path + ".part", "w", encoding="utf-8") as file:
            json.dump(kept, file)
        os.rename(path + ".part", path)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("port", type=int)
    parser.add_argument("--login", help="USER:PASSWORD")
    parser.add_argument("--certificate", help="a folder with server.pem and server.key")
    parser.add_argument("--starttls", action="store_true", help="TLS after a plain greeting")
    arguments = parser.parse_args()
    options = {}
    if arguments.login:
        wanted = tuple(part.encode() for part in arguments.login.split(":", 1))

        def authenticate(server, session, envelope, mechanism, given):
            return AuthResult(success=(given.login, given.password) == wanted, handled=False)

        options = {"authenticator": authenticate, "auth_required": True, "auth_require_tls": False}
    tls = None
    if arguments.certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(f"{arguments.certificate}/server.pem", f"{arguments.certificate}/server.key")
    if arguments.starttls:
        options |= {"tls_context": tls, "require_starttls": True}
        tls = None
    mailbox = Mailbox(arguments.folder)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(mailbox, enable_SMTPUTF8=True, **options), "127.0.0.1", arguments.port, ssl=tls
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
