"""A storm of alerts beside Debian's Alertmanager, critical ones in the middle of it, and a search over a million."""

import json
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

from atalaya import Server, until
from peers import free_port, table
from sinks import WebhookSink

STORM = pathlib.Path(__file__).with_name("storm.py")

CONFIGURATION = """route:
  receiver: quiet
  group_by: ['...']
  group_wait: 0s
  routes:
    - {{matchers: ['severity="critical"'], receiver: hook}}
receivers:
  - name: quiet
  - name: hook
    webhook_configs: [{{url: '{url}', send_resolved: false}}]
"""


class Alertmanager:
    """Debian's, alone, on a folder of its own."""

    name, token = "alertmanager", None

    def __init__(self, folder, configuration):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "peer").mkdir()
        self.command = ["prometheus-alertmanager", f"--config.file={configuration}", f"--storage.path={folder / 'peer'}",
                        f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address=", "--log.level=error"]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: urllib.request.urlopen(self.url + "/-/ready").read(), what="alertmanager")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def resident(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmRSS")


def cpu(pid):
    return time.clock_gettime(~pid << 3 | 2)


def ask(server, method, path, body=None):
    request = urllib.request.Request(server.url + path, data=body, method=method)
    request.add_header("Content-Type", "application/json")
    if server.token:
        request.add_header("Authorization", f"Bearer {server.token}")
    with urllib.request.urlopen(request, timeout=300) as answer:
        return answer.read()


def critical(server, n):
    """Posts one; the time at which it left."""
    at = time.time()
    ask(server, "POST", "/api/v2/alerts",
        json.dumps([{"labels": {"alertname": f"Critical{n}", "severity": "critical"}}]).encode())
    return at


def storm(server, sink, options):
    """What the storm did to this server."""
    arguments = [sys.executable, str(STORM), server.url, str(options.alerts), str(options.storm_seconds)]
    sender = subprocess.Popen(arguments + ([server.token] if server.token else []), stdout=subprocess.PIPE, text=True)
    assert sender.stdout.readline() == "ready\n"
    begun = time.monotonic()
    posted = {}
    while sender.poll() is None:
        posted[f"Critical{len(posted)}"] = critical(server, len(posted))
        time.sleep(max(0.0, begun + len(posted) * 0.1 - time.monotonic()))
    sent = json.loads(sender.stdout.read())
    arrived = {}
    until(lambda: arrived.update({a["labels"]["alertname"]: r["at"] for r in list(sink.requests)
                                  for a in r["body"]["alerts"]}) or posted.keys() <= arrived.keys(),
          timeout=120, what="every critical notification")
    return {"accepted": sent["statuses"], "seconds": sent["seconds"],
            "delays": sorted((arrived[name] - at) * 1000 for name, at in posted.items())}


def measured(server, sink, options):
    critical(server, "Warm")
    sink.wait_for(lambda r: r["body"]["alerts"][0]["labels"]["alertname"] == "CriticalWarm")
    pid = server.process.pid
    used, idle = cpu(pid), resident(pid)
    out = storm(server, sink, options)
    time.sleep(2)  # what is left to do behind the answers counts, too
    out["cpu"] = cpu(pid) - used
    out["bytes"] = (resident(pid) - idle) / options.alerts
    begun = time.monotonic()
    out["listed"] = len(json.loads(ask(server, "GET", "/api/v2/alerts?filter=job%3D%22node%22")))
    out["listing"] = time.monotonic() - begun
    sink.requests.clear()
    return out


def fill(database, count):
    """Copies of a stored alert that is over, by its columns as they are today."""
    connection = sqlite3.connect(database)
    columns = [row[1] for row in connection.execute("PRAGMA table_info(alerts_alerts)")]
    own = {"id": "printf('%016x', n)", "name": "'Stored' || (n % 500)", "host": "'host' || (n / 50)",
           "labels": "json_object('alertname', 'Stored' || (n % 500), 'instance', 'host' || (n / 50), 'device', 'dev' || n)",
           "text": "'device ' || n || ' of host ' || (n / 50) || ' was not as it should be'",
           "started_ms": "started_ms - n * 1000", "state": "3", "told": "11", "resolved_ms": "started_ms - n * 1000 + 900",
           "ends_ms": "NULL", "indexed": "0", "search_key": "NULL"}
    chosen = ", ".join(own.get(column, column) for column in columns)
    connection.execute(f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) "
                       f"INSERT INTO alerts_alerts({', '.join(columns)}) SELECT {chosen} FROM numbers, "
                       "(SELECT * FROM alerts_alerts LIMIT 1)")
    # As if one of them had just resolved: the server indexes their words.
    connection.execute("INSERT INTO control_timers(tenant_id, machine, timer_key, due_ms) SELECT tenant_id, 'alerts', "
                       "'search', 0 FROM alerts_alerts LIMIT 1 ON CONFLICT DO UPDATE SET due_ms=0")
    connection.commit()
    connection.close()


def index(database):
    """Waits until the words of all that is over are indexed; how long that took."""
    begun = time.monotonic()
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    until(lambda: not connection.execute("SELECT 1 FROM alerts_alerts WHERE indexed=0 AND state=3 LIMIT 1").fetchall(),
          timeout=3600, what="the index of words")
    connection.close()
    return time.monotonic() - begun


SEARCHES = [("the newest page", {}), ("a host", {"host": "host777"}), ("a word that many have", {"text": "Stored77"}),
            ("a word that one has", {"text": "device 543210 "}), ("a word that nobody has", {"text": "nonsense"}),
            ("a severity", {"severity": "warning"})]


def search(options):
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder) / "data"
        with Server(data) as server:
            server.call("POST", "/api/v2/alerts", [{"labels": {"alertname": "Seed", "instance": "x", "severity": "warning"}}])
            until(lambda: server.alert("Seed"))
            server.stop()
            fill(next(data.glob("*.db")), options.stored)
            server.start()
            indexing = index(next(data.glob("*.db")))
            rows = [("", "median ms", "worst ms", "found")]
            for title, parameters in SEARCHES:
                times, found = [], 0
                for _ in range(options.runs):
                    begun = time.monotonic()
                    found = len(server.get("/alerts", state="all", limit=100, **parameters)["alerts"])
                    times.append((time.monotonic() - begun) * 1000)
                rows.append((title, f"{sorted(times)[len(times) // 2]:.1f}", f"{max(times):.1f}", found))
    table(f"a search over {options.stored} stored alerts, a page of 100 (target: 100 ms); indexed in the background in "
          f"{indexing:.0f} s", rows)


def alerts(options):
    """Both get the same posts and the same configuration; ours synced to the disk, the peer as it comes."""
    found = {}
    with tempfile.TemporaryDirectory() as temporary, WebhookSink() as sink:
        folder = pathlib.Path(temporary)
        configuration = folder / "alertmanager.yml"
        configuration.write_text(CONFIGURATION.format(url=sink.url))
        with Alertmanager(folder, configuration) as peer:
            found["alertmanager"] = measured(peer, sink, options)
        with Server(folder / "data", arguments=[f"--alertmanager.config={configuration}"]) as ours:
            found["atalaya"] = measured(ours, sink, options)
    names = ["atalaya", "alertmanager"]

    def row(title, target, value):
        return (title, target, *(value(found[name]) for name in names))

    def delay(q):
        return lambda one: f"{one['delays'][min(len(one['delays']) - 1, int(q * len(one['delays'])))]:.1f} ms"

    ratio = found["atalaya"]["cpu"] / found["alertmanager"]["cpu"]
    table(f"a storm of {options.alerts} different alerts in {options.storm_seconds:g} s",
          [("", "target", *names),
           row("answers", "all 200", lambda one: ", ".join(f"{n} × {status}" for status, n in one["accepted"].items())),
           row("sending took", f"{options.storm_seconds:g} s", lambda one: f"{one['seconds']:.1f} s"),
           row("listed", str(options.alerts), lambda one: f"{one['listed']} in {one['listing']:.1f} s"),
           row("critical to webhook, p50", "-", delay(0.5)),
           row("critical to webhook, p99", "50 ms", delay(0.99)),
           row("critical to webhook, worst", "-", lambda one: f"{one['delays'][-1]:.1f} ms"),
           row("resident per open alert", "2048 B", lambda one: f"{one['bytes']:.0f} B"),
           row("processor time", f"{found['alertmanager']['cpu'] / 3:.1f} s", lambda one: f"{one['cpu']:.1f} s"),
           ("ratio of processor time", "0.33", f"{ratio:.2f}", "1")])
    if options.stored:
        search(options)
