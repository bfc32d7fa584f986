"""The bench of the series store: VictoriaMetrics, Prometheus and this server, one after another, with the same
remote-write bodies. Prints tables; asserts nothing."""

import json
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

from peers import BUILD, CONNECTIONS, PEERS, ROOT, get, send, table, tool


def syncs(peer):
    """Calls of fdatasync and fsync so far, if the server tells; how: strace is not at hand everywhere."""
    if peer.name != "atalaya":
        return ""
    found = re.search(rb"atalaya_tsdb_commit_seconds_count (\d+)", get(peer.url("/metrics"), peer.token))
    return int(found[1]) if found else ""


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
