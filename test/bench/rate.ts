// Rate against accuracy: every codec at several cuts, next to images of the input, on samples that no codec was chosen on.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { pictureOfCharts } from './rate/browser.ts';
import { measureRates } from './rate/measure.ts';
import { ratePage } from './rate/page.ts';
import type { RateReport } from './rate/result.ts';
import { goalRows, plainRows } from './rate/rows.ts';
import { rateMarkdown } from './rate/text.ts';

export const rate: Bench = {
  name: 'rate',
  summary: 'bytes of a frame against the loss of the task, codecs of activations next to images of the input',
  async *run(options) {
    const report = await measureRates(options);
    if (options.out !== null) await writeReport(options.out, report);
    for (const { name, reason } of report.missing) console.log(`  skipped: ${name}: ${reason}`);
    yield* plainRows(report);
    yield* goalRows(report);
  },
};

/** `rate.json`, `rate.html`, `rate.md`, and where there is a Chromium `rate.png`, the charts. */
async function writeReport(folder: string, report: RateReport): Promise<void> {
  await mkdir(folder, { recursive: true });
  const page = ratePage(report);
  await writeFile(join(folder, 'rate.json'), `${JSON.stringify(report, null, 1)}\n`);
  await writeFile(join(folder, 'rate.html'), page);
  await writeFile(join(folder, 'rate.md'), rateMarkdown(report));
  const picture = await pictureOfCharts(page);
  if (picture !== null) await writeFile(join(folder, 'rate.png'), picture);
}
