import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { run } from '../support/lab.ts';
import { serve, setUp } from './built-service.ts';
import type { BuiltService, Installation } from './built-service.ts';
import { eventually } from './eventually.ts';
import { startReviewer } from './reviewer.ts';
import type { Reviewer } from './reviewer.ts';

const MAIN = join(import.meta.dirname, '../../dist/main.js');

describe('certs renew, while reviews go on', () => {
  let folder: string;
  let installation: Installation;
  let service: BuiltService;
  let reviewer: Reviewer;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'image-checker-e2e-'));
    installation = await setUp(folder);
    service = await serve(installation);
    reviewer = startReviewer(installation.admissionFolder, installation.port);
  });
  afterEach(async () => {
    await reviewer.stop();
    await service.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const renew = (...flags: readonly string[]) =>
    run(
      process.execPath,
      [
        ...[MAIN, 'certs', 'renew', ...flags, '--dir', installation.admissionFolder],
        ...['--service-dir', installation.serviceFolder],
      ],
      { timeout: 60_000 },
    );
  const reloads = () =>
    service.log.filter(({ message }) => message === 'certificates reloaded').length;
  /** Renews, and waits until the service has noticed. */
  const renewed = async (...flags: readonly string[]): Promise<string> => {
    const before = reloads();
    const { code, stdout, stderr } = await renew(...flags);
    expect([code, stderr]).toEqual([0, '']);
    await eventually('a reload of certificates', () => reloads() > before || undefined);
    return stdout;
  };
  const bundle = (name: string) => readFile(join(installation.admissionFolder, name), 'utf8');
  const certificatesIn = (text: string) => text.match(/BEGIN CERTIFICATE/g)?.length;

  it('fails not one of 1,000 reviews, on connections that stay and on new ones', async () => {
    await reviewer.more(300);
    expect(await renewed()).toContain('renewed, from the same CA');
    await reviewer.more(300);
    await renewed();
    await reviewer.more(400);
    const { count, failures, serials } = await reviewer.stop();
    expect(failures).toEqual([]);
    expect(count).toBeGreaterThanOrEqual(1000);
    expect(serials.size).toBe(3);
  });

  it('changes to a new CA in three steps, and fails not one of 1,000 reviews', async () => {
    await reviewer.more(200);
    expect(await renewed('--ca')).toContain('step 1 of 3');
    expect(certificatesIn(await bundle('external-cert.pem'))).toBe(2);
    await reviewer.more(200);
    reviewer.restart();
    await reviewer.more(200);
    expect(await renewed('--ca', '--yes')).toContain('step 2 of 3');
    await reviewer.more(200);
    expect(await renewed('--ca', '--yes')).toContain('step 3 of 3');
    expect(certificatesIn(await bundle('external-cert.pem'))).toBe(1);
    await reviewer.more(200);
    const { count, failures, serials } = await reviewer.stop();
    expect(failures).toEqual([]);
    expect(count).toBeGreaterThanOrEqual(1000);
    expect(serials.size).toBe(2);
  });

  it('refuses the second step until somebody says that the apiserver was restarted', async () => {
    await reviewer.stop();
    await renewed('--ca');
    const before = await bundle('apiserver-client-cert.pem');
    const { code, stderr } = await renew('--ca');
    expect(code).toBe(2);
    expect(stderr).toContain('restart every kube-apiserver');
    expect(await bundle('apiserver-client-cert.pem')).toBe(before);
  });

  it('refuses the third step while what the second one made is new', async () => {
    await reviewer.stop();
    await renewed('--ca');
    await renewed('--ca', '--yes');
    const { code, stderr } = await renew('--ca');
    expect(code).toBe(2);
    expect(stderr).toContain('expected it in use for 5 minutes');
    expect(certificatesIn(await bundle('external-cert.pem'))).toBe(2);
  });
});
