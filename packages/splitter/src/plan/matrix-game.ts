// Rows of costs -> the weights of the columns at which the cheapest row is dearest.

/** Rounds; the value is then right to about a thousandth. */
const ROUNDS = 2000;

/**
 * Weights (they sum to 1) that nearly maximise the least weighted sum of any row, by regret matching of both players with
 * linear averaging (Tammelin et al. 2015, "Solving heads-up limit Texas hold'em", CFR+).
 * @param rows at least one, of equal length.
 */
export function hardestWeights(rows: readonly (readonly number[])[]): number[] {
  const columns = rows[0]?.length ?? 0;
  const columnRegret = new Float64Array(columns);
  const rowRegret = new Float64Array(rows.length);
  const total = new Float64Array(columns);
  for (let round = 1; round <= ROUNDS; round++) {
    const weights = normalised(columnRegret);
    const shares = normalised(rowRegret);
    const gains = new Float64Array(columns);
    const costs = rows.map((row, at) => {
      row.forEach((cost, column) => {
        gains[column] = (gains[column] as number) + (shares[at] as number) * cost;
      });
      return row.reduce((sum, cost, column) => sum + cost * (weights[column] as number), 0);
    });
    const value = gains.reduce((sum, gain, column) => sum + gain * (weights[column] as number), 0);
    gains.forEach((gain, column) => {
      columnRegret[column] = Math.max(0, (columnRegret[column] as number) + gain - value);
      total[column] = (total[column] as number) + round * (weights[column] as number);
    });
    costs.forEach((cost, at) => {
      rowRegret[at] = Math.max(0, (rowRegret[at] as number) + value - cost);
    });
  }
  return [...normalised(total)];
}

function normalised(parts: Float64Array): Float64Array {
  const sum = parts.reduce((whole, part) => whole + part, 0);
  return parts.map((part) => (sum > 0 ? part / sum : 1 / parts.length));
}
