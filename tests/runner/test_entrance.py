"""Who is let in: sessions, tokens, the first administrator, and who guesses."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flowml.runner.entrance import Entrance, is_reachable
from flowml.runner.people import People
from flowml.runner.settings import Settings
from flowml.runner.throttle import FREE, LONGEST_S, Throttle
from flowml.storage import audit, sessions, tokens
from flowml.storage.db import Database
from flowml.storage.errors import Conflict, InputError, NotSignedIn, TooMany
from flowml.storage.records import OWNER, Scope, User, UserRole

PASSWORD = "correct horse battery"
HOUR = 3600.0


class Clock:
    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def db(home: Path) -> Database:
    return Database(home / "flowml.duckdb")


@pytest.fixture
def entrance(db: Database, home: Path, clock: Clock) -> Entrance:
    settings = Settings(home=home, session_idle=2 * HOUR, session_length=5 * HOUR)
    return Entrance(db, settings, clock)


@pytest.fixture
def people(db: Database, entrance: Entrance) -> People:
    return People(db, entrance)


@pytest.fixture
def ada(people: People) -> User:
    return people.add_user("Ada", UserRole.ADMIN, PASSWORD, "ada@example.com")


def test_without_users_nobody_signs_in_and_with_the_first_all_do(entrance: Entrance, people: People) -> None:
    assert (entrance.needed, entrance.anybody) == (False, False)
    people.add_user("ada", UserRole.ADMIN, PASSWORD)
    assert (entrance.needed, entrance.anybody) == (True, True)


@pytest.mark.parametrize(
    ("settings", "reachable"),
    [
        ({"host": "127.0.0.1"}, False),
        ({"host": "localhost"}, False),
        ({"host": "::1"}, False),
        ({"host": "127.8.8.8"}, False),
        ({"host": "0.0.0.0"}, True),
        ({"host": "::"}, True),
        ({"host": "10.1.2.3"}, True),
        ({"host": "lab.example"}, True),
        ({"hosts": ("studio.example",)}, True),
    ],
)
def test_beyond_this_machine_a_login_is_needed(
    db: Database, settings: dict[str, str], reachable: bool
) -> None:
    made = Settings(**settings)
    assert is_reachable(made) is reachable
    assert Entrance(db, made).needed is reachable
    assert Entrance(db, Settings(login="always")).needed


@pytest.mark.usefixtures("ada")
def test_a_session_lives_while_it_is_used_and_not_beyond_its_end(entrance: Entrance, clock: Clock) -> None:
    secret = entrance.sign_in(" ada ", PASSWORD, "10.0.0.7")
    for _ in range(4):  # each hour: never idle for two, but five are the most
        person = entrance.of_cookie(secret)
        assert person is not None
        assert (person.name, person.role, person.via) == ("Ada", UserRole.ADMIN, "session")
        clock.now += HOUR
    clock.now += HOUR
    assert entrance.of_cookie(secret) is None
    other = entrance.sign_in("ada", PASSWORD)
    clock.now += 2 * HOUR + 1
    assert entrance.of_cookie(other) is None


@pytest.mark.usefixtures("ada")
def test_signing_out_ends_the_session_at_once_and_only_this_one(entrance: Entrance) -> None:
    one, two = entrance.sign_in("ada", PASSWORD), entrance.sign_in("ada", PASSWORD)
    assert entrance.of_cookie(one) == entrance.of_cookie(two)
    entrance.sign_out(one)
    assert entrance.of_cookie(one) is None
    assert entrance.of_cookie(two) is not None


def test_no_secret_is_kept(entrance: Entrance, people: People, db: Database, ada: User) -> None:
    secret = entrance.sign_in("ada", PASSWORD)
    token = people.issue_token("t", [Scope.READ], user_id=ada.id)
    with db.read() as cursor:
        written = str(cursor.execute("SELECT * FROM studio_user").fetchall())
        written += str(cursor.execute("SELECT * FROM session").fetchall())
        written += str(cursor.execute("SELECT * FROM token").fetchall())
        assert sessions.list_(cursor, ada.id)
        assert tokens.list_(cursor)
    for text in (PASSWORD, secret, token.secret):
        assert text not in written
    assert "$argon2id$" in written


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(("name", "password"), [("ada", "wrong"), ("bob", PASSWORD), ("", ""), ("ada", "")])
def test_who_is_not_known_is_told_the_same_whatever_was_wrong(
    entrance: Entrance, db: Database, name: str, password: str
) -> None:
    with pytest.raises(NotSignedIn, match="name or the password is wrong"):
        entrance.sign_in(name, password, "10.0.0.7")
    with db.read() as cursor:
        (entry,) = audit.list_(cursor, action="login")
    assert (entry.who, entry.outcome, entry.address) == (name, "refused", "10.0.0.7")


@pytest.mark.usefixtures("ada")
def test_who_guesses_has_to_wait_even_with_the_right_password(entrance: Entrance) -> None:
    for _ in range(FREE):
        with pytest.raises(NotSignedIn):
            entrance.sign_in("ada", "wrong", "10.0.0.7")
    with pytest.raises(TooMany):
        entrance.sign_in("ADA", PASSWORD, "10.0.0.8")
    with pytest.raises(TooMany):
        entrance.sign_in("other", PASSWORD, "10.0.0.7")


def guess(throttle: Throttle) -> float:
    """A wrong one; the seconds to wait where it was not even looked at."""
    try:
        with throttle.attempt("k"):
            raise NotSignedIn("wrong")
    except NotSignedIn:
        return 0.0
    except TooMany as error:
        return error.wait_s


def test_each_failure_doubles_the_wait_and_a_success_forgets_them() -> None:
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    assert [guess(throttle) for _ in range(FREE)] == [0.0] * FREE
    for wait_s in (1.0, 2.0, 4.0, 8.0):
        assert guess(throttle) == wait_s
        now[0] += wait_s
        assert guess(throttle) == 0.0
    now[0] += 1e5
    assert [guess(throttle) for _ in range(FREE - 1)] == [0.0] * (FREE - 1)
    with throttle.attempt("k"):
        pass
    assert [guess(throttle) for _ in range(FREE)] == [0.0] * FREE
    assert guess(throttle) == 1.0


def test_who_never_stops_guessing_waits_as_long_as_ever() -> None:
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    for _ in range(1100):  # a float holds no more than 1023 doublings
        assert guess(throttle) == 0.0
        now[0] += LONGEST_S
    now[0] -= LONGEST_S
    assert guess(throttle) == LONGEST_S


def test_guesses_at_the_same_moment_are_counted_like_guesses_in_a_row(entrance: Entrance) -> None:
    entrance._throttle = Throttle(lambda: 0.0)
    started = threading.Barrier(20)

    def wrong(number: int) -> type[Exception]:
        started.wait()
        with pytest.raises((NotSignedIn, TooMany)) as refused:
            entrance.sign_in("ada", f"guess number {number}", f"10.0.0.{number}")
        return refused.type

    with ThreadPoolExecutor(20) as threads:
        found = list(threads.map(wrong, range(20)))
    assert (found.count(NotSignedIn), found.count(TooMany)) == (FREE, 20 - FREE)


@pytest.mark.usefixtures("ada")
def test_many_who_come_in_at_the_same_moment_from_one_address_all_do(entrance: Entrance) -> None:
    with ThreadPoolExecutor(12) as threads:
        secrets = list(threads.map(lambda _: entrance.sign_in("ada", PASSWORD, "10.0.0.1"), range(12)))
    assert len(set(secrets)) == 12


def test_what_somebody_may_changes_at_once(entrance: Entrance, people: People, ada: User) -> None:
    bob = people.add_user("bob", UserRole.EDITOR, PASSWORD)
    secret = entrance.sign_in("bob", PASSWORD)
    token = people.issue_token("t", [Scope.READ, Scope.WRITE], user_id=bob.id).secret
    assert [entrance.of_token(token), entrance.of_cookie(secret)].count(None) == 0
    people.change_user(bob.id, role=UserRole.VIEWER)
    for person in (entrance.of_token(token), entrance.of_cookie(secret)):
        assert person is not None
        assert not person.may(Scope.WRITE)
    people.change_user(bob.id, disabled=True)
    assert (entrance.of_token(token), entrance.of_cookie(secret)) == (None, None)
    with pytest.raises(NotSignedIn):
        entrance.sign_in("bob", PASSWORD)
    people.change_user(bob.id, disabled=False)
    assert entrance.of_token(token) is not None
    people.remove_user(bob.id)
    assert entrance.of_token(token) is None
    assert entrance.of_cookie(entrance.sign_in("ada", PASSWORD)) is not None
    assert ada.name == "Ada"


def test_a_token_ends_when_it_expires_or_is_revoked(
    entrance: Entrance, people: People, clock: Clock, ada: User
) -> None:
    short = people.issue_token("short", [Scope.READ], days=1, user_id=ada.id)
    long = people.issue_token("long", [Scope.READ], days=None, user_id=ada.id)
    assert short.secret.startswith("flowml_")
    person = entrance.of_token(short.secret)
    assert person is not None
    assert (person.name, person.scopes, person.via) == ("Ada", {Scope.READ}, short.token.id)
    clock.now = (short.token.expires_at or 0) + 1
    assert entrance.of_token(short.secret) is None
    assert entrance.of_token(long.secret) is not None
    people.revoke_token(long.token.id)
    assert entrance.of_token(long.secret) is None


def test_the_key_of_the_data_folder_lets_its_owner_in(entrance: Entrance) -> None:
    person = entrance.of_token(entrance.local_key)
    assert person is not None
    assert (person.scopes, person.id, person.via) == (OWNER.scopes, "", "local key")


def test_the_code_makes_the_first_administrator_once(entrance: Entrance) -> None:
    with pytest.raises(NotSignedIn, match="code"):
        entrance.add_first("", "ada", PASSWORD)  # none was printed
    assert not entrance.awaits_first
    code = entrance.first_code()
    assert entrance.awaits_first
    with pytest.raises(NotSignedIn, match="code"):
        entrance.add_first("0" * 16, "ada", PASSWORD)
    with pytest.raises(InputError, match="characters"):
        entrance.add_first(code, "ada", "short")
    person = entrance.of_cookie(entrance.add_first(f" {code} ", "ada", PASSWORD))
    assert person is not None
    assert person.role is UserRole.ADMIN
    assert not entrance.awaits_first
    with pytest.raises((NotSignedIn, Conflict)):
        entrance.add_first(code, "eve", PASSWORD)
    with pytest.raises(Conflict):
        entrance.first_code()


def test_the_settings_name_the_first_administrator_and_no_second(db: Database, home: Path) -> None:
    settings = Settings(home=home, admin_user="root", admin_password=PASSWORD)
    for _ in range(2):
        entrance = Entrance(db, settings)
        entrance.add_from_settings()
        assert entrance.of_cookie(entrance.sign_in("root", PASSWORD)) is not None
    assert PASSWORD not in repr(settings)
    assert PASSWORD not in "".join(settings.to_environ().values())
    assert PASSWORD in settings.secrets()
