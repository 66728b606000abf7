import { z } from 'zod';

const file = z.string().min(1);

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', SECOND],
  ['m', MINUTE],
  ['h', HOUR],
]);

interface Range {
  readonly least: string;
  readonly most: string;
  readonly usual: string;
}

/** A span of time such as `8s`; comes out in milliseconds. */
function duration({ least, most, usual }: Range) {
  const [min, max] = [milliseconds(least), milliseconds(most)];
  return z
    .string()
    .refine((text) => within(milliseconds(text), min, max), {
      error: `expected a time from ${least} to ${most}, such as ${usual}`,
      params: { hint: 'a whole number and ms, s, m or h' },
    })
    .transform(milliseconds)
    .prefault(usual);
}

/** NaN for what is none. */
function milliseconds(text: string): number {
  const [, count = '', unit = ''] = /^([0-9]{1,9})(ms|s|m|h)$/.exec(text) ?? [];
  return Number(count) * (UNITS.get(unit) ?? NaN);
}

const within = (value: number, min: number, max: number): boolean => value >= min && value <= max;

/** `host` or `host:port`, as the references of images name it. */
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(?::[0-9]{1,5})?$/;
/** Behind a host: where a mirror keeps the repositories of the registry, such as `/docker-hub`. */
const PREFIX = /^(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*$/;

function isMirror(text: string): boolean {
  const slash = text.indexOf('/');
  if (slash < 0) return HOST.test(text);
  return HOST.test(text.slice(0, slash)) && PREFIX.test(text.slice(slash));
}

const host = z
  .strictObject({
    /** Trusted beside the authorities that the system trusts, not instead of them. */
    ca: file.optional(),
    clientCertificate: file.optional(),
    clientKey: file.optional(),
    /** Asked instead; the other keys then say how to reach the mirror. */
    mirror: z
      .string()
      .refine(isMirror, {
        error: 'expected a host in lower case, a port and a path if need be, and no scheme',
        params: { hint: 'such as mirror.example.com:5000 or mirror.example.com/docker-hub' },
      })
      .optional(),
    plainHttp: z.boolean().default(false),
  })
  .superRefine((entry, context) => {
    const say = (key: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [key], message });
    };
    const { ca, clientCertificate, clientKey, plainHttp } = entry;
    if (clientCertificate !== undefined && clientKey === undefined) {
      say('clientCertificate', 'expected clientKey beside it, got none');
    }
    if (clientKey !== undefined && clientCertificate === undefined) {
      say('clientKey', 'expected clientCertificate beside it, got none');
    }
    if (plainHttp && (ca ?? clientCertificate ?? clientKey) !== undefined) {
      say('plainHttp', 'expected no certificates beside it: there is nothing to use them for');
    }
  });

/** What rules that ask a registry need; paths are relative to the config file. */
export const registriesSchema = z
  .strictObject({
    /** Files in the format of docker's config.json; the first that knows a registry counts. */
    credentials: z.array(file).default([]),
    /** kube-apiserver waits for 30 s at most, and has other things to do in them. */
    reviewDeadline: duration({ least: '100ms', most: '25s', usual: '8s' }),
    cache: z
      .strictObject({
        positive: duration({ least: '0s', most: '24h', usual: '10m' }),
        negative: duration({ least: '0s', most: '1h', usual: '30s' }),
        bytes: z
          .int()
          .min(0)
          .max(4 * 1024 ** 3)
          .default(64 * 1024 ** 2),
      })
      .prefault({}),
    hosts: z
      .record(z.string(), host)
      .superRefine((hosts, context) => {
        for (const name of Object.keys(hosts).filter((each) => !HOST.test(each))) {
          context.addIssue({
            code: 'custom',
            path: [name],
            message: 'expected a host in lower case, with a port if need be, and no scheme or path',
            params: { hint: 'such as registry.example.com:5000, or docker.io for Docker Hub' },
          });
        }
      })
      .default({}),
  })
  .prefault({});

export type RegistriesConfig = z.output<typeof registriesSchema>;
/** How one registry is reached. */
export type RegistryHostConfig = z.output<typeof host>;
