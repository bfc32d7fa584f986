"""From a sample that crosses to a page: thresholds, no data, logs, acknowledgement, channels."""

import shutil
import subprocess
import time

import pytest

from atalaya import Agent, HttpError, Server, until
from sinks import WebhookSink, about


def package(webhook, rules, collectors=""):
    text = f"package: test\nversion: 1.0.0\nrules:\n  test:\n{rules}"
    if collectors:
        text += f"collectors:\n  test:\n{collectors}"
    return text + f"channels:\n  ops:\n    hook: {{webhook: {{url: '{webhook.url}'}}}}\n"


FILE_RULE = """    errors:
      title: Errors in the log
      tailable: {match: '{file="%s"}', pattern: 'ERROR', count: 1, within: 3s}
      annotations: {summary: 'trouble on {{ $labels.instance }}'}
"""


@pytest.fixture
def log_file(tmp_path):
    path = tmp_path / "app.log"
    path.write_text("started\n")
    return path


def test_an_error_line_pages_and_clears(data, webhook, log_file):
    text = package(webhook, FILE_RULE % log_file, f"    app: {{log: {{path: '{log_file}'}}, on: '*'}}\n")
    with Server(data, command="up", packages={"test": text}) as server:
        until(lambda: [h for h in server.get("/hosts")["hosts"] if h["state"] == "up"], what="the agent")
        time_of_line = time.time()

        def line_seen():
            with open(log_file, "a") as log:
                log.write(f"ERROR disk on fire at {time.time()}\n")
            return [r for r in webhook.requests if about("errors")(r)]
        request = until(line_seen, what="the page")[0]
        body = request["body"]
        assert body["version"] == "4" and body["status"] == "firing"
        alert = body["alerts"][0]
        assert alert["labels"]["alertname"] == "errors"
        assert alert["labels"]["file"] == str(log_file)
        assert alert["annotations"]["summary"].startswith("trouble on ")
        assert request["headers"]["Idempotency-Key"]
        assert request["at"] >= time_of_line
        webhook.wait_for(about("errors", "resolved"))
        found = server.get("/logs", match='{file="%s"}' % log_file, text="on fire")["logs"]
        assert found and "disk on fire" in found[0]["line"]


def test_a_stopped_process_pages_and_a_started_one_resolves(data, webhook, tmp_path):
    program = tmp_path / "at-sleeper"  # a name that no other process of this machine has
    shutil.copy(shutil.which("sleep"), program)
    sleeper = subprocess.Popen([program, "345"])
    rules = "    away:\n      binary: {expr: 'check_up{type=\"process\"}', failures: 2}\n"
    checks = "    sleeper: {process: {name: at-sleeper, at_least: 1}, period: 1s, on: '*'}\n"
    with Server(data, command="up", packages={"test": package(webhook, rules, checks)}) as server:
        until(lambda: [v for _, v in server.query("check_up")] == [1.0], what="the check is up")
        sleeper.terminate()
        sleeper.wait()
        firing = webhook.wait_for(about("away", "firing"))[0]["body"]
        assert firing["alerts"][0]["labels"]["type"] == "process"
        again = subprocess.Popen([program, "345"])
        try:
            webhook.wait_for(about("away", "resolved"))
        finally:
            again.terminate()
            again.wait()


def test_acknowledgement_is_kept_with_who_and_when(data, webhook):
    rules = "    always:\n      gauge: {expr: 'node_boot_time_seconds', above: {critical: 1}}\n"
    with Server(data, command="up", packages={"test": package(webhook, rules)}) as server:
        webhook.wait_for(about("always"))
        alert = server.alert("always")
        assert (alert["state"], alert["severity"]) == ("firing", "critical")
        acked = server.post(f"/alerts/{alert['id']}/ack", {"note": "on it"})
        assert acked["ack"]["note"] == "on it"
        assert [line["to"] for line in acked["history"]][-1] == "acknowledged"
        server.kill()
        server.start()
        assert server.get(f"/alerts/{alert['id']}")["ack"]["note"] == "on it"
        assert "ack" not in server.delete(f"/alerts/{alert['id']}/ack")


def test_an_agent_that_goes_away_is_no_data_and_nothing_recovers_by_itself(data, webhook, tmp_path):
    rules = "    always:\n      gauge: {expr: 'node_boot_time_seconds', above: {critical: 1}}\n      no_data: 3s\n"
    with Server(data, packages={"test": package(webhook, rules)}) as server:
        with Agent(tmp_path / "agent", server) as agent:
            webhook.wait_for(about("always", "firing"))
            agent.kill()
            until(lambda: server.alert("always")["state"] == "no_data", what="no data")
            assert not [r for r in webhook.requests if about("always", "resolved")(r)]
            agent.start()
            until(lambda: server.alert("always")["state"] == "firing", what="firing again by a sample")


def test_a_dead_webhook_is_retried_and_blocks_nobody(data, webhook):
    with WebhookSink(answer=lambda request: (503, "down for maintenance")) as dead:
        rules = "    always:\n      gauge: {expr: 'node_boot_time_seconds', above: {critical: 1}}\n"
        text = package(webhook, rules) + f"    dead: {{webhook: {{url: '{dead.url}'}}}}\n"
        with Server(data, command="up", packages={"test": text}) as server:
            webhook.wait_for(about("always"))
            tries = dead.wait_for(about("always"), count=2)
            keys = {r["headers"]["Idempotency-Key"] for r in tries}
            assert len(keys) == 1, "a retry carries the key of the first attempt"
            delivery = next(n for n in server.get("/notifications")["notifications"]
                            if "dead" in n["channel"] and n["alert_name"] == "always")
            assert delivery["state"] == "retrying"
            assert delivery["attempts"][0]["status"] == 503
            assert "maintenance" in delivery["attempts"][0]["answer"]


def test_slack_gets_its_own_form(data):
    with WebhookSink() as slack:
        text = ("package: test\nversion: 1.0.0\nrules:\n  test:\n    always:\n"
                "      gauge: {expr: 'node_boot_time_seconds', above: {warning: 1}}\n"
                f"channels:\n  ops:\n    chat: {{slack: {{url: '{slack.url}'}}}}\n")
        with Server(data, command="up", packages={"test": text}):
            body = slack.wait_for()[0]["body"]
            assert body["attachments"][0]["fallback"] or body["text"]


def test_checks_are_added_by_url_and_live_within_a_second(watchtower):
    until(lambda: [h for h in watchtower.get("/hosts")["hosts"] if h["state"] == "up"], what="the agent")
    host = watchtower.get("/hosts")["hosts"][0]["name"]
    check = watchtower.post("/checks", {"type": "http", "target": watchtower.url + "/-/healthy", "on": host,
                                        "period": "1s"})
    until(lambda: [c for c in watchtower.get("/checks")["checks"] if c["id"] == check["id"] and c["state"] == "up"],
          timeout=10, what="the check's first result")
    watchtower.delete(f"/checks/{check['id']}")
    assert not [c for c in watchtower.get("/checks")["checks"] if c["id"] == check["id"]]


def test_rules_that_cannot_be_evaluated_are_refused_with_their_place(server):
    server.write_package("broken", "package: broken\nversion: 1.0.0\nrules:\n  a:\n    b:\n"
                                   "      gauge: {expr: 'rate(x', above: {warning: 1}}\n")
    with pytest.raises(HttpError) as refused:
        server.call("POST", "/-/reload")
    assert refused.value.status in (400, 422)
    assert refused.value.body["place"]["file"].endswith("broken/package.yaml")
    assert refused.value.body["place"]["line"] == 6
    states = {p["name"]: p["state"] for p in server.get("/packages")["packages"]}
    assert states["broken"] == "broken" and states["host"] == "ok"
