// docs/sources.md and docs/sinks.md against the shapes: every key is there with its sentence, and nothing that is not.
import { readFileSync } from 'node:fs';
import {
  cameraShape,
  folderShape,
  httpTriggerShape,
  imageFolderShape,
  jsonLinesShape,
  mqttShape,
  plcShape,
  rtspShape,
  scannerShape,
  uploadShape,
  videoShape,
  webhookShape,
} from '@kerf/edge-runtime';
import { describe, expect, test } from 'vitest';

const page = (name: string): string => readFileSync(new URL(`../../../docs/${name}.md`, import.meta.url), 'utf8');

const SECTIONS = {
  sources: {
    folder: folderShape,
    upload: uploadShape,
    video: videoShape,
    rtsp: rtspShape,
    camera: cameraShape,
    http: httpTriggerShape,
    scanner: scannerShape,
  },
  sinks: {
    'json-lines': jsonLinesShape,
    images: imageFolderShape,
    webhook: webhookShape,
    mqtt: mqttShape,
    modbus: plcShape,
  },
};

const cases = Object.entries(SECTIONS).flatMap(([name, shapes]) =>
  Object.entries(shapes).map(([kind, { schema }]) => [`${name}.md`, kind, name, schema] as const),
);

describe('pages and shapes', () => {
  test.each(cases)('%s, %s', (_, kind, name, schema) => {
    const [, rest = ''] = page(name).split(`\n## ${kind}\n`);
    const section = rest.split('\n## ')[0] ?? '';
    const table = section.split('| key | default | |\n|---|---|---|\n')[1]?.split('\n\n')[0] ?? '';
    const rows = [...table.matchAll(/^\| `(\w+)` \| (.+?) \| (.+) \|$/gm)].map((match) => match.slice(1, 4));
    const { properties, required = [] } = schema as {
      properties: Record<string, { description: string }>;
      required?: string[];
    };
    expect(rows.map(([key]) => key)).toEqual(Object.keys(properties));
    expect(rows.filter(([, value]) => value === 'needed').map(([key]) => key)).toEqual(required);
  });
});
