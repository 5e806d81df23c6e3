// A chart of the network -> uPlot in an element: uplink and round trip on scales of their own, routes as bands behind them.
import uPlot from 'uplot';
import { watchTheme } from '../shared/watch-theme.ts';
import { aroundValues, logTicks, type NetworkChart } from './network-chart.ts';

const HEIGHT = 220;
const SCALES = ['up', 'trip'] as const;

/** How values are written, in the page's language. */
export interface PlotTexts {
  time(ms: number): string;
  rate(bitsPerSecond: number): string;
  span(ms: number): string;
  route(name: string): string;
}

export class NetworkPlot {
  private readonly abort = new AbortController();
  private readonly texts: PlotTexts;
  private readonly plot: uPlot;
  private chart: NetworkChart;

  /** @param onCursor is told which look is under the cursor; null where there is none */
  constructor(
    element: HTMLElement,
    chart: NetworkChart,
    widthPx: number,
    texts: PlotTexts,
    onCursor: (index: number | null) => void,
  ) {
    this.chart = chart;
    this.texts = texts;
    const style = getComputedStyle(element);
    const color = (name: string) => (): string => style.getPropertyValue(name).trim();
    const font = `13px ${style.fontFamily}`;
    const axis = { stroke: color('--ink'), font, ticks: { stroke: color('--line') } };
    this.plot = new uPlot(
      {
        width: widthPx,
        height: HEIGHT,
        ms: 1,
        legend: { show: false },
        cursor: { drag: { x: false, y: false }, y: false },
        scales: Object.fromEntries(
          SCALES.map((name) => [name, { distr: 3 as const, range: (_, least, most) => aroundValues(least, most) }]),
        ),
        axes: [
          { ...axis, grid: { show: false }, space: 90, values: (_, times) => times.map((ms) => texts.time(ms)) },
          {
            ...axis,
            scale: 'up',
            size: 90,
            grid: { stroke: color('--line') },
            splits: (_, __, least, most) => logTicks(least, most),
            filter: (_, splits) => splits,
            values: (_, rates) => rates.map((rate) => texts.rate(rate)),
          },
          {
            ...axis,
            scale: 'trip',
            side: 1,
            size: 70,
            grid: { show: false },
            splits: (_, __, least, most) => logTicks(least, most),
            filter: (_, splits) => splits,
            values: (_, spans) => spans.map((ms) => texts.span(ms)),
          },
        ],
        series: [
          {},
          { scale: 'up', stroke: color('--accent'), width: 2 },
          { scale: 'trip', stroke: color('--review'), width: 2, dash: [7, 4] },
        ],
        hooks: {
          drawClear: [(plot) => this.drawBands(plot, color('--graph-cloud')())],
          draw: [
            (plot) => {
              this.drawNames(plot, color('--ink')(), font);
              this.drawMarks(plot, color('--ink')());
            },
          ],
          setCursor: [({ cursor }) => onCursor(cursor.idx ?? null)],
        },
      },
      dataOf(chart),
      element,
    );
    watchTheme(() => this.plot.redraw(false), this.abort.signal);
  }

  show(chart: NetworkChart): void {
    this.chart = chart;
    this.plot.setData(dataOf(chart));
  }

  setWidth(widthPx: number): void {
    this.plot.setSize({ width: widthPx, height: HEIGHT });
  }

  /** As a pointer there would. */
  moveCursor(index: number): void {
    const ms = this.chart.columns[0][index];
    if (ms !== undefined) this.plot.setCursor({ left: this.plot.valToPos(ms, 'x'), top: 0 });
  }

  close(): void {
    this.abort.abort();
    this.plot.destroy();
  }

  private drawBands(plot: uPlot, fill: string): void {
    const { ctx, bbox } = plot;
    const routes = [...new Set(this.chart.bands.map(({ route }) => route))];
    ctx.save();
    ctx.fillStyle = fill;
    for (const { left, width, route } of this.bands(plot)) {
      ctx.globalAlpha = routes.indexOf(route) % 2 === 0 ? 0.35 : 0.8;
      ctx.fillRect(left, bbox.top, width, bbox.height);
    }
    ctx.restore();
  }

  /** Over the grid, where they fit. */
  private drawNames(plot: uPlot, ink: string, font: string): void {
    const { ctx, bbox } = plot;
    const margin = 6 * devicePixelRatio;
    ctx.save();
    ctx.font = font.replace('13px', `${13 * devicePixelRatio}px`);
    ctx.textBaseline = 'top';
    ctx.fillStyle = ink;
    for (const { left, width, route } of this.bands(plot)) {
      const name = this.texts.route(route);
      if (ctx.measureText(name).width + 2 * margin < width) ctx.fillText(name, left + margin, bbox.top + margin);
    }
    ctx.restore();
  }

  /** In pixels of the canvas. */
  private bands(plot: uPlot): { readonly left: number; readonly width: number; readonly route: string }[] {
    return this.chart.bands.map(({ fromMs, toMs, route }) => {
      const left = plot.valToPos(fromMs, 'x', true);
      return { left, width: plot.valToPos(toMs, 'x', true) - left, route };
    });
  }

  private drawMarks(plot: uPlot, ink: string): void {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = ink;
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const ms of this.chart.marks) {
      const x = plot.valToPos(ms, 'x', true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }
}

function dataOf({ columns: [times, rates, spans] }: NetworkChart): uPlot.AlignedData {
  return [[...times], [...rates], [...spans]];
}
