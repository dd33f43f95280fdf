"""Redis of our own: loopback with a password, stopped and started at will."""

import redis

from script.local import redis as local_redis


def test_redis_server__running__answers_with_its_password_only(redis_server):
    assert redis.Redis.from_url(redis_server.url).ping()
    port = int(redis_server.url.rpartition(":")[2].partition("/")[0])
    assert not local_redis.is_ready(port, "guessed")


def test_redis_server__stopped_and_started__answers_again_and_has_forgotten(redis_server):
    client = redis.Redis.from_url(redis_server.url)
    client.set("key", "value")
    redis_server.stop()
    port = int(redis_server.url.rpartition(":")[2].partition("/")[0])
    assert not local_redis.is_ready(port, "any")
    redis_server.start()
    assert client.get("key") is None
