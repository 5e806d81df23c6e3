// A running station -> the answers of the Cut screen: graph, what-if, where frames run, and moving the cut.
import { basename, isAbsolute } from 'node:path';
import type { Caller, CallName, CallParams, CallResults, CutGraph, CutState, FaultView } from '@kerf/bridge';
import type { ResultRecord } from '@kerf/edge-runtime';
import type { OpenedStation, StationFile } from '@kerf/edge-runtime/node';
import { KerfError, messageOf } from '@kerf/protocol';
import { refused } from '../../refusal.ts';
import { editStationFile, routeEdit } from '../edit-station-file.ts';
import { network, SAMPLE_INTERVAL_MS, SwitchHistory } from './cut-history.ts';
import type { Opened } from './cut-messages.ts';
import { type CutModel, cutModelOf } from './cut-model.ts';
import { CutPlanner } from './cut-planner.ts';
import { codecPathsOf, type ProfilePaths, pictureOf, profilePathsOf } from './cut-profiles.ts';
import { measuredRoutes, onlyRoute, waysOf } from './cut-routes.ts';
import { MeasureJob } from './measure-job.ts';

/** Records that measurements are over. */
const RECENT = 100;

type CutCallName = Extract<CallName, `cut.${string}`>;
export type CutCalls = {
  readonly [N in CutCallName]: (params: CallParams<N>, caller: Caller) => Promise<CallResults[N]>;
};

export interface CutDeskOptions {
  readonly opened: OpenedStation;
  /** The station file with the release that runs now. */
  readonly fileNow: () => StationFile;
  /** The newest `count` records, oldest first. */
  latest(count: number): ResultRecord[];
  /** Something that the topic `cut` tells has changed. */
  onChange(): void;
}

interface Subject extends Opened {
  readonly model: CutModel;
  readonly paths: ProfilePaths;
}

export class CutDesk {
  private readonly options: CutDeskOptions;
  private readonly planner = new CutPlanner();
  private readonly history = new SwitchHistory();
  private readonly timer: NodeJS.Timeout;
  private readonly endSwitches: () => void;
  private subject: Promise<Subject> | null = null;
  private release = '';
  private version = 0;
  private job: MeasureJob | null = null;
  private measureFault: FaultView | null = null;
  private applying: Promise<unknown> = Promise.resolve();

  constructor(options: CutDeskOptions) {
    this.options = options;
    this.endSwitches = options.opened.onSwitch((change) => {
      this.history.onSwitch(change, Date.now());
      options.onChange();
    });
    this.timer = setInterval(() => {
      const { placement } = options.opened;
      if (placement === null) return;
      const { estimates, route } = placement.snapshot;
      this.history.sample(estimates, route, Date.now());
    }, SAMPLE_INTERVAL_MS);
    this.timer.unref();
  }

  close(): void {
    clearInterval(this.timer);
    this.endSwitches();
    void this.job?.cancel();
    void this.planner.close();
  }

  readonly calls: CutCalls = {
    'cut.state': () => this.state(),
    'cut.graph': async () => (await this.opened()).graph satisfies CutGraph,
    'cut.plan': async (question) => {
      await this.opened();
      return this.planner.plan(question);
    },
    'cut.history': () => Promise.resolve(this.history.view),
    'cut.apply': (change) => {
      // One after the other: the second of two must see that the first was there.
      const applied = this.applying.then(() => this.apply(change));
      this.applying = applied.catch(() => {});
      return applied;
    },
    'cut.measure': () => this.measure(),
    'cut.cancelMeasure': async () => {
      const { job } = this;
      this.job = null;
      await job?.cancel();
      return this.state();
    },
  };

  /** Opens model and profiles at the first question, and when another release runs; a fault is tried again at the next. */
  private opened(): Promise<Subject> {
    const { release } = this.options.opened.station.snapshot;
    if (release !== this.release && this.subject !== null) {
      this.subject = null;
      this.version++;
    }
    this.release = release;
    this.subject ??= this.open().catch((error: unknown) => {
      this.subject = null;
      throw error;
    });
    return this.subject;
  }

  private async open(): Promise<Subject> {
    const { opened } = this.options;
    const file = this.options.fileNow();
    const model = await cutModelOf(file);
    const paths = await profilePathsOf(file, model.name);
    const ways = waysOf(file, model, opened).filter(({ refusal }) => refusal === null);
    const answer = await this.planner.open({
      name: model.name,
      wholePath: model.wholePath,
      partPaths: model.partPaths,
      edgePath: paths.edge,
      cloudPath: paths.cloud,
      isEdgeNamed: file.config.profiles.edge !== null,
      codecPaths: await codecPathsOf(file, model),
      picture: pictureOf(file),
      // Only a chain can move its cut.
      routes:
        model.kind === 'chain'
          ? ways.map(({ name, placement, crossing }) => ({ name, placement, crossing: crossing ?? [] }))
          : [],
      deadlineMs: file.config.deadline,
    });
    return { ...answer, model, paths };
  }

  /** What the topic tells; the screen's own call opens the model. */
  async state(): Promise<CutState> {
    const { opened } = this.options;
    const file = this.options.fileNow();
    const subject = await this.opened();
    const { model, paths, edge, cloud, hasLossy } = subject;
    const records = this.options.latest(RECENT);
    const { placement } = opened;
    const ways = waysOf(file, model, opened);
    return {
      model: model.kind,
      hasCloud: file.config.cloud !== null,
      routes: measuredRoutes(ways, records, opened),
      route: placement === null ? onlyRoute(ways, records) : placement.snapshot.route,
      pinned: placement?.pinned ?? null,
      ...(placement === null
        ? { uplinkBitsPerSecond: null, roundTripMs: null }
        : network(placement.snapshot.estimates)),
      edge,
      cloud,
      hasLossy,
      missing: model.wholePath === null ? 'model' : edge === null ? 'profile' : null,
      modelPath: isAbsolute(file.config.model.path) ? basename(file.config.model.path) : file.config.model.path,
      measuring: this.job?.progress ?? null,
      measureFault: this.measureFault,
      canMeasure: model.wholePath !== null && paths.target !== null,
      version: this.version,
    };
  }

  private async apply({ route, from }: CallParams<'cut.apply'>): Promise<CutState> {
    const { placement } = this.options.opened;
    if (placement === null) {
      throw refused({ kind: 'one-way' });
    }
    if (from !== placement.pinned) {
      throw refused({ kind: 'cut-changed' });
    }
    const before = placement.pinned;
    // Refused before anything is written: frames must run after a restart as they do now.
    placement.pin(route);
    try {
      await editStationFile(this.options.fileNow().path, routeEdit(route));
    } catch (error) {
      placement.pin(before);
      throw KerfError.from(error, 'FILE_NOT_FOUND', `the station file cannot be written: ${messageOf(error)}`);
    }
    this.options.onChange();
    return this.state();
  }

  private async measure(): Promise<CutState> {
    const file = this.options.fileNow();
    const { model, paths } = await this.opened();
    if (this.job !== null) throw refused({ kind: 'measuring' });
    if (model.wholePath === null || paths.target === null) {
      throw refused({ kind: 'profile-named' });
    }
    const { provider, threads } = file.config.model;
    const { size } = file.config.picture;
    const { target } = paths;
    const setup = { modelPath: model.wholePath, target, provider, threads, picture: size };
    const job = new MeasureJob(setup);
    this.job = job;
    this.measureFault = null;
    void job.ended.then((fault) => {
      if (this.job !== job) return;
      this.job = null;
      this.measureFault = fault;
      this.subject = fault === null ? null : this.subject;
      this.version++;
      this.options.onChange();
    });
    return this.state();
  }
}
