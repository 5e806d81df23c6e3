// A client of the Open Inference Protocol V2 as tritonclient is one: JSON requests, binary tensors behind a JSON header.
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import type { Tensor } from '@kerf/protocol';

export interface OipAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body, or the part of it that the header's length names, as JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads into it
  readonly json: any;
}

export interface BinaryInput {
  readonly name: string;
  readonly datatype: string;
  readonly tensor: Tensor;
}

export class OipClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #port: number;
  readonly #token: string | null;

  constructor(port: number, token: string | null = null) {
    this.#port = port;
    this.#token = token;
  }

  close(): void {
    this.#agent.destroy();
  }

  call(
    method: string,
    path: string,
    body: Uint8Array | string | object | null = null,
    headers: Record<string, string | number> = {},
  ): Promise<OipAnswer> {
    const bytes = body === null || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
    const authorization = this.#token === null ? {} : { authorization: `Bearer ${this.#token}` };
    const length = bytes === null ? {} : { 'content-length': Buffer.byteLength(bytes) };
    const answer = new Promise<OipAnswer>((resolve, reject) => {
      const sent = request(
        { port: this.#port, method, path, agent: this.#agent, headers: { ...authorization, ...length, ...headers } },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () =>
            resolve(answerOf(response.statusCode ?? 0, response.headers, Buffer.concat(chunks))),
          );
        },
      );
      sent.on('error', reject);
      sent.end(bytes ?? undefined);
    });
    // A test that has failed leaves its calls behind: they end with the server, and are nobody's failure.
    answer.catch(() => {});
    return answer;
  }

  /** As tritonclient's `infer` with `binary_data=True` everywhere. */
  binaryInfer(path: string, inputs: readonly BinaryInput[], more: object = {}): Promise<OipAnswer> {
    const json = Buffer.from(
      JSON.stringify({
        inputs: inputs.map(({ name, datatype, tensor }) => ({
          name,
          datatype,
          shape: tensor.shape,
          parameters: { binary_data_size: tensor.data.byteLength },
        })),
        ...more,
      }),
    );
    return this.call('POST', path, Buffer.concat([json, ...inputs.map(({ tensor }) => tensor.data)]), {
      'inference-header-content-length': json.byteLength,
      'content-type': 'application/octet-stream',
    });
  }
}

function answerOf(status: number, headers: IncomingHttpHeaders, body: Buffer): OipAnswer {
  const length = headers['inference-header-content-length'];
  const text = body.subarray(0, length === undefined ? body.byteLength : Number(length)).toString('utf8');
  let json: unknown = null;
  try {
    json = JSON.parse(text);
  } catch {
    // Metrics are no JSON.
  }
  return { status, headers, body, json };
}

/** The binary outputs of an answer, by name. */
export function binaryOutputs({ json, body, headers }: OipAnswer): Map<string, Buffer> {
  let at = Number(headers['inference-header-content-length']);
  const outputs = new Map<string, Buffer>();
  for (const { name, parameters } of json.outputs) {
    const size = parameters?.binary_data_size;
    if (size === undefined) continue;
    outputs.set(name, body.subarray(at, at + size));
    at += size;
  }
  if (at !== body.byteLength) throw new Error('the body holds something else');
  return outputs;
}
