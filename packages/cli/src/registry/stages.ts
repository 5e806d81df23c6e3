// `group:lab,1%,10%,rest` <-> stages of a rollout.
import { KerfError } from '@kerf/protocol';
import type { RolloutRequest } from '@kerf/registry';

type Members = RolloutRequest['stages'][number]['members'];

/** @throws {KerfError} INVALID_ARGUMENT. */
export function stagesOf(text: string): readonly Members[] {
  return text.split(',').map((part) => membersOf(part.trim()));
}

function membersOf(part: string): Members {
  if (part === 'rest') return { kind: 'rest' };
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(part);
  if (percent !== null) return { kind: 'share', share: Number(percent[1]) / 100 };
  const list = /^(group|device):(.+)$/.exec(part);
  if (list === null) {
    throw new KerfError(
      'INVALID_ARGUMENT',
      `'${part}' is no stage; use 5%, group:NAME, device:ID (several with + between), or rest`,
    );
  }
  const names = (list[2] as string).split('+');
  return list[1] === 'group' ? { kind: 'groups', groups: names } : { kind: 'devices', devices: names };
}

/** As {@link stagesOf} reads it. */
export function membersText(members: Members): string {
  switch (members.kind) {
    case 'rest':
      return 'rest';
    case 'share':
      return `${Number((members.share * 100).toPrecision(6))}%`;
    case 'groups':
      return `group:${members.groups.join('+')}`;
    case 'devices':
      return `device:${members.devices.join('+')}`;
  }
}
