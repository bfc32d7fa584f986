"""The benches of script/bench: each prints a table and its command; none asserts a time."""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "test/support"), str(ROOT / "bench")]

from atalaya import BUILD, Agent, Server, binary, make_certificate, until  # noqa: E402
from alerts.alerts import alerts  # noqa: E402
from ondemand.ondemand import ondemand  # noqa: E402
from peers import table  # noqa: E402
from query.query import query  # noqa: E402
from query.rules import query_rules  # noqa: E402
from series.series import series  # noqa: E402
from sinks import WebhookSink  # noqa: E402


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))]


def first_point(options):
    """Chromium is running and idle; the clock starts at exec."""
    done = subprocess.run(["node", "bench/first_point.mjs", binary("atalaya"), str(options.runs)], cwd=ROOT, check=True,
                          capture_output=True, text=True)
    runs = json.loads(done.stdout)
    table("exec of `atalaya up` to the first own-host point drawn (target: 2 s)",
          [("", "seconds"), ("median", f"{statistics.median(runs):.2f}"), ("worst", f"{max(runs):.2f}"),
           ("runs", len(runs))])


RULE = """    r{n}:
      gauge: {{expr: '{expr}', above: {{warning: {limit}}}}}
"""


def thousand_rules(webhook_url):
    """One rule that the bench crosses, 999 on other series of the same host that stay quiet."""
    metrics = ["node_memory_MemAvailable_bytes", "node_vmstat_pgfault", "node_procs_running", "node_context_switches_total",
               "node_filefd_allocated", "node_network_receive_bytes_total", "node_disk_reads_completed_total",
               "node_filesystem_avail_bytes", "node_load5", "node_load15"]
    text = "package: bench\nversion: 1.0.0\nrules:\n  crossing:\n    load:\n"
    text += "      gauge: {expr: 'node_load1', above: {critical: 50}}\n  quiet:\n"
    for n in range(999):
        text += RULE.format(n=n, expr=metrics[n % len(metrics)], limit="1e18")
    return text + f"channels:\n  bench:\n    hook: {{webhook: {{url: '{webhook_url}'}}}}\n"


def fake_root(folder):
    """The machine's /proc and /sys, but a load average that the bench writes."""
    proc = folder / "proc"
    proc.mkdir(parents=True)
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name != "loadavg" and not entry.name.isdigit():
            (proc / entry.name).symlink_to(entry)
    (proc / "self").exists() or (proc / "self").symlink_to("/proc/self")
    (folder / "sys").symlink_to("/sys")
    return proc / "loadavg"


def write_load(path, value):
    """In place and of one length: the agent keeps the file open, as it does with the real one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    os.pwrite(descriptor, b"%05.2f 0.10 0.10 1/100 1000\n" % value, 0)
    os.close(descriptor)


def latency(options):
    """The alert's startsAt (and endsAt) is the time of the agent's read; the sink notes the arrival."""
    with tempfile.TemporaryDirectory() as temporary, WebhookSink() as sink:
        folder = pathlib.Path(temporary)
        tls = make_certificate(folder / "tls")
        loadavg = fake_root(folder / "root")
        write_load(loadavg, 0.1)
        packages = {"bench": thousand_rules(sink.url)}
        with Server(folder / "data", packages=packages, tls=tls) as server:
            with Agent(folder / "agent", server, run_arguments=["--root", str(folder / "root")]):
                until(lambda: server.query("node_load1"), what="the first sample")
                delays = {"firing": [], "resolved": []}
                for n in range(options.crossings):
                    status = "firing" if n % 2 == 0 else "resolved"
                    write_load(loadavg, 99 if status == "firing" else 0.1)
                    request = sink.wait_for(lambda r: r["body"]["status"] == status, count=n // 2 + 1)[-1]
                    alert = request["body"]["alerts"][0]
                    read_at = parse_time(alert["startsAt" if status == "firing" else "endsAt"])
                    delays[status].append((request["at"] - read_at) * 1000)
                rules = len(server.get("/rules")["rules"])
        rows = [("", "p50 ms", "p99 ms", "worst ms", "crossings")]
        for status, values in [*delays.items(), ("both", delays["firing"] + delays["resolved"])]:
            rows.append((status, f"{quantile(values, 0.5):.1f}", f"{quantile(values, 0.99):.1f}", f"{max(values):.1f}",
                         len(values)))
        table(f"agent's read to webhook, TLS, {rules} rules loaded (target: p50 10 ms, p99 50 ms)", rows)


def parse_time(text):
    from datetime import datetime
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def memory(pid):
    """(resident, proportional) in MB."""
    sizes = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split(":")
        sizes[name] = int(value.split()[0]) / 1024
    return sizes["Rss"], sizes["Pss"]


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def scrape_every_second(url, stop):
    while not stop.wait(1):
        urllib.request.urlopen(url, timeout=5).read()


def agent(options):
    """Both measure this machine at 1 s; CPU after the first ten seconds."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        tls = make_certificate(folder / "tls")
        exporter = subprocess.Popen(["prometheus-node-exporter", "--web.listen-address=127.0.0.1:19100"],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stop = threading.Event()
        try:
            until(lambda: urllib.request.urlopen("http://127.0.0.1:19100/metrics").read(), what="node_exporter")
            threading.Thread(target=scrape_every_second, args=("http://127.0.0.1:19100/metrics", stop), daemon=True).start()
            with Server(folder / "data", tls=tls) as server, Agent(folder / "agent", server) as ours:
                until(lambda: server.query("node_load1"), what="the first sample")
                pids = {"atalaya-agent": ours.process.pid, "prometheus-node-exporter": exporter.pid}
                time.sleep(10)
                before, begun = {n: cpu_seconds(p) for n, p in pids.items()}, time.monotonic()
                time.sleep(options.minutes * 60)
                elapsed = time.monotonic() - begun
                rows = [("", "RSS MB", "PSS MB", "CPU % of a core", "series")]
                for name, pid in pids.items():
                    rss, pss = memory(pid)
                    cpu = 100 * (cpu_seconds(pid) - before[name]) / elapsed
                    series = int(server.query('count({job="node"})')[0][1]) if name == "atalaya-agent" else len(
                        [line for line in urllib.request.urlopen("http://127.0.0.1:19100/metrics").read().splitlines()
                         if not line.startswith(b"#")])
                    rows.append((name, f"{rss:.1f}", f"{pss:.1f}", f"{cpu:.2f}", series))
        finally:
            stop.set()
            exporter.terminate()
            exporter.wait()
        table(f"at 1 s, spool and TLS on, after {options.minutes:g} minutes (target: 15 MB resident, 0.5 %)", rows)


def rules(_):
    subprocess.run(["cmake", "--build", str(BUILD), "--target", "bench_rules"], check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run([str(BUILD / "bench/bench_rules"), "--benchmark_min_time=0.5"], check=True,
                          capture_output=True, text=True)
    print("\n## judging one host's batch\n\n" + done.stdout)


def big_package(items):
    text = "package: big\nversion: 1.0.0\nrules:\n"
    for i in range(items):
        if i % 50 == 0:
            text += f"  group{i // 50}:\n"
        text += f"    rule{i}:\n      title: Rule {i}\n      gauge: {{expr: metric_{i}, above: {{warning: 1}}}}\n"
    return text


def packages(options):
    subprocess.run(["cmake", "--build", str(BUILD), "--target", "bench_packages"], check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([str(BUILD / "bench/bench_packages"), folder], check=True, capture_output=True, text=True)
        found = json.loads(done.stdout)
        data = pathlib.Path(folder) / "data"
        (data / "packages/default/big").mkdir(parents=True)
        (data / "packages/default/big/package.yaml").write_text(big_package(5000))
        with Server(data, command="up") as server:
            link = f"{server.url}/#/sign-in?link={server.link}"
            done = subprocess.run(["node", "bench/editor.mjs", link, "big", str(options.runs)], cwd=ROOT,
                                  check=True, capture_output=True, text=True)
        opened = json.loads(done.stdout)
    table(f"1,000 packages, {found['items']} items, {found['rules']} rules in the judge",
          [("", "target", "measured"),
           ("load", "5 s", f"{found['load_s']:.2f} s ({found['load_cpu_s']:.2f} s of processor)"),
           ("first load, with copies of every file", "-", f"{found['first_load_s']:.2f} s"),
           ("resident after it, judge included", "500 MB", f"{found['rss_mb']:.0f} MB"),
           ("a one-item change is live, median", "50 ms", f"{found['change_ms_p50']:.1f} ms"),
           ("the same, worst of 40", "-", f"{found['change_ms_worst']:.1f} ms"),
           ("looking for changes on disk", "-", f"{found['scan_ms']:.1f} ms"),
           ("editor opens on 5,000 items, median", "300 ms", f"{statistics.median(opened):.0f} ms"),
           ("the same, worst", "-", f"{max(opened):.0f} ms")])


BENCHES = {"series": series, "query": query, "query-rules": query_rules, "packages": packages, "first-point": first_point, "latency": latency, "agent": agent, "rules": rules,
           "alerts": alerts, "occi": ondemand}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bench", nargs="*", choices=[*BENCHES, []])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--crossings", type=int, default=200)
    parser.add_argument("--only", help="series, query: servers to compare, by commas (default: all)")
    parser.add_argument("--recorded", help="series: folder of recorded scrapes")
    parser.add_argument("--series", type=int, default=1_000_000, help="query: how many")
    parser.add_argument("--hours", type=int, default=24, help="query: of history")
    parser.add_argument("--keep", help="query: folder that keeps what was loaded, for further runs")
    parser.add_argument("--match", help="query: only those with this in their title; query-rules: cycle or arrivals; occi: first,cycles,live")
    parser.add_argument("--alerts", type=int, default=100_000, help="alerts: of the storm")
    parser.add_argument("--storm-seconds", type=float, default=10, help="alerts: how long it lasts")
    parser.add_argument("--stored", type=int, default=1_000_000, help="alerts: what is searched; 0: nothing")
    parser.add_argument("--rounds", type=int, default=50, help="occi: until the first datagram")
    parser.add_argument("--cycles", type=int, default=10_000, help="occi: of create, run, delete")
    parser.add_argument("--standing", type=int, default=0, help="occi: collectors that stand beside the cycles")
    parser.add_argument("--collectors", type=int, default=10_000, help="occi: at work at once")
    options = parser.parse_args()
    if not shutil.which("prometheus-node-exporter"):
        sys.exit("bench: prometheus-node-exporter is missing; run script/setup")
    for name in options.bench or BENCHES:
        BENCHES[name](options)


if __name__ == "__main__":
    main()
