// Faults planted on purpose, each a way in which the code could be wrong: the simulation has to find them.

export interface Plants {
  /** A sink says that it has a record and has lost it. */
  readonly dropsAcks: boolean;
  /** The final record of a part goes out a second time under another revision. */
  readonly answersTwice: boolean;
  /** The cloud runs the tail of the other release. */
  readonly wrongTail: boolean;
  /** A worker gives each frame of a batch the answer of another. */
  readonly swapsAnswers: boolean;
  /** The disk says that bytes are safe which are not. */
  readonly forgetsSync: boolean;
  /** An outcome comes after its deadline. */
  readonly answersLate: boolean;
}

export const NO_PLANTS: Plants = {
  dropsAcks: false,
  answersTwice: false,
  wrongTail: false,
  swapsAnswers: false,
  forgetsSync: false,
  answersLate: false,
};
