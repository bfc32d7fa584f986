"""Prometheus' HTTP API of the real server: by Grafana's requests, by promtool, and by every kind of credential."""

import base64
import shutil
import socket
import subprocess
import time
import urllib.parse

import pytest

from atalaya import HttpError, Server, until


def form(parameters):
    return urllib.parse.urlencode(parameters, doseq=True)


def ask(server, path, method="GET", **parameters):
    """The answer to a request with these parameters; lists are repeated."""
    parameters = {name.replace("match", "match[]"): value for name, value in parameters.items()}
    if method == "POST":
        return server.call("POST", "/api/v1/" + path, form(parameters).encode(),
                           headers={"Content-Type": "application/x-www-form-urlencoded"})
    return server.call("GET", f"/api/v1/{path}?{form(parameters)}")


def write(server, lines):
    return server.call("POST", "/api/atalaya/v1/series/import?format=text", "\n".join(lines).encode(),
                       headers={"Content-Type": "text/plain"})


@pytest.fixture
def filled(server):
    """Half an hour of a counter of three jobs, one sample a minute; `end` is its last instant."""
    server.end = int(time.time()) // 60 * 60 - 60
    lines = [f'requests_total{{job="{job}",path="/x"}} {60 * rate * i} {(server.end - (30 - i) * 60) * 1000}'
             for rate, job in enumerate("abc", 1) for i in range(31)]
    lines.append(f'{{"host.load","host.name"="x y"}} 1.5 {server.end * 1000}')
    assert write(server, lines)["samples"] == 94
    return server


def test_grafana_finds_a_prometheus(filled):
    """What its data source sends: saved and tested, a query edited, a dashboard with a variable."""
    end = filled.end
    window = {"start": end - 1800, "end": end}
    build = ask(filled, "status/buildinfo")["data"]
    assert build["version"].startswith("3.") and "features" not in build, "with features it would be taken for Mimir"
    assert ask(filled, "query", "POST", query="1+1", time=end)["data"] == {"resultType": "scalar", "result": [end, "2"]}

    assert ask(filled, "labels", "POST", **window)["data"][:1] == ["__name__"]
    assert "requests_total" in ask(filled, "label/__name__/values", **window)["data"]
    assert ask(filled, "label/job/values", match='requests_total{path="/x"}', **window)["data"] == ["a", "b", "c"]
    assert ask(filled, "label/U__host_2e_name/values", **window)["data"] == ["x y"]
    series = ask(filled, "series", "POST", match=["requests_total"], limit=2, **window)
    assert len(series["data"]) == 2 and series["warnings"] == ["results truncated due to limit"]

    ranged = ask(filled, "query_range", "POST", query="sum by (job) (rate(requests_total[5m]))", step=60, **window)
    assert [one["metric"] for one in ranged["data"]["result"]] == [{"job": job} for job in "abc"]
    assert ranged["data"]["result"][1]["values"][-1] == [end, "2"]
    instant = ask(filled, "query", "POST", query='{"host.load"}', time=end)
    assert instant["data"]["result"] == [{"metric": {"__name__": "host.load", "host.name": "x y"}, "value": [end, "1.5"]}]
    assert ask(filled, "query_exemplars", query="requests_total", **window)["data"] == []
    assert ask(filled, "metadata")["status"] == "success"
    pretty = ask(filled, "format_query", query="sum  by(job)(requests_total)")
    assert pretty["data"] == "sum by (job) (requests_total)"


def test_a_form_counts_before_the_address(filled):
    answer = filled.call("POST", "/api/v1/query?query=1&time=5", form({"query": "2"}).encode(),
                         headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer["data"]["result"] == [5, "2"]


def test_status_tells_what_is_in_memory_and_in_blocks(filled):
    status = ask(filled, "status/tsdb")["data"]
    head = status["headStats"]
    assert head["maxTime"] >= filled.end * 1000 and head["minTime"] <= (filled.end - 1800) * 1000
    assert head["chunkCount"] >= 4
    bytes_of = {one["name"]: one["value"] for one in status["memoryInBytesByLabelName"]}
    assert bytes_of["path"] == 6, "/x of three series"
    assert ask(filled, "status/tsdb/blocks")["data"] == {"blocks": []}
    filled.call("POST", "/api/atalaya/v1/series/flush")
    blocks = ask(filled, "status/tsdb/blocks")["data"]["blocks"]
    assert 1 <= len(blocks) <= 2, "two where midnight lies in the half hour"
    for block in blocks:
        assert len(block["ulid"]) == 26 and block["version"] == 1 and block["compaction"]["level"] == 1
    assert min(block["minTime"] for block in blocks) <= (filled.end - 1800) * 1000
    assert max(block["maxTime"] for block in blocks) > filled.end * 1000
    assert sum(block["stats"]["numSamples"] for block in blocks) >= 94
    empty = filled.cli("token", "create", "--data", filled.data, "--role", "viewer", "--tenant", "empty").strip()
    head = filled.call("GET", "/api/v1/status/tsdb", token=empty)["data"]["headStats"]
    assert head.get("numSeries") == 0 and head["minTime"] > head["maxTime"], "as Prometheus tells that there is nothing"


def test_features_and_our_own_metadata_are_told(filled):
    features = ask(filled, "features")["data"]
    assert features["promql_functions"]["rate"] is True and features["promql_operators"]["limitk"] is True
    assert features["api"]["remote_read"] is True
    found = ask(filled, "metadata", metric="atalaya_rule_groups")["data"]
    assert found == {"atalaya_rule_groups": [{"type": "gauge", "help": "Groups of rules", "unit": ""}]}


def test_status_tells_of_the_server(filled):
    runtime = ask(filled, "status/runtimeinfo")["data"]
    assert runtime["storageRetention"] == "15d" and runtime["reloadConfigSuccess"] is True
    flags = ask(filled, "status/flags")["data"]
    assert flags["query-timeout"] == "2m" and flags["data"] == str(filled.data)
    assert f'data: "{filled.data}"' in ask(filled, "status/config")["data"]["yaml"]
    assert ask(filled, "status/walreplay")["data"] == {"min": 0, "max": 1, "current": 1}
    assert ask(filled, "alertmanagers")["data"] == {"activeAlertmanagers": [], "droppedAlertmanagers": []}
    assert ask(filled, "notifications")["data"] == []
    filled.write_package("broken", "package: broken\nversion: 1.0.0\nrules: 7\n")
    with pytest.raises(HttpError):
        filled.call("POST", "/-/reload")
    assert [one["text"] for one in ask(filled, "notifications")["data"]] == ["Configuration reload has failed."]
    failed = ask(filled, "status/runtimeinfo")["data"]
    assert failed["reloadConfigSuccess"] is False and failed["lastConfigTime"] == runtime["lastConfigTime"]
    assert filled.call("GET", "/api/v1/openapi.yaml").startswith("openapi:")


def test_own_metrics_come_as_json_families(server):
    families = {one["name"]: one for one in ask(server, "status/self_metrics", metric_name_pattern="atalaya_.*")["data"]}
    build = families["atalaya_build_info"]
    assert build["type"] == "GAUGE" and build["help"] and build["metric"][0]["gauge"] == {"value": 1}
    assert "revision" in [label["name"] for label in build["metric"][0]["label"]]
    counters = [one for one in families.values() if one["type"] == "COUNTER"]
    assert counters and all("counter" in metric for one in counters for metric in one["metric"])
    histograms = [one for one in families.values() if one["type"] == "HISTOGRAM"]
    assert histograms and not [name for name in families if name.endswith("_bucket")]
    for metric in [metric for one in histograms for metric in one["metric"]]:
        counts = [int(bucket["cumulativeCount"]) for bucket in metric["histogram"]["bucket"]]
        assert counts == sorted(counts) and counts[-1] <= int(metric["histogram"]["sampleCount"])
    assert ask(server, "status/self_metrics", metric_name_pattern="no_such")["data"] == []
    with pytest.raises(HttpError) as error:
        ask(server, "status/self_metrics", metric_name_pattern="(")
    assert error.value.status == 400


ROUTES = ["query?query=1", "query_range?query=1&start=0&end=1&step=1", "query_exemplars?query=up", "series?match[]=up",
          "labels", "label/job/values", "format_query?query=up", "parse_query?query=up", "status/config", "status/flags",
          "status/runtimeinfo", "status/buildinfo", "status/walreplay", "status/self_metrics", "status/tsdb",
          "status/tsdb/blocks",
          "features", "alertmanagers", "notifications", "openapi.yaml"]


def test_every_route_takes_a_token_or_basic_and_no_other_tenant(server):
    basic = {"Authorization": "Basic " + base64.b64encode(f"anybody:{server.token}".encode()).decode()}
    for route in ROUTES:
        path = "/api/v1/" + route
        server.call("GET", path)
        server.call("GET", path, token=None, headers=basic)
        server.call("GET", path, token=None, headers={**basic, "X-Scope-OrgID": "default"})
        for headers, status in [({}, 401), ({"Authorization": "Basic YTpi"}, 401),
                                ({**basic, "X-Scope-OrgID": "other"}, 403)]:
            with pytest.raises(HttpError) as error:
                server.call("GET", path, token=None, headers=headers)
            assert error.value.status == status, (route, headers)


def test_a_tenant_sees_its_own_series_and_nothing_of_the_machine(filled):
    token = filled.cli("token", "create", "--data", filled.data, "--role", "admin", "--tenant", "blue").strip()
    assert filled.call("GET", "/api/v1/label/__name__/values", token=token)["data"] == []
    assert filled.call("GET", "/api/v1/query?query=requests_total", token=token)["data"]["result"] == []
    for route in ["status/config", "status/flags"]:
        with pytest.raises(HttpError) as error:
            filled.call("GET", "/api/v1/" + route, token=token)
        assert error.value.status == 403


def send(server, path, **parameters):
    """A connection over which this is asked, and not yet answered."""
    host, port = server.listen.split(":")
    client = socket.create_connection((host, int(port)), timeout=30)
    client.sendall(f"GET /api/v1/{path}?{form(parameters)} HTTP/1.1\r\nHost: t\r\n"
                   f"Authorization: Bearer {server.token}\r\n\r\n".encode())
    return client


def is_answered(client, within):
    client.settimeout(within)
    try:
        return bool(client.recv(1))
    except TimeoutError:
        return False


def test_a_query_ends_when_its_client_leaves(data):
    """There is one thread for queries: who waits for it gets it, minutes before the first would have been done."""
    with Server(data, arguments=["--query-concurrency", "1", "--query-timeout", "10m"]) as server:
        end = int(time.time()) // 60 * 60
        write(server, [f'many{{n="{n}"}} {n + i} {(end - 240 * (46 - i)) * 1000}' for n in range(800) for i in range(46)])
        heavy = send(server, "query_range", query="sum(quantile_over_time(0.5, many[30m:1s]))", start=end - 9000, end=end,
                     step=4)
        waiting = until(lambda: (lambda other: None if is_answered(other, 1) else other)(send(server, "query", query="1")),
                        what="a query that waits for its turn")
        assert server.cycle(), "control goes on"
        heavy.close()
        assert is_answered(waiting, 30)
        waiting.close()


def promtool(server, what, *arguments):
    """With Basic credentials, which is what it knows: in the address."""
    flags, rest = [a for a in arguments if a.startswith("--")], [a for a in arguments if not a.startswith("--")]
    address = server.url.replace("://", f"://anybody:{server.token}@")
    return subprocess.run(["promtool", "query", what, *flags, address, *rest], capture_output=True, text=True, timeout=60)


def test_promtool_queries_us(filled):
    if not shutil.which("promtool"):
        pytest.skip("promtool is not installed")
    end = filled.end
    instant = promtool(filled, "instant", f"--time={end}", "sum(requests_total)")
    assert instant.returncode == 0 and instant.stdout.startswith("{} => 10800 @["), instant
    ranged = promtool(filled, "range", f"--start={end - 120}", f"--end={end}", "--step=1m", 'requests_total{job="a"}')
    assert ranged.returncode == 0 and ranged.stdout.count(" @[") == 3 and "1800 @[" in ranged.stdout, ranged
    series = promtool(filled, "series", "--match=requests_total", f"--start={end - 1800}", f"--end={end}")
    assert series.returncode == 0 and len(series.stdout.splitlines()) == 3, series
    labels = promtool(filled, "labels", "job")
    assert labels.returncode == 0 and {"a", "b", "c"} <= set(labels.stdout.split()), labels
    bad = promtool(filled, "instant", "sum(")
    assert bad.returncode != 0 and "bad_data" in bad.stderr and "1:5: parse error" in bad.stderr, bad
