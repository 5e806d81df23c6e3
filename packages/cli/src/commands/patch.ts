// `kerf patch`: an installed version and a delta -> the new version.
import { patchFiles } from '@kerf/delta-sync/node';
import type { Command } from '../command.ts';
import { formatBytes } from '../units.ts';

export const patch: Command = {
  name: 'patch',
  usage: 'OLD FILE --out NEW',
  summary:
    'Applies a delta that kerf diff made, or a patch of bsdiff. OLD is checked first; NEW is written beside its place and renamed when all of it ' +
    'has its hash. A broken run goes on where it stopped when it is started again.',
  positionals: [2, 2],
  options: {
    out: { type: 'string', value: 'NEW', help: 'file to write; a folder where the delta makes several files' },
    force: { type: 'boolean', help: 'replace files that are there' },
    json: { type: 'boolean', help: 'print JSON' },
  },
  notes:
    'A delta for a model with data files looks for them beside OLD, under the names that they had. A patch of bsdiff ' +
    '(BSDIFF40) names no hash: whether OLD was the right one, only the SHA-256 of NEW can tell.',
  async run(line, io) {
    const report = await patchFiles({
      oldPath: line.positional(0),
      deltaPath: line.positional(1),
      out: line.required('out'),
      force: line.flag('force'),
    });
    if (line.flag('json')) {
      io.print(JSON.stringify(report));
      return 0;
    }
    for (const { path, bytes, sha256 } of report.files) io.print(`${path}  ${formatBytes(bytes)}, SHA-256 ${sha256}`);
    if (!report.isVerified) io.print('a BSDIFF40 patch names no hash: compare this one with what its maker says');
    if (report.resumedBytes > 0) io.print(`${formatBytes(report.resumedBytes)} were there from an earlier run`);
    return 0;
  },
};
