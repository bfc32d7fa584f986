"""The servers that the benches compare: how each is started, asked and measured, and the tool that feeds them."""

import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("ATALAYA_BUILD", ROOT / "build/release"))
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
    connection = None

    def __init__(self, folder, arguments=()):
        """On what is in the folder already, if anything is."""
        self.folder = folder / self.name
        self.folder.mkdir(exist_ok=True)
        self.arguments = list(arguments)
        self.port = free_port()
        self.log = open(folder / f"{self.name}.log", "ab")

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def start(self):
        """Returns the seconds until it answers that it is ready."""
        begun = time.monotonic()
        self.process = subprocess.Popen([*self.command(), *self.arguments], stdout=self.log, stderr=self.log, env=self.environment())
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
        if self.connection is not None:
            self.connection.close()
            self.connection = None
        self.process.send_signal(how)
        self.process.wait()

    def cpu(self):
        """Seconds of processor time so far, to the nanosecond: the clock of another process (clock_getcpuclockid)."""
        return time.clock_gettime(~self.process.pid << 3 | 2)

    def counter(self, name):
        """The sum over all its series of the server's own metric."""
        text = get(self.url("/metrics"), self.token).decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if re.match(rf"{name}[ {{]", line))

    def request(self, path, **parameters):
        """The bytes of a GET's answer, on a connection that stays."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        self.connection.request("GET", path + "?" + urllib.parse.urlencode(parameters), headers=headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{self.name}: {answer.status} to {path} {parameters}: {content[:500]!r}")
        return content

    def resident(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) * 1024

    def interrupt(self):
        """Ends it so that it begins again as it was: what is in memory is to be there again."""
        self.stop()

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
    config = "global: {}\n"

    def command(self):
        config = self.folder / "prometheus.yml"
        config.write_text(self.config)
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

    def interrupt(self):
        self.stop(signal.SIGKILL)  # asked to end it would leave blocks alone behind

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


def table(title, rows):
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    print(f"\n## {title}\n")
    for row in rows:
        print("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths)).rstrip(), flush=True)
