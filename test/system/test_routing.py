"""Routing in Alertmanager's format through the real binary: groups, silences, inhibition, reloads, restarts."""

import datetime
import urllib.parse

import pytest

from atalaya import HttpError, Server, until
from sinks import WebhookSink

ROUTES = """route:
  receiver: ops
  group_by: [cluster]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 4h
  routes:
  - matchers: ['team="dba"']
    receiver: dba
    group_wait: 0s
receivers:
- name: ops
  webhook_configs:
  - {url: '%s'}
- name: dba
  webhook_configs:
  - {url: '%s'}
inhibit_rules:
- source_matchers: ['alertname="cluster_down"']
  target_matchers: ['alertname="disk"']
  equal: [cluster]
"""


def indented(text):
    return "".join("  " + line + "\n" for line in text.splitlines())


@pytest.fixture
def sinks():
    with WebhookSink() as ops, WebhookSink() as dba:
        yield ops, dba


def section(ops, dba, repeat="4h"):
    routes = (ROUTES % (ops.url, dba.url)).replace("repeat_interval: 4h", f"repeat_interval: {repeat}")
    return "package: test\nversion: 1.0.0\nalertmanager:\n" + indented(routes)


def alert(name, instance, team="web", ends=None):
    labels = {"alertname": name, "instance": instance, "cluster": "c1", "team": team}
    return {"labels": labels, **({"endsAt": ends} if ends else {})}


def now(**delta):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**delta)).isoformat()


def post(server, *alerts):
    return server.call("POST", "/api/v2/alerts", list(alerts))


def of(instance, status):
    """Tells of this instance in this status."""
    def matching(request):
        return any(a["labels"]["instance"] == instance and a["status"] == status for a in request["body"]["alerts"])
    return matching


def told(sink):
    return [(r["body"]["status"], sorted(a["labels"]["instance"] for a in r["body"]["alerts"])) for r in sink.requests]


def acts(server, word="group_by"):
    def configured():
        return word in server.call("GET", "/api/v2/status")["config"]["original"]
    until(configured, what="the configuration")


def test_many_alerts_of_a_group_are_one_page_to_its_receiver_alone(data, sinks):
    ops, dba = sinks
    with Server(data, packages={"test": section(ops, dba)}) as server:
        acts(server, "dba")
        post(server, *[alert("disk", f"n{i:02}") for i in range(30)], alert("slow", "q1", team="dba"))
        body = ops.wait_for()[0]["body"]
        assert len(body["alerts"]) == 30 and body["truncatedAlerts"] == 0
        assert (body["version"], body["receiver"], body["status"]) == ("4", "ops", "firing")
        assert body["groupKey"] == '{}:{cluster="c1"}' and body["groupLabels"] == {"cluster": "c1"}
        assert body["commonLabels"]["alertname"] == "disk" and "instance" not in body["commonLabels"]
        assert dba.wait_for()[0]["body"]["groupKey"] == '{}/{team="dba"}:{cluster="c1"}'
        groups = server.call("GET", "/api/v2/alerts/groups")
        assert [(g["receiver"]["name"], len(g["alerts"])) for g in groups] == [("dba", 1), ("ops", 30)]
        assert {r["name"] for r in server.call("GET", "/api/v2/receivers")} == {"ops", "dba"}
        original = server.call("GET", "/api/v2/status")["config"]["original"]
        assert ops.url not in original and "<secret>" in original
        post(server, *[alert("disk", f"n{i:02}", ends=now()) for i in range(30)])
        ops.wait_for(lambda r: r["body"]["status"] == "resolved")
        assert [status for status, _ in told(dba)] == ["firing"]


def test_a_silence_hides_and_its_end_tells(data, sinks):
    ops, dba = sinks
    with Server(data, packages={"test": section(ops, dba)}) as server:
        acts(server, "dba")
        silence = server.call("POST", "/api/v2/silences", {
            "matchers": [{"name": "instance", "value": "n1", "isRegex": False}], "startsAt": now(),
            "endsAt": now(hours=1), "createdBy": "ana", "comment": "works"})["silenceID"]
        post(server, alert("disk", "n1"), alert("disk", "n2"))
        ops.wait_for(of("n2", "firing"))
        shown = server.call("GET", "/api/v2/alerts?" + urllib.parse.urlencode({"filter": 'instance="n1"'}))[0]
        assert (shown["status"]["state"], shown["status"]["silencedBy"]) == ("suppressed", [silence])
        assert not [r for r in ops.requests if of("n1", "firing")(r)]
        server.call("DELETE", f"/api/v2/silence/{silence}")
        ops.wait_for(of("n1", "firing"))


def test_an_inhibited_alert_is_not_told_until_its_cause_is_over(data, sinks):
    ops, dba = sinks
    with Server(data, packages={"test": section(ops, dba)}) as server:
        acts(server, "dba")
        post(server, alert("cluster_down", "all"), alert("disk", "n1"))
        ops.wait_for(of("all", "firing"))
        shown = server.call("GET", "/api/v2/alerts?" + urllib.parse.urlencode({"filter": 'instance="n1"'}))[0]
        assert shown["status"]["state"] == "suppressed" and len(shown["status"]["inhibitedBy"]) == 1
        assert not [r for r in ops.requests if of("n1", "firing")(r)]
        post(server, alert("cluster_down", "all", ends=now()))
        ops.wait_for(of("n1", "firing"))


def test_neither_a_reload_nor_a_kill_tells_anybody_twice(data, sinks):
    ops, dba = sinks
    with Server(data, packages={"test": section(ops, dba)}) as server:
        acts(server, "dba")
        post(server, alert("disk", "n1"), alert("slow", "q1", team="dba"))
        ops.wait_for(of("n1", "firing"))
        dba.wait_for(of("q1", "firing"))
        until(lambda: {n["state"] for n in server.get("/notifications")["notifications"]} == {"sent"},
              what="the answers are stored")
        server.write_package("test", section(ops, dba, repeat="5h"))
        server.call("POST", "/-/reload")
        acts(server, "5h")
        server.kill()
        server.start()
        # Something new shows that everything before it was told.
        post(server, alert("disk", "n2"), alert("slow", "q2", team="dba"))
        ops.wait_for(of("n2", "firing"))
        dba.wait_for(of("q2", "firing"))
        assert told(ops) == [("firing", ["n1"]), ("firing", ["n1", "n2"])]
        assert told(dba) == [("firing", ["q1"]), ("firing", ["q1", "q2"])]
        keys = [r["headers"]["Idempotency-Key"] for r in ops.requests]
        assert len(keys) == len(set(keys)) and all(key.startswith("ops/webhook/0:") for key in keys)


def test_a_file_acts_and_a_bad_one_changes_nothing(data, sinks, tmp_path):
    ops, dba = sinks
    path = tmp_path / "alertmanager.yml"
    path.write_text(ROUTES % (ops.url, dba.url))
    with Server(data, arguments=["--alertmanager.config", path], packages={"test": section(dba, dba)}) as server:
        post(server, alert("disk", "n1"))
        ops.wait_for(of("n1", "firing"))
        path.write_text("route: {receiver: nobody}\nreceivers: [{name: ops}]\n")
        with pytest.raises(HttpError) as refused:
            server.call("POST", "/-/reload")
        assert "nobody" in str(refused.value.body)
        post(server, alert("disk", "n2"))
        ops.wait_for(of("n2", "firing"))
        path.write_text(ROUTES % (dba.url, dba.url))
        server.call("POST", "/-/reload")
        post(server, alert("disk", "n3"))
        dba.wait_for(of("n3", "firing"))


def test_without_a_configuration_every_channel_hears_at_once(data, webhook):
    package = f"package: test\nversion: 1.0.0\nchannels:\n  ops:\n    hook: {{webhook: {{url: '{webhook.url}'}}}}\n"
    with Server(data, packages={"test": package}) as server:
        post(server, alert("disk", "n1"), alert("disk", "n2"))
        webhook.wait_for(count=2)
        assert sorted(told(webhook)) == [("firing", ["n1"]), ("firing", ["n2"])]


def test_the_tree_is_shown_with_its_alerts_and_who_would_get_what(data, sinks):
    ops, dba = sinks
    worse = section(dba, dba).replace("package: test", "package: worse")
    with Server(data, packages={"test": section(ops, dba), "worse": worse}) as server:
        acts(server, "dba")
        post(server, alert("disk", "n1"), alert("slow", "q1", team="dba"), alert("cluster_down", "all"))
        until(lambda: server.get("/routes")["open"] == 3, what="three open alerts")
        tree = server.get("/routes")
        assert (tree["built_in"], tree["package"], tree["idle_packages"]) == (False, "test", ["worse"])
        assert (tree["route"]["alerts"], tree["route"]["told"]) == (3, 2)
        node = tree["route"]["routes"][0]
        assert (node["matchers"], node["receiver"], node["told"]) == (['team="dba"'], "dba", 1)
        assert node["group_wait"] == "0s" and tree["route"]["group_by"] == ["cluster"]
        receivers = {r["name"]: r["integrations"] for r in tree["receivers"]}
        assert [i["type"] for i in receivers["ops"]] == ["webhook"] and ops.url not in str(tree)
        assert tree["inhibit_rules"][0]["equal"] == ["cluster"]

        told = server.call("POST", "/api/atalaya/v1/routes/test", {"text": 'team="dba", cluster=c1'})
        assert told["receivers"] == ["dba"] and told["routes"][0]["group_key"] == '{}/{team="dba"}:{cluster="c1"}'
        assert [(v["takes"], v["ends"]) for v in told["path"]] == [(True, False), (True, True)]
        disk = next(a for a in server.get("/alerts")["alerts"] if a["name"] == "disk")
        told = server.call("POST", "/api/atalaya/v1/routes/test", {"alert": disk["id"]})
        assert (told["receivers"], told["muted"]) == (["ops"], True)
        assert [i["labels"]["alertname"] for i in told["inhibited_by"]] == ["cluster_down"]
        with pytest.raises(HttpError) as refused:
            server.call("POST", "/api/atalaya/v1/routes/test", {"text": "team=~dba"})
        assert refused.value.status == 400


def test_without_a_configuration_the_tree_is_the_built_in_route(data, webhook):
    package = f"package: test\nversion: 1.0.0\nchannels:\n  ops:\n    hook: {{webhook: {{url: '{webhook.url}'}}}}\n"
    with Server(data, packages={"test": package}) as server:
        until(lambda: len(server.get("/routes")["receivers"]) == 2, what="both channels")
        tree = server.get("/routes")
        assert tree["built_in"] and [r["name"] for r in tree["receivers"]] == ["browser", "test/ops/hook"]
        assert tree["route"]["group_by"] == ["..."] and "repeat_interval" not in tree["route"]
        told = server.call("POST", "/api/atalaya/v1/routes/test", {"labels": {"alertname": "disk"}})
        assert told["receivers"] == ["browser", "test/ops/hook"] and not told["muted"]
