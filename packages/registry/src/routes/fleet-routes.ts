// What operators call about devices: enrolment tokens, list, tags, assignment, pin, retirement.
import type { RegistryContext } from '../context.ts';
import type { CheckDesk } from '../fleet/check.ts';
import { countFleet, MAX_COUNTED } from '../fleet/count.ts';
import {
  type DeviceFilter,
  listDevices,
  type ModelSetting,
  readDevice,
  retireDevice,
  setModel,
  tagDevice,
} from '../fleet/devices.ts';
import { createEnrolment, type EnrolmentRequest } from '../fleet/enrol.ts';
import type { DeviceTags } from '../fleet/tags.ts';
import { may, ok, type Route } from '../http/route.ts';
import {
  anyObject,
  BAD_REQUEST,
  CONFLICT,
  count,
  deviceId,
  digest,
  FORBIDDEN,
  flag,
  labels,
  listOf,
  modelName,
  NOT_FOUND,
  object,
  orNull,
  RATE_LIMITED,
  TOO_LARGE,
  tag,
  tags,
  text,
  timeMs,
  UNAUTHENTICATED,
  UNAVAILABLE,
} from '../http/shapes.ts';
import { afterOf, limitOf, page, pageQuery } from './paging.ts';

const COMMON = { ...BAD_REQUEST, ...UNAUTHENTICATED, ...FORBIDDEN, ...RATE_LIMITED, ...UNAVAILABLE };
const CHANGE = { ...COMMON, ...NOT_FOUND, ...CONFLICT, ...TOO_LARGE };
const YEAR_SECONDS = 366 * 24 * 3600;

const deviceShape = object({
  id: deviceId,
  groups: listOf(tag, 1000),
  labels: { type: 'object', additionalProperties: { type: 'string' } },
  retired: flag,
  enrolledAt: timeMs,
  lastSeenAt: orNull(timeMs),
  agent: orNull(text(255)),
  provider: orNull(text(64)),
  cut: orNull(text(255)),
  health: { ...anyObject, type: ['object', 'null'] },
  models: listOf(
    object({
      name: modelName,
      installed: orNull(digest),
      assigned: orNull(digest),
      pinned: orNull(digest),
      reportedAt: orNull(timeMs),
    }),
    1000,
  ),
});
const fleetShape = object({
  devices: count,
  seen: count,
  installed: listOf(object({ name: modelName, release: orNull(digest), devices: count }), MAX_COUNTED),
});
const answered = (description: string) => ({ 200: { description, body: deviceShape } }) as const;
const parameters = { device: deviceId };

export function fleetRoutes(context: RegistryContext, desk: CheckDesk): Route[] {
  return [...enrolmentRoutes(context), ...readingRoutes(context), ...changeRoutes(context, desk)];
}

function enrolmentRoutes(context: RegistryContext): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/enrolments',
      id: 'createEnrolment',
      summary: 'Makes a token that enrols one device, shown once.',
      access: may('devices'),
      body: object({
        groups: tags,
        labels,
        deviceId: orNull(deviceId),
        expiresInSeconds: { type: 'integer', minimum: 60, maximum: YEAR_SECONDS },
      }),
      answers: {
        201: { description: 'the token', body: object({ token: text(512), expiresAt: timeMs }) },
        ...COMMON,
        ...CONFLICT,
        ...TOO_LARGE,
      },
      handle: async ({ body, actor }) => ({
        status: 201,
        json: await createEnrolment(context, actor, body as EnrolmentRequest),
      }),
    },
  ];
}

function readingRoutes({ database }: RegistryContext): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/devices',
      id: 'listDevices',
      summary: 'Devices that are not retired, in the order of their ids.',
      access: may('read'),
      query: {
        ...pageQuery(deviceId),
        group: tag,
        label: { type: 'string', pattern: '^[^=]+=.*$', maxLength: 320, description: 'KEY=VALUE' },
        installed: digest,
        silentSince: { ...timeMs, description: 'not seen since; milliseconds since 1970' },
      },
      answers: { 200: { description: 'some devices', body: page('devices', deviceShape) }, ...COMMON },
      async handle({ query }) {
        const { group, label, installed, silentSince } = query;
        const filter: DeviceFilter = {
          group,
          label,
          installed,
          silentSince: silentSince === undefined ? undefined : Number(silentSince),
          after: query['after'],
          limit: limitOf(query),
        };
        const devices = await listDevices(database, filter);
        return ok({ devices, after: afterOf(devices, filter.limit, ({ id }) => id) });
      },
    },
    {
      method: 'GET',
      path: '/v1/fleet',
      id: 'countFleet',
      summary: 'How many devices there are, how many are in touch, and what they have installed.',
      access: may('read'),
      query: { seenSince: { ...timeMs, description: 'in touch: seen since; milliseconds since 1970' } },
      answers: { 200: { description: 'the counts', body: fleetShape }, ...COMMON },
      handle: async ({ query }) => ok(await countFleet(database, Number(query['seenSince'] ?? 0))),
    },
    {
      method: 'GET',
      path: '/v1/devices/{device}',
      id: 'getDevice',
      summary: 'One device.',
      access: may('read'),
      parameters,
      answers: { ...answered('the device'), ...COMMON, ...NOT_FOUND },
      handle: async ({ path }) => ok(await readDevice(database, path['device'] as string)),
    },
  ];
}

function changeRoutes(context: RegistryContext, desk: CheckDesk): Route[] {
  return [
    {
      method: 'PATCH',
      path: '/v1/devices/{device}',
      id: 'tagDevice',
      summary: 'Replaces its groups, its labels, or both.',
      access: may('devices'),
      parameters,
      body: object({ groups: tags, labels }, ['groups', 'labels']),
      answers: { ...answered('the device as it is now'), ...CHANGE },
      handle: async ({ path, body, actor }) =>
        ok(await tagDevice(context, actor, path['device'] as string, body as Partial<DeviceTags>)),
    },
    {
      method: 'DELETE',
      path: '/v1/devices/{device}',
      id: 'retireDevice',
      summary: 'Its credential is refused from now on. The id stays taken.',
      access: may('devices'),
      parameters,
      answers: { 204: { description: 'retired', body: null }, ...COMMON, ...NOT_FOUND, ...CONFLICT },
      async handle({ path, actor }) {
        await retireDevice(context, actor, path['device'] as string);
        return { status: 204 };
      },
    },
    {
      method: 'PUT',
      path: '/v1/devices/{device}/models/{model}',
      id: 'setModel',
      summary:
        'Assigns a release where no rollout says otherwise, or pins one whatever rollouts say; null takes it back.',
      access: may('devices'),
      parameters: { ...parameters, model: modelName },
      body: {
        ...object({ assigned: orNull(digest), pinned: orNull(digest) }, ['assigned', 'pinned']),
        minProperties: 1,
      },
      answers: { ...answered('the device as it is now'), ...CHANGE },
      async handle({ path, body, actor }) {
        const { device, model } = path as { device: string; model: string };
        const changed = await setModel(context, actor, device, model, body as ModelSetting);
        desk.forget();
        return ok(changed);
      },
    },
  ];
}
