"""The images' entrypoint, run by every kind of shell that images have."""

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.integration

# As it is rendered, the same for every project.
ENTRYPOINT = Path(__file__).resolve().parents[1] / "golden/profile-web-app/deploy/entrypoint.sh"
SECRETS = Path("/run/secrets")
SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}
HOSTILE = [
    "plain",
    "with space",
    " edge ",
    "50%",
    "%41",
    "a/b",
    "a@b",
    "a:b",
    "a?b",
    "a#b",
    "a&b=c",
    "a+b",
    "a,b;c",
    "[a]",
    "'single'",
    '"double"',
    "$HOME",
    "${HOME}",
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned #",
    "\\",
    "\\n\\x41",
    "a\\",
    "-n",
    "-e a",
    "*",
    "~",
    "!",
    "é世界\U0001f600",
    "tab\there",
    "line\nbreak",
    "x" * 300,
]
POSTGRES = {"POSTGRES_SERVER": "db", "POSTGRES_USER": "u", "POSTGRES_DB": "d"}

Shell = tuple[list[str], str]


@pytest.fixture(params=SHELLS, scope="module")
def shell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell with its PATH: BusyBox with its own tools, as in Alpine images."""
    command = SHELLS[request.param]
    found = shutil.which(command[0])
    if found is None:
        pytest.skip(f"{command[0]} is not installed")
    if request.param != "busybox":
        return [found, *command[1:]], "/usr/local/bin:/usr/bin:/bin"
    tools = tmp_path_factory.mktemp("busybox")
    subprocess.run([found, "--install", "-s", str(tools)], check=True)
    return [found, "sh"], str(tools)


@pytest.fixture
def secrets() -> Iterator[Path]:
    """A folder of its own among the secret files, as containers have them."""
    folder = None
    while folder is None:
        try:
            SECRETS.mkdir(exist_ok=True)
            folder = Path(tempfile.mkdtemp(dir=SECRETS))
        except PermissionError:
            pytest.skip(f"only root can write to {SECRETS}")
        except FileNotFoundError:
            continue  # another worker has just tidied up
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
        with suppress(OSError):
            SECRETS.rmdir()


def run(
    shell: Shell,
    environment: Mapping[str, str],
    cwd: Path | None = None,
    *command: str,
    entrypoint: Path = ENTRYPOINT,
) -> subprocess.CompletedProcess[bytes]:
    """Run a command through the entrypoint in a clean environment."""
    words, path = shell
    return subprocess.run(
        [*words, str(entrypoint), *(command or ("env", "-0"))],
        env={"PATH": path, **environment},
        cwd=cwd,
        capture_output=True,
        timeout=300,
    )


def completed(
    shell: Shell,
    environment: Mapping[str, str],
    cwd: Path | None = None,
    entrypoint: Path = ENTRYPOINT,
) -> dict[str, str]:
    """The environment that the command sees."""
    result = run(shell, environment, cwd, entrypoint=entrypoint)
    assert result.returncode == 0, result.stderr
    assert result.stderr == b""
    return dict(item.split("=", 1) for item in result.stdout.decode().split("\0") if item)


def parts(url: str) -> tuple[SplitResult, str, str, str]:
    """A URL, with its user, password and path decoded."""
    split = urlsplit(url)
    return split, unquote(split.username or ""), unquote(split.password or ""), unquote(split.path)


class TestPostgres:
    """DATABASE_URL and SQLALCHEMY_DATABASE_URI."""

    def test_any_part_comes_through(self, shell: Shell, tmp_path: Path) -> None:
        """User, password and database name may hold any character."""
        for value in HOSTILE:
            names = ("POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB")
            environment = {**POSTGRES, "POSTGRES_PORT": "6543", **dict.fromkeys(names, value)}
            seen = completed(shell, environment, tmp_path)
            url, user, password, path = parts(seen["DATABASE_URL"])
            assert (url.scheme, url.hostname, url.port) == ("postgresql", "db", 6543)
            assert (user, password, path) == (value, value, f"/{value}")
            assert {name: seen[name] for name in environment} == environment
            assert not list(tmp_path.iterdir())

    def test_urls_hold_safe_characters_only(self, shell: Shell) -> None:
        """So that every client reads them alike."""
        for value in HOSTILE[:12]:
            url = completed(shell, {**POSTGRES, "POSTGRES_PASSWORD": value})["DATABASE_URL"]
            assert not set(url.partition("://")[2]) & set(" \"'$\\?#[]<>")
            assert url.count("@") == 1

    def test_parts_have_defaults(self, shell: Shell) -> None:
        """The server alone is enough."""
        url = completed(shell, {"POSTGRES_SERVER": "db"})["DATABASE_URL"]
        assert url == "postgresql://postgres:@db:5432/postgres"

    def test_the_database_is_named_after_the_user(self, shell: Shell) -> None:
        """As PostgreSQL itself does."""
        url = completed(shell, {"POSTGRES_SERVER": "db", "POSTGRES_USER": "u"})["DATABASE_URL"]
        assert url.endswith("/u")

    def test_an_existing_url_wins(self, shell: Shell) -> None:
        """Platforms give one."""
        given_url = "postgresql://a:b@c:1/d?sslmode=require"
        seen = completed(shell, {**POSTGRES, "DATABASE_URL": given_url})
        assert seen["DATABASE_URL"] == given_url

    def test_an_empty_url_is_none(self, shell: Shell) -> None:
        """Compose passes on empty values."""
        assert "@db" in completed(shell, {**POSTGRES, "DATABASE_URL": ""})["DATABASE_URL"]

    def test_the_old_scheme_is_replaced(self, shell: Shell) -> None:
        """SQLAlchemy does not know postgres://."""
        seen = completed(shell, {"DATABASE_URL": "postgres://a:b@c:1/d?x=postgres://"})
        assert seen["DATABASE_URL"] == "postgresql://a:b@c:1/d?x=postgres://"

    @pytest.mark.parametrize(
        ("driver", "scheme"),
        [({}, "postgresql"), ({"SQLALCHEMY_DRIVER": "psycopg2"}, "postgresql+psycopg2")],
    )
    @pytest.mark.parametrize("start", [POSTGRES, {"DATABASE_URL": "postgres://u:p@db:5432/d"}])
    def test_sqlalchemys_url_names_the_driver(
        self, start: dict[str, str], driver: dict[str, str], scheme: str, shell: Shell
    ) -> None:
        """The rest is the same, and DATABASE_URL stays plain."""
        seen = completed(shell, {**start, **driver})
        rest = seen["DATABASE_URL"].removeprefix("postgresql")
        assert seen["SQLALCHEMY_DATABASE_URI"] == f"{scheme}{rest}"

    def test_an_existing_sqlalchemy_url_wins(self, shell: Shell) -> None:
        """It may be another database."""
        seen = completed(shell, {**POSTGRES, "SQLALCHEMY_DATABASE_URI": "sqlite:///x"})
        assert seen["SQLALCHEMY_DATABASE_URI"] == "sqlite:///x"

    def test_a_driver_in_the_url_is_not_doubled(self, shell: Shell) -> None:
        """The user's own choice of driver stands."""
        url = "postgresql+asyncpg://a:b@c:1/d"
        seen = completed(shell, {"DATABASE_URL": url, "SQLALCHEMY_DRIVER": "psycopg2"})
        assert seen["SQLALCHEMY_DATABASE_URI"] == url

    @pytest.mark.parametrize("url", ["mysql://a:b@c/d", "sqlite:///./x.db"])
    def test_other_databases_stay_what_they_are(self, url: str, shell: Shell) -> None:
        """No URL of another database is made a PostgreSQL one."""
        seen = completed(shell, {"DATABASE_URL": url, "SQLALCHEMY_DRIVER": "psycopg2"})
        assert seen["DATABASE_URL"] == url
        assert seen.get("SQLALCHEMY_DATABASE_URI", url) == url

    def test_nothing_without_a_server(self, shell: Shell) -> None:
        """A password alone makes no URL."""
        seen = completed(shell, {"POSTGRES_PASSWORD": "x"})
        assert "DATABASE_URL" not in seen and "SQLALCHEMY_DATABASE_URI" not in seen


class TestRedis:
    """REDIS_URL."""

    def test_any_password_comes_through(self, shell: Shell, tmp_path: Path) -> None:
        """Whatever it holds."""
        for value in HOSTILE:
            environment = {"REDIS_HOST": "cache", "REDIS_PASSWORD": value, "REDIS_DB": "3"}
            seen = completed(shell, environment, tmp_path)
            url, user, password, path = parts(seen["REDIS_URL"])
            assert (url.scheme, url.hostname, url.port, path) == ("redis", "cache", 6379, "/3")
            assert (user, password) == ("", value)
            assert not list(tmp_path.iterdir())

    def test_without_a_password(self, shell: Shell) -> None:
        """No login at all."""
        seen = completed(shell, {"REDIS_HOST": "cache", "REDIS_PASSWORD": ""})
        assert seen["REDIS_URL"] == "redis://cache:6379/0"

    def test_with_a_user(self, shell: Shell) -> None:
        """Managed services have one."""
        login = {"REDIS_USERNAME": "a:b", "REDIS_PASSWORD": "p@"}
        _, user, password, _ = parts(completed(shell, {"REDIS_HOST": "c", **login})["REDIS_URL"])
        assert (user, password) == ("a:b", "p@")

    def test_an_existing_url_wins(self, shell: Shell) -> None:
        """Platforms give one."""
        seen = completed(shell, {"REDIS_HOST": "c", "REDIS_URL": "rediss://x:1"})
        assert seen["REDIS_URL"] == "rediss://x:1"


class TestMongodb:
    """MONGODB_URL."""

    def test_any_part_comes_through(self, shell: Shell, tmp_path: Path) -> None:
        """User, password and database name may hold any character."""
        for value in HOSTILE:
            names = ("MONGODB_USERNAME", "MONGODB_PASSWORD", "MONGODB_DATABASE")
            seen = completed(shell, {"MONGODB_HOST": "m", **dict.fromkeys(names, value)}, tmp_path)
            url, user, password, path = parts(seen["MONGODB_URL"])
            assert (url.scheme, url.hostname, url.port) == ("mongodb", "m", 27017)
            assert (user, password, path) == (value, value, f"/{value}")
            assert url.query == "authSource=admin"
            assert not list(tmp_path.iterdir())

    def test_an_existing_url_wins(self, shell: Shell) -> None:
        """Platforms give one."""
        seen = completed(shell, {"MONGODB_HOST": "m", "MONGODB_URL": "mongodb+srv://x"})
        assert seen["MONGODB_URL"] == "mongodb+srv://x"


@settings(max_examples=15, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20))
def test_any_password_comes_through(shell: Shell, password: str) -> None:
    """Not only those somebody thought of."""
    seen = completed(shell, {**POSTGRES, "POSTGRES_PASSWORD": password})
    assert parts(seen["DATABASE_URL"])[2] == password
    assert seen["POSTGRES_PASSWORD"] == password


class TestPlatforms:
    """What managed platforms pass: URLs, of which the variables that apps read are made."""

    @pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
    def test_a_url_gives_the_parts(self, scheme: str, shell: Shell) -> None:
        """As Fly.io and Render write it, whatever the password holds."""
        for value in [v for v in HOSTILE if "\n" not in v]:
            quoted = quote(value, safe="")
            seen = completed(
                shell, {"DATABASE_URL": f"{scheme}://{quoted}:{quoted}@db.host:6543/{quoted}"}
            )
            assert (seen["POSTGRES_SERVER"], seen["POSTGRES_PORT"]) == ("db.host", "6543")
            assert {seen[f"POSTGRES_{part}"] for part in ("USER", "PASSWORD", "DB")} == {value}

    @pytest.mark.parametrize(
        ("url", "parts"),
        [
            ("postgres://u@h", ("h", "5432", "u", None, "u")),
            ("postgres://h/d", ("h", "5432", None, None, "d")),
            ("postgres://u:@h:1/", ("h", "1", "u", None, "u")),
            ("postgres://u:p%0A@h/d", ("h", "5432", "u", "p\n", "d")),
            # Several hosts, or a socket: nothing that parts could say.
            ("postgres://u:p@h1:1,h2:2/d", (None, None, None, None, None)),
            ("postgresql:///d?host=/run", (None, None, None, None, None)),
            ("postgres://u:p@%2Frun/d", (None, None, None, None, None)),
            ("postgres://u:p:q@h/d", ("h", "5432", "u", "p:q", "d")),
            ("postgres://u:p@[fdaa::3]:1/d", ("fdaa::3", "1", "u", "p", "d")),
            ("postgres://u:p@[fdaa::3]/d", ("fdaa::3", "5432", "u", "p", "d")),
            ("postgres://u:p@h/d?sslmode=disable&x=/@:", ("h", "5432", "u", "p", "d")),
            ("postgresql+asyncpg://u:p@h/d", ("h", "5432", "u", "p", "d")),
            ("postgres://u:100%@h/d", ("h", "5432", "u", "100%", "d")),
        ],
    )
    def test_every_form_of_url(self, url: str, parts: tuple[str | None, ...], shell: Shell) -> None:
        """What is left out has PostgreSQL's own default."""
        seen = completed(shell, {"DATABASE_URL": url})
        names = ("SERVER", "PORT", "USER", "PASSWORD", "DB")
        assert tuple(seen.get(f"POSTGRES_{name}") for name in names) == parts

    def test_what_is_set_stands(self, shell: Shell) -> None:
        """Beside a URL alone, too."""
        own = {
            "POSTGRES_DB": "other",
            "POSTGRES_PORT": "6000",
            "REDIS_PASSWORD": "x",
            "REDIS_DB": "3",
        }
        urls = {"DATABASE_URL": "postgres://u:p@h:1/d", "REDIS_URL": "redis://:y@h/1"}
        seen = completed(shell, own | urls)
        assert {name: seen[name] for name in own} == own
        assert (seen["POSTGRES_SERVER"], seen["REDIS_HOST"]) == ("h", "h")

    def test_parts_that_are_given_stand(self, shell: Shell) -> None:
        """They are the user's; the URL says more of the same database."""
        seen = completed(shell, {**POSTGRES, "DATABASE_URL": "postgres://a:b@c:1/d"})
        assert {name: seen[name] for name in POSTGRES} == POSTGRES
        assert "POSTGRES_PORT" not in seen

    @pytest.mark.parametrize("url", ["mysql://a:b@c/d", "sqlite:///./x.db", "x"])
    def test_other_databases_give_none(self, url: str, shell: Shell) -> None:
        assert "POSTGRES_SERVER" not in completed(shell, {"DATABASE_URL": url})

    @pytest.mark.parametrize(
        "query",
        [
            "sslmode=require",
            "a=b&sslmode=require",
            "sslmode=require&a=b",
            "xsslmode=x&sslmode=require",
        ],
    )
    def test_the_mode_of_tls_is_kept(self, query: str, shell: Shell) -> None:
        """libpq reads it, so psycopg and psql do (postgresql.org/docs, "libpq-envars")."""
        seen = completed(shell, {"DATABASE_URL": f"postgres://u:p@h/d?{query}"})
        assert seen["PGSSLMODE"] == "require"

    @pytest.mark.parametrize("query", ["", "?xsslmode=require", "?a=sslmode=require"])
    def test_no_mode_of_tls(self, query: str, shell: Shell) -> None:
        assert "PGSSLMODE" not in completed(shell, {"DATABASE_URL": f"postgres://u:p@h/d{query}"})

    @pytest.mark.parametrize(
        ("url", "parts"),
        [
            ("redis://red-1:6379", ("red-1", "6379", "0", None, None)),
            (
                "redis://default:a%40b@fly-x.upstash.io:6379",
                ("fly-x.upstash.io", "6379", "0", "default", "a@b"),
            ),
            ("rediss://:p@h/2", ("h", "6379", "2", None, "p")),
        ],
    )
    def test_redis(self, url: str, parts: tuple[str | None, ...], shell: Shell) -> None:
        seen = completed(shell, {"REDIS_URL": url})
        names = ("HOST", "PORT", "DB", "USERNAME", "PASSWORD")
        assert tuple(seen.get(f"REDIS_{name}") for name in names) == parts
        assert seen["REDIS_URL"] == url

    def test_a_release_command_takes_the_direct_url(self, shell: Shell) -> None:
        """Fly.io sets RELEASE_COMMAND (fly.io/docs/reference/configuration)."""
        urls = {"DATABASE_URL": "postgres://pooled/d", "DIRECT_DATABASE_URL": "postgres://direct/d"}
        assert completed(shell, urls)["POSTGRES_SERVER"] == "pooled"
        old = {"SQLALCHEMY_DATABASE_URI": "postgresql://pooled/d"}
        seen = completed(shell, {**urls, **old, "RELEASE_COMMAND": "1"})
        assert seen["SQLALCHEMY_DATABASE_URI"] == "postgresql://direct/d"
        assert seen["POSTGRES_SERVER"] == "direct"
        assert seen["DATABASE_URL"] == "postgresql://direct/d"

    @pytest.mark.parametrize(
        ("given", "url"),
        [
            ("app:10000", "http://app:10000"),
            ("http://app.flycast:8000", "http://app.flycast:8000"),
            ("https://app.example.com", "https://app.example.com"),
            ("", ""),
        ],
    )
    def test_another_app_s_address(self, given: str, url: str, shell: Shell) -> None:
        """Render gives it without a scheme."""
        assert completed(shell, {"BACKEND_URL": given})["BACKEND_URL"] == url

    def test_twice_is_as_once(self, shell: Shell, tmp_path: Path) -> None:
        """A platform may run the entrypoint before a command that names it."""
        url = "postgres://u%40:p%25@h/d?sslmode=require"
        once = completed(shell, {"DATABASE_URL": url, "REDIS_URL": "redis://r"}, tmp_path)
        own = {"PATH", "SHLVL"}
        given = {name: value for name, value in once.items() if name not in own}
        twice = completed(shell, given, tmp_path)
        assert {name: twice[name] for name in given} == given
        assert twice.keys() == once.keys()


class TestSecretFiles:
    """NAME_FILE=/run/secrets/name gives NAME."""

    def test_any_content_comes_through(self, shell: Shell, secrets: Path, tmp_path: Path) -> None:
        """A trailing line end is not part of it, anything else is."""
        for value in HOSTILE:
            (secrets / "token").write_text(f"{value}\n", encoding="utf-8")
            seen = completed(shell, {"TOKEN_FILE": f"{secrets}/token"}, tmp_path)
            assert seen["TOKEN"] == value
            assert not list(tmp_path.iterdir())

    def test_they_are_parts_of_urls(self, shell: Shell, secrets: Path) -> None:
        """Files are read before URLs are made."""
        (secrets / "password").write_text("p@ss/word")
        environment = {**POSTGRES, "POSTGRES_PASSWORD_FILE": f"{secrets}/password"}
        assert parts(completed(shell, environment)["DATABASE_URL"])[2] == "p@ss/word"

    def test_an_existing_value_wins(self, shell: Shell, secrets: Path) -> None:
        """What is set is not replaced."""
        (secrets / "token").write_text("file")
        seen = completed(shell, {"TOKEN_FILE": f"{secrets}/token", "TOKEN": "value"})
        assert seen["TOKEN"] == "value"

    def test_an_empty_value_does_not_win(self, shell: Shell, secrets: Path) -> None:
        """Compose passes on empty values."""
        (secrets / "token").write_text("file")
        seen = completed(shell, {"TOKEN_FILE": f"{secrets}/token", "TOKEN": ""})
        assert seen["TOKEN"] == "file"

    def test_several(self, shell: Shell, secrets: Path) -> None:
        """Each with its own value."""
        for name in "abc":
            (secrets / name).write_text(name * 3)
        seen = completed(shell, {f"{name}_FILE": f"{secrets}/{name}" for name in "abc"})
        assert [seen[name] for name in "abc"] == ["aaa", "bbb", "ccc"]

    @pytest.mark.parametrize("name", ["my secret", "$(touch pwned)", "it's", "a;b"])
    def test_any_file_name(self, name: str, shell: Shell, secrets: Path, tmp_path: Path) -> None:
        """Names are never evaluated."""
        (secrets / name).write_text("value")
        seen = completed(shell, {"TOKEN_FILE": f"{secrets}/{name}"}, tmp_path)
        assert seen["TOKEN"] == "value"
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("name", ["missing", "$(touch pwned)"])
    def test_a_missing_file_stops_the_start(self, name: str, shell: Shell, tmp_path: Path) -> None:
        """One plain line names the variable and the file."""
        result = run(shell, {"TOKEN_FILE": f"/run/secrets/{name}"}, tmp_path)
        assert result.returncode != 0 and result.stdout == b""
        message = result.stderr.decode()
        assert "TOKEN_FILE" in message and f"/run/secrets/{name}" in message
        assert len(message.splitlines()) == 1
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("value", ["/etc/hostname", "/run/secretsx/a", "relative", "", "a\nb"])
    def test_other_files_are_the_apps_own(self, value: str, shell: Shell) -> None:
        """`LOG_FILE=/var/log/app.log` is no secret."""
        seen = completed(shell, {"LOG_FILE": value})
        assert "LOG" not in seen and seen["LOG_FILE"] == value

    def test_a_line_of_another_value_is_no_variable(self, shell: Shell, tmp_path: Path) -> None:
        """A value that looks like a setting is still a value."""
        value = "x\nTOKEN_FILE=/run/secrets/missing\n$(touch pwned)_FILE=/run/secrets/a"
        seen = completed(shell, {"TEXT": value}, tmp_path)
        assert seen["TEXT"] == value and "TOKEN" not in seen
        assert not list(tmp_path.iterdir())


class TestEnvironment:
    """Everything else stays as it is."""

    def test_values_come_through(self, shell: Shell, tmp_path: Path) -> None:
        """Nothing is evaluated or changed."""
        for value in HOSTILE:
            assert completed(shell, {"ANYTHING": value}, tmp_path)["ANYTHING"] == value
            assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(
        "name", ["name", "value", "file", "login", "database", "url", "password"]
    )
    def test_names_in_lower_case_come_through(self, name: str, shell: Shell, secrets: Path) -> None:
        """The entrypoint's own variables do not replace the app's."""
        (secrets / "token").write_text("secret")
        environment = {
            **POSTGRES,
            "REDIS_HOST": "r",
            "REDIS_PASSWORD": "p",
            "TOKEN_FILE": f"{secrets}/token",
        }
        assert completed(shell, {**environment, name: "mine"})[name] == "mine"

    def test_nothing_is_added(self, shell: Shell) -> None:
        """Without parts there is nothing to complete."""
        seen = completed(shell, {"A": "1"})
        assert set(seen) <= {"A", "PATH", "PWD", "OLDPWD", "SHLVL", "_"}

    def test_port(self, shell: Shell) -> None:
        """Uvicorn has a name of its own for it."""
        seen = completed(shell, {"PORT": "9000"})
        assert (seen["PORT"], seen["UVICORN_PORT"]) == ("9000", "9000")

    def test_no_port(self, shell: Shell) -> None:
        """Then Uvicorn's default stands."""
        assert "UVICORN_PORT" not in completed(shell, {"PORT": ""})


class TestCommand:
    """The command takes the entrypoint's place."""

    def test_arguments_come_through(self, shell: Shell, tmp_path: Path) -> None:
        """Nothing is split, expanded or run."""
        for argument in HOSTILE:
            result = run(shell, {}, tmp_path, "printf", "%s|", argument, "end")
            assert result.stdout.decode() == f"{argument}|end|"
            assert not list(tmp_path.iterdir())

    def test_it_has_the_same_process(self, shell: Shell) -> None:
        """No shell stays in between."""
        words, path = shell
        script = "import os; print(os.getpid())"
        command = [*words, str(ENTRYPOINT), sys.executable, "-c", script]
        with subprocess.Popen(command, env={"PATH": path}, stdout=subprocess.PIPE) as process:
            output, _ = process.communicate(timeout=300)
        assert int(output) == process.pid

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    def test_signals_reach_it(self, number: signal.Signals, shell: Shell) -> None:
        """So that a stop is a graceful one."""
        words, path = shell
        script = (
            "import signal, sys\n"
            f"signal.signal({int(number)}, lambda *_: sys.exit(42))\n"
            "print('ready', flush=True)\n"
            "signal.pause()\n"
        )
        command = [*words, str(ENTRYPOINT), sys.executable, "-c", script]
        with subprocess.Popen(command, env={"PATH": path}, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            process.send_signal(number)
            assert process.wait(timeout=300) == 42

    @pytest.mark.parametrize("code", [0, 1, 137])
    def test_its_exit_code_is_the_containers(self, code: int, shell: Shell) -> None:
        """Unchanged."""
        assert run(shell, {}, None, "sh", "-c", f"exit {code}").returncode == code

    def test_a_missing_command_fails(self, shell: Shell) -> None:
        """With the shell's own code for it."""
        assert run(shell, {}, None, "no-such-command").returncode == 127

    def test_standard_input_is_its_own(self, shell: Shell) -> None:
        """The entrypoint reads nothing of it."""
        words, path = shell
        result = subprocess.run(
            [*words, str(ENTRYPOINT), "cat"],
            env={"PATH": path, **POSTGRES},
            input=b"a\nb\n",
            capture_output=True,
            check=True,
        )
        assert result.stdout == b"a\nb\n"


@dataclass(frozen=True)
class Mounted:
    """A folder of secrets, and an entrypoint that looks there: tests run beside each other."""

    folder: Path
    entrypoint: Path

    def write(self, name: str, value: str) -> None:
        (self.folder / name).write_text(value, encoding="utf-8")


class TestNamedFiles:
    """A file that is named as a variable gives it, as Swarm and Kubernetes mount them."""

    @pytest.fixture(params=["/run/secrets", "/etc/secrets"])
    def mounted(
        self, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
    ) -> Mounted:
        folder = tmp_path_factory.mktemp("secrets")
        entrypoint = tmp_path_factory.mktemp("image") / "entrypoint"
        text = ENTRYPOINT.read_text()
        assert request.param in text
        entrypoint.write_text(text.replace(request.param, str(folder)))
        return Mounted(folder, entrypoint)

    def test_any_content_comes_through(
        self, shell: Shell, mounted: Mounted, tmp_path: Path
    ) -> None:
        for value in HOSTILE:
            mounted.write("SECRET_KEY", value)
            assert completed(shell, {}, tmp_path, mounted.entrypoint)["SECRET_KEY"] == value
            assert not list(tmp_path.iterdir())

    def test_an_existing_value_wins(self, shell: Shell, mounted: Mounted) -> None:
        mounted.write("SECRET_KEY", "file")
        seen = completed(shell, {"SECRET_KEY": "value"}, entrypoint=mounted.entrypoint)
        assert seen["SECRET_KEY"] == "value"

    def test_a_link_is_followed(self, shell: Shell, mounted: Mounted, tmp_path: Path) -> None:
        """Kubernetes mounts links into a folder of its own."""
        (tmp_path / "data").write_text("linked")
        (mounted.folder / "SECRET_KEY").symlink_to(tmp_path / "data")
        assert completed(shell, {}, entrypoint=mounted.entrypoint)["SECRET_KEY"] == "linked"

    @pytest.mark.parametrize("ending", ["-x", ".x", " x", "$(touch pwned)"])
    def test_other_names_are_no_variables(
        self, ending: str, shell: Shell, mounted: Mounted, tmp_path: Path
    ) -> None:
        mounted.write("SECRET_KEY" + ending, "value")
        seen = completed(shell, {}, tmp_path, mounted.entrypoint)
        assert not [name for name in seen if name.startswith("SECRET_KEY")]
        assert not list(tmp_path.iterdir())

    def test_an_url_is_made_of_it(self, shell: Shell, mounted: Mounted) -> None:
        mounted.write("POSTGRES_PASSWORD", "p@ss")
        seen = completed(shell, POSTGRES, entrypoint=mounted.entrypoint)
        assert parts(seen["DATABASE_URL"])[2] == "p@ss"


class TestSeveralInOneFile:
    """The file `variables` of Swarm: lines of NAME=VALUE."""

    @pytest.fixture
    def mounted(self, tmp_path_factory: pytest.TempPathFactory) -> Mounted:
        folder = tmp_path_factory.mktemp("secrets")
        entrypoint = tmp_path_factory.mktemp("image") / "entrypoint"
        entrypoint.write_text(ENTRYPOINT.read_text().replace("/run/secrets", str(folder)))
        return Mounted(folder, entrypoint)

    @pytest.mark.parametrize("value", [*HOSTILE, "a=b\n\n c=d\\n\n", "\n"])
    def test_any_value_comes_through(
        self, value: str, shell: Shell, mounted: Mounted, tmp_path: Path
    ) -> None:
        lines = value.replace("\n", "\n ")
        mounted.write("variables", f"FIRST={lines}\nSECOND={lines}")
        seen = completed(shell, {}, tmp_path, mounted.entrypoint)
        assert (seen["FIRST"], seen["SECOND"]) == (value, value)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("line", ["# none", "", "no equals", "1A=x", "A-B=x", "$(touch x)=y"])
    def test_other_lines_are_passed_over(
        self, line: str, shell: Shell, mounted: Mounted, tmp_path: Path
    ) -> None:
        before = completed(shell, {}, tmp_path, mounted.entrypoint)
        mounted.write("variables", f"{line}\n")
        assert completed(shell, {}, tmp_path, mounted.entrypoint).keys() == before.keys()
        assert not list(tmp_path.iterdir())

    def test_an_existing_value_wins(self, shell: Shell, mounted: Mounted) -> None:
        mounted.write("variables", "NAME=file\n")
        seen = completed(shell, {"NAME": "value"}, entrypoint=mounted.entrypoint)
        assert seen["NAME"] == "value"


ASYNC = {"DATABASE_DRIVER": "asyncpg"}


class TestDriver:
    """PostgreSQL's URL as the app's driver takes it."""

    def test_a_url_of_parts_names_it(self, shell: Shell) -> None:
        seen = completed(shell, {"POSTGRES_SERVER": "db", "POSTGRES_PASSWORD": "x", **ASYNC})
        url = "postgresql+asyncpg://postgres:x@db:5432/postgres"
        assert seen["DATABASE_URL"] == seen["SQLALCHEMY_DATABASE_URI"] == url

    @pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
    def test_a_bare_scheme_gets_it(self, shell: Shell, scheme: str) -> None:
        given = {"DATABASE_URL": f"{scheme}://a:b@c/d", **ASYNC}
        seen = completed(shell, given)
        assert seen["DATABASE_URL"] == "postgresql+asyncpg://a:b@c/d"
        assert seen["POSTGRES_SERVER"] == "c"

    def test_a_named_one_stays(self, shell: Shell) -> None:
        given = {"DATABASE_URL": "postgresql+psycopg://a:b@c/d", **ASYNC}
        assert completed(shell, given)["DATABASE_URL"] == given["DATABASE_URL"]


class TestWorkers:
    """WEB_CONCURRENCY=auto, by the limits of the container."""

    @pytest.mark.parametrize(
        ("memory", "cpus", "more", "expected"),
        [
            ("536870912", "100000 100000", {}, "2"),
            ("2147483648", "400000 100000", {}, "5"),
            ("2147483648", "50000 100000", {}, "2"),
            ("1073741824", "1200000 100000", {}, "8"),
            ("134217728", "100000 100000", {}, "1"),
            ("536870912", "400000 100000", {"WORKER_MEGABYTES": "256"}, "2"),
            ("1073741824", "400000 100000", {"WORKER_MEGABYTES": "512"}, "2"),
            ("max", "max 100000", {}, "2"),
            ("268435456", "100000 100000", {}, "2"),
            (None, None, {}, "2"),
        ],
    )
    def test_by_cpus_and_never_more_than_memory_holds(
        self,
        shell: Shell,
        tmp_path: Path,
        memory: str | None,
        cpus: str | None,
        more: Mapping[str, str],
        expected: str,
    ) -> None:
        given = (("memory.max", memory), ("cpu.max", cpus))
        for name, text in given:
            if text is not None:
                (tmp_path / name).write_text(f"{text}\n")
        script = tmp_path / "entrypoint.sh"
        script.write_text(ENTRYPOINT.read_text().replace("/sys/fs/cgroup", str(tmp_path)))
        told = {"WEB_CONCURRENCY": "auto", **more}
        assert completed(shell, told, entrypoint=script)["WEB_CONCURRENCY"] == expected

    def test_by_control_groups_of_version_1(self, shell: Shell, tmp_path: Path) -> None:
        files = {
            "memory/memory.limit_in_bytes": "1073741824",
            "cpu/cpu.cfs_quota_us": "150000",
            "cpu/cpu.cfs_period_us": "100000",
        }
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(f"{text}\n")
        script = tmp_path / "entrypoint.sh"
        script.write_text(ENTRYPOINT.read_text().replace("/sys/fs/cgroup", str(tmp_path)))
        given = {"WEB_CONCURRENCY": "auto"}
        assert completed(shell, given, entrypoint=script)["WEB_CONCURRENCY"] == "3"

    def test_a_number_stays(self, shell: Shell) -> None:
        assert completed(shell, {"WEB_CONCURRENCY": "7"})["WEB_CONCURRENCY"] == "7"


class TestMigrateFirst:
    """The schema of SQLite in a volume."""

    def test_a_server_starts_after_it(self, shell: Shell, tmp_path: Path) -> None:
        server = tmp_path / "gunicorn"
        server.write_text("#!/bin/sh\necho served\n")
        server.chmod(0o755)
        words, path = shell
        told = {"MIGRATE_FIRST": "echo migrated"}
        found = (words, f"{tmp_path}:{path}")
        assert run(found, told, None, "gunicorn", "app").stdout == b"migrated\nserved\n"

    def test_a_server_does_not_start_where_it_fails(self, shell: Shell) -> None:
        result = run(shell, {"MIGRATE_FIRST": "exit 3"}, None, "gunicorn", "app")
        assert result.returncode == 3

    def test_another_command_runs_without_it(self, shell: Shell) -> None:
        told = {"MIGRATE_FIRST": "echo migrated"}
        assert run(shell, told, None, "echo", "done").stdout == b"done\n"
