// A worker that serves a backend -> the same backend on this side of the thread.
import {
  type Backend,
  checkTensors,
  KerfError,
  type LoadedModel,
  type LoadOptions,
  type ModelSource,
  type TensorMap,
  type TensorSpec,
} from '@kerf/protocol';
import {
  copyForTransfer,
  copyOf,
  type LoadedReply,
  type WorkerPort,
  type WorkerReply,
  type WorkerRequest,
} from './worker-messages.ts';

/** A worker as this side sees it. */
export interface WorkerHandle extends WorkerPort {
  /** Calls `listener` when the worker has died or could not start. */
  onFailure(listener: (reason: string) => void): void;
  terminate(): Promise<void>;
}

type Request = WorkerRequest extends infer R ? (R extends WorkerRequest ? Omit<R, 'id'> : never) : never;

/** @returns a backend whose models live in `worker`; `dispose` ends the worker. */
export function workerBackend(name: string, worker: WorkerHandle): Backend {
  const caller = new WorkerCaller(worker);
  return {
    name,
    async load(source: ModelSource, options: LoadOptions = {}) {
      const [owned, transfer] = copyOfSource(source);
      const reply = await caller.call({ kind: 'load', source: owned, options }, transfer);
      if (reply.kind !== 'loaded') throw new KerfError('INTERNAL', 'the worker gave another answer than asked for');
      return new WorkerModel(caller, reply.loaded);
    },
    dispose: () => caller.terminate(),
  };
}

function copyOfSource(source: ModelSource): [ModelSource, ArrayBuffer[]] {
  if ('path' in source) return [source, []];
  const bytes = copyOf(source.bytes);
  const externalData = source.externalData?.map(({ path, data }) => ({ path, data: copyOf(data) }));
  const transfer = [bytes.buffer, ...(externalData ?? []).map(({ data }) => data.buffer)];
  return [{ bytes, ...(externalData && { externalData }) }, transfer];
}

class WorkerCaller {
  private readonly worker: WorkerHandle;
  private readonly waiting = new Map<number, { resolve(reply: WorkerReply): void; reject(error: KerfError): void }>();
  private nextId = 1;
  private over: KerfError | null = null;

  constructor(worker: WorkerHandle) {
    this.worker = worker;
    worker.onMessage((message) => this.settle(message as WorkerReply));
    worker.onFailure((reason) => this.end(new KerfError('BACKEND_FAILED', `the worker ended: ${reason}`)));
  }

  call(request: Request, transfer: readonly ArrayBuffer[]): Promise<WorkerReply> {
    if (this.over !== null) return Promise.reject(this.over);
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.post({ id, ...request }, transfer);
    });
  }

  async terminate(): Promise<void> {
    this.end(new KerfError('CLOSED', 'the backend was disposed of'));
    await this.worker.terminate();
  }

  private settle(reply: WorkerReply): void {
    const waiting = this.waiting.get(reply.id);
    this.waiting.delete(reply.id);
    if (reply.kind === 'failed') waiting?.reject(new KerfError(reply.code, reply.message));
    else waiting?.resolve(reply);
  }

  private end(error: KerfError): void {
    this.over ??= error;
    for (const waiting of this.waiting.values()) waiting.reject(this.over);
    this.waiting.clear();
  }
}

class WorkerModel implements LoadedModel {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  private readonly caller: WorkerCaller;
  private readonly model: number;
  private disposed = false;

  constructor(caller: WorkerCaller, { model, inputs, outputs }: LoadedReply) {
    this.caller = caller;
    this.model = model;
    this.inputs = inputs;
    this.outputs = outputs;
  }

  async run(inputs: TensorMap): Promise<TensorMap> {
    if (this.disposed) throw new KerfError('CLOSED', 'the model was disposed of');
    // Checked here too: a wrong tensor need not travel to be refused.
    checkTensors(inputs, this.inputs);
    const [entries, transfer] = copyForTransfer(inputs);
    const reply = await this.caller.call({ kind: 'run', model: this.model, inputs: entries }, transfer);
    if (reply.kind !== 'ran') throw new KerfError('INTERNAL', 'the worker gave another answer than asked for');
    return new Map(reply.outputs);
  }

  async dispose(): Promise<void> {
    if (this.disposed) return;
    this.disposed = true;
    try {
      await this.caller.call({ kind: 'dispose', model: this.model }, []);
    } catch (error) {
      // A worker that has ended has freed everything.
      if (!KerfError.is(error) || (error.code !== 'CLOSED' && error.code !== 'BACKEND_FAILED')) throw error;
    }
  }
}
