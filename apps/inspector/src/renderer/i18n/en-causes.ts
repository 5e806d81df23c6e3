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
  'cause.gate-slower': 'Health gate: 95% of parts take up to {p95Ms}, {beforeMs} with the release before.',
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
  'cause.source-unplugged': 'It was unplugged, or its permission was taken back. Check its cable, and allow it again.',
  'cause.source-unreachable': 'It cannot be reached. Check its power, its cable, the network and its address.',
  'cause.source-login': 'It does not accept user and password. Check user and passwordFrom in the station file.',
  'cause.source-no-stream': 'It has no such stream. Check what stands behind its name in the address (source.url).',
  'cause.source-busy': 'It cannot be opened. End other programs that use it.',
  'cause.source-forbidden': 'It may not be used. Allow cameras for this user, or for this page.',
  'cause.source-none': 'There is no camera. Plug one in, or check its cable.',
  'cause.source-no-camera': 'There is no camera at {device}. Check its cable; cameras that are there: {others}.',
  'cause.source-encoding':
    'It sends {encoding}, which needs ffmpeg: install that on this device, or set the camera to H.264.',
  'cause.source-no-program': 'ffmpeg cannot be started ({error}). Install it on this device.',
  'cause.certificate-expired':
    'The certificate of {host} has expired: here it is {clock}. Set this device’s clock if that is wrong, else renew the certificate there.',
  'cause.certificate-too-early':
    'The certificate of {host} is not valid yet: here it is {clock}. Set this device’s clock, or the clock where the certificate was made.',
  'cause.certificate-other-name':
    'The certificate of {host} is for another name. Use the name that it was made for in the address; or else something of the network answers in its place.',
  'cause.certificate-unknown':
    'Nobody here knows who signed the certificate of {host}. Name its authority (ca in the station file, --ca for a line of another machine); or else something of the network answers in its place.',
  'cause.record-too-fast': 'Parts came faster than the disk takes them.',
  'cause.record-resumed': 'Recording had ended and goes on.',
  'cause.record-disk-full': 'The disk is full. Make room, and recording goes on by itself.',
  'cause.record-quota': 'The session has reached {quotaBytes} and was closed.',
  'cause.record-running': '{session} is being recorded. Stop it first.',
  'cause.record-disk': '{session} cannot be written ({error}). Check the disk and the permissions of its folder.',
  'cause.samples-disk': 'A part could not be written ({error}). Check the disk and the permissions of its folder.',
  'cause.samples-disk-full': 'The disk is full. Make room, and parts are kept again.',
  'cause.samples-too-fast': 'Parts came faster than they can be kept.',
  'cause.samples-quota':
    'The room for samples is used up by parts with a label. Export them, or allow more (samples.quota).',
  'cause.audit-missing': 'An entry is missing before it.',
  'cause.audit-order': 'It does not follow the entry before it.',
  'cause.audit-changed': 'What it says was changed after it was written.',
  'cause.audit-anew': 'The log was written anew.',
  'cause.audit-garbled': 'It is no entry any more.',
  'cause.no-registry': 'The station file names no registry (updates.registry).',
  'cause.no-samples': 'This station keeps no parts. Add “samples” to its file, and start it again.',
  'cause.no-device':
    'This station runs a model that no update replaces: its model.path names no device (kerf update init).',
  'cause.no-known-parts': 'There are no known parts. Name their folder in the station file (updates.knownParts).',
  'cause.no-cloud': 'This station asks no cloud: there is no link to test.',
  'cause.no-what-if': 'This needs the whole model and a profile of it. Measure this device first.',
  'cause.not-staged': 'This release has not been fetched yet, or another one was fetched since. Fetch it first.',
  'cause.one-way':
    'This station has one way for its parts. To move the cut, give it a chain (kerf chain), and start it again.',
  'cause.profile-named': 'The station file names the profile. Make it with kerf profile, and start the station again.',
  'cause.measuring': 'A measurement is under way. Wait for it, or stop it.',
  'cause.replaying': 'A session is being judged again. Wait for it, or stop it.',
  'cause.busy': 'Another step of an update is under way. Wait for it, or stop it.',
  'cause.cut-changed': 'Somebody else has moved the cut meanwhile. Look at it, and move it again.',
  'cause.thresholds-changed':
    'Somebody else has changed the thresholds meanwhile. Look at them, and change them again.',
  'cause.station-file-changed': 'The station file was changed and cannot be read any more. Correct it first.',
  'cause.file-unreadable':
    '{file}, which the station file names, is not there or cannot be read. Check path and permissions.',
  'cause.no-profile': '{file} is no profile. Make one with kerf profile.',
  'cause.other-model': 'model.source is not the model that was cut. That was {file}, another file.',
  'cause.session-gone': 'The session {file} is not there any more. Choose another one.',
  'cause.picture-too-large': '{file} has {bytes}, too much for this page. Take it from the folder.',
} as const satisfies Readonly<Record<`cause.${string}`, string>>;
