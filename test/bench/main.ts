// `npm run bench -- [NAME...] [--json FILE] [--full] [--only PART] [--out DIR]`: runs the benches, prints a table, writes rows.
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { adaptive } from './adaptive.ts';
import { adaptiveReal } from './adaptive-real.ts';
import type { Bench, BenchRow } from './bench.ts';
import { codec } from './codec.ts';
import { crossing } from './crossing.ts';
import { delta } from './delta.ts';
import { deltaApply } from './delta-apply.ts';
import { deltaKinds } from './delta-kinds.ts';
import { gpu } from './gpu.ts';
import { inspector } from './inspector.ts';
import { memory } from './memory.ts';
import { pipeline } from './pipeline.ts';
import { placement } from './placement.ts';
import { planning } from './planning.ts';
import { power } from './power.ts';
import { quantize } from './quantize.ts';
import { rate } from './rate.ts';
import { regret } from './regret.ts';
import { rollout } from './rollout.ts';
import { samples } from './samples.ts';
import { serving } from './serving.ts';
import { sessions } from './sessions.ts';
import { splitCompute } from './split-compute.ts';
import { swaps } from './swaps.ts';

const BENCHES: readonly Bench[] = [
  splitCompute,
  crossing,
  pipeline,
  serving,
  swaps,
  sessions,
  planning,
  codec,
  rate,
  placement,
  quantize,
  regret,
  memory,
  delta,
  deltaApply,
  deltaKinds,
  adaptive,
  adaptiveReal,
  rollout,
  samples,
  power,
  inspector,
  gpu,
];

const { values, positionals } = parseArgs({
  options: {
    json: { type: 'string' },
    full: { type: 'boolean', default: false },
    only: { type: 'string' },
    out: { type: 'string' },
  },
  allowPositionals: true,
});
const unknown = positionals.find((name) => !BENCHES.some((bench) => bench.name === name));
if (unknown !== undefined) {
  console.error(`there is no bench '${unknown}'; benches are ${BENCHES.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const rows: BenchRow[] = [];
console.log(
  `Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model}), ${Math.round(totalmem() / 1e9)} GB`,
);
console.log('method: test/bench/METHODOLOGY.md\n');
for (const bench of BENCHES) {
  if (positionals.length > 0 && !positionals.includes(bench.name)) continue;
  console.log(`${bench.name}: ${bench.summary}`);
  for await (const row of bench.run({ full: values.full, only: values.only ?? null, out: values.out ?? null })) {
    rows.push(row);
    console.log(line(row));
  }
  console.log('');
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 1)}\n`);

function line(row: BenchRow): string {
  const goal = row.goal === null ? '' : ` goal ${row.goal} ${row.met === true ? 'met' : 'NOT MET'}`;
  const against = row.ratio === null ? ` ${goal}` : `  ${row.ratio.toFixed(3)} of ${row.against}${goal}`;
  return `  ${row.case.padEnd(52)} ${row.value.toFixed(3).padStart(10)} ${row.unit.padEnd(10)}${against}`;
}
