import { mutationsOf } from './shared.js';

export default mutationsOf('parse', [
  'image-reference-oracle.test.ts',
  'image-reference-time.test.ts',
]);
