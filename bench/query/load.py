"""The same history in all servers: once, then kept where that is asked for."""

import json
import shutil
import subprocess
import time

from peers import PEERS, send, tool

SERIES_OF_HOST = 500
SLICE = 900  # seconds
LOOKBACK = "20m"
BLOCK = 2 * 3600  # of Prometheus, aligned; what promtool has in memory at once
AT_ONCE = 8  # slices in one file of bodies

ARGUMENTS = {
    "prometheus": [f"--query.lookback-delta={LOOKBACK}", "--storage.tsdb.retention.time=60d",
                   "--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=6h",
                   "--query.timeout=5m"],
    "victoria-metrics": [f"-search.maxStalenessInterval={LOOKBACK}", "-search.latencyOffset=0s",
                         "-search.maxUniqueTimeseries=5000000", "-search.maxQueryDuration=300s"],
    "atalaya": [f"--query-lookback={LOOKBACK}"],
}


class World:
    """What is loaded, and the servers that have it."""

    def __init__(self, folder, series, hours):
        self.folder = folder
        note = folder / "history.json"
        if note.exists():
            self.of = json.loads(note.read_text())
        else:
            hosts = max(series // SERIES_OF_HOST, 10)
            end = int(time.time() - 180) // SLICE * SLICE
            self.of = {"hosts": hosts, "dense": max(5, min(25, hosts // 80)), "hours": hours,
                       "first": end - hours * 3600, "loaded": False}
        self.note = note

    @property
    def begin(self):
        return self.of["first"]

    @property
    def end(self):
        return self.begin + self.of["hours"] * 3600

    @property
    def series(self):
        return self.of["hosts"] * SERIES_OF_HOST

    def describe(self):
        samples = self.of["dense"] * 500 * self.of["hours"] * 240 + (self.of["hosts"] - self.of["dense"]) * 500 * (
            self.of["hours"] * 4)
        return (f"{self.series:,} series, {self.of['hours']} h, {samples:,} samples: {self.of['dense']} hosts each "
                f"15 s, {self.of['hosts'] - self.of['dense']} each 15 min, lookback {LOOKBACK}")

    def peers(self, names):
        return [PEERS[name](self.folder, ARGUMENTS[name]) for name in names]

    def write(self, verb, path, begin, end):
        tool(verb, path, self.of["hosts"], self.of["dense"], self.begin * 1000, begin, end)
        return path

    def send(self, peers, begin, end, seconds):
        for at in range(begin, end, AT_ONCE):
            bodies = self.write("history", self.folder / "bodies", at, min(at + AT_ONCE, end))
            for peer in peers:
                seconds[peer.name] = seconds.get(peer.name, 0) + send(peer, bodies, 0, 1 << 30)["seconds"]
            bodies.unlink()

    def import_blocks(self, end):
        """Prometheus' past as blocks: much faster than by remote write."""
        (self.folder / "prometheus/data").mkdir(parents=True, exist_ok=True)
        slices = (end - self.begin) // SLICE
        at = 0
        while at < slices:
            border = (self.begin + at * SLICE) // BLOCK * BLOCK + BLOCK
            until = min(slices, (border - self.begin) // SLICE)
            text = self.write("openmetrics", self.folder / "text", at, until)
            subprocess.run(["promtool", "tsdb", "create-blocks-from", "--max-block-duration=2h", "openmetrics",
                            "--quiet", str(text), str(self.folder / "prometheus/data")], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            text.unlink()
            at = until

    def load(self, names):
        """The last one to three hours by remote write, as they would be in memory; what is older lies in blocks."""
        if self.of["loaded"]:
            return
        for name in names:
            shutil.rmtree(self.folder / name, ignore_errors=True)
        recent = (self.end - 3600) // 7200 * 7200
        slices = self.of["hours"] * 3600 // SLICE
        border = max(0, (recent - self.begin) // SLICE)
        seconds = {}
        begun = time.monotonic()
        if "prometheus" in names:
            self.import_blocks(recent)
            seconds["prometheus"] = time.monotonic() - begun
        peers = self.peers(names)
        try:
            for peer in peers:
                peer.start()
            self.send([peer for peer in peers if peer.name != "prometheus"], 0, border, seconds)
            for peer in peers:
                if peer.name == "atalaya":
                    peer.stop()  # memory to blocks
                    peer.start()
            self.send(peers, border, slices, seconds)
            for peer in peers:
                if peer.name == "victoria-metrics":
                    peer.flush()
                peer.settle()
        finally:
            for peer in peers:
                peer.interrupt()
        self.note.write_text(json.dumps(self.of | {"loaded": True}))
        print("loaded in", ", ".join(f"{name} {took:,.0f} s" for name, took in seconds.items()), flush=True)

