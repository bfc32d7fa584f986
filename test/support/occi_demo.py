"""The published demo within a network namespace of its own, where its addresses are loopback's: the documents are posted
as they are, and the datagrams of the sensor are printed. Run by test_sensors.py: `occi_demo.py FOLDER`."""

import pathlib
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))

from atalaya import Agent, Server, until  # noqa: E402
from test_occi import JSON, Client  # noqa: E402


def main(folder):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in ("192.168.5.1", "192.168.5.2", "192.168.5.3"):
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
    dashboard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    dashboard.bind(("192.168.5.1", 8888))
    dashboard.settimeout(30)
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        with Server(place / "data", arguments=["--publish-allow", "192.168.5.1/32"]) as server:
            with Agent(place / "agent", server, name="c2222"):
                occi = Client(server)
                for name, kind in (("c2222", "compute"), ("s1111", "sensor"), ("2345", "collector")):
                    made = occi("POST", f"/occi/{kind}/", (folder / f"{name}.json").read_text(),
                                content="application/json", accept=JSON)
                    assert made.status == 201 and made.json["id"] == f"urn:uuid:{name}", made.text
                    for warning in made.all("Warning"):
                        print(name, warning)
                for _ in range(3):
                    print(dashboard.recv(1024).decode())
                log = place / "data/publish/default/my/log/file"
                until(log.exists, what="what IsReachable measured, in the log")
                print(log.read_text())
                shown = occi("GET", "/occi/collector/2345", accept=JSON).json
                assert shown["attributes"]["occi.collector.state"] == "active", shown


main(pathlib.Path(sys.argv[1]))
