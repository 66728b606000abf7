import { describe, expect, it } from '@jest/globals';
import { decodeUtf8 } from '../../src/files/utf8.ts';

const bytesOf = (...parts: readonly (string | number)[]): Buffer =>
  Buffer.concat(parts.map((part) => Buffer.from(typeof part === 'string' ? part : [part])));

describe('the text of a file that is to be written again', () => {
  it.each([
    ['an empty file', ''],
    ['characters of every length', 'a\u00fc\u20ac\u{1f600}\n'],
    ['a byte order mark', '\ufeffa'],
    ['the character that stands for what is lost', '\ufffd'],
    ['a null character', 'a\0b'],
  ])('has the bytes of %s', (_title, text) => {
    expect(decodeUtf8(Buffer.from(text), 'm.yaml')).toBe(text);
  });

  it.each([
    ['Latin-1', bytesOf('a: 1\nb: \u00fc\n# f', 0xfc, 'r\n'), 3, 'FC'],
    ['Latin-1 behind CRLF', bytesOf('a\r\n', 0xe9), 2, 'E9'],
    ['Latin-1 behind what stands for what is lost', bytesOf('\ufffd\n', 0xfc, '\n'), 2, 'FC'],
    ['half a character', bytesOf('a\n', 0xe2, 0x82, '\nb'), 2, 'E2'],
    ['half a character at the end', bytesOf('a\n', 0xe2, 0x82), 2, 'E2'],
    ['the beginning of a lost character at the end', bytesOf('a\n', 0xef, 0xbf), 2, 'BF'],
    ['half a surrogate pair', bytesOf('\n\n', 0xed, 0xa0, 0x80), 3, 'ED'],
    ['UTF-16', bytesOf(0xff, 0xfe, 'a\0'), 1, 'FF'],
  ])('is refused for %s, with its line', (_title, bytes, line, byte) => {
    const error = expect.objectContaining({
      code: 'file-unreadable',
      problems: [
        {
          file: 'm.yaml',
          line,
          message: `expected UTF-8, got the byte 0x${byte}`,
          hint: 'save it as UTF-8',
        },
      ],
    }) as unknown as Error;
    expect(() => decodeUtf8(bytes, 'm.yaml')).toThrow(error);
  });
});
