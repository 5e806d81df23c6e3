// A decision's numbers -> the sentence that the record of a switch shows.
import type { Price } from './price.ts';
import type { RouteView } from './route-view.ts';

export const reasons = {
  gain(current: RouteView, best: RouteView, marginMs: number): string {
    if (current.price === null || best.price === null) {
      return `${best.route.name} takes ${priced(best.price)}; what ${current.route.name} takes is not known`;
    }
    const gainMs = current.price.ms - best.price.ms;
    return (
      `${best.route.name} takes ${priced(best.price)}, ${current.route.name} ${priced(current.price)}: ` +
      `${figure(gainMs)} ms less, beyond the margin of ${figure(marginMs)} ms${because(current.price, best.price)}`
    );
  },

  deadline(current: RouteView, target: RouteView, misses: number, worstMs: number, deadlineMs: number): string {
    const what =
      misses > 0
        ? `${misses === 1 ? 'a frame' : `${misses} frames in a row`} on ${current.route.name} got no answer in time`
        : `on ${current.route.name} a slow frame takes ${figure(worstMs)} ms, the deadline is ${figure(deadlineMs)} ms`;
    return `${what}; ${target.route.name} takes ${priced(target.price)}`;
  },

  linkLost(target: RouteView): string {
    return `the link to the cloud is lost; ${target.route.name} takes ${priced(target.price)}`;
  },

  refused(routes: readonly RouteView[], name: string): string {
    const view = routes.find(({ route }) => route.name === name);
    const refusal = view?.route.refusal ?? (view?.isBroken === true ? 'the cloud refuses it' : 'it does not exist');
    return `${name} may not be taken: ${refusal}`;
  },
};

function priced(price: Price | null): string {
  return price === null ? 'an unknown time' : `${figure(price.ms)} ms`;
}

/** The terms that tell the two apart most. */
function because(current: Price, best: Price): string {
  const names = [...new Set([...current.terms.keys(), ...best.terms.keys()])];
  const changes = names
    .map((name) => ({ name, byMs: (best.terms.get(name)?.ms ?? 0) - (current.terms.get(name)?.ms ?? 0) }))
    .sort((left, right) => Math.abs(right.byMs) - Math.abs(left.byMs))
    .slice(0, 3)
    .filter(({ byMs }) => Math.abs(byMs) >= 0.5)
    .map(({ name, byMs }) => `${name} ${byMs > 0 ? '+' : '-'}${figure(Math.abs(byMs))} ms`);
  return changes.length === 0 ? '' : ` (${changes.join(', ')})`;
}

/** Three digits, whole from 100 on. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return 'unlimited';
  return value >= 100 ? String(Math.round(value)) : Number(value.toPrecision(2)).toString();
}
