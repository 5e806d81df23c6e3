// One model file and a tensor -> a JSON line: was it split and verified, or refused, and at what cost. A child process of the test.
// Usage: node try-split.mjs MODEL TENSOR OUT
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { openModelFile } from '@kerf/onnx/node';
import { messageOf, ortBackend } from '@kerf/protocol';
import { verifySplit, writeSplit } from '@kerf/splitter/node';

const [file, tensor, folder] = process.argv.slice(2);
const ort = createRequire(new URL('../../packages/cli/package.json', import.meta.url))('onnxruntime-node');
const backend = ortBackend({ name: 'onnxruntime-node/cpu', ort, executionProviders: ['cpu'] });
const peakMiB = () => Math.round(process.resourceUsage().maxRSS / 1024);
const say = (row) => fs.writeSync(1, `${JSON.stringify({ ...row, peakMiB: peakMiB() })}\n`);

try {
  const model = await openModelFile(file);
  await writeSplit({ model, cut: [tensor], folder, backend });
  const { verdict } = await verifySplit({ model, folder, backend });
  say({ result: verdict });
} catch (error) {
  say({ result: 'refused', code: error.code ?? 'CRASH', message: messageOf(error) });
}
