// `kerf samples`: the parts that a station kept for labelling, in numbers, and the labelled ones as a data set.
import { readdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { EXPORT_FORMATS, exportSamples, sampleLabels } from '@kerf/edge-runtime';
import { readStationFile, SampleStore, type StationFile } from '@kerf/edge-runtime/node';
import { KerfError } from '@kerf/protocol';
import { makeFolders } from '@kerf/protocol/node';
import { type Command, usageError } from '../command.ts';
import { formatBytes, table } from '../units.ts';

export const samples: Command = {
  name: 'samples',
  usage: 'FILE [OPTIONS]',
  summary:
    'Counts the parts that the station of FILE kept for labelling, by label and by why they were kept; with --export, ' +
    'writes the labelled ones as a data set. Labels are given in the Inspector.',
  positionals: [1, 1],
  options: {
    export: { type: 'string', value: 'FORMAT', help: `write them as ${EXPORT_FORMATS.join(' or ')}` },
    out: { type: 'string', value: 'DIR', help: 'with --export: folder for them, new or empty' },
    json: { type: 'boolean', help: 'print JSON' },
  },
  notes: "mvtec is what 'kerf evaluate' and 'kerf calibrate' read.",
  async run(line, io) {
    const file = await readStationFile(line.positional(0));
    const store = await openKept(file);
    const report = reportOf(store);
    const out = line.text('out');
    let exported: { readonly format: string; readonly folder: string; readonly samples: number } | null = null;
    if (line.text('export') !== undefined) {
      if (out === undefined) throw usageError('--export needs --out DIR');
      const format = line.choice('export', EXPORT_FORMATS, 'mvtec');
      exported = { format, folder: out, samples: await write(file, store, format, out) };
    } else if (out !== undefined) throw usageError('--out is for --export FORMAT');
    if (line.flag('json')) io.print(JSON.stringify({ ...report, exported }));
    else for (const text of lines(report, exported)) io.print(text);
    return 0;
  },
};

async function openKept({ config, folder, path }: StationFile): Promise<SampleStore> {
  const { samples: kept } = config;
  if (kept === null) throw new KerfError('SAMPLES_UNUSABLE', `${path} keeps no parts: it has no 'samples'`);
  return SampleStore.open(resolve(folder, kept.path), kept.quota);
}

interface Report {
  readonly kept: number;
  readonly labelled: number;
  readonly bytes: number;
  readonly labels: Readonly<Record<string, number>>;
  readonly reasons: Readonly<Record<string, number>>;
}

function reportOf({ all, bytes }: SampleStore): Report {
  const count = (names: readonly string[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
    return counts;
  };
  const labels = all.flatMap(({ label }) => (label === null ? [] : [label.name]));
  return {
    kept: all.length,
    labelled: labels.length,
    bytes,
    labels: count(labels),
    reasons: count(all.flatMap(({ reasons }) => reasons)),
  };
}

function lines(report: Report, exported: { readonly folder: string; readonly samples: number } | null): string[] {
  const { kept, labelled, bytes, labels, reasons } = report;
  const rows = [
    ...Object.entries(labels).map(([name, count]) => [`label ${name}`, String(count)]),
    ...Object.entries(reasons).map(([name, count]) => [`kept for ${name}`, String(count)]),
  ];
  return [
    `${kept} parts kept, ${labelled} with a label, ${formatBytes(bytes)}`,
    ...table(rows, [1]),
    ...(exported === null ? [] : [`${exported.samples} parts written to ${exported.folder}`]),
  ];
}

/** @returns parts written. */
async function write(
  { config }: StationFile,
  store: SampleStore,
  format: (typeof EXPORT_FORMATS)[number],
  out: string,
): Promise<number> {
  const found = await readdir(out).catch(() => []);
  if (found.length > 0) throw usageError(`--out ${out} is not empty: name a new folder`);
  const labels = config.samples === null ? [] : sampleLabels(config.samples, config.task);
  let written = 0;
  for (const file of exportSamples(store.all, labels, format)) {
    const bytes = 'text' in file ? file.text : await store.picture(file.picture);
    if (bytes === null) continue;
    const path = join(out, file.path);
    await makeFolders(dirname(path));
    await writeFile(path, bytes);
    if ('picture' in file) written++;
  }
  return written;
}
