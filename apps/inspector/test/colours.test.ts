// Red means NG only: no other colour of the sheets is red, and the red ones are used for NG alone.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const RENDERER = fileURLToPath(new URL('../src/renderer/', import.meta.url));
const SHEETS = readdirSync(RENDERER, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.css'))
  .map((name) => readFileSync(RENDERER + name, 'utf8'));

/** Hue within 25 degrees of red, and strong enough to be seen as a colour. */
function isRed(hex: string): boolean {
  const [red = 0, green = 0, blue = 0] = (hex.slice(1).match(/../g) ?? []).map((part) => Number.parseInt(part, 16));
  const [most, least] = [Math.max(red, green, blue), Math.min(red, green, blue)];
  if (red !== most || (most - least) / Math.max(1, most) < 0.1) return false;
  const hue = (60 * (green - blue)) / (most - least);
  return Math.abs(hue) < 25;
}

test('no colour is red but those of NG', () => {
  const colours = SHEETS.flatMap((sheet) => [...sheet.matchAll(/(--[\w-]+|[\w-]+):\s*(#[0-9a-f]{6})\b/g)]);
  expect(colours.length).toBeGreaterThan(60);
  const red = colours.filter(([, , hex]) => isRed(hex as string)).map(([, name]) => name);
  expect(new Set(red)).toEqual(new Set(['--ng', '--ng-back']));
});

test('those are used for NG alone', () => {
  const rules = SHEETS.flatMap((sheet) => [...sheet.matchAll(/([^{}]+)\{([^{}]*)\}/g)]);
  const using = rules
    .filter(([, , body]) => /var\(--ng/.test(body as string))
    .map(([, selector]) => selector as string);
  expect(using.length).toBeGreaterThan(2);
  for (const selector of using) expect(selector).toMatch(/NG/);
});
