// `npm run bench -- [NAME...] [--json FILE] [--full] [--only PART] [--out DIR]`: runs the benches, prints a table, writes rows.
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import process from 'node:process';
import { readCommandLine } from '../support/command-line.ts';
import type { Bench, BenchRow } from './bench.ts';

/** Loaded when they run: what a bench does not need would lie in the heap that it measures, and every collection would walk it. */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  'split-compute': async () => (await import('./split-compute.ts')).splitCompute,
  crossing: async () => (await import('./crossing.ts')).crossing,
  pipeline: async () => (await import('./pipeline.ts')).pipeline,
  serving: async () => (await import('./serving.ts')).serving,
  swaps: async () => (await import('./swaps.ts')).swaps,
  sessions: async () => (await import('./sessions.ts')).sessions,
  planning: async () => (await import('./planning.ts')).planning,
  codec: async () => (await import('./codec.ts')).codec,
  rate: async () => (await import('./rate.ts')).rate,
  placement: async () => (await import('./placement.ts')).placement,
  quantize: async () => (await import('./quantize.ts')).quantize,
  regret: async () => (await import('./regret.ts')).regret,
  memory: async () => (await import('./memory.ts')).memory,
  delta: async () => (await import('./delta.ts')).delta,
  'delta-apply': async () => (await import('./delta-apply.ts')).deltaApply,
  'delta-kinds': async () => (await import('./delta-kinds.ts')).deltaKinds,
  adaptive: async () => (await import('./adaptive.ts')).adaptive,
  'adaptive-real': async () => (await import('./adaptive-real.ts')).adaptiveReal,
  rollout: async () => (await import('./rollout.ts')).rollout,
  samples: async () => (await import('./samples.ts')).samples,
  pictures: async () => (await import('./pictures.ts')).pictures,
  power: async () => (await import('./power.ts')).power,
  inspector: async () => (await import('./inspector.ts')).inspector,
  gpu: async () => (await import('./gpu.ts')).gpu,
};

const { values, positionals } = readCommandLine({
  options: {
    json: { type: 'string' },
    full: { type: 'boolean', default: false },
    only: { type: 'string' },
    out: { type: 'string' },
  },
  allowPositionals: true,
});
const unknown = positionals.find((name) => !Object.hasOwn(BENCHES, name));
if (unknown !== undefined) {
  console.error(`there is no bench '${unknown}'; benches are ${Object.keys(BENCHES).join(', ')}`);
  process.exit(2);
}

const rows: BenchRow[] = [];
console.log(
  `Node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model}), ${Math.round(totalmem() / 1e9)} GB`,
);
console.log('method: test/bench/METHODOLOGY.md\n');
for (const [name, load] of Object.entries(BENCHES)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const bench = await load();
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
