// Two recorded sessions -> pairs of the same part, those with changed verdicts first.
import type { Comparison, PairView, SidedVerdict } from '@kerf/bridge';
import type { SessionEntry } from '@kerf/edge-runtime/node';

/** What is compared of a session. */
export interface ComparedSession {
  readonly entries: readonly SessionEntry[];
  readonly cut: string | null;
}

export type PairedSessions = Omit<Comparison, 'pairs' | 'hasMore'> & { readonly pairs: readonly PairView[] };

/**
 * The same part: of the same result, as a replay keeps it; else of the same picture; else of the same part id, the first with the
 * first and so on. Each entry is in one pair.
 */
export function compareSessions(left: ComparedSession, right: ComparedSession): PairedSessions {
  const free = new Set(right.entries);
  const partners = new Map<SessionEntry, SessionEntry>();
  for (const key of KEYS) {
    const waiting = grouped(free, key);
    for (const entry of left.entries) {
      if (partners.has(entry)) continue;
      const name = key(entry);
      const partner = name === null ? undefined : waiting.get(name)?.shift();
      if (partner === undefined) continue;
      partners.set(entry, partner);
      free.delete(partner);
    }
  }
  const pairs = [
    ...left.entries.map((entry) => pairOf(entry, partners.get(entry) ?? null)),
    ...[...free].map((entry) => pairOf(null, entry)),
  ];
  const ranks = pairs.map(rankOf);
  const count = (rank: number): number => ranks.filter((one) => one === rank).length;
  return {
    both: partners.size,
    changed: count(0),
    moved: count(1),
    onlyLeft: pairs.filter((pair) => pair.right === null).length,
    onlyRight: free.size,
    cutLeft: left.cut,
    cutRight: right.cut,
    pairs: pairs
      .map((pair, at) => ({ pair, rank: ranks[at] ?? 0 }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ pair }) => pair),
  };
}

const KEYS: readonly ((entry: SessionEntry) => string | null)[] = [
  ({ resultId }) => resultId,
  ({ imageSha256 }) => imageSha256,
  ({ partId }) => partId,
];

function grouped(
  entries: Iterable<SessionEntry>,
  key: (entry: SessionEntry) => string | null,
): Map<string, SessionEntry[]> {
  const groups = new Map<string, SessionEntry[]>();
  for (const entry of entries) {
    const name = key(entry);
    if (name === null) continue;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [entry]);
    else group.push(entry);
  }
  return groups;
}

/** 0 another verdict, 1 another score, 2 in one session alone, 3 equal. */
function rankOf({ left, right }: PairView): number {
  if (left === null || right === null) return 2;
  if (left.verdict !== right.verdict) return 0;
  return left.score === right.score ? 3 : 1;
}

function pairOf(left: SessionEntry | null, right: SessionEntry | null): PairView {
  return { partId: left?.partId ?? right?.partId ?? null, left: said(left), right: said(right) };
}

function said(entry: SessionEntry | null): SidedVerdict | null {
  return entry === null ? null : { resultId: entry.resultId, verdict: entry.verdict, score: entry.score };
}
