import { Agent } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Credential } from '../../src/setup/pki.ts';
import { DAY_MS, issueOdd, newTestPki, SAN, selfSigned } from '../support/certificates.ts';
import type { OddLeaf, TestPki } from '../support/certificates.ts';
import { ask, outcome, PATH, PROTOCOLS, reviewOf } from '../support/requests.ts';
import type { Question } from '../support/requests.ts';
import { startTestService } from '../support/service.ts';
import type { TestService } from '../support/service.ts';

let pki: TestPki;
let service: TestService;

beforeAll(async () => {
  pki = await newTestPki();
  service = await startTestService(pki);
});

afterAll(async () => {
  await service.end();
});

/** Whatever is asked, a stranger learns nothing. */
const QUESTIONS: readonly Question[] = [
  { method: 'POST', path: PATH },
  { method: 'POST', path: '/' },
  { method: 'GET', path: '/check-image' },
  { method: 'GET', path: '/healthz' },
  { method: 'OPTIONS', path: '*' },
  { method: 'POST', path: '/check-image', body: '{}' },
  { method: 'POST', path: '/check-image', headers: { 'Content-Type': 'text/plain' } },
];

const decisions = (): number => service.logged('image review decided').length;
const ago = (ms: number): Date => new Date(Date.now() - ms);

describe.each(PROTOCOLS)('a client that the CA does not vouch for, over %s,', (protocol) => {
  const strangers: [string, () => Credential | undefined, RegExp][] = [
    ['no certificate', () => undefined, /^peer did not return a certificate$/],
    ['a self-signed certificate', () => selfSigned({}), /^DEPTH_ZERO_SELF_SIGNED_CERT$/],
    [
      "a self-signed certificate of the CA's name",
      () => selfSigned({ commonNames: ['image-checker CA'] }),
      /^[A-Z_]+$/,
    ],
    [
      'a certificate of another CA, which has the same name',
      () => issueOdd(pki.otherAuthority, {}),
      /^CERT_SIGNATURE_FAILURE$/,
    ],
    [
      'an expired certificate',
      () => issueOdd(pki.authority, { from: ago(2 * DAY_MS), until: ago(5000) }),
      /^CERT_HAS_EXPIRED$/,
    ],
    [
      'a certificate that is not yet valid',
      () => issueOdd(pki.authority, { from: new Date(Date.now() + DAY_MS / 2) }),
      /^CERT_NOT_YET_VALID$/,
    ],
    [
      'a certificate for servers only',
      () => issueOdd(pki.authority, { usage: 'serverAuth' }),
      /^INVALID_PURPOSE$/,
    ],
    ["the service's own certificate", () => pki.server, /^INVALID_PURPOSE$/],
    ["the CA's certificate", () => pki.authority, /^INVALID_PURPOSE$/],
    [
      'a certificate that the right client issued itself',
      () => {
        const { certificate, key } = issueOdd(pki.client, {});
        return { certificate: `${certificate}${pki.client.certificate}`, key };
      },
      /^[A-Z_]+$/,
    ],
  ];

  it.each(strangers)('gets no answer at all with %s', async (_title, credential, cause) => {
    const quiet = await startTestService(pki);
    const caller = quiet.as(credential());
    for (const question of QUESTIONS) {
      expect(await outcome(caller, { ...question, protocol })).toBe('no answer');
    }
    const [first] = quiet.logged('TLS handshake refused');
    expect(first).toMatchObject({ cause: expect.stringMatching(cause) });
    expect(quiet.logged('image review decided')).toEqual([]);
    await quiet.end();
  });
});

describe.each(PROTOCOLS)('a client of the right CA, over %s,', (protocol) => {
  const wrongNames: [string, OddLeaf, string[]][] = [
    ['another name', { commonNames: ['kubelet'] }, ['kubelet']],
    ['the name in capitals', { commonNames: ['API-SERVER'] }, ['API-SERVER']],
    ['the name after a space', { commonNames: [' api-server'] }, [' api-server']],
    ['the name before a space', { commonNames: ['api-server '] }, ['api-server ']],
    ['a longer name', { commonNames: ['api-server.example.com'] }, ['api-server.example.com']],
    ['a longer name that ends so', { commonNames: ['my-api-server'] }, ['my-api-server']],
    ['the name before a NUL', { commonNames: ['api-server\0.example'] }, ['api-server\0.example']],
    ['the name before a line break', { commonNames: ['api-server\nCN=x'] }, ['api-server\nCN=x']],
    ['no name', { commonNames: [] }, []],
    ['an empty name', { commonNames: [''] }, ['']],
    ['two common names', { commonNames: ['api-server', 'kubelet'] }, []],
    ['the name twice', { commonNames: ['api-server', 'api-server'] }, []],
    [
      'the rendering of a DNS name as its name',
      { commonNames: ['DNS:api-server'] },
      ['DNS:api-server'],
    ],
    ...(
      [
        ['a DNS name', SAN.dns, 'x, DNS:api-server'],
        ['a DNS name between two others', SAN.dns, 'x, DNS:api-server, DNS:y'],
        ['a DNS name in quotes', SAN.dns, '"x", DNS:api-server'],
        ['a DNS name with a backslash', SAN.dns, 'x\\", DNS:api-server, DNS:"'],
        ['a DNS name with a line break', SAN.dns, 'x\nDNS:api-server'],
        ['a DNS name in other case', SAN.dns, 'Api-Server'],
        ['a DNS name before a NUL', SAN.dns, 'api-server\0.example'],
        ['a wildcard', SAN.dns, '*'],
        ['an e-mail address', SAN.email, 'x@example.com, DNS:api-server'],
        ['an address of the web', SAN.uri, 'https://x/, DNS:api-server'],
      ] as const
    ).map(([title, type, value]): [string, OddLeaf, string[]] => [
      `${title} (${JSON.stringify(value)}) as its alternative name`,
      { commonNames: ['x'], altNames: [{ type, value }] },
      ['x', value],
    ]),
  ];

  it.each(wrongNames)('is forbidden to ask with %s', async (_title, odd, names) => {
    const before = decisions();
    const caller = service.as(issueOdd(pki.authority, odd));
    const agent = new Agent({ keepAlive: true });
    for (const question of QUESTIONS) {
      const { status, text, headers } = await ask(caller, { ...question, agent, protocol });
      expect(status).toBe(403);
      expect(headers).not.toHaveProperty('retry-after');
      expect(JSON.parse(text)).toEqual({
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        code: 403,
        reason: 'Forbidden',
        message: 'image-checker: this client certificate is not allowed to ask',
      });
    }
    expect(service.logged('client refused').at(-1)).toEqual({
      names,
      address: '127.0.0.1',
      cause: 'name not allowed',
    });
    agent.destroy();
    expect(decisions()).toBe(before);
  });

  const rightNames: [string, OddLeaf][] = [
    ['its common name', {}],
    [
      'a DNS name',
      { commonNames: ['kube-apiserver'], altNames: [{ type: SAN.dns, value: 'api-server' }] },
    ],
    ['a DNS name alone', { commonNames: [], altNames: [{ type: SAN.dns, value: 'api-server' }] }],
    [
      'a DNS name beside two common names',
      { commonNames: ['a', 'b'], altNames: [{ type: SAN.dns, value: 'api-server' }] },
    ],
    [
      'a DNS name among others, odd ones too',
      {
        commonNames: ['x'],
        altNames: [
          { type: SAN.dns, value: 'a, DNS:b' },
          { type: SAN.ip, ip: '10.0.0.1' },
          { type: SAN.uri, value: 'spiffe://cluster/"api", x' },
          { type: SAN.dns, value: 'api-server' },
        ],
      },
    ],
  ];

  it.each(rightNames)('is answered by %s', async (_title, odd) => {
    const before = decisions();
    const { status, text } = await ask(service.as(issueOdd(pki.authority, odd)), { protocol });
    expect([status, JSON.parse(text)]).toEqual([
      200,
      expect.objectContaining({ kind: 'ImageReview' }),
    ]);
    expect(decisions()).toBe(before + 1);
    expect(service.logged('image review decided').at(-1)).toMatchObject({ client: 'api-server' });
  });

  it('is asked for the names that the config file lists, each exact', async () => {
    const allowedClients = ['one', 'spiffe://cluster/api', 'a, DNS:b'];
    const other = await startTestService(pki, { tls: { allowedClients } });
    const by = (altNames: OddLeaf['altNames'] & object, commonName = 'x'): Promise<unknown> =>
      outcome(other.as(issueOdd(pki.authority, { commonNames: [commonName], altNames })), {
        protocol,
      });
    expect(await by([], 'one')).toBe(200);
    expect(await by([{ type: SAN.uri, value: 'spiffe://cluster/api' }])).toBe(200);
    expect(await by([{ type: SAN.dns, value: 'a, DNS:b' }])).toBe(200);
    expect(await by([{ type: SAN.dns, value: 'a' }])).toBe(403);
    expect(await by([{ type: SAN.dns, value: 'b' }])).toBe(403);
    expect(await outcome(other.as(pki.client))).toBe(403);
    await other.end();
  });

  it('is forbidden to go on when its certificate expires on an open connection', async () => {
    let skew = 0;
    const aging = await startTestService(pki, { clock: () => Date.now() + skew });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const caller = aging.as(issueOdd(pki.authority, { until: new Date(Date.now() + DAY_MS) }));
    const first = await ask(caller, { agent });
    skew = DAY_MS - 60_000;
    const second = await ask(caller, { agent });
    skew = DAY_MS + 1000;
    const third = await ask(caller, { agent });
    agent.destroy();
    expect([first, second, third].map(({ status, reused }) => [status, reused])).toEqual([
      [200, false],
      [200, true],
      [403, true],
    ]);
    expect(aging.logged('client refused')).toEqual([
      { names: ['api-server'], address: '127.0.0.1', cause: 'certificate expired' },
    ]);
    await aging.end();
  });

  it('leaves at most 20 of its names in the log, each cut', async () => {
    const altNames = Array.from({ length: 30 }, () => ({ type: SAN.dns, value: 'x'.repeat(500) }));
    const odd = issueOdd(pki.authority, { commonNames: ['y'], altNames });
    expect(await outcome(service.as(odd), { body: reviewOf([]) })).toBe(403);
    const { names } = service.logged('client refused').at(-1) as { names: string[] };
    expect(names).toEqual(['y', ...Array.from({ length: 19 }, () => 'x'.repeat(200))]);
  });
});
