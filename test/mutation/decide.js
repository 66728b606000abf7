import { mutationsOf } from './shared.js';

export default mutationsOf('decide', ['properties.test.ts', 'settle-properties.test.ts']);
