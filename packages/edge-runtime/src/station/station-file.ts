// What a station file may say, key by key: validation, defaults and the JSON Schema follow from it.
import { PLAIN_NAME } from '@kerf/protocol';
import { SOURCE_CONFIG } from '../capture/source-config.ts';
import { TRIGGER_CONFIG } from '../capture/trigger-config.ts';
import { list, maybe, needed, object, problem, type ValueOf, withDefault } from '../config/shape.ts';
import { choice, duration, flag, number, pattern, size, text } from '../config/values.ts';
import { type PlcConfig, plcShape } from '../plc/plc-config.ts';
import { recordShape } from '../recording/record-config.ts';
import { samplesShape } from '../samples/sample-config.ts';
import { sampleLabels } from '../samples/sample-labels.ts';
import { SINK_CONFIG } from '../sinks/sink-config.ts';
import { PADDING, PICTURE_FITS } from './fit-picture.ts';
import { checkJudging, TASK, THRESHOLDS } from './judge/judge.ts';
import { STAGES } from './options.ts';
import { READABLE } from './picture-check.ts';

export const STATION_FORMAT = 'kerf-station/1';

const pixels = number({ least: 1, most: 65_536, whole: true });
const perChannel = list(number(), { least: 1, most: 3 });
const path = text({ mostCharacters: 4096 });

const PICTURE = object({
  size: maybe(
    object({ width: needed(pixels, 'in pixels'), height: needed(pixels, 'in pixels') }),
    "size of the model's input, where the model leaves it open",
  ),
  crop: maybe(
    object({
      x: needed(number({ least: 0, most: 65_535, whole: true }), 'left edge in pixels'),
      y: needed(number({ least: 0, most: 65_535, whole: true }), 'top edge in pixels'),
      width: needed(pixels, 'in pixels'),
      height: needed(pixels, 'in pixels'),
    }),
    'the part of the picture that the model sees (default: all of it)',
  ),
  mean: maybe(perChannel, 'subtracted from pixels of 0 to 1 (default 0)'),
  std: maybe(perChannel, 'then divided by (default 1)'),
  channels: maybe(choice(['rgb', 'bgr', 'gray']), "order of the input's channels (default rgb; gray where it has one)"),
  fit: maybe(
    choice(PICTURE_FITS),
    "where the picture's shape is not the input's: stretch it, or keep it and pad on both sides, or pad-end to the right or below (default stretch)",
  ),
  padding: maybe(number({ least: 0, most: 255, whole: true }), `grey of what is padded, 0 to 255 (default ${PADDING})`),
});

const SEND = object({
  format: needed(choice(['png', 'jpeg', 'webp']), 'how pictures are coded'),
  quality: withDefault(number({ least: 1, most: 100, whole: true }), 90, 'of jpeg and webp'),
});

const MODEL = object({
  path: needed(
    path,
    "split folder, chain folder, .onnx file, or a device's folder (kerf update) whose release runs; relative to the station file",
  ),
  threads: withDefault(number({ least: 1, most: 256, whole: true }), 1, 'threads of one operator'),
  provider: withDefault(text({ mostCharacters: 32 }), 'cpu', 'execution provider of the runtime'),
  resident: withDefault(
    flag,
    true,
    'hold the rest of the model too where the folder has it, so that frames can be finished here',
  ),
  route: maybe(
    text({ mostCharacters: 32, pattern: /^(edge|cloud|cut-[1-9])$/, like: 'edge, cloud or cut-1 to cut-9' }),
    'of a chain: where every frame runs, for as long as it can (default: chosen frame by frame)',
  ),
  noRawInput: withDefault(flag, false, 'of a chain: no route on which an input of the model crosses'),
  maxEdgeSize: maybe(
    size({ least: 1, most: 2 ** 50 }),
    'of a chain: no route whose segments are larger on this device (default: any)',
  ),
  source: maybe(path, 'the whole .onnx file of a split or a chain, for the Inspector; relative to the station file'),
});

const PROFILES = object({
  edge: maybe(path, "what 'kerf profile' measured on this device (default: MODEL.profile.json beside this file)"),
  cloud: maybe(path, 'what it measured where the cloud runs (default: the cloud is taken to be as this device)'),
  codecs: withDefault(
    list(path, { least: 0, most: 16 }),
    [],
    "codecs measured at cuts: what 'kerf calibrate --codecs' wrote, or calibrated splits or chains",
  ),
  picture: maybe(path, 'a usual picture: the cloud with PNG, JPEG and WebP is priced too (default: tensors only)'),
});

const CLOUD = object({
  url: needed(text({ mostCharacters: 2048, pattern: /^wss?:\/\//, like: 'a wss:// URL' }), 'of kerf serve'),
  model: maybe(text({ mostCharacters: 256 }), "the model's id there (default: name of the model's folder or file)"),
  tokenFile: maybe(path, 'file with the token, read again at each connect (default: KERF_TOKEN of the environment)'),
  ca: maybe(path, "PEM file of the authority behind the cloud's certificate"),
  send: maybe(SEND, 'where the whole model runs in the cloud: code pictures (default: send the tensor without loss)'),
});

const FALLBACK = object({
  path: needed(path, 'a smaller .onnx model for this device; relative to the station file'),
  task: maybe(TASK, "what its outputs mean (default: the station's task)"),
  thresholds: maybe(THRESHOLDS, "its own thresholds (default: the model's notes)"),
  cascade: maybe(
    object({
      sureBelow: needed(number(), 'the small model answers alone where its score is below this'),
      sureAbove: needed(number(), 'and where it is this or above; what lies between goes to the model'),
    }),
    'ask the small model first (default: it answers only when the model does not)',
  ),
});

const PART_ID = object({
  pattern: maybe(
    pattern,
    'regular expression that a part id must match as a whole; another one is an unknown part: NO_READ',
  ),
  required: withDefault(flag, false, 'a part without an id is NO_READ'),
});

const OUTBOX = object({
  path: needed(path, 'folder that keeps records until every sink has them; relative to the station file'),
  maxSize: withDefault(size({ least: 4096, most: 2 ** 40 }), 256 * 2 ** 20, 'what it may hold'),
  syncEvery: withDefault(
    duration({ leastMs: 0, mostMs: 60_000 }),
    0,
    'a loss of power may take what was put in the last so long; 0 ms syncs each record',
  ),
});

const STATUS = object({
  port: needed(number({ least: 0, most: 65_535, whole: true }), 'TCP port; 0 takes a free one'),
});

const REGISTRY = object({
  url: needed(text({ mostCharacters: 2048, pattern: /^https?:\/\//, like: 'an https:// URL' }), 'of kerf registry'),
  tokenFile: needed(path, 'file with a token for it, read again at each call; it never leaves the station'),
  ca: maybe(path, "PEM file of the authority behind the registry's certificate"),
});

const SHADOW = object({
  every: withDefault(number({ least: 1, most: 100_000, whole: true }), 1, 'one part of so many is compared'),
  frames: withDefault(number({ least: 20, most: 5000, whole: true }), 200, 'parts before a release can be confirmed'),
});

const UPDATES = object({
  every: maybe(
    duration({ leastMs: 60_000, mostMs: 30 * 86_400_000 }),
    'between two looks for a newer release, which is fetched and never switched to by itself (default: when asked)',
  ),
  knownParts: maybe(path, 'folder of known parts that a new release is tried on; relative to the station file'),
  shadow: maybe(
    SHADOW,
    'while a release is on probation, parts go through it and the one before: it is confirmed, or left, by itself',
  ),
  registry: maybe(REGISTRY, "the fleet's registry, whose rollouts are shown and steered from here"),
});

const SHAPE = object({
  format: needed(choice([STATION_FORMAT]), 'version of this file'),
  station: needed(
    text({ mostCharacters: 64, pattern: PLAIN_NAME, like: 'letters, digits, points, dashes and underscores' }),
    "the station's name, in every record; letters of any script",
  ),
  source: needed(SOURCE_CONFIG, 'what brings pictures: a folder, a camera, uploads'),
  trigger: maybe(TRIGGER_CONFIG, 'who asks for a picture (default: nobody, each picture is a part)'),
  partId: withDefault(PART_ID, { pattern: null, required: false }, 'what part ids must be'),
  readable: withDefault(READABLE, READABLE.read({}, ''), 'limits of a picture that can be judged'),
  picture: withDefault(PICTURE, PICTURE.read({}, ''), 'how pictures become the input of the model'),
  model: needed(MODEL, 'the model that judges parts'),
  profiles: withDefault(PROFILES, PROFILES.read({}, ''), "measured costs, for the Inspector's what-if"),
  cloud: maybe(CLOUD, 'where the tail or the whole model runs (default: all of it here)'),
  fallback: maybe(FALLBACK, 'a small model for the time when the answer does not come'),
  task: needed(TASK, "what the model's outputs mean"),
  thresholds: maybe(THRESHOLDS, "scores of PASS and NG (default: the model's notes)"),
  deadline: withDefault(duration({ leastMs: 1, mostMs: 3_600_000 }), 1000, 'from the picture to the verdict, at most'),
  reconcileFor: withDefault(
    duration({ leastMs: 0, mostMs: 30 * 86_400_000 }),
    86_400_000,
    'how long a provisional verdict waits for the model; then it stands',
  ),
  stages: withDefault(STAGES, STAGES.read({}, ''), 'bounds of the pipeline'),
  outbox: maybe(OUTBOX, 'keeps records and provisional parts over restarts (default: in memory)'),
  updates: maybe(UPDATES, 'releases of the model: when to look, what to try them on, whose fleet'),
  record: maybe(recordShape, 'sessions of pictures and records, for replay (default: none)'),
  samples: maybe(samplesShape, 'parts kept for labelling (default: none)'),
  status: maybe(STATUS, 'health, metrics and counters over HTTP, on this machine only (default: none)'),
  sinks: needed(list(SINK_CONFIG, { least: 1, most: 32 }), 'who gets the records'),
});

export type StationConfig = ValueOf<typeof SHAPE>;

/**
 * A checked configuration from parsed JSON or YAML.
 * @throws {KerfError} CONFIG_INVALID naming every path that is wrong and the nearest right name.
 */
export function parseStationConfig(value: unknown): StationConfig {
  const config = SHAPE.read(value, '');
  const names = config.sinks.map(({ name }) => name);
  const twice = names.findIndex((name, at) => names.indexOf(name) !== at);
  if (twice >= 0) throw problem(`sinks[${twice}].name`, `is '${names[twice]}' as another sink's: give each its own`);
  checkPlc(config);
  checkJudging(config.task, config.thresholds);
  if (config.fallback !== null)
    checkJudging(config.fallback.task ?? config.task, config.fallback.thresholds, 'fallback');
  if (config.samples !== null) sampleLabels(config.samples, config.task);
  if (config.source.kind === 'upload' && config.trigger !== null) {
    throw problem('trigger', 'has no use: each upload is its own trigger; remove it');
  }
  const { cascade } = config.fallback ?? { cascade: null };
  if (cascade !== null && cascade !== undefined && !(cascade.sureBelow <= cascade.sureAbove)) {
    throw problem('fallback.cascade', 'has sureBelow above sureAbove: swap them');
  }
  return config;
}

/** A trigger and a sink at one address are one door, whose outputs show one result. */
function checkPlc({ trigger, sinks }: StationConfig): void {
  const users = sinks.flatMap((sink, at) => (sink.kind === 'modbus' ? [{ path: `sinks[${at}]`, ...sink }] : []));
  for (const [at, sink] of users.entries()) {
    const other = users.slice(0, at).find((one) => doorOf(one) === doorOf(sink));
    if (other !== undefined) throw problem(sink.path, `is at ${doorOf(sink)} as ${other.path} is`);
    if (trigger?.kind !== 'modbus' || doorOf(trigger) !== doorOf(sink)) continue;
    const differing = (Object.keys(plcShape.schema['properties'] as object) as (keyof PlcConfig)[]).find(
      (key) => JSON.stringify(trigger[key]) !== JSON.stringify(sink[key]),
    );
    if (differing !== undefined)
      throw problem(`${sink.path}.${differing}`, "must be as the trigger's: they share a door");
  }
}

const doorOf = ({ connect, listen }: PlcConfig): string => connect ?? listen;

/** The JSON Schema of a station file, draft 2020-12. */
export const STATION_SCHEMA: Readonly<Record<string, unknown>> = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'kerf station file',
  ...SHAPE.schema,
};
