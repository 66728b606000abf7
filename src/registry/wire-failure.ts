import { messageOf, systemCode } from '../errors.ts';
import { ADDRESS_REFUSED, LOOPBACK_HINT } from './addresses.ts';
import type { Failure } from './failure.ts';
import { Patience } from './patience.ts';

/** How far a request had come. */
export interface Progress {
  /** `GET /path` of what was asked for first: where that was redirected to may hold a signature. */
  readonly request: string;
  readonly host: string;
  /** Whether its name has not had its turn to be looked up. */
  readonly isQueued: () => boolean;
  connected: boolean;
  answered: boolean;
  /** Of the body. */
  bytes: number;
}

interface Known {
  readonly got: string;
  readonly hint?: string;
  readonly transient: boolean;
  readonly isOurs?: true;
}

const CA_HINT =
  'name the authority that signed it as `ca` of this host in registries.hosts of the config';

const QUEUE_HINT =
  'name this host in registries.hosts of the config: it need not wait for names that others choose';

function once(got: string, hint?: string): Known {
  return { got, transient: false, ...(hint === undefined ? {} : { hint }) };
}

function transient(got: string): Known {
  return { got, transient: true };
}

const untrusted = once('a certificate by an authority that is not trusted', CA_HINT);

/** Code of the error when the answer is 101: from then on it is no HTTP that is spoken. */
export const OTHER_PROTOCOL = 'OTHER_PROTOCOL';
/** Code of the error when a request ended with neither an answer nor an error. */
export const CLOSED = 'CLOSED';

const KNOWN: ReadonlyMap<string, Known> = new Map([
  ['ENOTFOUND', once('no address for this name')],
  ['EAI_AGAIN', transient('no answer from the name service')],
  ['ECONNREFUSED', transient('a refused connection')],
  ['ECONNRESET', transient('a broken connection')],
  ['EPIPE', transient('a broken connection')],
  ['ETIMEDOUT', transient('no connection')],
  ['EHOSTUNREACH', transient('no way to it')],
  ['ENETUNREACH', transient('no way to it')],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', untrusted],
  ['SELF_SIGNED_CERT_IN_CHAIN', untrusted],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', untrusted],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', untrusted],
  ['CERT_HAS_EXPIRED', once('a certificate that has expired')],
  ['CERT_NOT_YET_VALID', once('a certificate that is not valid yet')],
  ['ERR_TLS_CERT_ALTNAME_INVALID', once('a certificate for other hosts')],
  ['EPROTO', once('something that is no TLS')],
  ['ERR_SSL_WRONG_VERSION_NUMBER', once('something that is no TLS')],
  [OTHER_PROTOCOL, once('101, it switched protocols')],
  [CLOSED, transient('a connection closed without an answer')],
  ['HPE_HEADER_OVERFLOW', once('headers that are too large')],
]);

/** What went wrong on the wire, in words. */
export function describeWireFailure(
  thrown: unknown,
  progress: Progress,
  lost: Patience['lost'],
): Failure {
  const { got, ...known } = knownOf(thrown, progress, lost);
  return {
    failed: `${progress.host}: expected an answer to ${progress.request}, got ${got}`,
    ...known,
  };
}

function knownOf(thrown: unknown, progress: Progress, lost: Patience['lost']): Known {
  if (lost !== undefined && progress.isQueued()) {
    const got = 'no turn to look its name up, as other names took all the time';
    return { got, hint: QUEUE_HINT, transient: lost === 'silence', isOurs: true };
  }
  if (lost === 'deadline') return once(`none before the deadline (${stageOf(progress)})`);
  if (lost === 'silence') return transient(`none ${Patience.silence} (${stageOf(progress)})`);
  const code = codeOf(thrown);
  if (code === ADDRESS_REFUSED)
    return once(`${messageOf(thrown)}, which is not asked`, LOOPBACK_HINT);
  const known = KNOWN.get(code);
  if (known !== undefined)
    return progress.answered ? transient('a part of it, then a broken connection') : known;
  if (code.startsWith('HPE_')) return once('something that is no HTTP');
  return once(`an error: ${code === '' ? messageOf(thrown) : code}`);
}

/** Of several addresses that were tried: the code of the first. */
function codeOf(thrown: unknown): string {
  if (thrown instanceof AggregateError) return systemCode(thrown.errors[0]);
  return systemCode(thrown);
}

function stageOf({ connected, answered, bytes }: Progress): string {
  if (answered) return `${bytes} bytes so far`;
  return connected ? 'nothing so far' : 'no connection so far';
}
