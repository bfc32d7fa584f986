"""Relabelling beside Debian's prometheus: the same random configurations, the same targets and series."""

import json
import os
import random

from atalaya import Server, until
from prometheus_peer import Peer
from test_scrape import Exporter, text

NAMES = ["a", "b", "role", "zone", "__meta_x", "__tmp_y", "instance", "job", "__address__", "__metrics_path__", "__scheme__",
         "__param_q", "__scrape_interval__", "__scrape_timeout__", "absent"]
OF_SAMPLES = ["__name__", "path", "code", "le", "instance", "job", "exported_job", "absent", "__tmp_z"]
VALUES = ["", "x", "web-01", "Web;DB", "a$1b", "10.0.0.1:9100", "Ünïcode", "eu-west-1"]
REGEXES = [None, "(.*)", "(.+)", "()", "(.*)-(.*)", "(?i)WEB.*", "([a-z]+)(\\d*)", "x|web-01", "(?P<word>\\w+)-(?P<rest>.*)",
           "[^;]*;(.*)", "__meta_(.+)", "a|b", "(.)(.).*", "(a.*)|(b.*)", "\\$", ".*:9100"]
REPLACEMENTS = [None, "", "$1", "${1}", "$2-$1", "${word}_x", "fixed", "$$1", "$", "$1x", "${1}x", "$10", "${2", "$rest", "x:y"]
TARGETS = ["a", "b", "new", "__tmp_y"]
FILLED = ["made_$1", "${1}_of", "$1"]  # by what only words match: 2.42 takes no other names


def step(chance, names, keeps):
    """One step; rarely one that may drop, or nothing would be left to compare."""
    actions = ["replace"] * 8 + ["hashmod", "labelmap", "labeldrop", "lowercase", "uppercase"]
    action = chance.choice(actions + (["keep", "drop", "labelkeep", "keepequal", "dropequal"] if keeps else []))
    own = {"action": action} if action != "replace" or chance.random() < 0.5 else {}
    sources = chance.choices(names, k=chance.randint(1, 3))
    regex, replacement = chance.choice(REGEXES), chance.choice(REPLACEMENTS)
    if action in ("labeldrop", "labelkeep"):
        return own | {"regex": chance.choice(["a|b", "x.*", "zone|absent"] if action == "labeldrop" else ["[^a].*", ".*"])}
    if action in ("keepequal", "dropequal"):
        return own | {"source_labels": sources[:1], "target_label": chance.choice(names)}
    out = own | ({"source_labels": sources} if chance.random() < 0.9 else {})
    if regex is not None and action not in ("lowercase", "uppercase", "hashmod"):
        out["regex"] = regex
    if action == "labelmap":
        # What several labels are mapped to depends in Prometheus, as here, on their order; names stay apart.
        out.pop("source_labels", None)
        return out | {"regex": "__meta_(.+)|(zone)", "replacement": chance.choice(["of_$1$2", "${1}_m", "$0"])}
    if action in ("keep", "drop"):
        return out
    if action == "replace" and replacement is not None:
        out["replacement"] = replacement
    if chance.random() < 0.3:
        out["separator"] = chance.choice(["", "-", ";;"])
    if action == "hashmod":
        out["modulus"] = chance.choice([1, 8, 1000])
    if action == "replace" and chance.random() < 0.3:
        # What becomes empty would be deleted in 2.42 by the name as it is written.
        return out | {"regex": "([a-zA-Z_]\\w*).*", "target_label": chance.choice(FILLED),
                      "replacement": chance.choice(["$1", "fixed", "${1}x", "$$1"])}
    # What numbers and addresses make of a metric's name is none to 2.42.
    # Of an address without a port, 2.42 makes one with 80.
    return out | {"target_label": chance.choice(TARGETS + [name for name in names if name not in ("__name__", "__address__")])}


def steps(chance, names):
    return [step(chance, names, keeps=chance.random() < 0.25) for _ in range(chance.randint(1, 5))]


def targets_of(where):
    """What each target of a job became, and how many were dropped. What labels those had before is told by 2.42 as
    steps have changed them already, so nothing of it is compared."""
    data = where.call("GET", "/api/v1/targets")["data"]
    found = {}
    for one in data["activeTargets"]:
        kept = [one[key] for key in ("labels", "scrapeUrl", "scrapeInterval", "scrapeTimeout")]
        found.setdefault(one["scrapePool"], []).append(json.dumps(kept, sort_keys=True))
    found = {pool: sorted(each) for pool, each in found.items()}
    return found | {"dropped": len(data["droppedTargets"])}


def seeded():
    seed = int(os.environ.get("ATALAYA_TEST_SEED", random.randrange(1 << 31)))
    return seed, random.Random(seed)


def test_targets_become_what_prometheus_makes_of_them(data, tmp_path):
    seed, chance = seeded()
    jobs = []
    for number in range(150):
        addresses = [f"127.0.0.{place // 9 + 1}:{place % 9 + 1}" for place in chance.sample(range(81), 4)]
        groups = [{"targets": [addresses.pop(), addresses.pop()],
                   "labels": {name: chance.choice(VALUES[1:]) for name in chance.sample(NAMES[:6], 3)}} for _ in range(2)]
        jobs.append({"job_name": f"j{number}", "static_configs": groups, "relabel_configs": steps(chance, NAMES)})
    config = tmp_path / "prometheus.yml"
    config.write_text(json.dumps({"global": {"scrape_interval": "1m"}, "scrape_configs": jobs}))
    with Peer(config, tmp_path) as theirs, Server(data, arguments=["--scrape-config", str(config)]) as server:
        # Prometheus takes its targets some seconds after its start, and not all at once.
        ours = until(lambda: targets_of(server), what="targets here")
        until(lambda: len(targets_of(theirs)) >= len(ours), what="as many pools in prometheus")
        wanted = targets_of(theirs)
    wrong = [(one["relabel_configs"], wanted.get(pool), ours.get(pool))
             for one in jobs if wanted.get(pool := one["job_name"]) != ours.get(pool)]
    assert not wrong, f"ATALAYA_TEST_SEED={seed}: {len(wrong)} of {len(jobs)}, such as {json.dumps(wrong[0], indent=1)}"
    assert ours["dropped"] == wanted["dropped"] and len(wanted) > 50, f"ATALAYA_TEST_SEED={seed}"


PAGE = "".join(f'{name}{{{labels}}} {value}\n' for value, (name, labels) in enumerate([
    ("requests_total", 'path="/a",code="200"'), ("requests_total", 'path="/b-c",code="500"'), ("requests_total", 'code="404"'),
    ("latency_bucket", 'le="0.5",path="x"'), ("latency_bucket", 'le="+Inf",path="x"'), ("up_here", 'job="own",instance="me"'),
    ("plain", ""), ("odd", 'path="Web;DB",code="$1"'), ("odd", 'path="Ünïcode"')]))


def series_of(where):
    """By job: labels and values of what was scraped, without the synthetic series."""
    end = " unless {__name__=~'up|scrape_.*'}"
    found = {}
    for pool in ("honest", "own"):
        for labels, value in where.query("{pool='" + pool + "'}" + end):
            found.setdefault(labels.get("number", ""), []).append(json.dumps([labels, value], sort_keys=True))
    return {number: sorted(each) for number, each in found.items()}


def test_series_become_what_prometheus_makes_of_them(data, tmp_path):
    seed, chance = seeded()
    with Exporter({"/metrics": text(PAGE)}) as exporter:
        jobs = []
        for number in range(60):
            pool = chance.choice(["honest", "own"])
            # The page's labels of the same names win or are kept as exported_…; what marks the job is set last.
            change = [one for one in steps(chance, OF_SAMPLES)]
            change += [{"target_label": "pool", "replacement": pool}, {"target_label": "number", "replacement": str(number)}]
            jobs.append({"job_name": f"j{number}", "honor_labels": pool == "honest", "metric_relabel_configs": change,
                         "static_configs": [{"targets": [exporter.address], "labels": {"code": "own"}}]})
        config = tmp_path / "prometheus.yml"
        config.write_text(json.dumps({"global": {"scrape_interval": "2s", "scrape_timeout": "2s"}, "scrape_configs": jobs}))
        with Peer(config, tmp_path) as theirs, Server(data, arguments=["--scrape-config", str(config)]) as server:
            count = len(jobs)
            until(lambda: len(exporter.seen) >= 6 * count, timeout=60, what="three scrapes of each job by each server")
            wanted, ours = series_of(theirs), series_of(server)
    wrong = [(jobs[int(number)]["metric_relabel_configs"], wanted.get(number), ours.get(number))
             for number in sorted(wanted.keys() | ours.keys()) if wanted.get(number) != ours.get(number)]
    assert not wrong, f"ATALAYA_TEST_SEED={seed}: {len(wrong)} of {len(jobs)}, such as {json.dumps(wrong[0], indent=1)}"
    assert len(wanted) > 20
