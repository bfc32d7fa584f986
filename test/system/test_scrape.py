"""Scrapes by the real server: a small exporter of the test, and Debian's node exporter."""

import gzip
import http.server
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import threading
import urllib.parse
import time

import pytest

from atalaya import HttpError, Server, make_certificate, until
from prometheus_peer import Peer, free_port

SYNTHETIC = ["up", "scrape_duration_seconds", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling",
             "scrape_series_added"]


class Exporter:
    """Answers GET with what `pages` holds by path: (status, headers, body). `seen` keeps the requests' headers."""

    def __init__(self, pages, tls=None):
        self.pages = pages
        self.seen = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.seen.append((self.path, dict(self.headers)))
                status, headers, body = outer.pages.get(self.path.split("?")[0], (404, {}, ""))
                body = body.encode() if isinstance(body, str) else body
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


TEXT = {"Content-Type": "text/plain; version=0.0.4"}


def text(body):
    return (200, TEXT, body)


def package(jobs):
    return f"package: scrapes\nversion: \"1.0.0\"\nscrape_configs: {json.dumps(jobs)}\n"


def job(address, name="j", **more):
    return {"job_name": name, "scrape_interval": "1s", "scrape_timeout": "1s",
            "static_configs": [{"targets": [address]}], **more}


def values(server, selector):
    return {labels["__name__"]: value for labels, value in server.query(selector)}


def targets(server, query=""):
    return server.call("GET", "/api/v1/targets" + query)["data"]


def target(server, **labels):
    return next(t for t in targets(server)["activeTargets"] if labels.items() <= t["labels"].items())


def points(server, selector):
    """Every stored sample, stale markers left out, by series name: range vectors show them as they came."""
    answer = server.call("GET", f"/api/v1/query?query={selector}%5B5m%5D")["data"]["result"]
    return {tuple(sorted(r["metric"].items())): r["values"] for r in answer}


def test_a_target_has_its_samples_its_synthetic_series_and_ends(data):
    with Exporter({"/metrics": text("# HELP a what\n# TYPE a counter\na{x=\"1\"} 7\nb 2\n")}) as exporter:
        with Server(data, packages={"scrapes": package([job(exporter.address)])}) as server:
            until(lambda: values(server, '{job="j"}').keys() >= {"a", "b", *SYNTHETIC}, what="the samples")
            got = values(server, '{job="j"}')
            assert (got["a"], got["b"], got["up"], got["scrape_samples_scraped"]) == (7, 2, 1, 2)
            until(lambda: values(server, '{job="j"}')["scrape_series_added"] == 0, what="a second scrape")
            labels, _ = server.query("a")[0]
            assert labels == {"__name__": "a", "instance": exporter.address, "job": "j", "x": "1"}

            exporter.pages["/metrics"] = text("a{x=\"1\"} 8\n")
            until(lambda: not server.query("b"), what="the end of b")
            assert server.query("a")[0][1] == 8
            exporter.pages["/metrics"] = (500, {}, "")
            until(lambda: values(server, '{job="j"}').get("up") == 0, what="up 0")
            assert not server.query("a")
            shown = target(server, job="j")
            assert shown["health"] == "down" and shown["lastError"] == "server returned HTTP status 500 Internal Server Error"

            server.write_package("scrapes", package([]))
            until(lambda: not server.query('{job="j"}'), what="the end of everything")
            assert targets(server)["activeTargets"] == []


def test_exemplars_are_kept_and_asked_for(data):
    body = ("# TYPE c counter\nc_total{x=\"1\"} 1 # {trace=\"t1\"} 0.5 1700000000.25\nc_total{x=\"2\"} 1 # {trace=\"t2\"} 2\n"
            "c_total{x=\"3\"} 1\n# EOF\n")
    page = (200, {"Content-Type": "application/openmetrics-text; version=1.0.0"}, body)

    def ask(server, query, **more):
        return server.call("GET", "/api/v1/query_exemplars?" + urllib.parse.urlencode({"query": query, **more}))["data"]

    with Exporter({"/metrics": page}) as exporter:
        with Server(data, packages={"scrapes": package([job(exporter.address)])}) as server:
            until(lambda: len(ask(server, "c_total")) == 2, what="exemplars")
            first, second = ask(server, "rate(c_total[5m]) > 0")
            assert first == {
                "seriesLabels": {"__name__": "c_total", "instance": exporter.address, "job": "j", "x": "1"},
                "exemplars": [{"labels": {"trace": "t1"}, "value": "0.5", "timestamp": 1700000000.25}]}
            assert second["exemplars"][0]["labels"] == {"trace": "t2"}
            assert ask(server, 'c_total{x="2"}')[0]["seriesLabels"]["x"] == "2"
            assert len(ask(server, "c_total", end=1700000001)) == 1 and ask(server, "c_total", end=1600000000) == []
        with Server(data, packages={"scrapes": package([job(exporter.address)])}, arguments=["--exemplars-max=0"]) as server:
            until(lambda: server.query('c_total{x="3"}'), what="a sample")
            assert ask(server, "c_total") == []


def test_an_answer_that_does_not_say_its_format_counts_with_a_fallback_alone(data):
    with Exporter({"/metrics": (200, {}, "a 1\n")}) as exporter:
        jobs = [job(exporter.address), job(exporter.address, name="told", fallback_scrape_protocol="PrometheusText0.0.4")]
        with Server(data, packages={"scrapes": package(jobs)}) as server:
            until(lambda: values(server, '{job="told"}').get("a") == 1, what="the sample")
            until(lambda: target(server, job="j")["health"] == "down", what="the failure")
            assert "non-compliant scrape target sending blank Content-Type" in target(server, job="j")["lastError"]


def test_the_request_is_prometheus(data):
    body = "# TYPE c counter\n# UNIT c_seconds seconds\nc_total 1 # {t=\"x\"} 1\n# EOF\n"
    page = (200, {"Content-Type": "application/openmetrics-text; version=1.0.0", "Content-Encoding": "gzip"},
            gzip.compress(body.encode()))
    with Exporter({"/m": page}) as exporter:
        jobs = [job(exporter.address, metrics_path="/m", params={"collect[]": ["x y"]},
                    basic_auth={"username": "ana", "password": "w"}, http_headers={"X-Own": {"values": ["1"]}})]
        with Server(data, packages={"scrapes": package(jobs)}) as server:
            until(lambda: server.query('c_total{job="j"}'), what="the sample")
    path, headers = exporter.seen[0]
    assert path == "/m?collect%5B%5D=x%20y"
    assert headers["Accept"] == ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
                                 "application/openmetrics-text;version=0.0.1;q=0.4,"
                                 "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
                                 "text/plain;version=0.0.4;q=0.2,*/*;q=0.1")
    assert headers["X-Prometheus-Scrape-Timeout-Seconds"] == "1" and headers["Accept-Encoding"] == "gzip"
    assert headers["Authorization"] == "Basic YW5hOnc=" and headers["X-Own"] == "1"


def test_certificates_are_shown_and_checked(data, tmp_path):
    cert, key = make_certificate(tmp_path / "tls")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    tls.load_verify_locations(cert)
    tls.verify_mode = ssl.CERT_REQUIRED
    ours = {"cert_file": str(cert), "key_file": str(key)}

    def one(address, name, **tls_config):
        return job(address, name, scheme="https", tls_config=tls_config)
    with Exporter({"/metrics": text("a 1\n")}, tls) as exporter:
        jobs = [one(exporter.address, "well", ca_file=str(cert), **ours),
                one(exporter.address, "texts", ca=cert.read_text(), cert=cert.read_text(), key=key.read_text()),
                one(exporter.address, "named", ca_file=str(cert), server_name="localhost", **ours),
                one(exporter.address, "unchecked", insecure_skip_verify=True, **ours),
                one(exporter.address, "other", ca_file=str(cert), server_name="other.example", **ours),
                one(exporter.address, "unknown", **ours),
                one(exporter.address, "nobody", ca_file=str(cert))]
        with Server(data, packages={"scrapes": package(jobs)}) as server:
            until(lambda: len(server.query('up{job=~"[a-z]*ed|well|texts|other|unknown|nobody"}')) == 7, what="all scrapes")
            up = {labels["job"]: value for labels, value in server.query("up")}
            assert [up[name] for name in ("well", "texts", "named", "unchecked")] == [1, 1, 1, 1]
            assert [up[name] for name in ("other", "unknown", "nobody")] == [0, 0, 0]
            errors = {t["labels"]["job"]: t["lastError"] for t in targets(server)["activeTargets"]}
            assert "mismatch" in errors["other"] and "self-signed" in errors["unknown"]


def test_limits_fail_the_scrape_and_redirects_are_followed(data):
    pages = {"/metrics": text("a 1\nb 1\nc 1\n"), "/moved": (302, {"Location": "/metrics"}, "")}
    with Exporter(pages) as exporter:
        jobs = [job(exporter.address, "few", sample_limit=2), job(exporter.address, "small", body_size_limit="5B"),
                job(exporter.address, "moved", metrics_path="/moved"),
                job(exporter.address, "stays", metrics_path="/moved", follow_redirects=False),
                job(exporter.address, "none", target_limit=1,
                    static_configs=[{"targets": [exporter.address, exporter.address.replace("127.0.0.1", "localhost")]}])]
        with Server(data, packages={"scrapes": package(jobs)}) as server:
            until(lambda: len(server.query('up{job=~"few|small|moved|stays|none"}')) == 6, what="all scrapes")
            errors = {t["labels"]["job"]: t["lastError"] for t in targets(server)["activeTargets"]}
            assert errors["few"] == "sample limit exceeded" and errors["small"] == "body size limit exceeded"
            assert errors["moved"] == "" and errors["stays"] == "server returned HTTP status 302"
            assert errors["none"] == "target_limit exceeded (number of targets: 2, limit: 1)"
            assert values(server, '{job="few"}')["scrape_samples_scraped"] == 3
            assert server.query('a{job="few"}') == [] and server.query('a{job="moved"}')


def test_odd_lines_sizes_and_values_are_taken_as_prometheus_takes_them(data):
    long = "v" * 5000
    pages = {"/backslash": text('a{x="C:\\dir"} 1\n'), "/long": text('a{x="%s"} 1\n' % long),
             "/comments": text("#HELP a\n#TYPE a bogus\na 1\n"), "/huge": text("a 1\na 1e400\n")}
    with Exporter(pages) as exporter:
        jobs = [job(exporter.address, page[1:], metrics_path=page) for page in pages]
        jobs += [job(exporter.address, "small", metrics_path="/long", body_size_limit="1KB"),
                 job(exporter.address, "roomy", metrics_path="/long", body_size_limit="10KB"),
                 job(exporter.address, "bounded", metrics_path="/long", label_value_length_limit=100)]
        with Server(data, packages={"scrapes": package(jobs)}) as server:
            names = {one["job_name"] for one in jobs}
            until(lambda: names <= {labels["job"] for labels, _ in server.query("up")}, what="all scrapes")
            up = {labels["job"]: value for labels, value in server.query("up")}
            assert {name for name, value in up.items() if value == 0} & names == {"huge", "small", "bounded"}
            assert server.query('a{job="backslash"}')[0][0]["x"] == "C:\\dir"
            assert server.query('a{job="long"}')[0][0]["x"] == long
            errors = {t["labels"]["job"]: t["lastError"] for t in targets(server)["activeTargets"]}
            assert errors["huge"] == 'line 2: "1e400" is no number'
            assert errors["small"] == "body size limit exceeded" and "label_value_length_limit" in errors["bounded"]
            scraped = {labels["job"]: value for labels, value in server.query("scrape_samples_scraped")}
            assert scraped["huge"] == 1


def test_the_steps_of_relabelling_are_shown(data):
    steps = [{"source_labels": ["__address__"], "regex": "(.*):.*", "target_label": "host"},
             {"source_labels": ["host"], "regex": "b", "action": "drop"}]
    with Server(data, packages={"scrapes": package([job("a:1", "j", relabel_configs=steps)])}) as server:
        def ask(labels, pool="j"):
            query = urllib.parse.urlencode({"scrapePool": pool, "labels": json.dumps(labels)})
            return server.call("GET", "/api/v1/targets/relabel_steps?" + query)["data"]["steps"]

        until(lambda: targets(server)["activeTargets"], what="the job")
        first, second = ask({"__address__": "a:1"})
        assert first == {"rule": {"source_labels": ["__address__"], "separator": ";", "regex": "(.*):.*", "target_label": "host",
                                  "replacement": "$1", "action": "replace"},
                         "output": {"__address__": "a:1", "host": "a"}, "keep": True}
        assert second["keep"] and second["output"] == first["output"]
        assert [(s["keep"], s["output"]) for s in ask({"__address__": "b:1"})] == \
            [(True, {"__address__": "b:1", "host": "b"}), (False, {})]
        with pytest.raises(HttpError, match="scrape pool"):
            ask({}, "nope")


def test_targets_and_metadata_are_as_prometheus_answers(data):
    page = text("# HELP a what it is\n# TYPE a gauge\na 1\n")
    with Exporter({"/metrics": page}) as exporter:
        jobs = [job(exporter.address, relabel_configs=[
            {"source_labels": ["__address__"], "regex": "gone:.*", "action": "drop"}],
            static_configs=[{"targets": [exporter.address, "gone:1"], "labels": {"team": "x"}}])]
        with Server(data, packages={"scrapes": package(jobs)}) as server:
            until(lambda: server.query("a"), what="the sample")
            seen = targets(server)
            one = seen["activeTargets"][0]
            assert one["labels"] == {"instance": exporter.address, "job": "j", "team": "x"}
            assert one["discoveredLabels"] == {"__address__": exporter.address, "__metrics_path__": "/metrics",
                                               "__scheme__": "http", "__scrape_interval__": "1s",
                                               "__scrape_timeout__": "1s", "job": "j", "team": "x"}
            assert (one["scrapePool"], one["scrapeUrl"], one["health"], one["lastError"]) == (
                "j", f"http://{exporter.address}/metrics", "up", "")
            assert (one["scrapeInterval"], one["scrapeTimeout"]) == ("1s", "1s")
            assert [d["discoveredLabels"]["__address__"] for d in seen["droppedTargets"]] == ["gone:1"]
            assert seen["droppedTargetCounts"] == {"j": 1}
            assert targets(server, "?state=active")["droppedTargets"] == []
            assert targets(server, "?state=dropped")["activeTargets"] == []
            assert targets(server, "?scrapePool=other")["activeTargets"] == []
            assert len(targets(server, "?state=Dropped")["droppedTargets"]) == 1
            assert targets(server, "?state=both")["activeTargets"] == targets(server, "?state=both")["droppedTargets"] == []
            meta = {"type": "gauge", "help": "what it is", "unit": ""}
            assert server.call("GET", "/api/v1/metadata?metric=a")["data"] == {"a": [meta]}
            assert server.call("GET", "/api/v1/metadata?limit=0")["data"] == {}
            assert server.call("GET", "/api/v1/targets/metadata?match_target=%7Bjob%3D%22j%22%7D")["data"] == [
                {**meta, "metric": "a", "target": one["labels"]}]
            assert server.call("GET", "/api/v1/targets/metadata?match_target=%7Bjob%3D%22k%22%7D")["data"] == []


def test_files_and_addresses_list_targets(data, tmp_path):
    with Exporter({"/metrics": text("a 1\n")}) as exporter:
        exporter.pages["/sd"] = (200, {"Content-Type": "application/json"},
                                 json.dumps([{"targets": [exporter.address], "labels": {"from": "http"}}]))
        folder = tmp_path / "sd"
        folder.mkdir()
        jobs = [{"job_name": "files", "scrape_interval": "1s", "scrape_timeout": "1s",
                 "file_sd_configs": [{"files": [f"{folder}/*.yml"]}]},
                {"job_name": "urls", "scrape_interval": "1s", "scrape_timeout": "1s",
                 "http_sd_configs": [{"url": f"http://{exporter.address}/sd", "refresh_interval": "1s"}]}]
        with Server(data, packages={"scrapes": package(jobs)}) as server:
            until(lambda: server.query('a{job="urls",from="http"}'), what="what the address lists")
            assert not server.query('a{job="files"}')
            (folder / "new").write_text(f"- targets: ['{exporter.address}']\n  labels: {{from: file}}\n")
            os.rename(folder / "new", folder / "x.yml")
            until(lambda: server.query('a{job="files",from="file"}'), what="what the file lists")
            found = target(server, job="files")["discoveredLabels"]
            assert found["__meta_filepath"] == f"{folder}/x.yml"
            (folder / "x.yml").write_text("- {targets: [")
            until(lambda: "a file of targets is not taken" in server.log(), what="the complaint")
            assert target(server, job="files")["health"] == "up", "the targets before go on"
            (folder / "x.yml").unlink()
            until(lambda: not server.query('up{job="files"}'), what="the end of the file's targets")
            headers = next(headers for path, headers in exporter.seen if path == "/sd")
            assert headers["X-Prometheus-Refresh-Interval-Seconds"] == "1"
            exporter.pages["/sd"] = (500, {}, "")
            until(lambda: "targets are not listed" in server.log(), what="the complaint")
            assert target(server, job="urls")["health"] == "up"


def test_a_change_of_packages_starts_changes_and_ends_scrapes(data):
    with Exporter({"/metrics": text("a 1\nb 1\n")}) as exporter:
        with Server(data, packages={"scrapes": package([])}) as server:
            def change(*jobs, preview=False):
                return server.post("/package-changes", {"preview": preview, "operations": [
                    {"op": "write", "package": "scrapes", "file": "package.yaml", "text": package(list(jobs))}]})
            assert change(job(exporter.address), preview=True)["effects"] == ["1 scrape starts"]
            assert targets(server)["activeTargets"] == []
            change(job(exporter.address))
            until(lambda: server.query("b"), what="samples")
            drop = job(exporter.address, metric_relabel_configs=[
                {"source_labels": ["__name__"], "regex": "b", "action": "drop"}])
            assert change(drop)["effects"] == ["1 scrape changes"]
            until(lambda: not server.query("b"), what="the end of b")
            assert server.query("a")
            assert change()["effects"] == ["1 scrape stops"]
            until(lambda: not server.query('{job="j"}'), what="the end")
            with pytest.raises(HttpError) as refused:
                change({"job_name": "k", "kubernetes_sd_configs": [{"role": "pod"}]})
            assert "file_sd_configs" in json.dumps(refused.value.body)


def test_a_prometheus_configuration_runs_as_it_is(data, tmp_path):
    with Exporter({"/metrics": text("a 1\n")}) as exporter:
        (tmp_path / "targets.json").write_text(json.dumps([{"targets": [exporter.address]}]))
        config = tmp_path / "prometheus.yml"
        config.write_text("global: {scrape_interval: 1s, scrape_timeout: 500ms, external_labels: {a: b}}\n"
                          "rule_files: [x.yml]\n"
                          "scrape_configs:\n- job_name: file\n  file_sd_configs: [{files: [targets.json]}]\n")
        with Server(data, arguments=["--scrape-config", str(config)]) as server:
            until(lambda: server.query('a{job="file"}'), what="the sample")
            assert target(server, job="file")["scrapeTimeout"] == "500ms"
            assert "rule_files is passed over" in server.log() and "external_labels is passed over" in server.log()
            assert server.call("GET", "/api/v1/scrape_pools")["data"] == {"scrapePools": ["file"]}
        config.write_text("scrape_configs: [{job_name: x, dns_sd_configs: [{names: [y]}]}]\n")
        with pytest.raises(AssertionError) as refused:
            Server(data, arguments=["--scrape-config", str(config)]).start()
        assert "prometheus.yml:1:53" in str(refused.value) or "dns_sd_configs" in str(refused.value)


@pytest.fixture
def node_exporter():
    program = shutil.which("prometheus-node-exporter")
    if program is None:
        pytest.skip("prometheus-node-exporter is not installed")
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen([program, f"--web.listen-address={address}"], stderr=subprocess.DEVNULL)
    yield address
    process.kill()
    process.wait()


def series_of(where):
    return sorted(json.dumps(labels, sort_keys=True) for labels, _ in where.query('{job="node"}'))


def test_the_same_as_prometheus_of_the_node_exporter(data, tmp_path, node_exporter):
    """Names and labels of what one target yields are those that Prometheus stores of it."""
    config = tmp_path / "prometheus.yml"
    config.write_text("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n- job_name: node\n"
                      f"  static_configs: [{{targets: ['{node_exporter}'], labels: {{team: x}}}}]\n"
                      "  metric_relabel_configs:\n"
                      "  - {source_labels: [__name__], regex: 'node_(cpu|memory|load).*|up|scrape_.*', action: keep}\n"
                      "  - {source_labels: [cpu], modulus: 8, action: hashmod, target_label: shard}\n")
    with Peer(config, tmp_path) as theirs, Server(data, arguments=["--scrape-config", str(config)]) as server:
        until(lambda: len(series_of(theirs)) > 20 and len(series_of(server)) > 20, what="both have scraped")
        until(lambda: series_of(theirs) == series_of(server), what="the same series")
        for name in ("up", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling"):
            assert [v for _, v in server.query(name + '{job="node"}')] == [
                v for _, v in theirs.query(name + '{job="node"}')], name


def test_series_end_where_those_of_prometheus_do(data, tmp_path):
    """The same answers to both: what is there, what ended, and what the synthetic series say.

    The broken answer is broken in its first line: series before a broken line, or before the sample that breaks a
    limit, are seen but not stored by Prometheus, and so go on with their old value; ours end.
    """
    states = [text("a 1\nb{job=\"own\"} 2\n"), text("a 1\n"), text("a 1\nb{job=\"own\"} 2\n"), text("b x\na 1\n"),
              text("a 1\n"), (503, {}, ""), text("a 1\n"), text("a 1\na 2\nc 1 1000\n")]
    with Exporter({"/metrics": states[0]}) as exporter:
        config = tmp_path / "prometheus.yml"
        config.write_text("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n- job_name: node\n"
                          f"  sample_limit: 5\n  static_configs: [{{targets: ['{exporter.address}']}}]\n")
        ignored = ("scrape_duration_seconds", "scrape_series_added")

        def seen(where):
            return sorted((json.dumps(labels, sort_keys=True), value) for labels, value in where.query('{job="node"}')
                          if labels["__name__"] not in ignored)
        with Peer(config, tmp_path) as theirs, Server(data, arguments=["--scrape-config", str(config)]) as server:
            for number, state in enumerate(states):
                exporter.pages["/metrics"] = state
                # Both have asked twice more: what is seen then is of this answer.
                count = len(exporter.seen)
                until(lambda: len(exporter.seen) >= count + 6, what="further scrapes")
                until(lambda: seen(theirs) == seen(server), timeout=10, what=f"answer {number}: {seen(theirs)}, {seen(server)}")
