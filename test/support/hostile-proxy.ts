import { readFile } from 'node:fs/promises';
import { request as httpsRequest, Agent, createServer } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { RegistryLab } from './registry-lab.ts';

/** What a real registry answered. */
interface Upstream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Attack {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly upstream: Upstream;
  /** The TCP connection, without TLS around it. */
  readonly socket: Socket;
}

/** What stands between a client and a real registry, and what it makes of whatever is served. */
export interface HostileProxy {
  /** `localhost:PORT`, with a certificate of the lab's authority. */
  readonly host: string;
  /** `METHOD PATH`, and whether credentials were sent. */
  readonly requests: string[];
  mode: ProxyMode;
  /** Which paths it is done to. */
  target: RegExp;
  close(): Promise<void>;
}

const CHUNK = Buffer.alloc(64 * 1024, 32);

function pass({ response, upstream }: Attack, change: Partial<Upstream> = {}): void {
  const { status, headers, body } = { ...upstream, ...change };
  const kept = Object.entries(headers).filter(([name]) => name !== 'transfer-encoding');
  const length = { 'content-length': body.length };
  response.writeHead(status, { ...Object.fromEntries(kept), ...length }).end(body);
}

/** Writes again and again for as long as somebody reads. */
function pour(response: ServerResponse, chunk: Buffer): void {
  const write = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', write).on('error', () => undefined);
  write();
}

function redirect({ response }: Attack, location: string): void {
  response.writeHead(307, { location }).end();
}

function refuse({ response }: Attack, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end('{"errors":[{"code":"DENIED","message":"\u001b[31m<script>"}]}');
}

const hostOf = ({ request }: Attack): string => request.headers.host ?? '';

/** Each is done to what the registry answers with 200. */
const MODES = {
  honest: (attack: Attack) => {
    pass(attack);
  },
  'tampered bytes': (attack: Attack) => {
    pass(attack, { body: Buffer.concat([attack.upstream.body, Buffer.from(' ')]) });
  },
  'a digest in the header that is another one': (attack: Attack) => {
    const headers = {
      ...attack.upstream.headers,
      'docker-content-digest': `sha256:${'0'.repeat(64)}`,
    };
    pass(attack, { headers });
  },
  'a body that is cut off': ({ response, upstream }: Attack) => {
    response.writeHead(200, { 'content-length': upstream.body.length });
    response.write(upstream.body.subarray(0, -1), () => response.destroy());
  },
  'a body without end': ({ response }: Attack) => {
    response.writeHead(200);
    pour(response, CHUNK);
  },
  'a slow drip': ({ response, upstream }: Attack) => {
    response.writeHead(200, { 'content-length': upstream.body.length });
    let at = 0;
    const timer = setInterval(() => response.write(upstream.body.subarray(at, ++at)), 50);
    response.on('close', () => {
      clearInterval(timer);
    });
  },
  'a bomb of gzip': (attack: Attack) => {
    const headers = { ...attack.upstream.headers, 'content-encoding': 'gzip' };
    pass(attack, { headers, body: gzipSync(Buffer.alloc(16 * 1024 * 1024)) });
  },
  'no answer': () => undefined,
  'a connection that is reset': ({ socket }: Attack) => {
    socket.resetAndDestroy();
  },
  'a redirect in a circle': (attack: Attack) => {
    redirect(attack, attack.request.url ?? '');
  },
  'a redirect to http': (attack: Attack) => {
    redirect(attack, `http://${hostOf(attack)}${attack.request.url ?? ''}`);
  },
  'a redirect to a metadata service': (attack: Attack) => {
    redirect(attack, 'https://169.254.169.254/latest/meta-data/');
  },
  'a redirect to a thief': (attack: Attack) => {
    redirect(attack, `https://127.0.0.1:${hostOf(attack).replace(/.*:/, '')}/thief`);
  },
  'nothing but 401': (attack: Attack) => {
    refuse(attack, 401, { 'www-authenticate': 'Basic realm="again"' });
  },
  'a 401 with a realm over http': (attack: Attack) => {
    refuse(attack, 401, { 'www-authenticate': `Bearer realm="http://${hostOf(attack)}/token"` });
  },
  'nothing but 403': (attack: Attack) => {
    refuse(attack, 403);
  },
  'nothing but 429': (attack: Attack) => {
    refuse(attack, 429);
  },
  'nothing but 500': (attack: Attack) => {
    refuse(attack, 500);
  },
} as const;

export type ProxyMode = keyof typeof MODES;
export const HOSTILE_MODES = (Object.keys(MODES) as ProxyMode[]).filter(
  (mode) => mode !== 'honest',
);

export async function startHostileProxy(lab: RegistryLab): Promise<HostileProxy> {
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'server.pem', 'server.key'].map((name) => readFile(lab.file(name))),
  );
  const agent = new Agent({ ca, keepAlive: true });
  const sockets = new Map<string, Socket>();
  const server = createServer({ cert, key }, (request, response) => {
    const { method = '', url = '', headers, socket } = request;
    const isKnown = headers.authorization !== undefined;
    proxy.requests.push(`${method} ${url}${isKnown ? ' with credentials' : ''}`);
    if (url === '/thief') {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="give"' }).end();
      return;
    }
    const tcp = sockets.get(nameOf(socket)) ?? socket;
    void forward(request, lab.host, agent).then((upstream) => {
      const attack = { request, response, upstream, socket: tcp };
      const isTarget = upstream.status === 200 && proxy.target.test(url);
      if (isTarget) MODES[proxy.mode](attack);
      else pass(attack);
    });
  });
  server.on('connection', (socket: Socket) => {
    sockets.set(nameOf(socket), socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const proxy: HostileProxy = {
    host: `localhost:${port}`,
    requests: [],
    mode: 'honest',
    target: /./,
    async close() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

function nameOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}

function forward(request: IncomingMessage, host: string, agent: Agent): Promise<Upstream> {
  return new Promise((resolve, reject) => {
    const url = new URL(request.url ?? '', `https://${host}`);
    const options = { agent, headers: { ...request.headers, host } };
    httpsRequest(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, body: Buffer.concat(chunks) });
      });
    })
      .on('error', reject)
      .end();
  });
}
