import os

from huey import RedisHuey

huey = RedisHuey("demo", url=os.environ["REDIS_URL"])


@huey.task()
def add(a: int, b: int) -> int:
    return a + b
