// Several station files of one `kerf inspect`.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLines } from '../../src/inspect/open-lines.ts';

test('two lines of one name are refused before anything is opened', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kerf-lines-'));
  try {
    const paths = ['a', 'b'].map((name) => join(folder, `${name}.yaml`));
    for (const path of paths) {
      const text = [
        'format: kerf-station/1',
        'station: line-7',
        'source: { kind: folder, path: in }',
        'model: { path: none.onnx }',
        'task: { kind: anomaly }',
        'sinks: [{ kind: json-lines, path: results.jsonl }]',
      ];
      await writeFile(path, text.join('\n'));
    }
    await expect(openLines(paths, null, () => {})).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: "two lines are called 'line-7': give each station a name of its own",
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.each([
  [
    'https://10.0.0.7:8444/',
    "the address at 10.0.0.7:8444 is not one that 'kerf inspect' prints: copy the whole of it",
  ],
  ['http://10.0.0.7:8444/kq7m-2xpt/', 'the address at 10.0.0.7:8444 would be asked without TLS'],
  ['https://:bad/', "an address is not one that 'kerf inspect' prints"],
])('%s is no line, and its secret is not said again', async (address, said) => {
  const opening = openLines([address], null, () => {});
  await expect(opening).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(said) });
  await expect(opening).rejects.not.toMatchObject({ message: expect.stringContaining('kq7m') });
});
