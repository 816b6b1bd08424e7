"""A mongod that speaks TLS only, with certificates of an authority made for the test."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from pymongo import MongoClient

from resources.mongod_launch import mongod_binary

HOST = "127.0.0.1"
USER, PASSWORD = "desk", "tls-pass-that-nobody-sees"
READY_MILLISECONDS = 30_000


@dataclass(frozen=True)
class EncryptedMongod:
    """A server that refuses connections without TLS and users without a password."""

    port: int
    authority: Path

    def address(self, *, authority: Path | None = None, options: str = "") -> str:
        """Return the address for the desk's user, trusting an authority."""
        return (
            f"mongodb://{USER}:{PASSWORD}@{HOST}:{self.port}/?authSource=admin&tls=true"
            f"&tlsCAFile={authority or self.authority}{options}"
        )


def write_authority(folder: Path, authority: trustme.CA) -> Path:
    """Write an authority's certificate and return its file."""
    path = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@contextmanager
def encrypted_mongod(folder: Path) -> Iterator[EncryptedMongod]:
    """Start a mongod with TLS and --auth, and create the desk's user."""
    authority = trustme.CA()
    certificate = authority.issue_cert(HOST)
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    with socket.create_server((HOST, 0)) as probe:
        port = int(probe.getsockname()[1])
    started = EncryptedMongod(port, write_authority(folder, authority))
    (folder / "data").mkdir()
    server = subprocess.Popen(
        [
            *(mongod_binary(), "--auth", "--dbpath", folder / "data", "--bind_ip", HOST),
            *("--port", str(port), "--nounixsocket", "--logpath", folder / "mongod.log"),
            *("--tlsMode", "requireTLS", "--tlsCertificateKeyFile", folder / "server.pem"),
            *("--tlsCAFile", started.authority, "--tlsAllowConnectionsWithoutCertificates"),
        ],
        stdout=subprocess.DEVNULL,
    )
    try:
        with MongoClient(
            *(HOST, port),
            tls=True,
            tlsCAFile=str(started.authority),
            serverSelectionTimeoutMS=READY_MILLISECONDS,
        ) as client:
            client["admin"].command("createUser", USER, pwd=PASSWORD, roles=["root"])
        yield started
    finally:
        server.terminate()
        server.wait(30)
