"""Scrapes by agents: jobs of packages with `on`, fetched beside the target and brought by the agent's own way."""

import json

import pytest

from atalaya import Agent, Server, until
from test_scrape import Exporter, Peer, job, node_exporter, package, targets, text, values  # noqa: F401


def of_host(server, host):
    return [t for t in targets(server)["activeTargets"] if t["labels"]["instance"] == host]


@pytest.fixture
def server(data):
    with Server(data, packages={"scrapes": package([])}) as server:
        yield server


def test_each_agent_that_is_named_scrapes_for_itself(server, tmp_path):
    with Exporter({"/metrics": text("# TYPE a counter\na{x=\"1\"} 7\nb 2\n")}) as exporter:
        with Agent(tmp_path / "1", server, name="web1"), Agent(tmp_path / "2", server, name="web2"), \
                Agent(tmp_path / "3", server, name="db1"):
            server.write_package("scrapes", package([job(exporter.address, on="web*")]))
            until(lambda: len(server.query('a{job="j"}')) == 2, what="the samples of both")
            labels = [labels for labels, _ in server.query('a{job="j"}')]
            assert labels == [{"__name__": "a", "exported_instance": exporter.address, "instance": host, "job": "j", "x": "1"}
                              for host in ("web1", "web2")]
            got = values(server, '{job="j",instance="web1"}')
            assert (got["a"], got["b"], got["up"], got["scrape_samples_scraped"]) == (7, 2, 1, 2)
            shown = of_host(server, "web2")
            assert [(t["scrapePool"], t["health"], t["lastError"], t["scrapeUrl"], t["globalUrl"]) for t in shown] == [
                ("j", "up", "", f"http://{exporter.address}/metrics",
                 f"http://{exporter.address.replace('127.0.0.1', 'web2')}/metrics")]
            assert shown[0]["discoveredLabels"]["__meta_atalaya_host"] == "web2"
            assert of_host(server, "db1") == []
            said = server.call("GET", "/api/v1/targets/metadata?metric=a")["data"]
            assert sorted((one["target"]["instance"], one["type"]) for one in said) == [
                ("web1", "counter"), ("web2", "counter")]
            assert server.call("GET", "/api/v1/metadata?metric=a")["data"] == {
                "a": [{"type": "counter", "help": "", "unit": ""}]}

            exporter.pages["/metrics"] = (500, {}, "")
            until(lambda: values(server, '{job="j",instance="web1"}').get("up") == 0, what="up 0")
            assert not server.query('a{job="j",instance="web1"}')
            until(lambda: [t["lastError"] for t in of_host(server, "web1")] == [
                "server returned HTTP status 500 Internal Server Error"], what="the error")

            server.write_package("scrapes", package([job(exporter.address, on="web2")]))
            until(lambda: not server.query('{job="j",instance="web1"}'), what="the end on web1")
            assert server.query('up{job="j",instance="web2"}')


def test_files_of_the_agents_host_list_targets_and_relabelling_holds_there(server, tmp_path):
    listed = tmp_path / "targets.json"
    with Exporter({"/metrics": text("a 1\nb 1\n"), "/sd": text("[]")}) as exporter:
        exporter.pages["/sd"] = (200, {"Content-Type": "application/json"},
                                 json.dumps([{"targets": [exporter.address], "labels": {"from": "http"}}]))
        common = {"scrape_interval": "1s", "scrape_timeout": "1s", "on": "*",
                  "relabel_configs": [{"source_labels": ["__meta_atalaya_host"], "target_label": "instance"}],
                  "metric_relabel_configs": [{"source_labels": ["__name__"], "regex": "b", "action": "drop"}]}
        jobs = [{"job_name": "files", "file_sd_configs": [{"files": [str(listed)]}], **common},
                {"job_name": "urls", "http_sd_configs": [{"url": f"http://{exporter.address}/sd"}], **common},
                {"job_name": "few", "sample_limit": 1, "static_configs": [{"targets": [exporter.address]}],
                 **{**common, "metric_relabel_configs": []}}]
        server.write_package("scrapes", package(jobs))
        with Agent(tmp_path / "1", server, name="web1"):
            until(lambda: server.query('a{job="urls"}'), what="what the address lists")
            listed.write_text(json.dumps([{"targets": [exporter.address], "labels": {"from": "file"}}]))
            until(lambda: server.query('a{job="files"}'), what="what the file lists")
            assert server.query('a{job="files"}')[0][0] == {
                "__name__": "a", "from": "file", "instance": "web1", "job": "files"}
            assert not server.query('b{job="files"}')
            until(lambda: server.query('up{job="few"} == 0'), what="the limit")
            assert [t["lastError"] for t in of_host(server, "web1") if t["scrapePool"] == "few"] == ["sample limit exceeded"]
            listed.write_text("[]")
            until(lambda: not server.query('{job="files"}'), what="the end of the file's targets")


def test_what_was_scraped_while_the_server_was_away_is_there_afterwards(data, tmp_path):
    with Exporter({"/metrics": text("a 1\n")}) as exporter:
        with Server(data, packages={"scrapes": package([job(exporter.address, on="*")])}) as server:
            agent = Agent(tmp_path / "1", server, name="web1")
            with agent:
                until(lambda: server.query("a"), what="samples")
                server.stop()
                seen = len(exporter.seen)
                until(lambda: len(exporter.seen) >= seen + 3, what="scrapes without a server")
                server.start()
                until(lambda: [t["health"] for t in of_host(server, "web1")] == ["up"], what="the agent")
                until(lambda: server.query("count_over_time(up{job='j'}[5m])")[0][1] >= seen + 3, what="every scrape")
            until(lambda: [(t["health"], t["lastError"]) for t in of_host(server, "web1")] == [
                ("unknown", "the agent is not connected")], what="an agent that is away")


def test_an_agent_stores_what_prometheus_stores_of_the_node_exporter(data, tmp_path, node_exporter):  # noqa: F811
    keep = {"source_labels": ["__name__"], "regex": "node_(cpu|memory|load).*|up|scrape_.*", "action": "keep"}
    config = tmp_path / "prometheus.yml"
    config.write_text(json.dumps({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": [
        {"job_name": "node", "static_configs": [{"targets": [node_exporter]}], "metric_relabel_configs": [keep]}]}))
    jobs = [job(node_exporter, "node", on="web1", metric_relabel_configs=[keep])]

    def series_of(where):
        def plain(labels):
            return {("instance" if name == "exported_instance" else name): value for name, value in labels.items()
                    if where is not server or name != "instance"}
        return sorted(json.dumps(plain(labels), sort_keys=True)
                      for labels, _ in where.query(f'{{job="node",{"exported_" if where is server else ""}instance!=""}}'))

    with Peer(config, tmp_path) as theirs, Server(data, packages={"scrapes": package(jobs)}) as server:
        with Agent(tmp_path / "1", server, name="web1"):
            until(lambda: len(series_of(theirs)) > 20 and series_of(theirs) == series_of(server), what="the same series")
