import { writeFile } from 'node:fs/promises';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Gauge, Registry } from 'prom-client';
import { DAY_MS, issueOdd, newTestPki } from './support/certificates.ts';
import type { TestPki } from './support/certificates.ts';
import { headOf, openConnection, outcome, PROTOCOLS, reviewOf } from './support/requests.ts';
import { samplesOf } from './support/samples.ts';
import { RULES, startTestService } from './support/service.ts';
import type { TestService } from './support/service.ts';

let pki: TestPki;
let service: TestService;

beforeAll(async () => {
  pki = await newTestPki();
});

afterEach(async () => {
  await service.end();
});

const read = async (): Promise<Response> => fetch(`http://127.0.0.1:${service.adminPort}/metrics`);

/** Samples of a metric that are not 0. */
async function counted(metric: string): Promise<Record<string, number>> {
  const samples = samplesOf(await (await read()).text(), metric);
  return Object.fromEntries(Object.entries(samples).filter(([, value]) => value !== 0));
}

async function until(look: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 500 && !(await look()); turn++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('/metrics of a service', () => {
  it('is in the text format of Prometheus', async () => {
    service = await startTestService(pki);
    const { status, headers } = await read();
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it.each(PROTOCOLS)('counts reviews, violations and refusals over %s', async (protocol) => {
    service = await startTestService(pki, { limits: { bodyBytes: 2000 } });
    await service.ask({ protocol });
    await service.ask({ protocol, body: reviewOf(['quay.io/secret-name', 'quay.io/x']) });
    await service.ask({ protocol, body: reviewOf(['NOT AN IMAGE']) });
    await service.ask({ protocol, body: '{}' });
    await service.ask({ protocol, body: reviewOf(['x'.repeat(3000)]) });
    await service.ask({ protocol, path: '/elsewhere' });
    const stranger = issueOdd(pki.authority, { commonNames: ['kubelet'] });
    await outcome(service.as(stranger), { protocol });
    expect(await counted('image_checker_reviews_total')).toEqual({
      'verdict="allowed",mode="none"': 1,
      'verdict="denied",mode="enforce"': 1,
      'verdict="denied",mode="absolute"': 1,
    });
    expect(await counted('image_checker_violations_total')).toEqual({
      'rule="trusted-registries",mode="enforce"': 2,
      'rule="(none)",mode="absolute"': 1,
    });
    expect(await counted('image_checker_review_duration_seconds_count')).toEqual({ '': 3 });
    expect(await counted('image_checker_requests_refused_total')).toEqual({
      'code="400"': 1,
      'code="403"': 1,
      'code="404"': 1,
      'code="413"': 1,
    });
    expect(await counted('image_checker_limit_refusals_total')).toEqual({
      'limit="body_bytes"': 1,
    });
    expect(await (await read()).text()).not.toMatch(/secret-name|NOT AN IMAGE|kubelet/);
  });

  it('tells what is in flight, and what was shed', async () => {
    service = await startTestService(pki, { limits: { inFlight: 1 } });
    const socket = await openConnection(service.as(pki.client));
    socket.write(headOf(100));
    const inFlight = () => counted('image_checker_reviews_in_flight');
    await until(async () => (await inFlight())[''] === 1);
    expect(await outcome(service.as(pki.client))).toBe(429);
    expect(await inFlight()).toEqual({ '': 1 });
    socket.destroy();
    await until(async () => (await inFlight())[''] === undefined);
    expect(await inFlight()).toEqual({});
    expect(await counted('image_checker_limit_refusals_total')).toEqual({ 'limit="in_flight"': 1 });
  });

  it('counts handshakes that fail', async () => {
    service = await startTestService(pki);
    expect(await outcome(service.as())).toBe('no answer');
    expect(await counted('image_checker_tls_handshakes_failed_total')).toEqual({ '': 1 });
  });

  it('tells when certificates expire: of the service, of the client CA, and of who asks', async () => {
    service = await startTestService(pki);
    const until = new Date(Math.floor((Date.now() + 20 * DAY_MS) / 1000) * 1000);
    await outcome(service.as(issueOdd(pki.authority, { commonNames: ['api-server'], until })));
    await service.ask();
    const expiry = await counted('image_checker_certificate_expiry_timestamp_seconds');
    expect(Object.keys(expiry)).toEqual([
      'role="server"',
      'role="client_ca"',
      'role="client",client="api-server"',
    ]);
    const [server = 0, authority = 0, client = 0] = Object.values(expiry);
    expect(client).toBe(until.getTime() / 1000);
    expect(server * 1000).toBeGreaterThan(Date.now() + 30 * DAY_MS);
    expect(authority).toBeGreaterThan(server);
  });

  it('names the rules in force, and says whether the last reload was a success', async () => {
    service = await startTestService(pki);
    const info = async () => Object.keys(await counted('image_checker_rules_info'));
    const loadedAt = async () =>
      (await counted('image_checker_rules_loaded_timestamp_seconds'))[''] ?? 0;
    const reloads = () => counted('image_checker_last_reload_successful');
    const [before, since] = [await info(), await loadedAt()];
    expect(before).toEqual([expect.stringMatching(/^policy="test-policy",hash="[0-9a-f]{12}"$/)]);
    expect(Math.abs(since - Date.now() / 1000)).toBeLessThan(60);
    expect(await reloads()).toEqual({ 'what="rules"': 1, 'what="certificates"': 1 });

    await writeFile(service.config.rules, 'broken');
    await service.reload();
    expect(await reloads()).toEqual({ 'what="certificates"': 1 });
    expect([await info(), await loadedAt()]).toEqual([before, since]);

    await writeFile(service.config.rules, RULES.replace('docker.io', 'quay.io'));
    await service.reload();
    expect(await reloads()).toEqual({ 'what="rules"': 1, 'what="certificates"': 1 });
    expect(await info()).not.toEqual(before);
    expect(await loadedAt()).toBeGreaterThan(since);
  });

  it('says whether the service is ready', async () => {
    let now = Date.now();
    service = await startTestService(pki, { clock: () => now });
    expect(await counted('image_checker_ready')).toEqual({ '': 1 });
    now += 10 * 365 * DAY_MS;
    expect(await counted('image_checker_ready')).toEqual({});
  });
});

describe('metrics that fail', () => {
  it('are an error of that page alone, which does not say where', async () => {
    const registry = new Registry();
    new Gauge({
      name: 'broken',
      help: 'broken',
      registers: [registry],
      collect() {
        throw new Error('secret detail');
      },
    });
    service = await startTestService(pki, { registry });
    const response = await read();
    expect([response.status, await response.json()]).toEqual([500, { error: 'internal error' }]);
    expect(service.logged('a request to the admin listener failed')).toEqual([
      { error: 'secret detail' },
    ]);
    expect((await service.ask()).status).toBe(200);
  });
});

describe('a review whose metrics cannot be counted', () => {
  it('is answered and logged all the same', async () => {
    const registry = new Registry();
    service = await startTestService(pki, { registry });
    const duration = registry.getSingleMetric('image_checker_review_duration_seconds');
    Object.assign(duration ?? {}, {
      observe() {
        throw new Error('no room');
      },
    });
    const { status, text } = await service.ask({ body: reviewOf(['quay.io/x']) });
    expect([status, text]).toEqual([200, expect.stringContaining('"allowed":false')]);
    expect(service.logged('image review decided')).toHaveLength(1);
  });
});
