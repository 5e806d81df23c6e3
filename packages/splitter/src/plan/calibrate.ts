// Costs of single nodes and of whole sessions -> costs of nodes that add up to what the sessions were measured at.

/** A set of nodes, and what running just them was measured to cost. */
export interface MeasuredSet {
  /** 1 for every node of the set. */
  readonly nodes: Uint8Array;
  readonly ms: number;
}

/**
 * Layer times do not add up, so their running sum in the model's order is stretched piecewise, to pass through each
 * measured set and the measured whole. Measurements that fall where they should rise are lifted.
 * @param wholeMs null when unknown: behind the last measurement the sum then rises as the nodes say.
 */
export function calibrate(
  nodeMs: Float64Array,
  wholeMs: number | null,
  measured: readonly MeasuredSet[],
): Float64Array {
  const sum = nodeMs.reduce((total, ms) => total + ms, 0);
  // Without a curve every node is taken to cost the same.
  const curve = sum > 0 ? nodeMs : new Float64Array(nodeMs.length).fill(1);
  const end = curve.reduce((total, ms) => total + ms, 0);
  const points = measured
    .map(({ nodes, ms }) => ({ at: curve.reduce((total, cost, node) => total + cost * (nodes[node] ?? 0), 0), ms }))
    .filter(({ at }) => at > 0 && at < end)
    .sort((left, right) => left.at - right.at);
  const last = points.at(-1) ?? { at: 0, ms: 0 };
  const whole = wholeMs ?? (sum > 0 ? last.ms + end - last.at : last.ms);
  const knots = [{ at: 0, ms: 0 }, ...points, { at: end, ms: whole }];
  for (let knot = 1; knot < knots.length; knot++) {
    const { at, ms } = knots[knot] as (typeof knots)[number];
    knots[knot] = { at, ms: Math.min(whole, Math.max(ms, knots[knot - 1]?.ms ?? 0)) };
  }
  let piece = 1;
  let reached = 0;
  let valueBefore = 0;
  return curve.map((cost) => {
    reached += cost;
    while (piece < knots.length - 1 && reached > (knots[piece]?.at ?? 0)) piece++;
    const from = knots[piece - 1] ?? { at: 0, ms: 0 };
    const to = knots[piece] ?? from;
    const share = to.at > from.at ? Math.min(1, (reached - from.at) / (to.at - from.at)) : 1;
    const value = from.ms + share * (to.ms - from.ms);
    const ms = Math.max(0, value - valueBefore);
    valueBefore = value;
    return ms;
  });
}
