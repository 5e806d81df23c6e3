// `kerf releases`: what a repository has, as a device would trust it.
import { Device, type DeviceState } from '@kerf/delta-sync';
import type { Command } from '../command.ts';
import { ACCESS_OPTIONS, openRepository, ROOT_OPTION } from '../publish/read-repository.ts';
import { formatBytes, table } from '../units.ts';
import { deviceOptions } from '../update/device-folder.ts';

/** Manifests that are read for one list. */
const MOST = 50;

export const releases: Command = {
  name: 'releases',
  usage: 'REPO [NAME] [OPTIONS]',
  summary: 'Lists the models of a repository and their releases, the newest last. REPO is a folder or an address.',
  positionals: [1, 2],
  options: {
    ...ROOT_OPTION,
    ...ACCESS_OPTIONS,
    device: {
      type: 'string',
      value: 'DIR',
      help: 'what this device made of each: runs it, had it before, left it and why',
    },
    json: { type: 'boolean', help: 'print JSON' },
  },
  async run(line, io) {
    const device = line.text('device');
    const state = device === undefined ? null : (await Device.open(await deviceOptions(device, [], () => {}))).state;
    const { repository, manifest } = await openRepository(line, line.positional(0));
    const wanted = line.positionals[1];
    const names = wanted === undefined ? repository.names() : [wanted];
    const rows = [];
    for (const name of names) {
      // A name that was given away and not yet used has no role of its own.
      if (wanted === undefined && repository.metadata.snapshot?.meta.has(`${name}.json`) !== true) continue;
      for (const release of (await repository.releases(name)).slice(-MOST)) {
        const { kind, createdAt, files, notes, sequence } = await manifest(release);
        const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
        rows.push({
          name,
          version: release.version,
          sequence,
          kind,
          createdAt,
          files: files.length,
          bytes,
          id: release.sha256,
          notes,
          here: hereOf(release.sha256, state),
        });
      }
    }
    if (line.flag('json')) {
      io.print(JSON.stringify({ releases: rows }));
      return 0;
    }
    const cells = rows.map((row) => [
      row.name,
      row.version,
      row.kind,
      row.createdAt,
      String(row.files),
      formatBytes(row.bytes),
      row.id.slice(0, 12),
      ...(state === null ? [] : [hereText(row.here)]),
      row.notes.split('\n', 1)[0]?.slice(0, 60) ?? '',
    ]);
    const here = state === null ? [] : ['here'];
    const head = ['name', 'version', 'kind', 'published', 'files', 'size', 'id', ...here, 'notes'];
    for (const text of table([head, ...cells], [4, 5])) io.print(text);
    return 0;
  },
};

interface Here {
  readonly state: 'runs' | 'probation' | 'before' | 'left';
  readonly reason: string | null;
}

/** What a device made of a release; null when it never had it. What runs after all was not left for good. */
function hereOf(id: string, state: DeviceState | null): Here | null {
  if (state === null) return null;
  const { active, previous, trialStarts, rejected } = state;
  if (active?.id === id) return { state: trialStarts === null ? 'runs' : 'probation', reason: null };
  const left = rejected.find((one) => one.id === id);
  if (left !== undefined) return { state: 'left', reason: left.reason };
  return previous?.id === id ? { state: 'before', reason: null } : null;
}

function hereText(here: Here | null): string {
  if (here === null) return '';
  const texts = {
    runs: 'runs',
    probation: 'runs, on probation',
    before: 'to go back to',
    left: `left: ${here.reason}`,
  };
  return texts[here.state];
}
