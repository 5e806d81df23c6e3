// `kerf station` asked over HTTP: pictures that are posted, and frames of a video that a POST triggers; its pictures on disk.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { KERF_BIN } from '@kerf/cli';
import type { ResultRecord } from '@kerf/edge-runtime';
import { datasetParts, encodePng, modelFile, writeVideo } from '@kerf/models';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder: string;
let end: (() => Promise<number | null>) | null = null;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerf-doors-'));
});
afterEach(async () => {
  await end?.();
  await rm(folder, { recursive: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function startStation(more: object, env: Record<string, string> = {}): Promise<void> {
  const file = {
    format: 'kerf-station/1',
    station: 'doors',
    model: { path: modelFile('surface-v1') },
    task: { kind: 'anomaly' },
    deadline: '30 s',
    ...more,
  };
  await writeFile(join(folder, 'station.json'), JSON.stringify(file));
  const child = spawn(process.execPath, [KERF_BIN, 'station', 'station.json', '--json'], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  end = async () => {
    end = null;
    if (child.exitCode !== null) return child.exitCode;
    child.kill('SIGTERM');
    const [code] = (await once(child, 'exit')) as [number | null];
    return code;
  };
}

/** Until the station listens. */
async function post(url: string, init: RequestInit): Promise<Response> {
  for (let turn = 0; ; turn++) {
    const answer = await fetch(url, { method: 'POST', ...init }).catch((error: unknown) => error as Error);
    if (answer instanceof Response) return answer;
    if (turn > 600) throw answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test('posted pictures are answered with their verdicts, and kept with an overlay', async () => {
  const listen = `127.0.0.1:${await freePort()}`;
  await startStation(
    {
      source: { kind: 'upload', listen, tokenFrom: 'UPLOAD_TOKEN', answerWithin: '60 s' },
      sinks: [{ kind: 'images', path: 'kept', verdicts: ['PASS', 'REVIEW', 'NG', 'NO_READ', 'ERROR'] }],
    },
    { UPLOAD_TOKEN: 'right' },
  );
  const url = `http://${listen}/parts`;
  const headers = { authorization: 'Bearer right' };
  expect((await post(url, { body: 'x' })).status).toBe(401);
  const verdicts: [string | null, string][] = [];
  let count = 0;
  for await (const { defect, picture } of datasetParts({ split: 'demo', count: 4 })) {
    const { width, height, data } = picture.image;
    const body = new Blob([Uint8Array.from(encodePng(width, height, 3, data))]);
    const init = { body, headers: { ...headers, 'kerf-part-id': `P-${count}`, 'idempotency-key': `shot ${count}` } };
    const answer = await post(url, init);
    expect(answer.status).toBe(200);
    const record = (await answer.json()) as ResultRecord;
    expect(record).toMatchObject({ partId: `P-${count}`, station: 'doors', source: 'upload' });
    verdicts.push([defect, record.verdict]);
    count++;
  }
  expect(verdicts.every(([, verdict]) => ['PASS', 'REVIEW', 'NG'].includes(verdict))).toBe(true);
  expect(await end?.()).toBe(0);
  const files = await readdir(join(folder, 'kept'), { recursive: true });
  expect(files.filter((name) => name.endsWith('_overlay.png'))).toHaveLength(count);
  expect(files.filter((name) => name.endsWith('.json'))).toHaveLength(count);
});

test('a POST takes the next frame of a video and answers with its verdict', async () => {
  await writeVideo(join(folder, 'parts.y4m'), { station: 'fixture', seconds: 1, framesPerSecond: 4, goodShare: 0 });
  const listen = `127.0.0.1:${await freePort()}`;
  await startStation({
    source: { kind: 'video', path: 'parts.y4m' },
    trigger: { kind: 'http', listen, answerWithin: '60 s' },
    // A frame of the video is larger than the model's input.
    picture: { crop: { x: 80, y: 80, width: 224, height: 224 } },
    sinks: [{ kind: 'json-lines', path: 'results.jsonl' }],
  });
  const ids: (string | null)[] = [];
  for (const partId of ['A', 'B']) {
    const answer = await post(`http://${listen}/trigger`, { body: JSON.stringify({ partId }) });
    expect(answer.status).toBe(200);
    const record = (await answer.json()) as ResultRecord;
    ids.push(record.partId);
    expect(record).toMatchObject({ isSimulated: true, reason: null });
  }
  expect(ids).toEqual(['A', 'B']);
  expect(await end?.()).toBe(0);
  const lines = (await readFile(join(folder, 'results.jsonl'), 'utf8')).trim().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as ResultRecord).partId)).toEqual(['A', 'B']);
});
