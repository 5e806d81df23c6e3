// Priced cuts -> the nested few of them that are nearest to a free choice on every link.
import type { CutOption, Market } from './price-cuts.ts';
import { compareScores, type Score, scoreOf } from './score-cuts.ts';

export interface Selection {
  /** Nested, the smallest head first. */
  readonly chosen: readonly CutOption[];
  readonly score: Score;
  /** False where the search ended at its limit. */
  readonly isExact: boolean;
}

export interface SelectOptions {
  /** Cuts, at most. */
  readonly most: number;
  /** Exactly `most` cuts, also where some of them are the best nowhere. @default false */
  readonly exactly?: boolean;
}

/** Sets of cuts that are looked at: seconds at the most. */
const MAX_LOOKS = 150_000;

/**
 * Least worst regret, then least mean regret, then fewest cuts; with `exactly`, the loss of the splits alone decides
 * between sets of equal regret. Branch and bound over all nested sets, which starts from a greedy choice: a set is
 * given up when even all cuts that could still join it would not make it better.
 * @returns null when there are no `most` nested cuts and `exactly` that many are asked for.
 */
export function selectCuts(market: Market, { most, exactly = false }: SelectOptions): Selection | null {
  const options = exactly ? market.options : undominated(market.options.filter((one) => isOfUse(one, market)));
  const search = new NestedSearch(market, options, most, exactly);
  const free = exactly ? selectCuts(market, { most }) : null;
  search.greedy((free?.chosen ?? []).map((one) => options.indexOf(one)));
  search.run();
  return search.result();
}

/** Options with larger heads than the last one chosen: "inside" carries over, so that they hold all others too. */
interface Joining {
  readonly joining: readonly number[];
  /** The least of all of them. */
  readonly ms: Float64Array;
}

class NestedSearch {
  readonly #market: Market;
  readonly #options: readonly CutOption[];
  readonly #most: number;
  readonly #exactly: boolean;
  /** By option, from place 1; at place 0 what can join an empty set. */
  readonly #outer: readonly Joining[];
  #best: { chosen: readonly number[]; score: Score } | null = null;
  #looks = 0;
  #isCut = false;

  constructor(market: Market, options: readonly CutOption[], most: number, exactly: boolean) {
    this.#market = market;
    this.#options = options;
    this.#most = most;
    this.#exactly = exactly;
    const joiningOf = (inner: CutOption | null): Joining => {
      const joining = options.flatMap((outer, at) => (inner === null || isInside(inner, outer) ? [at] : []));
      return { joining, ms: joining.reduce((least, at) => lesser(least, this.#msOf(at)), none(market)) };
    };
    this.#outer = [joiningOf(null), ...options.map(joiningOf)];
  }

  result(): Selection | null {
    if (this.#best === null) return null;
    const { chosen, score } = this.#best;
    return { chosen: chosen.map((at) => this.#options[at] as CutOption), score, isExact: !this.#isCut };
  }

  /** Adds the cut that helps most to those chosen already, again and again. */
  greedy(start: readonly number[]): void {
    let chosen = start;
    this.#consider(chosen, this.#score(chosen));
    while (chosen.length < this.#most) {
      const sets = this.#options.flatMap((_, at) =>
        this.#fits(chosen, at) ? [[...chosen, at].sort((a, b) => a - b)] : [],
      );
      const scored = sets.map((set) => ({ set, score: this.#score(set) }));
      const [first] = scored.sort((left, right) => compareScores(left.score, right.score));
      if (first === undefined) return;
      chosen = first.set;
      this.#consider(chosen, first.score);
    }
  }

  run(): void {
    this.#visit([], none(this.#market));
  }

  #visit(chosen: readonly number[], ms: Float64Array): void {
    if (this.#looks++ >= MAX_LOOKS) {
      this.#isCut = true;
      return;
    }
    this.#consider(chosen, scoreOf(this.#market, ms, chosen.length, this.#exactly));
    const missing = this.#most - chosen.length;
    const { joining, ms: joiningMs } = this.#outer[(chosen.at(-1) ?? -1) + 1] as Joining;
    if (missing === 0 || joining.length < (this.#exactly ? missing : 1)) return;
    const allMs = lesser(ms, joiningMs);
    const bound = scoreOf(this.#market, allMs, chosen.length + (this.#exactly ? missing : 1), this.#exactly);
    if (this.#best !== null && compareScores(bound, this.#best.score) >= 0) return;
    for (const at of joining) this.#visit([...chosen, at], lesser(ms, this.#msOf(at)));
  }

  #consider(chosen: readonly number[], score: Score): void {
    if (this.#exactly && chosen.length !== this.#most) return;
    if (this.#best === null || compareScores(score, this.#best.score) < 0) this.#best = { chosen, score };
  }

  #fits(chosen: readonly number[], at: number): boolean {
    return chosen.every(
      (other) => other !== at && this.#outer[Math.min(other, at) + 1]?.joining.includes(Math.max(other, at)) === true,
    );
  }

  #score(chosen: readonly number[]): Score {
    const ms = chosen.reduce((least, at) => lesser(least, this.#msOf(at)), none(this.#market));
    return scoreOf(this.#market, ms, chosen.length, this.#exactly);
  }

  #msOf(at: number): Float64Array {
    return (this.#options[at] as CutOption).ms;
  }
}

function none({ cloudMs }: Market): Float64Array {
  return new Float64Array(cloudMs.length).fill(Number.POSITIVE_INFINITY);
}

function lesser(left: Float64Array, right: Float64Array): Float64Array {
  const least = left.slice();
  for (let at = 0; at < least.length; at++) {
    const ms = right[at] as number;
    if (ms < (least[at] as number)) least[at] = ms;
  }
  return least;
}

/** Whether it is faster than the edge and the cloud alone on some link: else no set is better for having it. */
function isOfUse({ ms }: CutOption, { edgeMs, cloudMs, links }: Market): boolean {
  const mostMs = edgeMs - (links.roundTripMs[0] ?? 0);
  return ms.some((own, at) => own < mostMs && own < (cloudMs[at] as number));
}

/** Whether the head of `inner` lies in the head of `outer` and is smaller. */
function isInside(inner: CutOption, outer: CutOption): boolean {
  return inner.head.size < outer.head.size && inner.ends.every((at) => outer.head.has(at));
}

/** Leaves out cuts that another beats at every uplink and can replace in every nested set. */
function undominated(options: readonly CutOption[]): CutOption[] {
  const isNested = (left: CutOption, right: CutOption): boolean => isInside(left, right) || isInside(right, left);
  const fits = options.map((one) => options.map((other) => isNested(one, other)));
  const gone = new Set<number>();
  options.forEach((one, at) => {
    const rival = options.findIndex(
      (other, place) =>
        place !== at &&
        !gone.has(place) &&
        one.ms.every((ms, uplink) => (other.ms[uplink] as number) <= ms) &&
        options.every((_, third) => third === place || fits[at]?.[third] !== true || fits[place]?.[third] === true),
    );
    if (rival >= 0) gone.add(at);
  });
  return options.filter((_, at) => !gone.has(at));
}
