// Outputs of every frame of a job -> the reply and the bytes that go with it.
import type { AnswerCoder } from './answer-coder.ts';
import { type FrameReply, paddingAfter, type RanReply, type RunRequest, type TensorHeader, ZEROS } from './jobs.ts';
import type { RanFrame } from './run-frames.ts';

const RAW = { kind: 'raw' } as const;

/** A reply and the bytes that go with it. */
export interface JobAnswer {
  readonly reply: RanReply;
  readonly body: readonly Uint8Array[];
}

/** @param isBehind asked before each output: when the runtime would wait for this thread, outputs go as they are. */
export function answerJob(
  { job, frames: asked }: RunRequest,
  ran: readonly RanFrame[],
  coder: AnswerCoder,
  isBehind: () => boolean,
  extra: Pick<RanReply, 'decodeMs' | 'computeMs' | 'trial' | 'rssBytes'>,
): JobAnswer {
  const body: Uint8Array[] = [];
  const frames = ran.map((outcome, index): FrameReply => {
    if ('fault' in outcome) return { outputs: null, fault: outcome.fault };
    const takesCoded = asked[index]?.losslessAnswer === true;
    const outputs = [...outcome.outputs].map(([name, tensor]): TensorHeader => {
      const mayCode = takesCoded && !isBehind();
      const { codec, bytes } = mayCode ? coder.code(name, tensor) : { codec: RAW, bytes: tensor.data };
      body.push(bytes);
      const padding = paddingAfter(bytes.byteLength);
      if (padding > 0) body.push(ZEROS.subarray(0, padding));
      return { name, dtype: tensor.dtype, shape: tensor.shape, codec, byteLength: bytes.byteLength };
    });
    return { outputs, fault: null };
  });
  return { reply: { type: 'ran', job, frames, ...extra }, body };
}
