// chain.json: a model as segments at nested cuts, shared by the splitter that writes it and the runtimes that read it.
import { ManifestFields, type ManifestFile, type SplitTensor } from './manifest-fields.ts';
import { parseSplitCodec, type SplitCodec, tableFilesOf } from './split-codec.ts';

export const CHAIN_FORMAT = 'kerf-chain/1';

/** Segments of a chain, at most. */
export const MAX_CHAIN_SEGMENTS = 6;

/** The nodes between two neighbouring cuts, as a model of its own. */
export interface ChainSegment extends ManifestFile {
  /** Nodes that depend on an input; constant ones are copied to whoever needs them. */
  readonly nodes: number;
  /** Model inputs and outputs of earlier segments. */
  readonly inputs: readonly string[];
  /** What later segments need of it, and the final outputs that it makes. */
  readonly outputs: readonly string[];
  /** External data that only this segment uses, or null. */
  readonly externalData: ManifestFile | null;
  /** Whether it reads weights from the chain's shared file. */
  readonly usesSharedData: boolean;
  /** Hex SHA-256 over the hashes of all files that it needs: two segments with the same id compute the same. */
  readonly id: string;
}

/** Where a cut is the best placement that the chain offers. */
export interface ChainReign {
  /** Part of the grid of links, 0 to 1. */
  readonly share: number;
  /** Least and most, of the links where it reigns; between them another placement may reign as well. */
  readonly uplinkBitsPerSecond: readonly [number, number];
  readonly roundTripMs: readonly [number, number];
}

/** Between segment k and segment k + 1. */
export interface ChainCut {
  /** All that crosses: values that later segments need, and model inputs that they need too. */
  readonly tensors: readonly string[];
  /** Bytes of a frame's tensors; null while a size is open. */
  readonly bytes: number | null;
  /** How what crosses is sent. Part of no hash: payloads name what they are coded with. */
  readonly codec: SplitCodec;
  /** Null where it is the best nowhere, or nobody asked. */
  readonly reign: ChainReign | null;
}

/** How far a placement is from the best one: latency over least latency, less 1, over the grid of links. */
export interface ChainLoss {
  readonly worst: number;
  readonly mean: number;
}

/** What profiles expect of a frame that is divided at one place. */
export interface ChainExpectation {
  /** All that runs on the edge. */
  readonly edgeMs: number;
  /** All that runs in the cloud, the way through gateway and worker included. */
  readonly cloudMs: number;
  readonly downlinkBytes: number;
}

/** Why the cuts are where they are, where profiles chose them. */
export interface ChainChoice {
  readonly links: {
    readonly count: number;
    readonly uplinkBitsPerSecond: readonly [number, number];
    readonly roundTripMs: readonly [number, number];
  };
  /** Cuts that are the best placement on some link when nothing limits the choice. */
  readonly optimalCuts: number;
  /** Of the chain's best placement, edge alone and cloud alone among them. */
  readonly regret: ChainLoss;
  /** False where the search ended at its limit: a better choice of cuts may exist. */
  readonly isExact: boolean;
  /** Where the edge alone and the cloud alone reign; null for nowhere. */
  readonly edge: ChainReign | null;
  readonly cloud: ChainReign | null;
  /** By the number of segments on the edge, from none to all; null in chains of earlier versions. */
  readonly expected: readonly ChainExpectation[] | null;
}

/** The model that was cut. */
export interface ChainSource extends ManifestFile {
  /** What names it with the weights that lay beside it; left out by earlier versions. */
  readonly identity?: string;
}

export interface ChainManifest {
  readonly format: typeof CHAIN_FORMAT;
  /** The model that was cut. */
  readonly source: ChainSource;
  /** Model inputs and outputs in the order of the source model. */
  readonly modelInputs: readonly string[];
  readonly modelOutputs: readonly string[];
  /** In the order of a frame; 1 to {@link MAX_CHAIN_SEGMENTS}. */
  readonly segments: readonly ChainSegment[];
  /** One fewer than the segments. */
  readonly cuts: readonly ChainCut[];
  /** dtype and shape of every name above. */
  readonly tensors: readonly SplitTensor[];
  /** Weights that several segments use, or null. */
  readonly sharedData: ManifestFile | null;
  /** Null where the cuts were named by hand. */
  readonly choice: ChainChoice | null;
  /** Hex SHA-256 over source, cuts and segments: both sides of a session hold the same chain. */
  readonly chain: string;
  readonly createdBy: string;
}

const fields = new ManifestFields('chain.json', 'make the chain again');

/**
 * A checked manifest from parsed JSON; unknown keys are ignored.
 * @throws {KerfError} MANIFEST_INVALID naming the first field that is wrong, or the value that nothing provides.
 */
export function parseChainManifest(json: unknown): ChainManifest {
  const root = fields.record(json, 'chain.json');
  if (root['format'] !== CHAIN_FORMAT) throw fields.invalid('format', `'${CHAIN_FORMAT}'`);
  const manifest: ChainManifest = {
    format: CHAIN_FORMAT,
    source: source(root['source']),
    modelInputs: fields.names(root['modelInputs'], 'modelInputs'),
    modelOutputs: fields.names(root['modelOutputs'], 'modelOutputs'),
    segments: fields.list(root['segments'], 'segments').map(segment),
    cuts: fields.list(root['cuts'], 'cuts').map(cut),
    tensors: fields.list(root['tensors'], 'tensors').map((tensor) => fields.tensor(tensor)),
    sharedData: fields.optionalFile(root['sharedData'], 'sharedData'),
    choice: (root['choice'] ?? null) === null ? null : choice(root['choice']),
    chain: fields.digest(root['chain'], 'chain'),
    createdBy: fields.text(root['createdBy'], 'createdBy'),
  };
  checkCounts(manifest);
  checkFiles(manifest);
  checkFlow(manifest);
  return manifest;
}

function checkCounts({ segments, cuts, choice }: ChainManifest): void {
  if (segments.length < 1 || segments.length > MAX_CHAIN_SEGMENTS) {
    throw fields.invalid('segments', `a list of 1 to ${MAX_CHAIN_SEGMENTS}`);
  }
  if (cuts.length !== segments.length - 1) throw fields.invalid('cuts', 'a list of one fewer than the segments');
  if (choice?.expected != null && choice.expected.length !== segments.length + 1) {
    throw fields.invalid(EXPECTED, 'a list of one more than the segments');
  }
}

/** The level tables of all cuts, each file once. */
export function chainTableFiles({ cuts }: Pick<ChainManifest, 'cuts'>): ManifestFile[] {
  const tables = cuts.flatMap(({ codec }) => tableFilesOf(codec));
  return [...new Map(tables.map((table) => [table.file, table])).values()];
}

/** No file stands for two things. */
function checkFiles(manifest: ChainManifest): void {
  const { segments, sharedData } = manifest;
  const files = [
    ...segments,
    ...segments.flatMap(({ externalData }) => externalData ?? []),
    ...(sharedData === null ? [] : [sharedData]),
    ...chainTableFiles(manifest),
  ];
  const seen = new Set(['chain.json']);
  for (const { file } of files) {
    // Names that differ in case alone are one file on some systems.
    const name = file.toLowerCase();
    if (seen.has(name)) throw fields.fault(`the file '${file}' is named twice`);
    seen.add(name);
  }
  const user = segments.findIndex(({ usesSharedData }) => usesSharedData);
  if (user >= 0 && sharedData === null) throw fields.fault(`segment ${user} uses shared data that is not named`);
}

/** Every segment gets what it needs from those before it, and what crosses each cut is just what those behind it need. */
function checkFlow({ segments, cuts, modelInputs, modelOutputs, tensors }: ChainManifest): void {
  const available = new Set(modelInputs);
  segments.forEach(({ inputs, outputs }, at) => {
    const missing = inputs.find((name) => !available.has(name));
    if (missing !== undefined) throw fields.fault(`nothing before segment ${at} provides '${missing}'`);
    const repeated = outputs.find((name) => available.has(name));
    if (repeated !== undefined) throw fields.fault(`'${repeated}' is made again by segment ${at}`);
    for (const name of outputs) available.add(name);
    const { tensors: crossing } = cuts[at] ?? { tensors: [] };
    checkCrossing(crossing, neededBehind(segments.slice(at + 1)), available, at);
  });
  const lost = modelOutputs.find((name) => !available.has(name));
  if (lost !== undefined) throw fields.fault(`no segment delivers the output '${lost}'`);
  const known = new Set(tensors.map(({ name }) => name));
  const untyped = [...available].find((name) => !known.has(name));
  if (untyped !== undefined) throw fields.fault(`'tensors' does not say what '${untyped}' is`);
}

/** What segments take from outside. */
function neededBehind(segments: readonly ChainSegment[]): Set<string> {
  const made = new Set(segments.flatMap(({ outputs }) => outputs));
  return new Set(segments.flatMap(({ inputs }) => inputs).filter((name) => !made.has(name)));
}

function checkCrossing(
  crossing: readonly string[],
  needed: ReadonlySet<string>,
  available: ReadonlySet<string>,
  at: number,
): void {
  const left = [...needed].find((name) => available.has(name) && !crossing.includes(name));
  if (left !== undefined) throw fields.fault(`cut ${at} lacks '${left}', which a segment behind it needs`);
  const stray = crossing.find((name) => !needed.has(name));
  if (stray !== undefined) throw fields.fault(`cut ${at} carries '${stray}', which no segment behind it needs`);
  if (new Set(crossing).size !== crossing.length) throw fields.fault(`cut ${at} carries a tensor twice`);
}

function source(value: unknown): ChainSource {
  const { identity } = fields.record(value, 'source');
  const file = fields.source(value);
  return identity === undefined ? file : { ...file, identity: fields.digest(identity, 'source.identity') };
}

function segment(value: unknown, at: number): ChainSegment {
  const field = `segments[${at}]`;
  const object = fields.record(value, field);
  return {
    ...fields.file(object, field),
    nodes: fields.size(object['nodes'], `${field}.nodes`),
    inputs: fields.names(object['inputs'], `${field}.inputs`),
    outputs: fields.names(object['outputs'], `${field}.outputs`),
    externalData: fields.optionalFile(object['externalData'], `${field}.externalData`),
    usesSharedData: flag(object['usesSharedData'], `${field}.usesSharedData`),
    id: fields.digest(object['id'], `${field}.id`),
  };
}

function cut(value: unknown, at: number): ChainCut {
  const field = `cuts[${at}]`;
  const object = fields.record(value, field);
  const bytes = object['bytes'] ?? null;
  const tensors = fields.names(object['tensors'], `${field}.tensors`);
  return {
    tensors,
    codec: parseSplitCodec(object['codec'] ?? { kind: 'raw' }, tensors, fields),
    bytes: bytes === null ? null : fields.size(bytes, `${field}.bytes`),
    reign: reign(object['reign'], `${field}.reign`),
  };
}

function reign(value: unknown, field: string): ChainReign | null {
  if ((value ?? null) === null) return null;
  const object = fields.record(value, field);
  return {
    share: fields.number(object['share'], `${field}.share`),
    uplinkBitsPerSecond: range(object['uplinkBitsPerSecond'], `${field}.uplinkBitsPerSecond`),
    roundTripMs: range(object['roundTripMs'], `${field}.roundTripMs`),
  };
}

function choice(value: unknown): ChainChoice {
  const object = fields.record(value, 'choice');
  const links = fields.record(object['links'], 'choice.links');
  const regret = fields.record(object['regret'], 'choice.regret');
  return {
    links: {
      count: fields.size(links['count'], 'choice.links.count'),
      uplinkBitsPerSecond: range(links['uplinkBitsPerSecond'], 'choice.links.uplinkBitsPerSecond'),
      roundTripMs: range(links['roundTripMs'], 'choice.links.roundTripMs'),
    },
    optimalCuts: fields.size(object['optimalCuts'], 'choice.optimalCuts'),
    regret: {
      worst: fields.number(regret['worst'], 'choice.regret.worst'),
      mean: fields.number(regret['mean'], 'choice.regret.mean'),
    },
    isExact: flag(object['isExact'], 'choice.isExact'),
    edge: reign(object['edge'], 'choice.edge'),
    cloud: reign(object['cloud'], 'choice.cloud'),
    expected: (object['expected'] ?? null) === null ? null : fields.list(object['expected'], EXPECTED).map(expectation),
  };
}

const EXPECTED = 'choice.expected';

function expectation(value: unknown, at: number): ChainExpectation {
  const field = `${EXPECTED}[${at}]`;
  const object = fields.record(value, field);
  return {
    edgeMs: fields.number(object['edgeMs'], `${field}.edgeMs`),
    cloudMs: fields.number(object['cloudMs'], `${field}.cloudMs`),
    downlinkBytes: fields.number(object['downlinkBytes'], `${field}.downlinkBytes`),
  };
}

function range(value: unknown, field: string): [number, number] {
  const [least, most, ...more] = fields.list(value, field).map((bound) => fields.number(bound, field));
  if (least === undefined || most === undefined || more.length > 0 || most < least) {
    throw fields.invalid(field, 'the least and the most');
  }
  return [least, most];
}

function flag(value: unknown, field: string): boolean {
  if (typeof value !== 'boolean') throw fields.invalid(field, 'true or false');
  return value;
}
