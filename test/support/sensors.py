"""Sensors and collectors as tests make them through OCCI, and a socket that hears datagrams."""

import json
import re
import socket

from atalaya import until
from occi import attribute, kind

MONITORING = "http://schemas.ogf.org/occi/monitoring#"
METRIC = "http://example.com/occi/monitoring/metric#"
AGGREGATOR = "http://example.com/occi/monitoring/aggregator#"
PUBLISHER = "http://example.com/occi/monitoring/publisher#"
OWN = "com.example.occi.monitoring."


class Udp:
    """Listens for datagrams."""

    def __init__(self, address="127.0.0.1", port=0):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        self.socket.settimeout(30)
        self.address = "%s:%d" % self.socket.getsockname()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def next(self):
        return self.socket.recv(65536).decode()

    def value(self):
        """The next datagram's value."""
        text = self.next()
        found = re.match(r"Data: (-?[0-9.e+-]+)$", text.strip())
        assert found, f"no datagram of a sensor: {text!r}"
        return float(found.group(1))

    def empty(self):
        """Forgets what has come."""
        self.socket.setblocking(False)
        try:
            while True:
                self.socket.recv(65536)
        except BlockingIOError:
            pass
        self.socket.settimeout(30)


def mixin(term, scheme):
    return f'Category: {term}; scheme="{scheme}"; class="mixin"'


def own(name, value):
    return attribute(OWN + name, value)


def sends(address, stream="a"):
    """A publisher's lines."""
    return [mixin("SendUDP", PUBLISHER), own("SendUDP.input", stream), own("SendUDP.udpAddr", address)]


def publishes(part, stream, **attributes):
    """A publisher's lines, of another sort."""
    return [mixin(part, PUBLISHER), own(f"{part}.input", stream),
            *[own(f"{part}.{name}", value) for name, value in attributes.items()]]


def aggregates(part, reads, makes, **attributes):
    """An aggregator's lines."""
    return [mixin(part, AGGREGATOR), own(f"{part}.instream", reads), own(f"{part}.outstream", makes),
            *[own(f"{part}.{name}", value) for name, value in attributes.items()]]


def make_sensor(occi, ident, *lines):
    return occi.text("PUT", f"/occi/sensor/{ident}", kind("sensor", MONITORING), *lines)


def make_collector(occi, ident, sensor, compute, *lines):
    return occi.text("PUT", f"/occi/collector/{ident}", kind("collector", MONITORING),
                     attribute("occi.core.source", f"/occi/sensor/{sensor}"),
                     attribute("occi.core.target", f"/occi/compute/{compute}"), *lines)


def cpu(stream="a"):
    return [mixin("CPUPercent", METRIC), own("CPUPercent.out", stream)]


def make_compute(occi, ident, host):
    made = occi.text("PUT", f"/occi/compute/{ident}", kind("compute"), attribute("occi.compute.hostname", host))
    assert made.status == 201, made.text


def state(occi, kind_of, ident):
    shown = occi("GET", f"/occi/{kind_of}/{ident}")
    prefix = f"occi.{kind_of}.state"
    return json.loads(shown.attribute(prefix)), json.loads(shown.attribute(prefix + ".message") or '""')


def becomes(occi, kind_of, ident, wanted, words=""):
    return until(lambda: (s := state(occi, kind_of, ident))[0] == wanted and words in s[1] and s,
                 what=f"{kind_of} {ident} {wanted} {words}")
