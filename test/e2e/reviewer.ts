import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';

const REVIEW = JSON.stringify({
  kind: 'ImageReview',
  apiVersion: 'imagepolicy.k8s.io/v1alpha1',
  spec: { containers: [{ image: 'docker.io/nginx' }], namespace: 'default' },
});
/** Reviews at a time: half of them on connections that stay, half on new ones. */
const WORKERS = 6;
const ANSWER_MS = 30_000;

/** What was asked since the last `take`. */
export interface Reviewed {
  readonly count: number;
  /** Whatever was no allowing answer. */
  readonly failures: readonly string[];
  /** Serial numbers of the certificates that the service showed. */
  readonly serials: ReadonlySet<string>;
}

/** Asks the service over and over, as a kube-apiserver before v1.36 does. */
export interface Reviewer {
  /** Asks on until there are so many more. */
  more(count: number): Promise<void>;
  /** As a restart of kube-apiserver: the CA is read anew, the connections are new ones. */
  restart(): void;
  stop(): Promise<Reviewed>;
}

/**
 * With every new connection it reads its certificate and key, and only when it starts the CA.
 */
export function startReviewer(admissionFolder: string, port: number): Reviewer {
  const read = (name: string): string => readFileSync(join(admissionFolder, name), 'utf8');
  let ca = read('external-cert.pem');
  let agent = new Agent({ keepAlive: true });
  const pair = () => ({
    cert: read('apiserver-client-cert.pem'),
    key: read('apiserver-client-key.pem'),
  });
  let client = pair();
  // A pair that is being replaced does not match: client-go keeps the one it has, and so does this.
  const refresh = (): void => {
    const { cert, key } = pair();
    if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) client = { cert, key };
  };
  const state = { count: 0, failures: [] as string[], serials: new Set<string>(), isOver: false };

  const ask = (isNew: boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      if (isNew) refresh();
      const asked = request(
        {
          ...{ host: '127.0.0.1', port, path: '/check-image?timeout=30s', method: 'POST', ca },
          ...client,
          agent: isNew ? false : agent,
          timeout: ANSWER_MS,
          headers: { 'content-type': 'application/json', 'content-length': REVIEW.length },
        },
        (response) => {
          state.serials.add((response.socket as TLSSocket).getPeerCertificate().serialNumber);
          let body = '';
          response.setEncoding('utf8').on('data', (text: string) => (body += text));
          response.once('error', reject);
          response.once('end', () => {
            if (response.statusCode === 200 && isAllowed(body)) resolve();
            else reject(new Error(`status ${response.statusCode ?? 0}: ${body}`));
          });
        },
      );
      asked.once('error', reject);
      asked.once('timeout', () => asked.destroy(new Error('no answer')));
      asked.end(REVIEW);
    });

  const work = async (worker: number): Promise<void> => {
    while (!state.isOver) {
      await ask(worker % 2 === 0).catch((thrown: unknown) => state.failures.push(String(thrown)));
      state.count += 1;
    }
  };
  const workers = Array.from({ length: WORKERS }, (_, worker) => work(worker));
  return {
    async more(count) {
      const end = state.count + count;
      while (state.count < end) await new Promise((resolve) => setTimeout(resolve, 20));
    },
    restart() {
      ca = read('external-cert.pem');
      agent = new Agent({ keepAlive: true });
    },
    async stop() {
      state.isOver = true;
      await Promise.all(workers);
      agent.destroy();
      return state;
    },
  };
}

function isAllowed(body: string): boolean {
  const { status } = JSON.parse(body) as { status?: { allowed?: boolean } };
  return status?.allowed === true;
}
