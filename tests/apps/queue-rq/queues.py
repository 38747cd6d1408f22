import os

from redis import Redis
from rq import Queue

connection = Redis.from_url(os.environ["REDIS_URL"])
queue = Queue(connection=connection)
