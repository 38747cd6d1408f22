# The plain recipe: what the roadmap sketches for FastAPI, in our own words.
# Repaired so that it runs: the module's path, and a health check that needs no curl.
FROM python:3.11-slim AS builder
WORKDIR /app
RUN apt-get update \
    && apt-get install -y --no-install-recommends build-essential \
    && rm -rf /var/lib/apt/lists/*
COPY backend/requirements.txt ./
RUN pip install --no-cache-dir --target=/app/dependencies -r requirements.txt

FROM python:3.11-slim AS runtime
RUN useradd --create-home --shell /bin/bash app
USER app
WORKDIR /app
COPY --from=builder /app/dependencies /usr/local/lib/python3.11/site-packages
COPY --chown=app:app backend/ ./
ENV PYTHONUNBUFFERED=1
ENV PYTHONDONTWRITEBYTECODE=1
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=5s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health')"]
CMD ["python", "-m", "uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000"]
