// Old values, and new ones of which some became 0 -> the size below which old values became 0, if size is what decided.

const BIT_STEP = 16;
const FLOATS = new Float32Array(1);
const BITS = new Uint32Array(FLOATS.buffer);

/** So many of the elements may lie on the wrong side, or size did not decide. */
const MOST_WRONG = 0.05;

/** The threshold with the fewest elements on the wrong side; 0 when size did not decide. A float32. */
export function findThreshold(old: Float64Array, fresh: Float64Array): number {
  // By the upper bits of its size, how many more became 0 than not.
  const balance = new Int32Array(1 << BIT_STEP);
  let cleared = 0;
  for (let at = 0; at < old.length; at++) {
    const bits = bitsOf(old[at] as number);
    if (bits === 0) continue;
    const isCleared = fresh[at] === 0;
    const place = bits >>> BIT_STEP;
    balance[place] = (balance[place] as number) + (isCleared ? 1 : -1);
    if (isCleared) cleared++;
  }
  let best = 0;
  let bestSum = 0;
  for (let place = 0, sum = 0; place < balance.length; place++) {
    sum += balance[place] as number;
    if (sum > bestSum) {
      best = place + 1;
      bestSum = sum;
    }
  }
  // The boundary lies in this step of the sizes or at the beginning of the next.
  const threshold = exactly(old, fresh, best);
  const right = old.reduce((sum, value, at) => sum + (Math.abs(value) < threshold === (fresh[at] === 0) ? 1 : 0), 0);
  return cleared > 0 && old.length - right <= MOST_WRONG * old.length ? threshold : 0;
}

/** Within the two steps around the end of one: the boundary with the fewest on the wrong side. */
function exactly(old: Float64Array, fresh: Float64Array, end: number): number {
  const near: { readonly bits: number; readonly gain: number }[] = [];
  for (let at = 0; at < old.length; at++) {
    const bits = bitsOf(old[at] as number);
    if (bits >>> BIT_STEP === end || bits >>> BIT_STEP === end - 1) near.push({ bits, gain: fresh[at] === 0 ? 1 : -1 });
  }
  near.sort((a, b) => a.bits - b.bits);
  let [best, bestSum, sum] = [(end - 1) << BIT_STEP, 0, 0];
  for (const { bits, gain } of near) {
    sum += gain;
    if (sum > bestSum) [best, bestSum] = [bits + 1, sum];
  }
  BITS[0] = Math.max(0, best);
  return FLOATS[0] as number;
}

function bitsOf(value: number): number {
  FLOATS[0] = Math.abs(value);
  return BITS[0] as number;
}
