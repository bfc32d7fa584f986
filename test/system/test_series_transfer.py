"""`atalaya tsdb import|export` and /federate through the real server."""

import json
import time


def test_what_is_exported_comes_back_by_import(server, tmp_path):
    now = int(time.time() * 1000)
    text = "# TYPE x_total counter\n" + "".join(
        f'x_total{{job="a",n="{n}"}} {n}.5 {now - 60_000 + i * 1000}\n' for n in range(3) for i in range(50))
    (tmp_path / "in.txt").write_text(text)
    out = server.cli("tsdb", "import", tmp_path / "in.txt", "--data", server.data)
    assert out == "150 samples imported\n"
    server.cli("tsdb", "export", tmp_path / "out.jsonl", "--match", "x_total", "--data", server.data)
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [line["metric"]["n"] for line in lines] == ["0", "1", "2"]
    assert lines[2]["values"] == [2.5] * 50 and lines[2]["timestamps"][0] == now - 60_000
    assert not (tmp_path / "out.jsonl.part").exists()
    again = server.cli("tsdb", "import", "-", "--data", server.data, input=(tmp_path / "out.jsonl").read_text())
    assert again == "150 samples imported\n", "the same samples are no fault"
    server.cli("tsdb", "export", tmp_path / "out.txt", "--format", "text", "--match", 'x_total{n="1"}',
               "--from", str((now - 15_000) / 1000), "--data", server.data)
    assert (tmp_path / "out.txt").read_text() == "".join(
        f'x_total{{job="a",n="1"}} 1.5 {now - 60_000 + i * 1000}\n' for i in range(45, 50))


def test_lines_that_are_refused_are_named_by_their_numbers_in_the_file(server, tmp_path):
    now = int(time.time() * 1000)
    # Beyond one page, so that the numbers must count across pages.
    lines = [f'y{{padding="{"p" * 200}"}} {i} {now - 50_000 + i}' for i in range(30_000)]
    lines[3] = "nonsense"
    lines[29_998] = "y 1 5"
    (tmp_path / "in.txt").write_text("\n".join(lines))
    done = server.cli("tsdb", "import", tmp_path / "in.txt", "--data", server.data, check=False)
    assert done.returncode == 1
    assert done.stdout == "29998 samples imported, 1 refused, 1 lines not understood\n"
    assert f"{tmp_path}/in.txt:4: a value is missing" in done.stderr
    assert f"{tmp_path}/in.txt:29999: the sample at 1970-01-01T00:00:00.005Z: too old" in done.stderr


def test_many_pages_are_exported_whole(server, tmp_path):
    now = int(time.time() * 1000)
    with open(tmp_path / "in.jsonl", "w") as out:
        for n in range(40):
            out.write(json.dumps({"metric": {"__name__": "z", "n": f"{n:02}"},
                                  "values": [i + n / 100 for i in range(8000)],
                                  "timestamps": [now - 3_000_000 + i * 100 for i in range(8000)]}) + "\n")
    assert server.cli("tsdb", "import", tmp_path / "in.jsonl", "--data", server.data) == "320000 samples imported\n"
    server.cli("tsdb", "export", tmp_path / "out.jsonl", "--match", "z", "--data", server.data)
    got = {}
    for line in (tmp_path / "out.jsonl").read_text().splitlines():
        one = json.loads(line)
        got.setdefault(one["metric"]["n"], []).extend(one["values"])
    assert got == {f"{n:02}": [i + n / 100 for i in range(8000)] for n in range(40)}


def test_federation_is_read_by_a_scrape(server, tmp_path):
    now = int(time.time() * 1000)
    (tmp_path / "in.txt").write_text(f'f_total{{job="a"}} 1 {now - 2000}\nf_total{{job="a"}} 2 {now - 1000}\n')
    server.cli("tsdb", "import", tmp_path / "in.txt", "--data", server.data)
    text = server.call("GET", "/federate?match[]=f_total", raw=True).decode()
    assert text == f'# TYPE f_total untyped\nf_total{{job="a",instance=""}} 2 {now - 1000}\n'


def test_open_metrics_are_read_in_seconds(server, tmp_path):
    now = int(time.time()) - 60
    text = f'# TYPE om counter\nom_total{{a="b"}} 1 {now}\nom_total{{a="b"}} 2 {now + 1}.5\n# EOF\n'
    (tmp_path / "in.om").write_text(text)
    assert server.cli("tsdb", "import", tmp_path / "in.om", "--data", server.data) == "2 samples imported\n"
    assert server.cli("tsdb", "import", "-", "--format", "openmetrics", "--data", server.data,
                      input=text.replace("# EOF\n", "")) == "2 samples imported\n"
    # Longer than a page: of a file the end is looked at first, of a pipe only an option can tell.
    filler = "".join(f'om_total{{n="{n}",padding="{"p" * 200}"}} 1 {now}\n' for n in range(25_000))
    (tmp_path / "long.om").write_text(filler + text)
    assert server.cli("tsdb", "import", tmp_path / "long.om", "--data", server.data) == "25002 samples imported\n"
    done = server.cli("tsdb", "import", "-", "--data", server.data, input=filler + text, check=False)
    assert done.returncode != 0 and "--format openmetrics" in done.stderr
    server.cli("tsdb", "export", tmp_path / "out.txt", "--format", "text", "--match", 'om_total{a="b"}', "--data", server.data)
    assert (tmp_path / "out.txt").read_text() == (
        f'om_total{{a="b"}} 1 {now * 1000}\nom_total{{a="b"}} 2 {now * 1000 + 1500}\n')


def test_a_json_line_longer_than_a_request_is_imported_in_parts(server, tmp_path):
    now = int(time.time() * 1000)
    values = [i + 0.123456789 for i in range(330_000)]
    line = json.dumps({"metric": {"__name__": "wide"}, "values": values, "timestamps": [now - 3_400_000 + 10 * i for i in range(330_000)]})
    assert len(line) > 8 << 20
    (tmp_path / "in.jsonl").write_text(line + "\nnonsense\n" + line[: 9 << 20])
    done = server.cli("tsdb", "import", tmp_path / "in.jsonl", "--data", server.data, check=False)
    assert done.returncode != 0 and f"{tmp_path}/in.jsonl:2: " in done.stderr
    assert "line 3 is longer than 8 MiB, and no JSON line with one series" in done.stderr
    server.cli("tsdb", "export", tmp_path / "out.jsonl", "--match", "wide", "--data", server.data)
    got = [value for one in (tmp_path / "out.jsonl").read_text().splitlines() for value in json.loads(one)["values"]]
    assert got == values


def test_an_export_from_after_to_is_refused(server, tmp_path):
    done = server.cli("tsdb", "export", tmp_path / "out", "--from", "5", "--to", "1", "--data", server.data, check=False)
    assert done.returncode != 0 and "end is before start" in done.stderr
