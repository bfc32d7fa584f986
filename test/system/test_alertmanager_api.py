"""Alertmanager's API v2, by amtool and by Prometheus as the sender."""

import datetime
import json
import re
import shutil
import subprocess
import urllib.parse

import pytest

from atalaya import HttpError, Server, basic, until
from sinks import WebhookSink, about

amtool_missing = pytest.mark.skipif(not shutil.which("amtool"), reason="amtool is not installed (script/setup)")


def hook_package(webhook, rest=""):
    return ("package: test\nversion: 1.0.0\nchannels:\n  ops:\n"
            f"    hook: {{webhook: {{url: '{webhook.url}'}}}}\n" + rest)


@pytest.fixture
def hooked(data, webhook):
    with Server(data, packages={"test": hook_package(webhook)}) as server:
        yield server


def post(server, *alerts):
    return server.call("POST", "/api/v2/alerts", list(alerts))


def alert(name, **more):
    labels = {"alertname": name, **more.pop("labels", {})}
    return {"labels": labels, **more}


def ago(**delta):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**delta)).isoformat()


def listed(server, path="/api/v2/alerts", **parameters):
    query = "?" + urllib.parse.urlencode(parameters, doseq=True) if parameters else ""
    return server.call("GET", path + query)


def names(alerts):
    return sorted(a["labels"]["alertname"] for a in alerts)


def new_silence(**more):
    return {"matchers": [{"name": "alertname", "value": "disk", "isRegex": False}], "startsAt": ago(minutes=0),
            "endsAt": ago(hours=-1), "createdBy": "ana", "comment": "works", **more}


def test_an_alert_that_is_posted_is_told_shown_and_ends(hooked, webhook):
    post(hooked, alert("disk", labels={"severity": "critical", "instance": "db1"},
                       annotations={"summary": "full"}, generatorURL="http://prometheus/graph?x"))
    body = webhook.wait_for(about("disk"))[0]["body"]
    assert body["alerts"][0]["annotations"] == {"summary": "full"}
    shown = listed(hooked)[0]
    assert shown["labels"] == {"alertname": "disk", "severity": "critical", "instance": "db1"}
    assert shown["status"] == {"state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": []}
    assert {"name": "test/ops/hook"} in shown["receivers"]
    assert re.fullmatch("[0-9a-f]{16}", shown["fingerprint"])
    assert shown["startsAt"] < shown["endsAt"] and shown["generatorURL"] == "http://prometheus/graph?x"
    ours = hooked.alert("disk")
    assert (ours["kind"], ours["state"], ours["severity"], ours["status"]) == ("posted", "firing", "critical", "open")
    post(hooked, alert("disk", labels={"severity": "critical", "instance": "db1"}, endsAt=ago(seconds=1)))
    webhook.wait_for(about("disk", "resolved"))
    assert listed(hooked) == []


def test_repeats_are_counted_and_the_earliest_start_is_kept(hooked):
    early = ago(minutes=10)
    post(hooked, alert("disk", startsAt=early))
    post(hooked, alert("disk", startsAt=ago(minutes=2), annotations={"summary": "worse"}))
    shown, ours = listed(hooked)[0], hooked.alert("disk")
    assert datetime.datetime.fromisoformat(shown["startsAt"].replace("Z", "+00:00")) \
        - datetime.datetime.fromisoformat(early) < datetime.timedelta(seconds=1)
    assert shown["annotations"] == {"summary": "worse"} and ours["count"] == 2
    assert len(hooked.get(f"/alerts/{ours['id']}")["history"]) == 1


def test_bad_alerts_are_named_and_the_good_ones_of_the_batch_taken(hooked):
    with pytest.raises(HttpError) as refused:
        post(hooked, alert("good"), {"labels": {}}, alert("late", startsAt=ago(minutes=1), endsAt=ago(minutes=2)))
    assert refused.value.status == 400 and isinstance(refused.value.body, str)
    assert "alerts[1]" in refused.value.body and "alerts[2]" in refused.value.body
    assert names(listed(hooked)) == ["good"]
    for body in ({"labels": {"a": "b"}}, [{"annotations": {}}], [{"labels": {"a": 1}}], [3]):
        with pytest.raises(HttpError) as refused:
            hooked.call("POST", "/api/v2/alerts", body)
        assert refused.value.status == 400 and isinstance(refused.value.body, str)


def test_ten_megabytes_of_text_are_refused_with_place_and_remedy(hooked):
    with pytest.raises(HttpError) as refused:
        post(hooked, alert("disk", annotations={"summary": "x" * (10 << 20)}))
    assert refused.value.status == 400
    assert "alerts[0].annotations.summary" in refused.value.body and "shorten it" in refused.value.body
    assert listed(hooked) == []


def names_of_receivers(server, name, **parameters):
    return [a["receivers"] for g in listed(server, "/api/v2/alerts/groups", **parameters) for a in g["alerts"]
            if a["labels"]["alertname"] == name][0]


def test_silences_are_found_by_the_very_matchers_that_they_have(hooked):
    silence = {**new_silence(), "matchers": [{"name": "alertname", "value": "d.*", "isRegex": True},
                                             {"name": "team", "value": "web", "isRegex": False, "isEqual": False}]}
    hooked.call("POST", "/api/v2/silences", silence)
    found = lambda *filters: len(listed(hooked, "/api/v2/silences", filter=list(filters)))
    assert [found("alertname=~d.*"), found("alertname=~d.*", "team!=web"), found()] == [1, 1, 1]
    assert [found("alertname=d.*"), found("alertname=disk"), found("team=web"), found("team!=db")] == [0, 0, 0, 0]
    assert listed(hooked, "/api/v2/silences", active="false") == []


def test_lists_are_filtered_as_alertmanager_does(hooked):
    post(hooked, alert("disk", labels={"team": "db"}), alert("cpu"))
    assert names(listed(hooked, filter=['team="db"'])) == ["disk"]
    assert names(listed(hooked, filter=['team=""'])) == ["cpu"]
    assert names(listed(hooked, filter=["alertname=~d.*", "team!=web"])) == ["disk"]
    assert names(listed(hooked, receiver="test/.*")) == ["cpu", "disk"]
    assert listed(hooked, receiver="nobody") == []
    for wrong in ({"filter": "alertname=~("}, {"filter": "="}, {"receiver": "("}):
        with pytest.raises(HttpError) as refused:
            listed(hooked, **wrong)
        assert refused.value.status == 400 and isinstance(refused.value.body, str)
    assert [g["name"] for g in names_of_receivers(hooked, "cpu", receiver="test/ops/hook")] == ["test/ops/hook"]
    groups = [g for g in listed(hooked, "/api/v2/alerts/groups") if g["receiver"]["name"] == "test/ops/hook"]
    assert [names(g["alerts"]) for g in groups] == [["cpu"], ["disk"]]


def test_a_silence_hides_notifications_and_never_state(hooked, webhook):
    made = hooked.call("POST", "/api/v2/silences", new_silence())["silenceID"]
    post(hooked, alert("disk"), alert("cpu"))
    webhook.wait_for(about("cpu"))
    shown = {a["labels"]["alertname"]: a["status"] for a in listed(hooked)}
    assert shown["disk"]["state"] == "suppressed" and shown["disk"]["silencedBy"] == [made]
    assert names(listed(hooked, silenced="false")) == ["cpu"] and names(listed(hooked, active="false")) == ["disk"]
    assert hooked.alert("disk")["status"] == "suppressed"
    silence = hooked.call("GET", f"/api/v2/silence/{made}")
    assert silence["status"]["state"] == "active" and silence["comment"] == "works"
    assert [s["hides"] for s in hooked.get("/silences")["silences"]] == [1]
    assert not [r for r in webhook.requests if about("disk")(r)]
    hooked.kill()
    hooked.start()
    assert hooked.call("GET", f"/api/v2/silence/{made}")["status"]["state"] == "active"
    hooked.call("DELETE", f"/api/v2/silence/{made}")
    webhook.wait_for(about("disk", "firing"))
    assert hooked.call("GET", f"/api/v2/silence/{made}")["status"]["state"] == "expired"


def test_what_was_answered_is_there_after_kill_9(hooked):
    for first in range(0, 600, 30):
        post(hooked, *(alert(f"storm{n}") for n in range(first, first + 30)))
    hooked.kill()
    hooked.start()
    assert len(listed(hooked)) == 600
    post(hooked, *(alert(f"storm{n}", endsAt=ago(seconds=1)) for n in range(300)))
    hooked.kill()
    hooked.start()
    assert sorted(names(listed(hooked))) == sorted(f"storm{n}" for n in range(300, 600))
    ended = hooked.get("/alerts", state="all", text="storm17", limit=1000)["alerts"]
    assert {a["state"] for a in ended} == {"resolved"} and len(ended) == 11
    assert [h["to"] for h in hooked.get(f"/alerts/{ended[0]['id']}")["history"]] == ["firing", "resolved"]


def test_silences_that_make_no_sense_are_refused(hooked):
    for more in ({"endsAt": ago(hours=1)}, {"startsAt": ago(hours=-3)}, {"matchers": []},
                 {"matchers": [{"name": "a", "value": "", "isRegex": False}]},
                 {"matchers": [{"name": "a", "value": "(", "isRegex": True}]}, {"comment": None, "createdBy": 3}):
        with pytest.raises(HttpError) as refused:
            hooked.call("POST", "/api/v2/silences", new_silence(**more))
        assert refused.value.status == 400 and isinstance(refused.value.body, str), more
    unknown = "00000000-0000-4000-8000-000000000000"
    for method, path, body in (("POST", "silences", new_silence(id=unknown)), ("GET", f"silence/{unknown}", None),
                               ("DELETE", f"silence/{unknown}", None)):
        with pytest.raises(HttpError) as refused:
            hooked.call(method, f"/api/v2/{path}", body)
        assert refused.value.status == 404
    assert hooked.call("GET", "/api/v2/silences") == []


def test_silences_of_packages_act_and_end_with_their_item(data, webhook):
    text = hook_package(webhook, "silences:\n  works: {matchers: 'alertname=\"disk\"', comment: a new disk,"
                                 " ends_at: '2099-01-01T00:00:00Z'}\n")
    with Server(data, packages={"test": text}) as server:
        declared = until(lambda: server.call("GET", "/api/v2/silences"), what="the silence")[0]
        assert declared["comment"] == "a new disk" and declared["origin"] == "test/works"
        with pytest.raises(HttpError) as refused:
            server.call("DELETE", f"/api/v2/silence/{declared['id']}")
        assert "test/works" in refused.value.body and "package" in refused.value.body
        post(server, alert("disk"))
        assert listed(server)[0]["status"]["silencedBy"] == [declared["id"]]
        server.write_package("test", hook_package(webhook))
        webhook.wait_for(about("disk"))
        assert server.call("GET", "/api/v2/silences")[0]["status"]["state"] == "expired"
        server.write_package("test", text.replace('alertname="disk"', "alertname=~("))
        with pytest.raises(HttpError) as refused:
            server.call("POST", "/-/reload")
        assert refused.value.body["place"]["line"] == 7


def test_a_silence_of_a_package_recurs_by_the_calendar(data, webhook):
    always = "windows: [{times: [{start_time: '00:00', end_time: '24:00'}], location: Europe/Madrid}]"
    text = hook_package(webhook, "silences:\n  nights: {matchers: 'alertname=\"disk\"', %s}\n")
    with Server(data, packages={"test": text % always}) as server:
        declared = until(lambda: server.call("GET", "/api/v2/silences"), what="the silence")[0]
        assert declared["status"]["state"] == "active" and declared["windows"][0]["location"] == "Europe/Madrid"
        post(server, alert("disk"))
        assert server.alert("disk")["status"] == "suppressed"
        server.write_package("test", text % "windows: [{years: ['1999']}]")
        webhook.wait_for(about("disk"))
        assert server.call("GET", "/api/v2/silences")[0]["status"]["state"] == "pending"
        for wrong in ("comment: it never ends", "windows: [{weekdays: ['someday']}]"):
            server.write_package("test", text % wrong)
            with pytest.raises(HttpError) as refused:
                server.call("POST", "/-/reload")
            assert refused.value.body["place"]["line"] == 7


def test_who_may_what_and_by_which_credential(hooked):
    def token(role):
        return hooked.cli("token", "create", "--data", hooked.data, "--role", role, "--ttl", "1h").strip()
    viewer, operator, ingest = token("viewer"), token("operator"), token("ingest")
    hooked.call("POST", "/api/v2/alerts", [alert("disk")], token=ingest)
    assert hooked.call("GET", "/api/v2/alerts", token=None, headers={"Authorization": basic("any", viewer)})
    hooked.call("POST", "/api/v2/silences", new_silence(), token=operator)
    for method, path, body, who in (("POST", "alerts", [alert("x")], viewer),
                                    ("POST", "silences", new_silence(), viewer),
                                    ("GET", "alerts", None, ingest)):
        with pytest.raises(HttpError) as refused:
            hooked.call(method, f"/api/v2/{path}", body, token=who)
        assert refused.value.status == 403
    with pytest.raises(HttpError) as refused:
        hooked.call("GET", "/api/v2/alerts", token=None)
    assert refused.value.status == 401


@amtool_missing
def test_amtool_works_unchanged(hooked, webhook, tmp_path):
    def amtool(*arguments, fails=False):
        host = hooked.url.replace("http://", f"http://any:{hooked.token}@")
        done = subprocess.run(["amtool", f"--alertmanager.url={host}", *arguments], capture_output=True, text=True,
                              timeout=60, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"})
        assert (done.returncode != 0) == fails, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stderr if fails else done.stdout

    amtool("alert", "add", "disk", "instance=db1", "severity=critical", "--annotation=summary=full")
    amtool("alert", "add", "cpu", "instance=web1")
    webhook.wait_for(about("disk"))
    found = amtool("alert", "query")
    assert "disk" in found and "full" in found and "cpu" in found and "active" in found
    assert "cpu" not in amtool("alert", "query", "disk")
    assert [a["labels"]["alertname"] for a in json.loads(amtool("-o", "json", "alert", "query", "instance=~web.*"))] \
        == ["cpu"]
    made = amtool("silence", "add", "--author=ana", "--comment=new disk", "--duration=1h", "alertname=disk").strip()
    assert "disk" not in amtool("alert", "query") and "disk" in amtool("alert", "query", "--silenced")
    assert "new disk" in amtool("silence", "query") and made in amtool("silence", "query", "-q")
    assert made in amtool("silence", "update", "--duration=2h", "--comment=still", made)
    assert "still" in amtool("silence", "query")
    (tmp_path / "silences.json").write_text(amtool("-o", "json", "silence", "query"))
    amtool("silence", "expire", made)
    assert made not in amtool("silence", "query", "-q")
    assert made in amtool("silence", "query", "--expired", "-q")
    amtool("silence", "import", str(tmp_path / "silences.json"))
    assert "still" in amtool("silence", "query") and made not in amtool("silence", "query", "-q")
    assert "receiver" in amtool("config", "show")
    assert "test/ops/hook" in amtool("config", "routes", "show")
    assert amtool("cluster", "show")
    assert "404" in amtool("silence", "expire", "00000000-0000-4000-8000-000000000000", fails=True)
    good = tmp_path / "am.yml"
    good.write_text("route: {receiver: a, group_wait: 10s}\nreceivers: [{name: a}]\n")
    assert "SUCCESS" in amtool("check-config", str(good))


@pytest.mark.skipif(not shutil.which("prometheus"), reason="prometheus is not installed (script/setup)")
def test_prometheus_sends_its_alerts_to_us(hooked, webhook, tmp_path):
    rules = tmp_path / "rules.yml"
    rules.write_text("groups: [{name: g, interval: 1s, rules: [{alert: Always, expr: vector(1), "
                     "labels: {severity: warning}, annotations: {summary: 'is {{ $value }}'}}]}]\n")
    config = tmp_path / "prometheus.yml"
    config.write_text(f"global: {{evaluation_interval: 1s}}\nrule_files: [{rules}]\nalerting:\n  alertmanagers:\n"
                      f"  - static_configs: [{{targets: ['{hooked.listen}']}}]\n"
                      f"    basic_auth: {{username: any, password: '{hooked.token}'}}\n")
    sender = subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path}/tsdb",
                               "--web.listen-address=127.0.0.1:0", "--rules.alert.resend-delay=1s"],
                              stderr=subprocess.DEVNULL)
    try:
        body = webhook.wait_for(about("Always", "firing"), timeout=60)[0]["body"]
        assert body["alerts"][0]["annotations"] == {"summary": "is 1"}
        ours = hooked.alert("Always")
        assert ours["labels"] == {"alertname": "Always", "severity": "warning"} and ours["door"] == "alertmanager"
        assert "/graph?g0.expr=" in ours["generator_url"]
    finally:
        sender.terminate()
        sender.wait(30)


def test_people_shelve_close_and_remark_and_the_history_keeps_it(hooked, webhook):
    post(hooked, alert("disk"))
    webhook.wait_for(about("disk"))
    id = hooked.alert("disk")["id"]
    assert hooked.post(f"/alerts/{id}/ack", {"note": "on it", "for": "1h"})["ack"]["until"]
    assert hooked.post(f"/alerts/{id}/shelve", {"for": "2h"})["status"] == "shelved"
    assert "ack" in hooked.delete(f"/alerts/{id}/shelve")
    hooked.post(f"/alerts/{id}/notes", {"text": "a disk is on its way"})
    closed = hooked.post(f"/alerts/{id}/close", {"note": "replaced"})
    assert closed["status"] == "closed" and closed["closed"]["note"] == "replaced"
    assert [line["to"] for line in closed["history"]] == ["firing", "acknowledged", "shelved", "unshelved", "note",
                                                          "closed"]
    webhook.wait_for(about("disk", "resolved"))
    for path, body in (("shelve", {}), ("shelve", {"for": "1h", "until": ago(hours=-1)}), ("notes", {})):
        with pytest.raises(HttpError) as refused:
            hooked.post(f"/alerts/{id}/{path}", body)
        assert refused.value.status == 400


def test_alerts_and_silences_on_the_command_line(hooked):
    post(hooked, alert("disk", labels={"instance": "db1"}))

    def atalaya(*arguments):
        return hooked.cli(*arguments, "--data", hooked.data)
    id = hooked.alert("disk")["id"]
    assert id in atalaya("alert", "list") and "instance=db1" in atalaya("alert", "list", "--host", "db1")
    assert "acknowledged" in atalaya("alert", "ack", id, "--note", "on it", "--for", "1h")
    assert "shelved" in atalaya("alert", "shelve", id, "--for", "1h")
    atalaya("alert", "note", id, "remember this")
    made = atalaya("silence", "add", "instance=db1", "--for", "2h", "--comment", "new disk").strip()
    assert made in atalaya("silence", "list") and "new disk" in atalaya("silence", "list")
    atalaya("silence", "expire", made)
    assert made not in atalaya("silence", "list") and made in atalaya("silence", "list", "--expired")
    assert "closed" in atalaya("alert", "close", id)
    shown = atalaya("alert", "show", id)
    assert "remember this" in shown and "at the command line" in shown
    assert json.loads(atalaya("alert", "list", "--state", "all", "-o", "json"))["alerts"][0]["id"] == id


def test_a_job_that_pings_and_then_stays_away_is_an_alert(hooked, webhook):
    made = hooked.post("/pings", {"name": "backup", "period": "1s", "grace": "1s", "labels": {"team": "db"}})
    path = made["url"].removeprefix(hooked.url)

    def ping(rest="", method="GET", body=None):
        return hooked.call(method, path + rest, body, token=None, raw=True)
    assert ping("/log", "POST", b"about to begin") == b"OK"
    assert ping("/start") == b"OK" and ping(method="HEAD") == b""
    webhook.wait_for(about("backup", "firing"))
    assert hooked.get(f"/pings/{made['id']}")["state"] == "down"
    assert ping("/0") == b"OK"
    webhook.wait_for(about("backup", "resolved"))
    assert ping("/3", "POST", b"disk \xff full") == b"OK"
    ours = hooked.alert("backup")
    assert ours["door"] == "ping" and "exit status 3" in ours["text"] and ours["labels"]["team"] == "db"
    log = hooked.get(f"/pings/{made['id']}")["log"]
    assert [line["kind"] for line in log] == ["fail", "success", "success", "start", "log"]
    assert log[0]["body"] == "disk ? full" and log[-1]["body"] == "about to begin"
    for rest, status in (("/256", 400), ("/nonsense", 400)):
        with pytest.raises(HttpError) as refused:
            ping(rest)
        assert refused.value.status == status
    with pytest.raises(HttpError) as refused:
        hooked.call("GET", "/ping/00000000-0000-4000-8000-000000000000", token=None)
    assert refused.value.status == 404
    with pytest.raises(HttpError) as refused:
        hooked.post("/pings", {"name": "backup"})
    assert refused.value.status == 409
    hooked.delete(f"/pings/{made['id']}")
    assert hooked.get("/pings")["pings"] == []
    assert hooked.alert("backup")["state"] == "resolved"
