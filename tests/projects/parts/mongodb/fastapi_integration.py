"""Sample code: an asynchronous client for FastAPI."""

import os

from motor.motor_asyncio import AsyncIOMotorClient

client = AsyncIOMotorClient(os.environ.get("MONGODB_URL", "mongodb://localhost:27017"))
database = client[os.environ.get("MONGODB_DATABASE", "__PROJECT_NAME__")]
