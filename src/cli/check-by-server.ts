import { askService } from '../ask/ask-service.ts';
import type { Question } from '../ask/review.ts';
import { ImageCheckerError } from '../errors.ts';
import type { CheckResult } from './check-result.ts';
import { readSource } from './read-rules.ts';

/** A service to ask, and the files of the client that asks. */
export interface ServerFlags {
  readonly server?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
}

/** A client file that nobody shows is a mistake. */
export function expectServer({ server, cert, key, ca }: ServerFlags): void {
  if (server !== undefined) return;
  const given = Object.entries({ cert, key, ca }).find(([, file]) => file !== undefined);
  if (given === undefined) return;
  throw usage(`expected --server beside --${given[0]}, got none: no service is asked without it`);
}

/** Asks the service that the flags name, if they name one. */
export async function checkByServer(
  question: Question,
  flags: ServerFlags,
  cwd: string,
): Promise<CheckResult['server']> {
  if (flags.server === undefined) return undefined;
  const url = readServerUrl(flags.server);
  const [certificate, key, ca] = await Promise.all([
    readPem(flags.cert, cwd),
    readPem(flags.key, cwd),
    readPem(flags.ca, cwd),
  ]);
  return { url: url.href, ...(await askService({ url, certificate, key, ca }, question)) };
}

async function readPem(file: string | undefined, cwd: string): Promise<string> {
  if (file === undefined) {
    throw usage('--server needs --cert, --key and --ca: the service answers nobody else');
  }
  const hint = 'kube-apiserver has them in /etc/kubernetes/admission';
  return (await readSource(file, cwd, hint)).text;
}

/** A URL without a path means the one path that a service has. */
function readServerUrl(written: string): URL {
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url?.protocol !== 'https:') {
    throw usage(`--server: expected https://host:port, got ${JSON.stringify(written)}`);
  }
  if (url.pathname === '/') url.pathname = '/check-image';
  return url;
}

function usage(message: string): ImageCheckerError {
  return new ImageCheckerError('usage', { message });
}
