# What `docker init` writes for a Python server with requirements.txt, in our own words.
ARG PYTHON_VERSION=3.13
FROM python:${PYTHON_VERSION}-slim AS base
ENV PYTHONDONTWRITEBYTECODE=1
ENV PYTHONUNBUFFERED=1
WORKDIR /app
ARG UID=10001
# It writes adduser, which the slim images have no more since Debian 13.
RUN useradd --home-dir /nonexistent --shell /sbin/nologin --no-create-home --uid "${UID}" appuser
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=requirements.txt,target=requirements.txt \
    python -m pip install -r requirements.txt
USER appuser
COPY . .
EXPOSE 8000
CMD gunicorn 'notes:create_app()' --bind=0.0.0.0:8000
