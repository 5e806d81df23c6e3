// What devices call: enrolment, check-in, reports, a new credential.
import { KerfError } from '@kerf/protocol';
import type { RegistryContext } from '../context.ts';
import type { CheckDesk, CheckRequest } from '../fleet/check.ts';
import type { DeviceRow } from '../fleet/devices.ts';
import { replaceCredential } from '../fleet/devices.ts';
import { enrolDevice } from '../fleet/enrol.ts';
import { type Call, device, ok, type Route } from '../http/route.ts';
import {
  anyObject,
  BAD_REQUEST,
  CONFLICT,
  count,
  deviceId,
  digest,
  FORBIDDEN,
  listOf,
  modelName,
  object,
  orNull,
  RATE_LIMITED,
  TOO_LARGE,
  text,
  UNAUTHENTICATED,
  UNAVAILABLE,
} from '../http/shapes.ts';
import { type DeviceReport, reportOutcome } from '../rollout/offers.ts';

const MODELS_OF_A_DEVICE = 64;
const COMMON = { ...BAD_REQUEST, ...UNAUTHENTICATED, ...FORBIDDEN, ...TOO_LARGE, ...RATE_LIMITED, ...UNAVAILABLE };

const checkBody = object({
  agent: orNull(text(255, 'such as kerf/0.1.0')),
  provider: orNull(text(64)),
  cut: orNull(text(255)),
  health: { ...anyObject, type: ['object', 'null'] },
  models: listOf(object({ name: modelName, installed: orNull(digest) }), MODELS_OF_A_DEVICE, 'what is installed'),
});

const checkAnswer = object({
  wishes: listOf(
    object({
      name: modelName,
      release: digest,
      version: text(64),
      manifestPath: text(512, 'in the repository'),
      because: { enum: ['pinned', 'rollout', 'rolled-back', 'assigned'] },
      rollout: orNull(text(64)),
    }),
    MODELS_OF_A_DEVICE,
    'what each model should be; a model that is not named stays as it is',
  ),
  checkAfterSeconds: count,
});

export function deviceRoutes(context: RegistryContext, desk: CheckDesk): Route[] {
  return [
    {
      method: 'POST',
      path: '/v1/device/enrol',
      id: 'enrol',
      summary:
        'Makes a device of whoever holds the enrolment token. Sent again, with the same hash, it says yes again.',
      access: { kind: 'enrolment' },
      body: object({ device: deviceId, credentialSha256: digest }),
      answers: {
        200: { description: 'this token had made this device', body: object({ device: deviceId }) },
        201: { description: 'the device may use kd1.DEVICE.SECRET', body: object({ device: deviceId }) },
        ...BAD_REQUEST,
        ...UNAUTHENTICATED,
        ...CONFLICT,
        ...TOO_LARGE,
        ...RATE_LIMITED,
        ...UNAVAILABLE,
      },
      async handle(call) {
        const body = call.body as { device: string; credentialSha256: string };
        const secret = call.caller.kind === 'nobody' ? (call.caller.secret ?? '') : '';
        const { created } = await enrolDevice(context, secret, body.device, body.credentialSha256);
        return { status: created ? 201 : 200, json: { device: body.device } };
      },
    },
    {
      method: 'POST',
      path: '/v1/device/check',
      id: 'check',
      summary: 'What the device has against what it should have.',
      access: device,
      body: checkBody,
      answers: { 200: { description: 'what it should have', body: checkAnswer }, ...COMMON },
      handle: async (call) => ok(await desk.check(deviceOf(call), call.body as CheckRequest)),
    },
    {
      method: 'POST',
      path: '/v1/device/reports',
      id: 'report',
      summary: 'How an installation ended. Sent twice it counts once.',
      access: device,
      body: object({ release: digest, outcome: { enum: ['succeeded', 'failed'] }, reason: orNull(text(1024)) }),
      answers: { 204: { description: 'noted', body: null }, ...COMMON },
      async handle(call) {
        await reportOutcome(context, deviceOf(call).id, call.body as DeviceReport);
        desk.forget();
        return { status: 204 };
      },
    },
    {
      method: 'PUT',
      path: '/v1/device/credential',
      id: 'replaceCredential',
      summary: 'From now on only the secret with this hash is taken.',
      access: device,
      body: object({ credentialSha256: digest }),
      answers: { 204: { description: 'replaced', body: null }, ...COMMON },
      async handle(call) {
        await replaceCredential(
          context,
          deviceOf(call).id,
          (call.body as { credentialSha256: string }).credentialSha256,
        );
        return { status: 204 };
      },
    },
  ];
}

function deviceOf({ caller }: Call): DeviceRow {
  if (caller.kind !== 'device') throw new KerfError('INTERNAL', 'a device was expected');
  return caller.device;
}
