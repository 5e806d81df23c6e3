// What calibration fixes for one activation: levels of each channel, their order, and what the entropy coder expects.

/**
 * One channel: `level = clamp(floor(x * scale + shift), 0, values.length - 1)` in float32, and `values[level]` is what
 * the level becomes again. One value: the channel is not sent at all and comes back as that constant.
 */
export interface LevelChannel {
  readonly scale: number;
  /** Below 0.5 widens the zone of the lowest level, above 0.5 narrows it. */
  readonly shift: number;
  /** Reconstruction, float32, ascending; 1 to 64 of them. */
  readonly values: Float32Array;
}

/** Quantised levels of a known part in its usual pose, which frames of a fixture resemble. */
export interface GoldenLevels {
  /** Shape of the tensor that it was made from. */
  readonly shape: readonly number[];
  /** Planar, as {@link LevelTable} orders them: [batch, channel, the other axes in order]. */
  readonly levels: Uint8Array;
}

export interface LevelTable {
  /** Hex SHA-256 of the table's bytes (see `writeLevelTable`): both sides must hold the same. */
  readonly id: string;
  /** The axis of the tensor that is its channels; never negative. */
  readonly channelAxis: number;
  /** Rank of the tensors that it codes. */
  readonly rank: number;
  readonly channels: readonly LevelChannel[];
  /** Channels in the order in which they are coded, most important first. */
  readonly order: readonly number[];
  /** How many channels of `order` each group holds. A payload may be cut after any group. */
  readonly groups: readonly number[];
  /** Where the adaptive models start, learned from samples; empty: every model starts at even odds. */
  readonly priors: Uint16Array;
  readonly golden: GoldenLevels | null;
}
