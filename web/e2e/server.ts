import { spawn, type ChildProcess } from 'node:child_process';
import { execFile } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const build = resolve(root, process.env.ATALAYA_BUILD ?? 'build/dev');
const patience = 90_000;

/** Asks until the answer is truthy, and returns it. */
export async function until<T>(ask: () => Promise<T> | T, what: string): Promise<NonNullable<T>> {
  const deadline = Date.now() + patience;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const answer = await ask();
      if (answer) return answer as NonNullable<T>;
      last = answer;
    } catch (reason) {
      last = reason;
    }
    await new Promise((again) => setTimeout(again, 50));
  }
  throw new Error(`${what} did not come true; last seen: ${String(last)}`);
}

/** The real `atalaya up` with a data folder of its own, on a free port that it keeps over restarts. */
export class Server {
  readonly folder = mkdtempSync(join(tmpdir(), 'atalaya-web-'));
  readonly data = join(this.folder, 'data');
  url = '';
  /** The one-time sign-in link that was printed. */
  link = '';
  private listen = '127.0.0.1:0';
  private process: ChildProcess | undefined;
  private token = '';
  private readonly logPath = join(this.folder, 'log.txt');

  static async start(): Promise<Server> {
    const server = new Server();
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    const log = openSync(this.logPath, 'a');
    const command = ['up', '--data', this.data, '--listen', this.listen];
    // A group of its own, so that whatever it starts ends with it.
    const child = spawn(join(build, 'atalaya'), command, { stdio: ['ignore', 'pipe', log], detached: true });
    closeSync(log);
    this.process = child;
    const line = await this.firstLine(child);
    const found = /(https?):\/\/(127\.0\.0\.1:\d+)/.exec(line);
    if (!found) throw new Error(`no address in "${line}"; log:\n${this.log()}`);
    this.url = found[0];
    this.listen = found[2]!;
    this.link = /\S+#\/sign-in\?link=\S+/.exec(line)?.[0] ?? this.link;
    if (!this.token) this.token = await this.makeToken('admin');
    await until(() => fetch(`${this.url}/-/ready`).then((answer) => answer.ok), 'the readiness of the server');
  }

  private firstLine(child: ChildProcess): Promise<string> {
    return new Promise((found, failed) => {
      let text = '';
      child.stdout!.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.includes('\n')) found(text);
      });
      child.once('exit', (code) => failed(new Error(`atalaya up ended with ${code}; log:\n${this.log()}`)));
      child.once('error', failed);
    });
  }

  log(): string {
    return readFileSync(this.logPath, 'utf8').slice(-4000);
  }

  /** As a power cut would: nothing is told, nothing is written any more. */
  async kill(): Promise<void> {
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((gone) => child.once('exit', gone));
    process.kill(-child.pid!, 'SIGKILL');
    await ended;
  }

  async dispose(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async makeToken(role: string): Promise<string> {
    const { stdout } = await run(join(build, 'atalaya'), ['token', 'create', '--data', this.data, '--role', role, '--ttl', '1h']);
    return stdout.trim();
  }

  /** Enrols an agent as a new host by the command that the page shows. */
  async enrol(command: string, name: string): Promise<void> {
    const words = command.trim().split(/\s+/).slice(1);
    await run(join(build, 'atalaya'), [...words, '--data', join(this.folder, name), '--name', name]);
  }

  writePackage(name: string, text: string): void {
    const folder = join(this.data, 'packages', 'default', name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.yaml'), text);
  }

  api<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.call<T>(method, `/api/atalaya/v1${path}`, body);
  }

  /** JSON to and from any address of the server. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(this.url + path, {
      method,
      headers: { Authorization: `Bearer ${this.token}`, Accept: 'application/json', 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return (text ? JSON.parse(text) : undefined) as T;
  }

  /** Alerts as others post them, by way of Alertmanager's API; they last an hour unless `ends` says otherwise. */
  async postAlerts(alerts: { labels: Record<string, string>; annotations?: Record<string, string> }[], ends = 3600): Promise<void> {
    const endsAt = new Date(Date.now() + ends * 1000).toISOString();
    const answer = await fetch(`${this.url}/api/v2/alerts`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${this.token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(alerts.map((alert) => ({ ...alert, endsAt }))),
    });
    if (!answer.ok) throw new Error(`POST /api/v2/alerts: ${answer.status} ${await answer.text()}`);
  }

  /** The first value of an instant query; NaN when there is none. */
  async query(expression: string): Promise<number> {
    const answer = await fetch(`${this.url}/api/v1/query?${new URLSearchParams({ query: expression })}`, {
      headers: { Authorization: `Bearer ${this.token}` },
    });
    const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
    return Number(data.result[0]?.value[1] ?? NaN);
  }

  /** The name of this machine, once its agent has been heard. */
  async hostName(): Promise<string> {
    const host = await until(async () => {
      const { hosts } = await this.api<{ hosts: { name: string; state: string }[] }>('GET', '/hosts');
      return hosts.find((candidate) => candidate.state === 'up');
    }, 'the own host');
    return host.name;
  }
}
