// What the Inspector is told of an outbox that had no room left.
import { memoryDisk, Outbox, type ResultRecord, type Sink } from '@kerf/edge-runtime';
import { KerfError } from '@kerf/protocol';
import { expect, test } from 'vitest';
import { deliveryView } from '../../src/inspect/station-view.ts';

const away: Sink = {
  name: 'mes',
  usesPictures: false,
  deliver: () => Promise.reject(new KerfError('SINK_UNREACHABLE', 'nobody there')),
  close: () => Promise.resolve(),
};

test('results that were given up for want of room are counted', async () => {
  const outbox = await Outbox.open({ disk: memoryDisk(), sinks: [away], options: { maxRecords: 2, reserveBytes: 0 } });
  const put = (resultId: string, verdict: ResultRecord['verdict']): Promise<void> =>
    outbox.put({ resultId, revision: 0, verdict, isPartial: false, imageSha256: null } as ResultRecord);
  for (const id of ['1', '2', '3']) await put(id, 'PASS');
  await put('4', 'NG');
  await expect
    .poll(() => deliveryView(outbox.snapshot))
    .toMatchObject({
      waiting: 2,
      givenUp: 2,
      blocked: [{ sink: 'mes', code: 'SINK_UNREACHABLE' }],
    });
  await outbox.close();
});
