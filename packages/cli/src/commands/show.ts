// `kerf show`: one release, file by file, and what changed since another.
import type { ReleaseManifest, TrustedRelease } from '@kerf/delta-sync';
import { KerfError } from '@kerf/protocol';
import type { Command, Io } from '../command.ts';
import { changedGroups, type GroupChange } from '../publish/changed-groups.ts';
import { ACCESS_OPTIONS, openRepository, ROOT_OPTION } from '../publish/read-repository.ts';
import { formatBytes, table } from '../units.ts';

export const show: Command = {
  name: 'show',
  usage: 'REPO NAME [VERSION] [OPTIONS]',
  summary: 'Shows a release: its files, the deltas to it, what it may be used with. The newest one without VERSION.',
  positionals: [2, 3],
  options: {
    ...ROOT_OPTION,
    ...ACCESS_OPTIONS,
    against: { type: 'string', value: 'VERSION', help: 'which groups of tensors differ from this release' },
    json: { type: 'boolean', help: 'print JSON' },
  },
  async run(line, io) {
    const { repository, manifest } = await openRepository(line, line.positional(0));
    const name = line.positional(1);
    const releases = await repository.releases(name);
    const release = pick(releases, name, line.positionals[2]);
    const shown = await manifest(release);
    const against = line.text('against');
    const before = against === undefined ? null : await manifest(pick(releases, name, against));
    const changes = before === null ? null : changedGroups(before, shown);
    if (line.flag('json')) io.print(JSON.stringify({ id: release.sha256, manifest: shown, changes }));
    else print(shown, release.sha256, changes, io);
    return 0;
  },
};

function pick(releases: readonly TrustedRelease[], name: string, version: string | undefined): TrustedRelease {
  const found = version === undefined ? releases.at(-1) : releases.find((one) => one.version === version);
  if (found !== undefined) return found;
  const known = releases.map((one) => one.version).join(', ');
  throw new KerfError('RELEASE_NOT_FOUND', `${name} has no ${version ?? 'release'}; it has ${known || 'none'}`);
}

function print(manifest: ReleaseManifest, id: string, changes: readonly GroupChange[] | null, io: Io): void {
  const { name, version, sequence, kind, createdAt, pair, tails, runtime, golden, snapped, notes } = manifest;
  io.print(`${name} ${version}  ${kind}, release ${sequence}, ${createdAt}, id ${id}`);
  if (notes !== '') io.print(notes);
  if (pair !== null)
    io.print(
      `pair ${pair.slice(0, 12)}, tails that it may talk to: ${tails.map((tail) => tail.slice(0, 12)).join(', ')}`,
    );
  const needs = [
    runtime.kerf === null ? [] : [`kerf ${runtime.kerf}`],
    runtime.onnxruntime === null ? [] : [`ONNX Runtime ${runtime.onnxruntime}`],
  ].flat();
  if (needs.length > 0) io.print(`needs at least ${needs.join(' and ')}`);
  if (golden !== null) io.print(`${golden.samples} golden samples, made by ${golden.madeBy}`);
  if (snapped !== null) {
    const loss =
      snapped.lossPoints === null
        ? 'loss not measured'
        : `${snapped.lossPoints.toFixed(2)} points of ${snapped.metric ?? 'the metric'} lost`;
    io.print(`snapped with step ${snapped.step} around ${snapped.base.slice(0, 12)}, ${loss}`);
  }
  io.print('');
  const rows = manifest.files.map((file) => [
    file.name,
    file.role,
    file.sides.join(', '),
    formatBytes(file.bytes),
    file.deltas
      .map(({ base, bytes }) => `${base === null ? 'compressed' : base.slice(0, 8)} ${formatBytes(bytes)}`)
      .join(', '),
    file.sha256.slice(0, 12),
  ]);
  for (const text of table([['file', 'role', 'for', 'size', 'deltas', 'SHA-256'], ...rows], [3])) io.print(text);
  if (changes === null) return;
  io.print('');
  if (changes.length === 0) io.print('no group of tensors differs');
  const changeRows = changes.map(({ file, group, change, tensors, bytes }) => [
    file,
    group,
    change,
    String(tensors),
    formatBytes(bytes),
  ]);
  if (changes.length > 0)
    for (const text of table([['file', 'group', '', 'tensors', 'size'], ...changeRows], [3, 4])) io.print(text);
}
