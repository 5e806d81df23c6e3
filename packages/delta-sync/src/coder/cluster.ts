// Contexts with their counts of symbols -> few groups, each with one table: merged as long as a table costs more than it saves.
import { SYMBOLS } from './frequencies.ts';

export interface Clusters {
  /** Table of each context. */
  readonly tableOf: Uint8Array;
  /** 1 where a context occurs. */
  readonly used: Uint8Array;
  /** Counts of each table. */
  readonly counts: readonly Uint32Array[];
  /** Size of the tokens if frequencies were exact and cost nothing. */
  readonly entropyBits: number;
}

/** What one symbol of a table takes, about. */
const BITS_PER_ENTRY = 6;
const BITS_PER_TABLE = 24;

interface Group {
  readonly contexts: number[];
  readonly counts: Uint32Array;
  bits: number;
  /** What merging with the next group would save. */
  saving: number;
}

/** @param maxTables at least 1 */
export function clusterContexts(
  contexts: number,
  contextOf: Uint16Array,
  tokens: Uint8Array,
  length: number,
  maxTables: number,
): Clusters {
  const all = new Uint32Array(contexts * SYMBOLS);
  for (let index = 0; index < length; index++) {
    const at = (contextOf[index] as number) * SYMBOLS + (tokens[index] as number);
    all[at] = (all[at] as number) + 1;
  }
  const groups = mergeNeighbours(groupsOf(all, contexts), maxTables);
  const tableOf = new Uint8Array(contexts);
  const used = new Uint8Array(contexts);
  for (const [table, group] of groups.entries()) {
    for (const context of group.contexts) {
      tableOf[context] = table;
      used[context] = 1;
    }
  }
  const entropyBits = groups.reduce((sum, group) => sum + entropyBitsOf(group.counts), 0);
  return { tableOf, used, counts: groups.map((group) => group.counts), entropyBits };
}

/** One group a context that occurs, those with small symbols first. */
function groupsOf(all: Uint32Array, contexts: number): Group[] {
  const groups: (Group & { mean: number })[] = [];
  for (let context = 0; context < contexts; context++) {
    const counts = all.slice(context * SYMBOLS, (context + 1) * SYMBOLS);
    let total = 0;
    let sum = 0;
    for (let symbol = 0; symbol < SYMBOLS; symbol++) {
      total += counts[symbol] as number;
      sum += (counts[symbol] as number) * symbol;
    }
    if (total === 0) continue;
    groups.push({ contexts: [context], counts, bits: costBits(counts), saving: 0, mean: sum / total });
  }
  return groups.sort((a, b) => a.mean - b.mean);
}

function mergeNeighbours(groups: Group[], maxTables: number): Group[] {
  const updateSaving = (at: number): void => {
    const group = groups[at];
    const next = groups[at + 1];
    if (group === undefined) return;
    group.saving =
      next === undefined
        ? Number.NEGATIVE_INFINITY
        : group.bits + next.bits - costBits(sumOf(group.counts, next.counts));
  };
  for (let at = 0; at < groups.length; at++) updateSaving(at);
  while (groups.length > 1) {
    let best = 0;
    for (let at = 1; at < groups.length - 1; at++) {
      if ((groups[at] as Group).saving > (groups[best] as Group).saving) best = at;
    }
    const [group, next] = [groups[best] as Group, groups[best + 1] as Group];
    if (group.saving <= 0 && groups.length <= maxTables) break;
    const counts = sumOf(group.counts, next.counts);
    groups.splice(best, 2, {
      contexts: [...group.contexts, ...next.contexts],
      counts,
      bits: costBits(counts),
      saving: 0,
    });
    updateSaving(best - 1);
    updateSaving(best);
  }
  return groups;
}

function sumOf(a: Uint32Array, b: Uint32Array): Uint32Array {
  return a.map((count, symbol) => count + (b[symbol] as number));
}

/** Bits of the symbols and of their table. */
export function costBits(counts: Uint32Array): number {
  let entries = 0;
  for (let symbol = 0; symbol < SYMBOLS; symbol++) if (counts[symbol] !== 0) entries++;
  return entropyBitsOf(counts) + entries * BITS_PER_ENTRY + BITS_PER_TABLE;
}

/** Bits of so many symbols of each kind, if their frequencies were exact and known. */
export function entropyBitsOf(counts: Uint32Array): number {
  let total = 0;
  let bits = 0;
  for (const count of counts) {
    if (count === 0) continue;
    total += count;
    bits -= count * Math.log2(count);
  }
  return total === 0 ? 0 : bits + total * Math.log2(total);
}
