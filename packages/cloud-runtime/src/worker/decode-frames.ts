// A run request and its bytes -> the inputs of every frame, or what is wrong with them.
import type { Tensor } from '@kerf/protocol';
import { type DecodingRules, decodePayload } from './decode-payload.ts';
import type { HostedFrame } from './hosted-model.ts';
import { groupsByEntry, type JobFrame, paddingAfter, type TensorHeader, type WorkerFault } from './jobs.ts';
import { faultOf } from './worker-fault.ts';

export type DecodedFrame = HostedFrame | { readonly fault: WorkerFault };

/** Inputs lie group by group: see {@link RunRequest}. Raw ones are views of the body. */
export async function decodeFrames(
  frames: readonly JobFrame[],
  body: Uint8Array,
  rules: DecodingRules,
): Promise<DecodedFrame[]> {
  const views = viewsOf(frames, body);
  const decoded: DecodedFrame[] = [];
  for (const [index, { entry, inputs }] of frames.entries()) {
    const tensors = new Map<string, Tensor>();
    try {
      for (const [input, header] of inputs.entries()) {
        const bytes = views[index]?.[input] ?? new Uint8Array(0);
        tensors.set(header.name, await decodePayload(header, bytes, rules));
      }
      decoded.push({ entry, inputs: tensors });
    } catch (error) {
      decoded.push({ fault: faultOf(error) });
    }
  }
  return decoded;
}

function viewsOf(frames: readonly JobFrame[], body: Uint8Array): Uint8Array[][] {
  const views: Uint8Array[][] = frames.map(() => []);
  let at = 0;
  for (const group of groupsByEntry(frames)) {
    for (const input of (frames[group[0] ?? 0]?.inputs ?? []).keys()) {
      for (const index of group) {
        const byteLength = ((frames[index] as JobFrame).inputs[input] as TensorHeader).byteLength;
        views[index]?.push(body.subarray(at, at + byteLength));
        at += byteLength;
      }
      at += paddingAfter(at);
    }
  }
  return views;
}
