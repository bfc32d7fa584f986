"""How long a sample takes to a firing alert while many others arrive: to the transition, once it is stored, and to a
webhook that is told of it."""

import json
import os
import re
import subprocess
import sys
import threading
import time

from peers import BUILD, ROOT, get, table, tool
from query.load import SERIES_OF_HOST

sys.path[:0] = [str(ROOT / "test/support")]
from live_socket import LiveSocket  # noqa: E402

PROBES = 400
GAP = 125  # milliseconds between probes
PACE = 200_000  # samples a second
RUN_IN = 5  # seconds of the stream before the first probe


class Listener:
    """Notes when the live socket told of each probe's alert: it does so once the transition is stored."""

    def __init__(self, peer):
        ticket = json.loads(get(peer.url("/api/atalaya/v1/auth/ws-ticket"), peer.token, b"{}"))["ticket"]
        self.socket = LiveSocket(peer.url(""), ticket)
        self.socket.send('{"type":"subscribe","id":"a","topic":"alerts"}')
        self.heard = {}
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        try:
            while text := self.socket.receive():
                at = time.time()
                if '"Probe"' not in text:
                    continue
                alert = json.loads(text)["alert"]
                if alert["state"] == "firing":
                    self.heard.setdefault(int(alert["labels"]["n"]), at)
        except (OSError, ValueError, AssertionError):
            pass  # the server has ended


class Machine:
    """What the disk and the scheduler alone take beside all this: a small append with its sync, and how much too late
    a sleep ends. A transition needs two such syncs and several such wakes."""

    def __init__(self, folder):
        self.syncs, self.wakes = [], []
        self.path = folder / "syncs"
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.measure)

    def measure(self):
        with open(self.path, "ab", buffering=0) as file:
            while not self.ended.is_set():
                begun = time.perf_counter()
                time.sleep(GAP / 1000 / 3)
                self.wakes.append((time.perf_counter() - begun) * 1000 - GAP / 3)
                file.write(b"x" * 4096)
                begun = time.perf_counter()
                os.fdatasync(file.fileno())
                self.syncs.append((time.perf_counter() - begun) * 1000)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def told(sink):
    heard = {}
    for request in sink.requests:
        for alert in request["body"].get("alerts", []):
            if alert["labels"]["alertname"] == "Probe" and alert["status"] == "firing":
                heard.setdefault(int(alert["labels"]["n"]), request["at"])
    return heard


def own_histogram(peer, name):
    """What a histogram of the server counted, as {upper bound: how many up to it}."""
    text = get(peer.url("/metrics"), peer.token).decode()
    return {bound: float(count) for bound, count in re.findall(rf'^{name}_bucket{{of="series",le="([^"]+)"}} (.+)$', text, re.M)}


def stream(peer, folder, hosts):
    """A process that writes to every series in turn, and when it begins."""
    seconds = PROBES * GAP // 1000 + 10
    begin = int(time.time()) + 20 + seconds * PACE // 4_000_000
    tool("stream", folder / "stream", hosts, begin * 1000, PACE, seconds)
    process = subprocess.Popen([str(BUILD / "bench/bench_series"), "pace", str(folder / "stream"), str(peer.port),
                                peer.write_path, "2", str(PACE), str(begin * 1000), peer.token],
                               stdout=subprocess.PIPE, text=True)
    return process, begin


def row(name, delays, count):
    delays = sorted(delays)
    at = lambda q: f"{delays[min(len(delays) - 1, int(q * len(delays)))]:.1f}" if delays else "-"  # noqa: E731
    return name, at(0.5), at(0.9), at(0.99), at(1), count


def row_of_probes(name, sent, heard):
    delays = [(heard[n] - at / 1000) * 1000 for n, at in enumerate(sent) if n in heard]
    return row(name, delays, f"{len(delays)} of {PROBES}")


def arrivals(peer, sink, folder, hosts, title):
    """Probes cross one after another while every series gets samples."""
    listener = Listener(peer)
    load, begin = stream(peer, folder, hosts)
    try:
        time.sleep(max(0, begin + RUN_IN - time.time()))
        cpu, began = peer.cpu(), time.monotonic()
        with Machine(folder) as machine:
            sent = tool("probe", peer.port, peer.write_path, PROBES, GAP, peer.token)
        used = (peer.cpu() - cpu) / (time.monotonic() - began)
        time.sleep(3)
        left_out = peer.counter("atalaya_rules_arrival_left_out_total")
        own = own_histogram(peer, "atalaya_rules_arrival_seconds")
        paced = json.loads(load.communicate(timeout=60)[0])
    finally:
        if load.poll() is None:
            load.kill()
    table(f"sample to alert with {title}, {paced['rate']:,.0f} samples a second (target: p99 10 ms to the transition)",
          [("from the sending to", "p50 ms", "p90 ms", "p99 ms", "worst ms", "count"),
           row_of_probes("the transition, stored and told to a browser", sent, listener.heard),
           row_of_probes("the webhook", sent, told(sink)),
           row("(beside: one sync of 4 KiB on that disk)", machine.syncs, len(machine.syncs)),
           row("(beside: how late a sleep ends)", machine.wakes, len(machine.wakes))])
    print(f"\nthe server took {used:.2f} of a core; {left_out:,.0f} samples were left to a tick; its own histogram from "
          "the commit to the verdict, upper bounds in seconds: "
          + ", ".join(f"{bound}: {count:,.0f}" for bound, count in own.items()))
