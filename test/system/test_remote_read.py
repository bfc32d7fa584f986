"""Remote read: Debian's prometheus answers queries from what only our server has."""

import math
import time

from atalaya import Server
from prometheus_peer import Peer


def fill(server):
    """Ten minutes before the last: 400 samples of two series, one of which ends, and one of another kind."""
    end = int(time.time()) - 600
    lines = []
    for i in range(400):
        at = (end - 400 + i) * 1000
        lines.append(f'work_total{{job="a"}} {i * i} {at}')
        lines.append(f'load{{job="b",unit="é"}} {math.sin(i / 10):.17g} {at + i % 7}')
    server.call("POST", "/api/atalaya/v1/series/import?format=text", "\n".join(lines).encode(),
                headers={"Content-Type": "text/plain"})
    ended = f'{{"metric":{{"__name__":"ended"}},"values":[1,"stale"],"timestamps":[{(end - 60) * 1000},{(end - 30) * 1000}]}}'
    server.call("POST", "/api/atalaya/v1/series/import", ended.encode(), headers={"Content-Type": "application/x-ndjson"})
    return end


QUERIES = ["work_total", 'rate(work_total[2m:15s])', "sum by (job) (load)", '{__name__=~"work.*|load"}', "ended", "count({job!=''})",
           "max_over_time(load[5m])", 'load{unit="é"} > 0', "absent(nothing)", 'work_total{site="north"}', 'work_total{site="south"}']


def plain(result):
    """Comparable; without the server's label, which a Prometheus gives back to who asked for it by name."""
    return sorted(str(({k: v for k, v in labels.items() if k != "site"}, values)) for labels, values in result)


def test_a_prometheus_reads_what_we_have(data, tmp_path):
    with Server(data, arguments=["--external-label", "site=north"]) as server:
        end = fill(server)
        token = server.cli("token", "create", "--data", str(server.data), "--role", "viewer").strip()
        config = tmp_path / "prometheus.yml"
        config.write_text("global: {external_labels: {site: north}}\n"
                          f"remote_read: [{{url: '{server.url}/api/v1/read', read_recent: true, "
                          f"authorization: {{credentials: {token}}}}}]\n")
        with Peer(config, tmp_path) as theirs:
            for query in QUERIES:
                # In ours the label is none of the series.
                ours = query.replace('{site="north"}', "")
                for at in (end - 200, end - 45, end - 20):
                    assert plain(theirs.query(query, time=at + 0.5)) == plain(server.query(ours, time=at + 0.5)), (query, at)
                asked = end - 300.5, end + 0.5, 7
                assert plain(theirs.query_range(query, *asked)) == plain(server.query_range(ours, *asked)), query
