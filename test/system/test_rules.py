"""Prometheus' rules: the verdicts of Debian's promtool, and groups in a running server."""

import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import time
import urllib.parse

import pytest

from atalaya import ROOT, HttpError, Server, until
from sinks import about
from test_remote_write import body_v1, ingest_token, write

DATA = pathlib.Path(os.environ.get("ATALAYA_REFERENCE_DATA", ROOT.parent / "shared/data")) / "rules"
reference = pytest.mark.skipif(not DATA.is_dir(), reason=f"no reference data in {DATA}")
promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="Debian's promtool is not installed")

# Files of newer Prometheus than 2.42 is: syntax or fields that it does not know, or a default that it lacks.
NEWER = {"check features.yml", "test start-time-test.yml", "test unittest.yml", "test no-test-group-interval.yml"}
# 2.42 counts a sample at the left edge of the look-back, and one test rests on that.
EDGE = "unit-tests/openstack_tests.yml"
TESTS = ["at-modifier-test.yml", "bad-input-series.yml", "bad-promql.yml", "bad-rules-error-test.yml",
         "bad-rules-syntax-test.yml", "failing.yml", "long-period.yml", "negative-offset-test.yml",
         "no-test-group-interval.yml", "rules_run.yml", "rules_run_extrafields.yml", "rules_run_fuzzy.yml",
         "rules_run_no_fuzzy.yml", "start-time-test.yml", "unittest.yml"]


def files_to_check():
    return sorted(str(f.relative_to(DATA)) for f in DATA.rglob("*.y*ml")) if DATA.is_dir() else []


def verdict(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=300).returncode


@reference
@promtool
@pytest.mark.parametrize("verb, file", [("check", f) for f in files_to_check()] + [("test", f) for f in TESTS])
def test_a_file_is_judged_as_promtool_judges_it(verb, file):
    ours = Server.cli(verb, "rules", DATA / file, check=False)
    if f"{verb} {file}" in NEWER:
        assert ours.returncode == 0, ours.stderr
        return
    theirs = verdict("promtool", verb, "rules", str(DATA / file))
    assert ours.returncode == theirs, ours.stdout + ours.stderr


@reference
@promtool
def test_rules_of_an_openstack_distribution_hold_their_unit_tests(tmp_path):
    shutil.copytree((DATA / EDGE).parent, tmp_path / "rules")
    tests = tmp_path / "rules" / pathlib.Path(EDGE).name
    short = tests.read_text().replace("values: '1'", "values: '1x9'").replace("values: '0'", "values: '0x9'")
    # Days of evaluations take promtool minutes: an hour of them says the same.
    tests.write_text(re.sub("eval_time: (25h|2d|1455m|4740m)$", "eval_time: 1h", short, flags=re.M))
    ours = Server.cli("test", "rules", tests, check=False)
    assert ours.returncode == verdict("promtool", "test", "rules", str(tests)), ours.stdout + ours.stderr


@reference
def test_every_mistake_is_told_with_its_place():
    told = Server.cli("check", "rules", DATA / "rules-bad.yml", check=False)
    assert told.returncode == 1
    assert re.search(r"rules-bad\.yml:12:\d+: annotation \"summary\": .*label", told.stderr), told.stderr


@reference
def test_duplicates_are_told_and_fatal_where_that_is_asked_for():
    file = DATA / "prometheus-rules.lint.yml"
    told = Server.cli("check", "rules", file)
    assert "1 duplicate rule(s) found" in told and "SUCCESS: 2 rules found" in told
    assert Server.cli("check", "rules", "--lint-fatal", file, check=False).returncode == 3
    assert "duplicate" not in Server.cli("check", "rules", "--lint", "none", file)
    assert "duplicate" in Server.cli("check", "rules", "--lint=none,duplicate-rules", file)
    assert Server.cli("check", "rules", "--lint=all,duplicate-rules", "--lint-fatal", file, check=False).returncode == 3


@reference
def test_a_run_may_choose_tests_and_pass_over_unknown_fields():
    assert Server.cli("test", "rules", "--run", "^correct", DATA / "rules_run.yml").count("SUCCESS") == 1
    assert Server.cli("test", "rules", "--ignore-unknown-fields", DATA / "rules_run_extrafields.yml")


STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]

GROUPS = """
groups:
  - name: files
    interval: 1s
    rules:
      - {record: 'job:load:sum', expr: sum by (job) (load)}
      - alert: HighLoad
        expr: load > 5
        for: 1s
        labels: {severity: critical}
        annotations: {summary: 'load of {{ $labels.instance }} is {{ $value }}'}
"""

PACKAGE = """package: test
version: 1.0.0
groups:
  - name: packaged
    interval: 1s
    rules: [{alert: LowLoad, expr: load < 1, labels: {severity: warning}}]
channels:
  ops:
    hook: {webhook: {url: '%s'}}
"""


class Load:
    """A series that is written whenever somebody looks."""

    def __init__(self, server):
        self.server, self.token = server, ingest_token(server)

    def put(self, value, instance="a"):
        series = {"__name__": "load", "job": "n", "instance": instance}
        now = int(time.time() * 1000)
        status, _, text = write(self.server, body_v1([(series, [(value, now)])]), self.token)
        assert status == 204, text

    def keep(self, value, condition, what):
        def look():
            self.put(value)
            return condition()
        return until(look, what=what)


def rules_of(server, **parameters):
    query = "?" + urllib.parse.urlencode(parameters, doseq=True)
    return server.call("GET", "/api/v1/rules" + query)["data"]


def states(server):
    return {rule["name"]: rule.get("state") for group in rules_of(server)["groups"] for rule in group["rules"]}


@pytest.fixture
def rule_file(tmp_path):
    path = tmp_path / "rules" / "load.yml"
    path.parent.mkdir()
    path.write_text(GROUPS)
    return path


def with_rules(data, webhook, folder, text, *arguments):
    """A server that judges by this rule file and tells the webhook."""
    file = folder / "r.yml"
    file.write_text(text)
    return Server(data, packages={"test": PACKAGE % webhook.url}, arguments=["--rule-files", str(file), *arguments])


@pytest.fixture
def judging(data, webhook, rule_file):
    arguments = ["--rule-files", str(rule_file.parent / "*.yml"), "--rules.on-arrival=off"]
    with Server(data, packages={"test": PACKAGE % webhook.url}, arguments=arguments) as server:
        yield server


def test_a_group_records_and_pages_and_its_alert_closes(judging, webhook):
    load = Load(judging)
    load.keep(9, lambda: states(judging).get("HighLoad") == "firing", "the rule's state")
    request = load.keep(9, lambda: [r for r in webhook.requests if about("HighLoad")(r)], "the page")[0]
    alert = request["body"]["alerts"][0]
    assert alert["labels"] == {"alertname": "HighLoad", "instance": "a", "job": "n", "severity": "critical"}
    assert alert["annotations"]["summary"] == "load of a is 9"
    assert judging.query("job:load:sum") == [({"__name__": "job:load:sum", "job": "n"}, 9.0)]
    labels = judging.query('ALERTS{alertstate="firing"}')[0][0]
    assert labels["alertname"] == "HighLoad"
    active = judging.call("GET", "/api/v1/alerts")["data"]["alerts"]
    assert [(a["state"], a["value"]) for a in active] == [("firing", "9e+00")]
    load.keep(3, lambda: judging.alert("HighLoad")["state"] == "resolved", "the end")
    assert states(judging) == {"job:load:sum": None, "HighLoad": "inactive", "LowLoad": "inactive"}


def test_our_alert_stays_open_without_data_while_prometheus_sees_nothing(judging):
    load = Load(judging)
    load.keep(9, lambda: (judging.alert("HighLoad") or {}).get("state") == "firing", "the alert")
    load.put(2, instance="b")  # a neighbour that is well
    stale = body_v1([({"__name__": "load", "job": "n", "instance": "a"},
                      [(STALE, int(time.time() * 1000))])])
    assert write(judging, stale, load.token)[0] == 204
    until(lambda: judging.alert("HighLoad")["state"] == "no_data", what="no data")
    assert judging.query('ALERTS{alertname="HighLoad"}') == []
    load.keep(1, lambda: judging.alert("HighLoad")["state"] == "resolved", "a healthy sample closes it")


def test_an_open_alert_survives_a_restart(judging, webhook):
    load = Load(judging)
    load.keep(9, lambda: [r for r in webhook.requests if about("HighLoad")(r)], "the page")
    # One that the server has not yet noted as told may come twice.
    until(lambda: b"\natalaya_notify_pending 0\n" in judging.call("GET", "/metrics", raw=True), what="the note of it")
    judging.kill()
    judging.start()
    load.keep(9, lambda: states(judging).get("HighLoad") == "firing", "the rule's state after the start")
    assert judging.alert("HighLoad")["state"] == "firing"
    pages = [r for r in webhook.requests if about("HighLoad")(r)]
    # Killed before the answer was noted, it sends once more what who receives it knows by its key.
    assert len({r["headers"]["Idempotency-Key"] for r in pages}) == 1, "nobody is told twice, or of an end"


def test_missed_instants_are_evaluated_from_what_was_stored_meanwhile_and_marked_late(data, webhook, rule_file):
    arguments = ["--rule-files", str(rule_file), "--rules.on-arrival=off", "--late-after=5s"]
    with Server(data, packages={"test": PACKAGE % webhook.url}, arguments=arguments) as server:
        load = Load(server)
        # What was evaluated is noted within a second.
        load.keep(3, lambda: [v for _, v in server.query("count_over_time(job:load:sum[1m])") if v > 3], "the group")
        server.stop()
        down = time.time()
        until(lambda: time.time() > down + 4, what="an outage")
        server.start()
        # As an agent that kept its samples would send them.
        kept = [(9.0, int((down + second) * 1000)) for second in (1, 2, 3)] + [(3.0, int((down + 4) * 1000))]
        body = body_v1([({"__name__": "load", "job": "n", "instance": "a"}, kept)])
        assert write(server, body, load.token)[0] == 204
        until(lambda: 9.0 in [v for _, values in server.query_range("job:load:sum", down + 1, down + 4, 1)
                              for _, v in values], what="what was missed")
        until(lambda: (server.alert("HighLoad") or {}).get("state") == "resolved", what="the alert of the outage")
        told = server.get("/alerts/" + server.alert("HighLoad")["id"])
        assert [line["to"] for line in told["history"]] == ["pending", "firing", "resolved"]
        # Missed instants wait ten seconds for what is still to come.
        assert [line["late"] for line in told["history"]] == [True] * 3 and told["late"]
        page = until(lambda: [r for r in webhook.requests if about("HighLoad")(r)], what="the page")[0]
        assert page["body"]["alerts"][0]["atalaya"]["late"]


def test_rule_files_are_reloaded_all_or_nothing(judging, rule_file):
    second = rule_file.parent / "second.yml"
    second.write_text("groups: [{name: new, interval: 1s, rules: [{record: one, expr: '1'}]}]")
    judging.process.send_signal(signal.SIGHUP)
    until(lambda: "one" in states(judging), what="the new group")
    rule_file.write_text("groups: [{name: files, rules: [{record: two, expr: 'sum('}]}]")
    second.unlink()
    with pytest.raises(HttpError) as refused:
        judging.call("POST", "/-/reload")
    place = refused.value.body["place"]
    assert (place["file"], place["line"]) == (str(rule_file), 1)
    assert {"one", "HighLoad"} <= set(states(judging)), "what was stays"
    rule_file.write_text("groups: [{name: files, interval: 1s, rules: [{record: two, expr: '2'}]}]")
    judging.call("POST", "/-/reload")
    assert set(states(judging)) == {"two", "LowLoad"}
    until(lambda: judging.query("two"), what="the changed group")


def test_a_rule_file_that_is_wrong_keeps_the_server_from_starting(data, tmp_path):
    bad = tmp_path / "bad.yml"
    bad.write_text("groups: [{name: g, rules: [{alert: A, expr: 'up =='}]}]")
    told = Server.cli("server", "--data", data, "--listen", "127.0.0.1:0", "--rule-files", bad, check=False)
    assert told.returncode == 1 and "bad.yml:1:" in told.stderr


def test_rules_are_listed_as_prometheus_lists_them(judging, rule_file):
    group, packaged = rules_of(judging)["groups"]
    assert (group["name"], group["file"], group["interval"], group["limit"]) == ("files", str(rule_file), 1, 0)
    record, alert = group["rules"]
    assert record["type"] == "recording" and record["query"] == "sum by (job) (load)" and "labels" not in record
    assert alert["type"] == "alerting" and alert["duration"] == 1 and alert["labels"] == {"severity": "critical"}
    assert alert["annotations"] == {"summary": "load of {{ $labels.instance }} is {{ $value }}"}
    assert packaged["name"] == "packaged" and packaged["file"].endswith("package.yaml")

    def names(**parameters):
        return [rule["name"] for g in rules_of(judging, **parameters)["groups"] for rule in g["rules"]]
    assert names(type="record") == ["job:load:sum"]
    assert names(type="alert") == ["HighLoad", "LowLoad"]
    assert names(**{"rule_name[]": ["LowLoad", "nothing"]}) == ["LowLoad"]
    assert names(**{"rule_group[]": "files"}) == ["job:load:sum", "HighLoad"]
    assert names(**{"file[]": str(rule_file)}) == ["job:load:sum", "HighLoad"]
    assert names(**{"match[]": '{severity="critical"}'}) == ["HighLoad"]
    page = rules_of(judging, group_limit=1)
    assert [g["name"] for g in page["groups"]] == ["files"]
    rest = rules_of(judging, group_limit=1, group_next_token=page["groupNextToken"])
    assert [g["name"] for g in rest["groups"]] == ["packaged"] and "groupNextToken" not in rest
    for wrong in ({"type": "both"}, {"group_limit": 0}, {"group_limit": 1, "group_next_token": "x"},
                  {"group_next_token": "x"}, {"exclude_alerts": "perhaps"}, {"match[]": "up =="}):
        with pytest.raises(HttpError) as refused:
            rules_of(judging, **wrong)
        assert refused.value.status == 400 and refused.value.body["errorType"] == "bad_data"


def test_an_alert_starts_when_its_sample_arrives(data, webhook, tmp_path):
    rules = """
groups:
  - name: slow
    interval: 10m
    rules:
      - {alert: Single, expr: load > 5, labels: {severity: critical}}
      - {alert: Whole, expr: sum(load) > 5}
  - name: ticks
    interval: 10m
    on_arrival: false
    rules: [{alert: Waits, expr: load > 5}]
"""
    with with_rules(data, webhook, tmp_path, rules) as server:
        load = Load(server)
        load.keep(9, lambda: [r for r in webhook.requests if about("Single")(r)], "the page")
        load.keep(9, lambda: (server.alert("Whole") or {}).get("state") == "firing", "the sum")
        assert server.alert("Waits") is None


def test_what_comes_late_starts_nothing_on_arrival(data, webhook, tmp_path):
    rules = """
groups:
  - name: slow
    interval: 10m
    rules:
      - {alert: Late, expr: late > 5, labels: {severity: critical}}
      - {alert: Fresh, expr: load > 5}
"""
    with with_rules(data, webhook, tmp_path, rules) as server:
        load = Load(server)

        def put(instance, value, minutes_ago):
            series = {"__name__": "late", "job": "n", "instance": instance}
            at = int(time.time() * 1000) - minutes_ago * 60_000
            status, _, text = write(server, body_v1([(series, [(value, at)])]), load.token)
            assert status == 204, text

        put("younger-ones-are-there", 1, 0)
        put("younger-ones-are-there", 999, 10)
        put("older-than-a-query-looks-back", 999, 30)
        # Samples are looked at in the order in which they came.
        load.keep(9, lambda: (server.alert("Fresh") or {}).get("state") == "firing", "the alert of what came after")
        assert server.alert("Late") is None


def test_rules_and_federation_look_back_as_far_as_queries(data, webhook, tmp_path):
    rules = "groups: [{name: g, interval: 1s, rules: [{record: seen, expr: count(old)}, {alert: Old, expr: old > 5}]}]\n"
    with with_rules(data, webhook, tmp_path, rules, "--query-lookback", "20m") as server:
        at = int(time.time() * 1000) - 10 * 60_000
        status, _, text = write(server, body_v1([({"__name__": "old"}, [(9, at)])]), Load(server).token)
        assert status == 204, text
        until(lambda: server.query("seen") == [({"__name__": "seen"}, 1.0)], what="the recorded sample")
        until(lambda: server.query('ALERTS{alertname="Old"}'), what="the alert")
        assert server.call("GET", "/federate?match%5B%5D=old", raw=True).decode().splitlines()[1].startswith("old")


def test_external_labels_are_in_templates_pages_and_federation(data, webhook, tmp_path):
    rules = ("groups: [{name: g, interval: 1s, rules: [{alert: High, expr: load > 5, annotations: "
             "{summary: 'in {{ $externalLabels.region }}'}}]}]\n")
    labels = ["--external-label", "region=eu", "--external-label", "job=none"]
    with with_rules(data, webhook, tmp_path, rules, *labels) as server:
        load = Load(server)
        page = load.keep(9, lambda: [r for r in webhook.requests if about("High")(r)], "the page")[0]
        alert = page["body"]["alerts"][0]
        assert alert["annotations"] == {"summary": "in eu"}
        assert (alert["labels"]["region"], alert["labels"]["job"]) == ("eu", "n")
        assert server.query("load")[0][0] == {"__name__": "load", "instance": "a", "job": "n"}, "no series gets them"
        said = load.keep(9, lambda: server.query('ALERTS{alertname="High"}'), "an evaluation")
        assert said[0][0].get("region") is None
        text = server.call("GET", "/federate?match%5B%5D=load")
        assert 'load{instance="a",job="n",region="eu"} 9' in text
    with pytest.raises(AssertionError) as refused:
        Server(data, arguments=["--external-label", "region"]).start()
    assert "--external-label region" in str(refused.value)
