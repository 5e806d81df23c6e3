// One model file -> a JSON line per cut: does head then tail equal the whole? Run as a child process, since a runtime can crash.
// Usage: node split-every-cut.mjs MODEL [--max-cuts N] [--level disabled|basic|extended|all] [--made-up]
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openModelFile, readTensorFile } from '@kerf/onnx/node';
import { messageOf, ortBackend, systemClock } from '@kerf/protocol';
import {
  compareSplit,
  expectation,
  extractSide,
  findInputs,
  listCuts,
  mergeSpec,
  planCut,
  splitModel,
  TRANSIENT_DATA_FILE,
} from '@kerf/splitter';
import { fileHost } from '@kerf/splitter/node';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    'max-cuts': { type: 'string', default: '200' },
    level: { type: 'string', default: 'disabled' },
    'made-up': { type: 'boolean', default: false },
  },
});
const file = positionals[0];
const level = values.level;
const ort = createRequire(new URL('../../packages/cli/package.json', import.meta.url))('onnxruntime-node');
const backend = ortBackend({ name: 'onnxruntime-node/cpu', ort, executionProviders: ['cpu'] });
const say = (row) => fs.writeSync(1, `${JSON.stringify(row)}\n`);

const model = await openModelFile(file);
const host = fileHost(model);
const cuts = sampled(listCuts(model.graph), Number(values['max-cuts']));
const whole = await backend.load({ path: file }, { optimizationLevel: level });
const specs = whole.inputs.map((spec) => mergeSpec(model.graph, spec.name, spec));
const sampler = await findInputs(whole, {
  specs,
  inputs: values['made-up'] ? new Map() : await givenInputs(file, specs),
  clock: systemClock,
});
say({ kind: 'model', cuts: cuts.length, nodes: model.graph.nodes.length });
for (const cut of cuts) say({ kind: 'cut', tensors: cut.tensors, ...(await attempt(cut)) });

async function attempt(cut) {
  try {
    const plan = planCut(model.graph, cut.tensors);
    const split = await splitModel(plan, backend, host);
    return await host.withSource(extractSide(model.graph, split.head, TRANSIENT_DATA_FILE), (headSource) =>
      host.withSource(extractSide(model.graph, split.tail, TRANSIENT_DATA_FILE), (tailSource) =>
        compare(plan, headSource, tailSource),
      ),
    );
  } catch (error) {
    // A sequence or a float8 is inside the model and cannot cross: the refusal is the right answer.
    if (error.code === 'CUT_TYPE_UNSUPPORTED') return { result: 'cannot cross' };
    return { result: 'error', code: error.code ?? 'CRASH', message: messageOf(error) };
  }
}

async function compare(plan, headSource, tailSource) {
  const loaded = [];
  try {
    const head = await backend.load(headSource, { optimizationLevel: level });
    loaded.push(head);
    const tail = await backend.load(tailSource, { optimizationLevel: level });
    loaded.push(tail);
    const names = { ...plan, modelInputs: model.graph.inputs, modelOutputs: model.graph.outputs };
    const expected = expectation(model.graph, [...head.outputs, ...tail.inputs], backend.name, level);
    const report = await compareSplit({ whole, head, tail, names, sampler, runs: 1, expectation: expected });
    const maxAbsolute = Math.max(...report.outputs.map((output) => output.maxAbsolute), 0);
    return { result: report.verdict, expected: report.expected, maxAbsolute: String(maxAbsolute) };
  } finally {
    for (const one of loaded) await one.dispose();
  }
}

/** Inputs that the corpus brings, where they fit. */
async function givenInputs(modelFile, inputSpecs) {
  const given = new Map();
  const folder = path.join(path.dirname(modelFile), 'test_data_set_0');
  for (const [index, spec] of inputSpecs.entries()) {
    const input = path.join(folder, `input_${index}.pb`);
    if (!fs.existsSync(input)) continue;
    const { name, tensor } = await readTensorFile(input);
    given.set(inputSpecs.some((other) => other.name === name) ? name : spec.name, tensor);
  }
  return given;
}

/** At most `count`, evenly spread. */
function sampled(list, count) {
  if (list.length <= count) return list;
  return Array.from({ length: count }, (_, at) => list[Math.floor((at * list.length) / count)]);
}
