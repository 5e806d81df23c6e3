// A technician looks for releases: what the desk shows while it looks, and when it has looked.
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { UpdatesView } from '@kerf/bridge';
import { readStationFile } from '@kerf/edge-runtime/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePublisher, type Publisher } from '../../delta-sync/test/support/publisher.ts';
import { initDevice } from '../src/update/device-folder.ts';
import { UpdateDesk } from '../src/update/update-desk.ts';
import { meanModel } from './support/mean-model.ts';

let publisher: Publisher;
let desk: UpdateDesk;

beforeAll(async () => {
  publisher = await makePublisher(['surface']);
  await publisher.publish('surface', '1.0', await publisher.write('surface.onnx', meanModel(null)));
  const device = join(publisher.folder, 'device');
  const settings = {
    name: 'surface',
    mirrors: [publisher.repository],
    side: null,
    window: null,
    bytesPerSecond: null,
    automatic: false,
    pinned: null,
    tokenFile: null,
    ca: null,
  };
  await initDevice(device, settings, await readFile(join(publisher.repository, 'metadata/1.root.json')));
  const station = join(publisher.folder, 'line.yaml');
  const file = {
    format: 'kerf-station/1',
    station: 'line-1',
    source: { kind: 'folder', path: 'in' },
    model: { path: 'device' },
    task: { kind: 'anomaly' },
    updates: {},
    sinks: [{ kind: 'json-lines', path: 'out.jsonl' }],
  };
  await writeFile(station, JSON.stringify(file));
  desk = await UpdateDesk.open({
    file: await readStationFile(station),
    device,
    onPicture: () => () => {},
    reload: () => Promise.resolve(),
    onChange: () => {},
    onFault: (error) => {
      throw error;
    },
  });
});
afterAll(async () => {
  await desk?.close();
  await publisher?.remove();
});

/** Every state that a page may be told of, from one turn of the event loop to the next, until there is no job. */
async function statesOf(look: () => void): Promise<UpdatesView[]> {
  look();
  const states = [desk.view];
  while (states.at(-1)?.job !== null) {
    await new Promise((resolve) => setImmediate(resolve));
    states.push(desk.view);
  }
  return states;
}

test('what a look found is shown when it has ended and the next thing can be asked for', async () => {
  for (const from of [null, publisher.repository]) {
    const states = await statesOf(() => desk.look({ from }));
    const found = states.filter(({ looked }) => looked !== null && looked.from === from);
    expect(found.map(({ job }) => job)).toEqual(found.map(() => null));
    expect(found.at(-1)?.releases?.map(({ version }) => version)).toEqual(['1.0']);
  }
});

test('a look at a mirror that never answers is stopped, and the next one works', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  try {
    const from = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    desk.look({ from });
    await expect.poll(() => desk.view.job?.step).toBe('look');
    desk.cancel();
    await expect.poll(() => desk.view.job).toBeNull();
    expect(desk.view.ended).toMatchObject({ step: 'look', fault: { code: 'CANCELLED' } });
    expect(desk.view.looked?.from).not.toBe(from);
    await statesOf(() => desk.look({ from: null }));
    expect(desk.view.ended).toMatchObject({ step: 'look', fault: null });
  } finally {
    silent.closeAllConnections();
    silent.close();
  }
});
