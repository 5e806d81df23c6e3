// `kerf releases`: what a repository has, as a device would trust it.
import type { Command } from '../command.ts';
import { ACCESS_OPTIONS, openRepository, ROOT_OPTION } from '../publish/read-repository.ts';
import { formatBytes, table } from '../units.ts';

/** Manifests that are read for one list. */
const MOST = 50;

export const releases: Command = {
  name: 'releases',
  usage: 'REPO [NAME] [OPTIONS]',
  summary: 'Lists the models of a repository and their releases, the newest last. REPO is a folder or an address.',
  positionals: [1, 2],
  options: { ...ROOT_OPTION, ...ACCESS_OPTIONS, json: { type: 'boolean', help: 'print JSON' } },
  async run(line, io) {
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
      row.notes.split('\n', 1)[0]?.slice(0, 60) ?? '',
    ]);
    for (const text of table(
      [['name', 'version', 'kind', 'published', 'files', 'size', 'id', 'notes'], ...cells],
      [4, 5],
    ))
      io.print(text);
    return 0;
  },
};
