// Runs in a page: two models -> how long a run of each takes there, in turn, and what the first one answers.
import { makeBrowserBackend } from '@kerf/edge-runtime/browser';
import { interleave, type PairedTimes } from '../bench.ts';
import { madeUpInput, valuesOf } from './made-up-input.ts';

export interface TimedPage extends PairedTimes {
  readonly answer: Readonly<Record<string, readonly number[]>>;
}

declare global {
  /** WebAssembly on one thread, as an edge without cross-origin isolation has it. */
  var timeInPage: (ours: string, theirs: string, shape: readonly number[], rounds: number) => Promise<TimedPage>;
}

globalThis.timeInPage = async (oursUrl, theirsUrl, shape, rounds) => {
  const backend = await makeBrowserBackend({ provider: 'wasm', wasmFolder: `${location.origin}/ort/`, threads: 1 });
  const load = async (url: string) => backend.load({ bytes: new Uint8Array(await (await fetch(url)).arrayBuffer()) });
  const ours = await load(oursUrl);
  const theirs = await load(theirsUrl);
  const input = madeUpInput(shape);
  const times = await interleave(
    () => ours.run(input),
    () => theirs.run(input),
    { warmUp: 2, rounds },
  );
  return { ...times, answer: valuesOf(await ours.run(input)) };
};
