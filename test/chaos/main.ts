// `npm run chaos -- --faults N`: real processes under faults -> figures, and 1 when a promise was broken.
import process from 'node:process';
import { readCommandLine, wholeNumber } from '../support/command-line.ts';
import { runChaos } from './run-chaos.ts';

const { values } = readCommandLine({
  options: {
    faults: { type: 'string', default: '100' },
    edges: { type: 'string', default: '3' },
    stations: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    gap: { type: 'string', default: '200' },
    longest: { type: 'string', default: '1230' },
    json: { type: 'boolean', default: false },
  },
});

const report = await runChaos({
  faults: wholeNumber('faults', values.faults),
  edges: wholeNumber('edges', values.edges),
  stations: wholeNumber('stations', values.stations),
  seed: wholeNumber('seed', values.seed),
  gapMs: wholeNumber('gap', values.gap),
  longestMs: wholeNumber('longest', values.longest),
  calmMs: 5000,
  log: (line) => console.error(line),
});
if (values.json) {
  console.log(JSON.stringify({ ...report, faults: Object.fromEntries(report.faults) }, null, 2));
} else {
  const ms = (value: number | null | undefined): string => (value == null ? '-' : `${value.toFixed(0)} ms`);
  for (const [kind, count] of report.faults) console.log(`${kind.padEnd(22)} ${String(count).padStart(6)}`);
  const { cloud, edge, unanswered } = report.frames;
  console.log(
    `${report.parts} parts; frames: ${cloud} by the cloud, ${edge} on the device, ${unanswered} unanswered in time`,
  );
  console.log(`p99 of the cloud's answers: ${ms(report.calmP99Ms)} in calm, ${ms(report.faultyP99Ms)} under faults`);
  console.log(
    `from the end of a fault to the next answer: ${ms(report.recoveryMs?.median)} median, ${ms(report.recoveryMs?.p99)} p99`,
  );
  for (const violation of report.violations.slice(0, 30)) console.log(`violation: ${violation}`);
  console.log(`${report.violations.length} promises broken`);
}
process.exitCode = report.violations.length === 0 ? 0 : 1;
