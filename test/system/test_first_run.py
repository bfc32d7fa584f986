"""What a new user does first: start it, sign in, see this machine."""

import re
import time

import pytest

from atalaya import HttpError, Server, until


def test_up_shows_this_machine_within_seconds(watchtower):
    hosts = until(lambda: [h for h in watchtower.get("/hosts")["hosts"] if h["state"] == "up"], what="the own host")
    name = hosts[0]["name"]
    until(lambda: len(watchtower.query(f'node_cpu_seconds_total{{instance="{name}"}}')) > 4, what="cpu series")
    first = until(lambda: watchtower.query("sum(rate(node_cpu_seconds_total[5s]))"), what="a rate")
    assert 0.2 < first[0][1] < 4096, "all modes of a core add up to about one"


def test_samples_arrive_every_second(watchtower):
    def newest():
        series = watchtower.query_range('up{job="node"}', time.time() - 20, time.time(), 1)
        return series and len([v for t, v in series[0][1]]) >= 5
    until(newest, what="five seconds of samples")


def test_sign_in_link_works_once(server):
    session = server.call("POST", "/api/atalaya/v1/auth/link", {"link": server.link}, token=None)
    me = server.call("GET", "/api/atalaya/v1/auth/me", token=session["access_token"])
    assert (me["name"], me["role"], me["tenant"]) == ("admin", "admin", "default")
    with pytest.raises(HttpError) as refused:
        server.call("POST", "/api/atalaya/v1/auth/link", {"link": server.link}, token=None)
    assert refused.value.status == 401


def test_ui_is_served_with_hashes_and_caching(server):
    page = server.call("GET", "/", token=None)
    assets = re.findall(r'(?:src|href)="\.?/?(assets/[^"]+\.js)"', page)
    assert assets, "the page names hashed files"
    assert "http://" not in re.sub(r"http://www\.w3\.org/\S+", "", page), "no external requests"
    import urllib.request
    with urllib.request.urlopen(f"{server.url}/{assets[0]}") as answer:
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        etag = answer.headers["ETag"]
    request = urllib.request.Request(f"{server.url}/{assets[0]}", headers={"If-None-Match": etag})
    with pytest.raises(urllib.error.HTTPError) as unchanged:
        urllib.request.urlopen(request)
    assert unchanged.value.code == 304


def test_data_survives_a_clean_restart(data):
    with Server(data, command="up") as server:
        until(lambda: server.query('up{job="node"}'), what="the first sample")
        before = server.query_range('up{job="node"}', time.time() - 60, time.time(), 1)[0][1]
        server.stop()
        server.start()
        after = server.query_range('up{job="node"}', before[0][0], before[-1][0], 1)[0][1]
        assert [t for t, _ in before] == [t for t, _ in after]


def test_own_metrics_are_exposed(server):
    text = server.call("GET", "/metrics", raw=True).decode()
    for name in ("process_resident_memory_bytes", "atalaya_build_info", "atalaya_http_requests_total"):
        assert f"\n# TYPE {name} " in "\n" + text
    with pytest.raises(HttpError):
        server.call("GET", "/metrics", token=None)


def test_health_needs_no_credential(server):
    assert "healthy" in server.call("GET", "/-/healthy", token=None)
    assert "ready" in server.call("GET", "/-/ready", token=None)
