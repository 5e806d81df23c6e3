// Cuts of a model: list them, plan one, emit head and tail, and check that they equal the whole. Values first, then types.

export type { ChainNames, DivisionNames } from '@kerf/protocol';
export { chainHash, divisionNames, segmentId } from '@kerf/protocol';
export { ChainPart, runChain } from './chain/chain-model.ts';
export type { ChooseCutsRequest, ChosenCuts } from './chain/choose-cuts.ts';
export { chooseCuts } from './chain/choose-cuts.ts';
export type { LinkGrid } from './chain/links.ts';
export { DEFAULT_LINKS, logSpaced } from './chain/links.ts';
export type { ChainPlan, SegmentPlan } from './chain/plan-chain.ts';
export { planChain } from './chain/plan-chain.ts';
export type { CostRequest } from './chain/price-cuts.ts';
export { calibrateCut, calibrateStudied } from './codec/calibrate-cut.ts';
export type {
  CalibrationLimits,
  CalibrationRequest,
  CalibrationSamples,
  CutCalibration,
  MeasuredCodec,
} from './codec/calibration.ts';
export type { CodecFiles } from './codec/codec-files.ts';
export { codecFiles } from './codec/codec-files.ts';
export type { CutTraffic } from './codec/coded-cut.ts';
export { CodedCut } from './codec/coded-cut.ts';
export type { CutSamples } from './codec/cut-samples.ts';
export { CutStudy, LEAST_SAMPLES } from './codec/cut-study.ts';
export type { HandCodec, PlainCodec } from './codec/hand-codec.ts';
export { channelAxisOf, HAND_CODECS, handCodec, splitCodecs } from './codec/hand-codec.ts';
export type { Difference, Tolerance } from './compare-tensors.ts';
export { compareTensors } from './compare-tensors.ts';
export type { DrawnNode } from './drawn-nodes.ts';
export { drawnNodes } from './drawn-nodes.ts';
export type { Expectation } from './expectation.ts';
export { expectation } from './expectation.ts';
export { fusedValues, fusionAt } from './fused-pairs.ts';
export type { ListCutsOptions, ListedCut } from './list-cuts.ts';
export { crossableCuts, listCuts } from './list-cuts.ts';
export type { ModelHost, ReadExternal } from './model-host.ts';
export { bytesHost, TRANSIENT_DATA_FILE } from './model-host.ts';
export type { Candidate, CostSource, Crossing, Prediction } from './plan/candidate.ts';
export { candidateKey, predict, stagesOf } from './plan/candidate.ts';
export type { Change } from './plan/changes.ts';
export type { CodecProfile, CutCodec, MeasuredTensorCodec } from './plan/codec-profile.ts';
export { CODECS_FORMAT, mergeCodecProfiles, parseCodecProfile } from './plan/codec-profile.ts';
export type { CodedKind, CodingSpeed, CodingSpeeds } from './plan/coding-speed.ts';
export { CODED_KINDS } from './plan/coding-speed.ts';
export type { FoldableNode, Repeat } from './plan/fold-repeats.ts';
export { foldRepeats } from './plan/fold-repeats.ts';
export { losslessCodec } from './plan/lossless-codec.ts';
export type { CutProblem, CutValue, Division, WeightGroup } from './plan/min-cut.ts';
export { CutNetwork, divisionOf, PIN } from './plan/min-cut.ts';
export type { PlacedNode } from './plan/placed-nodes.ts';
export { placedNodes } from './plan/placed-nodes.ts';
export type { NoPlan, Plan } from './plan/plan.ts';
export { plan } from './plan/plan.ts';
export type { Curve } from './plan/plan-curve.ts';
export { planCurve } from './plan/plan-curve.ts';
export type { PricedCut } from './plan/price-cuts.ts';
export { priceCuts } from './plan/price-cuts.ts';
export type { DivisionPrices } from './plan/price-divisions.ts';
export { priceDivisions } from './plan/price-divisions.ts';
export type {
  CrossingCost,
  DeviceProfile,
  LinkProfile,
  NodeCost,
  NodeMemory,
  ProfiledValue,
  SegmentCost,
} from './plan/profile.ts';
export {
  checkProfileModel,
  LINK_FORMAT,
  PROFILE_FORMAT,
  parseDeviceProfile,
  parseLinkProfile,
  parseProfile,
  statedLink,
} from './plan/profile.ts';
export type { ConstraintName, ImageInput, PlanCodec, PlanConstraints, PlanRequest } from './plan/request.ts';
export { RAW_CODEC } from './plan/request.ts';
export { scaleProfile } from './plan/scale-profile.ts';
export type { Goal, Priced } from './plan/search.ts';
export type { CutPlan } from './plan-cut.ts';
export { planCut } from './plan-cut.ts';
export { measureCoding } from './profile/measure-coding.ts';
export type { KernelEvent } from './profile/node-costs.ts';
export { nodeCostsOfEvents } from './profile/node-costs.ts';
export { checkSizesBound } from './profile/open-dimensions.ts';
export { profileModel } from './profile/profile-model.ts';
export type { NodeEvents, ProfileOptions, ProfileSide } from './profile/profile-options.ts';
export type { Range } from './quantize/affine.ts';
export type { RangeMethod, RangeOptions } from './quantize/choose-range.ts';
export { chooseRange, RANGE_METHODS } from './quantize/choose-range.ts';
export type { ReadTensor } from './quantize/constants.ts';
export { tensorsInBytes } from './quantize/constants.ts';
export type { CutForm, CutFormOptions, CutValue as QuantizedCutValue } from './quantize/cut-form.ts';
export { checkCutValue, cutForm } from './quantize/cut-form.ts';
export type { DynamicForm, DynamicOptions } from './quantize/dynamic-form.ts';
export { dynamicForm } from './quantize/dynamic-form.ts';
export type { Float32Node } from './quantize/float16-choice.ts';
export type { Float16Form, Float16Options } from './quantize/float16-form.ts';
export { float16Form } from './quantize/float16-form.ts';
export { Histogram } from './quantize/histogram.ts';
export type { Int8Node, Int8Plan } from './quantize/int8-plan.ts';
export { planInt8 } from './quantize/int8-plan.ts';
export type { JudgedSample, Judgement } from './quantize/judge.ts';
export { Judge } from './quantize/judge.ts';
export type { ObserveOptions } from './quantize/observe.ts';
export { observeChannels, observeRanges, observeValues } from './quantize/observe.ts';
export { Int8Reader, staticForm } from './quantize/static-form.ts';
export type { NodeSensitivity, StaticResult, StaticSearchOptions } from './quantize/static-search.ts';
export { searchStatic, valuesToObserve } from './quantize/static-search.ts';
export type { WeightsForm } from './quantize/weights-form.ts';
export { weightsForm } from './quantize/weights-form.ts';
export type { SampleOptions, Sampler } from './sample-inputs.ts';
export { findInputs } from './sample-inputs.ts';
export type { InputShapes } from './sample-shapes.ts';
export { checkBindings } from './sample-shapes.ts';
export { sampleTensor } from './sample-tensor.ts';
export type { SideRecipe, SplitFiles, SplitModels } from './split-model.ts';
export { extractSide, pairHash, splitManifest, splitModel } from './split-model.ts';
export type { Scored } from './task/auroc.ts';
export { imageAuroc, imageAurocInterval, pixelAuroc, pixelAurocInterval } from './task/auroc.ts';
export type { ScoredBox } from './task/box-matches.ts';
export { characterAccuracy, decodeCtc, editDistance } from './task/ctc.ts';
export type { EvaluationOptions, GroupReport, Measured, TaskReport } from './task/evaluation.ts';
export { Evaluation, lossMetric } from './task/evaluation.ts';
export type { BootstrapOptions, Interval } from './task/intervals.ts';
export { bootstrapInterval, wilsonInterval } from './task/intervals.ts';
export type { LossBoundOptions } from './task/loss-bound.ts';
export { DEFAULT_CONFIDENCE_PERCENT, lossBound, samplesToShow } from './task/loss-bound.ts';
export type { MetricOptions, PairedLoss, Tally, TallyMetric, TaskKind } from './task/metric-for.ts';
export { MASK_NAMES, metricFor, metricInterval, pairedLoss, pick, SCORE_NAMES, taskKindOf } from './task/metric-for.ts';
export type { PixelCounts } from './task/pixel-counts.ts';
export { countPixels, iou, largestProbability } from './task/pixel-counts.ts';
export type { Answered, Label, Mask, TaskMetric, TaskSample } from './task/task.ts';
export type { PartVerdict, Rate, Thresholds, VerdictRates } from './task/verdicts.ts';
export { rateOf, ratesOfVerdicts, verdictOf, verdictRates } from './task/verdicts.ts';
export type { DimensionBindings, ValueSpec, ValueSpecOptions } from './value-types.ts';
export { mergeSpec, valueSpecs } from './value-types.ts';
export type {
  CompareOptions,
  LoadedSplit,
  OutputDifference,
  SplitFront,
  SplitNames,
  VerifyReport,
} from './verify-split.ts';
export { compareSplit, runHead, runSplit, runTail } from './verify-split.ts';
