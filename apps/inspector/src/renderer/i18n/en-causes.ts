// English of what no person said: why a device or the registry did something, and what a station finds wrong with itself.

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
  'cause.source-folder':
    'Its folder cannot be read ({error}): {folder}. Check the folder, its drive or its network share.',
  'cause.source-put-away': 'Files that were read cannot be put away ({error}). Check the permissions of {folder}.',
  'cause.source-video': 'Its file cannot be read ({error}): {file}.',
  'cause.source-stalled': 'No picture came within {stallMs}. Check the camera’s power, its cable and the network.',
  'cause.source-frozen': 'It gave {pictures} equal pictures in a row: it is frozen. Restart the camera.',
  'cause.source-ended': 'It ended its stream. Check its power and its network.',
  'cause.source-no-camera': 'There is no camera at {device}. Check its cable; cameras that are there: {others}.',
  'cause.source-no-program': 'ffmpeg cannot be started ({error}). Install it on this device.',
  'cause.record-too-fast': 'Parts came faster than the disk takes them.',
  'cause.record-resumed': 'Recording had ended and goes on.',
  'cause.record-disk-full': 'The disk is full. Make room, and recording goes on by itself.',
  'cause.record-quota': 'The session has reached {quotaBytes} and was closed.',
  'cause.samples-too-fast': 'Parts came faster than they can be kept.',
  'cause.samples-quota':
    'The room for samples is used up by parts with a label. Export them, or allow more (samples.quota).',
} as const satisfies Readonly<Record<`cause.${string}`, string>>;
