// What of a device's settings reaches the page.
import { expect, test } from 'vitest';
import { mirrorName } from '../src/update/update-view.ts';

test.each([
  ['/srv/kerf/plant-7/repository', 'repository'],
  ['/media/stick/', 'stick'],
  ['https://mirror.example:8443/kerf/', 'https://mirror.example:8443/kerf/'],
  ['https://user:secret@mirror.example/kerf?token=abc#x', 'https://mirror.example/kerf'],
])('a mirror is shown without secrets, and a folder without where it lies: %s', (mirror, shown) => {
  expect(mirrorName(mirror)).toBe(shown);
});
