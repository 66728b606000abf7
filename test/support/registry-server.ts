import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createRegistry } from '../../src/registry/create-registry.ts';
import type { ClosableRegistry } from '../../src/registry/create-registry.ts';
import type { RegistryDeps } from '../../src/registry/deps.ts';
import type { RegistrySettings } from '../../src/registry/parts.ts';
import { issueLeaf, makeAuthority } from '../../src/setup/pki.ts';
import type { Credential } from '../../src/setup/pki.ts';
import { ports } from './certificates.ts';

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';

export function sha256(bytes: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** A server that speaks as a test wants it to, over real TLS. */
export interface TestServer {
  /** `localhost:PORT` */
  readonly host: string;
  /** `GET /v2/...`, and behind it what was sent as Authorization, oldest first. */
  readonly requests: string[];
  /** Each connection that was accepted. */
  readonly connections: () => number;
  /** Nobody is there from now on. */
  readonly stop: () => void;
}

/** What tests of the client stand on: an authority, files, servers; all of it goes with `close`. */
export interface RegistryWorld {
  readonly folder: string;
  readonly ca: string;
  readonly authority: Credential;
  serve(answer: Answerer, options?: ServeOptions): Promise<TestServer>;
  /** Writes a file and returns its path. */
  file(name: string, content: string): Promise<string>;
  /** A client that trusts the authority at the servers given, and is closed with the world. */
  client(settings: Partial<RegistrySettings>, deps?: Partial<RegistryDeps>): ClosableRegistry;
  /** The settings of servers whose authority is trusted. */
  trust(...servers: readonly TestServer[]): RegistrySettings['hosts'];
  close(): Promise<void>;
}

/** @param reset breaks the connections of the server off, as a network does */
export type Answerer = (
  request: IncomingMessage,
  response: ServerResponse,
  reset: () => void,
) => void;

export interface ServeOptions {
  readonly plain?: boolean;
  /** Asks for a client certificate of the authority. */
  readonly clientCertificate?: boolean;
}

export async function newRegistryWorld(): Promise<RegistryWorld> {
  const authority = await makeAuthority(ports);
  const hosts = [{ type: 'dns', value: 'localhost' }] as const;
  const leaf = await issueLeaf(authority, { kind: 'server', hosts }, ports);
  const folder = await mkdtemp(join(tmpdir(), 'image-checker-client-'));
  const file = async (name: string, content: string): Promise<string> => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const ca = await file('ca.pem', authority.certificate);
  const servers: Server[] = [];
  const clients: ClosableRegistry[] = [];

  const start = (listener: RequestListener, options: ServeOptions): Server => {
    if (options.plain === true) return createHttpServer(listener);
    const asks = { ca: authority.certificate, requestCert: true, rejectUnauthorized: true };
    const tls = { key: leaf.key, cert: leaf.certificate };
    return createServer({ ...tls, ...(options.clientCertificate === true ? asks : {}) }, listener);
  };
  return {
    ...{ folder, ca, authority, file },
    async serve(answer, options = {}) {
      const requests: string[] = [];
      const sockets: Socket[] = [];
      const reset = (): void => {
        for (const socket of sockets) socket.resetAndDestroy();
      };
      const server = start((request, response) => {
        const { method = '', url = '', headers } = request;
        requests.push(`${method} ${url} ${headers.authorization ?? ''}`.trim());
        answer(request, response, reset);
      }, options);
      servers.push(server);
      server.on('connection', (socket: Socket) => sockets.push(socket));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      return {
        host: `localhost:${port}`,
        requests,
        connections: () => sockets.length,
        stop: () => {
          server.close();
          reset();
        },
      };
    },
    trust: (...trusted) =>
      Object.fromEntries(trusted.map(({ host }) => [host, { ca, plainHttp: false }])),
    client({ credentials = [], hosts: named = {} }, deps = {}) {
      const usual = { now: Date.now, random: () => 0, env: process.env };
      const client = createRegistry({ credentials, hosts: named }, { ...usual, ...deps });
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) client.close();
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
      await rm(folder, { recursive: true });
    },
  };
}

/** Answers with a text, or its bytes. */
export function send(
  response: ServerResponse,
  status: number,
  body: string | Uint8Array = '',
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, headers).end(body);
}

/** The files of a docker config for one host. */
export function dockerConfig(key: string, user: string, password: string): string {
  const auth = Buffer.from(`${user}:${password}`).toString('base64');
  return JSON.stringify({ auths: { [key]: { auth } } });
}
