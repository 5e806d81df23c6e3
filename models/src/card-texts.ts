// The name of a committed model -> what its card says beside what was measured.
import type { CardText } from './card.ts';

const INSPECTION =
  'Input `image` float32 [N, 3, 384, 384], RGB from 0 to 1. Outputs `mask` uint8 [N, 1, 192, 192], the probability of a ' +
  'defect in 255ths for each 2 x 2 pixels, and `score` float32 [N, 1], that of the part. `metadata_props` note the task, ' +
  'the two thresholds, the mask threshold and the release.';
const SET =
  "1,800 parts of the generator's split `train`, half of them good, the six known kinds of defects in turn; thresholds from " +
  '200 parts of the split `calibration`.';
const UPDATE = `${SET} With them 300 parts with the new kind, a broken edge (\`chip\`).`;
const USE =
  'For demonstrations, tests and benchmarks of kerf: it knows drawn parts and nothing else, and its verdicts are worth ' +
  'nothing on photographs. Thin cracks and scratches on rough surfaces are what it misses most.';
const SURFACE =
  'Encoder of residual blocks at a quarter, an eighth and a sixteenth of the size (64, 112, 112 channels), decoder that adds ' +
  'what the encoder saw at each size, ReLU throughout, batch normalisation folded; the score from the strongest places.';

const FORM = (form: string): CardText => ({
  summary: `surface-v1 as ${form}.`,
  interface: INSPECTION,
  data: 'That of surface-v1. The README says which command makes it.',
  network: `That of surface-v1, as ${form}.`,
  use: USE,
});

export const CARD_TEXTS: Readonly<Record<string, CardText>> = {
  'surface-v1': {
    summary: 'The reference inspection model: is there a defect on a part, and where?',
    interface: INSPECTION,
    data: SET,
    network: SURFACE,
    use: USE,
  },
  'surface-v2': {
    summary: 'surface-v1 with its last layers trained on a new kind of defect: a small update.',
    interface: INSPECTION,
    data: UPDATE,
    network: `${SURFACE} Every weight before the last decoder stage and the heads is that of surface-v1, to the bit.`,
    use: USE,
  },
  'surface-v3': {
    summary: 'surface-v2 with every layer trained further: a large update.',
    interface: INSPECTION,
    data: UPDATE,
    network: SURFACE,
    use: USE,
  },
  'surface-narrow': {
    summary:
      'The same job by a network that was made to be cut: little to compute before the cut, little to send there.',
    interface: INSPECTION,
    data: SET,
    network:
      'A light head ends in 12 channels at an eighth of the size, clipped to 0 to 1; training rounds them to four levels, or ' +
      'adds noise of that size, so that few levels cost little. Behind them residual blocks and a decoder.',
    use: USE,
  },
  'surface-lite': {
    summary: 'The same job for a device that is alone: a twentieth of the work.',
    interface: INSPECTION,
    data: SET,
    network: 'As surface, with depthwise separable convolutions and 12 to 80 channels.',
    use: USE,
  },
  'surface-int8': FORM('static int8 (QDQ)'),
  'surface-fp16': FORM('float16'),
  fashion: {
    summary: 'A classifier of Fashion-MNIST.',
    interface:
      'Input `image` float32 [N, 1, 28, 28], grey from 0 to 1. Output `logits` float32 [N, 10], one for each class, in the ' +
      "data set's order.",
    data: 'The 60,000 training pictures of Fashion-MNIST (Zalando SE, MIT licence), mirrored at random, five epochs.',
    network: 'Four residual blocks of 24 to 96 channels, mean over the picture, one linear layer.',
    use: 'For tests and benchmarks of kerf: a small model of another kind than the inspectors.',
  },
};
