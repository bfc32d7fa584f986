"""Packages through the real server: changes are live, kept, refused where they must be, and survive kill -9."""

import json
import os
import random
import threading

import pytest

from atalaya import API, HttpError, Server, until
from live_socket import LiveSocket

PROBE = """# What this test watches.
package: probe
version: 1.0.0
rules:
  load:
    # High at first, so that nothing fires.
    never_so_high:
      gauge: {expr: node_time_seconds, above: {warning: 1e18}}   # far away
"""


def change(server, *operations, **members):
    return server.post("/package-changes", {"operations": list(operations), **members})


def op(what, package="probe", section="rules", path=None, **members):
    return {"op": what, "package": package, "section": section, **({"path": path} if path is not None else {}), **members}


def refusal(call, *arguments, **members):
    with pytest.raises(HttpError) as refused:
        call(*arguments, **members)
    return refused.value


def as_role(server, role):
    """The same server for somebody of another role."""
    token = Server.cli("token", "create", "--data", server.data, "--role", role, "--ttl", "1h").strip()
    other = Server(server.data)
    other.url, other.token = server.url, token
    return other


def write_file(server, package, name, text):
    path = server.data / "packages" / "default" / package / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def text_of(server, package="probe", name="package.yaml"):
    return server.get(f"/packages/{package}/files/{name}")["text"]


def state_of(server, package="probe"):
    return next((p for p in server.get("/packages")["packages"] if p["name"] == package), None)


THRESHOLD = ["gauge", "above", "warning"]


def test_a_lower_threshold_is_live_in_the_judge(data):
    with Server(data, command="up", packages={"probe": PROBE}) as server:
        until(lambda: server.query("node_time_seconds"), what="samples")
        server.cycle()
        assert server.alert("never_so_high") is None
        done = change(server, op("set", path=["load", "never_so_high"], field=THRESHOLD, value=1), reason="too high")
        assert done["commit"] > 0 and "1 rule changes" in " ".join(done["effects"])
        until(lambda: (server.alert("never_so_high") or {}).get("state") == "firing", what="the alert")
        assert text_of(server) == PROBE.replace("1e18", "1"), "no other byte differs"
        server.post(f"/package-commits/{done['commit']}/revert", {"reason": "that was the point"})
        until(lambda: server.alert("never_so_high")["state"] == "resolved", what="the alert's end")
        assert text_of(server) == PROBE, "byte for byte"
        kept = server.get("/packages/probe/history")["commits"]
        assert [c["reason"] for c in kept][:2] == ["that was the point", "too high"]
        assert all(c["author"] for c in kept)


def test_an_instance_of_ping_measures(data):
    with Server(data, command="up") as server:
        instance = op("create", "ours", "instances", ["ping", "me"],
                      value={"with": {"host": "127.0.0.1", "period": "2s"}})
        seen = change(server, {"op": "create_package", "package": "ours"}, instance, preview=True)
        assert "commit" not in seen and state_of(server, "ours") is None, "a preview changes nothing"
        done = change(server, {"op": "create_package", "package": "ours"}, instance)
        assert any("collector" in effect for effect in done["effects"]), done["effects"]
        until(lambda: server.query('check_up{check="ping_check",target="127.0.0.1"}'), what="samples of the check")
        listed = state_of(server, "ping@me")
        assert listed["instance_of"]["package"] == "ping" and listed["instance_of"]["declared_in"] == "ours"
        change(server, op("remove", "ours", "instances", ["ping", "me"]))
        assert state_of(server, "ping@me") is None
        until(lambda: not server.query('check_up{check="ping_check"}'), what="the end of its series")


def test_a_file_changed_by_hand_is_noticed_and_stands_in_the_history(data):
    with Server(data, packages={"probe": PROBE}) as server:
        by_hand = PROBE.replace("1e18", "1e17")
        write_file(server, "probe", "package.yaml", by_hand)
        newest = until(lambda: server.get("/packages/probe/history")["commits"], what="the note")[0]
        assert newest["author"] == "files on disk"
        shown = server.get(f"/package-commits/{newest['id']}")["files"]
        assert [f["file"] for f in shown] == ["probe/package.yaml"]
        assert "+      gauge: {expr: node_time_seconds, above: {warning: 1e17}}" in shown[0]["diff"]
        server.post(f"/package-commits/{newest['id']}/revert")
        assert text_of(server) == PROBE
        write_file(server, "probe", "package.yaml", PROBE + "rulse: {}\n")
        broken = until(lambda: (lambda p: p["state"] == "broken" and p)(state_of(server)), what="the mistake")
        assert broken["errors"][0]["line"] == 9 and broken["errors"][0]["remedy"] == 'did you mean "rules"?'
        assert broken["sections"]["rules"] == 1, "what ran goes on"


def test_the_second_of_two_people_sees_both_versions(data):
    with Server(data, packages={"probe": PROBE}) as server:
        seen = server.get("/packages/probe/files/package.yaml")["hash"]
        first = op("set", path=["load", "never_so_high"], field=THRESHOLD, value=5)
        change(server, first, base={"probe/package.yaml": seen})
        second = op("set", path=["load", "never_so_high"], field=["title"], value="Mine")
        refused = refusal(change, server, second, base={"probe/package.yaml": seen})
        assert refused.status == 409
        conflict = refused.body["conflicts"][0]
        assert conflict["file"] == "probe/package.yaml" and conflict["base_hash"] == seen
        assert conflict["text"] == PROBE.replace("1e18", "5") == text_of(server)
        change(server, second, base={"probe/package.yaml": conflict["hash"]})
        assert "Mine" in text_of(server) and "warning: 5" in text_of(server)


def test_what_would_not_hold_is_refused_whole_with_every_mistake(data):
    with Server(data, packages={"probe": PROBE}) as server:
        refused = refusal(change, server,
                          op("set", path=["load", "never_so_high"], field=["title"], value="Good"),
                          op("create", path=["load", "bad"], yaml="guage: {expr: up}\n"),
                          op("create", path=["load", "worse"], yaml="binary: {expr: 'up +'}\nfor: soon\n"))
        assert refused.status in (400, 422)
        assert len(refused.body["errors"]) >= 3
        for error in refused.body["errors"]:
            assert error["line"] > 0 and error["column"] > 0 and error["file"].endswith("probe/package.yaml"), error
        assert text_of(server) == PROBE and server.get("/packages/probe/history")["commits"] == []


def test_a_section_with_its_form_comes_by_yaml_alone(data):
    books = """package: books
version: 1.0.0
types:
  phone: {type: text, pattern: '\\+[0-9]{4,15}', pattern_help: a number such as +34600000000, help: a number to call}
schemas:
  runbooks:
    item: runbook
    title: Runbooks
    help: What to do.
    indexes: {team: {type: name, help: Whose.}, name: {type: name, help: For what.}}
    fields:
      title: {type: text, required: true, help: What people read first.}
      call: {type: one or many phone, help: Whom to call.}
      for: {type: one or many reference to rules, help: The rules that lead here.}
      takes: {type: duration, default: 15m, min: 1m, help: How long it takes.}
    field_sets:
      what: {title: What it is, fields: [title, for]}
      how: {title: How it goes, fields: [call, takes]}
"""
    with Server(data, packages={"probe": PROBE, "books": books}) as server:
        item = {"title": "Load", "call": "+34600000000", "for": "probe/load/never_so_high"}
        change(server, op("create", "books", "runbooks", ["night", "load"], value=item))
        section = next(s for s in server.get("/schemas", package="books")["sections"] if s["name"] == "runbooks")
        assert [s["fields"] for s in section["field_sets"]] == [["title", "for"], ["call", "takes"]]
        assert [i["name"] for i in section["indexes"]] == ["team", "name"]
        assert not [s for s in server.get("/schemas", package="probe")["sections"] if s["name"] == "runbooks"]
        tree = {s["name"]: s for s in server.get("/packages/books/tree")["sections"]}
        assert tree["runbooks"]["nodes"][0]["children"] == [{"name": "load", "item": True, "title": "Load"}]
        shown = server.get("/packages/books/items/runbooks/night/load")
        assert shown["effective"]["takes"] == 900_000
        assert {f["field"]: f["from"]["how"] for f in shown["fields"]}["takes"] == "default"
        refused = refusal(change, server, op("create", "books", "runbooks", ["night", "disk"],
                                             value={"titel": "Disk", "call": "me", "for": "probe/load/nothing"}))
        told = " ".join(e["message"] for e in refused.body["errors"])
        assert 'no key "titel"' in told and 'needs the key "title"' in told and '"me" is no phone' in told
        refused = refusal(change, server, op("remove", path=["load", "never_so_high"]))
        assert "probe/load/never_so_high" in str(refused.body), "what a runbook refers to is not removed under it"
        found = server.get("/items", kind="runbooks")["items"]
        assert [i["id"] for i in found] == ["books/night/load"]


def test_queries_of_dashboards_are_checked_as_their_variables_fill_them_in(data):
    board = "package: deck\nversion: 1.0.0\ndashboards: {a: {b: {variables: {host: {label: instance}}, widgets: []}}}\n"
    with Server(data, packages={"deck": board}) as server:
        def put(body):
            at = {"x": 0, "y": 0, "w": 4, "h": 4}
            operation = {"op": "set", "package": "deck", "section": "dashboards", "path": ["a", "b"], "field": ["widgets"]}
            return server.post("/package-changes", {"operations": [{**operation, "value": [{"at": at, **body}]}]})
        put({"stat": {"expr": 'rate(x{instance=~"$host"}[5m])'}})
        for body, field in (({"stat": {"expr": 'rate(x{instance="$hots"}[5m])'}}, "widgets.0.stat.expr"),
                            ({"chart": {"queries": [{"expr": "rate("}]}}, "widgets.0.chart.queries.0.expr"),
                            ({"logs": {"match": "{"}}, "widgets.0.logs.match"),
                            ({"topology": {"root": "nix/a/b"}}, "widgets.0.topology.root")):
            refused = refusal(put, body)
            assert refused.status == 422, refused.body
            (error,) = refused.body["errors"]
            assert error["field"] == field and error["line"] > 0 and error["remedy"], error
        assert "rate(x{instance=~" in json.dumps(server.get("/packages/deck/items/dashboards/a/b")["written"])


def test_errors_name_the_item_and_the_field(data):
    broken = PROBE.replace("1e18", "much")
    with Server(data, packages={"probe": broken, "other": PROBE.replace("probe", "other")}) as server:
        error, = state_of(server)["errors"]
        named = {"package": "probe", "section": "rules", "path": ["load", "never_so_high"], "field": "gauge.above.warning"}
        assert named.items() <= error.items() and error["line"] == 8
        refused = refusal(change, server, op("set", "other", path=["load", "never_so_high"], field=["for"], value="soon"))
        error, = refused.body["errors"]
        assert {**named, "package": "other", "field": "for"}.items() <= error.items()
        draft = server.post("/package-draft", {"package": "other", "section": "instances", "path": ["ping", "x"],
                                               "yaml": "with: {host: 127.0.0.1, slow: much}\n"})
        error, = draft["errors"]
        assert (error["section"], error["path"], error["field"]) == ("instances", ["ping", "x"], "with.slow")


def test_hosts_and_routes_are_in_the_registry_and_its_feed(data):
    pages = """
pages: {all: {one: {title: One, widgets: [{at: {x: 0, y: 0, w: 6, h: 4}, text: {markdown: x}}]}}}
rpc: {jobs: {clean: {title: Clean up, arguments: {days: {type: integer, required: true}, deep: {type: boolean}},
                     script: "#!/bin/sh\\ntrue\\n"}}}
"""
    with Server(data, command="up", packages={"probe": PROBE + pages}) as server:
        routes = {r["id"]: r for r in server.get("/items", kind="routes")["items"] if r["package"] == "probe"}
        assert sorted(routes) == ["/api/atalaya/v1/rpc/probe/jobs/clean", "/p/probe/all/one", "/p/probe/one"]
        assert routes["/p/probe/all/one"]["links"] == ["probe/all/one"]
        assert routes["/p/probe/all/one"]["origin"] == {"kind": "file", "file": "probe/package.yaml", "line": 10}
        host = until(lambda: server.get("/items", kind="hosts")["items"], what="this host")[0]
        assert host["origin"]["kind"] == "agent" and host["origin"]["who"] and host["origin"]["at"]
        since = server.get("/items")["revision"]
        collector = op("create", section="collectors", path=["a", "cron"], value={"process": {"name": "cron"}})
        change(server, collector, op("remove", section="pages", path=["all", "one"]))
        feed = server.get("/item-changes", since=since)
        told = {(c["what"], c["item"]["kind"], c["item"]["id"]): c["item"] for c in feed["changes"]}
        assert ("removed", "routes", "/p/probe/all/one") in told and not feed["gap"]
        assert "probe/a/cron" in told["changed", "hosts", host["id"]]["links"]
        assert server.get("/item-changes", since=feed["revision"])["changes"] == []
        assert server.get("/item-changes", since=1)["gap"], "of an earlier run"

        wrong = refusal(server.post, "/rpc/probe/jobs/clean", {"arguments": {"deep": "very", "dep": 1}})
        assert wrong.status == 400
        assert [e["field"] for e in wrong.body["errors"]] == ["days", "dep", "deep"]


def test_roles_decide_who_changes_what(data):
    with Server(data, packages={"probe": PROBE}) as server:
        viewer, operator = as_role(server, "viewer"), as_role(server, "operator")
        threshold = op("set", path=["load", "never_so_high"], field=THRESHOLD, value=5)
        assert refusal(change, viewer, threshold).status == 403
        assert viewer.get("/packages/probe")["name"] == "probe"
        assert change(operator, threshold)["commit"] > 0
        program = {"run": "#!/bin/sh\necho x 1\n"}
        for operation in (
                op("create", section="types", path=["colour_of_ours"], value={"type": "text"}),
                op("create", section="schemas", path=["lamps"], value={"indexes": {"name": {"type": "name"}}}),
                op("create", section="rpc", path=["a", "b"], value={"script": "#!/bin/sh\necho x\n"}),
                op("create", section="collectors", path=["a", "b"], value={"script": program}),
                {"op": "write", "package": "probe", "file": "scripts/x.sh", "text": "#!/bin/sh\n"}):
            before = text_of(server)
            assert refusal(change, operator, operation).status == 403, operation
            assert text_of(server) == before
            assert change(server, operation)["commit"] > 0, operation
        archive = server.call("GET", API + "/packages/probe/archive", raw=True)
        assert refusal(operator.call, "POST", API + "/package-install?upgrade=true", archive).status == 403
        assert refusal(server.call, "POST", API + "/package-install?preview=true", b"no archive").status == 422


def test_kill_9_during_a_stream_of_changes_loses_and_doubles_none(data):
    seed = int(os.environ.get("ATALAYA_TEST_SEED", random.randrange(1 << 32)))
    print(f"seed {seed}")
    chance = random.Random(seed)
    acknowledged, asked = [], 0
    with Server(data, packages={"probe": PROBE}) as server:
        for _ in range(5):
            stopping = threading.Event()

            def stream():
                nonlocal asked
                while not stopping.is_set():
                    name = f"rule{asked}"
                    asked += 1
                    try:
                        change(server, op("create", path=["stream", name], value={"binary": {"expr": "up"}}))
                    except (OSError, HttpError):
                        return
                    acknowledged.append(name)
            writer = threading.Thread(target=stream, daemon=True)
            enough = len(acknowledged) + chance.randrange(3, 15)
            writer.start()
            until(lambda: len(acknowledged) >= enough, what="changes")
            server.kill()
            stopping.set()
            writer.join()
            server.start()
            assert state_of(server)["state"] == "ok"
            text = text_of(server)
            lost = [name for name in acknowledged if text.count(f" {name}:") != 1]
            assert not lost, "each acknowledged change is there once"
            stored = text.count("binary:")
            assert stored <= len(acknowledged) + 1, "at most the one that nobody was told of is there besides"
            tree = {s["name"]: s for s in server.get("/packages/probe/tree")["sections"]}
            assert tree["rules"]["count"] == stored + 1
            asked += 1
            if stored > len(acknowledged):  # decided, and then the server was gone
                acknowledged += [n for n in (f"rule{i}" for i in range(asked)) if n not in acknowledged and f" {n}:" in text]
        assert len(server.get("/packages/probe/history", limit=1000)["commits"]) == len(acknowledged)


def test_listeners_stay_open_through_changes(data):
    with Server(data, command="up", packages={"probe": PROBE}) as server:
        until(lambda: server.query("node_time_seconds"), what="samples")
        listener = LiveSocket(server.url, server.post("/auth/ws-ticket")["ticket"])
        listener.send('{"type":"subscribe","id":"a","topic":"alerts"}')
        assert '"ready"' in listener.receive()
        pid = server.process.pid
        for i in range(20):
            change(server, op("set", path=["load", "never_so_high"], field=THRESHOLD, value=10 ** 17 + i))
        change(server, op("set", path=["load", "never_so_high"], field=THRESHOLD, value=1))
        while "never_so_high" not in listener.receive():
            pass
        listener.close()
        assert server.process.pid == pid and len(server.get("/packages/probe/history")["commits"]) == 21


def test_who_listens_to_items_hears_of_what_comes_changes_and_goes(data):
    with Server(data, packages={"probe": PROBE}) as server:
        listener = LiveSocket(server.url, server.post("/auth/ws-ticket")["ticket"])
        listener.send('{"type":"subscribe","id":"i","topic":"items"}')
        assert '"ready"' in listener.receive()
        since = server.get("/items")["revision"]
        page = {"title": "One", "widgets": [{"at": {"x": 0, "y": 0, "w": 6, "h": 4}, "text": {"markdown": "x"}}]}
        change(server, op("create", section="pages", path=["all", "one"], value=page))
        change(server, op("set", section="pages", path=["all", "one"], field=["title"], value="Other"))
        change(server, op("remove", section="pages", path=["all", "one"]))
        heard = {}
        while ("removed", "probe/all/one") not in heard:
            said = json.loads(listener.receive())
            assert said["type"] == "data" and said["id"] == "i"
            heard[said["change"]["what"], said["change"]["item"]["id"]] = said["change"]
        listener.close()
        assert heard["added", "probe/all/one"]["item"]["kind"] == "pages"
        assert heard["changed", "probe/all/one"]["item"]["title"] == "Other"
        feed = server.get("/item-changes", since=since)["changes"]
        assert heard["removed", "probe/all/one"] in feed, "the socket says what the feed says"


def test_viewers_see_dots_for_secrets_and_no_text_that_holds_one(data):
    vault = """package: vault
version: 1.0.0
schemas:
  doors:
    item: door
    indexes: {name: {type: name}}
    fields:
      note: {type: text}
      code: {type: secret}
      codes: {type: list of secret}
doors:
  front: {note: open, code: hush-1, codes: [hush-2]}
"""
    keyed = """package: keyed
version: 1.0.0
parameters:
  token: {type: secret, required: true}
  spare: {type: secret, default: hush-4}
  name: {type: text, default: one}
rpc: {jobs: {go: {script: "#!/bin/sh\n# ${token} ${name}\n"}}}
"""
    uses = "package: uses\nversion: 1.0.0\ninstances: {keyed: {db: {with: {token: hush-3, name: two}}}}\n"
    with Server(data, packages={"vault": vault, "keyed": keyed, "uses": uses}) as server:
        viewer, operator = as_role(server, "viewer"), as_role(server, "operator")
        seen = viewer.get("/packages/vault/items/doors/front")
        assert seen["written"]["note"] == "open" and seen["written"]["code"] == seen["effective"]["code"] == "••••••"
        assert seen["written"]["codes"] == ["••••••"] and "yaml" not in seen or seen["yaml"] == ""
        assert "hush-1" in operator.get("/packages/vault/items/doors/front")["yaml"]
        for path in ("/packages/vault/items/doors/front", "/packages/uses/items/instances/keyed/db", "/packages/keyed@db",
                     "/packages", "/packages/vault", "/packages/uses", "/packages/keyed", "/packages/keyed@db/tree", "/items", "/schemas?package=vault"):
            told = json.dumps(viewer.call("GET", API + path))
            assert "hush-" not in told, path
        shown = {field["name"]: field.get("default") for field in operator.get("/packages/keyed")["parameters"]}
        assert shown == {"token": None, "spare": "••••••", "name": "one"}
        assert viewer.get("/packages/keyed@db")["instance_of"]["values"] == {"name": "two", "token": "••••••"}
        given = {f["field"]: f["value"] for f in viewer.get("/packages/uses/items/instances/keyed/db")["fields"]}["with"]
        assert "two" in given and "••••••" in given
        for path in ("/packages/vault/files/package.yaml", "/packages/vault/history", "/packages/vault/archive"):
            assert refusal(viewer.call, "GET", API + path).status == 403
