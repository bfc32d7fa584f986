"""kill -9 of the server, of the agent and of both, at random moments: nothing acknowledged is lost or doubled."""

import os
import random
import threading
import time

import pytest

from atalaya import Agent, Server, until
from sinks import about

RUN_SECONDS = float(os.environ.get("ATALAYA_CRASH_SECONDS", "60"))


class Writer(threading.Thread):
    """Appends numbered lines to a log file, a few hundred a second, until told to stop."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path = path
        self.stopping = threading.Event()
        self.written = 0

    def run(self):
        with open(self.path, "a", buffering=1) as log:
            while not self.stopping.wait(0.05):
                for _ in range(10):
                    log.write(f"entry {self.written}\n")
                    self.written += 1

    def stop(self):
        self.stopping.set()
        self.join()


def all_entries(server, log):
    """Every stored line of the file, oldest first, read in pages."""
    lines, seen, start = [], set(), None
    while True:
        parameters = {"match": '{file="%s"}' % log, "text": "entry ", "direction": "forward", "limit": 5000}
        if start:
            parameters["from"] = start
        page = [entry for entry in server.get("/logs", **parameters)["logs"] if entry["id"] not in seen]
        if not page:
            return lines
        seen.update(entry["id"] for entry in page)
        lines += [int(entry["line"].split()[1]) for entry in page]
        start = page[-1]["time"]


@pytest.mark.parametrize("victims", [("server",), ("agent",), ("server", "agent")], ids="+".join)
def test_killed_at_random_moments(data, tmp_path, victims):
    seed = int(os.environ.get("ATALAYA_TEST_SEED", random.randrange(1 << 32)))
    print(f"seed {seed}")
    chance = random.Random(seed)
    log = tmp_path / "app.log"
    log.write_text("")
    text = ("package: test\nversion: 1.0.0\ncollectors:\n  a:\n"
            f"    app: {{log: {{path: '{log}', from_start: true}}, on: '*'}}\n")
    with Server(data, packages={"test": text}) as server, Agent(tmp_path / "agent", server) as agent:
        until(lambda: server.query("node_load1"), what="the first sample")
        begun = time.time()
        writer = Writer(log)
        writer.start()
        while time.time() < begun + RUN_SECONDS / 3:
            time.sleep(chance.uniform(0.3, 3))
            for victim in {"server": server, "agent": agent}.items():
                if victim[0] in victims:
                    victim[1].kill()
            time.sleep(chance.uniform(0, 0.5))
            if "server" in victims:
                server.start()
            if "agent" in victims:
                agent.start()
        writer.stop()
        until(lambda: len(all_entries(server, log)) >= writer.written, timeout=60, what=f"all {writer.written} lines")
        assert all_entries(server, log) == list(range(writer.written)), "each line once, in order"
        if "agent" not in victims:
            times = [t for t, _ in server.query_range("node_time_seconds - node_time_seconds", begun, time.time(), 1)[0][1]]
            values = server.query(f'count_over_time(node_load1[{int(time.time() - begun)}s])')
            assert values[0][1] >= (time.time() - begun) * 0.9 - 2, f"samples of an agent that never died: {len(times)} steps"


def test_a_page_survives_the_death_of_the_server(data, webhook):
    """The alert is stored, the receiver is away, the server dies: the next one delivers, once."""
    away = {"yes": True}
    webhook.answer = lambda request: (503, "away") if away["yes"] else (200, "ok")
    text = ("package: test\nversion: 1.0.0\nrules:\n  a:\n    always:\n"
            "      gauge: {expr: 'node_boot_time_seconds', above: {critical: 1}}\n"
            f"channels:\n  ops:\n    hook: {{webhook: {{url: '{webhook.url}'}}}}\n")
    mine = about("always")

    def sent():
        return [n for n in server.get("/notifications")["notifications"]
                if (n["state"], n["type"], n["alert_name"]) == ("sent", "webhook", "always")]

    with Server(data, command="up", packages={"test": text}) as server:
        webhook.wait_for(mine)
        server.kill()
        away["yes"] = False
        server.start()
        until(sent, what="the delivery")
        requests = [r for r in webhook.requests if mine(r)]
        assert len({r["headers"]["Idempotency-Key"] for r in requests}) == 1, "one notification, however often tried"
        server.kill()
        delivered = len(requests)
        server.start()
        until(lambda: server.query("node_load1"), what="samples again")
        server.cycle()
        assert len([r for r in webhook.requests if mine(r)]) == delivered, "what was delivered is not delivered again"
        assert server.alert("always")["state"] == "firing"
