"""The bench of rules: what one cycle of 10,000 alerting rules over many series costs beside Prometheus; how long a
sample takes to a firing alert with them loaded is in arrivals.py."""

import json
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from peers import BUILD, PEERS, ROOT, send, table, tool
from query.arrivals import PROBES, arrivals
from query.load import ARGUMENTS, SERIES_OF_HOST

sys.path[:0] = [str(ROOT / "test/support")]
from sinks import WebhookSink  # noqa: E402

GROUPS, RULES = 100, 10_000
INTERVAL = 60  # seconds
IDLE_SPANS, CYCLES = 4, 4

# Of one host each, as rule files of many teams have them: alert, expression, out of a hundred rules.
OF_HOST = [
    ("Load", 'fleet_load1{{instance="{host}"}} > {often}', 30),
    ("DiskSpace", 'fleet_filesystem_avail_bytes{{instance="{host}",mountpoint="/"}} < 1e6', 15),
    ("DiskFull", 'fleet_filesystem_avail_bytes{{instance="{host}"}} / '
                 'fleet_filesystem_size_bytes{{instance="{host}"}} < 0.01', 10),
    ("Memory", 'fleet_memory_MemAvailable_bytes{{instance="{host}"}} / '
               'fleet_memory_MemTotal_bytes{{instance="{host}"}} < 0.001', 10),
    ("Errors", 'sum by (handler) (fleet_http_requests_total{{instance="{host}",code=~"5.."}}) > 1e12', 10),
    ("Network", 'rate(fleet_network_receive_errs_total{{instance="{host}"}}[1h]) > 1e6', 9),
    ("Processor", 'sum by (instance) (rate(fleet_cpu_seconds_total{{instance="{host}",mode!="idle"}}[1h])) > 1e6', 5),
    ("Rack", 'fleet_subsystem3_metric14{{rack="{rack}"}} > 1e9', 5),
    ("Down", 'fleet_up{{instance="{host}"}} == 0', 5),
]
OF_ALL = [("AllDown", "sum by (env) (fleet_up) < 1"), ("AnyLoad", 'fleet_load15{job="node"} > 1e6')]


def rule_file(hosts):
    """Groups of a hundred; the last of each looks at all hosts or is a probe of the latency."""
    text = "groups:\n"
    probes = PROBES // GROUPS
    for group in range(GROUPS):
        rules = [(name, expression) for name, expression, count in OF_HOST for _ in range(count)]
        text += f"  - name: group{group}\n    interval: {INTERVAL}s\n    rules:\n"
        for n, (name, expression) in enumerate(rules[:RULES // GROUPS - 1 - probes]):
            number = (group * 37 + n) % hosts
            expression = expression.format(host=f"node-{10000 + number}.cloud.example.net:9100",
                                           rack=f"r{number // 40}", often=7 if n % 10 == 0 else 1e6)
            text += f"      - {{alert: {name}, expr: '{expression}', labels: {{severity: warning}}}}\n"
        name, expression = OF_ALL[group % 2]
        text += f"      - {{alert: {name}{group}, expr: '{expression}'}}\n"
        for probe in range(probes * group, probes * (group + 1)):
            text += f"      - {{alert: Probe, expr: 'fleet_probe{{n=\"{probe}\"}} > 0.5', labels: {{severity: critical}}}}\n"
    return text


EVALUATIONS = {"prometheus": ("prometheus_rule_evaluations_total", 1),
               "atalaya": ("atalaya_rule_group_evaluations_total", RULES // GROUPS)}


def with_rules(folder, name, path, more=()):
    peer = PEERS[name](folder, [*ARGUMENTS[name], *([f"--rule-files={path}", *more] if name == "atalaya" else more)])
    if name == "prometheus":
        peer.config = f"global: {{evaluation_interval: {INTERVAL}s}}\nrule_files: ['{path}']\n"
    return peer


def scrape(folder, hosts, slice_number, at):
    path = folder / "scrape"
    tool("scrape", path, hosts, 0, 0, slice_number, at * 1000 + 1)
    return path


PACKAGE = """package: bench
version: 1.0.0
channels:
  bench:
    hook: {{webhook: {{url: '{url}'}}}}
"""


def spans(peer, count, seconds):
    """Processor seconds of as many stretches of time, one after the other."""
    begun, used = time.monotonic(), []
    for n in range(count):
        before = peer.cpu()
        time.sleep(begun + (n + 1) * seconds - time.monotonic())
        used.append(peer.cpu() - before)
    return used


def load(peer, folder, hosts):
    """Of every series three samples of the last half hour."""
    now = int(time.time())
    for back in (2, 1, 0):
        send(peer, scrape(folder, hosts, 10 - back, now - back * 900), 0, 1 << 30)
    peer.settle()


def begin_rules(peer, path, text):
    """Returns when each has been evaluated once."""
    path.write_text(text)
    peer.process.send_signal(signal.SIGHUP)
    metric, factor = EVALUATIONS[peer.name]
    while peer.counter(metric) * factor < RULES:
        time.sleep(1)


def cycle(folder, name, hosts, text):
    """Costs of cycles, as processor seconds, less what the same process with the same data does before it has rules;
    and the row to print."""
    rules = folder / f"{name}.yml"
    rules.write_text("groups: []\n")
    peer = with_rules(folder, name, rules, ["--rules.on-arrival=off"] if name == "atalaya" else [])
    peer.start()
    try:
        load(peer, folder, hosts)
        idle = spans(peer, IDLE_SPANS, INTERVAL / 2)
        rest = statistics.median(idle) * 2
        begin_rules(peer, rules, text)
        time.sleep(INTERVAL / 10)
        metric, factor = EVALUATIONS[name]
        done = peer.counter(metric)
        used = spans(peer, CYCLES, INTERVAL)
        evaluated = (peer.counter(metric) - done) * factor / CYCLES
        firing = json.loads(peer.request("/api/v1/query", query='count(ALERTS{alertstate="firing"})'))
        firing = firing["data"]["result"][0]["value"][1] if firing["data"]["result"] else "0"
        costs = [(cpu - rest) / evaluated * RULES for cpu in used]
        return costs, (name, f"{statistics.median(costs):.2f}", f"{min(costs):.2f} to {max(costs):.2f}", f"{rest:.2f}",
                       f"{min(idle) * 2:.2f} to {max(idle) * 2:.2f}", f"{evaluated:,.0f}", firing,
                       f"{peer.resident() / 2**20:,.0f}")
    finally:
        peer.stop()


def compare(names, folder, hosts, text):
    """Prints the table of cycles."""
    rows = [("server", "CPU s of a cycle", "spread", "CPU s of a minute without", "spread", "rules a cycle",
             "alerts firing", "RSS MiB")]
    costs = {}
    for name in names:
        costs[name], row = cycle(folder, name, hosts, text)
        rows.append(row)
        shutil.rmtree(folder / name)
    table(f"one cycle of {RULES:,} alerting rules over {hosts * SERIES_OF_HOST:,} series", rows)
    if len(costs) == 2:
        ours, theirs = costs["atalaya"], costs["prometheus"]
        print(f"\nof prometheus: {statistics.median(ours) / statistics.median(theirs):.3f}, at worst "
              f"{max(ours) / min(theirs):.3f} (target: 0.2)")


def latency(folder, hosts, text):
    """With what a running server has: series in memory, rules that were evaluated."""
    rules = folder / "rules.yml"
    rules.write_text("groups: []\n")
    with WebhookSink() as sink:
        peer = with_rules(folder, "atalaya", rules)
        package = peer.folder / "packages/default/bench"
        package.mkdir(parents=True)
        (package / "package.yaml").write_text(PACKAGE.format(url=sink.url))
        peer.start()
        try:
            load(peer, folder, hosts)
            begin_rules(peer, rules, text)
            arrivals(peer, sink, folder, hosts, f"{RULES:,} rules over {hosts * SERIES_OF_HOST:,} series")
        finally:
            peer.stop()


def query_rules(options):
    """--match cycle and --match arrivals are its halves."""
    subprocess.run(["cmake", "--build", str(BUILD), "--target", "bench_series"], check=True, stdout=subprocess.DEVNULL)
    hosts = max(10, options.series // SERIES_OF_HOST)
    names = options.only.split(",") if options.only else ["prometheus", "atalaya"]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-rules-"))
    try:
        if (options.match or "cycle") in "cycle":
            compare(names, folder, hosts, rule_file(hosts))
        if "atalaya" in names and (options.match or "arrivals") in "arrivals":
            latency(folder, hosts, rule_file(hosts))
    finally:
        shutil.rmtree(folder)
