// A station's audit log: entries that cover each other, what finds a change, and what a loss of power leaves.
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StationAudit } from '../../src/inspect/station-audit.ts';

let folder = '';
let path = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-audit-'));
  path = join(folder, 'line.audit.jsonl');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const fact = (subject: string) => ({ actor: 'ann', action: 'thresholds.save', subject, detail: { passBelow: 0.3 } });

async function three(): Promise<StationAudit> {
  const audit = await StationAudit.open(path, () => 1_700_000_000_000);
  await Promise.all(['a', 'b', 'c'].map((subject) => audit.append(fact(subject))));
  return audit;
}

test('entries come in their order, the newest are shown first, and the chain goes on after a restart', async () => {
  const audit = await three();
  expect(await audit.view(2)).toMatchObject({
    entries: [
      { number: 3, subject: 'c', at: '2023-11-14T22:13:20.000Z' },
      { number: 2, subject: 'b', detail: '{"passBelow":0.3}' },
    ],
    total: 3,
    broken: null,
  });
  const again = await StationAudit.open(path);
  await again.append(fact('d'));
  expect(await again.view(10)).toMatchObject({ total: 4, broken: null });
});

test('a changed, a missing and a garbled entry are named, whatever comes behind them', async () => {
  await three();
  const text = await readFile(path, 'utf8');
  const lines = text.trimEnd().split('\n');
  const told = async (changed: string) => {
    await writeFile(path, changed);
    return (await (await StationAudit.open(path)).view(10)).broken;
  };
  expect(await told(text.replace('0.3', '0.4'))).toMatchObject({
    entry: 1,
    message: expect.stringContaining('was changed'),
  });
  expect(await told(`${lines[0]}\n${lines[2]}\n`)).toMatchObject({
    entry: 2,
    message: expect.stringContaining('is missing'),
  });
  expect(await told(`${lines[0]}\nnonsense\n${lines[2]}\n`)).toMatchObject({
    entry: 2,
    message: expect.stringContaining('is no entry'),
  });
  expect((await told(`${lines[0]}\n\n${lines[1]}\n\n`))?.entry).toBe(2);
  expect(await told(text)).toBeNull();
});

test('a line that a loss of power cut short goes, and nothing else', async () => {
  await three();
  const whole = await readFile(path, 'utf8');
  await appendFile(path, '{"number":4,"at":1,"act');
  const audit = await StationAudit.open(path);
  expect(await readFile(path, 'utf8')).toBe(whole);
  await audit.append(fact('d'));
  expect(await audit.view(1)).toMatchObject({ entries: [{ number: 4 }], broken: null });
});
