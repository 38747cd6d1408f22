# What `docker init` writes for a Python server with requirements.txt, in our own words.
# From files it wrote in public repositories: one slim stage, a user without home or shell,
# pip with a cache mount and the list bind-mounted, then the whole folder, and a shell-form command.
ARG PYTHON_VERSION=3.11
FROM python:${PYTHON_VERSION}-slim AS base
ENV PYTHONDONTWRITEBYTECODE=1
ENV PYTHONUNBUFFERED=1
WORKDIR /app
ARG UID=10001
RUN adduser --disabled-password --gecos "" --home /nonexistent --shell /sbin/nologin \
    --no-create-home --uid "${UID}" appuser
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=requirements.txt,target=requirements.txt \
    python -m pip install -r requirements.txt
USER appuser
COPY . .
EXPOSE 8000
CMD uvicorn app.main:app --host=0.0.0.0 --port=8000
