"""What goes wrong: one fault after the other, every kind at least once, in an order that the seed decides."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.chaos.world import World


class Faults:
    """Each kind by name. What a fault takes down it brings up again, sooner or later."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self.world, self.chance = world, chance
        self.seen: Counter[str] = Counter()
        self.kinds: dict[str, Callable[[], None]] = {
            "web": lambda: self.kill("web"),
            "worker": lambda: self.kill(chance.choice(world.names("worker"))),
            "workers": lambda: self.kill(*world.names("worker")),
            "pool": self.pool,
            "freeze": self.freeze,
            "pause": self.pause,
            "pg-restart": lambda: self.postgres(signal.SIGINT),
            "pg-kill": lambda: self.postgres(signal.SIGKILL),
        }
        if world.names("beat"):
            self.kinds["beat"] = lambda: self.kill(chance.choice(world.names("beat")))
        if world.engines.redis:
            self.kinds |= {"redis-flush": world.flush_redis, "redis-kill": self.redis}

    def order(self, count: int) -> list[str]:
        """So many kinds, no kind twice before every other was there."""
        kinds: list[str] = []
        while len(kinds) < count:
            kinds += self.chance.sample(sorted(self.kinds), len(self.kinds))
        return kinds[:count]

    def inject(self, kind: str) -> None:
        self.kinds[kind]()
        self.seen[kind] += 1

    def down(self) -> None:
        time.sleep(self.chance.uniform(0, 1))

    def kill(self, *names: str) -> None:
        for name in names:
            self.world.kill(name)
        self.down()
        for name in names:
            self.world.start(name)

    def pool(self) -> None:
        """One process of a worker's pool."""
        worker = self.world.children[self.chance.choice(self.world.names("worker"))].pid
        children = Path(f"/proc/{worker}/task/{worker}/children")
        if pids := (children.read_text().split() if children.exists() else []):
            os.kill(int(self.chance.choice(pids)), signal.SIGKILL)

    def freeze(self) -> None:
        """A worker that stands still for a while and then goes on as if nothing had been."""
        group = self.world.children[self.chance.choice(self.world.names("worker"))].pid
        os.killpg(group, signal.SIGSTOP)
        time.sleep(self.chance.uniform(1, 3))
        os.killpg(group, signal.SIGCONT)

    def pause(self) -> None:
        """A person stops every campaign and starts it again; the workers carry out both, and what is said next may come before they have."""
        for state in ("paused", "published"):
            for (campaign,) in self.world.sql("SELECT id FROM campaigns_campaign"):  # one after the other, as people do
                self.world.sql("UPDATE campaigns_campaign SET state = %s, said_at = clock_timestamp() WHERE id = %s", [state, campaign])
            self.down()

    def redis(self) -> None:
        self.world.engines.stop_redis(signal.SIGKILL)
        self.down()
        self.world.engines.start_redis()

    def postgres(self, how: signal.Signals) -> None:
        """Under warm workers and a warm web server, which keep their connections."""
        self.world.engines.stop_postgres(how)
        self.down()
        self.world.engines.start_postgres()
