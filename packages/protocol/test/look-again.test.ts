// What is looked at again and again: one look at a time, and faults that last are told once.
import { lookAgain } from '@kerf/protocol';
import { expect, test } from 'vitest';

/** Looks that the test sets off one by one. */
function looking(look: () => void | Promise<void>) {
  const waiting: (() => void)[] = [];
  const faults: string[] = [];
  const after = (_: number, task: () => void): (() => void) => {
    waiting.push(task);
    return () => void waiting.splice(waiting.indexOf(task), 1);
  };
  const end = lookAgain({ nowMs: () => 0, after }, 10, look, (reason) => faults.push(reason));
  const turn = async (): Promise<void> => {
    waiting.shift()?.();
    for (let at = 0; at < 10; at++) await Promise.resolve();
  };
  return { waiting, faults, end, turn };
}

test('a fault is told when two looks agree on it, once, and again after it was over', async () => {
  let said: string | null = null;
  const { faults, turn } = looking(() => {
    if (said !== null) throw new Error(said);
  });
  for (const next of [null, 'a', null, 'a', 'b', 'b', 'b', null, 'b', 'b']) {
    said = next;
    await turn();
  }
  expect(faults).toEqual(['b', 'b']);
});

test('a look that takes long has no other beside it, and none follows the end', async () => {
  let done = (): void => {};
  const { waiting, end, turn } = looking(() => new Promise((resolve) => (done = resolve)));
  await turn();
  expect(waiting).toHaveLength(0);
  done();
  await turn();
  expect(waiting).toHaveLength(1);
  await turn();
  end();
  done();
  await turn();
  expect(waiting).toHaveLength(0);
});
