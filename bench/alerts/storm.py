"""Posts a storm of different alerts to Alertmanager's API, at an even rate: a process of its own, so that it delays nobody.

usage: storm.py URL ALERTS SECONDS [TOKEN]; prints the statuses that it got and the seconds that it took, as JSON.
"""

import collections
import http.client
import json
import sys
import threading
import time
import urllib.parse

BATCH = 64  # as Prometheus sends them
CONNECTIONS = 4


def body(first, count):
    return json.dumps([{"labels": {"alertname": f"Storm{n % 500}", "instance": f"host{n // 50:05}", "device": f"dev{n % 50}",
                                   "job": "node", "team": f"team{n % 7}", "severity": "warning"},
                        "annotations": {"summary": f"device {n % 50} of host {n // 50} is not as it should be",
                                        "runbook": "https://runbooks.example.com/storm"},
                        "generatorURL": "http://prometheus.example.com/graph?g0.expr=storm"}
                       for n in range(first, first + count)]).encode()


def main():
    url, alerts, seconds = urllib.parse.urlsplit(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    headers = {"Content-Type": "application/json"}
    if len(sys.argv) > 4:
        headers["Authorization"] = f"Bearer {sys.argv[4]}"
    batches = [(n, body(n, min(BATCH, alerts - n))) for n in range(0, alerts, BATCH)]
    statuses = collections.Counter()
    lock = threading.Lock()
    begun = time.monotonic()

    def send(own):
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=120)
        for first, text in own:
            wait = begun + seconds * first / alerts - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            connection.request("POST", "/api/v2/alerts", text, headers)
            answer = connection.getresponse()
            answer.read()
            with lock:
                statuses[answer.status] += 1

    print("ready", flush=True)
    threads = [threading.Thread(target=send, args=(batches[n::CONNECTIONS],)) for n in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"statuses": statuses, "seconds": time.monotonic() - begun}))


if __name__ == "__main__":
    main()
