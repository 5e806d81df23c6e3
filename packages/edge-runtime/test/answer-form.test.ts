// In which form answers are asked for: whichever takes less on this link, found out by trying both.
import { seededRandom } from '@kerf/protocol';
import { describe, expect, it } from 'vitest';
import { type AnswerCost, AnswerForm, type Form } from '../src/session/answer-form.ts';

interface Link {
  bytesPerMs: number;
  readonly codingMs: number;
  readonly tensorBytes: number;
  readonly codedBytes: number;
}

function costOf(form: Form, { bytesPerMs, codingMs, tensorBytes, codedBytes }: Link): AnswerCost {
  const bytes = form === 'raw' ? tensorBytes : codedBytes;
  return { bytes, tensorBytes, ms: 1 + bytes / bytesPerMs + (form === 'coded' ? codingMs : 0) };
}

/** The forms of `frames` frames, one after the other, that have a minute each. */
function run(form: AnswerForm, link: Link, frames: number, deadlineMs = 60_000): Form[] {
  return Array.from({ length: frames }, () => {
    const asked = form.next(deadlineMs);
    form.note(asked, costOf(asked, link));
    return asked;
  });
}

const share = (forms: readonly Form[], of: Form): number => forms.filter((form) => form === of).length / forms.length;
const link = (megabitsPerSecond: number): Link => ({
  bytesPerMs: megabitsPerSecond * 125,
  codingMs: 25,
  tensorBytes: 800_000,
  codedBytes: 550_000,
});

describe('the form of answers', () => {
  it('is raw on a fast link and coded on a slow one', () => {
    expect(share(run(new AnswerForm(), link(1000), 1000), 'raw')).toBeGreaterThan(0.97);
    expect(share(run(new AnswerForm(), link(10), 1000), 'coded')).toBeGreaterThan(0.97);
  });

  it('follows the link', () => {
    const form = new AnswerForm();
    const changing = link(1000);
    run(form, changing, 100);
    changing.bytesPerMs = link(5).bytesPerMs;
    run(form, changing, 1500);
    expect(share(run(form, changing, 200), 'coded')).toBeGreaterThan(0.95);
  });

  it('holds a trial against the answers beside it, not against those of a calmer time', () => {
    const form = new AnswerForm();
    // Sixteen frames under way, on a machine that is busy for thirty of them and calm for thirty.
    const random = seededRandom(3);
    const asked: Form[] = [];
    for (let frame = 0; frame < 1000; frame++) {
      asked.push(form.next(60_000));
      const answered = asked[frame - 16];
      if (answered === undefined) continue;
      const busy = Math.floor(frame / 30) % 2 === 0 ? 1.5 : 1;
      const { ms, ...cost } = costOf(answered, { ...link(100), codingMs: 25 });
      form.note(answered, { ...cost, ms: ms * busy * (1 + 0.2 * random()) });
    }
    expect(share(asked.slice(100), 'raw')).toBeGreaterThan(0.95);
  });

  it('is raw where both take the same: coding costs the processors of both sides', () => {
    const even = { ...link(1000), tensorBytes: 8192, codedBytes: 3500, codingMs: 0 };
    expect(share(run(new AnswerForm(), even, 1000), 'raw')).toBeGreaterThan(0.97);
  });

  it('stays as it is for small answers, which have nothing to gain', () => {
    const small = { ...link(1000), tensorBytes: 4000, codedBytes: 3000 };
    expect(share(run(new AnswerForm(), small, 200), 'coded')).toBe(1);
  });

  it('is not tried at the price of a deadline', () => {
    // Masks shrink to a fiftieth: raw would take 12.8 s here.
    const slow = { ...link(0.5), codedBytes: 16_000 };
    expect(share(run(new AnswerForm(), slow, 300, 2000), 'coded')).toBe(1);
  });
});
