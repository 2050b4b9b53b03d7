"""The commands that ask a running studio: one with a worker, found by its data folder."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.ui.commands import Done, Run, program, within

PASSWORD = "correct horse battery"


def run(home: Path, *arguments: object, **more: str) -> Done:
    return within(*arguments, **{"FLOWML_HOME": str(home), **more})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli-home")


@pytest.fixture(scope="module")
def studio(
    home: Path, served: Callable[..., AbstractContextManager[tuple[subprocess.Popen[str], str]]]
) -> Iterator[str]:
    with served(home, workers=1) as (_, url):
        yield url


@pytest.fixture(scope="module")
def flowml(home: Path, studio: str) -> Run:
    assert studio

    def ask(*arguments: object, **more: str) -> Done:
        return run(home, *arguments, **more)

    return ask


def told(done: Done) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = range(90)
    frame = pl.DataFrame(
        {
            "size": [n // 3 + 0.5 for n in rows],
            "city": [("Bonn", "Köln", "Berlin")[n % 3] for n in rows],
            "bought": ["yes" if n >= 44 else "no" for n in rows],
        }
    )
    path = tmp_path_factory.mktemp("table") / "customers.csv"
    frame.write_csv(path)
    return path


@pytest.fixture(scope="module")
def trained(
    flowml: Run, studio: str, table: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("out") / "made"
    few = ("--algorithms", "logistic", "--trials", "2", "--budget", "60s")
    asked = ("train", table, "--target", "bought", *few, "--out", out, "--studio", studio, "--json")
    return out, told(flowml(*asked))


def test_a_training_on_a_studio_leaves_the_same_files(trained: tuple[Path, dict[str, Any]]) -> None:
    out, said = trained
    assert (said["state"], said["metric"], said["trials"] >= 2) == ("finished", "roc_auc", True)
    papers = {path.name for path in out.iterdir()}
    assert papers >= {
        "model.onnx",
        "leaderboard.json",
        "receipt.json",
        "card.json",
        "card.md",
        "explain.json",
    }
    board = json.loads((out / "leaderboard.json").read_text())
    assert {"rank", "name", "algorithm", "score", "fit_seconds", "state", "cause"} <= board[0].keys()
    assert json.loads((out / "receipt.json").read_text())["budget_s"] == 60
    assert (out / "card.md").read_text().startswith("#")


def test_jobs_are_listed_watched_and_shown(
    flowml: Run, home: Path, trained: tuple[Path, dict[str, Any]]
) -> None:
    job = trained[1]["job_id"]
    listed = program("jobs", "list", "--json", FLOWML_HOME=str(home))
    assert [each["id"] for each in told(listed)] == [job]
    name = told(listed)[0]["dataset_name"]
    assert [each["id"] for each in told(flowml("jobs", "list", "--dataset", name, "--json"))] == [job]
    assert "no such job" in flowml("jobs", "list", "--dataset", name, "--state", "failed").stdout.lower()
    assert "no dataset" in flowml("jobs", "list", "--dataset", f"{name}:99").stderr
    assert "finished" in flowml("jobs", "list", "--state", "finished").stdout
    unknown = flowml("jobs", "list", "--state", "nonsense")
    assert (unknown.returncode, "'paused'" in unknown.stderr) == (2, True)
    assert told(flowml("jobs", "show", job, "--json"))["status"] == "finished"
    assert told(flowml("jobs", "leaderboard", job, "--json"))[0]["rank"] == 1
    assert trained[1]["champion"] in flowml("jobs", "leaderboard", job).stdout
    watched = flowml("watch", job)
    assert watched.returncode == 0, watched.stderr
    assert "the best so far" in watched.stdout
    lines = [json.loads(line) for line in flowml("watch", job, "--json").stdout.splitlines()]
    assert {line.get("event") for line in lines} >= {"trial_started", "trial_finished", "state"}
    assert lines[-1]["champion"] == trained[1]["model_id"]
    assert flowml("jobs", "stop", job).returncode == 1
    assert "no job nothing" in flowml("jobs", "show", "nothing").stderr.lower()
    again = told(flowml("jobs", "clone", job, "--budget", "30s", "--json"))["job_id"]
    assert told(flowml("jobs", "cancel", again, "--json")) == {"cancelled": again}


def test_a_model_is_registered_and_predicts_by_its_name(
    flowml: Run, trained: tuple[Path, dict[str, Any]], table: Path, tmp_path: Path
) -> None:
    model = trained[1]["model_id"]
    assert flowml("models", "register", model, "buyers", "--alias", "live").stdout.strip() == "buyers:1"
    assert "live → 1" in flowml("models", "names").stdout
    assert told(flowml("models", "show", "buyers@live", "--json"))["id"] == model
    assert flowml("models", "promote", "buyers", 1, "best").returncode == 0
    assert "best, live" in flowml("models", "versions", "buyers").stdout
    for name, ref in (("by-name", "buyers@best"), ("by-file", trained[0] / "model.onnx")):
        assert told(flowml("predict", ref, table, "--out", tmp_path / f"{name}.csv", "--json"))["rows"] == 90
    one, other = (pl.read_csv(tmp_path / f"{name}.csv") for name in ("by-name", "by-file"))
    assert one.equals(other)
    assert flowml("models", "download", "buyers:1", "--out", tmp_path / "m.onnx").returncode == 0
    assert (tmp_path / "m.onnx").read_bytes() == (trained[0] / "model.onnx").read_bytes()
    assert flowml("models", "demote", "buyers", "best").returncode == 0
    assert "Version 1 of buyers is live." in flowml("models", "unregister", "buyers", 1, "--yes").stderr
    demoted = told(flowml("models", "demote", "buyers", "live", "--json"))
    assert demoted == {"name": "buyers", "demoted": "live"}
    assert flowml("models", "unregister", "buyers", 1, "--yes").returncode == 0
    assert "buyers@none" in flowml("predict", "buyers@none", table, "--out", tmp_path / "x.csv").stderr


def test_datasets_go_in_and_out(flowml: Run, table: Path, tmp_path: Path) -> None:
    added = told(flowml("datasets", "upload", table, "--name", "mine", "--json"))
    id = added["id"]
    assert (added["name"], added["rows"]) == ("mine", 90)
    assert "mine v1" in flowml("datasets", "list").stdout
    assert "city (categorical)" in flowml("datasets", "show", id).stdout
    assert "Köln" in flowml("datasets", "preview", "mine", "--rows", 3).stdout
    assert flowml("datasets", "download", id, "--out", tmp_path / "t.parquet").returncode == 0
    assert pl.read_parquet(tmp_path / "t.parquet").height == 90
    assert flowml("datasets", "delete", "mine", stdin="n\n").returncode == 1
    assert flowml("datasets", "delete", id, "--yes").returncode == 0
    assert flowml("datasets", "list", "--name", "mine").stdout.startswith("No dataset")
    assert "Check the path" in flowml("datasets", "upload", tmp_path / "none.csv").stderr


def test_a_table_is_looked_into_and_mended(flowml: Run, tmp_path: Path) -> None:
    rows = "".join(f"c{n % 9},{n},{n % 7},{'yes' if n % 2 else 'no'},{n % 2}\n" for n in range(60))
    (tmp_path / "t.csv").write_text(f"shop,age,day,churn,copy\n{rows}")
    id = told(flowml("datasets", "upload", tmp_path / "t.csv", "--json"))["id"]
    assert "copy" in flowml("datasets", "profile", id).stdout
    found = told(flowml("datasets", "check", id, "--target", "churn", "--json"))
    number = next(n for n, each in enumerate(found, 1) if each["kind"] == "target_copy")
    asked = ("datasets", "check", id, "--target", "churn")
    assert "seems to be made from it" in flowml(*asked).stdout
    assert told(flowml(*asked, "--fix", number, "--json"))["roles"] == {"copy": "ignored"}
    assert "no finding 99" in flowml(*asked, "--fix", 99).stderr
    assert "ignored" in flowml("datasets", "roles", id, "--set", "shop=group").stdout
    assert "you said so" not in flowml("datasets", "roles", id, "--guessed").stdout
    query = "SELECT * EXCLUDE (copy) FROM dataset WHERE age < 30"
    assert "30 rows in all" in flowml("datasets", "query", id, query, "--rows", 2).stdout
    made = told(flowml("datasets", "derive", id, query, "--json"))
    assert [each["version"] for each in told(flowml("datasets", "versions", id, "--json"))] == [2, 1]
    assert "Removed: copy." in flowml("datasets", "diff", made["id"]).stdout
    assert "no version before" in flowml("datasets", "diff", id).stderr
    assert flowml("datasets", "download", id, "--out", tmp_path / "t.xlsx").returncode == 0
    assert (tmp_path / "t.xlsx").read_bytes()[:2] == b"PK"


def test_workers_and_logs_are_shown(flowml: Run, trained: tuple[Path, dict[str, Any]]) -> None:
    (worker,) = told(flowml("workers", "list", "--json"))
    assert worker["name"] in flowml("workers", "list").stdout
    assert told(flowml("workers", "show", worker["name"], "--json"))["name"] == worker["name"]
    assert "is online" in flowml("workers", "forget", worker["name"]).stderr
    for word, expected in (("pause", "pause"), ("drain", "drain"), ("resume", "")):
        assert told(flowml("workers", word, worker["name"], "--json"))["told"] == expected
    assert "no worker named nobody" in flowml("workers", "pause", "nobody").stderr
    said = flowml("logs", "--job", trained[1]["job_id"], "-n", 5)
    assert (said.returncode, bool(said.stdout)) == (0, True)
    assert json.loads(flowml("logs", "-n", 1, "--json").stdout)["message"]


def test_a_worker_is_started_where_none_is(
    tmp_path: Path, served: Callable[..., AbstractContextManager[tuple[subprocess.Popen[str], str]]]
) -> None:
    with served(tmp_path, workers=0):
        assert "flowml workers start" in run(tmp_path, "workers", "list").stdout
        name = told(run(tmp_path, "workers", "start", "--json"))["name"]
        assert name in run(tmp_path, "workers", "start").stdout  # on its way


@pytest.mark.usefixtures("trained")
def test_a_backup_is_taken_while_it_works_and_restored(flowml: Run, table: Path, tmp_path: Path) -> None:
    assert told(flowml("backup", tmp_path / "b.tar", "--json"))["size"] > 1000
    assert "exists" in flowml("backup", tmp_path / "b.tar").stderr
    again = tmp_path / "again"
    assert told(flowml("restore", tmp_path / "b.tar", "--data-dir", again, "--json"))["missing"] == []
    assert "already" in flowml("restore", tmp_path / "b.tar", "--data-dir", again).stderr
    offline = run(again, "backup", tmp_path / "c.tar", "--json")
    assert told(offline)["size"] > 1000
    assert flowml("restore", table, "--data-dir", tmp_path / "x").returncode == 1


def test_users_are_managed_while_the_studio_rests_and_while_it_runs(
    tmp_path: Path, served: Callable[..., AbstractContextManager[tuple[subprocess.Popen[str], str]]]
) -> None:
    home = tmp_path / "home"

    def ask(*arguments: object, stdin: str = "", **environ: str) -> Done:
        return run(home, *arguments, stdin=stdin, **environ)

    assert "administrator" in ask("user", "add", "ada", "--password-stdin", stdin=f"{PASSWORD}\n").stderr
    added = ask("user", "add", "root", "--role", "admin", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert (added.returncode, added.stdout) == (0, "Added root (admin).\n")
    (known,) = told(ask("user", "list", "--json"))
    assert (known["name"], "password" in known) == ("root", False)
    with served(home) as (_, url):
        assert ask("user", "add", "ada", "--password-stdin", stdin=f"{PASSWORD}\n").returncode == 0
        assert told(ask("user", "role", "ada", "viewer", "--json"))["role"] == "viewer"
        made = told(ask("token", "create", "cron", "--scopes", "read", "--user", "ada", "--json"))
        token = {"FLOWML_TOKEN": made["secret"], "FLOWML_STUDIO_URL": url}
        elsewhere = tmp_path / "elsewhere"
        assert run(elsewhere, "datasets", "list", "--json", **token).stdout.strip() == "[]"
        assert "Sign in" in run(elsewhere, "datasets", "list", FLOWML_STUDIO_URL=url).stderr
        assert "needs the scope admin" in run(elsewhere, "user", "list", **token).stderr
        assert [each["name"] for each in told(ask("token", "list", "--all", "--json"))] == ["cron"]
        assert ask("user", "password", "ada", "--password-stdin", stdin="another long one\n").returncode == 0
        assert ask("user", "disable", "ada").returncode == 0
        assert run(elsewhere, "datasets", "list", **token).returncode == 1
        assert ask("token", "revoke", made["id"]).returncode == 0
        assert ask("user", "remove", "ada", "--yes").returncode == 0
        assert "last administrator" in ask("user", "remove", "root", "--yes").stderr
        assert "no user eve" in ask("user", "role", "eve", "viewer").stderr


def test_projects_are_shared_and_things_moved_into_them(
    tmp_path: Path, served: Callable[..., AbstractContextManager[tuple[subprocess.Popen[str], str]]]
) -> None:
    home = tmp_path / "home"
    (tmp_path / "t.csv").write_text("x,y\n1,a\n2,b\n")
    with served(home) as (_, url):
        seats = {}
        for name, role, scopes in (("root", "admin", "read,write,admin"), ("ada", "viewer", "read")):
            run(home, "user", "add", name, "--role", role, "--password-stdin", stdin=f"{PASSWORD}\n")
            made = told(run(home, "token", "create", name, "--scopes", scopes, "--user", name, "--json"))
            seats[name] = {"FLOWML_TOKEN": made["secret"], "FLOWML_STUDIO_URL": url}

        def ask(*words: object, who: str = "root", **environ: str) -> Done:
            return run(tmp_path / "elsewhere", *words, **seats[who], **environ)

        project = told(ask("projects", "add", "Churn", "--json"))["id"]
        assert "viewer in Churn" in ask("projects", "share", "churn", "ada").stdout
        assert "ada (viewer)" in ask("projects", "list").stdout
        assert ask("projects", "rename", "Churn", "Leavers").returncode == 0
        dataset = told(ask("datasets", "upload", tmp_path / "t.csv", "--json"))["id"]
        moved = told(ask("datasets", "move", dataset, "--project", "leavers", "--json"))
        assert moved["project"] == project
        assert "lies in Leavers." in ask("datasets", "move", dataset, "--project", project).stdout
        assert "more than one" not in ask("projects", "add", "LEAVERS").stderr
        assert ask("projects", "remove", "LEAVERS", "--yes").returncode == 0  # it is the one written so
        assert "FLOWML_TOKEN" in run(home, "projects", "add", "Mine").stderr
        words = {"COMP_WORDS": "flowml projects share Leavers a", "COMP_CWORD": "4"}
        assert ask(_FLOWML_COMPLETE="complete_bash", **words).stdout.split() == ["ada"]
        assert dataset in ask("datasets", "list", "--json", who="ada").stdout
        assert ask("projects", "unshare", project, "ada").returncode == 0
        assert dataset not in ask("datasets", "list", "--json", who="ada").stdout
        assert "private place of ada." in ask("datasets", "move", dataset, "--project", "ada").stdout
        assert dataset in ask("datasets", "list", "--json", who="ada").stdout
        assert "no project nowhere" in ask("datasets", "move", dataset, "--project", "nowhere").stderr
        assert ask("projects", "remove", project, "--yes").returncode == 0


def test_the_settings_are_shown_with_their_origin_and_secrets_hidden(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("port = 9000\n")
    secret = tmp_path / "token"
    secret.write_text("flowml_secret\n")
    done = run(tmp_path, "config", "--json", FLOWML_TOKEN_FILE=str(secret), FLOWML_LOG_LEVEL="debug")
    found = told(done)
    assert (found["FLOWML_PORT"]["value"], found["FLOWML_PORT"]["from"]) == (
        "9000",
        str(tmp_path / "settings.toml"),
    )
    assert (found["FLOWML_LOG_LEVEL"]["value"], found["FLOWML_LOG_LEVEL"]["from"]) == (
        "debug",
        "the environment",
    )
    assert (found["FLOWML_TOKEN"]["value"], found["FLOWML_TOKEN"]["from"]) == ("***", str(secret))
    assert found["FLOWML_HOST"]["from"] == "default"
    shown = run(tmp_path, "config", "--changed").stdout
    assert ("FLOWML_PORT" in shown, "FLOWML_HOST " in shown) == (True, False)
    assert "FLOWML_PORT is 'x'" in run(tmp_path, "config", FLOWML_PORT="x").stderr
    assert "cannot be read" in run(tmp_path, "config", FLOWML_TOKEN_FILE="/none").stderr


def test_no_studio_is_said_plainly(tmp_path: Path) -> None:
    done = run(tmp_path, "jobs", "list", "--studio", "http://127.0.0.1:9")
    assert (done.returncode, "No studio answers" in done.stderr) == (1, True)
    assert "Traceback" not in done.stderr


def test_shells_complete_what_the_studio_knows(
    flowml: Run, trained: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    job, model = trained[1]["job_id"], trained[1]["model_id"]

    def offered(ask: Run, words: str) -> list[str]:
        place = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
        done = ask(_FLOWML_COMPLETE="complete_bash", **place)
        assert done.stderr == ""
        return done.stdout.split()

    assert job in offered(flowml, "flowml jobs show ")
    assert offered(flowml, f"flowml watch {job[:-1]}") == [job]
    assert "customers" in offered(flowml, "flowml datasets show ")
    assert model in offered(flowml, "flowml models show model-")
    away = {"FLOWML_STUDIO_URL": "http://127.0.0.1:9"}
    assert offered(lambda **more: run(tmp_path, **more, **away), "flowml datasets show ") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_the_commands(tmp_path: Path, shell: str) -> None:
    environ = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1", "FLOWML_HOME": str(tmp_path)}
    assert "flowml" in program("--show-completion", shell, **environ).stdout
    if shell == "bash":
        asked = {"_FLOWML_COMPLETE": "complete_bash", "COMP_WORDS": "flowml data", "COMP_CWORD": "1"}
        assert "datasets" in program(**asked, **environ).stdout


def test_a_file_that_cannot_be_written_is_said_plainly(flowml: Run, table: Path, tmp_path: Path) -> None:
    dataset = told(flowml("datasets", "upload", table, "--name", "plain", "--json"))["id"]
    for out in (tmp_path / "missing" / "t.csv", tmp_path):
        done = flowml("datasets", "download", dataset, "--out", out)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 2), done.stderr
        assert str(out) in done.stderr
    (tmp_path / "mine.csv").write_text("mine")
    assert flowml("datasets", "download", "dataset-none", "--out", tmp_path / "mine.csv").returncode == 1
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_the_room_of_a_studio_is_shown(flowml: Run, home: Path) -> None:
    room = told(flowml("storage", "show", "--json"))
    assert {each["name"] for each in room["shelves"]} >= {"Database", "Logs"}
    shown = flowml("storage", "show").stdout
    assert f"{home}/flowml.duckdb" in shown
    assert "free on the disk" in shown
