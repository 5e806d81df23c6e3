// The bound of a loss: that it holds as often as it says, on answers that scatter in unlike ways.
import { type Random, seededRandom } from '@kerf/protocol';
import { describe, expect, test } from 'vitest';
import { lossBound, metricFor, samplesToShow, type Tally } from '../../src/index.ts';

interface Pair {
  readonly whole: Tally;
  readonly coded: Tally;
}

const answers = (whole: number, coded: number, of = 1): Pair => ({
  whole: { right: whole, of },
  coded: { right: coded, of },
});

function boundOf(kind: 'class' | 'text' | 'defect' | 'none', pairs: readonly Pair[], options = {}): number {
  return lossBound(
    metricFor(kind, { alphabet: [] }),
    pairs.map(({ whole }) => whole),
    pairs.map(({ coded }) => coded),
    options,
  );
}

/** How often, of 1000 drawn sets, the bound is at least the loss that the population has. */
function coverage(
  kind: 'class' | 'text' | 'defect',
  count: number,
  lossPoints: number,
  draw: (random: Random) => Pair,
): number {
  const random = seededRandom(11);
  let covered = 0;
  for (let set = 0; set < 1000; set++) {
    const pairs = Array.from({ length: count }, () => draw(random));
    if (boundOf(kind, pairs) >= lossPoints) covered++;
  }
  return covered / 1000;
}

describe('the bound of a loss', () => {
  test('holds at 95 % where few answers change, all of them for the worse', () => {
    const share = coverage('class', 150, 2, (random) => answers(1, random() < 0.02 ? 0 : 1));
    expect(share).toBeGreaterThan(0.94);
  });

  test('where answers change both ways', () => {
    const draw = (random: Random): Pair => {
      const chance = random();
      if (chance < 0.03) return answers(1, 0);
      return chance < 0.05 ? answers(0, 1) : answers(1, 1);
    };
    const share = coverage('class', 400, 1, draw);
    expect(share).toBeGreaterThan(0.935);
    expect(share).toBeLessThan(0.985);
  });

  test('where a rare sample loses a lot: a defect that is not drawn any more', () => {
    const draw = (random: Random): Pair => {
      const of = 100 + Math.floor(random() * 800);
      const right = of * (0.6 + 0.3 * random());
      return answers(right, random() < 0.03 ? 0 : right - of * 0.01 * (random() - 0.4), of);
    };
    // 3 % lose 75 points, the others 0.1.
    const share = coverage('defect', 120, 0.03 * 75 + 0.97 * 0.1, draw);
    // Of 120 samples, none is such a one in 2.6 % of the sets.
    expect(share).toBeGreaterThan(0.9);
  });

  test('where each of many characters may change', () => {
    const draw = (random: Random): Pair => {
      let whole = 0;
      let coded = 0;
      for (let character = 0; character < 12; character++) {
        const isRight = random() < 0.92;
        whole += isRight ? 1 : 0;
        coded += random() < 0.01 ? (isRight ? 0 : 1) : isRight ? 1 : 0;
      }
      return answers(whole, coded, 12);
    };
    expect(coverage('text', 200, 0.84, draw)).toBeGreaterThan(0.935);
  });

  test('is what unchanged answers prove: 541 for half a point of accuracy', () => {
    const same = (count: number): Pair[] => Array.from({ length: count }, () => answers(1, 1));
    expect(boundOf('class', same(541))).toBeCloseTo(0.5, 2);
    expect(boundOf('class', same(300))).toBeCloseTo(0.9, 1);
    expect(boundOf('none', same(20))).toBe(0);
  });

  test('lies farther out for more confidence and fewer samples, and above the loss', () => {
    const pairs = Array.from({ length: 200 }, (_, at) => answers(1, at % 50 === 0 ? 0 : 1));
    const at = (confidencePercent: number, samples = 200): number =>
      boundOf('class', pairs, { confidencePercent, samples });
    expect(at(50)).toBeCloseTo(2, 1);
    expect(at(80)).toBeGreaterThan(at(50));
    expect(at(99)).toBeGreaterThan(at(95));
    expect(at(95, 100)).toBeGreaterThan(at(95));
    expect(at(95, 100_000)).toBeCloseTo(2, 0);
  });

  test('says how many samples would show a limit, and where none would', () => {
    const metric = metricFor('class');
    const changed = (count: number, every: number): [Tally[], Tally[]] => [
      Array.from({ length: count }, () => ({ right: 1, of: 1 })),
      Array.from({ length: count }, (_, at) => ({ right: every > 0 && at % every === 0 ? 0 : 1, of: 1 })),
    ];
    const toShow = (every: number, maxLossPoints: number, confidencePercent = 95): number | null =>
      samplesToShow(metric, ...changed(200, every), { confidencePercent, maxLossPoints });
    expect(toShow(0, 0.5)).toBe(542);
    expect(toShow(0, 0.5, 80)).toBe(142);
    const many = toShow(200, 1) ?? 0;
    expect(many).toBeGreaterThan(400);
    const bound = (samples: number): number => lossBound(metric, ...changed(200, 200), { samples });
    expect(bound(many)).toBeLessThanOrEqual(1);
    expect(bound(many - 1)).toBeGreaterThan(1);
    expect(toShow(50, 1)).toBeNull();
    expect(toShow(100, 1)).toBeNull();
  });

  test('asks for pairs', () => {
    const metric = metricFor('class');
    expect(() => lossBound(metric, [{ right: 1, of: 1 }], [])).toThrow(/no pair/);
  });
});
