"""Monitoring on demand: how soon the first datagram comes, what cycles of making and removing leave, what 10,000 cost."""

import collections
import concurrent.futures
import os
import pathlib
import re
import sqlite3
import statistics
import tempfile
import threading
import time

from atalaya import Agent, Server, until
from occi import Client, attribute
from peers import table
from sensors import METRIC, MONITORING, OWN, PUBLISHER, Udp, cpu, make_collector, make_compute, make_sensor, sends

EVERY_SECOND = attribute("occi.collector.period", 1)
WARM_UP = 200  # cycles before the first look


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))]


def first_datagram(server, rounds):
    """From before the sensor's POST until the datagram is here."""
    occi = Client(server)
    seconds = []
    for n in range(rounds):
        with Udp() as udp:
            begun = time.perf_counter()
            assert make_sensor(occi, f"s{n}", *sends(udp.address)).status == 201
            assert make_collector(occi, f"c{n}", f"s{n}", "web", *cpu(), EVERY_SECOND).status == 201
            udp.next()
            seconds.append(time.perf_counter() - begun)
        assert occi("DELETE", f"/occi/sensor/s{n}").status == 200
    table("POST of sensor and collector (period 1 s) to the first datagram (target: median 1 s)",
          [("", "seconds"), ("median", f"{statistics.median(seconds):.2f}"), ("p99", f"{quantile(seconds, 0.99):.2f}"),
           ("worst", f"{max(seconds):.2f}"), ("rounds", rounds)])


def process_state(pid):
    folder = pathlib.Path(f"/proc/{pid}")
    rss = next(int(line.split()[1]) for line in (folder / "status").read_text().splitlines() if line.startswith("VmRSS"))
    return {"resident MB": rss / 1024, "descriptors": len(list((folder / "fd").iterdir())),
            "threads": len(list((folder / "task").iterdir())),
            "children": sum(len(path.read_text().split()) for path in folder.glob("task/*/children"))}


def stored_state(data):
    """Files by folder, and rows by table."""
    files = collections.Counter()
    for path in data.rglob("*"):
        if path.is_file():
            files["files in " + path.relative_to(data).parts[0]] += 1
    database = sqlite3.connect(f"file:{data}/atalaya.db?mode=ro", uri=True)
    try:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall():
            files["rows of " + name] = database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
    finally:
        database.close()
    return files


class Asking:
    """GETs of one entity, again and again, while something else happens."""

    def __init__(self, server, path):
        self.occi = Client(server)
        self.path = path
        self.seconds = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.wait(0.02):
            begun = time.perf_counter()
            assert self.occi("GET", self.path).status == 200
            self.seconds.append(time.perf_counter() - begun)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def timed(seconds, work):
    begun = time.perf_counter()
    answer = work()
    seconds.append(time.perf_counter() - begun)
    return answer


def cycles(server, agent, data, count, at_once, standing):
    occi = Client(server)
    posts, deletes = [], []
    assert make_sensor(occi, "stays", *sends("127.0.0.1:9")).status == 201
    local = threading.local()

    def one(n):
        if not hasattr(local, "udp"):
            local.udp = Udp()
        made = timed(posts, lambda: Client(server).json("POST", "/occi/", {"resources": [{
            "id": f"s{n}", "kind": MONITORING + "sensor", "mixins": [PUBLISHER + "SendUDP"],
            "attributes": {OWN + "SendUDP.input": "a", OWN + "SendUDP.udpAddr": local.udp.address},
            "links": [{"id": f"c{n}", "kind": MONITORING + "collector", "mixins": [METRIC + "CPUPercent"],
                       "attributes": {"occi.collector.period": 1, OWN + "CPUPercent.out": "a"},
                       "target": {"location": "/occi/compute/web"}}]}]}))
        assert made.status in (200, 201), made.text
        local.udp.next()
        assert timed(deletes, lambda: occi("DELETE", f"/occi/sensor/s{n}")).status == 200
        local.udp.empty()

    def look():
        server.cycle()
        return {**{"server: " + k: v for k, v in process_state(server.process.pid).items()},
                **{"agent: " + k: v for k, v in process_state(agent.process.pid).items()}, **stored_state(data)}

    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        list(pool.map(one, range(WARM_UP)))
        before = look()
        posts.clear()
        deletes.clear()
        begun = time.monotonic()
        with Asking(server, "/occi/sensor/stays") as asking:
            list(pool.map(one, range(WARM_UP, WARM_UP + count)))
        took = time.monotonic() - begun
        after = look()
    with Asking(server, "/occi/sensor/stays") as idle:
        time.sleep(5)
    rows = [("", "before", "after")]
    for name in sorted(set(before) | set(after)):
        was, now = before.get(name, 0), after.get(name, 0)
        if name.startswith(("server: ", "agent: ")) or was != now:
            rows.append((name, f"{was:.0f}", f"{now:.0f}"))
    table(f"{count} cycles of create, run, delete, {at_once} at once beside {standing} collectors, in {took:.0f} s; what did not change is left out", rows)
    table("GET of an entity meanwhile (target: p99 5 ms), and what the cycles asked for",
          [("", "p50 ms", "p99 ms", "worst ms", "requests"),
           *[(name, f"{quantile(s, 0.5) * 1000:.1f}", f"{quantile(s, 0.99) * 1000:.1f}", f"{max(s) * 1000:.1f}", len(s))
             for name, s in (("GET during", asking.seconds), ("GET at rest", idle.seconds), ("POST", posts), ("DELETE", deletes))]])


def write_many(data, collectors, agents, address):
    """A package with sensors of 1,000 collectors each, which stand in a file each."""
    folder = data / "packages" / "default" / "many"
    folder.mkdir(parents=True)
    head = "package: many\nversion: 1.0.0\n"
    hosts = "".join(f"    host{n}: {{hostname: host{n}}}\n" for n in range(agents))
    (folder / "package.yaml").write_text(f"{head}computes:\n  all:\n{hosts}")
    for first in range(0, collectors, 1000):
        sensor = f"s{first // 1000}"
        text = [f"{head}sensors:\n  all:", f"    {sensor}: {{mixins: ['{PUBLISHER}SendUDP'], attributes: "
                f"{{{OWN}SendUDP.input: a, {OWN}SendUDP.udpAddr: '{address}'}}}}", "collectors:\n  all:"]
        text += [f"    c{n}: {{source: all/{sensor}, target: all/host{n % agents}, period: 1s, "
                 f"mixins: ['{METRIC}CPUPercent'], attributes: {{{OWN}CPUPercent.out: a}}}}"
                 for n in range(first, min(first + 1000, collectors))]
        (folder / f"{sensor}.yaml").write_text("\n".join(text) + "\n")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def values_so_far(server):
    text = server.call("GET", "/metrics", raw=True).decode()
    return float(re.search(r"(?m)^atalaya_sensor_values_total (\S+)", text).group(1))


def live(folder, collectors, agent_count, seconds):
    with Udp() as udp:
        heard = 0

        def hear():
            nonlocal heard
            while True:
                try:
                    udp.socket.recv(65536)
                except OSError:
                    return
                heard += 1

        threading.Thread(target=hear, daemon=True).start()
        write_many(folder / "data", collectors, agent_count, udp.address)
        with Server(folder / "data") as server:
            agents = [Agent(folder / f"agent{n}", server, name=f"host{n}") for n in range(agent_count)]
            try:
                for agent in agents:
                    agent.enroll()
                    agent.start()
                rate = collectors * 0.95
                seen = [(time.monotonic(), values_so_far(server))]

                def at_work():
                    time.sleep(1)
                    now = (time.monotonic(), values_so_far(server))
                    seen.append(now)
                    before = seen[max(0, len(seen) - 6)]
                    return (now[1] - before[1]) / (now[0] - before[0]) > rate
                until(at_work, timeout=300, what=f"{collectors} values a second")
                begun, used, values, datagrams = time.monotonic(), cpu_seconds(server.process.pid), values_so_far(server), heard
                time.sleep(seconds)
                took = time.monotonic() - begun
                table(f"{collectors} collectors at 1 s on {agent_count} agents, a datagram each (target: 1 core)",
                      [("", ""), ("values a second", f"{(values_so_far(server) - values) / took:.0f}"),
                       ("datagrams a second, as read here", f"{(heard - datagrams) / took:.0f}"),
                       ("server, cores", f"{(cpu_seconds(server.process.pid) - used) / took:.2f}"),
                       ("server, resident MB", f"{process_state(server.process.pid)['resident MB']:.0f}"),
                       ("over seconds", f"{took:.0f}")])
            finally:
                for agent in agents:
                    if agent.process:
                        agent.stop()


def ondemand(options):
    wanted = (options.match or "first,cycles,live").split(",")
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        if "first" in wanted or "cycles" in wanted:
            if options.standing:
                write_many(folder / "data", options.standing, 2, "127.0.0.1:9")  # of hosts without agents
            with Server(folder / "data") as server, Agent(folder / "agent", server, name="web-1") as agent:
                until(lambda: server.query('node_load1{instance="web-1"}'), what="the agent's first samples")
                make_compute(Client(server), "web", "web-1")
                if "first" in wanted:
                    first_datagram(server, options.rounds)
                if "cycles" in wanted:
                    cycles(server, agent, folder / "data", options.cycles, 4, options.standing)
        if "live" in wanted:
            live(folder / "live", options.collectors, agent_count=2, seconds=60)
