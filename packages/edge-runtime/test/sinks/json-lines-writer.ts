// A process for the test of kill -9: writes records from the first on, and says each that is safe.
import { jsonLinesShape } from '@kerf/edge-runtime';
import { jsonLinesSink } from '@kerf/edge-runtime/node';
import { deliveryOf } from '../../../../test/conformance/sink-records.ts';
import { sinkSetup } from './support.ts';

const config = jsonLinesShape.read({ path: process.argv[2] }, 'sink');
const sink = jsonLinesSink(config, sinkSetup('lines'));
for (let frame = 0; frame < 100_000; frame++) {
  await sink.deliver(deliveryOf(frame), new AbortController().signal);
  process.stdout.write(`${frame}\n`);
}
