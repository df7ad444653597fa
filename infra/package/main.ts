import { join } from 'node:path';
import { projectDir } from '../local/paths.ts';
import { buildSdk } from './build-sdk.ts';

/** `npm run build:sdk`: makes the SDK's package, for `npm publish` or `npm install <directory>`. */
const directory = join(projectDir, 'dist/sdk');
await buildSdk(directory);
console.log(`The package is in ${directory}; \`npm pack ${directory}\` makes an archive of it.`);
