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


def test_beyond_its_memory_the_process_refuses_new_series_and_queries_by_name_and_known_series_go_on(tmp_path):
    data = tmp_path / "data"
    with Server(data) as server:
        bring(server, tmp_path, line("known", 1, ago=60))
        assert metric(server, "atalaya_memory_limit_bytes") > metric(server, "atalaya_memory_taken_bytes")
        server.kill()
    with Server(data, arguments=["--memory", "2MiB"]) as server:
        until(lambda: metric(server, "atalaya_memory_full") == 1, what="its saying that memory is full")
        assert metric(server, "atalaya_memory_taken_bytes") > 2 << 20
        bring(server, tmp_path, line("known", 2, ago=10))
        refused = bring(server, tmp_path, line("new"), check=False)
        assert refused.returncode == 1 and "no memory for another series; --memory is 2097152" in refused.stderr
        assert metric(server, 'atalaya_tsdb_refused_series_total{reason="memory"}') > 0
        with pytest.raises(HttpError) as error:
            server.query("known")
        assert error.value.status == 503
        assert "no memory for another query" in str(error.value.body) and "--memory is 2097152" in str(error.value.body)
        assert metric(server, 'atalaya_refused_queries_total{reason="memory"}') > 0
        server.kill()
    with Server(data) as server:
        assert server.query("known")[0][1] == 2.0, "what was refused was not what was taken"
        assert not server.query("new")


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
