/** The samples of one metric in Prometheus' text format, by their labels as they are written. */
export function samplesOf(text: string, metric: string): Record<string, number> {
  const samples: Record<string, number> = {};
  for (const line of text.split('\n')) {
    const [, name, , labels = '', value] = /^(\w+)(\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === metric) samples[labels] = Number(value);
  }
  return samples;
}
