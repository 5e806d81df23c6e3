import { expect, test } from 'vitest';
import { untilAborted } from '../src/index.ts';

const never = new Promise<never>(() => undefined);

test('gives what the work gives, and throws what it throws', async () => {
  const { signal } = new AbortController();
  expect(await untilAborted(Promise.resolve(7), signal)).toBe(7);
  await expect(untilAborted(Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
});

test('ends with the reason of an abort, before it and meanwhile, though the work never ends', async () => {
  const stop = new AbortController();
  const waiting = untilAborted(never, stop.signal);
  stop.abort(new Error('late'));
  await expect(waiting).rejects.toThrow('late');
  await expect(untilAborted(never, stop.signal)).rejects.toThrow('late');
});
