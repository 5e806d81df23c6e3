// The thread that opens the model's graph and asks the planner, so that neither holds up the line.
import { readFile } from 'node:fs/promises';
import { parentPort } from 'node:worker_threads';
import type { CutPlan } from '@kerf/bridge';
import { openModelFile } from '@kerf/onnx/node';
import { checkProfileModel, type DeviceProfile, parseDeviceProfile } from '@kerf/splitter';
import { failedMessage } from '../../failed-message.ts';
import { refused } from '../../refusal.ts';
import { buildCutGraph } from './build-cut-graph.ts';
import { buildCutPlan, type CutSubject, losesSomething } from './build-cut-plan.ts';
import type { FromPlanner, Opened, PlannerSetup, ToPlanner } from './cut-messages.ts';
import { profileNote } from './cut-profiles.ts';
import { NO_CODINGS, readCodings } from './read-codings.ts';

let subject: CutSubject | null = null;

async function open(setup: PlannerSetup): Promise<Opened> {
  const { name, wholePath, partPaths, edgePath, cloudPath, routes, deadlineMs, isEdgeNamed } = setup;
  if (wholePath === null) {
    subject = null;
    const graphs = await Promise.all(partPaths.map(async (path) => (await openModelFile(path)).graph));
    const graph = buildCutGraph({ file: name, from: 'parts', graphs, profiles: null });
    return { edge: null, cloud: null, graph, hasLossy: false };
  }
  const model = await openModelFile(wholePath);
  const { graph, sha256 } = model;
  const edge = edgePath === null ? null : await readProfile(edgePath, 'edge', sha256);
  const cloud = cloudPath === null ? null : await readProfile(cloudPath, 'cloud', sha256);
  const profiles = edge === null ? null : { edge, cloud: cloud ?? edge };
  const codings = profiles === null ? NO_CODINGS : await readCodings(model, profiles.edge, setup);
  subject = profiles === null ? null : { graph, ...profiles, ...codings, routes, deadlineMs };
  return {
    edge: edge === null ? null : profileNote(edge, isEdgeNamed),
    cloud: cloud === null ? null : profileNote(cloud, true),
    graph: buildCutGraph({ file: name, from: 'whole', graphs: [graph], profiles }),
    hasLossy: codings.images.length > 0 || codings.calibrated.some(({ entries }) => entries.some(losesSomething)),
  };
}

async function readProfile(path: string, whose: 'edge' | 'cloud', sha256: string): Promise<DeviceProfile> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw refused({ kind: 'file-unreadable', file: `profiles.${whose}` }, cause);
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw refused({ kind: 'no-profile', file: `profiles.${whose}` }, cause);
  }
  const profile = parseDeviceProfile(json);
  checkProfileModel(profile, { sha256 }, whose);
  return profile;
}

function planned(question: Parameters<typeof buildCutPlan>[1]): CutPlan {
  if (subject === null) throw refused({ kind: 'no-what-if' });
  return buildCutPlan(subject, question);
}

parentPort?.on('message', (message: ToPlanner) => {
  const answer = async (): Promise<Opened | CutPlan> =>
    message.kind === 'open' ? await open(message.setup) : planned(message.question);
  const say = (reply: FromPlanner): void => parentPort?.postMessage(reply);
  answer().then(
    (value) => say({ id: message.id, value }),
    (error: unknown) => say({ id: message.id, failed: failedMessage(error) }),
  );
});
