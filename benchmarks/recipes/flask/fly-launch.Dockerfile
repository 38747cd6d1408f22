# What `fly launch` writes for a Python project with requirements.txt, in our own words.
# It starts Flask's own server; its owner takes Gunicorn, as the project declares it.
FROM python:3.13-slim AS builder
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
RUN python -m venv .venv
COPY requirements.txt ./
RUN .venv/bin/pip install -r requirements.txt

FROM python:3.13-slim
WORKDIR /app
COPY --from=builder /app/.venv .venv/
COPY . .
CMD ["/app/.venv/bin/gunicorn", "notes:create_app()", "--bind", "0.0.0.0:8000"]
