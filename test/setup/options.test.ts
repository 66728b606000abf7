import { describe, expect, it } from '@jest/globals';
import { ImageCheckerError } from '../../src/errors.ts';
import { readSetupFlags } from '../../src/setup/options.ts';
import type { SetupFlags } from '../../src/setup/options.ts';

describe('the options of setup', () => {
  it('default to a control-plane node', () => {
    expect(readSetupFlags({}, '/home/operator')).toEqual({
      layout: {
        admission: '/etc/kubernetes/admission',
        service: '/etc/image-checker',
        pki: '/etc/image-checker/pki',
        mounted: '/etc/kubernetes/admission',
      },
      serverHosts: [],
      port: undefined,
      adminPort: 9090,
      onExisting: 'refuse',
    });
  });

  it('take folders relative to the current one', () => {
    const flags = { dir: '.local/a', serviceDir: '../s/', mountPath: '/mnt/x/' };
    expect(readSetupFlags(flags, '/home/operator').layout).toEqual({
      admission: '/home/operator/.local/a',
      service: '/home/s',
      pki: '/home/s/pki',
      mounted: '/mnt/x',
    });
  });

  it.each([
    ['a name', 'Checker.Example.COM', 'checker.example.com'],
    ['a single label', 'external-service', 'external-service'],
    ['a name that begins with a digit', '3com', '3com'],
    ['punycode', 'xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['an IPv4 address', '10.0.0.7', '10.0.0.7'],
    ['an IPv6 address, normalised', '2001:DB8:0:0::0001', '2001:db8::1'],
    ['an IPv4-mapped IPv6 address', '::ffff:10.0.0.7', '::ffff:a00:7'],
  ])('take %s as a host', (_title, written, host) => {
    expect(readSetupFlags({ serverHost: [written] }, '/').serverHosts).toEqual([host]);
  });

  it('take each host once', () => {
    const { serverHosts } = readSetupFlags({ serverHost: ['::1', 'a', '0::1', 'A'] }, '/');
    expect(serverHosts).toEqual(['::1', 'a']);
  });

  it.each([
    ['an empty host', ''],
    ['a URL', 'https://checker.example.com'],
    ['a host with a port', 'checker.example.com:1234'],
    ['an address in brackets', '[::1]'],
    ['an address with a zone', 'fe80::1%eth0'],
    ['an address with too large a number', '10.0.0.256'],
    ['an address with too few numbers', '10.0.7'],
    ['an address in hex', '0x7f.0x1'],
    ['a number', '2130706433'],
    ['a wildcard', '*.example.com'],
    ['a final dot', 'checker.example.com.'],
    ['an underscore', 'my_checker'],
    ['a hyphen at the edge of a label', '-a.example.com'],
    ['letters beyond ASCII', 'bücher.example'],
    ['a line break', 'a\nb'],
    ['a label of 64 characters', 'a'.repeat(64)],
    ['a name of 254 characters', `${'a'.repeat(49)}.`.repeat(5) + 'abcd'],
    ['every IPv4 address', '0.0.0.0'],
    ['every IPv6 address', '0:0::0'],
  ])('refuse %s as a host', (_title, host) => {
    expect(() => readSetupFlags({ serverHost: [host] }, '/')).toThrow(/--server-host: expected/);
  });

  it.each<[string, SetupFlags, RegExp]>([
    ['port 0', { port: '0' }, /--port: expected a port from 1 to 65535, got '0'/],
    ['a port that is too high', { port: '65536' }, /--port: expected a port/],
    ['a port that is no number', { adminPort: '12e3' }, /--admin-port: expected a port/],
    ['a negative port', { port: '-1' }, /--port: expected a port/],
    ['one port for both listeners', { port: '9090' }, /to differ, got 9090 twice/],
    [
      'a relative mount path',
      { mountPath: 'admission' },
      /--mount-path: expected an absolute path/,
    ],
    ['an empty folder', { dir: '' }, /--dir: expected a path/],
    ['an empty service folder', { serviceDir: '' }, /--service-dir: expected a path/],
    [
      'both --force and --if-missing',
      { force: true, ifMissing: true },
      /expected one of .* got both/,
    ],
  ])('refuse %s', (_title, flags, message) => {
    expect(() => readSetupFlags(flags, '/')).toThrow(message);
  });

  it('are refused with every mistake at once', () => {
    try {
      readSetupFlags({ port: 'x', serverHost: ['*', 'ok', '_'], mountPath: 'm' }, '/');
      throw new Error('expected a refusal');
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(ImageCheckerError);
      expect(thrown).toMatchObject({ code: 'usage' });
      expect((thrown as ImageCheckerError).problems).toHaveLength(4);
    }
  });
});
