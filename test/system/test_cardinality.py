"""One tenant makes ten times the series that it may, while another writes and reads: the real server, two tenants."""

import threading
import time

from atalaya import Server
from test_remote_write import body_v1, write

LIMIT = 1000
SERIES = 20


def token(server, tenant, role):
    return server.cli("token", "create", "--data", str(server.data), "--tenant", tenant, "--role", role).strip()


def metric(server, name):
    """The value of a line of /metrics, by everything before the value."""
    text = server.call("GET", "/metrics", raw=True).decode()
    return next((float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name + " ")), None)


def query(server, text, reader, at):
    answer = server.call("GET", f"/api/v1/query?query={text}&time={at / 1000}", token=reader)
    return [(r["metric"], float(r["value"][1])) for r in answer["data"]["result"]]


def test_a_tenant_that_makes_series_without_end_disturbs_no_other(tmp_path):
    with Server(tmp_path / "data", arguments=["--series-max-per-tenant", str(LIMIT)]) as server:
        bomber, writer = token(server, "bomber", "ingest"), token(server, "quiet", "ingest")
        reader, other_reader = token(server, "quiet", "viewer"), token(server, "bomber", "viewer")
        start = int(time.time() * 1000) - 60_000
        labels = [{"__name__": "quiet", "n": str(n)} for n in range(SERIES)]
        assert write(server, body_v1([(one, [(0, start)]) for one in labels]), writer)[0] == 204
        statuses, texts = [], []

        def bomb(part):
            for i in range(part * 5 * LIMIT, (part + 1) * 5 * LIMIT, 500):
                body = body_v1([({"__name__": "bomb", "n": str(n)}, [(1, start)]) for n in range(i, i + 500)])
                status, _, text = write(server, body, bomber)
                statuses.append(status)
                texts.append(text)

        threads = [threading.Thread(target=bomb, args=(part,)) for part in range(2)]
        for thread in threads:
            thread.start()
        rounds = 0
        while rounds < 20 or any(thread.is_alive() for thread in threads):
            rounds += 1
            at = start + rounds
            status, _, text = write(server, body_v1([(one, [(rounds, at)]) for one in labels]), writer)
            assert status == 204, f"round {rounds}: {text}"
            found = query(server, "quiet", reader, at)
            assert len(found) == SERIES and {value for _, value in found} == {rounds}, f"round {rounds}: {found}"
        for thread in threads:
            thread.join()

        assert len(statuses) == 20 and set(statuses) <= {204, 400}, (statuses, texts)
        refusal = next(text for text in texts if text)
        assert f"--series-max-per-tenant is {LIMIT}" in refusal, refusal
        assert query(server, "count(bomb)", other_reader, start) == [({}, LIMIT)]
        assert query(server, "bomb", reader, start) == []
        assert metric(server, 'atalaya_tsdb_refused_series_total{reason="limit"}') == 9 * LIMIT
        assert metric(server, 'atalaya_remote_write_refused_samples_total{reason="limits"}') == 9 * LIMIT
        server.kill()
        server.start()
        found = query(server, "count_over_time(quiet[5m])", reader, start + rounds)
        assert len(found) == SERIES and {value for _, value in found} == {rounds + 1}
