// The repository extension: which releases there are, and loading and unloading them.
import type { IncomingMessage } from 'node:http';
import { coversModel, type Grant, mayInCloud } from '@kerf/access';
import { KerfError } from '@kerf/protocol';
import type { Log } from '../log.ts';
import type { ModelPool } from '../models/model-pool.ts';
import type { PinnedModels } from '../models/pinned-models.ts';
import type { ByteBudget } from '../session/byte-budget.ts';
import { readBody } from './http-body.ts';

export interface RepositoryContext {
  readonly pool: ModelPool;
  readonly pinned: PinnedModels;
  readonly inFlight: ByteBudget;
  readonly log: Log;
}

const MAX_CONTROL_BYTES = 64 * 1024;

export class Repository {
  readonly #context: RepositoryContext;

  constructor(context: RepositoryContext) {
    this.#context = context;
  }

  /** All releases that the token covers, loaded or not. */
  async index(request: IncomingMessage, grant: Grant): Promise<unknown> {
    const body = await readBody(request, MAX_CONTROL_BYTES, this.#context.inFlight);
    const onlyReady = wantsReady(body.bytes);
    body.release();
    const { pool } = this.#context;
    const loaded = new Map(
      pool.loaded.map(({ release, isReady }) => [`${release.model}\n${release.version}`, isReady]),
    );
    const releases = (await pool.catalog.releases()).filter(({ model }) => coversModel(grant.models, model));
    const rows = releases.map((release) => {
      const isReady = loaded.get(`${release.model}\n${release.version}`);
      const failure = pool.failureOf(release);
      const state = isReady === true ? 'READY' : isReady === false ? 'LOADING' : 'UNAVAILABLE';
      const reason = state === 'UNAVAILABLE' ? (failure?.message ?? 'not loaded; it is when it is asked for') : '';
      return { name: release.model, version: release.version, state, reason };
    });
    return onlyReady ? rows.filter(({ state }) => state === 'READY') : rows;
  }

  /** Loads and keeps the newest release, or opens the model no more. @throws {KerfError} FORBIDDEN, INVALID_ARGUMENT, and why it does not load. */
  async control(request: IncomingMessage, grant: Grant, action: 'load' | 'unload', model: string): Promise<void> {
    const { pool, pinned, inFlight, log } = this.#context;
    if (!mayInCloud(grant.cloud, 'manage')) {
      throw new KerfError('FORBIDDEN', "loading and unloading needs a token whose 'cloud' claim holds 'manage'");
    }
    checkCovers(grant, model);
    const body = await readBody(request, MAX_CONTROL_BYTES, inFlight);
    const hasParameters = body.bytes.toString('utf8').includes('"config"');
    body.release();
    if (hasParameters)
      throw new KerfError('INVALID_ARGUMENT', 'a model is loaded as its folder says; leave config out');
    log({ level: 'info', event: `model-${action}-asked`, model, subject: grant.subject });
    if (action === 'load') {
      pool.restore(model);
      await pinned.pin(model, true);
    } else {
      pinned.unpin(model);
      pool.withdraw(model);
    }
  }
}

/** @throws {KerfError} FORBIDDEN when the token does not cover the model. */
export function checkCovers(grant: Grant, model: string): void {
  // Before anything is looked up: whether the model exists is nobody's business who may not use it.
  if (coversModel(grant.models, model)) return;
  throw new KerfError('FORBIDDEN', 'the token does not cover this model; get one whose models claim does');
}

function wantsReady(body: Buffer): boolean {
  if (body.byteLength === 0) return false;
  try {
    return (JSON.parse(body.toString('utf8')) as { ready?: unknown } | null)?.ready === true;
  } catch {
    throw new KerfError('MESSAGE_MALFORMED', 'the request is not JSON');
  }
}
