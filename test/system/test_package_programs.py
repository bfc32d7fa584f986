"""Programs that packages bring: of types, of sections, procedures."""

import re

from atalaya import Server, until
from test_packages import as_role, change, op, refusal, state_of, text_of, write_file

MAC = """#!/usr/bin/env python3
import json, re, sys
value = json.load(sys.stdin)
if not re.fullmatch("([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}", value):
    print(json.dumps({"error": "is no address", "remedy": "write six pairs"}))
elif sys.argv[1] == "format":
    print(json.dumps({"text": "MAC " + value.upper()}))
else:
    print(json.dumps({"value": value.upper() if sys.argv[1] == "serialise" else value.lower()}))
"""


def test_a_value_that_is_set_is_written_as_its_types_program_says(data):
    cards = """package: cards
version: 1.0.0
types:
  mac: {type: text, script: scripts/mac.py, help: an address of a network card}
schemas:
  cards:
    item: card
    indexes: {name: {type: name}}
    fields: {mac: {type: mac, required: true}}
cards:
  first: {mac: aa:bb:cc:dd:ee:ff}  # typed
"""
    write_file(Server(data), "cards", "scripts/mac.py", MAC)
    with Server(data, packages={"cards": cards}) as server:
        until(lambda: state_of(server, "cards")["state"] == "ok", what="the program's answers")
        assert text_of(server, "cards") == cards, "a text stays as it was typed"
        request = op("set", "cards", "cards", ["first"], field=["mac"], value="11:22:33:AA:bb:cc")
        previewed = change(server, request, preview=True)
        assert '+  first: {mac: "11:22:33:AA:BB:CC"}  # typed' in previewed["files"][0]["diff"]
        change(server, request)
        assert text_of(server, "cards") == cards.replace("aa:bb:cc:dd:ee:ff", '"11:22:33:AA:BB:CC"')
        shown = server.get("/packages/cards/items/cards/first")
        assert shown["effective"]["mac"] == "11:22:33:aa:bb:cc" and shown["fields"][0]["value"] == "MAC 11:22:33:AA:BB:CC"
        refused = refusal(change, server, op("set", "cards", "cards", ["first"], field=["mac"], value="none"))
        error, = refused.body["errors"]
        assert error["field"] == "mac" and error["remedy"] == "write six pairs"


SITES = """package: cmdb
version: 1.0.0
schemas:
  sites:
    item: site
    indexes: {country: {type: name}, name: {type: name}}
    fields: {racks: {type: integer, required: true}}
    script: scripts/sites.py
sites:
  es:
    madrid: {racks: 2}
"""
RACKS = """#!/usr/bin/env python3
import json, sys
given = json.load(sys.stdin)
print(json.dumps({"entities": [
    {"id": f"{item['path']}/{n}", "kind": "racks", "title": f"Rack {n}", "item": item["path"]}
    for item in given["items"] for n in range(item["fields"]["racks"])]}))
"""


def test_entities_of_a_sections_program_are_listed_by_their_kind_and_a_failure_is_shown(data, tmp_path):
    write_file(Server(data), "cmdb", "scripts/sites.py", RACKS)
    with Server(data, command="up", packages={"cmdb": SITES}) as server:
        until(lambda: [s["state"] for s in server.get("/packages/cmdb")["processed"]] == ["ok"], 60, what="the program's run")
        racks = server.get("/items", kind="racks")["items"]
        assert [r["id"] for r in racks] == ["cmdb:sites/es/madrid/0", "cmdb:sites/es/madrid/1"]
        assert racks[0]["links"] == ["cmdb/es/madrid"] and racks[0]["kind"] == "racks"
        assert racks[0]["origin"] == {"kind": "file", "file": "cmdb/package.yaml", "line": 11}
        refused = refusal(server.get, "/items", kind="rack")
        assert refused.status == 400 and refused.body["remedy"] == 'did you mean "racks"?'
        write_file(server, "cmdb", "scripts/sites.py", "#!/bin/sh\necho no route >&2; exit 3\n")
        until(lambda: state_of(server, "cmdb")["processed"][0]["state"] == "failed", what="the failure")
        listed = Server.cli("package", "list", "--data", data)
        assert re.search(r"cmdb +1\.0\.0 +failing +2\b", listed)
        line = "cmdb, section sites: its program failed: scripts/sites.py ended with 3: no route"
        assert line in listed and line in Server.cli("package", "show", "cmdb", "--data", data)
        assert len(server.get("/items", kind="racks")["items"]) == 2, "what was known stays"
        assert state_of(server, "cmdb")["processed"][0]["entities"] == 2


PROCEDURES = """package: tools
version: 1.0.0
rpc:
  demo:
    greet:
      title: Greet
      role: operator
      script: {file: scripts/greet.py}
      arguments:
        name: {type: text, required: true, min: 1, help: Whom.}
        times: {type: integer, min: 1, max: 3, default: 2, help: How often.}
        word: {type: secret, help: Said to nobody.}
    sleep:
      title: Sleep
      timeout: 300ms
      script: |
        #!/bin/sh
        sleep 30
    chatter:
      title: Say much
      output_limit: 1kB
      script: |
        #!/bin/sh
        head -c 100000 /dev/zero | tr '\\0' x
"""
GREET = """#!/usr/bin/env python3
import json, os, sys
given = json.load(sys.stdin)
print((given["name"] + " ") * given["times"] + os.environ["ATALAYA_PROCEDURE"])
"""


def test_a_procedure_runs_on_an_agent_within_its_bounds_and_is_audited(data):
    write_file(Server(data), "tools", "scripts/greet.py", GREET)
    with Server(data, command="up", packages={"tools": PROCEDURES}) as server:
        host = until(lambda: [h for h in server.get("/hosts")["hosts"] if h["state"] == "up"], what="the agent")[0]["name"]
        assert state_of(server, "tools")["state"] == "ok", state_of(server, "tools")
        listed = {p["id"]: p for p in server.get("/procedures")["procedures"]}
        assert [a["name"] for a in listed["tools/demo/greet"]["arguments"]] == ["name", "times", "word"]

        def call(procedure, /, **arguments):
            return server.post(f"/rpc/tools/{procedure}", {"arguments": arguments, "on": host})
        done = call("demo/greet", name="ana", word="hidden-word")
        assert (done["status"], done["output"].strip(), done["host"]) == (0, "ana ana tools/demo/greet", host)
        for wrong in ({}, {"name": "ana", "times": 9}, {"name": "ana", "tims": 1}, {"name": "ana", "times": "often"}):
            refused = refusal(call, "demo/greet", **wrong)
            assert refused.status == 400, wrong
        assert call("demo/sleep")["timed_out"] is True
        assert "more than 1000 bytes" in str(refusal(call, "demo/chatter").body)
        assert refusal(call, "demo/none").status == 404
        viewer = as_role(server, "viewer")
        assert refusal(viewer.post, "/rpc/tools/demo/greet", {"arguments": {"name": "x"}, "on": host}).status == 403
        entries = [e for e in server.get("/audit", limit=100)["entries"] if e["object"].startswith("tools/")]
        actions = [(e["action"], e["object"]) for e in reversed(entries)]
        assert ("procedure.call", "tools/demo/greet") in actions and ("procedure.end", "tools/demo/greet") in actions
        assert ("procedure.refused", "tools/demo/greet") in actions
        assert all(e["who"] and e["at"] for e in entries)
        assert "hidden-word" not in str(server.get("/audit", limit=100)) and "hidden-word" not in server.log()
