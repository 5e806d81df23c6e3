// `kerf diff`: the bytes that turn one version of a model into another.
import { stat } from 'node:fs/promises';
import type { DeltaReport, PartReport, Strategy } from '@kerf/delta-sync';
import { bsdiffPatcher, diffFiles } from '@kerf/delta-sync/node';
import { KerfError } from '@kerf/protocol';
import { type Command, type Io } from '../command.ts';
import { interruptible } from '../interruption.ts';
import { deltaFormatOf, deltaFormatOption } from '../publish/delta-format.ts';
import { formatBytes, table } from '../units.ts';
import { printable } from './cuts.ts';

/** Parts that are listed one by one. */
const LARGEST = 5;

export const diff: Command = {
  name: 'diff',
  usage: 'OLD NEW --out FILE',
  summary:
    'Writes a delta: what an installation of OLD needs to become NEW, bit for bit. OLD and NEW are models (their data files ' +
    'come with them), folders such as a split or a chain, or files of any kind.',
  positionals: [2, 2],
  options: {
    out: { type: 'string', value: 'FILE', help: 'the delta to write' },
    force: { type: 'boolean', help: 'replace a delta that is there' },
    'no-bsdiff': { type: 'boolean', help: 'do not try bsdiff against what kerf makes' },
    ...deltaFormatOption(),
    json: { type: 'boolean', help: 'print JSON' },
  },
  notes:
    'Tensors are found again by their bytes, under any name and in any order, then by name and shape. Each is coded in the ' +
    'way that takes least: as differences from the old one, as steps on a grid, as a low-rank product, or by itself. Where ' +
    'bsdiff-node is installed, segments are tried with it too, in a process of its own.',
  async run(line, io) {
    const out = line.required('out');
    if (!line.flag('force') && (await stat(out).catch(() => null)) !== null) {
      throw new KerfError('FILE_EXISTS', `'${out}' is already there: name another file, or use --force`);
    }
    const [oldPath, newPath] = [line.positional(0), line.positional(1)];
    const bsdiff = line.flag('no-bsdiff') ? null : bsdiffPatcher();
    const report = await interruptible((signal) =>
      diffFiles({
        oldPath,
        newPath,
        out,
        format: deltaFormatOf(line),
        ...(bsdiff === null ? {} : { patcher: bsdiff.patch }),
        onProgress() {
          if (signal.aborted) throw new KerfError('CANCELLED', 'kerf diff was interrupted; nothing was written');
        },
      }),
    );
    const skipped = bsdiff?.skipped ?? [];
    const strategies = summarise(report.parts);
    if (line.flag('json')) io.print(JSON.stringify({ out, ...report, strategies, skipped }));
    else {
      printReport(report, strategies, out, io);
      for (const reason of skipped) io.print(`without bsdiff for a part: ${reason}`);
    }
    return 0;
  },
};

interface StrategySummary {
  readonly strategy: Strategy;
  readonly parts: number;
  readonly bytes: number;
  readonly deltaBytes: number;
}

/** What each way of coding took, the most expensive first. */
function summarise(parts: readonly PartReport[]): StrategySummary[] {
  const sums = new Map<Strategy, StrategySummary>();
  for (const { strategy, bytes, deltaBytes } of parts) {
    const sum = sums.get(strategy) ?? { strategy, parts: 0, bytes: 0, deltaBytes: 0 };
    sums.set(strategy, {
      strategy,
      parts: sum.parts + 1,
      bytes: sum.bytes + bytes,
      deltaBytes: sum.deltaBytes + deltaBytes,
    });
  }
  return [...sums.values()].sort((a, b) => b.deltaBytes - a.deltaBytes);
}

function printReport(report: DeltaReport, strategies: readonly StrategySummary[], out: string, io: Io): void {
  const { deltaBytes, targetBytes } = report;
  const share = targetBytes === 0 ? '' : `, ${percent(deltaBytes / targetBytes)} of ${formatBytes(targetBytes)}`;
  io.print(`${out}  ${formatBytes(deltaBytes)}${share}`);
  io.print('');
  const rows = strategies.map(({ strategy, parts, bytes, deltaBytes: taken }) => [
    strategy,
    String(parts),
    formatBytes(bytes),
    formatBytes(taken),
    bytes === 0 ? '' : percent(taken / bytes),
  ]);
  for (const row of table([['made by', 'parts', 'of the file', 'in the delta', ''], ...rows], [1, 2, 3, 4]))
    io.print(row);
  const largest = [...report.parts].sort((a, b) => b.deltaBytes - a.deltaBytes).slice(0, LARGEST);
  if (report.parts.length <= LARGEST) return;
  io.print('');
  const largestRows = largest.map(({ name, shape, strategy, bytes, deltaBytes: taken }) => [
    printable(name),
    shape ?? '',
    strategy,
    formatBytes(bytes),
    formatBytes(taken),
  ]);
  for (const row of table([['largest', '', 'made by', 'of the file', 'in the delta'], ...largestRows], [3, 4]))
    io.print(row);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 2 : 1)} %`;
}
