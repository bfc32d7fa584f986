"""The bench of the series store: VictoriaMetrics, Prometheus and this server, one after another, with the same
remote-write bodies. Prints tables; asserts nothing."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("ATALAYA_BUILD", ROOT / "build/release"))
TICK = os.sysconf("SC_CLK_TCK")
CONNECTIONS = 4


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(url, token="", data=None):
    request = urllib.request.Request(url, data=data)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, timeout=600) as answer:
        return answer.read()


class Peer:
    """A server on a folder of its own."""

    name = ""
    write_path = "/api/v1/write"
    token = ""
    process = None

    def __init__(self, folder):
        self.folder = folder / self.name
        self.folder.mkdir()
        self.port = free_port()
        self.log = open(folder / f"{self.name}.log", "ab")

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def start(self):
        """Returns the seconds until it answers that it is ready."""
        begun = time.monotonic()
        self.process = subprocess.Popen(self.command(), stdout=self.log, stderr=self.log, env=self.environment())
        while True:
            try:
                get(self.url(self.ready_path))
                return time.monotonic() - begun
            except OSError:
                if self.process.poll() is not None:
                    raise RuntimeError(f"{self.name} ended: see {self.log.name}") from None
                time.sleep(0.01)

    def environment(self):
        return dict(os.environ)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait()

    def cpu(self):
        """Seconds of processor time so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def resident(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) * 1024

    def settle(self):
        """Waits until it does nothing any more."""
        while True:
            before = self.cpu()
            time.sleep(2)
            if self.cpu() - before < 0.06:
                return

    def disk(self):
        return sum(os.stat(os.path.join(at, name)).st_blocks * 512
                   for at, _, names in os.walk(self.data()) for name in names)

    def data(self):
        return self.folder

    def flush(self):
        """All that it has is on disk in its smallest form."""


class Victoria(Peer):
    name = "victoria-metrics"
    ready_path = "/health"

    def command(self):
        return ["victoria-metrics", f"-storageDataPath={self.folder}", f"-httpListenAddr=127.0.0.1:{self.port}",
                "-retentionPeriod=12"]

    def flush(self):
        get(self.url("/internal/force_flush"))
        get(self.url("/internal/force_merge"))
        self.settle()


class Prometheus(Peer):
    name = "prometheus"
    ready_path = "/-/ready"

    def command(self):
        config = self.folder / "prometheus.yml"
        config.write_text("global: {}\n")
        return ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.folder}/data",
                f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-remote-write-receiver",
                "--web.enable-admin-api"]

    def flush(self):
        """There is no way to ask; its own snapshot of the head as a block is what comes nearest."""
        name = json.loads(get(self.url("/api/v1/admin/tsdb/snapshot"), data=b""))["data"]["name"]
        self.snapshot = self.folder / "data/snapshots" / name

    def data(self):
        return getattr(self, "snapshot", self.folder)


class Atalaya(Peer):
    name = "atalaya"
    ready_path = "/-/ready"

    def command(self):
        return [str(BUILD / "atalaya"), "server", "--data", str(self.folder), "--listen", f"127.0.0.1:{self.port}"]

    def environment(self):
        return dict(os.environ, ATALAYA_SERIES_MAX_PER_TENANT="5000000", ATALAYA_LATE_AFTER="1h")

    def start(self):
        seconds = super().start()
        if not self.token:
            done = subprocess.run([str(BUILD / "atalaya"), "token", "create", "--data", str(self.folder), "--role",
                                   "admin", "--ttl", "12h"], check=True, capture_output=True, text=True)
            self.token = done.stdout.split()[-1]
        return seconds

    def flush(self):
        subprocess.run([str(BUILD / "atalaya"), "tsdb", "flush", "--merge", "--data", str(self.folder)], check=True,
                       stdout=self.log, stderr=self.log)

    def data(self):
        return self.folder / "series"


PEERS = {peer.name: peer for peer in (Victoria, Prometheus, Atalaya)}


def tool(*arguments):
    done = subprocess.run([str(BUILD / "bench/bench_series"), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[:2000])
    return json.loads(done.stdout)


def send(peer, bodies, begin, end):
    extra = [peer.token] if peer.token else []
    return tool("send", bodies, peer.port, peer.write_path, CONNECTIONS, begin, end, *extra)


def syncs(peer):
    """Calls of fdatasync and fsync so far, if the server tells; how: strace is not at hand everywhere."""
    if peer.name != "atalaya":
        return ""
    found = re.search(rb"atalaya_tsdb_commit_seconds_count (\d+)", get(peer.url("/metrics"), peer.token))
    return int(found[1]) if found else ""


def table(title, rows):
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    print(f"\n## {title}\n")
    for row in rows:
        print("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip(), flush=True)


def ingest(folder, names, hosts, scrapes, warm):
    """Known series: what comes after the first `warm` scrapes is measured."""
    series = hosts * 500
    bodies = folder / f"fleet-{series}"
    first = int(time.time() * 1000) - (scrapes + 2) * 15000
    tool("fleet", bodies, hosts, 500, scrapes, first)
    a_scrape = series / 2000
    rows = [("server", "samples per CPU-second", "samples per second", "RSS MiB", "bytes/sample", "commits",
             "kill -9 to ready, s")]
    for name in names:
        peer = PEERS[name](folder)
        peer.start()
        try:
            send(peer, bodies, 0, int(a_scrape * warm))
            peer.settle()
            before, commits = peer.cpu(), syncs(peer)
            sent = send(peer, bodies, int(a_scrape * warm), int(a_scrape * scrapes))
            peer.settle()
            cpu = peer.cpu() - before
            resident = peer.resident()
            commits = syncs(peer) - commits if commits != "" else "-"
            peer.stop(signal.SIGKILL)
            ready = peer.start()
            peer.settle()
            peer.flush()
            samples = series * (scrapes - warm)
            rows.append((name, f"{samples / cpu:,.0f}", f"{samples / sent['seconds']:,.0f}",
                         f"{resident / 2**20:,.0f}", f"{peer.disk() / (series * scrapes):.3f}", commits,
                         f"{ready:.2f}"))
        finally:
            peer.stop(signal.SIGKILL)
            shutil.rmtree(peer.folder)
    bodies.unlink()
    table(f"{series:,} series, {scrapes} scrapes, the first {warm} not counted", rows)


def recorded(folder, names, source):
    bodies = folder / "recorded"
    first = int(time.time() * 1000) - 3700_000
    samples = tool("recorded", bodies, source, first)
    rows = [("server", "bytes/sample", "bytes")]
    for name in names:
        peer = PEERS[name](folder)
        peer.start()
        try:
            tool("send", bodies, peer.port, peer.write_path, 1, 0, 1_000_000, *([peer.token] if peer.token else []))
            peer.flush()
            rows.append((name, f"{peer.disk() / samples:.3f}", peer.disk()))
        finally:
            peer.stop(signal.SIGKILL)
            shutil.rmtree(peer.folder)
    table(f"{samples:,} recorded samples of node_exporter", rows)


def selection():
    """Through the storage contract; what the query languages make of it is the bench of queries."""
    subprocess.run(["cmake", "--build", str(BUILD), "--target", "bench_select"], check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run([str(BUILD / "bench/bench_select"), "--benchmark_format=json"], check=True,
                          capture_output=True, text=True)
    rows = [("selection", "milliseconds", "series a second", "samples a second")]
    for run in json.loads(done.stdout)["benchmarks"]:
        scale = {"us": 1e-3, "ms": 1.0}[run["time_unit"]]
        rows.append((run["name"].removeprefix("read/").replace("_", " "), f"{run['real_time'] * scale:,.3f}",
                     f"{run['series/s']:,.0f}", f"{run['samples/s']:,.0f}"))
    table("200,000 series of atalaya, one hour in blocks, one in memory", rows)


def series(options):
    subprocess.run(["cmake", "--build", str(BUILD), "--target", "bench_series"], check=True, stdout=subprocess.DEVNULL)
    names = options.only.split(",") if options.only else list(PEERS)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-series-"))
    try:
        recorded(folder, names, options.recorded or ROOT.parent / "shared/data/node_exporter")
        for hosts, scrapes in ((200, 60), (400, 62), (2000, 14)):
            ingest(folder, names, hosts, scrapes, 2)
        if "atalaya" in names:
            selection()
    finally:
        shutil.rmtree(folder)
