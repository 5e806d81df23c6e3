// `kerf demo`: the main job on real models and a real picture, on this machine, with a report.
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { KerfError } from '@kerf/protocol';
import type { Command, CommandLine, Io } from '../command.ts';
import type { DemoLink, DemoReport, DemoRow } from '../demo/report.ts';
import { renderHtml } from '../demo/report-html.ts';
import { renderText } from '../demo/report-text.ts';
import { runDemo } from '../demo/run-demo.ts';
import { judge } from '../demo/verdict.ts';
import { bitsPerSecond, formatBytes, milliseconds } from '../units.ts';

/** `demo/` of the repository, two folders above the package. */
const DEMO_FOLDER = fileURLToPath(new URL('../../../../demo', import.meta.url));

export const demo: Command = {
  name: 'demo',
  usage: '[OPTIONS]',
  summary:
    'Measures two OCR models on a picture of a rating plate: all on the edge, all in the cloud, and split, over a link ' +
    'with the given rate and delay. Everything runs on this machine; nothing is left running.',
  positionals: [0, 0],
  options: {
    uplink: { type: 'string', value: 'RATE', help: 'edge to cloud (default 20mbit)' },
    downlink: { type: 'string', value: 'RATE', help: 'cloud to edge (default 100mbit)' },
    rtt: { type: 'string', value: 'TIME', help: 'round trip (default 40ms)' },
    jitter: { type: 'string', value: 'TIME', help: 'each way takes up to this much longer (default 0ms)' },
    frames: { type: 'string', value: 'N', help: 'frames of a placement, at most (default 15)' },
    'case-seconds': { type: 'string', value: 'N', help: 'time for a placement (default 4)' },
    picture: { type: 'string', value: 'FILE', help: 'another picture of 1280x960; the crop stays where it is' },
    out: { type: 'string', value: 'FILE', help: 'where the page goes (default demo/report.html)' },
    json: { type: 'boolean', help: 'print the report as JSON instead of text' },
  },
  async run(line, io) {
    const picturePath = line.text('picture') ?? join(DEMO_FOLDER, 'label.jpg');
    if (!existsSync(picturePath)) throw new KerfError('FILE_NOT_FOUND', `the picture ${picturePath} is not there`);
    const startedMs = performance.now();
    const tell = (text: string): void => {
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(0).padStart(3);
      process.stderr.write(`${seconds} s  ${text}\n`);
    };
    const report = await runDemo({
      link: linkOf(line),
      picturePath,
      framesPerCase: line.number('frames', 15, { least: 1, most: 10_000 }),
      caseBudgetMs: line.number('case-seconds', 4, { least: 1, most: 3600 }) * 1000,
      onProgress: tell,
      onRow: (_, row) => tell(`  ${rowLine(row)}`),
    });
    const out = line.text('out') ?? join(DEMO_FOLDER, 'report.html');
    await mkdir(dirname(out), { recursive: true });
    await writeFile(out, renderHtml(report));
    print(report, out, line, io);
    return report.models.some(({ rows }) => rows.every((row) => row.framesMeasured === 0)) ? 1 : 0;
  },
};

function linkOf(line: CommandLine): DemoLink {
  return {
    uplinkBitsPerSecond: bitsPerSecond('uplink', line.text('uplink') ?? '20mbit'),
    downlinkBitsPerSecond: bitsPerSecond('downlink', line.text('downlink') ?? '100mbit'),
    roundTripMs: milliseconds('rtt', line.text('rtt') ?? '40ms'),
    jitterMs: milliseconds('jitter', line.text('jitter') ?? '0ms'),
  };
}

function rowLine(row: DemoRow): string {
  if (row.framesMeasured === 0) return `${row.label}: not measured, ${row.note ?? ''}`;
  return `p50 ${row.p50Ms.toFixed(1)} ms, ${formatBytes(row.bytesUpPerFrame)} up a frame, ${row.framesMeasured} ${row.framesMeasured === 1 ? 'frame' : 'frames'}`;
}

function print(report: DemoReport, out: string, line: CommandLine, io: Io): void {
  if (line.flag('json')) {
    const verdicts = report.models.map((model) => judge(model, report));
    io.print(JSON.stringify({ ...report, picture: null, verdicts, page: out }));
    return;
  }
  io.print('');
  io.print(renderText(report));
  io.print(`page: ${out}`);
}
