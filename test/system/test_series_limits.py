"""The series' server with too little memory, and on a disk without room."""

import contextlib
import re
import subprocess
import time

import pytest

from atalaya import HttpError, Server, until


def line(name, value=1, ago=10):
    return f"{name} {value} {int((time.time() - ago) * 1000)}\n"


def metric(server, name):
    text = server.call("GET", "/metrics", raw=True).decode()
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)
    return float(found[1]) if found else 0


def bring(server, tmp_path, text, check=True):
    (tmp_path / "in.txt").write_text(text)
    return server.cli("tsdb", "import", tmp_path / "in.txt", "--data", server.data, check=check)


def test_beyond_its_memory_the_process_refuses_new_series_and_large_queries_by_name_and_the_rest_goes_on(tmp_path):
    data = tmp_path / "data"
    with Server(data) as server:
        bring(server, tmp_path, "".join(line(f'many{{n="{n}"}}', ago=60) for n in range(40)))
        bring(server, tmp_path, "".join(line(f'filling{{n="{n}"}}', ago=60) for n in range(60_000)))
        bring(server, tmp_path, line("known", 1, ago=60))
        assert metric(server, "atalaya_memory_limit_bytes") > metric(server, "atalaya_memory_taken_bytes")
        server.kill()
    with Server(data, arguments=["--memory", "16MiB"]) as server:
        until(lambda: metric(server, "atalaya_memory_full") == 1, what="its saying that memory is full")
        assert metric(server, "atalaya_memory_taken_bytes") > 16 << 20
        bring(server, tmp_path, line("known", 2, ago=10))
        refused = bring(server, tmp_path, line("new"), check=False)
        assert refused.returncode == 1 and "no memory for another series; --memory is 16777216" in refused.stderr
        assert metric(server, 'atalaya_tsdb_refused_series_total{reason="memory"}') > 0
        assert server.query("known")[0][1] == 2.0, "a tenth is theirs whatever fills it"
        with pytest.raises(HttpError) as error:
            server.query_range("many", int(time.time()) - 10_000, int(time.time()), 1)
        assert error.value.status == 503
        assert "no memory for another query" in str(error.value.body) and "--memory is 16777216" in str(error.value.body)
        assert metric(server, 'atalaya_refused_queries_total{reason="memory"}') > 0
        server.kill()
    with Server(data) as server:
        assert server.query("known")[0][1] == 2.0, "what was refused was not what was taken"
        assert not server.query("new")


def test_a_query_that_has_begun_ends_when_it_would_take_more_than_a_quarter(tmp_path):
    with Server(tmp_path / "data", arguments=["--memory", "96MiB"]) as server:
        bring(server, tmp_path, "".join(line(f'w{{n="{n}"}}') for n in range(400)))
        now = int(time.time())
        with pytest.raises(HttpError) as error:
            server.query_range("w * 2", now - 10_800, now, 1)
        assert error.value.status == 422
        assert "more than 25165824 bytes of memory, a quarter of --memory, which is 100663296" in str(error.value.body)
        assert len(server.query("w")) == 400
        assert metric(server, "atalaya_query_memory_bytes") == 0
        assert metric(server, "atalaya_memory_taken_bytes") < 96 << 20


def test_federation_of_more_than_memory_holds_ends_with_its_name_and_an_export_goes_through_all(tmp_path):
    with Server(tmp_path / "data", arguments=["--memory", "256MiB"]) as server:
        bring(server, tmp_path, "".join(line(f'many{{n="{n}"}}', n) for n in range(60_000)))
        with pytest.raises(HttpError) as error:
            server.call("GET", "/federate?match[]=many")
        assert error.value.status == 422 and "--memory" in str(error.value.body)
        for flushed in [False, True]:
            if flushed:
                server.cli("tsdb", "flush", "--data", server.data)
            server.cli("tsdb", "export", tmp_path / "out.txt", "--match", "many", "--format", "text",
                       "--data", server.data)
            numbers = [row.split('"')[1] for row in (tmp_path / "out.txt").read_text().splitlines()]
            (tmp_path / "out.txt").unlink()
            assert numbers == sorted(str(n) for n in range(60_000))
        assert server.call("GET", "/federate?match[]=many%7Bn=%227%22%7D").count("many{") == 1
        assert metric(server, "atalaya_query_memory_bytes") == 0


def test_an_import_waits_where_a_tenant_may_write_only_so_much_a_second(tmp_path):
    with Server(tmp_path / "data", arguments=["--series-samples-per-second", "4000"]) as server:
        text = "".join(line(f'm{{n="{n % 10}"}}', n, 7001 - n // 10) for n in range(70_000))
        assert bring(server, tmp_path, text) == "70000 samples imported\n"
        assert server.query("sum(count_over_time(m[3h]))")[0][1] == 70_000


def test_the_series_of_one_tenant_shut_no_other_out_and_leave_room_when_they_are_deleted(tmp_path):
    with Server(tmp_path / "data", arguments=["--memory", "64MiB"]) as server:
        def bring_as(tenant, text):
            (tmp_path / "in.txt").write_text(text)
            return server.cli("tsdb", "import", tmp_path / "in.txt", "--tenant", tenant, "--data", server.data, check=False)

        def count(name):
            return server.call("GET", f"/api/v1/query?query=count({name})", token=acme)["data"]["result"][0]["value"][1]

        acme = server.cli("token", "create", "--data", server.data, "--role", "viewer", "--tenant", "acme", "--ttl",
                          "1h").strip()
        assert bring_as("acme", line("quiet")).returncode == 0
        for batch in range(100):
            brought = bring_as("default", "".join(line(f'bomb{{n="{n}",pad="{"x" * 60}"}}')
                                                  for n in range(batch * 4000, batch * 4000 + 4000)))
            if brought.returncode != 0:
                break
        assert "no memory for another series; --memory is 67108864" in brought.stderr
        assert count("quiet") == "1"
        assert bring_as("acme", line('quiet{n="2"}')).returncode == 0
        server.cli("tsdb", "delete", "--match", "bomb", "--data", server.data)
        server.cli("tsdb", "flush", "--merge", "--data", server.data)
        until(lambda: metric(server, "atalaya_memory_full") == 0, what="room")
        assert metric(server, "atalaya_tsdb_series") < 1000
        assert bring_as("acme", line('quiet{n="3"}')).returncode == 0
        assert count("quiet") == "3"
        server.kill()
        server.start()
        until(lambda: metric(server, "atalaya_tsdb_series") > 0, what="series")
        assert metric(server, "atalaya_tsdb_series") < 1000, "the deleted ones do not come back with a start"
        assert bring_as("default", line("another")).returncode == 0


@contextlib.contextmanager
def small_disk(folder, size):
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True,
                             text=True)
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small file system: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder):
    """To the last byte."""
    with open(folder / "filler", "ab", buffering=0) as filler:
        for size in [1 << 20, 1 << 12, 1]:
            with contextlib.suppress(OSError):
                while filler.write(b"x" * size) == size:
                    pass


def series_in_blocks(server, name):
    dumped = server.cli("tsdb", "dump", max((server.data / "series/blocks").glob("*.block"), key=lambda one: one.stat().st_size))
    return len(re.findall(rf"^default {name}\{{", dumped, re.M))


def test_on_a_full_disk_deletions_run_and_a_server_starts(tmp_path):
    with small_disk(tmp_path / "disk", "96m") as disk:
        with Server(disk / "data", arguments=["--series-disk-reserve", "16MiB"]) as server:
            now = int(time.time() * 1000)
            bring(server, tmp_path, "".join(f'x{{n="{n}"}} {i * n} {now - 60_000 + i * 1000}\n'
                                            for n in range(40) for i in range(30)))
            until((server.data / "ballast").exists, what="the ballast")
            fill(disk)
            server.cli("tsdb", "flush", "--data", server.data, check=False)
            assert (server.data / "ballast").exists(), "a flush does not spend it"
            server.cli("tsdb", "delete", "--match", 'x{n=~"1.*"}', "--data", server.data)
            assert not (server.data / "ballast").exists(), "it was given up for it"
            assert "the ballast is given up" in server.log()
            assert len(server.query("x")) == 29
            server.cli("tsdb", "flush", "--merge", "--data", server.data)
            assert series_in_blocks(server, "x") == 29
            (disk / "filler").unlink()
            until((server.data / "ballast").exists, what="the ballast, again")
            fill(disk)
            server.kill()
            fill(disk)
        with Server(disk / "data", arguments=["--series-disk-reserve", "16MiB"]) as server:
            assert len(server.query("x")) == 29, "at 0 bytes it starts, and serves"
            refused = bring(server, tmp_path, line("y"), check=False)
            assert refused.returncode == 1 and "the disk has less left than the reserve" in refused.stderr
