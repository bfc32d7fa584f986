import { inflateSync } from 'node:zlib';

/**
 * How many different colours a PNG of 8 bits a channel (as Chromium writes them) holds, up to `limit`.
 * An empty page has one or two; a page with text and a theme has dozens.
 */
export function colours(png: Buffer, limit = 64): number {
  const { width, height, channels, data } = decode(png);
  const seen = new Set<number>();
  for (let i = 0; i < width * height && seen.size < limit; i += 1) {
    const at = i * channels;
    seen.add((data[at]! << 16) | (data[at + 1]! << 8) | data[at + 2]!);
  }
  return seen.size;
}

/** Chunks, zlib, and the five row filters of the PNG specification (section 9). */
function decode(png: Buffer): { width: number; height: number; channels: number; data: Uint8Array } {
  const width = png.readUInt32BE(16);
  const height = png.readUInt32BE(20);
  if (png[24] !== 8 || (png[25] !== 2 && png[25] !== 6)) throw new Error('not a PNG of 8-bit RGB or RGBA');
  const channels = png[25] === 6 ? 4 : 3;
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * channels;
  const data = new Uint8Array(stride * height);
  for (let row = 0; row < height; row += 1) {
    const filter = raw[row * (stride + 1)]!;
    for (let i = 0; i < stride; i += 1) {
      const left = i >= channels ? data[row * stride + i - channels]! : 0;
      const up = row > 0 ? data[(row - 1) * stride + i]! : 0;
      const corner = i >= channels && row > 0 ? data[(row - 1) * stride + i - channels]! : 0;
      data[row * stride + i] = raw[row * (stride + 1) + 1 + i]! + predicted(filter, left, up, corner);
    }
  }
  return { width, height, channels, data };
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  switch (filter) {
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    case 4: {
      const guess = left + up - corner;
      const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
      return a <= b && a <= c ? left : b <= c ? up : corner;
    }
    default:
      return 0;
  }
}
