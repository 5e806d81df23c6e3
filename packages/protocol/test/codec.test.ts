// Messages that are right come back equal; messages that are wrong end in a coded error.
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { decodeMessage } from '../src/decode.ts';
import { encodeMessage } from '../src/encode.ts';
import { type ErrorCode, KerfError } from '../src/errors.ts';
import { fillerBytes } from '../src/filler.ts';
import { DEFAULT_WIRE_LIMITS } from '../src/limits.ts';
import { type Frame, MESSAGE_TYPES, type Message, type MessageType, type Payload } from '../src/messages.ts';
import { readPlainMap, writePlain } from '../src/msgpack.ts';
import { byteLengthOf, DTYPE_BITS, type DType, stringTensor, typedView } from '../src/tensor.ts';

const raw = { kind: 'raw' } as const;
const pixels = { layout: 'nchw', channels: 'rgb', scale: [1, 1, 1], offset: [0, 0, 0] } as const;
const frameOf = (...tensors: Payload[]): Frame => ({
  type: 'frame',
  session: 1,
  frame: 2,
  deadlineMs: 3,
  trace: null,
  tensors,
});
const floats = (name = 'x'): Payload => ({ name, dtype: 'float32', shape: [2], codec: raw, bytes: new Uint8Array(8) });

/** A message whose header is `header`, whatever that is. */
function craft(type: MessageType | number, header: unknown, payloads: readonly Uint8Array[] = []): Uint8Array {
  const packed = header instanceof Uint8Array ? header : new Packr({ useRecords: false }).pack(header);
  const pad = (bytes: Uint8Array): Uint8Array => {
    const padded = new Uint8Array(Math.ceil(bytes.byteLength / 16) * 16);
    padded.set(bytes);
    return padded;
  };
  const parts = [pad(packed), ...payloads.map(pad)];
  const total = 16 + parts.reduce((sum, part) => sum + part.byteLength, 0);
  const preamble = Buffer.alloc(16);
  preamble.write('KERF');
  preamble.writeUInt8(1, 4);
  preamble.writeUInt8(typeof type === 'number' ? type : MESSAGE_TYPES[type], 5);
  preamble.writeUInt16LE(payloads.length, 6);
  preamble.writeUInt32LE(packed.byteLength, 8);
  preamble.writeUInt32LE(total, 12);
  return new Uint8Array(Buffer.concat([preamble, ...parts]));
}

function codeOf(bytes: Uint8Array, limits = DEFAULT_WIRE_LIMITS): ErrorCode {
  try {
    decodeMessage(bytes, limits);
  } catch (error) {
    if (KerfError.is(error)) return error.code;
    throw error;
  }
  throw new Error('the message was accepted');
}

function changed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = value;
  return copy;
}

describe('round trip', () => {
  const count = fc.nat(Number.MAX_SAFE_INTEGER);
  const text = fc.string({ unit: 'binary', maxLength: 40 });
  const payload: fc.Arbitrary<Omit<Payload, 'name'>> = fc
    .tuple(
      fc.constantFrom(...(Object.keys(DTYPE_BITS) as DType[])),
      fc.array(fc.nat(3), { maxLength: 4 }),
      fc.infiniteStream(text),
    )
    .map(([dtype, shape, texts]) => {
      const size = shape.reduce((product, length) => product * length, 1);
      const bytes =
        dtype === 'string'
          ? stringTensor(
              shape,
              Array.from({ length: size }, () => texts.next().value as string),
            ).data
          : Uint8Array.from({ length: byteLengthOf(dtype, shape) }, (_, index) => index & 0xff);
      return { dtype, shape, codec: raw, bytes };
    });

  it('gives frames back, payloads as aligned views into the message', () => {
    fc.assert(
      fc.property(
        fc.dictionary(text, payload, { maxKeys: 6 }),
        count,
        fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
        (tensors, frame, deadlineMs) => {
          const sent: Frame = {
            type: 'frame',
            session: 7,
            frame,
            deadlineMs,
            trace: null,
            ...(frame % 2 === 0 && { answer: 'raw' as const }),
            tensors: Object.entries(tensors).map(([name, rest]) => ({ name, ...rest })),
          };
          const bytes = encodeMessage(sent);
          const got = decodeMessage(bytes) as Frame;
          expect({ ...got, tensors: [], deadlineMs: got.deadlineMs + 0 }).toEqual({
            ...sent,
            tensors: [],
            deadlineMs: deadlineMs + 0,
          });
          got.tensors.forEach((tensor, index) => {
            expect(tensor).toEqual(sent.tensors[index]);
            expect(tensor.bytes.buffer).toBe(bytes.buffer);
            expect(tensor.bytes.byteOffset % 16).toBe(0);
          });
        },
      ),
    );
  });

  it('gives results, faults and opened back', () => {
    fc.assert(
      fc.property(text, count, fc.array(count), (name, number, list) => {
        const messages: Message[] = [
          {
            type: 'fault',
            session: null,
            frame: number,
            code: 'OVERLOADED',
            message: name,
            retryAfterMs: null,
            credits: 1,
          },
          {
            type: 'open',
            session: 3,
            model: name,
            pair: null,
            resume: { key: name, outstanding: list },
            losslessVersion: null,
          },
          { type: 'ping', nonce: number },
        ];
        for (const message of messages) expect(decodeMessage(encodeMessage(message))).toEqual(message);
      }),
    );
  });

  it('reads a message at an odd offset; typed views are then copies', () => {
    const bytes = encodeMessage(frameOf({ ...floats(), bytes: new Uint8Array(new Float32Array([1.5, -2]).buffer) }));
    const shifted = new Uint8Array(bytes.byteLength + 1);
    shifted.set(bytes, 1);
    const [tensor] = (decodeMessage(shifted.subarray(1)) as Frame).tensors;
    expect([...typedView({ dtype: 'float32', shape: [2], data: tensor!.bytes })]).toEqual([1.5, -2]);
  });

  it('ignores header keys it does not know', () => {
    const future = { nonce: 5, later: { a: [1, null, 'x', 1.5, true] }, __proto__x: 1 };
    expect(decodeMessage(craft('ping', future))).toEqual({ type: 'ping', nonce: 5 });
  });

  it('takes an unknown error number as INTERNAL', () => {
    const got = decodeMessage(craft('fault', { code: 65000, message: 'new', credits: 0 }));
    expect(got).toEqual({
      type: 'fault',
      session: null,
      frame: null,
      code: 'INTERNAL',
      message: 'new',
      retryAfterMs: null,
      credits: 0,
    });
  });

  it('cuts the free text of a fault', () => {
    const message: Message = {
      type: 'fault',
      session: null,
      frame: null,
      code: 'INTERNAL',
      message: 'é'.repeat(9000),
      retryAfterMs: null,
      credits: 0,
    };
    expect((decodeMessage(encodeMessage(message)) as typeof message).message).toBe('é'.repeat(1000));
  });
});

describe('preamble', () => {
  const ping = encodeMessage({ type: 'ping', nonce: 1 });

  it('refuses what is not a kerf message', () => {
    for (const bytes of [
      new Uint8Array(0),
      ping.subarray(0, 15),
      changed(ping, 0, 0x4c),
      changed(ping, 5, 0),
      changed(ping, 5, 14),
    ]) {
      expect(codeOf(bytes)).toBe('MESSAGE_MALFORMED');
    }
  });

  it('refuses another version by its own code', () => {
    expect(codeOf(changed(ping, 4, 2))).toBe('VERSION_UNSUPPORTED');
    expect(codeOf(changed(ping, 4, 0))).toBe('VERSION_UNSUPPORTED');
  });

  it('refuses a wrong total, a cut message, surplus bytes and padding that is not zero', () => {
    expect(codeOf(changed(ping, 12, 0))).toBe('MESSAGE_MALFORMED');
    expect(codeOf(ping.subarray(0, ping.byteLength - 1))).toBe('MESSAGE_MALFORMED');
    expect(codeOf(new Uint8Array([...ping, 0]))).toBe('MESSAGE_MALFORMED');
    expect(codeOf(changed(ping, ping.byteLength - 1, 1))).toBe('MESSAGE_MALFORMED');
    const frame = encodeMessage(frameOf(floats()));
    expect(codeOf(changed(frame, frame.byteLength - 1, 1))).toBe('MESSAGE_MALFORMED');
    expect(codeOf(changed(ping, 8, 200))).toBe('MESSAGE_MALFORMED');
  });

  it('refuses what exceeds a limit', () => {
    const frame = encodeMessage(frameOf(floats('a'), floats('b')));
    expect(codeOf(frame, { ...DEFAULT_WIRE_LIMITS, maxMessageBytes: frame.byteLength - 1 })).toBe('MESSAGE_TOO_LARGE');
    expect(codeOf(frame, { ...DEFAULT_WIRE_LIMITS, maxTensors: 1 })).toBe('MESSAGE_TOO_LARGE');
    expect(codeOf(frame, { ...DEFAULT_WIRE_LIMITS, maxHeaderBytes: 32 })).toBe('MESSAGE_TOO_LARGE');
    expect(codeOf(frame, { ...DEFAULT_WIRE_LIMITS, maxHeaderValues: 8 })).toBe('MESSAGE_TOO_LARGE');
    expect(codeOf(frame, { ...DEFAULT_WIRE_LIMITS, maxHeaderDepth: 2 })).toBe('MESSAGE_TOO_LARGE');
    expect(codeOf(frame, { ...DEFAULT_WIRE_LIMITS, maxRank: 0 })).toBe('MESSAGE_TOO_LARGE');
    expect(codeOf(frame, { ...DEFAULT_WIRE_LIMITS, maxNameBytes: 0 })).toBe('MESSAGE_TOO_LARGE');
    const hello = encodeMessage({ type: 'hello', agent: '', token: 'é'.repeat(5000) });
    expect(codeOf(hello)).toBe('MESSAGE_TOO_LARGE');
  });
});

describe('header', () => {
  const cases: Record<string, readonly number[]> = {
    'is not a map': [0x91, 0x01],
    'is empty of bytes': [],
    'has bytes after it': [0x80, 0x00],
    'declares a list of four thousand million': [0x81, 0xa1, 0x61, 0xdd, 0xff, 0xff, 0xff, 0xff],
    'declares a map of four thousand million': [0xdf, 0xff, 0xff, 0xff, 0xff],
    'declares a string beyond its end': [0x81, 0xa1, 0x61, 0xdb, 0xff, 0xff, 0xff, 0xff],
    'holds bytes': [0x81, 0xa1, 0x61, 0xc4, 0x00],
    'holds an extension': [0x81, 0xa1, 0x61, 0xd4, 0x01, 0x00],
    'holds a timestamp': [0x81, 0xa1, 0x61, 0xd6, 0xff, 0, 0, 0, 0],
    'holds the unused marker': [0x81, 0xa1, 0x61, 0xc1],
    'has a number as key': [0x81, 0x01, 0x01],
    'has a key twice': [0x82, 0xa1, 0x61, 0x01, 0xa1, 0x61, 0x02],
    'holds text that is not UTF-8': [0x81, 0xa1, 0xff, 0x01],
    'ends inside a number': [0x81, 0xa1, 0x61, 0xcf, 0, 0],
  };
  for (const [name, bytes] of Object.entries(cases)) {
    it(`is refused when it ${name}`, () => {
      expect(codeOf(craft('ping', Uint8Array.from(bytes)))).toBe('MESSAGE_MALFORMED');
    });
  }

  it('is refused when it nests deeply or holds a million values', () => {
    const deep = Uint8Array.from([0x81, 0xa1, 0x61, ...Array.from({ length: 1000 }, () => 0x91), 0x01]);
    expect(codeOf(craft('ping', deep))).toBe('MESSAGE_TOO_LARGE');
    const wide = new Uint8Array(1_000_008).fill(0x80);
    wide.set([0x81, 0xa1, 0x61, 0xdd, 0x00, 0x0f, 0x42, 0x40]);
    expect(codeOf(craft('ping', wide))).toBe('MESSAGE_TOO_LARGE');
  });

  it('keeps __proto__ as an ordinary key', () => {
    const header = readPlainMap(writePlain(JSON.parse('{"__proto__":{"nonce":1}}') as never), DEFAULT_WIRE_LIMITS);
    expect([...header.keys()]).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['nonce']).toBeUndefined();
  });

  it('reads back what it writes and what a packer with other settings writes', () => {
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constant(null),
        fc.boolean(),
        fc.maxSafeInteger(),
        fc.double({ noNaN: true }).map((number) => number + 0), // msgpackr writes -0 as 0
        fc.string({ maxLength: 300 }),
        fc.array(tie('value'), { maxLength: 20 }),
        fc.dictionary(fc.string(), tie('value'), { maxKeys: 20, noNullPrototype: true }),
      ),
    })).value;
    const asMap = (item: unknown): unknown => {
      if (Array.isArray(item)) return item.map(asMap);
      if (typeof item !== 'object' || item === null) return item;
      return new Map(Object.entries(item).map(([key, entry]) => [key, asMap(entry)]));
    };
    const packr = new Packr({ useRecords: false });
    fc.assert(
      fc.property(value, (item) => {
        expect(readPlainMap(packr.pack({ item }), DEFAULT_WIRE_LIMITS)).toEqual(asMap({ item }));
        expect(readPlainMap(writePlain({ item } as never), DEFAULT_WIRE_LIMITS)).toEqual(asMap({ item }));
      }),
    );
  });

  const wrong: [MessageType, Record<string, unknown>][] = [
    ['ping', {}],
    ['ping', { nonce: -1 }],
    ['ping', { nonce: 1.5 }],
    ['ping', { nonce: '1' }],
    ['ping', { nonce: 2 ** 60 }],
    ['hello', { agent: 1 }],
    ['hello', { agent: 'a', token: 5 }],
    ['open', { session: 2 ** 32, model: 'm' }],
    ['open', { session: 1, model: 'm', resume: { key: 'k', outstanding: ['1'] } }],
    ['open', { session: 1, model: 'm', resume: 'k' }],
    ['opened', { session: 1, credits: 1, inputs: [1], outputs: [], resumeKey: '', resumeWindowMs: 0, known: [] }],
    [
      'opened',
      {
        session: 1,
        credits: 1,
        inputs: [{ name: 'x', dtype: 'f32' }],
        outputs: [],
        resumeKey: '',
        resumeWindowMs: 0,
        known: [],
      },
    ],
    [
      'opened',
      {
        session: 1,
        credits: 1,
        inputs: [{ name: 'x', shape: [-1] }],
        outputs: [],
        resumeKey: '',
        resumeWindowMs: 0,
        known: [],
      },
    ],
    ['fault', { code: -5, message: '', credits: 0 }],
    ['fault', { code: 100, message: '', credits: 0, retryAfterMs: Number.NaN }],
    ['goaway', { graceMs: Number.POSITIVE_INFINITY, reason: '' }],
  ];
  it.each(wrong)('is refused when a field is wrong: %s %j', (type, header) => {
    expect(codeOf(craft(type, header))).toBe('MESSAGE_MALFORMED');
  });
});

describe('payloads', () => {
  const header = (...tensors: unknown[]): unknown => ({ session: 1, frame: 2, deadlineMs: 3, tensors });
  const good = { name: 'x', dtype: 'float32', shape: [2], codec: raw, byteLength: 8 };
  const image = { ...good, shape: [1, 3, 2, 2], codec: { kind: 'image', format: 'png', pixels } };
  const eight = new Uint8Array(8);

  const wrong: [string, unknown, Uint8Array[]][] = [
    ['fewer payloads than described', header(good, good), [eight]],
    ['more payloads than described', header(), [eight]],
    ['a payload in a message that has none', { nonce: 1 }, [eight]],
    ['a name twice', header(good, good), [eight, eight]],
    ['a length that does not fit dtype and shape', header({ ...good, shape: [3] }), [eight]],
    ['a length beyond the message', header({ ...good, byteLength: 2 ** 40, shape: [2 ** 38] }), [eight]],
    ['a negative size', header({ ...good, shape: [-2] }), [eight]],
    ['a size that overflows', header({ ...good, shape: [2 ** 30, 2 ** 30] }), [eight]],
    ['an unknown dtype', header({ ...good, dtype: 'bfloat16' }), [eight]],
    ['a dtype of the prototype', header({ ...good, dtype: 'constructor' }), [eight]],
    ['an unknown codec', header({ ...good, codec: { kind: 'zip' } }), [eight]],
    ['an image of float64', header({ ...image, dtype: 'float64' }), [eight]],
    ['an image of no pixels', header({ ...image, shape: [1, 3, 0, 2] }), [eight]],
    ['an image of two channels', header({ ...image, shape: [1, 2, 2, 2] }), [eight]],
    [
      'an image without a scale',
      header({ ...image, codec: { kind: 'image', format: 'png', pixels: { ...pixels, scale: [] } } }),
      [eight],
    ],
    ['an image of unknown format', header({ ...image, codec: { kind: 'image', format: 'bmp', pixels } }), [eight]],
    [
      'strings that end early',
      header({ ...good, dtype: 'string', shape: [1], byteLength: 8 }),
      [Uint8Array.from([9, 0, 0, 0, 65, 65, 65, 65])],
    ],
    [
      'strings that are not UTF-8',
      header({ ...good, dtype: 'string', shape: [1] }),
      [Uint8Array.from([4, 0, 0, 0, 0xed, 0xa0, 0x80, 65])],
    ],
    [
      'strings with bytes left',
      header({ ...good, dtype: 'string', shape: [1] }),
      [Uint8Array.from([3, 0, 0, 0, 65, 65, 65, 65])],
    ],
    ['fewer strings than declared', header({ ...good, dtype: 'string', shape: [1000] }), [eight]],
  ];
  it.each(wrong)('are refused with %s', (name, map, payloads) => {
    expect(codeOf(craft(name.includes('that has none') ? 'ping' : 'frame', map, payloads))).toBe('MESSAGE_MALFORMED');
  });

  it('are refused when an image has more pixels than the limit', () => {
    const bytes = craft('frame', header(image), [eight]);
    expect(decodeMessage(bytes).type).toBe('frame');
    expect(codeOf(bytes, { ...DEFAULT_WIRE_LIMITS, maxImagePixels: 3 })).toBe('MESSAGE_TOO_LARGE');
  });

  it('are checked as UTF-8 exactly as the platform does', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true });
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 5 }),
        fc.constantFrom(0xe0, 0xed, 0xf0, 0xf4, 0xc1, 0xc2),
        (tail, lead) => {
          const text = Uint8Array.from([lead, ...tail]);
          let valid = true;
          try {
            decoder.decode(text);
          } catch {
            valid = false;
          }
          const bytes = Uint8Array.from([text.byteLength, 0, 0, 0, ...text]);
          const message = craft(
            'frame',
            header({ ...good, dtype: 'string', shape: [], byteLength: bytes.byteLength }),
            [bytes],
          );
          if (valid) expect(decodeMessage(message).type).toBe('frame');
          else expect(codeOf(message)).toBe('MESSAGE_MALFORMED');
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('a probe', () => {
  const nonce = { nonce: 1 };
  const eight = new Uint8Array(8).fill(7);
  const full = { ...nonce, answerBytes: 16, byteLength: 8 };
  const limits = { ...DEFAULT_WIRE_LIMITS, maxProbeBytes: 40 };

  it('comes back with filler of any length, aligned', () => {
    const probe = fc.record({ nonce: fc.nat(), answerBytes: fc.nat(40), filler: fc.uint8Array({ maxLength: 40 }) });
    fc.assert(
      fc.property(probe, (fields) => {
        const sent = { type: 'probe', ...fields } as const;
        const answer = { type: 'probed', nonce: fields.nonce, filler: fields.filler } as const;
        expect(decodeMessage(encodeMessage(sent), limits)).toEqual(sent);
        expect(decodeMessage(encodeMessage(answer), limits)).toEqual(answer);
        expect(encodeMessage(sent).byteLength % 16).toBe(0);
      }),
    );
  });

  it.each<[string, MessageType, object, Uint8Array[]]>([
    ['no payload', 'probe', { ...full, byteLength: 0 }, []],
    ['two payloads', 'probe', full, [eight, eight]],
    ['a payload longer than it says', 'probe', { ...full, byteLength: 8 }, [new Uint8Array(17)]],
    ['a payload shorter than it says', 'probe', { ...full, byteLength: 17 }, [eight]],
    ['filler where there should be padding', 'probe', { ...full, byteLength: 4 }, [eight]],
    ['no length', 'probe', { ...nonce, answerBytes: 1 }, [eight]],
    ['no answerBytes', 'probe', { ...nonce, byteLength: 8 }, [eight]],
    ['a negative answer', 'probe', { ...full, answerBytes: -1 }, [eight]],
    ['half a byte', 'probe', { ...full, answerBytes: 0.5 }, [eight]],
    ['no nonce', 'probe', { answerBytes: 1, byteLength: 8 }, [eight]],
    ['an answer without a length', 'probed', nonce, [eight]],
    ['an answer without payload', 'probed', { ...nonce, byteLength: 0 }, []],
  ])('is refused with %s', (_name, type, header, payloads) => {
    expect(codeOf(craft(type, header, payloads))).toBe('MESSAGE_MALFORMED');
  });

  it('is refused beyond the limit, in either direction', () => {
    expect(codeOf(craft('probe', { ...full, byteLength: 41 }, [new Uint8Array(41)]), limits)).toBe('MESSAGE_TOO_LARGE');
    expect(codeOf(craft('probe', { ...full, answerBytes: 41 }, [eight]), limits)).toBe('MESSAGE_TOO_LARGE');
    expect(codeOf(craft('probed', { ...nonce, byteLength: 41 }, [new Uint8Array(41)]), limits)).toBe(
      'MESSAGE_TOO_LARGE',
    );
    // A length of gigabytes is refused for what it says, whatever is there.
    expect(codeOf(craft('probed', { ...nonce, byteLength: 2 ** 40 }, [eight]))).toBe('MESSAGE_TOO_LARGE');
  });

  it('has filler that repeats nothing: gzip cannot shorten it', async () => {
    const bytes = fillerBytes(100_000).slice();
    expect(fillerBytes(10)).toEqual(bytes.subarray(0, 10));
    expect(fillerBytes(300_001).byteLength).toBe(300_001);
    const zipped = new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream('gzip')));
    expect((await zipped.arrayBuffer()).byteLength).toBeGreaterThan(bytes.byteLength);
  });
});

describe('a Node Buffer', () => {
  it('gives plain views, so that slice() copies and odd addresses are read', () => {
    const bytes = encodeMessage(frameOf({ ...floats(), bytes: new Uint8Array(new Float32Array([1.5, -2]).buffer) }));
    const pooled = Buffer.concat([Buffer.of(0), bytes]).subarray(1);
    const [tensor] = (decodeMessage(pooled) as Frame).tensors;
    expect(Object.getPrototypeOf(tensor!.bytes)).toBe(Uint8Array.prototype);
    expect(tensor!.bytes.slice().buffer).not.toBe(pooled.buffer);
    const odd = Buffer.concat([Buffer.of(0), tensor!.bytes]).subarray(1);
    expect([...typedView({ dtype: 'float32', shape: [2], data: odd })]).toEqual([1.5, -2]);
  });
});
