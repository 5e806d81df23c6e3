// Candidates -> names for people, each used for one placement only.
import { type Candidate, candidateKey } from '@kerf/splitter';
import { printable } from '../commands/cuts.ts';

const MAX_NAME = 48;

/** Gives the same name to the same placement, and another to every other. */
export class Labels {
  readonly #byKey = new Map<string, string>();
  readonly #used = new Set<string>();

  readonly of = (candidate: Candidate): string => {
    const key = candidateKey(candidate);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const plain = describe(candidate);
    const placed = `${plain} (behind ${candidate.headNodes} nodes)`;
    let label = this.#used.has(plain) ? placed : plain;
    for (let copy = 2; this.#used.has(label); copy++) label = `${placed} (${copy})`;
    this.#byKey.set(key, label);
    this.#used.add(label);
    return label;
  };
}

function describe({ placement, codec, crossing }: Candidate): string {
  if (placement === 'edge') return 'edge';
  if (placement === 'cloud') return codec === '' ? 'cloud' : `cloud, ${codec}`;
  return `split at ${cutName(crossing.map(({ name }) => name))}, ${codec}`;
}

/** The first tensor of a cut, and how many more there are. */
export function cutName(tensors: readonly string[]): string {
  const [first = '', ...more] = tensors;
  const shown = printable(first);
  const name = shown.length > MAX_NAME ? `${shown.slice(0, 20)}…${shown.slice(-(MAX_NAME - 21))}` : shown;
  return more.length === 0 ? name : `${name} and ${more.length} more`;
}
