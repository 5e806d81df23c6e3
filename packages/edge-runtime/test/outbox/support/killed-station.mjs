// A process that stores records and delivers them to a file, telling each one that is safe, until it is killed.
// Arguments: folder, number of the run, how many records at most.
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { Outbox } from '@kerf/edge-runtime';
import { openFolderDisk } from '@kerf/edge-runtime/node';

const [folder, run, count] = process.argv.slice(2);
const file = join(folder, 'sink.txt');

/** Lines that are there already are not written again; half of one, from a kill, is cut off. */
function fileSink() {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const whole = text.lastIndexOf('\n') + 1;
  if (whole < text.length) truncateSync(file, whole);
  const there = new Set(text.slice(0, whole).split('\n'));
  const handle = openSync(file, 'a');
  return {
    name: 'file',
    async deliver({ record }) {
      const line = `${record.resultId}#${record.revision}`;
      if (there.has(line)) return;
      writeSync(handle, `${line}\n`);
      fsyncSync(handle);
      there.add(line);
    },
    async close() {
      closeSync(handle);
    },
  };
}

const record = (resultId, given) => ({
  format: 'kerf-result/1',
  resultId,
  revision: 0,
  station: 'killed',
  frame: 0,
  partId: null,
  source: 'test',
  verdict: 'NG',
  reason: null,
  isPartial: false,
  isSimulated: true,
  creationTime: '2026-01-01T00:00:00.000Z',
  release: 'r',
  thresholdsVersion: 't',
  placement: 'edge',
  route: 'edge',
  fallbackReason: null,
  score: null,
  scores: {},
  boxes: [],
  mask: null,
  imageSha256: null,
  spans: [],
  totalMs: 1,
  bytesUp: 0,
  bytesDown: 0,
  traceId: null,
  ...given,
});

const disk = await openFolderDisk(join(folder, 'outbox'));
const outbox = await Outbox.open({ disk, sinks: [fileSink()], options: { segmentBytes: 4096, reserveBytes: 4096 } });
const tell = (text) => appendFileSync(1, `${text}\n`);
tell(`unsettled ${outbox.unsettled.map(({ resultId }) => resultId).join(' ')}`);
for (let index = 0; index < Number(count); index++) {
  const id = `${run}-${index}`;
  const isPartial = index % 5 === 0;
  const kept = isPartial ? { kind: 'encoded', format: 'png', bytes: new Uint8Array(300) } : null;
  await outbox.put(record(id, { isPartial }), { kept });
  tell(`${id}#0`);
  if (index % 10 === 5) {
    await outbox.put(record(id, { revision: 1 }));
    tell(`${id}#1`);
  }
}
await outbox.drain(30_000);
await outbox.close();
await disk.close();
tell('done');
