// English of what was done without anybody saying why: to releases by a device, to rollouts by the registry.

export const enCauses = {
  'cause.never-proved': 'It was started {starts} times and never proved itself.',
  'cause.golden-differs':
    'Golden sample {sample} gives another answer on {backend} than where it was published ({madeBy}): {output} differs by {times} times what is allowed.',
  'cause.golden-incomparable':
    'Golden sample {sample} gives an answer on {backend} that cannot be compared with the one where it was published ({madeBy}): {output} has another shape or is no number.',
  'cause.golden-crashed': 'Its golden samples could not be run to the end on this device.',
  'cause.golden-no-runtime': 'This device has nothing to run its golden samples with.',
  'cause.cannot-run': 'The station could not load it. {code}',
  'cause.trial-load-crashed': 'In the trial on known parts its model could not be loaded.',
  'cause.trial-part-crashed': 'In the trial on known parts it did not get through {part}.',
  'cause.window-opened': 'The maintenance window has opened.',
  'cause.by-hand': 'Rolled back by hand.',
  'cause.gate-answers':
    'Health gate: {missing} of {frames} parts have no answer, {missingBefore} with the release before.',
  'cause.gate-moved': 'Health gate: the share of {verdict} moved by {share}; {allowedShare} is allowed.',
  'cause.gate-escaped': 'Health gate: {escaped} of {ng} parts that were NG would pass now.',
  'cause.gate-slower': 'Health gate: 95 % of parts take up to {p95Ms}, {beforeMs} with the release before.',
  'cause.gate-unclear': 'Health gate: after {frames} parts the share of {verdict} is still off by {share}.',
  'cause.gate-healthy': 'Health gate: healthy on {frames} parts.',
  'cause.after-stage': 'Stage {stage} is done. Somebody has to let the next one begin.',
  'cause.failed-count': '{failed} devices failed; {allowed} may.',
  'cause.failed-share': '{failed} of {ended} devices of stage {stage} failed; {allowedShare} may.',
} as const satisfies Readonly<Record<`cause.${string}`, string>>;
