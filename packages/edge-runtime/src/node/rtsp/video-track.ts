// What a camera says of its stream (SDP, RFC 4566) -> its video: how it is coded, and what to ask for.

export interface VideoTrack {
  /** As SDP names it: H264, H265, JPEG. */
  readonly encoding: string;
  readonly payloadType: number;
  /** Address of the track, as it stands there. */
  readonly control: string;
  /** NAL units with the parameters of H.264 (RFC 6184, 8.1), where they are told. */
  readonly parameterSets: readonly Uint8Array[];
}

/** The first one, of H.264 where there is one; null where there is no video. */
export function videoTrack(sdp: string): VideoTrack | null {
  const tracks = sectionsOf(sdp).flatMap((lines) => trackOf(lines) ?? []);
  return tracks.find(({ encoding }) => encoding === 'H264') ?? tracks[0] ?? null;
}

/** The address of all tracks together, where the session has one. */
export function sessionControl(sdp: string): string | null {
  const [session = ''] = sdp.split(/^m=/m);
  return /^a=control:(\S+)/m.exec(session)?.[1] ?? null;
}

function sectionsOf(sdp: string): string[][] {
  return sdp
    .split(/^(?=m=)/m)
    .filter((section) => section.startsWith('m=video'))
    .map((section) => section.split(/\r?\n/));
}

function trackOf(lines: readonly string[]): VideoTrack | null {
  const type = /^m=video \S+ \S+ (\d+)/.exec(lines[0] ?? '')?.[1];
  if (type === undefined) return null;
  const valueOf = (start: string): string | null => {
    const line = lines.find((one) => one.startsWith(start));
    return line === undefined ? null : line.slice(start.length).trim();
  };
  const encoding = valueOf(`a=rtpmap:${type}`)?.split('/')[0]?.toUpperCase();
  const sets = /sprop-parameter-sets=([^;\s]+)/.exec(valueOf(`a=fmtp:${type}`) ?? '')?.[1] ?? '';
  return {
    // The one static type that cameras use (RFC 3551).
    encoding: encoding ?? (type === '26' ? 'JPEG' : `payload type ${type}`),
    payloadType: Number(type),
    control: valueOf('a=control:') ?? '',
    parameterSets: sets
      .split(',')
      .map((one) => new Uint8Array(Buffer.from(one, 'base64')))
      .filter(({ byteLength }) => byteLength > 0),
  };
}
