#!/usr/bin/env node
// Pushes a small image, or an index of some, to a registry of the lab; --help says how.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { openRegistry } from './push.js';

const USAGE = `usage: scripts/lab/registry/image.js --state DIR [option...] REPOSITORY:TAG

Pushes a small image to the registry that up.sh started in DIR. Prints its name by digest, such as
localhost:5000/team/app@sha256:..., and for an index each child likewise, one a line.

--created TIME       when it was made, RFC 3339 (default: now); "none": its config does not say
--platform OS/ARCH   may be given several times, and end in /VARIANT (default: linux/amd64)
--index              makes an index also for one platform; several always make one
--docker             Docker's media types instead of OCI's
--content TEXT       what is in its one layer; images of different content have different digests
`;

const OCI = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
};
const DOCKER = {
  index: 'application/vnd.docker.distribution.manifest.list.v2+json',
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
};

const sha256 = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const descriptor = (mediaType, bytes) => ({ mediaType, digest: sha256(bytes), size: bytes.length });
const json = (value) => Buffer.from(JSON.stringify(value));

/** A tar archive of one file. */
function tar(name, content) {
  const header = Buffer.alloc(512);
  const size = content.length.toString(8).padStart(11, '0');
  header.write(name);
  header.write(
    `0000644\0${'0000000\0'.repeat(2)}${size}\0${'0'.repeat(11)}\0${' '.repeat(8)}0`,
    100,
  );
  header.write('ustar\u000000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)]);
}

/** @returns the descriptor of the manifest */
async function pushImage(target, platform, { types, created, content, reference }) {
  const [os, architecture, variant] = platform.split('/');
  const archive = tar('content', Buffer.from(content));
  const layer = gzipSync(archive);
  const config = json({
    ...(created === 'none' ? {} : { created }),
    ...{ os, architecture, ...(variant === undefined ? {} : { variant }) },
    config: {},
    rootfs: { type: 'layers', diff_ids: [sha256(archive)] },
  });
  for (const blob of [layer, config]) await target.putBlob(blob, sha256(blob));
  const manifest = json({
    ...{ schemaVersion: 2, mediaType: types.manifest },
    config: descriptor(types.config, config),
    layers: [descriptor(types.layer, layer)],
  });
  await target.putManifest(manifest, types.manifest, reference ?? sha256(manifest));
  const place = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  return { ...descriptor(types.manifest, manifest), platform: place };
}

async function pushIndex(target, platforms, options) {
  const children = [];
  for (const platform of platforms) {
    children.push(await pushImage(target, platform, { ...options, reference: undefined }));
  }
  const { types, reference } = options;
  const index = json({ schemaVersion: 2, mediaType: types.index, manifests: children });
  await target.putManifest(index, types.index, reference);
  return [descriptor(types.index, index), ...children];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean' },
    state: { type: 'string' },
    created: { type: 'string', default: new Date().toISOString() },
    platform: { type: 'string', multiple: true, default: ['linux/amd64'] },
    index: { type: 'boolean' },
    docker: { type: 'boolean' },
    content: { type: 'string', default: 'small' },
  },
});
const [, repository, reference] = /^([^:@]+):([^:@/]+)$/.exec(positionals[0] ?? '') ?? [];
if (values.help) {
  process.stdout.write(USAGE);
} else if (values.state === undefined || repository === undefined || positionals.length > 1) {
  process.stderr.write(`lab: error: expected --state DIR REPOSITORY:TAG\n${USAGE}`);
  process.exitCode = 2;
} else {
  const registry = openRegistry(values.state);
  const target = registry.repository(repository);
  const types = values.docker ? DOCKER : OCI;
  const { created, content, platform: platforms, index } = values;
  const options = { types, created, content, reference };
  const pushed =
    index || platforms.length > 1
      ? await pushIndex(target, platforms, options)
      : [await pushImage(target, platforms[0], options)];
  for (const { digest } of pushed) console.log(`${join(registry.host, repository)}@${digest}`);
}
