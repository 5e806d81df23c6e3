// A name that is not there -> the names that are most like it.

/** Names beyond this are not looked at. */
const MAX_NAMES = 20_000;

/** Names longer than this are compared by their ends only: the work stays bounded. */
const MAX_COMPARED = 64;

/** Up to `count` names, nearest first; names that share nothing with `wanted` are left out. */
export function nearestNames(wanted: string, names: Iterable<string>, count = 3): string[] {
  const scored: { name: string; score: number }[] = [];
  const target = comparable(wanted);
  let looked = 0;
  for (const name of names) {
    if (++looked > MAX_NAMES) break;
    const candidate = comparable(name);
    const contains = target.length >= 3 && (candidate.includes(target) || target.includes(candidate));
    const distance = editDistance(target, candidate);
    const score = contains ? Math.min(distance, 1) : distance;
    if (score <= Math.max(2, Math.ceil(target.length / 3))) scored.push({ name, score });
  }
  return scored
    .sort((left, right) => left.score - right.score || left.name.length - right.name.length)
    .slice(0, count)
    .map(({ name }) => name);
}

function comparable(name: string): string {
  const lower = name.toLowerCase();
  return lower.length <= MAX_COMPARED ? lower : lower.slice(-MAX_COMPARED);
}

/** Levenshtein distance. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, at) => at);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const substitute = (row[j - 1] ?? 0) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
