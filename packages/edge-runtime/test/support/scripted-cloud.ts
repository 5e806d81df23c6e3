// A cloud whose every answer the test decides, over memory links.
import {
  type Connect,
  decodeMessage,
  encodeMessage,
  type Frame,
  judgeMessage,
  type KerfError,
  type MemoryLink,
  type Message,
  type MessageType,
  memoryLink,
  type Opened,
  type Payload,
  type TensorSpec,
} from '@kerf/protocol';

export class CloudConnection {
  readonly link: MemoryLink;
  readonly received: Message[] = [];
  readonly closes: number[] = [];
  private readonly cloud: ScriptedCloud;
  private state: 'greeting' | 'ready' | 'closed' = 'greeting';
  private session: 'unknown' | 'open' | 'closed' = 'unknown';

  constructor(cloud: ScriptedCloud) {
    this.cloud = cloud;
    this.link = memoryLink();
    this.link.cloud.start({
      onMessage: (bytes) => this.receive(decodeMessage(bytes)),
      onClose: ({ code }) => {
        this.state = 'closed';
        this.closes.push(code);
      },
    });
  }

  send(message: Message): void {
    this.link.cloud.send(encodeMessage(message));
  }

  of<T extends MessageType>(type: T): Extract<Message, { type: T }>[] {
    return this.received.filter((message): message is Extract<Message, { type: T }> => message.type === type);
  }

  get frames(): number[] {
    return this.of('frame').map(({ frame }) => frame);
  }

  /** Answers a frame with its own tensors, each byte plus one. */
  answer(frame: number, credits = 1): void {
    const asked = this.cloud.frames.get(frame);
    if (asked === undefined) throw new Error(`frame ${frame} never came`);
    const tensors = asked.tensors.map(
      (tensor): Payload => ({
        ...tensor,
        name: 'y',
        codec: { kind: 'raw' },
        bytes: tensor.bytes.map((byte) => byte + 1),
      }),
    );
    const spans = { queueMs: 1, decodeMs: 1, computeMs: 3, totalMs: 5, batchRows: 1 };
    this.send({ type: 'result', session: 1, frame, credits, spans, tensors });
  }

  fault(code: KerfError['code'], frame: number | null = null, retryAfterMs: number | null = null): void {
    const session = frame === null ? null : 1;
    this.send({
      type: 'fault',
      session,
      frame,
      code,
      message: `scripted ${code}`,
      retryAfterMs,
      credits: frame === null ? 0 : 1,
    });
  }

  private receive(message: Message): void {
    // The edge has to keep to the table as well.
    judgeMessage('cloud', this.state, this.session, message);
    this.received.push(message);
    if (message.type === 'frame') this.cloud.frames.set(message.frame, message);
    if (message.type === 'open') this.session = 'open';
    if (message.type === 'close') this.session = 'closed';
    if (message.type === 'hello') this.state = 'ready';
    this.cloud.respond(this, message);
  }
}

const Y: TensorSpec = { name: 'y', dtype: 'uint8', shape: ['n'] };

export class ScriptedCloud {
  readonly connections: CloudConnection[] = [];
  readonly frames = new Map<number, Frame>();
  inputs: readonly TensorSpec[] = [{ name: 'x', dtype: 'uint8', shape: ['n'] }];
  outputs: readonly TensorSpec[] = [Y];
  credits = 2;
  known: readonly number[] = [];
  /** What it says of the model that it opened; null: nothing. */
  identity: string | null = null;
  maxMessageBytes = 1 << 20;
  /** Thrown by the next attempts to connect, in turn; `hang` never connects. */
  refusals: (KerfError | 'hang')[] = [];
  /** What is sent instead of `welcome`, in turn. */
  greetings: KerfError['code'][] = [];
  /** What is sent instead of `opened`, in turn. */
  openings: KerfError['code'][] = [];
  /** How every attempt to connect ends while it is set. */
  isGone: KerfError | 'hang' | null = null;
  mute = false;
  answersPings = true;
  /** Each frame is answered when it comes. */
  answersFrames = false;

  readonly connect: Connect = () => {
    const refusal = this.refusals.shift() ?? this.isGone;
    if (refusal === 'hang') return new Promise(() => {});
    if (refusal) return Promise.reject(refusal);
    const connection = new CloudConnection(this);
    this.connections.push(connection);
    return Promise.resolve(connection.link.edge);
  };

  get last(): CloudConnection {
    const connection = this.connections.at(-1);
    if (connection === undefined) throw new Error('nobody has connected');
    return connection;
  }

  respond(connection: CloudConnection, message: Message): void {
    if (this.mute) return;
    if (message.type === 'hello') {
      const refused = this.greetings.shift();
      if (refused) connection.fault(refused);
      else connection.send({ type: 'welcome', agent: 'scripted', maxMessageBytes: this.maxMessageBytes });
    }
    if (message.type === 'open') {
      const refused = this.openings.shift();
      if (refused)
        connection.send({
          type: 'fault',
          session: 1,
          frame: null,
          code: refused,
          message: `scripted ${refused}`,
          retryAfterMs: null,
          credits: 0,
        });
      else connection.send(this.opened());
    }
    if (message.type === 'frame' && this.answersFrames) connection.answer(message.frame);
    if (message.type === 'ping' && this.answersPings) connection.send({ type: 'pong', nonce: message.nonce });
  }

  opened(): Opened {
    return {
      type: 'opened',
      session: 1,
      credits: this.credits,
      inputs: this.inputs,
      outputs: this.outputs,
      resumeKey: `key-${this.connections.length}`,
      resumeWindowMs: 30_000,
      known: this.known,
      ...(this.identity === null ? {} : { identity: this.identity }),
    };
  }
}
