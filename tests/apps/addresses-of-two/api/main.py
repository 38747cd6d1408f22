from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    allowed_hosts: str
    backend_cors_origins: list[str]
    frontend_url: str = "http://localhost:3000"
    base_url: str = "http://localhost:8000/api"


settings = Settings()
app = FastAPI()
app.add_middleware(CORSMiddleware, allow_origins=settings.backend_cors_origins)
app.add_middleware(TrustedHostMiddleware, allowed_hosts=settings.allowed_hosts.split(","))


@app.get("/api/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/api/settings")
def show() -> dict[str, object]:
    return settings.model_dump()
