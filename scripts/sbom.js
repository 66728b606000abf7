/*
 * What is in image-checker, as CycloneDX: `node scripts/sbom.js FILE [NODE_VERSION]`. The packages of
 * package-lock.json that are shipped, and the Node that runs them (this one, unless told). The same
 * lock file gives the same text.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const root = join(import.meta.dirname, '..');
const [file, node = process.versions.node] = process.argv.slice(2);

const readJson = (name) => JSON.parse(readFileSync(join(root, name), 'utf8'));

/**
 * By npm, from a copy of the project without what is for development: `npm sbom --omit=dev` leaves
 * out what a development package uses as well (npm 11), zod among others.
 */
function readShipped() {
  const folder = mkdtempSync(join(tmpdir(), 'image-checker-sbom-'));
  const write = (name, value) => writeFileSync(join(folder, name), JSON.stringify(value));
  const lock = readJson('package-lock.json');
  const shipped = Object.entries(lock.packages).filter(([, { dev }]) => dev !== true);
  try {
    delete lock.packages[''].devDependencies;
    write('package.json', { ...readJson('package.json'), devDependencies: {} });
    write('package-lock.json', { ...lock, packages: Object.fromEntries(shipped) });
    const flags = ['--package-lock-only', '--sbom-type=application', '--sbom-format=cyclonedx'];
    return JSON.parse(
      execFileSync('npm', ['sbom', ...flags], {
        cwd: folder,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function complete(bom) {
  // What tells one run from another.
  delete bom.serialNumber;
  delete bom.metadata.timestamp;
  // npm names it after the folder that it is in.
  bom.metadata.component.name = 'image-checker';
  bom.components.push({
    'bom-ref': `node@${node}`,
    type: 'platform',
    name: 'node',
    version: node,
    purl: `pkg:generic/node@${node}`,
    externalReferences: [{ type: 'website', url: 'https://nodejs.org' }],
  });
  return bom;
}

if (file === undefined) {
  console.error('image-checker: error: expected a file to write');
  console.error('image-checker: hint: node scripts/sbom.js build/image-checker.cdx.json');
  process.exitCode = 2;
} else {
  mkdirSync(dirname(resolve(file)), { recursive: true });
  writeFileSync(file, `${JSON.stringify(complete(readShipped()), undefined, 2)}\n`);
}
