import uPlot from 'uplot';
import { axisIncrements, formatTicks, formatValue, type Unit } from '../lib/units';
import type { Column } from '../lib/table';
import { token } from '../state/theme.svelte';
import { timeSteps, timeTicks, valueRange } from './axis';
import { placeLabels } from './labels';
import type { AlertSpan, SeriesInfo, Threshold } from './spec';
import { lonely } from './stack';

/** All that a painted chart depends on besides its points. */
export interface PlotInput {
  element: HTMLElement;
  width: number;
  height: number;
  series: SeriesInfo[];
  shown: boolean[];
  unit: Unit;
  stacked: boolean;
  top: number | undefined;
  bottom: number | undefined;
  zero: boolean | undefined;
  thresholds: Threshold[];
  spans: () => AlertSpan[];
  bounds: () => { from: number; to: number };
  onCursor: (time: number | undefined) => void;
  onZoom: (from: number, to: number) => void;
  onBack: () => void;
  onPan: (event: MouseEvent) => void;
}

export type PlotData = [times: number[], ...columns: Column[]];

/** Of the values beside the curves, at the least. */
const axisWidth = 66;
/** To the right of the curves: room for half of the last time below them. */
export const endWidth = 24;
const font = '11px system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';
const severityToken = { warning: '--warn', critical: '--crit', no_data: '--nodata', pending: '--warn' } as const;

export function createPlot(input: PlotInput, data: PlotData): uPlot {
  const plot = new uPlot(optionsOf(input), data as uPlot.AlignedData, input.element);
  plot.over.addEventListener('mouseleave', () => input.onCursor(undefined));
  return plot;
}

function optionsOf(input: PlotInput): uPlot.Options {
  const isMirrored = input.series.some((series) => series.below);
  const seen = input.thresholds.map((threshold) => threshold.value);
  return {
    width: input.width,
    height: input.height,
    padding: [8, endWidth, 0, 0],
    legend: { show: false },
    focus: { alpha: 0.25 },
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false, dist: 4 },
      points: { size: 7, width: 1.5 },
      bind: {
        dblclick: () => () => {
          input.onBack();
          return null;
        },
        mousedown: (_, __, handler) => (event) => {
          if (event.shiftKey) input.onPan(event);
          else handler(event);
          return null;
        },
      },
    },
    scales: {
      x: { time: true, range: () => [input.bounds().from, input.bounds().to] },
      y: { range: (_, low, high) => valueRange(low, high, { top: input.top, bottom: input.bottom, zero: input.zero, seen }) },
    },
    axes: [
      { ...axisLook(), space: 64, incrs: timeSteps, size: 24, values: (_, ticks, __, ___, step) => timeTicks(ticks, step) },
      {
        ...axisLook(),
        space: 30,
        size: (plot, values) => axisRoom(plot, values),
        incrs: axisIncrements(input.unit).filter((step) => input.unit !== 'ratio' || step >= 1e-4),
        values: (_, ticks) => formatTicks(isMirrored ? ticks.map(Math.abs) : ticks, input.unit),
      },
    ],
    series: [{}, ...input.series.map((series, i) => seriesOf(series, i, input))],
    ...(input.stacked ? { bands: bandsOf(input) } : {}),
    hooks: {
      drawClear: [(plot) => drawSpans(plot, input.spans())],
      draw: [(plot) => drawThresholds(plot, input.thresholds, input.unit)],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width <= 4) return;
          input.onZoom(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'));
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
      setCursor: [
        (plot) => {
          const { left } = plot.cursor;
          if (left !== undefined && left >= 0) input.onCursor(plot.posToVal(left, 'x'));
        },
      ],
    },
  };
}

/** Room for the widest value beside the curves; charts below each other begin at the same place where they can. */
function axisRoom({ ctx }: uPlot, values: string[] | null): number {
  if (!values) return axisWidth;
  ctx.save();
  // The picture is drawn in pixels of the screen, its axes are measured in those of the page.
  ctx.font = font;
  const widest = values.reduce((most, value) => Math.max(most, ctx.measureText(value ?? '').width), 0);
  ctx.restore();
  return Math.max(axisWidth, Math.ceil(widest) + 12);
}

/** Where the curves of a chart begin, in pixels of the page. */
export function plotLeft(plot: uPlot | undefined): number {
  return plot && plot.bbox.left > 0 ? plot.bbox.left / (devicePixelRatio || 1) : axisWidth;
}

function axisLook(): uPlot.Axis {
  const line = token('--line');
  return {
    stroke: token('--muted'),
    font,
    gap: 4,
    grid: { stroke: line, width: 1 },
    ticks: { show: false },
    border: { show: false },
  };
}

function seriesOf(info: SeriesInfo, i: number, input: PlotInput): uPlot.Series {
  const tone = token(info.tone);
  const isFilled = input.stacked ? i === input.shown.indexOf(true) : input.series.length === 1 || info.below || hasMirror(input.series);
  return {
    label: info.name,
    show: input.shown[i] ?? true,
    stroke: tone,
    width: input.stacked ? 1 : 1.5,
    ...(isFilled ? { fill: withAlpha(tone, input.stacked ? 0.55 : 0.12) } : {}),
    points: {
      show: false,
      size: 4,
      fill: tone,
      filter: (plot, index, _, gaps) => {
        if (gaps !== null && gaps !== undefined && gaps.length === 0 && plot.data[0].length > 1) return null;
        const [first, last] = plot.series[0]!.idxs ?? [0, plot.data[0].length - 1];
        const found = lonely(plot.data[index] as Column, first, last);
        return found.length > 0 ? found : null;
      },
    },
  };
}

function hasMirror(series: SeriesInfo[]): boolean {
  return series.length === 2 && series.some((one) => one.below);
}

/** Areas between one sum and the next; hidden series are left out. */
function bandsOf(input: PlotInput): uPlot.Band[] {
  const bands: uPlot.Band[] = [];
  let below = -1;
  input.series.forEach((info, i) => {
    if (input.shown[i] === false) return;
    if (below >= 0) bands.push({ series: [i + 1, below + 1], fill: withAlpha(token(info.tone), 0.55) });
    below = i;
  });
  return bands;
}

export function withAlpha(hex: string, alpha: number): string {
  const value = parseInt(hex.slice(1), 16);
  return `rgb(${(value >> 16) & 255} ${(value >> 8) & 255} ${value & 255} / ${alpha})`;
}

function drawSpans(plot: uPlot, spans: AlertSpan[]): void {
  const { left, top, width, height } = plot.bbox;
  const ratio = devicePixelRatio || 1;
  for (const span of spans) {
    const begin = Math.max(left, plot.valToPos(span.from, 'x', true));
    const end = Math.min(left + width, span.to === undefined ? left + width : plot.valToPos(span.to, 'x', true));
    if (end < left || begin > left + width) continue;
    const tone = token(severityToken[span.severity]);
    const wide = Math.max(end - begin, 2 * ratio);
    plot.ctx.fillStyle = withAlpha(tone, 0.1);
    plot.ctx.fillRect(begin, top, wide, height);
    plot.ctx.fillStyle = tone;
    plot.ctx.fillRect(begin, top, wide, 2.5 * ratio);
  }
}

function drawThresholds(plot: uPlot, thresholds: Threshold[], unit: Unit): void {
  const { ctx, bbox } = plot;
  const ratio = devicePixelRatio || 1;
  const end = bbox.top + bbox.height;
  // Several rules may draw the same line; from the top down.
  const lines = new Map<string, { y: number; tone: string; words: string }>();
  for (const { value, severity } of [...thresholds].sort((a, b) => b.value - a.value)) {
    const y = Math.round(plot.valToPos(value, 'y', true)) + 0.5;
    const words = `${severity === 'critical' ? '■' : '▲'} ${formatValue(value, unit)}`;
    if (y >= bbox.top && y <= end) lines.set(words, { y, tone: token(severityToken[severity]), words });
  }
  const shown = [...lines.values()];
  const places = placeLabels(shown.map(({ y }) => y), { top: bbox.top - 8 * ratio, bottom: end, size: 11 * ratio, gap: 2 * ratio });
  ctx.save();
  ctx.lineWidth = ratio;
  ctx.setLineDash([5 * ratio, 4 * ratio]);
  ctx.font = `${10 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = 'right';
  ctx.textBaseline = 'top';
  shown.forEach(({ y, tone, words }, i) => {
    ctx.strokeStyle = tone;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.fillStyle = tone;
    const at = places[i];
    if (at !== undefined) ctx.fillText(words, bbox.left + bbox.width - 4 * ratio, at);
  });
  ctx.restore();
}
