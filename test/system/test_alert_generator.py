"""The cases of Prometheus' alert generator compliance specification: in simulated time, and by the running server.

The rule file is the specification's own; where the real clock decides, its times are shorter: an interval is a second, a minute three.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest

from atalaya import ROOT, Server, until
from sinks import about
from test_remote_write import body_v1, ingest_token, write

RULES = pathlib.Path(os.environ.get("ATALAYA_REFERENCE_DATA", ROOT.parent / "shared/data")) / "rules/alert_generator_rules.yaml"
pytestmark = pytest.mark.skipif(not RULES.is_file(), reason=f"no reference data in {RULES}")

ZERO = "1.049M 1Mi 2m 15s 95.9% 2022-01-25 12:36:43 +0000 UTC"
SMALL = "This Part IS TESTING the strings. ::1 127.0.0.1. 7815. replaced text. ."
QUERY = "Args are: foo bar 99. first_id:1,1:10,2:20,"


def selector(alert, group, **more):
    return {"__name__": "alert_generator_test_suite", "alertname": alert, "rulegroup": group, **more}


def text_of(labels):
    rest = ",".join(f'{name}="{value}"' for name, value in labels.items() if name != "__name__")
    return f'{labels["__name__"]}{{{rest}}}'


def expected(name, group, labels, annotations):
    labels = {"alertname": name, "rulegroup": group, **labels}
    return {"exp_labels": {k: v for k, v in labels.items() if k != "alertname"}, "exp_annotations": annotations}


ONE, TWO = (selector("NewAlerts_OrderCheck_Rule1", "NewAlerts_OrderCheck", variant=v) for v in ("one", "two"))
SIMPLE = selector("PendingAndFiringAndResolved_SimpleAlert", "PendingAndFiringAndResolved")
PENDING, INACTIVE = (selector(f"PendingAndResolved_AlwaysInactive_{kind}Alert", "PendingAndResolved_AlwaysInactive")
                     for kind in ("Pending", "Inactive"))
ZERO_FOR, SMALL_FOR = (selector(f"ZeroFor_SmallFor_{kind}For", "ZeroFor_SmallFor") for kind in ("Zero", "Small"))
TEMPLATE = [{"__name__": "alert_generator_test_suite", "rulegroup": "ZeroFor_SmallFor", "for": "template", "id": i}
            for i in ("1", "2")]


def unit_tests():
    """What the specification expects at some instants, in the form of promtool's unit tests; a value lasts 30 s."""
    first = {"description": "This should produce more alerts later"}
    order = {"description": "Based on ALERTS. Old alertname was NewAlerts_OrderCheck_Rule1. foo was bar."}
    zero = {"description": "This should immediately fire", "template_query_test": QUERY, "template_test": ZERO}
    small = {"description": "This should fire after an interval", "template_test": SMALL}
    simple = {"description": "SimpleAlert is firing", "summary": "The value is 15 15"}
    foo = {"foo": "bar"}

    def fires(name, group, labels, annotations):
        return expected(name, group, labels, annotations)
    both = [fires("NewAlerts_OrderCheck_Rule1", "NewAlerts_OrderCheck", {**foo, "variant": v}, first) for v in ("one", "two")]
    then = [fires("NewAlerts_OrderCheck_Rule2", "NewAlerts_OrderCheck", {"foo": "baz", "ba_dum": "tss", "alertstate": "firing"}, order)]
    fired = [fires("PendingAndFiringAndResolved_SimpleAlert", "PendingAndFiringAndResolved", foo, simple)]
    return [
        ([(ONE, "5 11x12 5x9"), (TWO, "5 11x12 5x9")], [
            ("3m", "NewAlerts_OrderCheck_Rule1", []), ("3m30s", "NewAlerts_OrderCheck_Rule1", both),
            # ALERTS of the rule before it in the same evaluation is there already.
            ("3m", "NewAlerts_OrderCheck_Rule2", []), ("3m30s", "NewAlerts_OrderCheck_Rule2", then),
            ("6m30s", "NewAlerts_OrderCheck_Rule2", then), ("7m", "NewAlerts_OrderCheck_Rule2", []),
            ("7m", "NewAlerts_OrderCheck_Rule1", [])]),
        ([(SIMPLE, "3 15x20 3x9")], [
            ("6m", "PendingAndFiringAndResolved_SimpleAlert", []), ("6m30s", "PendingAndFiringAndResolved_SimpleAlert", fired),
            ("10m30s", "PendingAndFiringAndResolved_SimpleAlert", fired), ("11m", "PendingAndFiringAndResolved_SimpleAlert", [])]),
        ([(PENDING, "3 15x5 3x20"), (INACTIVE, "50x30")], [
            (at, f"PendingAndResolved_AlwaysInactive_{kind}Alert", [])
            for at in ("1m", "3m", "4m", "10m") for kind in ("Pending", "Inactive")]),
        ([(ZERO_FOR, "3 15x5 3x9"), (SMALL_FOR, "3 15x5 3x9"), (TEMPLATE[0], "10x20"), (TEMPLATE[1], "20x20")], [
            ("30s", "ZeroFor_SmallFor_ZeroFor", [fires("ZeroFor_SmallFor_ZeroFor", "ZeroFor_SmallFor", foo, zero)]),
            ("30s", "ZeroFor_SmallFor_SmallFor", []),
            ("1m", "ZeroFor_SmallFor_SmallFor",
             [fires("ZeroFor_SmallFor_SmallFor", "ZeroFor_SmallFor", {"ba_dum": "tss"}, small)]),
            ("3m30s", "ZeroFor_SmallFor_ZeroFor", []), ("3m30s", "ZeroFor_SmallFor_SmallFor", [])]),
    ]


def test_the_cases_hold_in_simulated_time_as_promtool_judges_them(tmp_path):
    shutil.copy(RULES, tmp_path / "rules.yml")
    tests = [{"interval": "30s", "input_series": [{"series": text_of(labels), "values": values} for labels, values in series],
              "alert_rule_test": [{"eval_time": at, "alertname": name, "exp_alerts": alerts} for at, name, alerts in cases]}
             for series, cases in unit_tests()]
    # YAML takes JSON as it is.
    file = tmp_path / "tests.yml"
    file.write_text(json.dumps({"rule_files": ["rules.yml"], "evaluation_interval": "30s", "tests": tests}))
    ours = Server.cli("test", "rules", file, check=False)
    assert ours.returncode == 0, ours.stdout + ours.stderr
    if shutil.which("promtool"):
        theirs = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, timeout=300)
        assert theirs.returncode == 0, theirs.stdout + theirs.stderr


PACKAGE = """package: test
version: 1.0.0
channels:
  ops:
    hook: {webhook: {url: '%s'}}
"""


class Samples:
    """Series that have these values whenever somebody looks."""

    def __init__(self, server):
        self.server, self.token, self.values = server, ingest_token(server), []

    def keep(self, condition, what):
        def look():
            now = int(time.time() * 1000)
            body = body_v1([(labels, [(float(value), now)]) for labels, value in self.values])
            assert write(self.server, body, self.token)[0] == 204
            return condition()
        return until(look, what=what)


def rules_of(server):
    groups = server.call("GET", "/api/v1/rules?type=alert")["data"]["groups"]
    return {rule["name"]: rule for group in groups for rule in group["rules"]}


@pytest.fixture
def live(data, webhook, tmp_path):
    text = RULES.read_text().replace("interval: 30s", "interval: 1s")
    text = re.sub(r"for: (\d+)m$", lambda found: f"for: {int(found[1]) * 3}s", text, flags=re.M)
    (tmp_path / "rules.yml").write_text(text.replace("for: 15s", "for: 1s"))
    arguments = ["--rule-files", str(tmp_path / "rules.yml"), "--rules.on-arrival=off"]
    with Server(data, packages={"test": PACKAGE % webhook.url}, arguments=arguments) as server:
        yield server


def page(webhook, name, status):
    return [r["body"]["alerts"][0] for r in webhook.requests if about(name, status)(r)]


def test_the_running_server_pages_as_the_cases_say(live, webhook):
    samples = Samples(live)
    calm = [(ONE, 5), (TWO, 5), (SIMPLE, 3), (PENDING, 3), (INACTIVE, 50), (ZERO_FOR, 3), (SMALL_FOR, 3),
            (TEMPLATE[0], 10), (TEMPLATE[1], 20)]
    hot = {"NewAlerts_OrderCheck_Rule1": 11, "PendingAndFiringAndResolved_SimpleAlert": 15, "ZeroFor_SmallFor_ZeroFor": 15,
           "ZeroFor_SmallFor_SmallFor": 15, "PendingAndResolved_AlwaysInactive_PendingAlert": 15}
    samples.values = calm
    samples.keep(lambda: all(rule["lastEvaluation"] > "1" and rule["state"] == "inactive" for rule in rules_of(live).values()),
                 "an evaluation of all")
    samples.values = [(labels, hot.get(labels.get("alertname"), value)) for labels, value in calm]
    samples.keep(lambda: rules_of(live)["PendingAndResolved_AlwaysInactive_PendingAlert"]["state"] == "pending", "pending")
    # What only waited never fires.
    samples.values = [(labels, 3 if labels is PENDING else value) for labels, value in samples.values]
    samples.keep(lambda: rules_of(live)["PendingAndResolved_AlwaysInactive_PendingAlert"]["state"] == "inactive", "its end")
    simple = samples.keep(lambda: rules_of(live)["PendingAndFiringAndResolved_SimpleAlert"]["alerts"], "an alert that waits")
    assert [(a["state"], a["value"], a["labels"]) for a in simple] == [
        ("pending", "1.5e+01", {"alertname": "PendingAndFiringAndResolved_SimpleAlert", "foo": "bar",
                                "rulegroup": "PendingAndFiringAndResolved"})]
    zero = samples.keep(lambda: page(webhook, "ZeroFor_SmallFor_ZeroFor", "firing"), "the page without for")[0]
    assert zero["annotations"] == {"description": "This should immediately fire", "template_test": ZERO,
                                   "template_query_test": QUERY}
    small = samples.keep(lambda: page(webhook, "ZeroFor_SmallFor_SmallFor", "firing"), "the page after an interval")[0]
    assert small["annotations"]["template_test"] == SMALL
    order = samples.keep(lambda: page(webhook, "NewAlerts_OrderCheck_Rule2", "firing"), "the page about ALERTS")[0]
    assert order["labels"] == {"alertname": "NewAlerts_OrderCheck_Rule2", "alertstate": "firing", "ba_dum": "tss",
                               "foo": "baz", "rulegroup": "NewAlerts_OrderCheck", "severity": "warning"}
    assert order["annotations"]["description"].endswith("was NewAlerts_OrderCheck_Rule1. foo was bar.")
    assert {a["labels"]["variant"] for a in page(webhook, "NewAlerts_OrderCheck_Rule1", "firing")} == {"one", "two"}
    fired = samples.keep(lambda: page(webhook, "PendingAndFiringAndResolved_SimpleAlert", "firing"), "the page after for")[0]
    assert fired["annotations"] == {"description": "SimpleAlert is firing", "summary": "The value is 15 15"}
    held = live.query('ALERTS_FOR_STATE{alertname="PendingAndFiringAndResolved_SimpleAlert"}')[0]
    assert held[1] <= time.time() - 18, "it was active for as long as it waited"

    samples.values = calm
    for name in ("PendingAndFiringAndResolved_SimpleAlert", "ZeroFor_SmallFor_ZeroFor", "NewAlerts_OrderCheck_Rule1"):
        over = samples.keep(lambda: page(webhook, name, "resolved"), f"the end of {name}")[0]
        assert over["endsAt"] > over["startsAt"] > "2"
    samples.keep(lambda: all(rule["state"] == "inactive" for rule in rules_of(live).values()), "calm")
    assert live.query("ALERTS") == []
    names = {r["body"]["alerts"][0]["labels"]["alertname"] for r in webhook.requests}
    assert not names & {"PendingAndResolved_AlwaysInactive_PendingAlert", "PendingAndResolved_AlwaysInactive_InactiveAlert"}
