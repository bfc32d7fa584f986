import { chromium, type Browser, type BrowserContext, type ConsoleMessage, type Page } from 'playwright-core';
import type { Server } from './server';

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.ATALAYA_CHROMIUM ?? '/usr/bin/chromium', args: flags });
}

export interface Look {
  width?: number;
  height?: number;
  theme?: 'light' | 'dark';
}

/**
 * A person at a browser of their own. Whatever goes wrong unseen is kept: errors in the console,
 * exceptions, requests to any other origin (which are cut). `close` fails if there were any.
 */
export class Visitor {
  /** Whose pages are open: a failed test keeps pictures of them. */
  static readonly present = new Set<Visitor>();
  readonly faults: string[] = [];
  /** Console errors that a flow brings about on purpose, such as a refused password. */
  readonly expected: RegExp[] = [];

  private constructor(
    readonly server: Server,
    private readonly context: BrowserContext,
    readonly page: Page,
  ) {}

  static async open(browser: Browser, server: Server, look: Look = {}): Promise<Visitor> {
    const context = await browser.newContext({
      viewport: { width: look.width ?? 1280, height: look.height ?? 800 },
      colorScheme: look.theme ?? 'dark',
    });
    const visitor = new Visitor(server, context, await context.newPage());
    await visitor.watch();
    Visitor.present.add(visitor);
    return visitor;
  }

  private async watch(): Promise<void> {
    const own = new URL(this.server.url).host;
    await this.context.route('**/*', (route) => {
      const url = new URL(route.request().url());
      if (url.host === own || url.protocol === 'data:' || url.protocol === 'blob:') return route.continue();
      this.faults.push(`a request to another origin: ${url.href}`);
      return route.abort();
    });
    this.page.on('websocket', (socket) => {
      if (new URL(socket.url()).host !== own) this.faults.push(`a socket to another origin: ${socket.url()}`);
    });
    this.page.on('pageerror', (error) => this.faults.push(`exception: ${error.name} ${error.stack || error.message}`));
    this.page.on('console', (message) => this.onConsole(message));
  }

  private onConsole(message: ConsoleMessage): void {
    if (message.type() !== 'error') return;
    const text = `${message.text()} (${message.location().url})`;
    if (!this.expected.some((pattern) => pattern.test(text))) this.faults.push(`console: ${text}`);
  }

  /** Opens a view by its address; within the app this loads nothing anew. */
  async go(address: string): Promise<void> {
    await this.page.goto(`${this.server.url}/${address}`);
  }

  async signInByLink(): Promise<void> {
    await this.page.goto(this.server.link);
    await this.page.getByRole('navigation', { name: 'Areas' }).waitFor();
  }

  /** Signs in a user made for this purpose, by the form. */
  async signIn(user: string, password: string): Promise<void> {
    // The page asks whether a server without authentication lets it in: the refusal is the answer.
    this.expected.push(/status of 401.*auth\/me/);
    await this.go('');
    await this.page.getByLabel('User').fill(user);
    await this.page.getByLabel('Password').fill(password);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
    await this.page.getByRole('navigation', { name: 'Breadcrumbs' }).waitFor();
  }

  /** Waits until something of this text is seen. */
  async see(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor();
  }

  /** Waits until the picture of an element is another one. */
  async moves(selector: string): Promise<void> {
    await this.page.locator(selector).first().waitFor();
    const picture = (canvas: unknown): string => (canvas as HTMLCanvasElement).toDataURL();
    const before = await this.page.locator(selector).first().evaluate(picture);
    await this.page.waitForFunction(
      ([where, then]) => (document.querySelector(where!) as HTMLCanvasElement | null)?.toDataURL() !== then,
      [selector, before] as const,
      { timeout: 60_000 },
    );
  }

  async close(): Promise<void> {
    Visitor.present.delete(this);
    await this.context.close();
    if (this.faults.length > 0) throw new Error(`the page had faults:\n${this.faults.join('\n')}`);
  }
}
