import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, request } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Descriptor } from '../../src/registry/registry.ts';
import type { RegistryLab } from '../support/registry-lab.ts';

/** The registry of the lab under another port, with the referrers API that it lacks. */
export interface ReferrersApi {
  /** `localhost:PORT` */
  readonly host: string;
  stop(): Promise<void>;
}

const INDEX = 'application/vnd.oci.image.index.v1+json';

interface PushedManifest {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config?: { readonly mediaType: string };
  readonly subject?: { readonly digest: string };
  readonly annotations?: Record<string, string>;
}

/**
 * Passes everything on, remembers which manifests name a subject, and lists them as the OCI
 * distribution specification 1.1 says.
 */
export async function startReferrersApi(lab: RegistryLab): Promise<ReferrersApi> {
  const [cert, key, ca] = await Promise.all(
    ['server.pem', 'server.key', 'ca.pem'].map((name) => readFile(lab.file(name))),
  );
  const listed = new Map<string, Descriptor[]>();
  const server = createServer({ cert, key }, (asked, response) => {
    void answer(asked, response).catch((thrown: unknown) => response.destroy(thrown as Error));
  });
  const answer = async (asked: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = 'GET', url = '/' } = asked;
    const [, name, digest] = /^\/v2\/(.+)\/referrers\/([^?]+)/.exec(url) ?? [];
    if (name !== undefined && digest !== undefined) {
      const manifests = listed.get(`${name}@${digest}`) ?? [];
      response.setHeader('content-type', INDEX);
      response.end(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }));
      return;
    }
    const body = await bytesOf(asked);
    const subject = method === 'PUT' ? remember(url, body, listed) : undefined;
    if (subject !== undefined) response.setHeader('oci-subject', subject);
    await passOn(asked, body, response);
  };
  const passOn = async (
    asked: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
  ): Promise<void> =>
    new Promise((resolve, reject) => {
      const { method, url, headers } = asked;
      const upstream = request(`https://${lab.host}${url ?? '/'}`, { method, headers, ca });
      upstream.on('error', reject);
      upstream.on('response', (received) => {
        response.writeHead(received.statusCode ?? 502, received.headers);
        received.pipe(response).on('finish', resolve).on('error', reject);
      });
      upstream.end(body);
    });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `localhost:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The subject of a manifest that is pushed, if it names one. */
function remember(
  url: string,
  body: Buffer,
  listed: Map<string, Descriptor[]>,
): string | undefined {
  const [, name] = /^\/v2\/(.+)\/manifests\//.exec(url) ?? [];
  if (name === undefined) return undefined;
  const manifest = JSON.parse(body.toString()) as PushedManifest;
  const { subject, mediaType = '', artifactType = manifest.config?.mediaType } = manifest;
  if (subject === undefined) return undefined;
  const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
  const key = `${name}@${subject.digest}`;
  const others = (listed.get(key) ?? []).filter((each) => each.digest !== digest);
  const { annotations } = manifest;
  const descriptor: Descriptor = {
    ...{ mediaType, digest, size: body.length },
    ...(artifactType !== undefined && { artifactType }),
    ...(annotations && { annotations }),
  };
  listed.set(key, [...others, descriptor]);
  return subject.digest;
}
