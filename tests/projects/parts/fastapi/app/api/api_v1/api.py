"""The router of API version 1: every module in `endpoints` brings its own `router`."""

import importlib
import pkgutil

from fastapi import APIRouter

from app.api.api_v1 import endpoints

api_router = APIRouter()

for module in pkgutil.iter_modules(endpoints.__path__, f"{endpoints.__name__}."):
    api_router.include_router(importlib.import_module(module.name).router)
