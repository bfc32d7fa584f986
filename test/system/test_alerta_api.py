"""Alerta's API under /alerta: recorded conversations, then what its clients do, by plain HTTP."""

import json
import pathlib
import re
import urllib.parse

import pytest

from atalaya import HttpError, Server, until
from sinks import about

CONVERSATIONS = json.loads(
    (pathlib.Path(__file__).parent.parent / "golden/alerta-http-api/scripts.json").read_text())["scripts"]


class Answers:
    """What a conversation got so far, and its placeholders: `{{$2.alert.history[0].user}}`, `{{sorted($3.x)}}`."""

    def __init__(self):
        self.bodies, self.statuses = {}, {}

    def value(self, expression):
        call = re.fullmatch(r"(sorted|len)\((.*)\)", expression)
        if call:
            inner = self.value(call.group(2))
            return sorted(inner) if call.group(1) == "sorted" else len(inner)
        number, _, path = expression.lstrip("$").partition(".")
        if path == "#status":
            return self.statuses[int(number)]
        value = self.bodies[int(number)]
        for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
            value = value[name] if name else value[int(index)]
        return value

    def fill(self, thing):
        if isinstance(thing, str):
            whole = re.fullmatch(r"\{\{([^{}]*)\}\}", thing)
            if whole:
                return self.value(whole.group(1))
            return re.sub(r"\{\{(.*?)\}\}", lambda found: str(self.value(found.group(1))), thing)
        if isinstance(thing, list):
            return [self.fill(one) for one in thing]
        return {key: self.fill(one) for key, one in thing.items()} if isinstance(thing, dict) else thing


HOLDS = {"equal": lambda a, b: a == b, "notequal": lambda a, b: a != b, "in": lambda a, b: a in b,
         "greater": lambda a, b: a > b}


def ask(server, method, path, body=None, headers=None, **parameters):
    """Status and body, whichever the status is."""
    if parameters:
        path += "?" + urllib.parse.urlencode(parameters, doseq=True)
    try:
        sent = server.call(method, "/alerta" + path, body, headers=headers)
    except HttpError as error:
        return error.status, error.body
    return 201 if method == "POST" else 200, sent


@pytest.mark.parametrize("script", CONVERSATIONS, ids=lambda script: script["test"])
def test_a_recorded_conversation_goes_as_with_alerta(data, script):
    timeout = f"--alerta.alert-timeout={script['server_config']['ALERT_TIMEOUT']}s"
    with Server(data, arguments=["--insecure-no-auth", timeout]) as server:
        answers = Answers()
        for step in script["steps"]:
            if "request" in step:
                path = urllib.parse.quote(answers.fill(step["path"]), safe="/?=&:.")
                status, body = ask(server, step["method"], path, answers.fill(step.get("body")), step.get("headers"))
                answers.statuses[step["request"]], answers.bodies[step["request"]] = status, body
                continue
            filled = answers.fill(step["args"])
            assert HOLDS[step["assert"]](*filled), f"{step}: {filled}\n{json.dumps(answers.bodies, indent=1)[-4000:]}"


def post(server, event="down", resource="web01", **more):
    body = {"resource": resource, "event": event, "environment": "Production", "severity": "major",
            "service": ["Web"], **more}
    return server.call("POST", "/alerta/alert", body)


def get(server, path, **parameters):
    query = "?" + urllib.parse.urlencode(parameters, doseq=True) if parameters else ""
    return server.call("GET", "/alerta" + path + query)


def put(server, path, body):
    return server.call("PUT", "/alerta" + path, body)


def events(server, **parameters):
    return sorted(a["event"] for a in get(server, "/alerts", **parameters)["alerts"])


def refused(server, method, path, body, status):
    with pytest.raises(HttpError) as raised:
        server.call(method, "/alerta" + path, body)
    assert raised.value.status == status
    assert raised.value.body["status"] == "error"
    return raised.value.body["message"]


def test_what_is_reported_is_an_alert_of_ours_and_is_told(data, webhook):
    package = f"package: test\nversion: 1.0.0\nchannels:\n  ops:\n    hook: {{webhook: {{url: '{webhook.url}'}}}}\n"
    with Server(data, packages={"test": package}) as server:
        made = post(server, text="it is down", value="500", tags=["dc1"], group="Net", origin="probe")
        told = webhook.wait_for(about("down"))[0]["body"]
        assert told["alerts"][0]["labels"]["severity"] == "major"
        assert told["alerts"][0]["annotations"] == {"summary": "it is down", "value": "500"}
        ours = server.alert("down")
        assert ours["id"] == made["id"] and ours["door"] == "alerta"
        assert (ours["state"], ours["severity"], ours["severity_word"]) == ("firing", "warning", "major")
        assert ours["labels"] == {"alertname": "down", "instance": "web01", "environment": "Production",
                                  "service": "Web", "group": "Net", "origin": "probe", "tags": "dc1"}
        post(server, severity="ok")
        webhook.wait_for(about("down", "resolved"))
        assert server.alert("down")["state"] == "resolved"


def test_what_others_posted_is_seen_tagged_and_acknowledged_by_alertas_clients(server):
    server.call("POST", "/api/v2/alerts", [{"labels": {"alertname": "disk", "instance": "db1", "severity": "critical"},
                                            "annotations": {"summary": "full"}}])
    seen = get(server, "/alerts")["alerts"][0]
    assert (seen["event"], seen["resource"], seen["severity"], seen["status"]) == ("disk", "db1", "critical", "open")
    put(server, f"/alert/{seen['id']}/tag", {"tags": ["mine"]})
    put(server, f"/alert/{seen['id']}/action", {"action": "ack", "text": "on it"})
    seen = get(server, f"/alert/{seen['id']}")["alert"]
    assert (seen["tags"], seen["status"], seen["history"][-1]["type"]) == (["mine"], "ack", "ack")
    assert server.alert("disk")["status"] == "acknowledged"


def test_the_key_of_a_client_is_one_of_our_tokens(server):
    server.call("POST", "/alerta/alert", {"resource": "a", "event": "b"}, token=None,
                headers={"Authorization": f"Key {server.token}"})
    assert server.call("GET", "/alerta/alerts", token=None, headers={"X-API-Key": server.token})["total"] == 1
    with pytest.raises(HttpError) as raised:
        server.call("GET", "/alerta/alerts", token=None)
    assert raised.value.status == 401 and raised.value.body["message"]


@pytest.mark.parametrize("body, words", [
    ({"event": "x"}, "resource"), ({"resource": "x"}, "event"),
    ({"resource": "x", "event": "y", "severity": "bad"}, "severity: 'bad'"),
    ({"resource": "x", "event": "y", "text": "z" * 10_000_000}, "text: it has 10000000 bytes"),
    ({"resource": "x", "event": "y", "tags": [1]}, "tags"), ({"resource": "x", "event": "y", "timeout": -1}, "timeout"),
    ({"resource": "x", "event": "y", "createTime": "soon"}, "createTime"),
    ({"resource": "x", "event": "y", "attributes": {"a.b": 1}}, "'a.b'"),
    ({"resource": "x", "event": "y", "status": "blackout"}, "status"), ([], "object")])
def test_a_bad_report_is_refused_with_its_place_and_changes_nothing(server, body, words):
    assert words in refused(server, "POST", "/alert", body, 400)
    assert get(server, "/alerts")["total"] == 0


def test_actions_change_the_status_and_leave_a_history(server):
    made = post(server)
    path = f"/alert/{made['id']}"
    assert "already in open" in refused(server, "PUT", path + "/action", {"action": "open"}, 409)
    for action, status in [("ack", "ack"), ("unack", "open"), ("shelve", "shelved"), ("unshelve", "open"),
                           ("ack", "ack"), ("shelve", "shelved"), ("unshelve", "ack"), ("close", "closed"),
                           ("open", "open"), ("expired", "expired"), ("open", "open")]:
        assert put(server, path + "/action", {"action": action, "text": "why"}) == {"status": "ok"}
        assert get(server, path)["alert"]["status"] == status, action
    assert get(server, path)["alert"]["severity"] == "major"
    types = [line["type"] for line in get(server, path)["alert"]["history"]]
    assert types == ["new", "ack", "unack", "shelve", "unshelve", "ack", "shelve", "unshelve", "close", "open",
                     "expired", "open"]
    assert "must supply 'action'" in refused(server, "PUT", path + "/action", {}, 400)
    assert "blackout" in refused(server, "PUT", path + "/status", {"status": "blackout"}, 400)


def test_time_outs_end_alerts_shelves_and_acknowledgements(server):
    made = post(server, timeout=1)
    until(lambda: get(server, f"/alert/{made['id']}")["alert"]["status"] == "expired")
    for action, status in [("shelve", "shelved"), ("ack", "ack")]:
        other = post(server, event=action)
        put(server, f"/alert/{other['id']}/action", {"action": action, "timeout": 1})
        assert get(server, f"/alert/{other['id']}")["alert"]["status"] in (status, "open")
        until(lambda: get(server, f"/alert/{other['id']}")["alert"]["status"] == "open")


def test_short_ids_find_alerts_and_deleted_ones_are_gone(server):
    made = post(server)
    again = post(server)
    short = made["id"][:8]
    assert get(server, f"/alert/{short}")["alert"]["id"] == made["id"] == again["id"]
    last = again["alert"]["lastReceiveId"]
    assert last != made["id"] and get(server, f"/alert/{last[:8]}")["alert"]["id"] == made["id"]
    assert events(server, id=short) == ["down"]
    server.call("DELETE", f"/alerta/alert/{made['id']}")
    refused(server, "GET", f"/alert/{made['id']}", None, 404)
    assert server.alert("down") is None
    assert post(server)["id"] != made["id"]


@pytest.mark.parametrize("parameters, found", [
    ({"severity": "major"}, ["a", "b"]), ({"severity!": "major"}, ["c"]), ({"severity": ["major", "minor"]}, ["a", "b", "c"]),
    ({"event": "~^[ab]"}, ["a", "b"]), ({"event!": "~[ab]"}, ["c"]), ({"service": "Db"}, ["b"]), ({"tags": "x"}, ["a"]),
    ({"attributes.region": "EU"}, ["c"]), ({"q": "event:a OR event:b"}, ["a", "b"]), ({"q": "full"}, ["a"]),
    ({"q": "severity:major AND NOT event:a"}, ["b"]), ({"q": '"is full"'}, ["a"]), ({"q": "_.region:eu"}, ["c"]),
    ({"q": "_exists_:attributes.region"}, ["c"]), ({"q": "_exists_:region"}, ["c"]),
    ({"q": "severity:major NOT event:a"}, ["b"]), ({"q": "severity:major !event:a"}, ["b"]), ({"q": "service:Db"}, ["b"]), ({"q": "event:(a b)"}, ["a", "b"]),
    ({"q": "text:/fu.l/"}, ["a"]), ({"q": "resource:web0?"}, ["a", "b", "c"]), ({"q": "-event:a"}, ["b", "c"]),
    ({"q": "timeout:>100000"}, ["c"]), ({"q": "timeout:[1 TO 100000]"}, ["a", "b"]), ({"status": "closed"}, []),
    ({"repeat": "false"}, ["a", "b", "c"]), ({"from-date": "2100-01-01T00:00:00.000Z"}, [])])
def test_alerts_are_found_by_every_kind_of_question(server, parameters, found):
    post(server, "a", text="the disk is full", tags=["x"])
    post(server, "b", service=["Web", "Db"])
    post(server, "c", severity="minor", attributes={"region": "EU"}, timeout=200000)
    assert events(server, **parameters) == found


def test_questions_that_mean_nothing_are_refused_with_the_place(server):
    assert "nonsense" in refused(server, "GET", "/alerts?nonsense=1", None, 400)
    assert "character 8" in refused(server, "GET", "/alerts?q=(event:", None, 400)
    assert "sort-by" in refused(server, "GET", "/alerts?sort-by=nonsense", None, 400)
    assert get(server, "/alerts", page=3)["alerts"] == []
    post(server)
    assert "page out of range" in refused(server, "GET", "/alerts?page=3", None, 400)


def test_lists_are_sorted_paged_and_counted(server):
    for event, severity in [("a", "minor"), ("b", "critical"), ("c", "normal")]:
        post(server, event, severity=severity)
    order = [a["event"] for a in get(server, "/alerts")["alerts"]]
    assert order == ["c", "b", "a"]
    assert [a["event"] for a in get(server, "/alerts", reverse=1)["alerts"]] == ["a", "b", "c"]
    assert [a["event"] for a in get(server, "/alerts", **{"sort-by": "severity"})["alerts"]] == ["b", "a", "c"]
    page = get(server, "/alerts", **{"page": 2, "page-size": 2})
    assert (page["page"], page["pages"], page["more"], page["total"], len(page["alerts"])) == (2, 2, False, 3, 1)
    counts = get(server, "/alerts/count")
    assert counts["severityCounts"] == {"minor": 1, "critical": 1, "normal": 1}
    assert counts["statusCounts"] == {"open": 2, "closed": 1} and counts["total"] == 3


def test_the_ten_worst_and_what_alerts_are_grouped_by(server):
    for _ in range(3):
        post(server, "often", tags=["t"])
    post(server, "once", resource="db1", service=["Db"], group="Net")
    top = get(server, "/alerts/top10/count")["top10"]
    assert [(one["event"], one["count"], one["duplicateCount"]) for one in top] == [("often", 1, 2), ("once", 1, 0)]
    assert top[0]["resources"][0]["resource"] == "web01" and top[0]["services"] == ["Web"]
    post(server, "once", resource="db1", severity="critical")
    flapping = get(server, "/alerts/top10/flapping", **{"group-by": "resource"})["top10"]
    assert [(one["resource"], one["count"]) for one in flapping] == [("db1", 1)]
    assert {one["event"] for one in get(server, "/alerts/top10/standing")["top10"]} == {"often", "once"}
    assert [(e["environment"], e["count"]) for e in get(server, "/environments")["environments"]] == [("Production", 2)]
    assert [(e["service"], e["count"]) for e in get(server, "/services")["services"]] == [("Web", 2)]
    assert [(e["group"], e["count"]) for e in get(server, "/alerts/groups")["groups"]] == [("Misc", 1), ("Net", 1)]
    assert [(e["tag"], e["count"]) for e in get(server, "/alerts/tags")["tags"]] == [("t", 1)]
    lines = get(server, "/alerts/history", resource="db1")["history"]
    assert [(line["severity"], line["type"]) for line in lines] == [("critical", "severity"), ("major", "new")]


def test_everything_that_a_question_finds_is_changed_at_once(server):
    for event in "abc":
        post(server, event)
    post(server, "d", environment="Development")
    done = put(server, "/_bulk/alerts/action?environment=Production", {"action": "ack"})
    assert done["count"] == 3
    assert events(server, status="ack") == ["a", "b", "c"]
    put(server, "/_bulk/alerts/tag?event=a&event=b", {"tags": ["x"]})
    assert events(server, tags="x") == ["a", "b"]
    put(server, "/_bulk/alerts/attributes?event=d", {"attributes": {"k": "v"}})
    assert events(server, **{"attributes.k": "v"}) == ["d"]
    put(server, "/_bulk/alerts/status?event=c", {"status": "closed"})
    assert events(server, status="closed") == ["c"]
    server.call("DELETE", "/alerta/_bulk/alerts?environment=Production")
    assert events(server) == ["d"]
    assert "filter" in refused(server, "DELETE", "/_bulk/alerts", None, 400)


def test_notes_are_kept_changed_and_removed(server):
    made = post(server)
    path = f"/alert/{made['id']}/note"
    note = put(server, path, {"note": "looking"})
    assert note["note"]["text"] == "looking" and note["note"]["related"] == {"alert": made["id"]}
    put(server, f"{path}/{note['id']}", {"text": "found it"})
    assert [one["text"] for one in get(server, path + "s")["notes"]] == ["found it"]
    server.call("DELETE", f"/alerta{path}/{note['id']}")
    assert get(server, path + "s")["notes"] == []
    assert "no such note" in refused(server, "DELETE", f"{path}/{note['id']}", None, 404)
    texts = [line["text"] for line in get(server, f"/alert/{made['id']}")["alert"]["history"] if line["type"] == "note"]
    assert texts == ["looking", "found it"]


@pytest.mark.parametrize("blackout", [
    {"environment": "Production"}, {"resource": "web01"}, {"service": ["Web"]}, {"event": "down"}, {"group": "Net"},
    {"tags": ["dc1"]}, {"origin": "probe"}, {"resource": "web01", "event": "down"},
    {"service": ["Web", "Shop"], "tags": ["dc1", "dc2"]}], ids=lambda blackout: "+".join(blackout))
def test_a_blackout_of_each_field_hides_what_it_names_and_nothing_else(server, blackout):
    made = server.call("POST", "/alerta/blackout", {"environment": "Production", "duration": 60, **blackout})
    assert made["blackout"]["status"] == "active" and made["blackout"]["duration"] == 60
    hit = post(server, service=["Shop", "Web"], tags=["dc1", "dc2"], group="Net", origin="probe")
    miss = post(server, "up", resource="db1", environment="Development", service=["Website"], tags=["dc10"])
    assert (hit["alert"]["status"], miss["alert"]["status"]) == ("blackout", "open")
    assert server.alert("down")["status"] == "suppressed"
    server.call("DELETE", f"/alerta/blackout/{made['id']}")
    assert get(server, f"/alert/{hit['id']}")["alert"]["status"] == "open"
    assert get(server, "/blackouts")["blackouts"] == []


def test_a_blackout_keeps_its_id_through_changes_and_ends(server):
    made = server.call("POST", "/alerta/blackout", {"environment": "Production", "event": "x", "text": "works"})
    assert made["blackout"]["duration"] == 3600 and made["blackout"]["priority"] == 4
    put(server, f"/blackout/{made['id']}", {"event": "down", "duration": 2})
    shown = get(server, f"/blackout/{made['id']}")["blackout"]
    assert (shown["event"], shown["text"], shown["duration"]) == ("down", "works", 2)
    hit = post(server)
    assert hit["alert"]["status"] == "blackout"
    until(lambda: get(server, f"/alert/{hit['id']}")["alert"]["status"] == "open")
    assert get(server, f"/blackout/{made['id']}")["blackout"]["status"] == "expired"
    assert "environment" in refused(server, "POST", "/blackout", {"event": "x"}, 400)
    assert "before it begins" in refused(server, "POST", "/blackout", {"environment": "P", "duration": 0}, 400)


def test_heartbeats_are_ok_slow_and_expired_and_alert(server):
    beat = server.call("POST", "/alerta/heartbeat", {"origin": "cron/db1", "tags": ["t"], "timeout": 60,
                                                     "attributes": {"environment": "Production", "severity": "minor"}})
    assert (beat["heartbeat"]["origin"], beat["heartbeat"]["status"]) == ("cron/db1", "ok")
    again = server.call("POST", "/alerta/heartbeat", {"origin": "cron/db1", "timeout": 1, "createTime": "2020-01-01T00:00:00.000Z"})
    assert again["id"] == beat["id"] and again["heartbeat"]["status"] == "slow"
    until(lambda: get(server, "/heartbeats")["heartbeats"][0]["status"] == "expired")
    until(lambda: server.alert("cron/db1") and server.alert("cron/db1")["state"] == "firing")
    server.call("POST", "/alerta/heartbeat", {"origin": "cron/db1"})
    until(lambda: server.alert("cron/db1")["state"] == "resolved")
    assert get(server, f"/heartbeat/{beat['id']}")["heartbeat"]["status"] == "ok"
    assert [get(server, "/heartbeats", **{key: value})["total"] for key, value in
            [("status", "ok"), ("status", "slow"), ("origin", "cron/db1"), ("origin!", "cron/db1")]] == [1, 0, 1, 0]
    server.call("DELETE", f"/alerta/heartbeat/{beat['id']}")
    assert get(server, "/heartbeats")["total"] == 0
    assert "origin" in refused(server, "POST", "/heartbeat", {}, 400)


def test_another_value_is_a_line_of_the_history(server):
    for value in ("100", "101", "101", "102"):
        made = post(server, value=value)
    assert [(line["type"], line["value"]) for line in made["alert"]["history"]] == [
        ("new", "100"), ("value", "101"), ("value", "102")]
    assert made["alert"]["duplicateCount"] == 3


def test_people_and_keys_are_ours_in_alertas_words(server):
    assert get(server, "/userinfo")["scope"] == "admin read write"
    assert [user["name"] for user in get(server, "/users")["users"]] == ["admin"]
    server.cli("token", "create", "--data", str(server.data), "--role", "viewer", "--name", "board", "--ttl", "1h")
    keys = {key["text"]: key for key in get(server, "/keys")["keys"]}
    assert (keys["board"]["type"], keys["board"]["scopes"], keys["board"]["status"]) == ("read-only", ["read"], "active")
    assert {one["match"]: one["scopes"] for one in get(server, "/perms")["permissions"]}["operator"] == ["read", "write"]
    assert get(server, "/groups")["groups"] == []


def test_the_server_says_what_it_is(server):
    assert server.call("GET", "/alerta/management/healthcheck", token=None) == "OK"
    config = get(server, "/config")
    assert config["severity"]["security"] == 0
    assert set(config["colors"]["severity"]) == set(config["severity"])
    assert get(server, "/management/status")["version"]


def test_alerts_and_their_details_outlive_a_crash(data):
    with Server(data) as server:
        made = post(server, attributes={"k": [1, "x"]}, rawData="raw")
        put(server, f"/alert/{made['id']}/action", {"action": "ack"})
        before = get(server, f"/alert/{made['id']}")
        server.kill()
        server.start()
        assert get(server, f"/alert/{made['id']}") == before
        assert post(server)["alert"]["duplicateCount"] == 1
