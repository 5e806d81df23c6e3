// Every model that this machine has -> counts of cuts at which head then tail equals the whole bit for bit.
// Usage: npm run conformance -- [DIR...] [--only TEXT] [--max-cuts N] [--seed S] [--level L] [--made-up] [--json FILE]
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { checkModels } from './check-models.mjs';
import { judge, knownExceptions } from './judge.mjs';
import { modelSources } from './model-sources.mjs';
import { tryBroken } from './try-broken.mjs';

const WORDS = {
  cuts: 'cuts',
  bitEqual: 'bit-equal',
  withinTolerance: 'within tolerance',
  cannotCross: 'cannot cross',
  loads: 'loaded only',
  differs: 'differ',
  unsound: 'unsound',
  errors: 'errors',
  excused: 'excused',
};
const COUNTS = Object.keys(WORDS);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    'max-cuts': { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    level: { type: 'string', default: 'disabled' },
    'made-up': { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
console.log(
  `level '${values.level}', every cut, above ${values['max-cuts']} a sample with seed ${values.seed} (--max-cuts, --seed)`,
);
const rows = [];
const summaries = [];
for (const source of modelSources(positionals)) {
  const models = source.models.filter(({ name }) => name.includes(values.only));
  const broken = source.broken.filter(({ name }) => name.includes(values.only));
  if (source.absent !== null) console.log(`\n${source.name}: skipped: ${source.absent}`);
  else console.log(`\n${source.name}: ${models.length} models, ${broken.length} broken files`);
  const checked = await checkSource(models);
  const refusals = broken.map(brokenRow);
  rows.push(...checked);
  summaries.push(summaryOf(source, checked, refusals));
}
printSummary();
if (values.json !== undefined) fs.writeFileSync(values.json, `${JSON.stringify({ summaries, rows }, null, 2)}\n`);
process.exitCode = summaries.every((one) => one.faults === 0) ? 0 : 1;

async function checkSource(models) {
  const exceptions = knownExceptions();
  const options = {
    maxCuts: Number(values['max-cuts']),
    seed: Number(values.seed),
    level: values.level,
    isMadeUp: values['made-up'],
  };
  const checked = [];
  const results = checkModels(
    models.map(({ file }) => file),
    options,
  );
  for await (const result of results) {
    const row = judge(models[checked.length].name, result, exceptions);
    checked.push(row);
    printModel(row);
  }
  return checked;
}

/** A line for a model with cuts, notes or faults; models of one node have none. */
function printModel(row) {
  const parts = COUNTS.filter((key) => row[key] > 0).map((key) => `${row[key]} ${WORDS[key]}`);
  if (parts.length > 0 || row.faults.length > 0) console.log(`  ${row.name}: ${parts.join(', ')}`);
  if (row.note !== null && row.cuts > 0) console.log(`    ${row.note.slice(0, 200)}`);
  for (const fault of row.faults.slice(0, 3)) console.log(`    FAULT ${JSON.stringify(fault).slice(0, 400)}`);
}

function brokenRow(entry) {
  const { result, message, problems } = tryBroken(entry);
  console.log(`  broken ${entry.name}: ${result}${message === '' ? '' : `: ${message.slice(0, 150)}`}`);
  for (const problem of problems) console.log(`    FAULT ${problem}`);
  return { result, problems };
}

function summaryOf(source, checked, refusals) {
  const sum = (key) => checked.reduce((total, row) => total + row[key], 0);
  return {
    source: source.name,
    absent: source.absent,
    models: checked.length,
    withCuts: checked.filter((row) => row.cuts > 0).length,
    ...Object.fromEntries(COUNTS.map((key) => [key, sum(key)])),
    unrunnable: checked.filter((row) => row.note !== null).length,
    broken: refusals.length,
    refused: refusals.filter(({ result }) => result === 'refused').length,
    faults:
      checked.reduce((total, row) => total + row.faults.length, 0) +
      refusals.reduce((total, { problems }) => total + problems.length, 0),
  };
}

function printSummary() {
  const total = { source: 'all', absent: null };
  for (const one of summaries) {
    for (const [key, value] of Object.entries(one)) {
      if (typeof value === 'number') total[key] = (total[key] ?? 0) + value;
    }
  }
  const head = [
    'source',
    'models',
    'with cuts',
    'cuts',
    'bit-equal',
    '',
    'tolerance',
    'cannot cross',
    'only loaded',
    'wrong',
    'excused',
    'broken: refused',
  ];
  const lines = [...summaries, total].map((one) => [one.source, ...(one.absent === null ? cells(one) : ['skipped'])]);
  const table = [head, ...lines];
  const widths = head.map((_, at) => Math.max(...table.map((line) => (line[at] ?? '').length)));
  console.log('');
  for (const line of table)
    console.log(line.map((text, at) => (at === 0 ? text.padEnd(widths[0]) : text.padStart(widths[at]))).join('  '));
  console.log(
    `\nof the cuts whose tensors can cross and that were run; with tolerance: fp16 and float8, computed in float32 between nodes`,
  );
  console.log(
    `${total.unrunnable} models are refused by the runtime as a whole, or run on nothing that was tried: nothing to compare`,
  );
  console.log('for comparison: onnx.utils.extract_model 84.0 %, on 2,731 cuts of 293 models that include the corpus');
  console.log(total.faults === 0 ? 'no fault' : `${total.faults} FAULTS`);
}

function cells(one) {
  const compared = one.cuts - one.cannotCross - one.loads;
  const wrong = one.differs + one.unsound + one.errors - one.excused;
  return [
    one.models,
    one.withCuts,
    one.cuts,
    one.bitEqual,
    compared === 0 ? '-' : `${((100 * one.bitEqual) / compared).toFixed(1)} %`,
    one.withinTolerance,
    one.cannotCross,
    one.loads,
    wrong,
    one.excused,
    one.broken === 0 ? '-' : `${one.refused} of ${one.broken}`,
  ].map(String);
}
