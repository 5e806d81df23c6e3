// A real process over a real folder, killed without notice again and again.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('support/killed-station.mjs', import.meta.url));
const KILLS = Number(process.env['KERF_KILLS'] ?? 5);

/** Runs the script until it has told `lines` lines, then kills it; to its end without them. @returns what it told. */
async function life(folder: string, run: number, count: number, lines: number | null): Promise<string[]> {
  const child = spawn(process.execPath, [SCRIPT, folder, String(run), String(count)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  let complaint = '';
  child.stderr.on('data', (chunk) => (complaint += String(chunk)));
  child.stdout.on('data', (chunk) => {
    said += String(chunk);
    if (lines !== null && said.split('\n').length > lines) child.kill('SIGKILL');
  });
  await once(child, 'close');
  if (lines === null || child.signalCode !== 'SIGKILL') expect([child.exitCode, complaint]).toEqual([0, '']);
  // The last line may have been cut off.
  return said.slice(0, said.lastIndexOf('\n')).split('\n');
}

test(`nothing that was safe is lost or doubled over ${KILLS} kills`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kerf-kill-'));
  try {
    const safe: string[] = [];
    for (let run = 0; run < KILLS; run++) safe.push(...(await life(folder, run, 200, 1 + run * 5)));
    const last = await life(folder, KILLS, 10, null);
    expect(last.at(-1)).toBe('done');
    const records = [...safe, ...last].filter((line) => line.includes('#'));
    const sink = (await readFile(join(folder, 'sink.txt'), 'utf8')).trim().split('\n');
    expect(records.filter((text) => !sink.includes(text))).toEqual([]);
    expect(sink.length).toBe(new Set(sink).size);
    expect(sink.filter((text) => records.includes(text))).toEqual(records);
    const unsettled = new Set((last[0] ?? '').split(' '));
    const open = safe.filter((text) => /-\d*0#0$/.test(text)).map((text) => text.split('#')[0] as string);
    expect(open.filter((id) => !unsettled.has(id))).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
