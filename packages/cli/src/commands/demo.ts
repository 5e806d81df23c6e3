// `kerf demo`: the inspection job on the reference models, on this machine, with a report.
import { writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { makeFolders } from '@kerf/protocol/node';
import type { Command, CommandLine, Io } from '../command.ts';
import type { DemoLink, DemoReport, DemoRow } from '../demo/report.ts';
import { renderHtml } from '../demo/report-html.ts';
import { renderText } from '../demo/report-text.ts';
import { runDemo } from '../demo/run-demo.ts';
import { judge } from '../demo/verdict.ts';
import { bitsPerSecond, formatBytes, milliseconds } from '../units.ts';

/** The repository, three folders above the package's code. */
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const DEMO_FOLDER = join(ROOT, 'demo');

/** Uplinks that are shown unless one is asked for: a poor line and a fair one. */
const UPLINKS = ['5mbit', '20mbit'];

export const demo: Command = {
  name: 'demo',
  usage: '[OPTIONS]',
  summary:
    'Inspects parts with two reference models: all on the edge, all in the cloud as PNG and JPEG, and split, raw and with a ' +
    'calibrated codec, over links with the given rates and delay. Shows masks and verdicts of whole and split side by ' +
    'side. Everything runs on this machine; nothing is left running.',
  positionals: [0, 0],
  options: {
    uplink: { type: 'string', value: 'RATE', help: `edge to cloud (default ${UPLINKS.join(', then ')})` },
    downlink: { type: 'string', value: 'RATE', help: 'cloud to edge (default: as the uplink)' },
    rtt: { type: 'string', value: 'TIME', help: 'round trip (default 40ms)' },
    jitter: { type: 'string', value: 'TIME', help: 'each way takes up to this much longer (default 0ms)' },
    frames: { type: 'string', value: 'N', help: 'frames of a placement, at most (default 8)' },
    'case-seconds': { type: 'string', value: 'N', help: 'time for a placement, on average (default 3)' },
    parts: {
      type: 'string',
      value: 'DIR',
      help: 'pictures of parts, in folders good and KIND or without labels (default demo/parts)',
    },
    out: { type: 'string', value: 'FILE', help: 'where the page goes (default demo/report.html)' },
    json: { type: 'boolean', help: 'print the report as JSON instead of text' },
  },
  async run(line, io) {
    const startedMs = performance.now();
    const tell = (text: string): void => {
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(0).padStart(3);
      process.stderr.write(`${seconds} s  ${text}\n`);
    };
    const report = await runDemo({
      places: {
        models: join(ROOT, 'models', 'files'),
        codecs: join(DEMO_FOLDER, 'codecs'),
        parts: resolve(line.text('parts') ?? join(DEMO_FOLDER, 'parts')),
      },
      links: linksOf(line),
      framesPerCase: line.number('frames', 8, { least: 1, most: 10_000 }),
      caseBudgetMs: line.number('case-seconds', 3, { least: 1, most: 3600 }) * 1000,
      onProgress: tell,
      onRow: (row) => tell(`  ${rowLine(row)}`),
    });
    const out = line.text('out') ?? join(DEMO_FOLDER, 'report.html');
    await makeFolders(dirname(out));
    await writeFile(out, renderHtml(report));
    print(report, out, line, io);
    const rows = report.models.flatMap(({ runs }) => runs.map((run) => run.rows));
    return rows.some((some) => some.every((row) => row.framesMeasured === 0)) ? 1 : 0;
  },
};

function linksOf(line: CommandLine): DemoLink[] {
  const uplink = line.text('uplink');
  return (uplink === undefined ? UPLINKS : [uplink]).map((rate) => ({
    uplinkBitsPerSecond: bitsPerSecond('uplink', rate),
    downlinkBitsPerSecond: bitsPerSecond('downlink', line.text('downlink') ?? rate),
    roundTripMs: milliseconds('rtt', line.text('rtt') ?? '40ms'),
    jitterMs: milliseconds('jitter', line.text('jitter') ?? '0ms'),
  }));
}

function rowLine(row: DemoRow): string {
  if (row.framesMeasured === 0) return `${row.label}: not measured, ${row.note ?? ''}`;
  return `${row.label}: p50 ${row.p50Ms.toFixed(1)} ms, ${formatBytes(row.bytesUpPerFrame)} up a frame, ${row.framesMeasured} ${row.framesMeasured === 1 ? 'frame' : 'frames'}`;
}

function print(report: DemoReport, out: string, line: CommandLine, io: Io): void {
  if (line.flag('json')) {
    const models = report.models.map((model) => ({
      ...model,
      parts: model.parts.map(({ truth, whole, split }) => ({
        truth,
        whole: { score: whole.score, verdict: whole.verdict },
        split: split === null ? null : { score: split.score, verdict: split.verdict },
      })),
      runs: model.runs.map((run) => ({ ...run, verdict: judge(run) })),
    }));
    io.print(JSON.stringify({ ...report, models, page: out }));
    return;
  }
  io.print('');
  io.print(renderText(report));
  io.print(`page: ${out}`);
}
