import { KerfError } from '@kerf/protocol';
import { expect, test } from 'vitest';
import { Stoppable } from '../../src/inspect/stoppable.ts';

const CANCELLED = { code: 'CANCELLED' };

/** Hears its signal, and is never done. */
function endless(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });
}

test('a caller stops all that it has begun, and nothing of anybody else', async () => {
  const work = new Stoppable();
  const [first, second] = [work.run('ann', endless), work.run('ann', endless)];
  let isOver = false;
  const other = work.run('bob', endless).finally(() => {
    isOver = true;
  });
  work.stop('ann');
  await expect(first).rejects.toMatchObject(CANCELLED);
  await expect(second).rejects.toMatchObject(CANCELLED);
  expect(isOver).toBe(false);
  work.stop('bob');
  await expect(other).rejects.toMatchObject(CANCELLED);
});

test('the caller is free at once, though the work does not hear; what has ended is not touched', async () => {
  const work = new Stoppable();
  const deaf = work.run('ann', () => new Promise<never>(() => {}));
  work.stop('ann');
  await expect(deaf).rejects.toMatchObject(CANCELLED);
  const signals: AbortSignal[] = [];
  const done = await work.run('ann', (signal) => {
    signals.push(signal);
    return Promise.resolve(7);
  });
  await expect(work.run('ann', () => Promise.reject(new KerfError('NOT_FOUND', 'x')))).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  work.stop('ann');
  expect([done, signals[0]?.aborted]).toEqual([7, false]);
});
