/* Samples of a soak as SVG: a panel for each series, over minutes, each from 0. */
const WIDTH = 720;
const HEIGHT = 120;
const LEFT = 90;
const GAP = 34;

const PANELS = [
  ['rss', 'RSS, MiB'],
  ['heap', 'heap used, MiB'],
  ['handles', 'active handles'],
  ['descriptors', 'open descriptors'],
  ['p99', 'p99 of 5 s, ms'],
];

export function plot(samples) {
  const minutes = samples.at(-1).at;
  const panels = PANELS.map(([key, title], index) => {
    const top = GAP + index * (HEIGHT + GAP);
    return panel({ values: samples.map((one) => [one.at, one[key]]), title, minutes, top });
  });
  const height = GAP + PANELS.length * (HEIGHT + GAP);
  const width = LEFT + WIDTH + 20;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<rect width="${width}" height="${height}" fill="white"/>
${panels.join('\n')}
</svg>
`;
}

function panel({ values, title, minutes, top }) {
  const most = Math.max(...values.map(([, value]) => value)) || 1;
  const points = values.map(([at, value]) => {
    const x = LEFT + (at / minutes) * WIDTH;
    const y = top + HEIGHT - (value / most) * HEIGHT;
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  const bottom = top + HEIGHT;
  return `<text x="${LEFT}" y="${top - 8}" font-weight="bold">${title}</text>
<path d="M${LEFT} ${top}V${bottom}H${LEFT + WIDTH}" fill="none" stroke="#888"/>
<text x="${LEFT - 6}" y="${top + 10}" text-anchor="end">${most.toFixed(most < 10 ? 1 : 0)}</text>
<text x="${LEFT - 6}" y="${bottom}" text-anchor="end">0</text>
<text x="${LEFT + WIDTH}" y="${bottom + 14}" text-anchor="end">${minutes.toFixed(0)} min</text>
<polyline points="${points.join(' ')}" fill="none" stroke="#0b5fa5"/>`;
}
