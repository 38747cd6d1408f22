# Production image of the FastAPI app in backend/, for Fly.io. Build it from the project's top folder:
#   docker build --file deploy/fly/app.Dockerfile --tag all-app .
# As Dockerfile.prod, with psql for migrations: what you change in one belongs in the other.

# Both can be pinned by digest: --build-arg PYTHON_IMAGE=python:3.11-slim@sha256:…
ARG PYTHON_IMAGE=python:3.11-slim
ARG UV_IMAGE=ghcr.io/astral-sh/uv:0.13.9

FROM ${UV_IMAGE} AS uv

# --- Dependencies: built anew only when their list changes ---------------------------------------
FROM ${PYTHON_IMAGE} AS dependencies
COPY --from=uv /uv /usr/local/bin/uv
# Byte-compile what is installed, copy it out of the cache, and use the image's own Python.
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never \
    UV_PROJECT_ENVIRONMENT=/opt/venv \
    VIRTUAL_ENV=/opt/venv
# PyTorch without several GB of CUDA libraries.
ENV UV_TORCH_BACKEND=cpu
WORKDIR /app
COPY deploy/trim-symbols.py /usr/local/bin/
COPY backend/requirements.txt ./
# Development tools stay out of the image. Take a name off this list if the app needs it to run.
ARG DEVELOPMENT_TOOLS="autopep8|bandit|black|coverage|flake8[a-z_-]*|ipdb|ipykernel|ipython|isort|\
jupyter[a-z_-]*|mypy|nbconvert|notebook|nox|pip-tools|pre-commit|pylint[a-z_-]*|pyright|\
pytest[a-z_-]*|ruff|tox|twine|types-[a-z_-]*|uv"
RUN --mount=type=cache,id=uv,target=/root/.cache/uv \
    sed --in-place --regexp-extended --expression=':a; s/\r$//; /\\$/ { N; s/\\\n//; ba }' \
        --expression="/^ *($DEVELOPMENT_TOOLS) *([^a-z0-9_.-]|\$)/Id" requirements.txt \
    && uv venv /opt/venv \
    && uv pip install --requirement requirements.txt 'celery[redis]' \
    && python /usr/local/bin/trim-symbols.py /opt/venv

# --- The app's own code --------------------------------------------------------------------------
FROM ${PYTHON_IMAGE} AS build
WORKDIR /app
COPY backend/ ./
# Fails the build if a secret got in, whatever becomes of deploy/fly/app.Dockerfile.dockerignore.
# The code is made readable for the app's user and for shells, whatever umask or line ends the checkout has,
# and compiled, as the app cannot write byte code at run time; a file that does not compile stays as it is.
RUN secrets=$(find . -path ./node_modules -prune -o \( -name .git \
        -o -name .env -o -name '.env.*' -o -name secrets.env -o -name secrets.json -o -name secrets.toml \
        -o -name secrets.yaml -o -name secrets.yml -o -name credentials.json \
        -o -name 'service-account*.json' -o -name kubeconfig -o -name '*.tfstate' -o -path '*/.aws/*' \
        -o -name .netrc -o -name .pgpass -o -name .git-credentials -o -name .pypirc -o -name .npmrc \
        -o -name .yarnrc -o -name .yarnrc.yml -o -name bunfig.toml -o -name pip.conf -o -name 'id_rsa*' \
        -o -name 'id_dsa*' -o -name 'id_ecdsa*' -o -name 'id_ed25519*' -o -path '*/.ssh/*' \
        -o -name '*.key' -o -name '*.pem' -o -name '*.p12' -o -name '*.pfx' -o -name '*.jks' \
        -o -name '*.keystore' -o -name '*.sqlite3' -o -name dump.sql \
        \) -print) \
    && if [ -n "$secrets" ]; then echo "Must not enter the image: $secrets" >&2; exit 1; fi \
    && find . -path ./node_modules -prune -o -exec chmod a+rX,go-w {} + \
    && find . -path ./node_modules -prune -o -name '*.sh' -type f -exec sed -i 's/\r$//' {} + \
    && { python -m compileall -q --invalidation-mode unchecked-hash . || true; }

# --- What runs in production ---------------------------------------------------------------------
FROM ${PYTHON_IMAGE} AS final
# psql, for `migrate`.
# hadolint ignore=DL3008,DL3018
RUN if command -v apk > /dev/null; then apk add --no-cache postgresql-client; \
    else apt-get update && apt-get install --yes --no-install-recommends postgresql-client \
        && rm -rf /var/lib/apt/lists/*; fi
COPY --chmod=0555 deploy/entrypoint.sh /usr/local/bin/entrypoint
# A user without password, shell or rights, numeric so that a cluster can see it is not root.
# No shell reads the line ends that a checkout on Windows may have.
RUN echo 'app:x:10001:10001::/home/app:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'app:x:10001:' >> /etc/group \
    && install -d -o 10001 -g 10001 /home/app \
    && sed -i 's/\r$//' /usr/local/bin/entrypoint
WORKDIR /app
COPY --from=dependencies /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    WORKER_MEGABYTES="512" \
    PYTHONDONTWRITEBYTECODE=1 \
    PORT=8000
# New volumes take over the owner of the folders they are mounted on.
RUN install -d -o 10001 -g 10001 /home/app/.cache /var/lib/celery
# Brings the database's schema up to date, where a platform runs no image but this: `migrate`.
COPY --chmod=0555 deploy/migrate.sh /usr/local/bin/migrate
RUN sed -i 's/\r$//' /usr/local/bin/migrate
COPY --chmod=0555 database/migrations/ /migrations/

ARG REVISION=unknown
LABEL org.opencontainers.image.title="all-app" \
    org.opencontainers.image.base.name="python:3.11-slim" \
    org.opencontainers.image.revision=${REVISION}
USER 10001:10001
EXPOSE 8000
# Asks as a visitor of the site would: by its name (HEALTH_HOST), as if by HTTPS.
HEALTHCHECK --interval=30s --timeout=6s --retries=3 --start-period=60s --start-interval=1s \
    CMD ["python", "-c", "import http.client as h, os, re, sys; p = int(os.environ['PORT']); n = re.sub('^[a-z]+://|[/, ].*', '', os.environ.get('HEALTH_HOST', '')).replace('*', 'www'); c = h.HTTPConnection('127.0.0.1', p, timeout=5); c.request('GET', '/health', headers={'Host': n or '127.0.0.1:%d' % p, 'X-Forwarded-Proto': 'https'}); sys.exit(c.getresponse().status >= 400)"]
ENTRYPOINT ["entrypoint"]
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--proxy-headers", "--timeout-graceful-shutdown", "25"]
