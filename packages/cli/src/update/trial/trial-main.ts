// Entry of a trial's process: a release that nobody knows yet runs here, and takes nothing down with it but this process.
import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import process from 'node:process';
import { failedMessage } from '../../failed-message.ts';
import type { TrialMessage, TrialQuestion } from './messages.ts';
import { TrialWork } from './trial-work.ts';

/** A third of the processor's time that the line gets where both want it. */
const NICE = 5;

const say = (message: TrialMessage): void => void process.send?.(message);
const work = new TrialWork(() => say({ kind: 'alive' }));

standBack();
process.on('message', (question: TrialQuestion) => {
  work.answer(question).then(
    (value) => say({ kind: 'answer', value }),
    (error: unknown) => say(failedMessage(error)),
  );
});
// Nobody waits any more. An exit in good order would wait for a thread that may never come back from the runtime.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));

/** The line comes first, for the processor and when memory runs out. */
function standBack(): void {
  try {
    setPriority(NICE);
    if (process.platform === 'linux') writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // A container that forbids it.
  }
}
