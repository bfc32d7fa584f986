"""The bench of rules: 10,000 alerting rules over many series. What one cycle costs beside Prometheus, and how long a
sample takes to a firing alert while many others arrive."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from peers import BUILD, ROOT, PEERS, get, send, table, tool
from query.load import ARGUMENTS, SERIES_OF_HOST

sys.path[:0] = [str(ROOT / "test/support")]
from sinks import WebhookSink  # noqa: E402

GROUPS, RULES = 100, 10_000
INTERVAL = 60  # seconds
PROBES = 200
PACE = 200_000  # samples a second

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
    for group in range(GROUPS):
        rules = [(name, expression) for name, expression, count in OF_HOST for _ in range(count)]
        text += f"  - name: group{group}\n    interval: {INTERVAL}s\n    rules:\n"
        for n, (name, expression) in enumerate(rules[:RULES // GROUPS - 3]):
            number = (group * 37 + n) % hosts
            expression = expression.format(host=f"node-{10000 + number}.cloud.example.net:9100",
                                           rack=f"r{number // 40}", often=7 if n % 10 == 0 else 1e6)
            text += f"      - {{alert: {name}, expr: '{expression}', labels: {{severity: warning}}}}\n"
        name, expression = OF_ALL[group % 2]
        text += f"      - {{alert: {name}{group}, expr: '{expression}'}}\n"
        for probe in (2 * group, 2 * group + 1):
            text += f"      - {{alert: Probe, expr: 'fleet_probe{{n=\"{probe}\"}} > 0.5', labels: {{severity: critical}}}}\n"
    return text


def counter(peer, name):
    """The sum over all its series of a server's own metric."""
    text = get(peer.url("/metrics"), peer.token).decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if re.match(rf"{name}[ {{]", line))


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


def cycle(folder, name, hosts, rules):
    """One row: what rules cost, as processor seconds of a cycle, less what the server does without any."""
    plain = PEERS[name](folder, ARGUMENTS[name])
    plain.start()
    try:
        now = int(time.time())
        for back in (2, 1, 0):
            bodies = scrape(folder, hosts, 10 - back, now - back * 900)
            send(plain, bodies, 0, 1 << 30)
        plain.settle()
        begun, before = time.monotonic(), plain.cpu()
        time.sleep(10)
        idle = (plain.cpu() - before) / (time.monotonic() - begun)
    finally:
        plain.stop()
    peer = with_rules(folder, name, rules, ["--rules.on-arrival=off"] if name == "atalaya" else [])
    peer.start()
    try:
        metric, factor = EVALUATIONS[name]
        while counter(peer, metric) * factor < RULES:
            time.sleep(1)
        time.sleep(INTERVAL / 10)
        before, done, begun = peer.cpu(), counter(peer, metric), time.monotonic()
        time.sleep(2 * INTERVAL - (time.monotonic() - begun))
        cpu = peer.cpu() - before - idle * 2 * INTERVAL
        evaluated = (counter(peer, metric) - done) * factor
        firing = json.loads(peer.request("/api/v1/query", query='count(ALERTS{alertstate="firing"})'))
        firing = firing["data"]["result"][0]["value"][1] if firing["data"]["result"] else "0"
        return cpu / evaluated * RULES, (name, f"{cpu / evaluated * RULES:.2f}", f"{idle:.3f}", f"{evaluated:,.0f}", firing,
                                         f"{peer.resident() / 2**20:,.0f}")
    finally:
        peer.stop()


PACKAGE = """package: bench
version: 1.0.0
channels:
  bench:
    hook: {{webhook: {{url: '{url}'}}}}
"""


def latency(folder, hosts, rules):
    """Probes cross one after another while every series gets samples; the hook notes when it heard."""
    with WebhookSink() as sink:
        peer = with_rules(folder, "atalaya", rules)
        package = peer.folder / "packages/default/bench"
        package.mkdir(parents=True, exist_ok=True)
        (package / "package.yaml").write_text(PACKAGE.format(url=sink.url))
        peer.start()
        load = None
        try:
            time.sleep(15)  # until groups have had their first look
            seconds = PROBES // 4 + 10
            series = hosts * SERIES_OF_HOST
            begin = int(time.time()) + 20 + seconds * PACE // 4_000_000
            tool("stream", folder / "stream", hosts, begin * 1000, PACE, seconds)
            extra = [peer.token]
            load = subprocess.Popen([str(BUILD / "bench/bench_series"), "pace", str(folder / "stream"), str(peer.port),
                                     peer.write_path, "2", str(PACE), str(begin * 1000), *extra], stdout=subprocess.PIPE,
                                    text=True)
            time.sleep(max(0, begin + 5 - time.time()))
            cpu, began = peer.cpu(), time.monotonic()
            sent = tool("probe", peer.port, peer.write_path, PROBES, 250, *extra)
            used = (peer.cpu() - cpu) / (time.monotonic() - began)
            time.sleep(3)
            left_out = counter(peer, "atalaya_rules_arrival_left_out_total")
            heard = {}
            for request in sink.requests:
                for alert in request["body"].get("alerts", []):
                    if alert["labels"]["alertname"] == "Probe" and alert["status"] == "firing":
                        heard.setdefault(int(alert["labels"]["n"]), request["at"])
            paced = json.loads(load.communicate(timeout=60)[0])
        finally:
            if load and load.poll() is None:
                load.kill()
            peer.stop()
    delays = sorted((heard[n] - at / 1000) * 1000 for n, at in enumerate(sent) if n in heard)
    at = lambda q: f"{delays[min(len(delays) - 1, int(q * len(delays)))]:.1f}" if delays else "-"  # noqa: E731
    table(f"sample to webhook with {RULES:,} rules over {series:,} series (target: p99 10 ms to the transition)",
          [("p50 ms", "p99 ms", "worst ms", "probes heard", "samples a second", "CPU of a core", "left out"),
           (at(0.5), at(0.99), at(1), f"{len(delays)} of {PROBES}", f"{paced['rate']:,.0f}", f"{used:.2f}",
            f"{left_out:,.0f}")])


def query_rules(options):
    subprocess.run(["cmake", "--build", str(BUILD), "--target", "bench_series"], check=True, stdout=subprocess.DEVNULL)
    hosts = max(10, options.series // SERIES_OF_HOST)
    names = options.only.split(",") if options.only else ["prometheus", "atalaya"]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bench-rules-"))
    try:
        rules = folder / "rules.yml"
        rules.write_text(rule_file(hosts))
        rows = [("server", "CPU s of a cycle", "CPU without rules", "rules evaluated", "alerts firing", "RSS MiB")]
        costs = {}
        for name in names:
            costs[name], row = cycle(folder, name, hosts, rules)
            rows.append(row)
            if name != "atalaya":
                shutil.rmtree(folder / name)
        table(f"one cycle of {RULES:,} alerting rules over {hosts * SERIES_OF_HOST:,} series", rows)
        if len(costs) == 2:
            print(f"\nof prometheus: {costs['atalaya'] / costs['prometheus']:.3f} (target: 0.2)")
        if "atalaya" in names:
            latency(folder, hosts, rules)
    finally:
        shutil.rmtree(folder)
