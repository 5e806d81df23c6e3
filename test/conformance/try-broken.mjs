// A broken model file -> whether it was refused as it must be: one line, nothing written, bounded memory and time.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const WORKER = path.join(import.meta.dirname, 'try-split.mjs');
const MAX_SECONDS = 30;
const MAX_PEAK_MIB = 1500;

/** `{result, message, problems}`; no problems is as it should be. `no-crash` files may be split or refused. */
export function tryBroken({ file, cut, expect }) {
  const scratch = mkdtempSync(path.join(tmpdir(), 'kerf-broken-'));
  try {
    const out = path.join(scratch, 'out');
    const child = spawnSync(process.execPath, [WORKER, file, cut, out], {
      encoding: 'utf8',
      timeout: MAX_SECONDS * 1000,
    });
    if (child.status !== 0) {
      const ending = child.signal ?? `status ${child.status}`;
      return { result: 'crashed', message: '', problems: [`${ending}: ${child.stderr.slice(0, 300)}`] };
    }
    const row = JSON.parse(child.stdout);
    const problems = [];
    if (row.code === 'CRASH') problems.push(`an error without a code: ${row.message}`);
    if (row.peakMiB >= MAX_PEAK_MIB) problems.push(`took ${row.peakMiB} MiB`);
    if (expect === 'reject' && row.result !== 'refused') problems.push(`was split (${row.result}), must be refused`);
    if (row.result === 'refused' && existsSync(out)) problems.push('something was written');
    if (row.result === 'refused' && /\n/.test(row.message)) problems.push('the reason has several lines');
    return { result: row.result, message: row.message ?? '', problems };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
