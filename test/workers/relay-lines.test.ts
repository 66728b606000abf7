import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { createRelay } from '../../src/workers/relay-lines.ts';

function open(): { inputs: PassThrough[]; text: () => string } {
  const output = new PassThrough();
  let text = '';
  output.setEncoding('utf8').on('data', (part: string) => (text += part));
  const inputs = [new PassThrough(), new PassThrough()];
  const relay = createRelay((lines) => output.write(lines));
  for (const input of inputs) relay(input);
  return { inputs, text: () => text };
}

describe('the output of several workers', () => {
  it('comes out in whole lines, however it came in', async () => {
    const { inputs, text } = open();
    const [one, other] = inputs;
    const bytes = Buffer.from('{"a":"ä"}\n');
    for (const byte of bytes) {
      one?.write(Uint8Array.of(byte));
      other?.write(Uint8Array.of(byte));
      await turn();
    }
    expect(text()).toBe('{"a":"ä"}\n{"a":"ä"}\n');
  });

  it('loses no end of a line when a worker goes', async () => {
    const { inputs, text } = open();
    inputs[0]?.write('one\ntw');
    await turn();
    inputs[0]?.destroy();
    inputs[1]?.write('three\n');
    await turn();
    await turn();
    expect(text().split('\n').sort()).toEqual(['', 'one', 'three', 'tw']);
  });

  it('holds no more of a line than a line may be long', async () => {
    const { inputs, text } = open();
    for (let count = 0; count < 40; count++) {
      inputs[0]?.write('x'.repeat(100_000));
      await turn();
    }
    inputs[0]?.write('\nnext\n');
    await turn();
    expect(text().length).toBeLessThan(1_500_000);
    expect(text().endsWith('\nnext\n')).toBe(true);
  });
});
