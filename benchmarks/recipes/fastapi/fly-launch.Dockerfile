# What `fly launch` writes for a Python project with requirements.txt, in our own words.
# From files it wrote in public repositories: a virtual environment made in a builder stage,
# then that and the whole folder in a slim image, as root.
# Its builder is the full python image; slim does here, as every package comes as a wheel.
FROM python:3.11-slim AS builder
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
RUN python -m venv .venv
COPY requirements.txt ./
RUN .venv/bin/pip install -r requirements.txt

FROM python:3.11-slim
WORKDIR /app
COPY --from=builder /app/.venv .venv/
COPY . .
CMD ["/app/.venv/bin/uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000"]
