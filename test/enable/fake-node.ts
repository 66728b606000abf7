import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderAdmissionConfiguration } from '../../src/setup/admission-configuration.ts';
import { renderKubeconf } from '../../src/setup/kubeconf.ts';
import { fixture } from '../manifest/fixtures.ts';
import type { TestPki } from '../support/certificates.ts';
import { ask } from '../support/requests.ts';
import type { TestService } from '../support/service.ts';

/** What becomes of kube-apiserver when the manifest changes. */
export type Kubelet =
  /** It is restarted, every time. */
  | 'good'
  /** Nothing: the kubelet is dead. */
  | 'dead'
  /** It does not start with the plugin. */
  | 'crash'
  /** It starts, and does not ask the service. */
  | 'deaf';

const TOKEN = 'admin-token';

/** A control-plane node: folders, a kubelet that reads the manifest, an apiserver that it runs. */
export class FakeNode {
  kubelet: Kubelet = 'good';
  pods: unknown[] = [];
  metrics = true;
  /** Called when the kubelet has seen a change. */
  onChange: () => void = () => undefined;
  readonly folder: string;
  readonly #pki: TestPki;
  readonly #service: TestService;
  readonly #server: Server;
  #text = '';
  #state: 'up' | 'down' = 'up';
  #startTime = 1000;
  #restarts = 0;

  private constructor(folder: string, pki: TestPki, service: TestService) {
    this.folder = folder;
    this.#pki = pki;
    this.#service = service;
    const { certificate: cert, key } = pki.server;
    this.#server = createServer({ cert, key }, (request, response) => {
      void this.#answer(request, response);
    });
    this.#server.on('connection', (socket) => {
      if (this.#state === 'down') socket.destroy();
    });
  }

  static async start(pki: TestPki, service: TestService): Promise<FakeNode> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'image-checker-node-')));
    const node = new FakeNode(folder, pki, service);
    await new Promise<void>((resolve) => node.#server.listen(0, '127.0.0.1', resolve));
    await node.#writeFiles((node.#server.address() as AddressInfo).port);
    return node;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get manifest(): string {
    return join(this.folder, 'manifests/kube-apiserver.yaml');
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  read(name: string): Promise<string> {
    return readFile(this.path(name), 'utf8');
  }

  goDown(): void {
    this.#state = 'down';
  }

  /** What the kubelet does as time goes by. */
  async tick(): Promise<void> {
    const text = await readFile(this.manifest, 'utf8');
    if (this.#state === 'down' && !this.#crashes(this.#text)) this.#start();
    if (text === this.#text || this.kubelet === 'dead') return;
    this.#text = text;
    this.#state = 'down';
    if (this.#crashes(text)) await this.#log('E1125 12:00:00.000000 1 run.go:74] "command failed"');
    this.onChange();
  }

  async end(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.folder, { recursive: true, force: true });
  }

  #crashes(text: string): boolean {
    return this.kubelet === 'crash' && text.includes('ImagePolicyWebhook');
  }

  #start(): void {
    this.#state = 'up';
    this.#startTime += 100;
    this.#restarts += 1;
  }

  async #log(line: string): Promise<void> {
    const folder = this.path('pods/kube-system_kube-apiserver-node_1/kube-apiserver');
    await mkdir(folder, { recursive: true });
    await writeFile(
      join(folder, '0.log'),
      `2026-11-25T12:00:00.000000000Z stderr F I1125 started\n2026-11-25T12:00:00.000000000Z stderr F ${line}\n`,
    );
  }

  async #writeFiles(port: number): Promise<void> {
    for (const name of ['manifests', 'admission']) await mkdir(this.path(name));
    this.#text = fixture('kubeadm-v1.31.yaml')
      .replaceAll(/advertise-address=\S+/g, 'advertise-address=127.0.0.1')
      .replaceAll(/secure-port=\d+/g, `secure-port=${port}`)
      .replaceAll('registry.k8s.io', 'docker.io');
    await writeFile(this.manifest, this.#text, { mode: 0o600 });
    const { authority, client } = this.#pki;
    const mounted = this.path('admission');
    const files = {
      'admission/external-cert.pem': authority.certificate,
      'admission/apiserver-client-cert.pem': client.certificate,
      'admission/apiserver-client-key.pem': client.key,
      'admission/kubeconf': renderKubeconf({
        mounted,
        host: '127.0.0.1',
        port: this.#service.port,
      }),
      'admission/admission_config.yaml': renderAdmissionConfiguration({ mounted }),
      'ca.pem': authority.certificate,
      'admin.conf': adminConf(port),
    };
    for (const [name, text] of Object.entries(files)) {
      const mode = name.endsWith('-key.pem') ? 0o600 : 0o644;
      await writeFile(this.path(name), text, { mode });
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?')[0];
    const body = await readAll(request);
    if (request.headers.authorization !== `Bearer ${TOKEN}`) {
      response.writeHead(401).end('{"kind":"Status","message":"Unauthorized"}');
    } else if (path === '/readyz') response.end('ok');
    else if (path === '/metrics') this.#answerMetrics(response);
    else if (path === '/api/v1/pods') this.#answerPods(request, response);
    else if (request.method === 'POST') await this.#answerDryRun(body, response);
    else response.writeHead(404).end('{}');
  }

  #answerMetrics(response: ServerResponse): void {
    if (!this.metrics) response.writeHead(403).end('{}');
    else response.end(`# TYPE x gauge\nx 1\nprocess_start_time_seconds ${this.#startTime}\n`);
  }

  /** Two pods a page. */
  #answerPods(request: IncomingMessage, response: ServerResponse): void {
    const query = new URL(request.url ?? '', 'https://x').searchParams;
    const begin = Number(query.get('continue') ?? 0);
    const end = begin + 2;
    const more = end < this.pods.length ? { continue: String(end) } : {};
    const list = { kind: 'PodList', metadata: more, items: this.pods.slice(begin, end) };
    response.end(JSON.stringify(list));
  }

  async #answerDryRun(body: string, response: ServerResponse): Promise<void> {
    const pod = JSON.parse(body) as { spec: { containers: { image: string }[] } };
    const asks = this.#text.includes('ImagePolicyWebhook') && this.kubelet !== 'deaf';
    const reason = asks ? await this.#review(pod.spec.containers) : undefined;
    if (reason === undefined) {
      response.writeHead(201).end(body);
      return;
    }
    const message = `pods "x" is forbidden: image policy webhook backend denied one or more images: ${reason}`;
    response.writeHead(403).end(JSON.stringify({ kind: 'Status', reason: 'Forbidden', message }));
  }

  async #review(containers: readonly { image: string }[]): Promise<string | undefined> {
    const answer = await ask(this.#service.as(this.#pki.client), {
      body: JSON.stringify({
        apiVersion: 'imagepolicy.k8s.io/v1alpha1',
        kind: 'ImageReview',
        spec: { containers, namespace: 'default' },
      }),
    });
    const { status } = JSON.parse(answer.text) as { status: { allowed: boolean; reason?: string } };
    return status.allowed ? undefined : (status.reason ?? '');
  }
}

function adminConf(port: number): string {
  return `apiVersion: v1
kind: Config
clusters:
  - name: c
    cluster: { server: 'https://localhost:${port}', certificate-authority: ca.pem }
users:
  - name: u
    user: { token: ${TOKEN} }
contexts:
  - name: x
    context: { cluster: c, user: u }
current-context: x
`;
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** As the API's list has it. */
export function runningPod(
  namespace: string,
  name: string,
  image: string,
  phase = 'Running',
): object {
  return { metadata: { namespace, name }, spec: { containers: [{ image }] }, status: { phase } };
}
