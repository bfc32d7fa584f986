// A small world for the development server: hosts, their series as functions of time, alerts, logs.

const hash = (text) => [...text].reduce((h, c) => Math.imul(h ^ c.charCodeAt(0), 16777619) >>> 0, 2166136261);
/** Noise in [0, 1) that is the same for the same second. */
const noise = (t, seed) => {
  let h = Math.imul(Math.floor(t) ^ seed, 0x9e3779b1) >>> 0;
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b) >>> 0;
  return ((h ^ (h >>> 13)) >>> 0) / 2 ** 32;
};
const wave = (t, period, seed) => 0.5 + 0.5 * Math.sin((t / period) * 2 * Math.PI + seed);
/** Integral of a + b·wave, for counters. */
const waveSum = (t, period, seed) => 0.5 * t - (period / (4 * Math.PI)) * Math.cos((t / period) * 2 * Math.PI + seed);
const GiB = 2 ** 30;

export const start = Date.now() / 1000;

const many = Number(process.env.HOSTS ?? 0);
const names = ['web1', 'web2', 'db1', 'db2', 'cache1', 'build', 'edge-fra-01', 'edge-mad-01', 'storage1'];
for (let i = 0; i < many; i += 1) names.push(`node-${String(i + 1).padStart(4, '0')}`);

export const hosts = names.map((name, i) => ({
  id: (hash(name) >>> 0).toString(16).padStart(8, '0'),
  name,
  state: name === 'edge-mad-01' ? 'down' : 'up',
  last_seen: new Date((start - (name === 'edge-mad-01' ? 372 : 0)) * 1000).toISOString(),
  version: '0.1.0',
  created: new Date((start - 86400 * (i + 1)) * 1000).toISOString(),
  facts: { os: 'Debian GNU/Linux 12 (bookworm)', kernel: '6.1.0-18-amd64', arch: 'x86_64', cpus: 4, memory_bytes: 16 * GiB },
  alerts: { critical: name === 'storage1' ? 1 : 0, warning: name === 'db1' ? 2 : 0, no_data: 0 },
}));
hosts.push({ id: 'new', name: 'mail1', state: 'never', last_seen: null, version: '', created: new Date().toISOString(), facts: {}, alerts: {} });

export const series = [];
for (const host of hosts.filter((h) => h.state !== 'never')) addHost(host);

function addHost(host) {
  const seed = hash(host.name);
  const phase = (seed % 628) / 100;
  const busy = 0.15 + ((seed >>> 4) % 40) / 100;
  const alive = (t) => (host.state === 'down' ? t < start - 372 : true) && !(host.name === 'web2' && t > start - 150 && t < start - 110);
  const add = (name, labels, at) => {
    const all = { __name__: name, instance: host.name, job: 'node', ...labels };
    series.push({ labels: all, at: (t) => (alive(t) ? at(t) : undefined) });
  };
  const counter = (base, swing, period, s = 0) => (t) => base * t + swing * waveSum(t, period, phase + s) + swing * 0.4 * noise(t, seed + s);
  add('up', {}, () => 1);
  for (let cpu = 0; cpu < 4; cpu += 1) {
    const of = (mode, base, swing, p) => add('node_cpu_seconds_total', { cpu: String(cpu), mode }, counter(base, swing, p, cpu + hash(mode) % 5));
    of('user', busy * 0.3, busy * 0.8, 47);
    of('system', 0.03, 0.06, 61);
    of('iowait', 0.005, 0.02, 90);
    of('softirq', 0.004, 0.008, 31);
    of('steal', 0.001, 0.002, 77);
    of('irq', 0, 0, 77);
    of('nice', 0.001, 0, 77);
    of('idle', 0.9 - busy * 0.7, 0.08, 50);
  }
  for (const [name, f] of [['node_load1', 1], ['node_load5', 0.8], ['node_load15', 0.7]]) {
    add(name, {}, (t) => f * (busy * 4 + wave(t, 120 / f, phase) * 1.2 + noise(t / 5, seed) * 0.1));
  }
  const used = (t) => (0.35 + 0.1 * wave(t, 300, phase) + (host.name === 'db1' ? 0.42 : 0)) * 16 * GiB;
  add('node_memory_MemTotal_bytes', {}, () => 16 * GiB);
  add('node_memory_MemAvailable_bytes', {}, (t) => 16 * GiB - used(t));
  add('node_memory_MemFree_bytes', {}, (t) => (16 * GiB - used(t)) * 0.4);
  add('node_memory_Buffers_bytes', {}, () => 0.2 * GiB);
  add('node_memory_Cached_bytes', {}, (t) => (16 * GiB - used(t)) * 0.55);
  add('node_memory_SwapTotal_bytes', {}, () => 4 * GiB);
  add('node_memory_SwapFree_bytes', {}, (t) => (3.2 + 0.1 * wave(t, 200, phase)) * GiB);
  for (const name of ['pswpin', 'pswpout', 'pgfault', 'pgmajfault']) add(`node_vmstat_${name}`, {}, counter(name === 'pgfault' ? 900 : 2, 8, 60));
  for (const device of ['nvme0n1', 'sda']) {
    const s = hash(device) % 7;
    add('node_disk_read_bytes_total', { device }, counter(2e5, 4e6, 70, s));
    add('node_disk_written_bytes_total', { device }, counter(8e5, 6e6, 44, s));
    add('node_disk_reads_completed_total', { device }, counter(4, 60, 70, s));
    add('node_disk_writes_completed_total', { device }, counter(20, 90, 44, s));
    add('node_disk_io_time_seconds_total', { device }, counter(0.02, 0.4, 58, s));
  }
  const fs = { '/': [98, 0.41], '/var/lib/postgresql': [480, 0.66], '/srv/backups-of-everything': [1900, host.name === 'storage1' ? 0.962 : 0.5] };
  for (const [mountpoint, [size, share]] of Object.entries(fs)) {
    const labels = { mountpoint, device: '/dev/mapper/vg0-x', fstype: 'ext4' };
    add('node_filesystem_size_bytes', labels, () => size * GiB);
    add('node_filesystem_avail_bytes', labels, (t) => size * GiB * (1 - share - 0.004 * wave(t, 400, phase)));
    add('node_filesystem_files', labels, () => 6e6);
    add('node_filesystem_files_free', labels, () => 5.1e6);
  }
  for (const device of ['eth0', 'wg0', 'lo']) {
    const s = hash(device) % 11;
    const scale = device === 'eth0' ? 1 : 0.08;
    add('node_network_receive_bytes_total', { device }, counter(1e5 * scale, 9e6 * scale, 52, s));
    add('node_network_transmit_bytes_total', { device }, counter(2e5 * scale, 3e6 * scale, 39, s));
    add('node_network_receive_packets_total', { device }, counter(100 * scale, 9e3 * scale, 52, s));
    add('node_network_transmit_packets_total', { device }, counter(100 * scale, 4e3 * scale, 39, s));
    for (const kind of ['receive_errs', 'transmit_errs', 'receive_drop', 'transmit_drop']) add(`node_network_${kind}_total`, { device }, counter(0, 0, 60));
  }
  add('node_sockstat_TCP_inuse', {}, (t) => Math.round(120 + 60 * wave(t, 66, phase)));
  add('node_sockstat_TCP_tw', {}, (t) => Math.round(20 + 40 * noise(t, seed)));
  add('node_sockstat_UDP_inuse', {}, () => 14);
  add('node_sockstat_sockets_used', {}, (t) => Math.round(300 + 60 * wave(t, 66, phase)));
  for (const [kind, size] of [['cpu_waiting', 0.06], ['memory_waiting', 0.01], ['memory_stalled', 0.004], ['io_waiting', 0.09], ['io_stalled', 0.05]]) {
    add(`node_pressure_${kind}_seconds_total`, {}, counter(0.002, size, 81));
  }
  add('node_procs_running', {}, (t) => Math.round(1 + 5 * noise(t, seed)));
  add('node_procs_blocked', {}, (t) => (noise(t, seed + 1) > 0.9 ? 1 : 0));
  add('node_forks_total', {}, counter(3, 12, 60));
  add('node_context_switches_total', {}, counter(4000, 9000, 50));
  add('node_intr_total', {}, counter(2000, 3000, 50));
  add('node_filefd_allocated', {}, (t) => Math.round(2300 + 300 * wave(t, 150, phase)));
  add('node_filefd_maximum', {}, () => 9.2e18);
  add('node_boot_time_seconds', {}, () => start - 86400 * 3.2);
  add('node_time_seconds', {}, (t) => t);
}

export const checks = [
  { id: 'c1', name: 'web', type: 'http', target: 'http://web1.example.net/health', on: 'web1', period: '10s', state: 'up', text: '200 OK, 38 ms', since: new Date((start - 86000) * 1000).toISOString() },
  { id: 'c2', name: 'db', type: 'tcp', target: '127.0.0.1:5432', on: 'db1', period: '10s', state: 'down', text: 'connection refused', since: new Date((start - 240) * 1000).toISOString() },
  { id: 'c3', name: 'sshd', type: 'process', target: 'sshd', on: '*', period: '10s', state: 'up', text: '3 processes', since: new Date((start - 860000) * 1000).toISOString() },
];
for (const check of checks) {
  const labels = { check: check.name, type: check.type, target: check.target, instance: check.on, job: 'check' };
  series.push({ labels: { __name__: 'check_up', ...labels }, at: () => (check.state === 'up' ? 1 : 0) });
  series.push({ labels: { __name__: 'check_duration_seconds', ...labels }, at: (t) => 0.02 + 0.03 * noise(t, 7) });
}

const iso = (ago) => new Date((start - ago) * 1000).toISOString();
const alert = (id, name, severity, state, instance, extra) => ({
  id, name, rule: `host/disk/${name}`, kind: 'gauge', state, severity, labels: { alertname: name, instance, ...extra.labels },
  annotations: { summary: extra.summary }, value: extra.value, text: extra.summary, started: iso(extra.ago ?? 600), fired: state === 'pending' ? null : iso((extra.ago ?? 600) - 30),
  resolved: state === 'resolved' ? iso(60) : null, updated: iso(5), late: Boolean(extra.late), count: 3, ack: extra.ack ?? null, expr: extra.expr,
});
const avail = 'node_filesystem_avail_bytes / node_filesystem_size_bytes';
export const alerts = [
  alert('a1b2c3d4e5f60718', 'filling', 'critical', 'firing', 'storage1', { labels: { mountpoint: '/srv/backups-of-everything', team: 'storage', device: '/dev/mapper/vg0-x' }, summary: '/srv/backups-of-everything on storage1 has 3.8 % left', value: 0.038, expr: avail }),
  alert('a2b2c3d4e5f60718', 'memory_low', 'warning', 'firing', 'db1', { summary: 'db1 has 17 % of memory available', value: 0.17, ago: 1900, expr: 'node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes' }),
  alert('a3b2c3d4e5f60718', 'db_check', 'warning', 'firing', 'db1', { labels: { check: 'db' }, summary: 'check db: connection refused', value: 0, ago: 240, expr: 'check_up{check="db"}', ack: { by: 'ana', at: iso(100), note: 'restarting it' } }),
  alert('a4b2c3d4e5f60718', 'host_silent', 'critical', 'no_data', 'edge-mad-01', { summary: 'edge-mad-01 sends nothing', value: null, ago: 372, late: true, expr: 'up' }),
  alert('a5b2c3d4e5f60718', 'load_high', 'warning', 'pending', 'build', { summary: 'load of build is 4.2', value: 4.2, ago: 12, expr: 'node_load1' }),
  alert('a6b2c3d4e5f60718', 'error_lines', 'warning', 'resolved', 'web1', { labels: { file: '/var/log/app.log' }, summary: '3 lines match ERROR', value: 3, ago: 5000 }),
];
for (let i = 0; i < Number(process.env.ALERTS ?? 0); i += 1) {
  alerts.push(alert(`f${i}`, 'load_high', i % 7 ? 'warning' : 'critical', 'firing', names[i % names.length], { summary: `load is ${i}`, value: i, ago: i * 10 }));
}

export const history = (a) => [
  { at: a.started, from: 'ok', to: 'pending', severity: 'warning', value: 0.149, text: a.text, late: false },
  ...(a.fired ? [{ at: a.fired, from: 'pending', to: 'firing', severity: a.severity, value: a.value, text: a.text, late: a.late }] : []),
  ...(a.ack ? [{ at: a.ack.at, from: 'firing', to: 'acknowledged', by: a.ack.by, text: a.ack.note }] : []),
  ...(a.resolved ? [{ at: a.resolved, from: 'firing', to: 'resolved', severity: 'none', value: 0.3 }] : []),
];
export const deliveries = (a) =>
  a.state === 'pending' ? [] : [
    { channel: 'ops/hook', type: 'webhook', state: 'sent', transition: 1, attempts: [{ at: a.fired, ok: true, status: 200, answer: 'ok' }] },
    { channel: 'ops/mail', type: 'email', state: 'retrying', transition: 1, next_attempt: new Date(Date.now() + 45000).toISOString(), attempts: [{ at: a.fired, ok: false, status: 0, answer: 'connect to mail:587: connection refused' }, { at: iso(300), ok: false, status: 454, answer: '454 4.7.0 TLS not available' }] },
    { channel: 'browser', type: 'browser', state: 'sent', transition: 1, attempts: [{ at: a.fired, ok: true, status: 2, answer: '2 browsers' }] },
  ];

const templates = [
  ['/var/log/nginx/access.log', 'info', (n) => `10.0.${n % 255}.17 - - "GET /api/items/${n} HTTP/1.1" 200 ${n % 5000} "-" "curl/7.88.1"`],
  ['/var/log/app.log', 'info', (n) => `INFO request handled in ${n % 90} ms id=${n.toString(16)}`],
  ['/var/log/app.log', 'warning', (n) => `WARN pool is at ${n % 100} of 100 connections`],
  ['/var/log/app.log', 'error', (n) => `ERROR cannot reach db1:5432: connection refused (attempt ${n % 9}) while handling POST /api/orders?customer=8812&coupon=SPRING with a long line that will not fit into the width of the page at all and must be seen somewhere`],
  ['/var/log/syslog', 'debug', (n) => `systemd[1]: Started session-${n}.scope - Session ${n} of user root.`],
];
let logId = 0;
export function logLine(t) {
  const n = Math.floor(noise(t * 10, 99) * 1e5);
  const pick = noise(t * 10, 5);
  const [file, level, text] = templates[pick < 0.5 ? 0 : pick < 0.8 ? 1 : pick < 0.88 ? 2 : pick < 0.93 ? 3 : 4];
  logId += 1;
  return { id: String(logId), time: new Date(t * 1000).toISOString(), labels: { file, level, instance: names[n % 5] }, line: text(n) };
}
export const logs = [];
for (let i = 3000; i > 0; i -= 1) logs.push(logLine(start - i * 0.7));
