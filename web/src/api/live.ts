import { api } from './client';
import { liveUrl } from './config';
import { Subscriptions, backoff } from '../lib/livestate';
import type { LiveFrame, Topic } from './types';

export type LiveStatus = 'off' | 'connecting' | 'open' | 'lost';

/** Served even while the page is hidden: they feed desktop notifications. */
const essential = new Set(['alerts', 'notifications']);

/**
 * One WebSocket for the whole page. Frames are gathered and handed out at most once an animation
 * frame; subscriptions outlive connections; a page hidden for a while keeps only the essential
 * ones. After a reconnect, and when a page comes back, `onResync` tells owners to fetch what they
 * missed.
 */
export class Live {
  status: LiveStatus = 'off';
  private socket: WebSocket | undefined;
  private readonly subscriptions = new Subscriptions();
  private pending: LiveFrame[] = [];
  private flushPlanned = false;
  private failures = 0;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private pauseTimer: ReturnType<typeof setTimeout> | undefined;
  private paused = false;
  private wasOpen = false;
  private generation = 0;
  private readonly statusListeners = new Set<(status: LiveStatus) => void>();

  constructor() {
    document.addEventListener('visibilitychange', () => this.onVisibility());
    window.addEventListener('online', () => this.retryNow());
  }

  start(): void {
    if (this.status === 'off') void this.connect();
  }

  stop(): void {
    this.generation += 1;
    clearTimeout(this.retryTimer);
    this.socket?.close();
    this.socket = undefined;
    this.wasOpen = false;
    this.setStatus('off');
  }

  onStatus(listener: (status: LiveStatus) => void): void {
    this.statusListeners.add(listener);
  }

  /** The same topic asked for twice is one subscription at the server. Returns what ends it. */
  subscribe(topic: Topic, onFrames: (frames: LiveFrame[]) => void, onResync?: () => void): () => void {
    const { entry, isNew } = this.subscriptions.add(topic, { onFrames, onResync });
    if (isNew && this.isServed(topic)) this.send({ type: 'subscribe', id: entry.id, ...topic });
    const listener = entry.newest;
    return () => {
      if (this.subscriptions.remove(entry.id, listener)) this.send({ type: 'unsubscribe', id: entry.id });
    };
  }

  /** Without a socket: every owner fetches what it may have missed. */
  catchUp(): void {
    this.subscriptions.resync();
  }

  retryNow(): void {
    if (this.status !== 'lost') return;
    clearTimeout(this.retryTimer);
    void this.connect();
  }

  private isServed(topic: Topic): boolean {
    return !this.paused || essential.has(topic.topic);
  }

  private setStatus(status: LiveStatus): void {
    if (this.status === status) return;
    this.status = status;
    for (const listener of this.statusListeners) listener(status);
  }

  private send(message: object): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private async connect(): Promise<void> {
    this.generation += 1;
    const generation = this.generation;
    if (!this.wasOpen) this.setStatus('connecting');
    try {
      const { ticket } = await api.post<{ ticket: string }>('/auth/ws-ticket');
      if (generation !== this.generation) return;
      const socket = new WebSocket(liveUrl(ticket));
      this.socket = socket;
      socket.onopen = () => generation === this.generation && this.onOpen();
      socket.onclose = () => generation === this.generation && this.onLost();
      socket.onmessage = (event) => this.onMessage(String(event.data));
    } catch {
      if (generation === this.generation) this.onLost();
    }
  }

  private onOpen(): void {
    this.failures = 0;
    const isReturn = this.wasOpen;
    this.wasOpen = true;
    this.setStatus('open');
    for (const { id, topic } of this.subscriptions.all()) {
      if (this.isServed(topic)) this.send({ type: 'subscribe', id, ...topic });
    }
    if (isReturn) this.subscriptions.resync();
  }

  private onLost(): void {
    this.socket = undefined;
    this.wasOpen = true; // whatever comes next is a return: pages must catch up
    this.setStatus('lost');
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => void this.connect(), backoff(this.failures, Math.random()));
    this.failures += 1;
  }

  private onMessage(text: string): void {
    this.pending.push(JSON.parse(text) as LiveFrame);
    if (this.flushPlanned) return;
    this.flushPlanned = true;
    // Hidden pages get no animation frames, and there only the essential topics arrive.
    if (document.hidden) setTimeout(() => this.flush(), 50);
    else requestAnimationFrame(() => this.flush());
  }

  private flush(): void {
    this.flushPlanned = false;
    const frames = this.pending;
    this.pending = [];
    this.subscriptions.deliver(frames);
  }

  private onVisibility(): void {
    clearTimeout(this.pauseTimer);
    if (document.hidden) {
      this.pauseTimer = setTimeout(() => this.setPaused(true), 5000);
      return;
    }
    this.setPaused(false);
    this.retryNow();
  }

  private setPaused(paused: boolean): void {
    if (this.paused === paused) return;
    this.paused = paused;
    for (const { id, topic } of this.subscriptions.all()) {
      if (essential.has(topic.topic)) continue;
      this.send(paused ? { type: 'unsubscribe', id } : { type: 'subscribe', id, ...topic });
    }
    if (!paused) this.subscriptions.resync();
  }
}

export const live = new Live();
