import { readFileSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { EXIT } from '../../src/cli/context.ts';
import { run } from '../../src/cli/run.ts';
import { call, fakeContext } from './call.ts';
import type { Surroundings } from './call.ts';

const PARSE = ['reference', 'parse'];

interface Answer {
  readonly input: string;
  readonly ok: boolean;
}

async function parse(args: readonly string[], surroundings: Surroundings = {}): Promise<Answer[]> {
  const { code, stdout, stderr } = await call([...PARSE, ...args], surroundings);
  expect([code, stderr]).toEqual([EXIT.ok, '']);
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Answer);
}

const fixture = new URL('../fixtures/image-references.jsonl', import.meta.url);
const expected = readFileSync(fixture, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => {
    const { category, ...rest } = JSON.parse(line) as Answer & { category: string };
    expect(category).not.toBe('');
    return rest;
  });

describe('image-checker reference parse', () => {
  it('agrees on all 404 recorded strings', async () => {
    const stdin = expected.map(({ input }) => `${JSON.stringify(input)}\n`).join('');
    expect(expected).toHaveLength(404);
    expect(await parse(['--json-strings'], { stdin })).toEqual(expected);
  });

  it('writes exactly the agreed keys, in their order', async () => {
    const { stdout } = await call([...PARSE, 'nginx:1', 'x@sha256:0', 'Ü'], {});
    expect(stdout.split('\n')).toEqual([
      '{"input":"nginx:1","ok":true,"registry":"docker.io","repository":"library/nginx","tag":"1","digest":null,"normalized":"docker.io/library/nginx:1"}',
      '{"input":"x@sha256:0","ok":false,"error":"invalid reference format"}',
      expect.stringMatching(/^\{"input":"Ü","ok":false,"error":/),
      '',
    ]);
  });

  it.each([
    ['spaces around it', ' nginx ', [' nginx ']],
    ['a carriage return', 'nginx\r\nredis\r\n', ['nginx\r', 'redis\r']],
    ['an empty line', 'nginx\n\nredis\n', ['nginx', '', 'redis']],
    ['a line separator of Unicode', 'a\u2028b\n', ['a\u2028b']],
    ['a byte order mark', '\uFEFFnginx\n', ['\uFEFFnginx']],
    ['no line feed at the end', 'nginx\nredis', ['nginx', 'redis']],
    ['nothing', '', []],
  ])('takes a line as it is: %s', async (_title, stdin, inputs) => {
    expect((await parse([], { stdin })).map(({ input }) => input)).toEqual(inputs);
  });

  it.each([
    ['a line feed within', '"a\\nb"', 'a\nb'],
    ['a lone surrogate', '"\\ud800"', '\ud800'],
    ['a NUL', '"\\u0000"', '\0'],
    ['blanks around the JSON string', ' "nginx" \r', 'nginx'],
  ])('reads a JSON string: %s', async (_title, line, input) => {
    expect(await parse(['--json-strings'], { stdin: `${line}\n` })).toMatchObject([{ input }]);
  });

  it('keeps characters together that arrive in two chunks', async () => {
    const bytes = Buffer.from('nginx:\u{1F600}\nredis\n');
    const stdin = Readable.from([...bytes].map((byte) => Buffer.from([byte])));
    expect(await parse([], { stdin })).toMatchObject([{ input: 'nginx:\u{1F600}' }, { ok: true }]);
  });

  it.each([
    ['no JSON', 'nginx'],
    ['a number', '5'],
    ['an object', '{"a":"b"}'],
    ['an empty line', ''],
    ['two strings', '"a" "b"'],
  ])('stops at a line that is %s, after those before it', async (_title, line) => {
    const stdin = `"nginx"\n"redis"\n${line}\n"never"\n`;
    const { code, stdout, stderr } = await call([...PARSE, '--json-strings'], { stdin });
    expect(code).toBe(EXIT.usage);
    expect(stdout.split('\n')).toHaveLength(3);
    expect(stderr).toMatch(/^image-checker: error: stdin:3: expected a JSON string, got /);
  });

  it('counts lines over chunks', async () => {
    const stdin = Readable.from(['"a"\n', '"b"\n"', 'c"\nd\n'].map((text) => Buffer.from(text)));
    const { code, stderr } = await call([...PARSE, '--json-strings'], { stdin });
    expect([code, stderr]).toEqual([EXIT.usage, expect.stringContaining('stdin:4: ')]);
  });

  it('reads 100,000 lines without holding them', async () => {
    let asked = 0;
    const stdin = Readable.from(
      (function* () {
        for (; asked < 100; asked++) yield Buffer.from('registry.example.com/a/b:1\n'.repeat(1000));
      })(),
      { objectMode: false, highWaterMark: 64 * 1024 },
    );
    let lines = 0;
    let most = 0;
    const stdout = new Writable({
      highWaterMark: 1024,
      write(chunk: Buffer, _encoding, done) {
        lines += chunk.toString().split('\n').length - 1;
        most = Math.max(most, asked * 1000 - lines);
        setImmediate(done);
      },
    });
    expect(await run(PARSE, { ...fakeContext(), stdin, stdout })).toBe(EXIT.ok);
    await new Promise((resolve) => stdout.end(resolve));
    expect(lines).toBe(100_000);
    // Two chunks of stdin and what the two streams hold; far from everything.
    expect(most).toBeLessThan(20_000);
  });

  it('ends quietly when nobody reads any more', async () => {
    const stdin = Readable.from(
      (function* () {
        for (;;) yield Buffer.from('nginx\n'.repeat(1000));
      })(),
    );
    const stdout = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    expect(await run(PARSE, { ...fakeContext(), stdin, stdout })).toBe(EXIT.ok);
    expect(stdin.destroyed).toBe(true);
  });

  it('says so when the results cannot be written', async () => {
    const stdout = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
      },
    });
    const stdin = Readable.from(['nginx\n', 'nginx\n', 'nginx\n']);
    expect(await run(PARSE, { ...fakeContext(), stdin, stdout })).toBe(EXIT.usage);
  });

  it('refuses a line without end', async () => {
    const stdin = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(1024 * 1024, 'a');
      })(),
    );
    const { code, stderr } = await call(PARSE, { stdin });
    expect([code, stderr]).toEqual([
      EXIT.usage,
      expect.stringContaining('expected lines of at most'),
    ]);
  });

  it('says in --help what its exit code means, with examples', async () => {
    const { code, stdout } = await call([...PARSE, '--help']);
    expect(code).toBe(EXIT.ok);
    expect(stdout).toContain('Exit code 0 when every string got its line');
    expect(stdout).toContain('Examples:\n  image-checker reference parse ');
  });
});
