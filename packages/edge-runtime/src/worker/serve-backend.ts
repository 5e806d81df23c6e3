// Requests that arrive in a worker -> calls of a backend -> replies.
import { type Backend, KerfError, type LoadedModel, messageOf } from '@kerf/protocol';
import {
  copyForTransfer,
  ownForTransfer,
  type WorkerPort,
  type WorkerReply,
  type WorkerRequest,
} from './worker-messages.ts';

/** Serves `backend` on `port`; a backend that could not be made fails each request with its reason. */
export function serveBackend(port: WorkerPort, backend: Promise<Backend>): void {
  const models = new Map<number, LoadedModel>();
  let nextModel = 1;

  const answer = async (request: WorkerRequest): Promise<[WorkerReply, ArrayBuffer[]]> => {
    const { id } = request;
    if (request.kind === 'load') {
      const model = await (await backend).load(request.source, request.options);
      models.set(nextModel, model);
      const loaded = { model: nextModel++, inputs: model.inputs, outputs: model.outputs };
      return [{ id, kind: 'loaded', loaded }, []];
    }
    const model = models.get(request.model);
    if (model === undefined) throw new KerfError('CLOSED', 'the model was disposed of');
    if (request.kind === 'run') {
      const [outputs, transfer] = ownForTransfer(await model.run(new Map(request.inputs)));
      return [{ id, kind: 'ran', outputs }, transfer];
    }
    models.delete(request.model);
    await model.dispose();
    return [{ id, kind: 'disposed' }, []];
  };

  port.onMessage((message) => {
    const request = message as WorkerRequest;
    answer(request).then(
      ([reply, transfer]) => send(port, reply, transfer),
      (error: unknown) => {
        const { code, message: text } = KerfError.from(error, 'BACKEND_FAILED', messageOf(error));
        port.post({ id: request.id, kind: 'failed', code, message: text } satisfies WorkerReply, []);
      },
    );
  });
}

/** Some runtimes give memory that cannot change hands: then it is copied. */
function send(port: WorkerPort, reply: WorkerReply, transfer: ArrayBuffer[]): void {
  try {
    port.post(reply, transfer);
  } catch (error) {
    if (reply.kind !== 'ran') throw error;
    const [outputs, copies] = copyForTransfer(reply.outputs);
    port.post({ ...reply, outputs } satisfies WorkerReply, copies);
  }
}
