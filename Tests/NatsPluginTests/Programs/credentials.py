#!/usr/bin/python3
"""Writes what nsc would: an operator, a system account, an account with JetStream and a user of it,
as server.conf for nats-server and user.creds for a client, into a folder.

Keys are those of nkeys (a prefix, the key and a CRC-16 in base32), tokens are JWTs that are signed
by Ed25519, which openssl does here.
"""
import base64, binascii, hashlib, json, os, pathlib, subprocess, sys, time

folder = pathlib.Path(sys.argv[1])
OPERATOR, ACCOUNT, USER, SEED = 14 << 3, 0, 20 << 3, 18 << 3


def text(data):
    data += binascii.crc_hqx(data, 0).to_bytes(2, "little")
    return base64.b32encode(data).decode().rstrip("=")


class Key:
    def __init__(self, kind):
        self.kind, self.file = kind, folder / f"key-{kind}-{os.urandom(4).hex()}.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.file], check=True)
        self.private = self.der()[-32:]
        self.name = text(bytes([kind]) + self.der("-pubout")[-32:])

    def der(self, *options):
        return subprocess.run(["openssl", "pkey", "-in", self.file, "-outform", "DER", *options],
                              check=True, capture_output=True).stdout

    @property
    def seed(self):
        return text(bytes([SEED | self.kind >> 5, (self.kind & 31) << 3]) + self.private)

    def sign(self, data):
        path = folder / "signed"
        path.write_bytes(data)
        return subprocess.run(
            ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.file, "-in", path],
            check=True, capture_output=True).stdout


def url_text(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def token(issuer, subject, kind, content):
    claims = {"iat": int(time.time()), "iss": issuer.name, "name": kind, "sub": subject.name,
              "nats": content | {"type": kind, "version": 2}}
    claims["jti"] = text(hashlib.sha256(json.dumps(claims).encode()).digest())
    body = ".".join(url_text(json.dumps(part).encode()) for part in (
        {"typ": "JWT", "alg": "ed25519-nkey"}, claims))
    return f"{body}.{url_text(issuer.sign(body.encode()))}"


everything = {name: -1 for name in ("subs", "conn", "leaf", "imports", "exports", "data", "payload")}
everything["wildcards"] = True
stored = {name: -1 for name in ("mem_storage", "disk_storage", "streams", "consumer")}
operator, system, account, user = Key(OPERATOR), Key(ACCOUNT), Key(ACCOUNT), Key(USER)
(folder / "server.conf").write_text(f"""\
operator: {token(operator, operator, "operator", {"system_account": system.name})}
system_account: {system.name}
resolver: MEMORY
resolver_preload: {{
  {system.name}: {token(operator, system, "account", {"limits": everything})}
  {account.name}: {token(operator, account, "account", {"limits": everything | stored})}
}}
""")
jwt = token(account, user, "user", {"pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1})
file = folder / "user.creds"
file.touch(mode=0o400)
os.chmod(file, 0o600)
file.write_text(f"""\
-----BEGIN NATS USER JWT-----
{jwt}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
{user.seed}
------END USER NKEY SEED------
""")
