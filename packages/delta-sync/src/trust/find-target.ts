// Trusted targets roles and a path -> the role that may speak for it, and what it says. TUF specification 5.6.7.
import type { DelegatedRole } from './metadata.ts';

/** Whether a role was given a path. `*` and `?` stand for anything but `/`. @see TUF specification 4.5, PATHPATTERN */
export function isDelegated({ paths }: DelegatedRole, targetPath: string): boolean {
  return paths.some((pattern) => matchesPattern(pattern, targetPath));
}

/** Shell-like, without `[]`; time grows with the product of the lengths. */
export function matchesPattern(pattern: string, path: string): boolean {
  // `reach[j]`: the pattern's first i characters match the path's first j.
  let reach = Array.from({ length: path.length + 1 }, (_, at) => at === 0);
  for (const char of pattern) {
    const next = reach.map(() => false);
    if (char === '*') next[0] = reach[0] === true;
    for (let at = 1; at <= path.length; at++) {
      const isSlash = path[at - 1] === '/';
      if (char === '*') next[at] = reach[at] === true || (next[at - 1] === true && !isSlash);
      else next[at] = reach[at - 1] === true && (char === '?' ? !isSlash : char === path[at - 1]);
    }
    reach = next;
  }
  return reach[path.length] === true;
}
