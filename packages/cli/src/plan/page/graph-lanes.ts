// Rows of a graph with what each takes from -> lanes, as in a drawing of commits: which wires enter, leave and pass each row.

export interface LaneRow {
  /** Lane of the row's own mark. */
  readonly own: number;
  /** Lanes of the rows that it takes from; `ends` where it is the last to do so. */
  readonly sources: readonly { readonly lane: number; readonly ends: boolean }[];
  /** Lanes that go on from above to below, those of sources that do not end among them. */
  readonly passing: readonly number[];
  /** Whether a later row takes from this one. */
  readonly leaves: boolean;
}

/** Lanes that are told apart; what needs more shares the last. */
export const MAX_LANES = 10;

/** @param sources per row the earlier rows that it takes from. */
export function lanes(sources: readonly (readonly number[])[]): LaneRow[] {
  const lastReader = new Int32Array(sources.length).fill(-1);
  sources.forEach((list, row) => {
    for (const source of list) lastReader[source] = row;
  });
  const inLane: (number | null)[] = [];
  const laneOf = new Map<number, number>();
  return sources.map((list, row) => {
    const taken = list.map((source) => ({ lane: laneOf.get(source) ?? 0, ends: lastReader[source] === row }));
    for (const { lane, ends } of taken) if (ends) inLane[lane] = null;
    const passing = inLane.flatMap((occupant, lane) => (occupant === null ? [] : [lane]));
    const leaves = (lastReader[row] ?? -1) > row;
    const ending = taken.filter(({ ends }) => ends).map(({ lane }) => lane);
    const own = ending.length > 0 ? Math.min(...ending) : firstFree(inLane);
    if (leaves) {
      inLane[own] = row;
      laneOf.set(row, own);
    }
    return {
      own: shown(own),
      sources: unique(taken.map(({ lane, ends }) => ({ lane: shown(lane), ends }))),
      passing: [...new Set(passing.map(shown))],
      leaves,
    };
  });
}

function firstFree(inLane: readonly (number | null)[]): number {
  const free = inLane.indexOf(null);
  return free < 0 ? inLane.length : free;
}

function shown(lane: number): number {
  return Math.min(lane, MAX_LANES - 1);
}

function unique(list: readonly { lane: number; ends: boolean }[]): { lane: number; ends: boolean }[] {
  return [...new Map(list.map((one) => [one.lane, one])).values()];
}

/** Lanes that a list of rows needs. */
export function widthOf(rows: readonly LaneRow[]): number {
  return rows.reduce(
    (most, { own, passing, sources }) =>
      Math.max(most, own + 1, ...passing.map((lane) => lane + 1), ...sources.map(({ lane }) => lane + 1)),
    1,
  );
}
