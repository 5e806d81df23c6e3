// Model files -> JSON lines: what became of each model, and of each of its cuts. A child process, since a runtime can crash.
// Usage: node split-every-cut.mjs MODEL... [--max-cuts N] [--seed S] [--level disabled|basic|extended|all] [--made-up]
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { concatChunks, openModel } from '@kerf/onnx';
import { openModelFile, readTensorFile } from '@kerf/onnx/node';
import { messageOf, ortBackend, seededRandom, systemClock } from '@kerf/protocol';
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
import { structureFault } from './structure-fault.mjs';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    'max-cuts': { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    level: { type: 'string', default: 'disabled' },
    'made-up': { type: 'boolean', default: false },
  },
});
const level = values.level;
const ort = createRequire(new URL('../../packages/cli/package.json', import.meta.url))('onnxruntime-node');
const backend = ortBackend({ name: 'onnxruntime-node/cpu', ort, executionProviders: ['cpu'] });
const say = (row) => fs.writeSync(1, `${JSON.stringify(row)}\n`);

for (const file of positionals) {
  say({ kind: 'begin', file });
  say({ kind: 'end', ...(await checkFile(file)) });
}

/** `{note}`: why there is nothing to compare, or null. `{fault}`: what should not have happened, or null. */
async function checkFile(file) {
  let whole;
  try {
    whole = await backend.load({ path: file }, { optimizationLevel: level });
  } catch (error) {
    return { note: `the runtime refuses the whole model: ${messageOf(error)}`, fault: null };
  }
  try {
    const model = await openModelFile(file);
    const cuts = sampled(listCuts(model.graph), Number(values['max-cuts']), Number(values.seed));
    say({ kind: 'model', cuts: cuts.length, nodes: model.graph.nodes.length });
    if (cuts.length === 0) return { note: null, fault: null };
    const { sampler, note } = await samplerFor(model, whole);
    for (const cut of cuts) say({ kind: 'cut', tensors: cut.tensors, ...(await attempt(model, cut, whole, sampler)) });
    return { note, fault: null };
  } catch (error) {
    return { note: null, fault: `${error.code ?? 'CRASH'}: ${messageOf(error)}` };
  } finally {
    await whole.dispose();
  }
}

/** Inputs of the folder, else made-up ones; null with a note where nothing runs: then parts are loaded, not run. */
async function samplerFor(model, whole) {
  const specs = whole.inputs.map((spec) => mergeSpec(model.graph, spec.name, spec));
  const given = values['made-up'] ? new Map() : await givenInputs(model.path, specs);
  try {
    return { sampler: await findInputs(whole, { specs, inputs: given, clock: systemClock }), note: null };
  } catch (error) {
    return { sampler: null, note: `the whole model cannot be run: ${messageOf(error)}` };
  }
}

async function attempt(model, cut, whole, sampler) {
  const { graph } = model;
  const host = fileHost(model);
  try {
    const plan = planCut(graph, cut.tensors);
    const split = await splitModel(plan, backend, host);
    const head = extractSide(graph, split.head, TRANSIENT_DATA_FILE);
    const tail = extractSide(graph, split.tail, TRANSIENT_DATA_FILE);
    const fault = structureFault(
      graph,
      plan.cut,
      openModel(concatChunks(head.chunks)),
      openModel(concatChunks(tail.chunks)),
    );
    if (fault !== null) return { result: 'unsound', message: fault };
    if (sampler === null) return { result: 'loads' };
    return await host.withSource(head, (headSource) =>
      host.withSource(tail, (tailSource) => compare(model, plan, whole, sampler, headSource, tailSource)),
    );
  } catch (error) {
    // A sequence or a float8 is inside the model and cannot cross: the refusal is the right answer.
    if (error.code === 'CUT_TYPE_UNSUPPORTED') return { result: 'cannot cross' };
    return { result: 'error', code: error.code ?? 'CRASH', message: messageOf(error) };
  }
}

async function compare({ graph }, plan, whole, sampler, headSource, tailSource) {
  const loaded = [];
  try {
    const head = await backend.load(headSource, { optimizationLevel: level });
    loaded.push(head);
    const tail = await backend.load(tailSource, { optimizationLevel: level });
    loaded.push(tail);
    const names = { ...plan, modelInputs: graph.inputs, modelOutputs: graph.outputs };
    const expected = expectation(graph, [...head.outputs, ...tail.inputs], backend.name, level);
    const report = await compareSplit({ whole, head, tail, names, sampler, runs: 1, expectation: expected });
    const maxAbsolute = Math.max(...report.outputs.map((output) => output.maxAbsolute), 0);
    return { result: report.verdict, expected: report.expected, maxAbsolute: String(maxAbsolute) };
  } finally {
    for (const one of loaded) await one.dispose();
  }
}

/** Inputs that lie beside the model, where they are tensors and fit. */
async function givenInputs(modelFile, inputSpecs) {
  const given = new Map();
  const folder = path.join(path.dirname(modelFile), 'test_data_set_0');
  for (const [index, spec] of inputSpecs.entries()) {
    const input = path.join(folder, `input_${index}.pb`);
    if (!fs.existsSync(input) || spec.dtype === null) continue;
    const { name, tensor } = await readTensorFile(input);
    given.set(inputSpecs.some((other) => other.name === name) ? name : spec.name, tensor);
  }
  return given;
}

/** At most `count`, drawn with the seed, in the order of the model. */
function sampled(list, count, seed) {
  if (list.length <= count) return list;
  const random = seededRandom(seed);
  const places = list.map((_, at) => at);
  for (let at = 0; at < count; at++) {
    const other = at + Math.floor(random() * (places.length - at));
    [places[at], places[other]] = [places[other], places[at]];
  }
  return places
    .slice(0, count)
    .toSorted((left, right) => left - right)
    .map((at) => list[at]);
}
