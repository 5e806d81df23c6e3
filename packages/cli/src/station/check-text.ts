// A checked station file -> what it would run, in lines.
import type { StationConfig } from '@kerf/edge-runtime';
import type { StationFile } from '@kerf/edge-runtime/node';
import { formatBytes, table } from '../units.ts';

export function checkLines({ path, sha256, config }: StationFile): string[] {
  return [
    `${path} is a station file that can be used (SHA-256 ${sha256.slice(0, 12)})`,
    '',
    ...table([
      ['station', config.station],
      ['source', described(config.source)],
      ...(config.trigger === null ? [] : [['trigger', described(config.trigger)]]),
      ['part id', partIdText(config)],
      ['model', modelText(config)],
      ['cloud', config.cloud === null ? 'none: all of it runs here' : config.cloud.url],
      ['fallback', fallbackText(config)],
      ['task', described(config.task)],
      ['thresholds', thresholdsText(config.thresholds)],
      ['deadline', `${config.deadline} ms, then ${instead(config)}`],
      ['stages', stagesText(config)],
      [
        'outbox',
        config.outbox === null ? 'in memory: what no sink has taken is lost with the process' : config.outbox.path,
      ],
      ['samples', samplesText(config)],
      ['status', config.status === null ? 'none' : `http://127.0.0.1:${config.status.port}/station`],
      ...config.sinks.map((sink, at) => [`sink ${at + 1}`, described(sink)]),
    ]),
  ];
}

function described({ kind, ...rest }: { readonly kind: string; readonly [key: string]: unknown }): string {
  const details = Object.entries(rest).filter(([, value]) => value !== null && typeof value !== 'object');
  return [kind, ...details.map(([key, value]) => `${key} ${String(value as string | number | boolean)}`)].join(', ');
}

function partIdText({ partId }: StationConfig): string {
  const what = partId.pattern === null ? 'any' : `must match ${partId.pattern}`;
  return partId.required ? `${what}, needed` : what;
}

function modelText({ model }: StationConfig): string {
  return `${model.path}, ${model.threads} ${model.threads === 1 ? 'thread' : 'threads'}, ${model.provider}`;
}

function fallbackText({ fallback }: StationConfig): string {
  if (fallback === null) return 'none';
  const { cascade } = fallback;
  if (cascade === null) return `${fallback.path}, when the model does not answer`;
  return `${fallback.path}, first; scores from ${cascade.sureBelow} to ${cascade.sureAbove} go to the model`;
}

function thresholdsText(thresholds: StationConfig['thresholds']): string {
  if (thresholds === null) return 'as the model notes them';
  return `PASS below ${thresholds.passBelow}, NG from ${thresholds.ngAbove} on, REVIEW between`;
}

function instead({ fallback, cloud, model }: StationConfig): string {
  const ways = [
    ...(cloud !== null && model.resident ? ['the rest of the model here'] : []),
    ...(fallback === null ? [] : ['the small model']),
    'REVIEW',
  ];
  return ways.join(', else ');
}

function stagesText({ stages }: StationConfig): string {
  return Object.entries(stages)
    .map(([name, stage]) => `${name} ${stage.queue}${'policy' in stage ? ` ${stage.policy}` : ''}`)
    .join('; ');
}

function samplesText({ samples }: StationConfig): string {
  if (samples === null) return 'none are kept';
  const { path, verdicts, near, random, quota } = samples;
  return `${path}: ${verdicts.join(', ')}, scores within ${near} of a threshold, ${100 * random} % of all; ${formatBytes(quota)} at most`;
}
