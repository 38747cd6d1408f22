import os

from arq.connections import RedisSettings


async def add(context: dict, a: int, b: int) -> int:
    return a + b


class WorkerSettings:
    functions = [add]
    redis_settings = RedisSettings.from_dsn(os.environ["REDIS_URL"])
