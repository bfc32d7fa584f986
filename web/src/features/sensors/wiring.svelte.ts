import type { Picture, Spot } from './picture';

/** Far enough to be no click that slipped. */
const slack = 6;

/** A wire that is being drawn from a resource to a sensor, or the other way: by the pointer, or by keys. */
export class Wiring {
  /** Where it begins. */
  from = $state.raw<{ key: string; isSensor: boolean; spot: Spot } | undefined>(undefined);
  /** Where the pointer is, in the picture; none where keys draw. */
  point = $state.raw<{ x: number; y: number } | undefined>(undefined);
  /** What it would join. */
  over = $state('');
  /** A click comes after a drag: it is none. */
  private dragged = false;
  private end: (() => void) | undefined;

  constructor(private readonly join: (resource: string, sensor: string) => void) {}

  byKeys(key: string, isSensor: boolean, spot: Spot): void {
    this.from = { key, isSensor, spot };
    this.point = undefined;
    this.over = '';
  }

  /** A pointer went down: at once from a handle, else when it has moved. */
  byPointer(event: PointerEvent, origin: { key: string; isSensor: boolean; spot: Spot }, picture: () => Picture, svg: SVGSVGElement, atOnce: boolean): void {
    if (event.button !== 0 || (!atOnce && event.pointerType === 'touch')) return;
    this.cancel();
    this.dragged = false;
    const start = { x: event.clientX, y: event.clientY };
    const move = (at: PointerEvent): void => {
      if (!this.from && Math.hypot(at.clientX - start.x, at.clientY - start.y) < (atOnce ? 2 : slack)) return;
      this.dragged = true;
      this.from = origin;
      const box = svg.getBoundingClientRect();
      this.point = { x: at.clientX - box.left, y: at.clientY - box.top };
      this.over = targetAt(picture(), this.point, origin.isSensor);
    };
    const up = (): void => {
      const { over } = this;
      this.cancel();
      if (over) this.finish(origin, over);
    };
    const stop = (): void => this.cancel();
    window.addEventListener('pointermove', move);
    window.addEventListener('pointerup', up);
    window.addEventListener('pointercancel', stop);
    this.end = () => {
      window.removeEventListener('pointermove', move);
      window.removeEventListener('pointerup', up);
      window.removeEventListener('pointercancel', stop);
    };
  }

  /** Joins what keys have chosen. False when it cannot be joined. */
  choose(key: string, isSensor: boolean): boolean {
    const { from } = this;
    if (!from || from.isSensor === isSensor) return false;
    this.cancel();
    this.finish(from, key);
    return true;
  }

  private finish(from: { key: string; isSensor: boolean }, to: string): void {
    if (from.isSensor) this.join(to, from.key);
    else this.join(from.key, to);
  }

  cancel(): void {
    this.end?.();
    this.end = undefined;
    this.from = undefined;
    this.point = undefined;
    this.over = '';
  }

  /** Whether the click that just came was the end of a drag; asked once. */
  wasDrag(): boolean {
    const was = this.dragged;
    this.dragged = false;
    return was;
  }
}

const holds = ({ x, y, w, h }: Spot, point: { x: number; y: number }): boolean => point.x >= x - 14 && point.x <= x + w + 14 && point.y >= y - 4 && point.y <= y + h + 4;

/** The sensor (or resource) under a point; "" if none. */
export function targetAt(picture: Picture, point: { x: number; y: number }, wantsResource: boolean): string {
  if (wantsResource) return picture.resources.find((spot) => holds(spot, point))?.resource.key ?? '';
  return picture.sensors.find((spot) => holds(spot, point))?.sensor.key ?? '';
}
