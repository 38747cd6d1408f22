"""Which projects and options are rendered, linted and compared: listed once, for all tiers.

Every case is rendered and linted, and has its model in `tests/models/`; those of GOLDEN have their
whole tree in `tests/golden/`, to be read.
"""

from __future__ import annotations

# Spinbox's own shapes, and what each must say or become.
SHAPES = (
    "everything--with-deps",
    "fastapi",
    "fastapi-chroma--with-deps",
    "fastapi-mongodb--with-deps",
    "fastapi-postgresql--py312-pg16",
    "fastapi-postgresql-redis--with-deps",
    "fastapi-vite",
    "nextjs",
    "nextjs-postgresql",
    "node",
    "profile-ai-llm",
    "profile-api-only",
    "profile-data-science",
    "profile-web-app",
    "python",
    "python-node",
    "python-postgresql",
)
NOTHING_TO_DEPLOY = ("profile-node",)

# Options that change what is generated, each with the shape that shows it best.
VARIANTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "no-proxy": ("profile-web-app", ("--set", "proxy=none")),
    "no-compose": ("profile-web-app", ("--no-compose",)),
    "python-only": ("profile-web-app", ("--target", "python")),
    "node-only": ("profile-web-app", ("--target", "node")),
    "output": ("fastapi-mongodb--with-deps", ("--output", "ops/production")),
    "closed": (
        "profile-web-app",
        (
            *("--set", "api_docs=false", "--set", "csp=default-src 'self'; object-src 'none'"),
            *("--set", "permissions_policy=camera=(), geolocation=()"),
        ),
    ),
    "uploads-and-gpu": ("profile-api-only", ("--set", "uploads=/app/uploads", "--set", "gpu=true")),
    "python-service": (
        "python-postgresql",
        ("--set", "python.mode=service", "--set", "python.port=8080"),
    ),
    "worker": (
        "profile-api-only",
        ("--set", "fastapi.worker=celery --app app.worker:celery_app worker --beat"),
    ),
    "github": ("profile-api-only", ("generate", "--ci", "github", "--deploy")),
    "github-registry": (
        "profile-web-app",
        ("generate", "--ci", "github", "--no-test", "--registry", "docker.io/Acme"),
    ),
    "gitlab": ("nextjs-postgresql", ("generate", "--ci", "gitlab", "--deploy")),
    "gitlab-registry": (
        "profile-web-app",
        ("generate", "--ci", "gitlab", "--registry", "registry.example.com:5000"),
    ),
    "pipelines-of-both-architectures": (
        "profile-web-app",
        (
            *("generate", "--ci", "github", "--ci", "gitlab", "--deploy"),
            *("--set", "ci_multiarch=true"),
        ),
    ),
    "pipelines-apart": (
        "profile-ai-llm",
        (
            *("generate", "--ci", "github", "--ci", "gitlab", "--deploy"),
            *("--set", "ci_staging=false", "--output", "ops/production"),
        ),
    ),
    "docker-swarm": (
        "fastapi-postgresql-redis--with-deps",
        ("deploy", "--target", "docker-swarm", "--generate"),
    ),
    "docker-swarm-elsewhere": (
        "profile-ai-llm",
        (
            *("deploy", "--target", "docker-swarm", "--generate"),
            *("--set", "postgres=external", "--set", "uploads=/app/uploads"),
            *("--set", "fastapi.worker=celery --app app.worker:celery_app worker"),
            *("--set", "fastapi.scheduler=celery --app app.worker:celery_app beat"),
        ),
    ),
    "kubernetes": ("profile-web-app", ("deploy", "--target", "kubernetes", "--generate")),
    "kubernetes-elsewhere": (
        "fastapi-postgresql-redis--with-deps",
        (
            *("deploy", "--target", "kubernetes", "--generate"),
            *("--set", "postgres=external", "--set", "redis=external"),
            *("--set", "kubernetes_route=ingress", "--set", "kubernetes_secrets=external"),
            *("--set", "fastapi.worker=celery --app app.worker:celery_app worker"),
            *("--set", "fastapi.scheduler=celery --app app.worker:celery_app beat"),
        ),
    ),
    "platforms": (
        "everything--with-deps",
        (
            *("deploy", "--target", "fly", "--target", "railway", "--target", "render"),
            *("--generate", "--set", "postgres.migrations=sql"),
            *("--set", "fastapi.worker=celery --app app.worker:celery_app worker"),
            *("--set", "fastapi.scheduler=celery --app app.worker:celery_app beat"),
        ),
    ),
    "platforms-apart": (
        "profile-api-only",
        (
            *("deploy", "--target", "fly", "--target", "railway", "--generate"),
            *("--set", "uploads=/app/uploads"),
            *("--output", "ops/production"),
        ),
    ),
    "external": (
        "profile-web-app",
        ("--set", "postgres=external", "--set", "postgres.migrations=sql"),
    ),
    "private-registry": (
        "profile-web-app",
        (
            *("generate", "--ci", "github", "--ci", "gitlab"),
            *("--set", "fastapi.build_secrets=UV_INDEX_ACME_USERNAME,UV_INDEX_ACME_PASSWORD"),
            *("--set", "nextjs.build_secrets=NPM_TOKEN", "--set", "fastapi.keep=certs/ca.pem"),
        ),
    ),
    "secrets-as-files": (
        "fastapi-postgresql-redis--with-deps",
        ("--set", "secrets=files", "--set", "postgres.migrations=sql"),
    ),
    "open-redis": (
        "fastapi-postgresql-redis--with-deps",
        (
            *("deploy", "--target", "docker-swarm", "--target", "kubernetes", "--generate"),
            *("--set", "redis.password=off"),
        ),
    ),
    "volumes": (
        "profile-web-app",
        (
            *("deploy", "--target", "docker-swarm", "--target", "kubernetes", "--generate"),
            *("--set", "fastapi.volumes=/app/data,/app/var/db", "--set", "nextjs.volumes=/data"),
        ),
    ),
    "platforms-volumes": (
        "profile-api-only",
        (
            *("deploy", "--target", "fly", "--target", "railway", "--target", "render"),
            *("--generate", "--set", "fastapi.volumes=/app/data"),
        ),
    ),
    "site-everywhere": (
        "fastapi-vite",
        (
            *("deploy", "--target", "docker-swarm", "--target", "kubernetes", "--target", "fly"),
            *("--target", "railway", "--target", "render", "--generate"),
            *("--set", "static.base=/shop", "--set", "static.source_maps=true"),
        ),
    ),
    "site-pipelines": ("fastapi-vite", ("generate", "--ci", "github", "--ci", "gitlab")),
    "alembic": ("profile-api-only", ("--set", "postgres.migrations=alembic")),
}
CASES: dict[str, tuple[str, tuple[str, ...]]] = {shape: (shape, ()) for shape in SHAPES} | VARIANTS
# Whole trees that a reviewer reads: each another project, with another target or pipeline.
GOLDEN = (
    "profile-web-app",
    "github",
    "gitlab",
    "docker-swarm",
    "kubernetes",
    "platforms",
    "python-service",
    "node",
    "output",
)
