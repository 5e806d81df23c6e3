// Entry of the process that is the demo's edge: measures every case and sends the rows to its parent.
import process from 'node:process';
import { KerfError, messageOf } from '@kerf/protocol';
import type { DemoEdgeJob } from './cases.ts';
import { measureSubject } from './measure.ts';
import type { DemoRow } from './report.ts';

/** What the edge's process tells. */
export type DemoEdgeMessage =
  | { readonly kind: 'measuring'; readonly subject: number; readonly label: string }
  | { readonly kind: 'row'; readonly subject: number; readonly row: DemoRow }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

function tell(message: DemoEdgeMessage): void {
  process.send?.(message);
}

async function work(job: DemoEdgeJob): Promise<void> {
  for (const [subject, one] of job.subjects.entries()) {
    await measureSubject(job, one, {
      onStart: (label) => tell({ kind: 'measuring', subject, label }),
      onRow: (row) => tell({ kind: 'row', subject, row }),
    });
  }
}

process.once('message', (job: DemoEdgeJob) => {
  work(job)
    .then(() => tell({ kind: 'done' }))
    .catch((error: unknown) => {
      const code = KerfError.is(error) ? error.code : 'INTERNAL';
      tell({ kind: 'failed', code, message: messageOf(error) });
    })
    .finally(() => process.disconnect());
});
// The parent is gone, so is the demo.
process.once('disconnect', () => process.exit(0));
