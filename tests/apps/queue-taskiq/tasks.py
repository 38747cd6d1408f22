import os

from redis.asyncio import Redis
from taskiq import TaskiqScheduler
from taskiq.schedule_sources import LabelScheduleSource
from taskiq_redis import ListQueueBroker, RedisAsyncResultBackend

URL = os.environ["REDIS_URL"]
broker = ListQueueBroker(URL).with_result_backend(RedisAsyncResultBackend(URL))
scheduler = TaskiqScheduler(broker, [LabelScheduleSource(broker)])


@broker.task
async def add(a: int, b: int) -> int:
    return a + b


@broker.task(schedule=[{"cron": "* * * * *"}])
async def tick() -> None:
    await Redis.from_url(URL).incr("ticks")


async def ticks() -> bytes | None:
    return await Redis.from_url(URL).get("ticks")
