// What operators call about rollouts.
import type { RegistryContext } from '../context.ts';
import { askForRollout } from '../deltas/ask-for-rollout.ts';
import type { CheckDesk } from '../fleet/check.ts';
import { may, ok, type Route } from '../http/route.ts';
import {
  BAD_REQUEST,
  CONFLICT,
  deviceId,
  digest,
  FORBIDDEN,
  modelName,
  NOT_FOUND,
  object,
  orNull,
  RATE_LIMITED,
  TOO_LARGE,
  text,
  timeMs,
  UNAUTHENTICATED,
  UNAVAILABLE,
} from '../http/shapes.ts';
import { retryDevice } from '../rollout/offers.ts';
import {
  listRollouts,
  type Rollout,
  type RolloutDeviceState,
  readRollout,
  rolloutDevices,
} from '../rollout/rollouts.ts';
import type { RolloutRequest } from '../rollout/spec.ts';
import { createRollout, type OperatorAction, steerRollout } from '../rollout/steer.ts';
import type { StageTotals } from '../rollout/totals.ts';
import { afterOf, limitOf, page, pageQuery } from './paging.ts';
import { DEVICE_STATES, rolloutRequest, rolloutShape } from './rollout-shapes.ts';

const COMMON = { ...BAD_REQUEST, ...UNAUTHENTICATED, ...FORBIDDEN, ...RATE_LIMITED, ...UNAVAILABLE };
const id = text(64);

type Show = (rollout: Rollout) => Promise<unknown>;

/** @param onAsked deltas were asked for */
export function rolloutRoutes(
  context: RegistryContext,
  desk: CheckDesk,
  totals: StageTotals,
  onAsked: () => void,
): Route[] {
  const { database } = context;
  const show: Show = async (rollout) => ({ ...rollout, totals: await totals.of(database, rollout) });
  const steering = ['pause', 'resume', 'stop', 'abort', 'roll-back'];
  return [
    ...listRoutes(context, show, onAsked),
    steerRoute(context, desk, show, {
      path: '/v1/rollouts/{rollout}/approval',
      operation: 'approveRollout',
      actions: ['approve', 'reject'],
      permission: 'approve',
    }),
    steerRoute(context, desk, show, {
      path: '/v1/rollouts/{rollout}/actions',
      operation: 'steerRollout',
      actions: steering,
      permission: 'rollouts',
    }),
    ...partRoutes(context, desk),
  ];
}

interface Steering {
  readonly path: string;
  readonly operation: string;
  readonly actions: readonly string[];
  readonly permission: 'approve' | 'rollouts';
}

function steerRoute(
  context: RegistryContext,
  desk: CheckDesk,
  show: Show,
  { path, operation, actions, permission }: Steering,
): Route {
  return {
    method: 'POST',
    path,
    id: operation,
    summary: `Asks a rollout to ${actions.join(', ')}.`,
    access: may(permission),
    parameters: { rollout: id },
    body: object({ action: { enum: actions }, reason: text(1024) }, ['reason']),
    answers: {
      200: { description: 'the rollout as it is now', body: rolloutShape },
      ...COMMON,
      ...NOT_FOUND,
      ...CONFLICT,
      ...TOO_LARGE,
    },
    async handle({ path: { rollout = '' }, body, actor }) {
      const { action, reason = 'no reason given' } = body as { action: OperatorAction['action']; reason?: string };
      const moved = await steerRollout(context, actor, rollout, { action, reason } as OperatorAction);
      desk.forget();
      return ok(await show(moved));
    },
  };
}

function listRoutes(context: RegistryContext, show: Show, onAsked: () => void): Route[] {
  const { database } = context;
  return [
    {
      method: 'POST',
      path: '/v1/rollouts',
      id: 'createRollout',
      summary: 'Plans a rollout of a release. It starts when somebody else has approved it, unless that is not needed.',
      access: may('rollouts'),
      body: rolloutRequest,
      answers: {
        201: { description: 'the rollout', body: rolloutShape },
        ...COMMON,
        ...NOT_FOUND,
        ...CONFLICT,
        ...TOO_LARGE,
      },
      async handle({ body, actor }) {
        const { release, ...request } = body as RolloutRequest & { release: string };
        const rollout = await createRollout(context, actor, release, request);
        await askForRollout(context, release);
        onAsked();
        return { status: 201, json: await show(rollout) };
      },
    },
    {
      method: 'GET',
      path: '/v1/rollouts',
      id: 'listRollouts',
      summary: 'Rollouts, the latest first.',
      access: may('read'),
      query: { ...pageQuery({ type: 'integer', minimum: 1 }), name: modelName },
      answers: { 200: { description: 'some rollouts', body: page('rollouts', rolloutShape) }, ...COMMON },
      async handle({ query }) {
        const limit = limitOf(query);
        const before = query['after'] === undefined ? Number.MAX_SAFE_INTEGER : Number(query['after']);
        const rollouts = await listRollouts(database, query['name'] ?? null, before, limit);
        const all = await Promise.all(rollouts.map(show));
        return ok({ rollouts: all, after: afterOf(rollouts, limit, ({ number }) => String(number)) });
      },
    },
    {
      method: 'GET',
      path: '/v1/rollouts/{rollout}',
      id: 'getRollout',
      summary: 'One rollout, with the devices of each stage.',
      access: may('read'),
      parameters: { rollout: id },
      answers: { 200: { description: 'the rollout', body: rolloutShape }, ...COMMON, ...NOT_FOUND },
      handle: async ({ path: { rollout = '' } }) => ok(await show(await readRollout(database, rollout))),
    },
  ];
}

function partRoutes(context: RegistryContext, desk: CheckDesk): Route[] {
  const { database } = context;
  return [
    {
      method: 'GET',
      path: '/v1/rollouts/{rollout}/devices',
      id: 'listRolloutDevices',
      summary: 'Devices that have been offered the release, and what became of it.',
      access: may('read'),
      parameters: { rollout: id },
      query: { ...pageQuery(deviceId), state: { type: 'string', enum: DEVICE_STATES } },
      answers: {
        200: {
          description: 'some devices',
          body: page(
            'devices',
            object({
              rolloutId: id,
              deviceId,
              stage: { type: 'integer', minimum: 0 },
              state: { enum: DEVICE_STATES },
              previous: orNull(digest),
              offeredAt: timeMs,
              endedAt: orNull(timeMs),
              reason: orNull(text(1024)),
            }),
          ),
        },
        ...COMMON,
        ...NOT_FOUND,
      },
      async handle({ path: { rollout = '' }, query }) {
        await readRollout(database, rollout);
        const limit = limitOf(query);
        const state = (query['state'] ?? null) as RolloutDeviceState | null;
        const devices = await rolloutDevices(database, rollout, state, query['after'] ?? '', limit);
        return ok({ devices, after: afterOf(devices, limit, (entry) => entry.deviceId) });
      },
    },
    {
      method: 'POST',
      path: '/v1/rollouts/{rollout}/devices/{device}/retry',
      id: 'retryDevice',
      summary: 'Lets a device that failed try again.',
      access: may('rollouts'),
      parameters: { rollout: id, device: deviceId },
      answers: {
        204: { description: 'it will be offered the release again', body: null },
        ...COMMON,
        ...NOT_FOUND,
        ...CONFLICT,
      },
      async handle({ path: { rollout = '', device = '' }, actor }) {
        await retryDevice(context, actor, rollout, device);
        desk.forget();
        return { status: 204 };
      },
    },
  ];
}
