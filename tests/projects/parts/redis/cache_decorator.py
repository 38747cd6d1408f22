"""Sample code: keep the results of a function in Redis."""

import functools
import json
from collections.abc import Callable

import redis


def cached(client: redis.Redis, ttl: int = 3600) -> Callable[[Callable], Callable]:
    """Remember what a function returned for the same arguments."""

    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        def wrapper(*args):
            key = f"{function.__name__}:{args!r}"
            if (known := client.get(key)) is not None:
                return json.loads(known)
            result = function(*args)
            client.setex(key, ttl, json.dumps(result))
            return result

        return wrapper

    return decorate
