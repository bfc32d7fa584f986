import { token } from '../state/theme.svelte';
import type { SeriesInfo } from './spec';

const line = 18;

/** Downloads a chart as PNG with its title and the names of its series. */
export async function saveImage(source: HTMLCanvasElement, title: string, series: SeriesInfo[]): Promise<void> {
  const ratio = devicePixelRatio || 1;
  const width = source.width / ratio;
  const height = source.height / ratio;
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d')!;
  const font = '12px system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';
  context.font = font;
  const placed = flow(series.map(({ name }) => context.measureText(name).width + 34), width - 24);
  const rows = (placed[placed.length - 1]?.row ?? -1) + 1;
  canvas.width = source.width;
  canvas.height = (height + 34 + rows * line + 10) * ratio;
  context.scale(ratio, ratio);
  context.fillStyle = token('--panel');
  context.fillRect(0, 0, width, canvas.height / ratio);
  context.fillStyle = token('--text');
  context.font = `600 13px ${font.slice(5)}`;
  context.fillText(title, 12, 22);
  context.drawImage(source, 0, 32, width, height);
  context.font = font;
  series.forEach(({ name, tone }, i) => {
    const x = 12 + placed[i]!.x;
    const y = height + 34 + placed[i]!.row * line;
    context.fillStyle = token(tone);
    context.fillRect(x, y + 5, 10, 4);
    context.fillStyle = token('--text');
    context.fillText(name, x + 16, y + 12);
  });
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/png'));
  if (!blob) throw new Error('the browser could not make a picture of the chart');
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = `${title.toLowerCase().replace(/[^\w]+/g, '-')}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Places boxes of these widths in rows, as text flows. */
export function flow(widths: number[], room: number): { x: number; row: number }[] {
  let x = 0;
  let row = 0;
  return widths.map((width) => {
    if (x > 0 && x + width > room) [x, row] = [0, row + 1];
    const place = { x, row };
    x += width;
    return place;
  });
}
