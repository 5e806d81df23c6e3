// What tests and tools may use of the command line package.

export type { CloudProcess } from './cloud-process.ts';
export { endProcess, KERF_BIN, startCloudProcess } from './cloud-process.ts';
export type { Command, OptionSpec } from './command.ts';
export { COMMAND_NAMES, findCommand } from './command-table.ts';
export type { LinkShaper, LinkShaperOptions } from './link-shaper.ts';
export { startLinkShaper } from './link-shaper.ts';
export { MeasuringLab } from './measure/lab.ts';
export { measurePlacements } from './measure/measure-placements.ts';
export type { MeasuredCandidate, MeasuredPlan, MeasurePlanOptions } from './measure/measure-plan.ts';
export { measurePlan, measureWith } from './measure/measure-plan.ts';
export { placementOf } from './measure/pick.ts';
export { describeCoding, encodePicture } from './measure/picture-coding.ts';
export type {
  Contender,
  EdgeRuntime,
  FrameSource,
  MeasuredLink,
  MeasuredRow,
  MeasureLimits,
  PictureCoding,
  Placement,
} from './measure/placements.ts';
export { inWorkshop } from './measure/processes.ts';
export { decodeNpy, encodeNpy } from './npy.ts';
export { Html, html } from './page/html.ts';
export { logScale, percent } from './page/ticks.ts';
export { decodePicture, readPicture, resizePicture } from './picture.ts';
export { IMAGE_CODINGS, imageInputs } from './plan/image-candidates.ts';
export { PLAN_STYLE } from './plan/page/plan-style.ts';
export type { Point } from './plan/page/plot.ts';
export { curve, plot } from './plan/page/plot.ts';
export { scrolling, section } from './plan/page/words.ts';
export { chooseSamples, halves, requireSamples } from './samples/choose-samples.ts';
export type { FindOptions } from './samples/find-samples.ts';
export { findSamples } from './samples/find-samples.ts';
export type { LoadOptions, Recode } from './samples/load-sample.ts';
export { loadSample, loadSamples } from './samples/load-sample.ts';
export type { EntryLabel, SampleEntry, SampleSet } from './samples/sample-set.ts';
export { formatBytes } from './units.ts';
