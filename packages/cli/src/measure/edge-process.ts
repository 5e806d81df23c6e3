// Entry of the process that is the edge: loads models, opens sessions over the link, and measures what its parent asks for.
import process from 'node:process';
import { KerfError, messageOf } from '@kerf/protocol';
import { growHeapFreely } from '@kerf/protocol/node';
import type { FromEdge, ToEdge } from './edge-messages.ts';
import { MeasuringEdge } from './measuring-edge.ts';

growHeapFreely();

function tell(message: FromEdge): void {
  if (process.connected) process.send?.(message);
}

let edge: Promise<MeasuringEdge> | null = null;

async function handle(message: ToEdge): Promise<FromEdge> {
  if (message.kind === 'setup') {
    edge = MeasuringEdge.open(message, (text) => tell({ kind: 'progress', text }));
    await edge;
    return { kind: 'ready' };
  }
  if (edge === null) throw new KerfError('INTERNAL', 'the edge was not set up');
  return { kind: 'rows', rows: await (await edge).measure(message) };
}

process.on('message', (message: ToEdge) => {
  handle(message).then(tell, (error: unknown) =>
    tell({ kind: 'failed', code: KerfError.is(error) ? error.code : 'INTERNAL', message: messageOf(error) }),
  );
});
// The parent is gone, so is the edge.
process.once('disconnect', () => process.exit(0));
