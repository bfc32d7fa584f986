"""The bench of queries: Prometheus, VictoriaMetrics and this server on the same history, asked in turn. Prints tables;
asserts nothing, but says where answers differ."""

import json
import math
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

from peers import BUILD, table
from query.load import World
from query.queries import INSTANT, RANGE

OURS = "atalaya"
NAMES = ["prometheus", "victoria-metrics", OURS]
CLOSE = 1e-9  # relative


def ask(peer, path, parameters):
    """(seconds, processor seconds, answer)"""
    extra = {"nocache": 1} if peer.name == "victoria-metrics" else {}
    cpu, begun = peer.cpu(), time.perf_counter()
    content = peer.request(path, **parameters, **extra)
    return time.perf_counter() - begun, peer.cpu() - cpu, content


def points(content, with_name):
    """{labels: {time: value}}"""
    out = {}
    for one in json.loads(content)["data"]["result"]:
        labels = frozenset((k, v) for k, v in one["metric"].items() if with_name or k != "__name__")
        out[labels] = {t: float(v) for t, v in one.get("values") or [one["value"]]}
    return out


def differences(mine, theirs):
    """How many series are in one alone, and points that differ or are in one alone; the largest relative difference."""
    alone = len(mine.keys() ^ theirs.keys())
    wrong, worst = 0, 0.0
    for labels in mine.keys() & theirs.keys():
        a, b = mine[labels], theirs[labels]
        wrong += len(a.keys() ^ b.keys())
        for at in a.keys() & b.keys():
            if a[at] == b[at] or math.isnan(a[at]) and math.isnan(b[at]):
                continue
            off = abs(a[at] - b[at]) / max(abs(a[at]), abs(b[at]))
            worst = max(worst, off)
            wrong += off > CLOSE
    return alone, wrong, worst


def compared(answers):
    """Words on what our answer and Prometheus' have in common. Of VictoriaMetrics, whose rate is another by design, the
    label sets alone."""
    mine = points(answers[OURS], True)
    words = f"{len(mine)} series"
    if "prometheus" in answers:
        alone, wrong, worst = differences(mine, points(answers["prometheus"], True))
        words += ", same" if alone == wrong == 0 else f", DIFFER: {alone} series, {wrong} points, by {worst:.1e}"
    if "victoria-metrics" in answers:
        mine = points(answers[OURS], False)
        theirs = points(answers["victoria-metrics"], False)
        if mine.keys() != theirs.keys():
            words += f"; VM has {len(theirs)}"
    return words


def measure(peers, path, parameters, runs):
    """{server: (median seconds, median processor seconds)}, and the last answers."""
    took = {peer.name: [] for peer in peers}
    answers = {}
    for run in range(runs + 1):
        for peer in peers:
            seconds, cpu, answers[peer.name] = ask(peer, path, parameters)
            if run > 0:
                took[peer.name].append((seconds, cpu))
    return {name: tuple(statistics.median(column) for column in zip(*runs_of)) for name, runs_of in took.items()}, answers


def ms(seconds):
    return f"{seconds * 1000:,.1f}" if seconds < 1 else f"{seconds * 1000:,.0f}"


def geometric(values):
    return math.exp(statistics.fmean(math.log(value) for value in values))


class Numbers:
    """Of the queries of one kind."""

    def __init__(self, peers):
        self.names = [peer.name for peer in peers]
        self.others = [name for name in self.names if name != OURS]
        self.rows = [("query", *[f"{name} ms" for name in self.names], *[f"CPU {name}" for name in self.names],
                      *[f"of {name}" for name in self.others], "answers")]
        self.ratios = {name: [] for name in self.others}
        self.cpu_ratios = {name: [] for name in self.others}

    def add(self, title, took, words):
        for name in self.others:
            self.ratios[name].append(took[OURS][0] / took[name][0])
            self.cpu_ratios[name].append(took[OURS][1] / took[name][1])
        self.rows.append((title, *[ms(took[name][0]) for name in self.names],
                          *[ms(took[name][1]) for name in self.names],
                          *[f"{self.ratios[name][-1]:.2f}" for name in self.others], words))

    def print(self, title):
        table(title, self.rows)

    def summary(self, title):
        for name in self.others:
            wall, cpu = self.ratios[name], self.cpu_ratios[name]
            yield (f"{title}, of {name}", f"{statistics.median(wall):.2f}", f"{geometric(wall):.2f}",
                   f"{max(wall):.2f}", f"{statistics.median(cpu):.2f}", f"{geometric(cpu):.2f}")


def run_queries(world, peers, options):
    chosen = (options.match or "").lower()
    end, runs = world.end, options.runs
    summary = [("milliseconds of atalaya", "median", "geometric mean", "worst", "median of CPU", "geometric mean of CPU")]
    instant, ranged = Numbers(peers), Numbers(peers)
    for title, text in INSTANT.items():
        if chosen in title.lower():
            took, answers = measure(peers, "/api/v1/query", {"query": text, "time": end}, runs)
            instant.add(title, took, compared(answers))
    instant.rows[1:] and instant.print(f"instant queries; {world.describe()}")
    for title, (text, step) in RANGE.items():
        if chosen in title.lower():
            took, answers = measure(peers, "/api/v1/query_range",
                                    {"query": text, "start": world.begin, "end": end, "step": step}, runs)
            ranged.add(title, took, compared(answers))
    ranged.rows[1:] and ranged.print("range queries over all hours")
    both = Numbers(peers)
    for name in both.others:
        both.ratios[name] = instant.ratios[name] + ranged.ratios[name]
        both.cpu_ratios[name] = instant.cpu_ratios[name] + ranged.cpu_ratios[name]
    for title, numbers in (("instant", instant), ("range", ranged), ("all", both)):
        if any(numbers.ratios.values()):
            summary += numbers.summary(title)
    table("targets: median 0.33 of prometheus, 0.50 of victoria-metrics, worst 1.00", summary)


def query(options):
    subprocess.run(["cmake", "--build", str(BUILD), "--target", "bench_series"], check=True, stdout=subprocess.DEVNULL)
    names = options.only.split(",") if options.only else NAMES
    folder = pathlib.Path(options.keep or tempfile.mkdtemp(prefix="bench-query-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        world = World(folder, options.series, options.hours)
        world.load(names)
        peers = world.peers(names)
        try:
            for peer in peers:
                peer.start()
            for peer in peers:
                peer.settle()
            run_queries(world, peers, options)
        finally:
            for peer in peers:
                if peer.process:
                    peer.interrupt()
    finally:
        if not options.keep:
            shutil.rmtree(folder)
