// docs/station.schema.json is what the validator says of itself, and docs/station.md names every key of the file.
import { readFileSync } from 'node:fs';
import { STATION_SCHEMA } from '@kerf/edge-runtime';
import { expect, test } from 'vitest';

const read = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

test('the published schema is the one in the code: npx kerf station --schema > docs/station.schema.json, then npm run format', () => {
  expect(JSON.parse(read('station.schema.json'))).toEqual(JSON.parse(JSON.stringify(STATION_SCHEMA)));
});

test('the page has a row for each key', () => {
  const page = read('station.md');
  const keys = Object.keys(STATION_SCHEMA['properties'] as object);
  expect(keys.filter((key) => !page.includes(`\n| \`${key}\` |`))).toEqual([]);
});
