"""The shell scripts of `deploy/kubernetes/`, run with a stand-in for kubectl."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pexpect
import pytest
import yaml

from tests.kubectl import stand_in
from tests.projects.compose import compose
from tests.runs import build, edit

pytestmark = pytest.mark.integration

NAME = "e2e-fastapi-postgresql-redis"
KUBERNETES = Path("deploy/kubernetes")
OVERLAY = KUBERNETES / "overlays/production"
APPS = ("app", "worker")
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
OTHER_DIGEST = f"sha256:{'fedcba9876543210' * 4}"
BACKUP = "20250102-030405Z"

# What a call is for, in short; the others are left out.
STEPS = (
    (r"apply .* app\.kubernetes\.io/component notin .*", "apply data"),
    (r"apply .* app\.kubernetes\.io/component=migration", "start migrate"),
    (r"apply .* app\.kubernetes\.io/component=app", "apply apps"),
    (r"create job (\S+) .*", r"start \1"),
    (r"get job (\S+) .*", r"await \1"),
    (r"rollout status (\S+) .*", r"await \1"),
    (r"rollout undo deployment/(\S+) --to-revision=(\d+)", r"undo \1 to \2"),
    (r"scale (\S+) --replicas (\d+)", r"scale \1 to \2"),
    (r"wait --for delete pods --selector app\.kubernetes\.io/name=(\S+) .*", r"await end of \1"),
    (r"wait --for delete pod/(\S+) .*", r"await end of \1"),
)
READS = ("config ", "kustomize ", "get ", "logs ", "rollout status ", "wait ")


@dataclass(frozen=True)
class Cluster:
    """A project that can be deployed, and what stands in for the cluster."""

    project: Path
    state: Path
    tools: Path

    @property
    def overlay(self) -> Path:
        return self.project / OVERLAY

    @property
    def environment(self) -> dict[str, str]:
        temporary = self.state / "tmp"
        path = f"{self.tools}:{os.defpath}"
        return {"PATH": path, "HOME": str(self.state), "TMPDIR": str(temporary)}

    def command(self, script: str, *arguments: str) -> list[str]:
        """The script's process id stands in a file, for the stand-in to end it."""
        pid = shlex.quote(str(self.state / "pid"))
        script = str(KUBERNETES / f"{script}.sh")
        return ["sh", "-c", f'echo $$ >{pid}; exec sh "$@"', "sh", script, *arguments]

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run(self.command(script, *arguments), self.project, self.environment)

    def write(self, name: str, *lines: str) -> None:
        file = self.state / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(f"{line}\n" for line in lines))

    def wants(self, **images: str) -> None:
        """What the manifests say from now on."""
        for app, image in images.items():
            self.write(f"images/{app}", image)

    def serve(self) -> None:
        """A cluster where all is in service, with other numbers of revisions for each app."""
        self.write("namespace")
        for job in ("backup", "backups", "restore"):
            (self.state / "cronjobs" / job).mkdir(parents=True)
        for app, revision in (("app", 3), ("worker", 7)):
            self.write(f"deployments/{app}/replicas", "2")
            self.write(f"deployments/{app}/revision", str(revision))
            self.write(f"deployments/{app}/revisions/{revision - 1}", "older")
            self.write(f"deployments/{app}/revisions/{revision}", "old")
        self.wants(app="old", worker="old")
        (self.state / "configmaps/release").mkdir()
        self.write("configmaps/release/present", "app=3 worker=7")
        self.write("logs/backups-check", BACKUP)

    def calls(self) -> list[str]:
        log = self.state / "calls"
        lines = log.read_text().splitlines() if log.exists() else []
        return [re.sub(r"^--namespace \S+ ", "", line) for line in lines]

    def steps(self) -> list[str]:
        """The calls that matter, in short; the same one again and again counts once."""
        found = [
            match.expand(short)
            for call in self.calls()
            for pattern, short in STEPS
            if (match := re.fullmatch(pattern, call))
        ]
        return [step for step, _ in itertools.groupby(found)]

    def changes(self) -> list[str]:
        return [
            call
            for call in self.calls()
            if not call.startswith(READS) and "--dry-run=client" not in call
        ]

    def images(self) -> dict[str, str]:
        """What is in service."""
        return {
            app.name: (app / "revisions" / (app / "revision").read_text().strip())
            .read_text()
            .strip()
            for app in (self.state / "deployments").iterdir()
        }

    def replicas(self, app: str) -> int:
        return int((self.state / "deployments" / app / "replicas").read_text())

    @property
    def lock(self) -> Path:
        return self.state / "configmaps/in-progress"


def run(
    command: Sequence[str], cwd: Path, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def script(project: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A script that needs no cluster."""
    command = ["sh", str(KUBERNETES / f"{name}.sh"), *arguments]
    return run(command, project, {"PATH": os.defpath})


def tool(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def settings(file: Path) -> dict[str, str]:
    lines = (line.partition("=") for line in file.read_text().splitlines())
    return {name: value for name, equals, value in lines if equals and not name.startswith("#")}


def is_one_sentence(result: subprocess.CompletedProcess[str], script: str) -> bool:
    return re.fullmatch(rf"{script}: \S[^\n]*\n", result.stderr) is not None


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = compose(NAME, tmp_path_factory.mktemp("generated") / "project")
    build(root, "deploy", "--target", "kubernetes", "--generate")
    return root


@pytest.fixture
def project(generated: Path, tmp_path: Path) -> Path:
    """What the scripts need of a project, below a folder with a space."""
    root = tmp_path / "my project"
    for folder in (KUBERNETES, Path("database/migrations")):
        shutil.copytree(generated / folder, root / folder)
    return root


@pytest.fixture
def cluster(project: Path, tmp_path: Path) -> Cluster:
    """A project with all its settings, and an empty cluster."""
    state = tmp_path / "the cluster"
    tool(tmp_path / "tools", "kubectl", stand_in(state, NAME))
    tool(tmp_path / "tools", "sleep", "#!/bin/sh\n")
    kustomization = project / OVERLAY / "kustomization.yaml"
    edit(kustomization, "newName: registry.example.com/", "newName: ghcr.io/me/")
    edit(kustomization, "[example.com]", "[www.guestbook.org]")
    (project / OVERLAY / "secrets.env").write_text("SECRET_KEY=secret\n")
    (project / OVERLAY / "passwords.env").write_text("POSTGRES_PASSWORD=one\nREDIS_PASSWORD=two\n")
    cluster = Cluster(project, state, tmp_path / "tools")
    cluster.wants(app="v1", worker="v1")
    return cluster


@pytest.fixture
def later(cluster: Cluster) -> Cluster:
    """The same, where a version is in service."""
    cluster.serve()
    return cluster


def test_data_of_another_major_version_is_refused(later: Cluster) -> None:
    later.write("data", "13")
    before = later.images()
    later.wants(app="v2", worker="v2")
    result = later.run("deploy", "production")
    assert result.returncode == 1
    assert "PostgreSQL 15, which does not read the data of 13" in result.stderr
    assert later.images() == before


def test_data_of_the_same_major_version_is_deployed(later: Cluster) -> None:
    later.write("data", "15")
    assert deployed(later, app="v2", worker="v2")["app"] == "v2"


# set-images.sh


@pytest.fixture
def kustomization(project: Path) -> Path:
    return project / OVERLAY / "kustomization.yaml"


@pytest.mark.parametrize(
    ("given", "name"), [("app", f"{NAME}-app"), ("pgvector/pgvector", "pgvector/pgvector")]
)
def test_an_image_is_named_by_its_digest(
    project: Path, kustomization: Path, given: str, name: str
) -> None:
    result = script(project, "set-images", "production", f"{given}=ghcr.io/me/it@{DIGEST}")
    assert result.returncode == 0, result.stderr
    images = {image["name"]: image for image in yaml.safe_load(kustomization.read_text())["images"]}
    assert images[name] == {"name": name, "newName": "ghcr.io/me/it", "digest": DIGEST}


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("ghcr.io/me/app:v1", "ghcr.io/me/app"),
        ("localhost:5000/app", "localhost:5000/app"),
        ("localhost:5000/me/app:1.2-rc_3", "localhost:5000/me/app"),
        ("redis:7", "redis"),
    ],
)
def test_a_tag_beside_the_digest_is_dropped(
    project: Path, kustomization: Path, image: str, name: str
) -> None:
    script(project, "set-images", "production", f"app={image}@{DIGEST}")
    (first, *_) = yaml.safe_load(kustomization.read_text())["images"]
    assert first == {"name": f"{NAME}-app", "newName": name, "digest": DIGEST}


EDITS = {
    "none": ("", ""),
    "a comment in the block": ("    newName: pgvector", "    # Ours  \n    newName: pgvector"),
    "a name that begins the same": ("patches:", "  - name: redis-exporter\n\npatches:"),
    "the word elsewhere": ("patches:", "# images:\nlabels:\n  - newTag: latest\n\npatches:"),
}


@pytest.mark.parametrize(
    ("before", "after"), [pytest.param(*texts, id=name) for name, texts in EDITS.items()]
)
def test_the_rest_of_the_file_stays(
    project: Path, kustomization: Path, before: str, after: str
) -> None:
    edit(kustomization, before, after)
    text = kustomization.read_text()
    script(project, "set-images", "production", f"redis=redis@{DIGEST}")
    expected = text.replace('    newTag: "7-alpine"\n', f"    digest: {DIGEST}\n")
    assert kustomization.read_bytes() == expected.encode()


def test_other_environments_keep_their_images(project: Path) -> None:
    before = contents(project / KUBERNETES / "overlays/staging")
    script(project, "set-images", "production", f"app=ghcr.io/me/app@{DIGEST}")
    assert contents(project / KUBERNETES / "overlays/staging") == before


@pytest.mark.parametrize("name", ["app", "redis"])
def test_setting_an_image_twice_is_as_once(project: Path, kustomization: Path, name: str) -> None:
    script(project, "set-images", "production", f"{name}=ghcr.io/me/it@{DIGEST}")
    once = kustomization.read_bytes()
    script(project, "set-images", "production", f"{name}=ghcr.io/me/it@{DIGEST}")
    assert kustomization.read_bytes() == once


@pytest.mark.parametrize("name", ["app", "redis"])
def test_a_newer_image_takes_the_place(project: Path, kustomization: Path, name: str) -> None:
    untouched = kustomization.read_bytes()
    script(project, "set-images", "production", f"{name}=ghcr.io/me/new@{OTHER_DIGEST}")
    newer = kustomization.read_bytes()
    kustomization.write_bytes(untouched)
    script(project, "set-images", "production", f"{name}=ghcr.io/me/old@{DIGEST}")
    script(project, "set-images", "production", f"{name}=ghcr.io/me/new@{OTHER_DIGEST}")
    assert kustomization.read_bytes() == newer


def test_several_images_at_once(project: Path, kustomization: Path) -> None:
    given = (f"app=ghcr.io/me/app@{DIGEST}", f"redis=redis@{OTHER_DIGEST}")
    assert script(project, "set-images", "production", *given).returncode == 0
    images = yaml.safe_load(kustomization.read_text())["images"]
    assert [image.get("digest") for image in images] == [DIGEST, None, OTHER_DIGEST]


@pytest.mark.parametrize(
    "given",
    [
        "app",
        "app=",
        "app=ghcr.io/me/app",
        "app=ghcr.io/me/app:v1",
        f"ghcr.io/me/app@{DIGEST}",
        f"app=@{DIGEST}",
        "app=ghcr.io/me/app@",
        "app=ghcr.io/me/app@sha256:",
        f"app=ghcr.io/me/app@{DIGEST.upper()}",
        f"app=ghcr.io/me/app@sha256:{'A' * 64}",
        f"app=ghcr.io/me/app@sha512:{'a' * 128}",
        f"app=ghcr.io/me/app@{DIGEST[:-1]}g",
        f"app=ghcr.io/me/app@{DIGEST}@{DIGEST}",
        f"app=ghcr.io/me/app@{DIGEST} ",
        f"app={DIGEST}",
        "app=ghcr.io/me/app@sha256:abc",
        f"app=ghcr.io/me/app@{DIGEST}0",
        f"app=:v1@{DIGEST}",
    ],
)
def test_an_image_of_another_form_is_refused(
    project: Path, kustomization: Path, given: str
) -> None:
    before = kustomization.read_bytes()
    result = script(project, "set-images", "production", given)
    assert result.returncode == 1
    assert is_one_sentence(result, "set-images")
    assert kustomization.read_bytes() == before


@pytest.mark.parametrize(
    "name",
    [
        "",
        "other",
        "worker",
        "redi",
        "redi.",
        ".*",
        "pgvector",
        "registry.example.com/app",
        r"redi\163",
    ],
)
def test_an_unknown_image_is_refused(project: Path, kustomization: Path, name: str) -> None:
    before = kustomization.read_bytes()
    result = script(project, "set-images", "production", f"{name}=ghcr.io/me/app@{DIGEST}")
    assert result.returncode == 1
    assert is_one_sentence(result, "set-images")
    assert kustomization.read_bytes() == before


HOSTILE = (
    "$(touch pwned)",
    "`touch pwned`",
    "x; touch pwned",
    "a'b",
    'a"b',
    "a b",
    "a\nb",
    "-x",
    "--help",
    "a&b",
    "a/*",
    "{a: b}",
)


@pytest.mark.parametrize(
    "place",
    ["{}=ghcr.io/me/app@" + DIGEST, "app={}@" + DIGEST, "app=ghcr.io/me/app@{}"],
    ids=["name", "image", "digest"],
)
@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_name_is_refused(
    project: Path, kustomization: Path, hostile: str, place: str
) -> None:
    before = contents(project)
    given = place.replace("{}", hostile)
    result = script(project, "set-images", "production", given)
    assert result.returncode == 1
    # The name itself is repeated as it was given.
    result.stderr = result.stderr.replace(hostile, "it")
    assert is_one_sentence(result, "set-images")
    assert contents(project) == before


def test_a_refused_name_is_repeated_as_given(project: Path) -> None:
    result = script(project, "set-images", "production", rf"a\nb=ghcr.io/me/app@{DIGEST}")
    assert is_one_sentence(result, "set-images")


@pytest.mark.parametrize("last", ["redis=redis:7", f"other=redis@{DIGEST}"])
def test_several_images_are_all_or_nothing(project: Path, kustomization: Path, last: str) -> None:
    before = kustomization.read_bytes()
    result = script(project, "set-images", "production", f"app=ghcr.io/me/app@{DIGEST}", last)
    assert result.returncode == 1
    assert kustomization.read_bytes() == before


# init-secrets.sh


@pytest.mark.parametrize("name", ["secrets.env", "passwords.env"])
def test_only_the_owner_can_read_secrets(project: Path, name: str) -> None:
    assert script(project, "init-secrets", "production").returncode == 0
    assert stat.S_IMODE((project / OVERLAY / name).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("secrets.env", {"SECRET_KEY"}),
        ("passwords.env", {"POSTGRES_PASSWORD", "REDIS_PASSWORD"}),
    ],
)
def test_secrets_are_64_hex_digits(project: Path, file: str, names: set[str]) -> None:
    script(project, "init-secrets", "production")
    values = settings(project / OVERLAY / file)
    assert values.keys() == names
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in values.values())


def test_no_secret_is_made_twice(project: Path) -> None:
    values: list[str] = []
    for environment in ("production", "staging"):
        script(project, "init-secrets", environment)
        for name in ("secrets", "passwords"):
            file = project / KUBERNETES / "overlays" / environment / f"{name}.env"
            values += settings(file).values()
    assert len(values) == len(set(values)) == 6


def test_secrets_that_exist_are_kept_and_get_what_is_missing(project: Path) -> None:
    """As where the second database comes later."""
    (project / OVERLAY / "secrets.env").write_text("SECRET_KEY=mine\n#REDIS_HOST=\n")
    passwords = project / OVERLAY / "passwords.env"
    passwords.write_text("# Mine.\nREDIS_PASSWORD=\nPOSTGRES_PASSWORD=mine")
    passwords.chmod(0o640)
    assert script(project, "init-secrets", "production").returncode == 0
    assert (project / OVERLAY / "secrets.env").read_text() == "SECRET_KEY=mine\n#REDIS_HOST=\n"
    made = r"# Mine\.\nPOSTGRES_PASSWORD=mine\nREDIS_PASSWORD=[0-9a-f]{64}\n"
    assert re.fullmatch(made, passwords.read_text())
    assert stat.S_IMODE(passwords.stat().st_mode) == 0o640


def test_where_all_secrets_exist_nothing_is_made(project: Path) -> None:
    script(project, "init-secrets", "production")
    before = contents(project / OVERLAY)
    result = script(project, "init-secrets", "production")
    assert result.returncode == 0
    assert "nothing was changed" in result.stdout
    assert contents(project / OVERLAY) == before


@pytest.mark.parametrize("name", ["secrets.env", "passwords.env"])
def test_a_link_to_nowhere_is_left_alone(project: Path, name: str) -> None:
    (project / OVERLAY / name).symlink_to(project / "elsewhere")
    script(project, "init-secrets", "production")
    assert not (project / "elsewhere").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("",),
        ("prod",),
        (".",),
        ("*",),
        ("-n",),
        ("--help",),
        ("$(touch pwned)",),
        ("../base",),
        ("production/",),
        ("staging/../production",),
    ],
    ids=repr,
)
def test_an_unknown_environment_is_refused(project: Path, arguments: tuple[str, ...]) -> None:
    before = contents(project)
    result = script(project, "init-secrets", *arguments)
    assert result.returncode == 1
    assert is_one_sentence(result, "init-secrets")
    assert "production" in result.stderr
    assert "staging" in result.stderr
    assert contents(project) == before


def test_making_secrets_leaves_nothing_else(project: Path) -> None:
    before = {path.name for path in (project / OVERLAY).iterdir()}
    script(project, "init-secrets", "production")
    made = {"secrets.env", "passwords.env"}
    assert {path.name for path in (project / OVERLAY).iterdir()} == before | made


def test_what_only_the_owner_knows_is_left_empty_and_named(tmp_path: Path) -> None:
    """As `deploy/init-env.sh` does: it is made, and a later run names what is empty still."""
    project = compose("e2e-fastapi", tmp_path / "project")
    reads = "import os\n\nMAIL = os.environ['MAIL_URL']\n"
    main = project / "backend/app/main.py"
    main.write_text(reads + main.read_text())
    build(project, "deploy", "--target", "kubernetes", "--generate")
    for _ in range(2):
        result = script(project, "init-secrets", "production")
        assert result.returncode == 0
        assert result.stderr == "Fill in, as the apps do not start without: MAIL_URL.\n"
    assert settings(project / OVERLAY / "secrets.env")["MAIL_URL"] == ""
    environment = {"PATH": os.defpath, "MAIL_URL": "smtp://a$b"}
    command = ["sh", str(KUBERNETES / "init-secrets.sh"), "production"]
    assert run(command, project, environment).stderr == ""
    assert settings(project / OVERLAY / "secrets.env")["MAIL_URL"] == "smtp://a$b"


@pytest.mark.parametrize(
    "od", ["exit 1", 'kill -TERM "$(cat pid)"'], ids=["no random numbers", "ended"]
)
def test_secrets_that_fail_leave_no_draft(cluster: Cluster, od: str) -> None:
    for name in ("secrets.env", "passwords.env"):
        (cluster.overlay / name).unlink()
    before = contents(cluster.overlay)
    od = od.replace("cat pid", f"cat {shlex.quote(str(cluster.state / 'pid'))}")
    tool(cluster.tools, "od", f"#!/bin/sh\n{od}\n")
    assert cluster.run("init-secrets", "production").returncode != 0
    assert contents(cluster.overlay) == before


def test_a_file_system_without_links_has_secrets(cluster: Cluster) -> None:
    for name in ("secrets.env", "passwords.env"):
        (cluster.overlay / name).unlink()
    tool(cluster.tools, "ln", "#!/bin/sh\nexit 1\n")
    assert cluster.run("init-secrets", "production").returncode == 0
    for name in ("secrets.env", "passwords.env"):
        assert stat.S_IMODE((cluster.overlay / name).stat().st_mode) == 0o600


# deploy.sh: what it refuses


def refused(cluster: Cluster, *arguments: str) -> str:
    """What it says, when it refuses before it has changed anything."""
    result = cluster.run("deploy", "production", *arguments)
    assert result.returncode == 1
    assert is_one_sentence(result, "deploy"), result.stderr
    assert cluster.changes() == []
    return result.stderr


@pytest.mark.parametrize("name", ["secrets.env", "passwords.env"])
def test_missing_secrets_are_refused(later: Cluster, name: str) -> None:
    (later.overlay / name).unlink()
    said = refused(later)
    assert name in said
    assert "init-secrets.sh production" in said


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("settings.env", "WEB_CONCURRENCY"),
        ("data.env", "POSTGRES_DB"),
        ("secrets.env", "SECRET_KEY"),
        ("passwords.env", "REDIS_PASSWORD"),
        ("secrets.env", "S3_BUCKET"),
    ],
)
def test_an_unset_setting_is_refused(later: Cluster, file: str, name: str) -> None:
    path = later.overlay / file
    text = re.sub(rf"^{name}=.*\n", "", path.read_text(), flags=re.MULTILINE)
    path.write_text(f"{text}{name}=\n")
    assert name in refused(later)


def test_a_secret_that_is_missing_is_refused_until_it_is_added(later: Cluster) -> None:
    """As after the project got a service: the file is from before."""
    path = later.overlay / "passwords.env"
    path.write_text(re.sub(r"^REDIS_PASSWORD=.*\n", "", path.read_text(), flags=re.MULTILINE))
    said = refused(later)
    assert "REDIS_PASSWORD" in said
    assert "init-secrets.sh production" in said
    assert later.run("init-secrets", "production").returncode == 0
    assert later.run("deploy", "production").returncode == 0


def test_the_image_of_the_example_is_refused(later: Cluster) -> None:
    edit(later.overlay / "kustomization.yaml", "ghcr.io/me", "registry.example.com")
    assert "set-images.sh production" in refused(later)


@pytest.mark.parametrize("domain", ["example.com", "staging.example.com"])
def test_the_domain_of_the_example_is_refused(later: Cluster, domain: str) -> None:
    edit(later.overlay / "kustomization.yaml", "www.guestbook.org", domain)
    assert "domain" in refused(later)


@pytest.mark.parametrize(
    "domain",
    ["www.my-example.com", "example.community"],
)
def test_a_domain_that_looks_like_the_example(later: Cluster, domain: str) -> None:
    edit(later.overlay / "kustomization.yaml", "www.guestbook.org", domain)
    assert later.run("deploy", "production").returncode == 0


def test_a_wrong_image_ends_a_deployment(later: Cluster) -> None:
    assert later.run("deploy", "production", "app=ghcr.io/me/app:v2").returncode == 1
    assert later.changes() == []


# deploy.sh: the order

DATA = ["apply data", "await statefulset/postgres", "await statefulset/redis"]
MIGRATE = ["start migrate", "await migrate"]
NEW = ["apply apps", "await deployment/app", "await deployment/worker"]


def test_the_first_deployment(cluster: Cluster) -> None:
    result = cluster.run("deploy", "production")
    assert result.returncode == 0, result.stderr
    assert cluster.steps() == DATA + MIGRATE + NEW


def test_a_later_deployment_makes_a_backup_first(later: Cluster) -> None:
    result = later.run("deploy", "production")
    assert result.returncode == 0, result.stderr
    backup = ["start backup-before-deploy", "await backup-before-deploy"]
    assert later.steps() == backup + DATA + MIGRATE + NEW


def test_a_deployment_without_a_backup(later: Cluster) -> None:
    result = later.run("deploy", "production", "--no-backup")
    assert result.returncode == 0, result.stderr
    assert later.steps() == DATA + MIGRATE + NEW


@pytest.mark.parametrize("job", ["backup-before-deploy", "migrate"])
def test_a_job_of_the_deployment_before_is_made_anew(later: Cluster, job: str) -> None:
    (later.state / "jobs" / job).mkdir()
    result = later.run("deploy", "production")
    assert result.returncode == 0, result.stderr
    assert f"start {job}" in later.steps()


def test_images_are_set_before_they_are_applied(later: Cluster) -> None:
    image = f"app=ghcr.io/me/app@{DIGEST}"
    assert later.run("deploy", "production", "--no-backup", image).returncode == 0
    assert DIGEST in (later.overlay / "kustomization.yaml").read_text()


# deploy.sh: failures

FAILED = ("", "FailureTarget", "FailureTarget Failed")


def test_a_failed_backup_ends_a_deployment(later: Cluster) -> None:
    later.write("conditions/backup-before-deploy", *FAILED)
    assert later.run("deploy", "production").returncode == 1
    assert later.steps() == ["start backup-before-deploy", "await backup-before-deploy"]


@pytest.mark.parametrize(
    "call",
    [
        "create job backup-before-deploy *",
        "create configmap in-progress *",
        "get namespace *",
        "get configmap release *",
        "get deployment *",
    ],
)
def test_what_fails_before_the_backup_has_ended_ends_a_deployment(
    later: Cluster, call: str
) -> None:
    later.write("fails", call)
    assert later.run("deploy", "production").returncode == 1
    assert not any(call.startswith("apply ") for call in later.calls())


@pytest.mark.parametrize("call", ["apply * notin *", "rollout status statefulset/redis *"])
def test_data_that_fails_ends_a_deployment(later: Cluster, call: str) -> None:
    later.write("fails", call)
    assert later.run("deploy", "production").returncode == 1
    assert not {"start migrate", "apply apps"} & set(later.steps())


def test_extensions_are_made_before_migrations(later: Cluster) -> None:
    later.write("fails", "exec postgres-0 * extensions")
    assert later.run("deploy", "production").returncode == 1
    assert not {"start migrate", "apply apps"} & set(later.steps())


def test_a_failed_migration_ends_a_deployment(later: Cluster) -> None:
    later.wants(app="new", worker="new")
    later.write("conditions/migrate", *FAILED)
    assert later.run("deploy", "production").returncode == 1
    assert later.steps()[-1] == "await migrate"
    assert later.images() == {"app": "old", "worker": "old"}


def test_the_log_of_a_failed_job_is_shown(later: Cluster) -> None:
    later.write("conditions/migrate", *FAILED)
    later.write("logs/migrate", "relation is missing")
    assert "relation is missing" in later.run("deploy", "production").stderr


UNDO = {"app": "undo app to 3", "worker": "undo worker to 7"}


@pytest.mark.parametrize("failing", APPS)
@pytest.mark.parametrize("changed", [("app",), ("worker",), APPS, ()])
def test_an_app_that_does_not_become_ready(
    later: Cluster, changed: tuple[str, ...], failing: str
) -> None:
    later.wants(**dict.fromkeys(changed, "new"))
    later.write("fails", f"rollout status deployment/{failing} *")
    assert later.run("deploy", "production", "--no-backup").returncode == 1
    undone = [step for step in later.steps() if step.startswith("undo")]
    assert undone == [UNDO[app] for app in changed]
    assert later.images() == {"app": "old", "worker": "old"}


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "CreateContainerConfigError"])
@pytest.mark.parametrize("pods", ["deployment/app", "statefulset/postgres"])
def test_pods_that_cannot_start_are_not_waited_for(later: Cluster, pods: str, reason: str) -> None:
    name = pods.split("/")[1]
    later.write("fails", f"rollout status {pods} *")
    later.write(f"waiting/{name}", reason)
    result = later.run("deploy", "production", "--no-backup")
    assert result.returncode == 1
    assert f"{name} is not ready: {reason}" in result.stderr
    # A pull may work the next time.
    looks = [call for call in later.calls() if call.startswith(f"rollout status {pods}")]
    assert len(looks) == 3


@pytest.mark.parametrize(("restarts", "looks"), [(4, 30), (5, 1), (12, 1)])
def test_an_app_that_ends_again_and_again(later: Cluster, restarts: int, looks: int) -> None:
    later.write("fails", "rollout status deployment/app *")
    later.write("waiting/app", "CrashLoopBackOff")
    later.write("restarts/app", str(restarts))
    later.write("logs/pod-of-app-previous", "STRIPE_API_KEY: Field required")
    result = later.run("deploy", "production", "--no-backup")
    assert "STRIPE_API_KEY: Field required" in result.stderr
    calls = [call for call in later.calls() if call.startswith("rollout status deployment/app")]
    assert len(calls) == looks


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "CrashLoopBackOff"])
def test_a_pod_of_an_earlier_run_gets_its_time(later: Cluster, reason: str) -> None:
    """What kept it from starting may be mended: Kubernetes tries again after minutes."""
    later.write("fails", "rollout status deployment/app *")
    later.write("waiting/app", reason)
    later.write("restarts/app", "7")
    later.write("uids/app", "abc")
    later.write("older", "abc def")
    assert later.run("deploy", "production", "--no-backup").returncode == 1
    calls = [call for call in later.calls() if call.startswith("rollout status deployment/app")]
    assert len(calls) == 30


def test_apps_that_came_up_after_their_run_failed_are_in_service(cluster: Cluster) -> None:
    cluster.write("fails", "rollout status deployment/app *")
    assert cluster.run("deploy", "production").returncode == 1
    cluster.write("fails")
    assert cluster.run("deploy", "production").returncode == 0
    (cluster.state / "calls").unlink()
    assert cluster.run("deploy", "production").returncode == 0
    assert "start backup-before-deploy" in cluster.steps()
    assert cluster.run("rollback", "production").returncode == 1


@pytest.mark.parametrize(
    ("pod", "deleted"),
    [("old False", True), ("old ", True), ("old True", False), ("new False", False)],
)
def test_a_database_that_was_never_ready_takes_its_new_form(
    later: Cluster, pod: str, deleted: bool
) -> None:
    """Kubernetes waits for such a pod for ever (StatefulSets, "Forced rollback")."""
    later.write("pods/postgres-0", pod)
    assert later.run("deploy", "production").returncode == 0
    assert ("delete pod postgres-0 --ignore-not-found" in later.calls()) == deleted


def test_after_a_first_deployment_that_failed_nothing_is_backed_up(cluster: Cluster) -> None:
    cluster.write("fails", "rollout status statefulset/postgres *")
    assert cluster.run("deploy", "production").returncode == 1
    cluster.write("fails")
    (cluster.state / "calls").unlink()
    result = cluster.run("deploy", "production")
    assert result.returncode == 0, result.stderr
    assert cluster.steps() == DATA + MIGRATE + NEW


def test_apps_that_the_cluster_refuses(later: Cluster) -> None:
    later.wants(app="new")
    later.write("fails", "apply * app.kubernetes.io/component=app")
    assert later.run("deploy", "production").returncode == 1
    assert later.steps()[-1] == "apply apps"


def test_a_first_deployment_that_fails_has_nothing_to_go_back_to(cluster: Cluster) -> None:
    cluster.write("fails", "rollout status deployment/worker *")
    assert cluster.run("deploy", "production").returncode == 1
    assert cluster.steps()[-1] == "await deployment/worker"


@pytest.mark.parametrize(
    ("job", "last"),
    [
        ("backup-before-deploy", "Complete SuccessCriteriaMet"),
        ("migrate", "SuccessCriteriaMet Complete"),
    ],
)
def test_success_that_is_not_complete_yet(later: Cluster, job: str, last: str) -> None:
    later.write(f"conditions/{job}", "", "SuccessCriteriaMet", "SuccessCriteriaMet", last)
    result = later.run("deploy", "production")
    assert result.returncode == 0, result.stderr
    looks = [call for call in later.calls() if call.startswith(f"get job {job} ")]
    assert len(looks) == 4


@pytest.mark.parametrize("job", ["backup-before-deploy", "migrate"])
def test_an_image_that_cannot_be_pulled(later: Cluster, job: str) -> None:
    later.write(f"conditions/{job}", "")
    later.write(f"waiting/{job}", "ImagePullBackOff")
    result = later.run("deploy", "production")
    assert result.returncode == 1
    assert "ImagePullBackOff" in result.stderr
    assert later.steps()[-1] == f"await {job}"


@pytest.mark.parametrize("failing", ["rollout status deployment/app *", "nothing"])
def test_no_manifest_with_secrets_is_left(later: Cluster, failing: str) -> None:
    drafts = later.project / "deploy/state"
    drafts.mkdir()
    # Of a run that was killed, as no process has that number.
    (drafts / "draft.4194305.abcdef").write_text("kind: Secret\n")
    later.write("fails", failing)
    later.run("deploy", "production")
    assert list((later.state / "tmp").iterdir()) == []
    assert [path.name for path in drafts.iterdir()] == [".gitignore"]
    applied = next(call for call in later.calls() if "--filename" in call)
    assert " ../state/draft." in applied


# The lock


@pytest.mark.parametrize(
    "arguments",
    [("deploy", "production"), ("rollback", "production"), ("restore", "production", "latest")],
    ids=lambda arguments: arguments[0],
)
def test_the_lock_of_another_run(later: Cluster, arguments: tuple[str, ...]) -> None:
    later.write("configmaps/in-progress/by", "another")
    later.write("configmaps/release/before", "app=2 worker=6")
    result = later.run(*arguments)
    assert result.returncode == 1
    assert "Another run" in result.stderr
    assert (later.lock / "by").read_text() == "another\n"
    assert all("in-progress" in change for change in later.changes())


FAILURES = {
    "success": "nothing",
    "backup": "create job backup-before-deploy *",
    "data": "apply * notin *",
    "databases": "rollout status statefulset/postgres *",
    "migration": "apply * app.kubernetes.io/component=migration",
    "apps": "rollout status deployment/app *",
    "undo": "rollout *",
    "end": "get replicasets,*",
}


@pytest.mark.parametrize("failing", FAILURES.values(), ids=FAILURES)
def test_a_deployment_gives_its_lock_back(later: Cluster, failing: str) -> None:
    later.wants(app="new")
    later.write("fails", failing)
    later.run("deploy", "production")
    assert any(call.startswith("create configmap in-progress ") for call in later.calls())
    assert not later.lock.exists()


@pytest.mark.parametrize("failing", ["nothing", "rollout status statefulset/*", "get job *"])
def test_the_first_deployment_gives_its_lock_back(cluster: Cluster, failing: str) -> None:
    cluster.write("fails", failing)
    cluster.run("deploy", "production")
    assert any(call.startswith("create configmap in-progress ") for call in cluster.calls())
    assert not cluster.lock.exists()


@pytest.mark.parametrize("failing", ["nothing", "rollout undo *", "rollout status *"])
def test_a_rollback_gives_its_lock_back(later: Cluster, failing: str) -> None:
    later.write("configmaps/release/before", "app=2 worker=6")
    later.write("fails", failing)
    later.run("rollback", "production")
    assert any(call.startswith("create configmap in-progress ") for call in later.calls())
    assert not later.lock.exists()


@pytest.mark.parametrize("failing", ["nothing", "create job backups-check *", "scale *"])
def test_a_restore_gives_its_lock_back(later: Cluster, failing: str) -> None:
    later.write("fails", failing)
    later.run("restore", "production", "--yes", "latest")
    assert any(call.startswith("create configmap in-progress ") for call in later.calls())
    assert not later.lock.exists()


@pytest.mark.parametrize(
    "call",
    [
        "create job backup-before-deploy *",
        "get job backup-before-deploy *",
        "apply * notin *",
        "rollout status statefulset/postgres *",
        "get job migrate *",
        "apply * app.kubernetes.io/component=app",
        "rollout status deployment/app *",
        "create configmap in-progress *",
    ],
)
def test_a_deployment_that_is_ended(later: Cluster, call: str) -> None:
    later.wants(app="new")
    later.write("terminates", call)
    result = later.run("deploy", "production")
    assert result.returncode != 0
    assert "is up to date" not in result.stdout
    assert later.images() == {"app": "old", "worker": "old"}
    assert not later.lock.exists()


def test_a_deployment_that_is_ended_while_kubectl_waits(later: Cluster) -> None:
    later.wants(app="new")
    later.write("hangs", "rollout status deployment/app *")
    with subprocess.Popen(
        later.command("deploy", "production"),
        cwd=later.project,
        env=later.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        while not (later.state / "hanging").exists():
            assert process.poll() is None
            time.sleep(0.01)
        # To the whole group, as a pipeline does.
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(timeout=300) != 0
    assert later.images() == {"app": "old", "worker": "old"}
    assert not later.lock.exists()


# rollback.sh


def test_a_rollback_without_a_record_is_refused(later: Cluster) -> None:
    result = later.run("rollback", "production")
    assert result.returncode == 1
    assert later.changes() == []


def test_a_rollback_of_the_first_deployment_is_refused(cluster: Cluster) -> None:
    assert cluster.run("deploy", "production").returncode == 0
    assert cluster.run("rollback", "production").returncode == 1
    assert cluster.images() == {"app": "v1", "worker": "v1"}


def deployed(cluster: Cluster, **images: str) -> dict[str, str]:
    """What is in service after a deployment of these."""
    cluster.wants(**images)
    result = cluster.run("deploy", "production", "--no-backup")
    assert result.returncode == 0, result.stderr
    return cluster.images()


def rolled_back(cluster: Cluster) -> dict[str, str]:
    """What is in service after a rollback."""
    result = cluster.run("rollback", "production")
    assert result.returncode == 0, result.stderr
    return cluster.images()


@pytest.mark.parametrize("changed", [("app",), ("worker",), APPS])
def test_a_rollback_goes_back_and_forward(cluster: Cluster, changed: tuple[str, ...]) -> None:
    first = deployed(cluster)
    second = deployed(cluster, **dict.fromkeys(changed, "v2"))
    assert [rolled_back(cluster) for _ in range(3)] == [first, second, first]


def test_a_rollback_leaves_alone_what_has_not_changed(cluster: Cluster) -> None:
    deployed(cluster)
    deployed(cluster, app="v2")
    rolled_back(cluster)
    assert [step for step in cluster.steps() if step.startswith("undo")] == ["undo app to 1"]


def test_the_same_version_again_keeps_the_record(cluster: Cluster) -> None:
    first = deployed(cluster)
    deployed(cluster, app="v2")
    deployed(cluster, app="v2")
    assert rolled_back(cluster) == first


def test_a_failed_deployment_keeps_the_record(cluster: Cluster) -> None:
    first = deployed(cluster)
    deployed(cluster, app="v2")
    cluster.wants(app="v3")
    cluster.write("fails", "rollout status deployment/app *")
    assert cluster.run("deploy", "production").returncode == 1
    cluster.write("fails")
    assert rolled_back(cluster) == first


# restore.sh

CHECK = ["start backups-check", "await backups-check"]
KEEP = ["start backup-before-restore", "await backup-before-restore"]
LOOK = ["await statefulset/postgres", "await statefulset/redis"]
STOP = ["scale deployment/app to 0", "scale deployment/worker to 0"]
STOPPED = ["await end of app", "await end of worker"]
STOP_REDIS = ["scale statefulset/redis to 0", "await end of redis-0"]
RESTORE = ["start restore-now", "await restore-now"]
START_REDIS = ["scale statefulset/redis to 1", "await statefulset/redis"]
START = ["scale deployment/app to 1", "scale deployment/worker to 1"]
STARTED = ["await deployment/app", "await deployment/worker"]


@pytest.mark.parametrize("backup", ["latest", BACKUP])
def test_a_restore(later: Cluster, backup: str) -> None:
    result = later.run("restore", "production", "--yes", backup)
    assert result.returncode == 0, result.stderr
    stops = CHECK + KEEP + LOOK + STOP + STOPPED + STOP_REDIS
    assert later.steps() == stops + RESTORE + START_REDIS + START + STARTED


def test_the_backup_that_was_checked_is_restored(later: Cluster) -> None:
    later.run("restore", "production", "--yes", "latest")
    assert (later.state / "jobs/backups-check/backup").read_text() == "latest"
    assert (later.state / "jobs/restore-now/backup").read_text() == BACKUP


def test_a_backup_that_is_not_whole_changes_nothing(later: Cluster) -> None:
    later.write("conditions/backups-check", *FAILED)
    later.write("logs/backups-check", "The backup is damaged.")
    result = later.run("restore", "production", "--yes", BACKUP)
    assert result.returncode == 1
    assert "The backup is damaged." in result.stderr
    assert later.steps() == CHECK
    assert not any(call.startswith("patch ") for call in later.calls())


def test_a_restore_without_a_backup_of_the_present_changes_nothing(later: Cluster) -> None:
    later.write("conditions/backup-before-restore", *FAILED)
    assert later.run("restore", "production", "--yes", BACKUP).returncode == 1
    assert later.steps() == CHECK + KEEP
    assert not any(call.startswith("patch ") for call in later.calls())


def test_a_restore_without_a_database_stops_no_app(later: Cluster) -> None:
    later.write("fails", "rollout status statefulset/postgres *")
    assert later.run("restore", "production", "--yes", BACKUP).returncode == 1
    assert [later.replicas(app) for app in APPS] == [2, 2]


def test_a_restore_that_nobody_can_allow_is_refused(later: Cluster) -> None:
    result = later.run("restore", "production", BACKUP)
    assert result.returncode == 1
    assert "--yes" in result.stderr
    assert later.steps() == CHECK
    assert not any(call.startswith("patch ") for call in later.calls())


@pytest.mark.parametrize(("answer", "restored"), [("y", True), ("n", False), ("", False)])
def test_a_restore_asks_on_a_terminal(later: Cluster, answer: str, restored: bool) -> None:
    (command, *arguments) = later.command("restore", "production", "latest")
    child = pexpect.spawn(
        command,
        arguments,
        cwd=str(later.project),
        env=later.environment,
        encoding="utf-8",
        timeout=120,
    )
    child.expect(rf"{BACKUP}\? \[y/N\]")
    child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    assert (child.exitstatus == 0) == restored
    assert ("start restore-now" in later.steps()) == restored
    assert not later.lock.exists()


def test_apps_stay_stopped_after_a_failed_restore(later: Cluster) -> None:
    later.write("conditions/restore-now", *FAILED)
    assert later.run("restore", "production", "--yes", BACKUP).returncode == 1
    assert [later.replicas(app) for app in APPS] == [0, 0]
    assert later.steps()[-1] == "await restore-now"


def test_a_failed_restore_says_how_to_go_on(later: Cluster) -> None:
    later.write("conditions/restore-now", *FAILED)
    result = later.run("restore", "production", "--yes", BACKUP)
    assert f"restore.sh production --no-backup {BACKUP}" in result.stderr.splitlines()[-1]


def test_a_failed_restore_of_the_latest_names_it(later: Cluster) -> None:
    later.write("conditions/restore-now", *FAILED)
    result = later.run("restore", "production", "--yes", "latest")
    assert BACKUP in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    "name",
    [
        "$(touch pwned)",
        "`touch pwned`",
        "a b",
        "'",
        '"',
        f"{BACKUP}\n{BACKUP}",
        f"../{BACKUP}",
        f"{BACKUP}/",
        "20250102_030405Z",
        "last",
        "*",
        "--help",
        "",
    ],
)
def test_a_name_that_no_backup_has_is_refused(later: Cluster, name: str) -> None:
    before = contents(later.project)
    result = later.run("restore", "production", "--yes", name)
    assert result.returncode == 1
    assert later.changes() == []
    assert contents(later.project) == before
