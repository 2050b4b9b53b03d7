"""A studio that answers by HTTPS, with a certificate of its own or behind a proxy."""

from __future__ import annotations

import datetime
import ipaddress
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets import Origin
from websockets.sync.client import connect

from flowml.runner.entrance import Entrance
from flowml.runner.people import People
from flowml.runner.settings import Settings
from flowml.storage.db import Database
from flowml.storage.errors import NotReady, NotSignedIn, SettingError
from flowml.storage.records import UserRole
from flowml.ui.client import Studio
from flowml.ui.server import check_tls

FLOWML = Path(sys.executable).with_name("flowml")
PROXIED = {"Host": "studio.lab", "Origin": "https://studio.lab", "X-Forwarded-Proto": "https"}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "studio")])
    day, now = datetime.timedelta(days=1), datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now - day, now + day
    )
    signed = made.add_extension(names, critical=False).sign(key, hashes.SHA256())
    (folder / "cert.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder / "cert.pem", folder / "key.pem"


@contextmanager
def up(home: Path, password: str, **environ: str) -> Iterator[str]:
    """`flowml up` on a folder with one user; its address."""
    db = Database(home / "flowml.duckdb")
    People(db, Entrance(db, Settings(home=home))).add_user("vic", UserRole.ADMIN, password)
    db.close()
    command = [FLOWML, "up", "--port", "0", "--workers", "0", "--data-dir", home]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | environ
    )
    try:
        assert process.stdout is not None
        yield next(line.split()[-1] for line in process.stdout if "://" in line)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def form(password: str) -> dict[str, str]:
    return {"name": "vic", "password": password, "next": "/"}


def test_a_studio_with_a_certificate_speaks_https_alone(
    tmp_path: Path, password: str, pair: tuple[Path, Path]
) -> None:
    cert, key = pair
    trusted = ssl.create_default_context(cafile=str(cert))
    with up(tmp_path, password, FLOWML_TLS_CERT=str(cert), FLOWML_TLS_KEY=str(key)) as url:
        assert url.startswith("https://127.0.0.1:")
        with httpx.Client(base_url=url, verify=trusted, timeout=60) as client:
            answer = client.get("/health")
            assert (answer.json(), "max-age" in answer.headers["strict-transport-security"]) == (
                {"status": "ok"},
                True,
            )
            signed_in = client.post("/login", data=form(password), headers={"Origin": url})
            assert signed_in.status_code == 303
            assert "Secure" in signed_in.headers["set-cookie"]
            cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        with connect(
            url.replace("https", "wss", 1) + "/_stcore/stream",
            ssl=trusted,
            origin=Origin(url),
            additional_headers={"Cookie": cookie},
        ):
            pass
        with pytest.raises(httpx.TransportError):
            httpx.get(url.replace("https", "http", 1) + "/health")
        assert_believed(tmp_path, url, cert)


def assert_believed(home: Path, url: str, cert: Path) -> None:
    """By commands of the same machine, and elsewhere by who names the certificate; by nobody else."""
    listed = subprocess.run(
        [FLOWML, "datasets", "list", "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | {"FLOWML_HOME": str(home)},
    )
    assert (listed.stdout.strip(), listed.stderr) == ("[]", "")
    with Studio(url, "flowml_nobody", ca=cert) as known, pytest.raises(NotSignedIn):
        known.datasets()
    with Studio(url, "flowml_nobody") as stranger, pytest.raises(NotReady, match="cannot be believed"):
        stranger.datasets()
    with pytest.raises(SettingError, match="cannot be used"):
        Studio(url, "flowml_nobody", ca=home / "studio.json")


def test_behind_a_proxy_cookies_are_secure_and_only_its_name_is_answered(
    tmp_path: Path, password: str
) -> None:
    with up(tmp_path, password, FLOWML_HOSTS="studio.lab") as url:
        answer = httpx.post(f"{url}/login", data=form(password), headers=PROXIED, timeout=60)
        assert (answer.status_code, "Secure" in answer.headers["set-cookie"]) == (303, True)
        assert "strict-transport-security" in answer.headers
        other = httpx.post(f"{url}/login", data=form(password), headers=PROXIED | {"Host": "other.lab"})
        assert other.status_code == 403


def test_the_word_of_a_stranger_is_not_believed(tmp_path: Path, password: str) -> None:
    with up(tmp_path, password, FLOWML_HOSTS="studio.lab", FLOWML_PROXIES="192.0.2.1") as url:
        answer = httpx.get(f"{url}/health", headers=PROXIED, timeout=60)
        assert (answer.status_code, "strict-transport-security" in answer.headers) == (200, False)


def test_what_is_no_pair_is_refused_at_the_start(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    cert, key = pair
    (tmp_path / "broken.pem").write_text("nothing")
    settings = Settings(home=tmp_path, tls_cert=cert, tls_key=key)
    check_tls(settings)
    for wrong in (
        {"tls_key": None},
        {"tls_cert": key},
        {"tls_key": tmp_path / "broken.pem"},
        {"tls_key": tmp_path / "x"},
    ):
        with pytest.raises(SettingError, match=r"HTTPS|cannot be used"):
            check_tls(replace(settings, **wrong))
