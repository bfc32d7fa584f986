"""What dashboards and rule files ask, over the names of history.cc. Hosts that are scraped seldom have a sample in
15 minutes: what is asked of all takes windows of an hour and more, as $__rate_interval would."""

HOST = "node-10003.cloud.example.net:9100"
SOME = "node-1000[0-4].+"  # hosts that are scraped often at every scale
MORE = "node-100[01].+"  # and twenty of them in the whole

INSTANT = {
    "one host: memory used": f'1 - fleet_memory_MemAvailable_bytes{{instance="{HOST}"}} / '
                             f'fleet_memory_MemTotal_bytes{{instance="{HOST}"}}',
    "hosts up by place": "count by (env, datacenter) (fleet_up == 1)",
    "disk fills in four hours": "predict_linear(fleet_filesystem_avail_bytes[6h], 4 * 3600) < 1e10",
    "processor by host": 'sum by (instance) (rate(fleet_cpu_seconds_total{mode!="idle"}[1h]))',
    "busiest networks": "topk(10, sum by (instance) (rate(fleet_network_receive_bytes_total[1h])))",
    "slow requests": "histogram_quantile(0.99, sum by (le, handler) "
                     "(rate(fleet_http_request_duration_seconds_bucket[1h])))",
    "share of errors": 'sum by (handler) (rate(fleet_http_requests_total{code=~"5.."}[1h])) / '
                       "sum by (handler) (rate(fleet_http_requests_total[1h])) > 0.0001",
    "disk full, with release": "(fleet_filesystem_avail_bytes / fleet_filesystem_size_bytes < 0.2) "
                               "* on (instance) group_left (release) fleet_uname_info",
    "series by name": 'count by (__name__) ({env="staging"})',
    "highest load of a day": "max_over_time(fleet_load1[1d]) > 5",
}

# name: (query, step in seconds)
RANGE = {
    "one host: load": (f'fleet_load1{{instance="{HOST}"}}', 60),
    "one host: processor by mode": (
        f'sum by (mode) (rate(fleet_cpu_seconds_total{{instance="{HOST}"}}[5m]))', 60),
    "one host: network": (f'rate(fleet_network_receive_bytes_total{{instance="{HOST}"}}[5m]) * 8', 60),
    "some hosts: memory used": (
        f'100 * (1 - fleet_memory_MemAvailable_bytes{{instance=~"{MORE}"}} / '
        f'fleet_memory_MemTotal_bytes{{instance=~"{MORE}"}})', 120),
    "some hosts: slow requests": (
        "histogram_quantile(0.95, sum by (le) (rate(fleet_http_request_duration_seconds_bucket"
        f'{{instance=~"{SOME}"}}[5m])))', 60),
    "some hosts: errors by handler": (
        f'sum by (handler) (increase(fleet_http_requests_total{{code=~"5..",instance=~"{SOME}"}}[30m]))', 120),
    "some hosts: load, smoothed": (f'avg_over_time(fleet_load1{{instance=~"{MORE}"}}[30m])', 120),
    "hosts up": ("sum by (env) (fleet_up)", 300),
    "memory by place": ("avg by (datacenter) (fleet_memory_MemAvailable_bytes)", 300),
    "networks of all by place": ("sum by (datacenter) (rate(fleet_network_transmit_bytes_total[1h]))", 900),
}
