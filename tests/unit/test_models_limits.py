"""The turnstile and its judgement, in simulated time where it can be: no server, no sleeping."""

import asyncio
import heapq
import random

import pytest

from falsereject_gen.models.adaptive import Adaptive
from falsereject_gen.models.limits import Bucket, Limiter


def simulate(adaptive, seconds, *, push=None, rate=None, capacity=None, latency=0.2, seed=1):
    """Keep an endpoint as busy as the limit allows; returns (answers, pushes) by second.

    push: share that is pushed back at random; rate: calls a second of a token bucket that holds one
    second's worth; capacity: calls at once that the endpoint bears.
    """
    rng, now, busy, level, filled = random.Random(seed), 0.0, 0, float(rate or 0), 0.0
    under_way, serving = [], 0
    answers, pushes = [0] * (seconds + 1), [0] * (seconds + 1)
    while now < seconds:
        while busy + 1 <= adaptive.limit:
            level, filled = min(rate or 0, level + (now - filled) * (rate or 0)), now
            refused = push is not None and rng.random() < push
            refused |= rate is not None and level < 1
            refused |= capacity is not None and serving >= capacity
            level -= not refused
            serving += not refused
            took = 0.01 if refused and push is None else latency * rng.uniform(0.9, 1.1)
            held = max(took, adaptive.latency if refused else 0)
            epoch = adaptive.sent()
            heapq.heappush(under_way, (now + took, rng.random(), "back", refused, epoch, took))
            heapq.heappush(under_way, (now + held, rng.random(), "free", refused, 0, 0))
            busy += 1
        now, _, what, refused, epoch, took = heapq.heappop(under_way)
        if what == "free":
            busy -= 1
            continue
        serving -= not refused
        (pushes if refused else answers)[min(seconds, int(now))] += 1
        adaptive.done(epoch, pushed=refused, seconds=took)
    return answers[:seconds], pushes[:seconds]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.03, 0.1, 0.3])
def test_random_push_back_does_not_lower_the_limit(share, seed):
    adaptive = Adaptive(64)
    answers, _ = simulate(adaptive, 30, push=share, seed=seed)
    assert sum(answers[5:]) > 0.85 * 25 * 320 * (1 - share)


@pytest.mark.parametrize("seed", range(5))
def test_a_bucket_nobody_told_us_of_is_found_and_filled(seed):
    answers, pushes = simulate(Adaptive(64), 40, rate=100, seed=seed)
    assert sum(answers) > 0.90 * 40 * 100
    assert sum(pushes) < 0.05 * sum(answers)


def test_a_cut_is_not_judged_before_its_wave_is_back():
    """Where calls go out together, all push-back of a wave comes before its first answer."""
    adaptive = Adaptive(64)

    def wave(pushed, answered):
        epochs = [adaptive.sent() for _ in range(pushed + answered)]
        for number, epoch in enumerate(epochs):
            refused = number < pushed
            adaptive.done(epoch, pushed=refused, seconds=0.01 if refused else 0.2)

    for _ in range(4):
        wave(0, 64)
    wave(4, 60)  # a bucket runs dry
    assert 44 <= adaptive.limit <= 45
    wave(24, 20)  # more than half is lost, so the next cut is by half
    assert adaptive.limit == pytest.approx(22.4)


@pytest.mark.parametrize("seed", range(3))
def test_overload_lowers_the_limit_and_relief_raises_it_again(seed):
    adaptive = Adaptive(64)
    _, pushes = simulate(adaptive, 15, capacity=12, seed=seed)
    assert 8 <= adaptive.limit <= 16
    assert sum(pushes[5:]) < 0.1 * 10 * 60
    simulate(adaptive, 40, seed=seed)
    assert adaptive.limit > 50


def test_an_endpoint_that_refuses_everything_is_left_alone():
    adaptive = Adaptive(64)
    shut = []
    for _ in range(200):
        epoch = adaptive.sent()
        shut.append(adaptive.done(epoch, pushed=True, seconds=0.2))
    assert any(shut) and adaptive.limit < 16


def test_a_bucket_lets_its_rate_through_and_takes_debts(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("falsereject_gen.models.limits.time.monotonic", lambda: now[0])
    bucket = Bucket(600)
    assert bucket.burst == 2
    for _ in range(2):
        assert bucket.wait(1) == 0
        bucket.take(1)
    assert bucket.wait(1) == pytest.approx(0.1)
    bucket.take(5)
    assert bucket.wait(1) == pytest.approx(0.6)
    now[0] = 0.7
    assert bucket.wait(1) == 0
    assert Bucket(None).wait(1e9) == 0


def test_places_go_in_turn_but_retries_first():
    async def main():
        limiter, order = Limiter(1), []

        async def call(name, first=False):
            ticket = await limiter.enter(1, first=first)
            order.append(name)
            limiter.leave(ticket)

        ticket = await limiter.enter(1)
        tasks = [asyncio.ensure_future(call(n)) for n in "ab"]
        await asyncio.sleep(0)
        tasks.append(asyncio.ensure_future(call("again", first=True)))
        await asyncio.sleep(0)
        assert limiter.waiting == 3
        limiter.leave(ticket)
        await asyncio.gather(*tasks)
        return order, limiter.in_flight

    assert asyncio.run(main()) == (["again", "a", "b"], 0)


def test_requests_a_minute_are_kept():
    async def main():
        limiter = Limiter(64, per_minute=6000)
        start = asyncio.get_running_loop().time()

        async def call():
            limiter.leave(await limiter.enter(1))

        await asyncio.gather(*[call() for _ in range(70)])
        return asyncio.get_running_loop().time() - start

    assert 0.45 < asyncio.run(main()) < 1.5
